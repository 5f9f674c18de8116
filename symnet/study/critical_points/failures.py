"""Whose fault an exception is: SymPy's, which ends in "undecided" or in numbers, or ours, which is to be seen.

In: an exception that was caught.  Out: whether it came from below this package.  SymPy's kinds of failure have no end,
so that none is named; where it was raised says more.
Not handled: a wrong argument of ours that SymPy refuses, which looks like SymPy's.
"""

from __future__ import annotations

from types import TracebackType

_OURS = "symnet"


def is_foreign(error: BaseException) -> bool:
    """Whether an exception was raised outside of this package: below a call of ours, or because the stack was full."""
    if isinstance(error, RecursionError | MemoryError):
        return True
    last: TracebackType | None = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    module = "" if last is None else str(last.tb_frame.f_globals.get("__name__", ""))
    return module.partition(".")[0] != _OURS

"""Every error a user can meet, each also the matching builtin.

A message has four parts, always in this order: the call as written, what was expected, what came,
and how to mend it.  `explain` puts them together, so that no message forgets one.
"""

from __future__ import annotations

import sys
from collections.abc import Collection
from typing import Any

LONGEST_SHOWN = 40  # characters of a word in an error


class SymnetError(Exception):
    """Base of every error that symnet raises on purpose."""


class ShapeError(SymnetError, ValueError):
    """Ranks, extents or axes that do not fit together."""


class DTypeError(SymnetError, TypeError):
    """A dtype that an operation or a compiled function does not take."""


class ArgumentError(SymnetError, TypeError):
    """A wrong, missing or unknown argument of a call."""


class UnknownAttributeError(SymnetError, AttributeError):
    """An attribute that expressions do not have, such as SymPy's functions ask of SymPy's scalars."""


class RangeError(SymnetError, OverflowError):
    """A Python integer that the dtype beside it cannot hold, or sizes beyond what can be addressed."""


class AllocationError(SymnetError, MemoryError):
    """No memory for an array or a workspace."""


class ValueDomainError(SymnetError, ValueError):
    """A value outside the domain: a label out of range, NaN where it is refused, an empty mean."""


class SingularMatrixError(SymnetError, ValueError):
    """Equations with a matrix that has no inverse."""


class AssumptionError(SymnetError, ValueError):
    """An assumption that is missing, contradictory, or in the way of the request."""


class MissingRuleError(SymnetError, NotImplementedError):
    """No rule stands in a table for this node; the message names the table and the file to edit."""


class UnsettledWarning(RuntimeWarning):
    """Rewriting was stopped where two rewrites undo each other: the value is right, the form is not the normal one."""


class FileError(SymnetError, OSError):
    """A file that cannot be written or read, is damaged, or belongs to another export."""


class ExistingFileError(FileError, FileExistsError):
    """A file that would be overwritten, and that symnet did not write."""


class DependencyError(SymnetError, ImportError):
    """An optional package that this feature needs is not installed."""


class CompileError(SymnetError, RuntimeError):
    """The machine-code floor refused a program or a target."""


def explain(call: str, expected: str, got: str, mend: str) -> str:
    """The four-part message: `call: expected; got …. mend`."""
    return f"{call}: expected {expected}; got {got}. {mend}"


def one_of(call: str, value: Any, choices: Collection[str], expected: str, mend: str) -> None:
    """Refuse what is none of some words, whatever it is: an array has no truth value, a list no hash.

    Raises:
        ArgumentError: showing the value.
    """
    if not isinstance(value, str) or value not in choices:
        raise ArgumentError(explain(call, expected, repr(value), mend))


def truth(call: str, name: str, value: Any) -> bool:
    """An option that is on or off; numbers count as Python has them.

    Raises:
        ArgumentError: for what is neither true nor false, such as an array or a word.
    """
    try:
        if not isinstance(value, str | bytes):
            return bool(value)
        reason = None
    except (TypeError, ValueError) as error:
        reason = error
    got, mend = f"{name}={value!r}, which is neither", f"Write {name}=True or {name}=False."
    raise ArgumentError(explain(call, f"True or False for {name}", got, mend)) from reason


def ragged(call: str, name: str, error: Exception) -> ShapeError:
    """What NumPy's refusal of nested lists of unequal lengths becomes."""
    mend = "Give every row the same length, or pass an array."
    return ShapeError(explain(call, f"an array for {name}", f"what NumPy makes no array of ({error})", mend))


def holds_mask(value: Any) -> bool:
    """Whether data are a masked array of NumPy's, or a list with one inside; NumPy itself need not be loaded."""
    ma = sys.modules.get("numpy.ma")
    if ma is None:
        return False
    if isinstance(value, (list, tuple)):
        return any(map(holds_mask, value))
    return isinstance(value, ma.MaskedArray)


def refuse_mask(call: str, name: str, value: Any) -> None:
    """Refuse a masked array: what lies below the mask would count as data.

    Raises:
        DTypeError: naming the argument.
    """
    if holds_mask(value):
        got = "a masked array" if not isinstance(value, (list, tuple)) else f"a {type(value).__name__} of masked arrays"
        mend = f"Masks have no meaning here: pass {name}.filled(0), or another value for what is masked."
        raise DTypeError(explain(call, f"plain data for {name}", got, mend))


def clipped(text: str, most: int = LONGEST_SHOWN) -> str:
    """A long word with its end left out."""
    return text if len(text) <= most else f"{text[:most]}…"

"""Work that may never end, ended.

In: seconds, and work in pure Python (SymPy's solvers, which may run for hours).  Out: its result, or None when the time
is over.  A timer raises an exception in the thread that works, at the next step of Python's interpreter; so it works in
any thread, and leaves nothing running.
Not handled: work inside one long call of C code, which ends first.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class _Over(BaseException):
    """The time is over: no `Exception`, so that the work does not catch it."""


class _Alarm:
    """Raises `_Over` in the thread that made it, once, unless it was stopped before."""

    def __init__(self, seconds: float) -> None:
        self.thread, self.guard, self.stopped = threading.get_ident(), threading.Lock(), False
        self.timer = threading.Timer(seconds, self.ring)
        self.timer.daemon = True
        self.timer.start()

    def ring(self) -> None:
        with self.guard:
            if not self.stopped:
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self.thread), ctypes.py_object(_Over))

    def stop(self) -> None:
        with self.guard:
            self.stopped = True
        self.timer.cancel()


def within(seconds: float, work: Callable[[], T]) -> T | None:
    """The result of the work, or None where it takes longer."""
    if seconds == float("inf"):
        return work()
    try:
        alarm = _Alarm(seconds)
        try:
            return work()
        finally:
            alarm.stop()  # an alarm that rang while the work ended arrives in here at the latest
    except _Over:
        return None

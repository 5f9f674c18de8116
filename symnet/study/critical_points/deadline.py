"""Work that may never end, ended.

In: seconds, and work in pure Python (SymPy's solvers, which may run for hours).  Out: its result, or None when the time
is over.  A second thread raises an exception in the one that works, at the next step of Python's interpreter; so this
works in any thread, and leaves nothing running.
Not handled: work inside one long call of C code, which ends first.
"""

from __future__ import annotations

import _thread
import ctypes
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")
AGAIN = 1.0  # seconds until what was ignored is raised anew; unwinding takes less


class _Over(BaseException):
    """The time is over: no `Exception`, so that the work does not catch it."""


class _Alarm:
    """Raises `_Over` in the thread that made it until it is stopped: where Python ignores one, another follows.

    What is stopped may be interrupted at any step, so it holds no lock that it would have to give back.
    """

    def __init__(self, seconds: float) -> None:
        self.thread, self.seconds, self.ended = threading.get_ident(), seconds, False
        self.waiting = _thread.allocate_lock()
        self.waiting.acquire()

    def start(self) -> None:
        _thread.start_new_thread(self._ring, ())

    def _ring(self) -> None:
        seconds = self.seconds
        while not self.waiting.acquire(timeout=seconds):
            _raise_in(self.thread, _Over)
            seconds = AGAIN
        self.ended = True

    def stop(self) -> None:
        """Stop: nothing is raised after this, what was on its way least of all."""
        while True:
            try:
                while not self.ended:
                    if self.waiting.locked():
                        self.waiting.release()
                    time.sleep(1e-5)
                _step()  # what was raised before the alarm ended arrives here
                return
            except _Over:
                continue


def _raise_in(thread: int, kind: type[BaseException]) -> None:
    """Raise in a thread at its next step.

    It is never taken back: CPython then goes on looking for what is no longer there, at every step of every thread, and
    in 3.11 for ever at the first call below a profiler.
    """
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(kind))


def _step() -> None:
    """Do nothing, by a call: at its beginning the interpreter looks for exceptions from other threads."""


@contextmanager
def _silent() -> Iterator[None]:
    """Where Python ignores an exception, in the callback of a weak reference say, it prints it; not `_Over`."""
    before = sys.unraisablehook
    sys.unraisablehook = lambda found: None if found.exc_type is _Over else before(found)
    try:
        yield
    finally:
        sys.unraisablehook = before


def within(seconds: float, work: Callable[[], T]) -> T | None:
    """The result of the work, or None where it takes longer."""
    if seconds == float("inf"):
        return work()
    alarm = _Alarm(seconds)
    with _silent():
        try:
            alarm.start()
            try:
                return work()
            finally:
                alarm.stop()
        except _Over:  # from the work, or from between its end and the alarm's
            alarm.stop()
            return None

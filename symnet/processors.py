"""The processors that this process may use, and work that is spread over them.

In: a function and its arguments, which may be made one by one.  Out: its results, in order.

For work that leaves the interpreter for long, such as LLVM's: threads of Python's own take turns otherwise.
"""

from __future__ import annotations

import _thread
import os
import sys
from collections.abc import Callable, Iterable
from operator import length_hint
from typing import TypeVar

Task = TypeVar("Task")
Outcome = TypeVar("Outcome")

MOST_THREADS = 256
WAIT = 0.05  # seconds until a waiting caller looks again
TURN = 0.0002  # seconds until who computes in the interpreter lets another in: who works outside of it comes back often


def usable_processors() -> int:
    """How many processors this process may use, as far as Python knows."""
    if hasattr(os, "process_cpu_count"):
        found = os.process_cpu_count()
    else:
        found = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return min(found or 1, MOST_THREADS)


def on_all_processors(work: Callable[[Task], Outcome], items: Iterable[Task]) -> list[Outcome]:
    """`work(item)` of every item; of what comes late, while others work on what came before.

    The items are drawn by the caller.  Whatever ends it early, an error or an interrupt, it returns when nothing is
    worked on any more, and raises the first error.  Where the system starts no more threads, fewer have the work, or
    the caller alone.
    """
    usual = sys.getswitchinterval()
    try:
        sys.setswitchinterval(min(usual, TURN))
        return _worked_on(work, items)
    finally:
        sys.setswitchinterval(usual)


def _worked_on(work: Callable[[Task], Outcome], items: Iterable[Task]) -> list[Outcome]:
    from queue import SimpleQueue  # what only asks for processors need not wait for it

    results: dict[int, Outcome] = {}
    errors: list[BaseException] = []
    drawn: list[Task] = []
    todo: SimpleQueue[int | None] = SimpleQueue()  # its steps are operations of the interpreter; None is the end
    source, processors = iter(items), usable_processors()
    most = max(min(length_hint(items, processors), processors) - 1, 0)

    def some() -> None:
        try:
            while (position := todo.get()) is not None and not errors:
                results[position] = work(drawn[position])
        except BaseException as error:
            errors.append(error)

    helpers = _Helpers(some)
    ended = False
    while not ended:
        try:
            for item in source if not errors else ():
                drawn.append(item)
                todo.put(len(drawn) - 1)
                helpers.start(min(len(drawn), most))
            for _ in range(most + 1):
                todo.put(None)
            some()
            helpers.wait()
            ended = True
        except BaseException as error:  # an interrupt outside of the work: the next round only waits
            errors.append(error)
    if errors:
        try:
            raise errors[0]
        finally:
            errors.clear()  # the frames that an error keeps know of it: a ring
    # What is missing was with threads of a process from which a fork, in a handler of a signal, has made this one.
    return [results[k] if k in results else work(item) for k, item in enumerate(drawn)]


class _Helpers:
    """Threads that run a function, which does nothing once the caller waits for them.

    An interrupt may hide from the caller whether a thread has started: then this one says so itself, or is too late.
    They are threads of the interpreter's lowest kind: one of `threading.Thread` that an interrupt meets in its start
    may wait for ever for a lock of the caller's, and the process for it.
    """

    def __init__(self, run: Callable[[], None]) -> None:
        self._run, self._process = run, os.getpid()
        self._ends: list[_thread.LockType] = []  # of each thread: held until it has ended
        self._in_time: dict[int, bool] = {}  # by number; who comes first says it, in one operation of the interpreter
        self._ended: set[int] = set()

    def start(self, count: int) -> None:
        """Start as many as there are to be, once, or as many as the system starts."""
        while len(self._ends) < count:
            end = _thread.allocate_lock()
            end.acquire()
            self._ends.append(end)
            try:
                _thread.start_new_thread(self._help, (len(self._ends) - 1, end))
            except (RuntimeError, MemoryError):
                break

    def wait(self) -> None:
        """Until none is at work; in a forked child none is."""
        for number, end in enumerate(self._ends):
            if self._in_time.setdefault(number, False):
                while number not in self._ended and os.getpid() == self._process:
                    end.acquire(timeout=WAIT)  # an interrupt may come when it has been: then the next try says so

    def _help(self, number: int, end: _thread.LockType) -> None:
        if self._in_time.setdefault(number, True):
            try:
                self._run()
            finally:
                self._ended.add(number)
                end.release()

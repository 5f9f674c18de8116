"""The processors that this process may use, and work that is spread over them.

In: a function and its arguments.  Out: its results, in order.

For work that leaves the interpreter for long, such as LLVM's: threads of Python's own take turns otherwise.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

Given = TypeVar("Given")
Made = TypeVar("Made")

MOST_THREADS = 256


def usable_processors() -> int:
    """How many processors this process may use, as far as Python knows."""
    if hasattr(os, "process_cpu_count"):
        found = os.process_cpu_count()
    else:
        found = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return min(found or 1, MOST_THREADS)


def on_all_processors(work: Callable[[Given, int], Made], items: Sequence[Given]) -> list[Made]:
    """`work(item, worker)` of every item; no two that run at once have the same `worker`, and 0 is the caller.

    Whatever ends it early, an error or an interrupt, it returns when the last thread has: the first error is raised.
    """
    results: dict[int, Made] = {}
    errors: list[BaseException] = []
    todo = iter(range(len(items)))

    def worker(number: int) -> None:
        try:
            for position in todo:  # threads may share it: each step of it is one operation of the interpreter
                results[position] = work(items[position], number)
                if errors:
                    break
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=worker, args=(k,)) for k in range(1, min(len(items), usable_processors()))]
    started: list[threading.Thread] = []
    try:
        for thread in threads:
            thread.start()
            started.append(thread)
        worker(0)
    finally:
        _wait(started, errors)
    if errors:
        raise errors[0]
    return [results[position] for position in range(len(items))]


def _wait(threads: Sequence[threading.Thread], errors: list[BaseException]) -> None:
    """Until they have ended, whatever interrupts this one meanwhile."""
    for thread in threads:
        while thread.is_alive():
            try:
                thread.join()
            except BaseException as error:
                errors.append(error)

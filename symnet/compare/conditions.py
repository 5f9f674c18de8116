"""The same conditions for all: one core, one thread of BLAS, and what could not be had said.

In: nothing.  Out: `alike`, a context in which everything is prepared and timed; it gives what it reached, in words.
"""

from __future__ import annotations

import contextlib
import os
import platform
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from symnet.version import VERSION

_THREADS = Path("/proc/self/task")


@contextlib.contextmanager
def alike() -> Iterator[list[str]]:
    """Holds every thread of this process to one core, and NumPy's BLAS to one thread, where that can be done."""
    said = [machine()]
    with contextlib.ExitStack() as stack:
        said.append(_one_core(stack))
        said.append(_one_blas_thread(stack))
        yield said


def machine() -> str:
    """Processor and versions."""
    return f"{_processor()}; Python {platform.python_version()}, NumPy {np.__version__}, symnet {VERSION}"


def _processor() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _one_core(stack: contextlib.ExitStack) -> str:
    if not hasattr(os, "sched_setaffinity") or not _THREADS.is_dir():
        return "threads may run on every core, as this system cannot hold them to one"
    before = {thread: cores for thread in _threads() if (cores := _cores(thread))}
    mine = os.sched_getaffinity(0)
    core = {max(mine)}  # the first one has most of the interrupts
    stack.callback(lambda: _set({thread: before.get(thread, mine) for thread in _threads()}))
    _set(dict.fromkeys(before, core))
    if os.sched_getaffinity(0) != core:
        return "threads may run on every core, as this process must not choose"
    return "every thread of the process on one core"


def _threads() -> list[int]:
    return [int(path.name) for path in _THREADS.iterdir()]


def _cores(thread: int) -> set[int]:
    """Where a thread may run; nowhere if it has ended."""
    with contextlib.suppress(OSError):
        return os.sched_getaffinity(thread)
    return set()


def _set(cores: dict[int, set[int]]) -> None:
    for thread, where in cores.items():
        with contextlib.suppress(OSError):  # it ended meanwhile
            os.sched_setaffinity(thread, where)


def _one_blas_thread(stack: contextlib.ExitStack) -> str:
    try:
        from threadpoolctl import threadpool_limits
    except ImportError:
        return "BLAS with threads as it likes (threadpoolctl is not installed)"
    stack.enter_context(threadpool_limits(1))
    return "BLAS with one thread"

"""Locks of the whole process, and what is made once in it.

In: nothing.  Out: `BUILDING` and `LLVM`, in the order in which one thread may take them; `once`, a function whose
result one thread makes and all others get.

A forked child has only the thread that forked: a lock that another one held would stay held for ever.  So a fork waits
until these locks are free (and llvmlite's own, which stands around every call into LLVM) and no other thread is in the
middle of importing a module, holds them meanwhile, and parent and child give them back.

Not handled: forks that bypass Python (`os.register_at_fork` has no say in them).
"""

from __future__ import annotations

import _imp
import importlib
import os
import sys
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import wraps
from traceback import clear_frames
from typing import Any, TypeVar

Result = TypeVar("Result")

BUILDING = threading.RLock()  # native state and modules that are made, or imported, when first needed
LLVM = threading.RLock()  # LLVM's target machines and contexts are not for concurrent use


def once(make: Callable[[], Result]) -> Callable[[], Result]:
    """A function of no arguments that is run once in a process, by the thread that comes first."""
    made: list[Result] = []

    @wraps(make)
    def ask() -> Result:
        if not made:
            with BUILDING:
                if not made:
                    made.append(make())
        return made[0]

    return ask


class Healed:
    """A block at whose begin and end this thread holds no lock of llvmlite's, and which leaves nothing of LLVM behind.

    llvmlite takes its lock in Python code: an interrupt just then leaves it held, and others would wait for ever.
    An error keeps the frames that it came through; where it is part of a ring, the garbage collector takes down what
    they hold in any order, and a context before its modules is the end of the process.
    """

    def __enter__(self) -> None:
        _release()

    def __exit__(self, *exception: Any) -> None:
        _release()
        error = exception[1]
        while error is not None:
            clear_frames(error.__traceback__)
            error = error.__context__


def _release() -> None:
    for lock in _llvmlites():
        inner = getattr(lock, "_lock", None)
        while inner is not None and inner._is_owned():
            inner.release()


# --------------------------------------------------------------------------- forks

_held: list[AbstractContextManager[Any]] = []


class _ImportLock:
    """The interpreter's import lock: who holds it knows that no other thread begins to import a module."""

    def __enter__(self) -> None:
        _imp.acquire_lock()

    def __exit__(self, *exception: object) -> None:
        _imp.release_lock()


def _hold() -> None:
    """Take every lock, in order, at a moment when no other thread is importing; five seconds at most, since that
    thread may be waiting for what this one is importing.

    The locks are given back before each new try: the importing thread may need them to come to its end.
    """
    end = time.monotonic() + 5
    while True:
        for lock in (BUILDING, LLVM, *_llvmlites(), _ImportLock()):
            lock.__enter__()
            _held.append(lock)
        if not _others_import() or time.monotonic() > end:
            break
        _give_back()
        time.sleep(0.001)


def _others_import() -> bool:
    """Whether another thread is in the middle of importing a module, whose lock a child would find taken for ever."""
    me = threading.get_ident()
    locks = [made() for made in list(getattr(importlib._bootstrap, "_module_locks", {}).values())]
    return any(lock is not None and getattr(lock, "owner", me) != me for lock in locks)


def _give_back() -> None:
    while _held:
        _held.pop().__exit__(None, None, None)


def _llvmlites() -> list[AbstractContextManager[Any]]:
    """The lock that llvmlite holds during a call, where it is loaded and has one."""
    library: Any = getattr(sys.modules.get("llvmlite.binding.ffi"), "lib", None)
    lock: Any = library._lock if hasattr(type(library), "_lock") else None
    return [lock] if hasattr(lock, "__enter__") else []


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_hold, after_in_parent=_give_back, after_in_child=_give_back)

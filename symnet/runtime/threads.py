"""Several threads on one call: a pool of Python threads that wait in native code.

In: the entry points of a function and a number of threads.  Out: a call like `NAME_run` that shares the units of
every phase among the threads; the result has the same bits for any number.

There is one pool per number of threads in a process, made when first used.  While it works for one caller,
another caller runs serially.  Threads that find nothing to do for about a millisecond sleep.  They stop when the
pool is closed and at the interpreter's exit; a forked child makes its own.

Not handled: choosing the number of threads; pinning threads to cores.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
import threading
import weakref
from collections.abc import Callable
from typing import Any

from symnet.errors import ArgumentError, explain
from symnet.locks import BUILDING
from symnet.runtime import pool_ir
from symnet.runtime.native import EntryPoints, address_of_symbol, allocate_workspace
from symnet.runtime.support import pool_calls

MOST_THREADS = 256


def check_threads(threads: object, call: str) -> int:
    """The number of threads, if it is one.

    Raises:
        ArgumentError: for anything but an int from 1 to 256.
    """
    if isinstance(threads, int) and not isinstance(threads, bool) and 1 <= threads <= MOST_THREADS:
        return threads
    mend = f"Write threads={os.cpu_count() or 1} for every core of this machine."
    raise ArgumentError(
        explain(f"{call}, threads={threads!r}", f"an int from 1 to {MOST_THREADS}", repr(threads), mend)
    )


def runner(native: EntryPoints, threads: int) -> Callable[..., int]:
    """A call (in, out, dims, workspace, workspace_bytes) → code on that many threads."""
    serial = native.run_call()
    if threads == 1:
        return serial

    def run(*arguments: Any) -> int:
        return shared_pool(threads).run(native, serial, arguments)

    return run


class ThreadPool:
    """`threads` - 1 workers beside the caller."""

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self._run, worker = pool_calls()
        self._crew = _Crew(threads, worker)
        self._finalizer = weakref.finalize(self, self._crew.stop)

    def run(self, native: EntryPoints, serial: Callable[..., int], arguments: tuple[Any, ...]) -> int:
        """All phases of a function; serially while another caller has the pool."""
        self._crew.wake()
        code = self._run(self._crew.address, native.entry, native.units, native.phases, *arguments)
        return serial(*arguments) if code == pool_ir.HAS_CALLER else code

    def close(self) -> None:
        """Stop the workers and wait until they have ended."""
        self._finalizer()


class _Crew:
    """The workers and what they share.  They hold this, not the pool, so that a dropped pool stops them."""

    def __init__(self, threads: int, worker: Callable[..., int]) -> None:
        self._worker = worker
        # A worker sleeps by taking its lock a second time; who wakes it releases that.  The list is the workers' own,
        # so that what an interrupted caller left undone is done by the next.
        self._beds = [threading.Lock() for _ in range(threads)]
        self._asleep: list[int] = []  # workers; append and remove are atomic
        for bed in self._beds:
            bed.acquire()
        self._stopped = False
        self._memory = allocate_workspace(pool_ir.control_bytes(threads))
        self.address = self._memory.address
        ctypes.memset(self.address, 0, self._memory.nbytes)
        self._set(pool_ir.THREADS, threads)
        self._set(pool_ir.PIECES, threads * pool_ir.PIECES_PER_THREAD)
        self._set(pool_ir.YIELD, _yield_address())
        self._set(pool_ir.PROCESSOR, _processor_address(threads))
        self._members = [
            threading.Thread(target=self._work, args=(number,), name=f"symnet-{number}", daemon=True)
            for number in range(1, threads)
        ]
        try:
            for member in self._members:
                member.start()
        except BaseException:  # no more threads, or an interrupt: those that run must end
            self._end()
            raise

    def wake(self) -> None:
        """Let sleeping workers look for work."""
        for number in tuple(self._asleep):
            if self._beds[number].locked():
                with contextlib.suppress(RuntimeError):  # another caller was faster
                    self._beds[number].release()

    def _end(self) -> None:
        self._stopped = True
        self._set(pool_ir.STOP, 1)
        self.wake()

    def stop(self) -> None:
        """End every worker."""
        self._end()
        for member in self._members:
            while member.is_alive() and member is not threading.current_thread():
                self.wake()
                member.join(0.05)

    def _work(self, number: int) -> None:
        seen = 0
        while not self._stopped:
            seen = self._worker(self.address, number, seen)
            if seen < 0:
                seen = ~seen
                self._move_away(number)
                continue
            self._asleep.append(number)
            if not self._stopped:
                self._beds[number].acquire()
            self._asleep.remove(number)

    def _move_away(self, number: int) -> None:
        """Go to another processor than the caller's; afterwards the kernel may choose again."""
        allowed = os.sched_getaffinity(0)
        caller = ctypes.c_int64.from_address(self.address + pool_ir.CALLER).value
        others = sorted(allowed - {caller})
        if others:
            os.sched_setaffinity(0, {others[(number - 1) % len(others)]})
            os.sched_setaffinity(0, allowed)

    def _set(self, offset: int, value: int) -> None:
        ctypes.c_int64.from_address(self.address + offset).value = value


def _yield_address() -> int:
    """The system's way to let another thread run."""
    if sys.platform == "win32":
        return address_of_symbol(ctypes.CDLL("kernel32"), "SwitchToThread")
    return address_of_symbol(ctypes.CDLL(None), "sched_yield")


def _processor_address(threads: int) -> int:
    """The system's way to say on which processor a thread runs; 0 where threads cannot be moved."""
    if not hasattr(os, "sched_setaffinity") or len(os.sched_getaffinity(0)) < threads:
        return 0
    return address_of_symbol(ctypes.CDLL(None), "sched_getcpu")


# --------------------------------------------------------------------------- pools of this process

_POOLS: dict[int, ThreadPool] = {}


def shared_pool(threads: int) -> ThreadPool:
    """The process's pool of that size."""
    pool = _POOLS.get(threads)
    if pool is None:
        with BUILDING:
            pool = _POOLS.get(threads) or _POOLS.setdefault(threads, ThreadPool(threads))
    return pool


def _forget_pools() -> None:
    """Forget all pools in a forked child: their workers are gone, and one may have a caller for ever."""
    for pool in _POOLS.values():
        pool._finalizer.detach()
    _POOLS.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_pools)

"""Several threads on one call: a pool of Python threads that wait in native code.

In: the entry points of a function, and how its phases are shared (`sharing.py`).  Out: a call like `NAME_run` that
shares the units of phases among the threads; the result has the same bits for any number.

There is one pool of a size in a process, made when first used; its threads are started when a call first wants them.
While it works for one caller, another caller runs serially.  Threads that find nothing to do for about a millisecond
sleep.  They stop when the pool is closed and at the interpreter's exit; a forked child makes its own.

Not handled: pinning threads to cores.
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
from symnet.processors import MOST_THREADS
from symnet.runtime import pool_layout
from symnet.runtime.native import EntryPoints, address_of_symbol, allocate_workspace
from symnet.runtime.sharing import Sharing
from symnet.runtime.support import pool_calls, pool_step_call


def check_threads(threads: object, call: str) -> int | None:
    """The number of threads, if it is one; None for as many as pay.

    Raises:
        ArgumentError: for anything but None and an int from 1 to 256.
    """
    if threads is None:
        return None
    if isinstance(threads, int) and not isinstance(threads, bool) and 1 <= threads <= MOST_THREADS:
        return threads
    mend = "Leave threads= out for as many as pay, or write threads=1 for one."
    raise ArgumentError(
        explain(f"{call}, threads={threads!r}", f"None or an int from 1 to {MOST_THREADS}", repr(threads), mend)
    )


class Job:
    """A function and how its phases are shared, as native code reads it.

    Attributes:
        threads: how many take part at most.
    """

    def __init__(self, native: EntryPoints, sharing: Sharing) -> None:
        words = (native.entry, native.run, native.units, native.phases, *sharing.words)
        self.threads = sharing.threads
        self._block = (ctypes.c_int64 * len(words))(*words)
        self.address = ctypes.addressof(self._block)
        self._pool = sharing.pool

    def crew(self) -> Crew:
        """Those who do it, in this process, awake enough to look."""
        return shared_pool(self._pool).crew.with_members(self.threads)

    def run(self, *arguments: Any) -> int:
        """A call (in, out, dims, workspace, workspace_bytes) → code."""
        run, _ = pool_calls()
        return run(self.crew().address, self.address, *arguments)

    def step(self, block: Any) -> Callable[[], int]:
        """The call of a bound step, whose block `step_block` made."""
        call, crew, address = pool_step_call(), self.crew, ctypes.c_void_p(self.address)

        def run() -> int:
            return call(crew().pointer, address, block.pointer)

        return run


class ThreadPool:
    """At most `threads` - 1 workers beside the caller."""

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self.crew = Crew(threads)
        self._finalizer = weakref.finalize(self, self.crew.stop)

    def close(self) -> None:
        """Stop the workers and wait until they have ended."""
        self._finalizer()


class Crew:
    """The workers and what they share.  They hold this, not the pool, so that a dropped pool stops them.

    Attributes:
        address, pointer: of the control block.
    """

    def __init__(self, threads: int) -> None:
        _, self._worker = pool_calls()
        # Where the system has no semaphores, a worker sleeps by taking its lock a second time; who wakes it releases
        # that.  The list is the workers' own, so that what an interrupted caller left undone is done by the next.
        self._beds = [threading.Lock() for _ in range(threads)]
        self._dozing: list[int] = []  # workers; append and remove are atomic
        for bed in self._beds:
            bed.acquire()
        self._stopped = False
        self._most = threads
        self._members: list[threading.Thread] = []
        self._memory = allocate_workspace(pool_layout.control_bytes(threads))
        self.address = self._memory.address
        self.pointer = ctypes.c_void_p(self.address)
        ctypes.memset(self.address, 0, self._memory.nbytes)
        self._set(pool_layout.CLAIMS, pool_layout.BEDS + threads * pool_layout.LINE)
        self._set(pool_layout.YIELD, _yield_address())
        self._set(pool_layout.PROCESSOR, _processor_address(threads))
        self._post: Callable[..., int] | None = None
        self._make_semaphores(_semaphores())

    def _make_semaphores(self, library: ctypes.CDLL | None) -> None:
        """One in each bed, where the system has them."""
        beds = [pool_layout.BEDS + number * pool_layout.LINE for number in range(self._most)]
        self._semaphores = [ctypes.c_void_p(self.address + bed + pool_layout.SEMAPHORE) for bed in beds]
        if library is None or any(library.sem_init(each, 0, 0) for each in self._semaphores):
            return
        self._post = library.sem_post
        self._set(pool_layout.WAIT, address_of_symbol(library, "sem_wait"))
        self._set(pool_layout.POST, address_of_symbol(library, "sem_post"))

    # ---- the workers

    def with_members(self, team: int) -> Crew:
        """The crew, once it has workers for a team; those that Python put to sleep are awake."""
        if len(self._members) < team - 1:
            self._start(team)
        if self._dozing:
            self._rouse()
        return self

    def _start(self, team: int) -> None:
        with BUILDING:
            for number in range(len(self._members) + 1, team):
                name = f"symnet-{number}"
                member = threading.Thread(target=self._work, args=(number,), name=name, daemon=True)
                self._members.append(member)  # first, so that an interrupt leaves none behind that nobody knows
                with contextlib.suppress(RuntimeError):  # no more threads: those there are do
                    member.start()

    def asleep(self) -> int:
        """How many workers sleep."""
        return len(self._dozing) + ctypes.c_int64.from_address(self.address + pool_layout.SLEEPERS).value

    def wake(self) -> None:
        """Let sleeping workers look for work."""
        self._rouse()
        if self._post is not None:
            for semaphore in self._semaphores[1:]:
                self._post(semaphore)

    def _rouse(self) -> None:
        """Wake those whom Python put to sleep."""
        for number in tuple(self._dozing):
            if self._beds[number].locked():
                with contextlib.suppress(RuntimeError):  # another caller was faster
                    self._beds[number].release()

    def stop(self) -> None:
        """End every worker."""
        self._stopped = True
        self._set(pool_layout.STOP, 1)
        self.wake()
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
            self._dozing.append(number)
            if not self._stopped:
                self._beds[number].acquire()
            self._dozing.remove(number)

    def _move_away(self, number: int) -> None:
        """Go to another processor than the caller's; afterwards the kernel may choose again."""
        allowed = os.sched_getaffinity(0)
        caller = ctypes.c_int64.from_address(self.address + pool_layout.CALLER).value
        others = sorted(allowed - {caller})
        if others:
            os.sched_setaffinity(0, {others[(number - 1) % len(others)]})
            os.sched_setaffinity(0, allowed)

    def _set(self, offset: int, value: int) -> None:
        ctypes.c_int64.from_address(self.address + offset).value = value


# --------------------------------------------------------------------------- the system's functions


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


def _semaphores() -> ctypes.CDLL | None:
    """The library with POSIX semaphores of at most 64 bytes, where there are such."""
    library = ctypes.CDLL(None) if sys.platform == "linux" else None
    return library if hasattr(library, "sem_init") else None


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

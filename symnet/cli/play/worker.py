"""Answers from a process of its own, which may take so long and so much memory, and no more.

In: what was typed.  Out: an answer (`answers.py`), or an error that says which limit was met.

The process is made when the first answer is asked for, and again after it was stopped.  One answer is worked out at a
time; who has to wait too long is told so.
"""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection
from typing import Any

from symnet.errors import explain

SECONDS = 20.0  # for an answer, the start of the process among them
MEMORY = 4 << 30  # bytes of addresses


class Worker:
    """A process that answers.

    Args:
        work: what it runs, importable by its name.
        seconds: for an answer.
    """

    def __init__(self, work: Callable[[Mapping[str, Any]], dict[str, Any]], seconds: float = SECONDS) -> None:
        self._work, self._seconds = work, seconds
        self._lock = threading.Lock()
        self._process: Any = None
        self._pipe: Connection | None = None

    def __call__(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """The answer; a dict with `error` alone where a limit was met."""
        if not self._lock.acquire(timeout=self._seconds):
            return {"error": explain("answer", "one question at a time", "another one", "Ask again.")}
        try:
            return self._answer(dict(asked))
        finally:
            self._lock.release()

    def start(self) -> None:
        """Make the process now, so that the first answer need not wait for it."""
        with self._lock:
            self._started()

    def stop(self) -> None:
        """End the process, whatever it does."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
        if self._pipe is not None:
            self._pipe.close()
        self._process = self._pipe = None

    def _started(self) -> Connection:
        if self._pipe is None or not self._process.is_alive():
            self.stop()
            context = multiprocessing.get_context("spawn")
            self._pipe, theirs = context.Pipe()
            self._process = context.Process(target=_serve, args=(theirs, self._work), daemon=True)
            self._process.start()
            theirs.close()
        return self._pipe

    def _answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        mend = "Take a smaller formula, or known extents."
        try:
            pipe = self._started()
            pipe.send(asked)
            if pipe.poll(self._seconds):
                return dict(pipe.recv())
            got = f"more than {self._seconds:g} seconds"
        except (EOFError, OSError):
            got = "the end of its process: too much memory, perhaps"
        self.stop()
        return {"error": explain("answer", "an answer within the limits", got, mend)}


def _serve(pipe: Connection, work: Callable[[Mapping[str, Any]], dict[str, Any]]) -> None:
    """Answer until nobody asks any more."""
    _limit_memory()
    while True:
        try:
            asked = pipe.recv()
        except (EOFError, KeyboardInterrupt):
            return
        try:
            found = work(asked)
        except (Exception, RecursionError, MemoryError) as error:
            found = {"error": f"{type(error).__name__}: {error}"[:2000]}
        pipe.send(found)


def _limit_memory() -> None:
    """Nothing where the system has no such limit."""
    try:
        import resource
    except ImportError:
        return
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY if hard < 0 else min(MEMORY, hard), hard))

"""Checks that crash or never end are failures like any other, which hypothesis shrinks as it shrinks wrong numbers.

In: a check.  Out: the same check, where one that takes too long (`timed`), or that kills its process (`isolated`, which
gives each graph a process of its own), raises a `Disagreement` of the floor "time" or "process".
Needs `os.fork` and a timer of processor time, so it works on Linux and macOS.
"""

from __future__ import annotations

import faulthandler
import os
import pickle
import select
import signal
import warnings
from collections import Counter
from typing import Any

from tests.chain import Disagreement
from tests.fuzz.batch import Check
from tests.fuzz.graphs import RandomGraph

LIMIT = 30  # seconds of processor time that a graph may take, most take a tenth of one; other work does not count
PATIENCE = 10  # times that by the clock, until a process that does not end is taken to hang


def timed(check: Check) -> Check:
    """The same check, interrupted when this process has computed for `LIMIT` seconds."""

    def late(*_: Any) -> None:
        raise Disagreement("time", f"it took more than {LIMIT} s")

    def in_time(graph: RandomGraph) -> Counter[str]:
        before = signal.signal(signal.SIGPROF, late)
        signal.setitimer(signal.ITIMER_PROF, LIMIT)
        try:
            return check(graph)
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.signal(signal.SIGPROF, before)

    return in_time


def isolated(check: Check) -> Check:
    """The same check, each time in a forked process."""

    def alone(graph: RandomGraph) -> Counter[str]:
        reader, writer = os.pipe()
        with warnings.catch_warnings():  # other threads live, and symnet is made for that (`symnet/locks.py`)
            warnings.simplefilter("ignore", DeprecationWarning)
            warnings.simplefilter("ignore", RuntimeWarning)  # of JAX, where a test before used it; the child does not
            child = os.fork()
        if child == 0:
            os.close(reader)
            _answer(check, graph, writer)
        os.close(writer)
        return _outcome(child, reader)

    return alone


def _answer(check: Check, graph: RandomGraph, writer: int) -> None:
    """In the child: the outcome through the pipe, and the end of the process."""
    faulthandler.disable()  # a crash is an outcome here: its trace in the midst of a passing run would frighten
    try:
        answer: tuple[str, Any, str] = ("counts", check(graph), "")
    except Disagreement as error:
        answer = ("failed", error.floor, str(error))
    except Exception as error:
        answer = ("failed", type(error).__name__, str(error))
    with os.fdopen(writer, "wb") as pipe:
        pickle.dump(answer, pipe)
    os._exit(0)


def _outcome(child: int, reader: int) -> Counter[str]:
    patience = PATIENCE * LIMIT
    ready, _, _ = select.select([reader], [], [], patience)
    if not ready:
        os.kill(child, signal.SIGKILL)
    with os.fdopen(reader, "rb") as pipe:
        sent = pipe.read()
    _, status = os.waitpid(child, 0)
    if not ready:
        raise Disagreement("process", f"it did not end in {patience} s")
    if not sent:
        raise Disagreement("process", f"it ended with {os.waitstatus_to_exitcode(status)}")
    kind, what, detail = pickle.loads(sent)
    if kind == "failed":
        raise Disagreement(what, detail)
    counts: Counter[str] = what
    return counts

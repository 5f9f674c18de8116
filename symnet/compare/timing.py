"""Timing: interleaved repeats, so that whatever slows the machine slows everyone.

In: callables.  Out: the median of each one's times, in seconds.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

LEAST = 2e-4  # seconds: shorter calls are timed several at once


def medians(calls: Sequence[Callable[[], None]], repeats: int) -> list[float]:
    """The median time of a call, each measured `repeats` times in turn."""
    bursts = [_burst(call) for call in calls]
    times: list[list[float]] = [[] for _ in calls]
    for _ in range(repeats):
        for call, burst, found in zip(calls, bursts, times, strict=True):
            found.append(_time(call, burst))
    return [sorted(found)[len(found) // 2] for found in times]


def _burst(call: Callable[[], None]) -> int:
    """How many calls make a measurement; they also warm it up."""
    call()
    return max(1, int(LEAST / max(_time(call, 1), 1e-7)))


def _time(call: Callable[[], None], burst: int) -> float:
    begin = time.perf_counter()
    for _ in range(burst):
        call()
    return (time.perf_counter() - begin) / burst


def one_blas_thread() -> AbstractContextManager[object] | None:
    """Holds NumPy's BLAS to one thread; None where `threadpoolctl` is not installed."""
    try:
        from threadpoolctl import threadpool_limits
    except ImportError:
        return None
    return threadpool_limits(1)

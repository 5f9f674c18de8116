"""Timing: interleaved repeats, so that whatever slows the machine slows everyone.

In: callables.  Out: for each one its times, in seconds.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

LEAST = 5e-3  # seconds: shorter calls are timed several at once
MOST = 2.0  # seconds for all repeats of a call: longer ones are repeated less often


@dataclass(frozen=True)
class Times:
    """How long a call takes when it is warm, in seconds.

    Attributes:
        median: of all.
        low, high: the quartiles: half of the calls lie between them.
        repeats: how many were measured.
    """

    median: float
    low: float
    high: float
    repeats: int

    def __mul__(self, times: float) -> Times:
        return Times(self.median * times, self.low * times, self.high * times, self.repeats)


def measured(calls: Sequence[Callable[[], Any]], repeats: int) -> list[Times]:
    """The times of each call, in turn with the others."""
    warm = [min(seconds(call), seconds(call)) for call in calls]
    bursts = [max(1, int(LEAST / max(s, 1e-7))) for s in warm]
    rounds = [max(1, min(repeats, int(MOST / max(s * burst, 1e-9)))) for s, burst in zip(warm, bursts, strict=True)]
    times: list[list[float]] = [[] for _ in calls]
    for turn in range(repeats):
        for call, burst, found, most in zip(calls, bursts, times, rounds, strict=True):
            if turn < most:
                call()  # caches and sleeping threads are those of this one, not of the one before it
                found.append(seconds(call, burst))
    return [_summary(sorted(found)) for found in times]


def _summary(times: list[float]) -> Times:
    n = len(times)
    return Times(times[n // 2], times[n // 4], times[(3 * n) // 4], n)


def seconds(call: Callable[[], Any], burst: int = 1) -> float:
    """How long a call takes, of several the mean."""
    begin = time.perf_counter()
    for _ in range(burst):
        call()
    return (time.perf_counter() - begin) / burst

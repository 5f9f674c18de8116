"""How the phases of a call are shared among threads: by as many as pay.

In: what the phases take (`loops/work.py`), the extents of a call, the number of processors.  Out: a `Sharing`: how many
threads each phase uses.  The same extents and processors always give the same answer; so do the bits of the result, for
any number.

A phase is shared where what the others take over is clearly more than the hand-over: to publish it, and to wait for the
last at its end.  What needs memory more than arithmetic gains until the memory is busy, with few threads.  The price of
waking threads that sleep is `pool_ir.py`'s.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from symnet.loops.work import GroupWork, Work, WorkTerm
from symnet.runtime.extents import Dims, evaluate

HAND_OVER, HAND_OVER_EACH = 400.0, 100.0  # nanoseconds: of a phase, and for each of its threads
CLEARLY = 1.0  # a gain must be so many hand-overs
LESS = 0.9  # of the time with fewer threads, that more of them must stay below
LEAST_SHARE = 0.05  # of the whole call, that the gains of all phases must be
CACHE = 1 << 22  # bytes of arrays that a call finds where it left them
BYTE, BUSY = 0.04, 4  # nanoseconds of a byte from memory on one thread, and how many threads keep the memory busy
FOR_EVER, ALWAYS = 1 << 62, 1 << 40


class Sharing(NamedTuple):
    """How a call is shared.

    Attributes:
        threads: how many take part at most, the caller among them.
        pool: the size of the pool that they belong to.
        words: the groups of a job (`pool_ir.py`).
    """

    threads: int
    pool: int
    words: tuple[int, ...]


def everywhere(threads: int) -> Sharing | None:
    """Every phase on so many threads, as a caller asked for."""
    return Sharing(threads, threads, (1, FOR_EVER, threads, ALWAYS)) if threads > 1 else None


def sharing(work: Work, dims: Dims, processors: int) -> Sharing | None:
    """Each phase on as many threads as pay; None where all are to run on one."""
    if processors < 2 or not work.groups:
        return None
    extents = [evaluate(extent, dims) for extent in work.extents]
    groups = [(extents[group.repeat], _runs(group, extents)) for group in work.groups if extents[group.repeat] > 0]
    cold = sum(run.traffic * repeat for repeat, runs in groups for run in runs) > CACHE
    words: list[int] = []
    most, gained, total = 1, 0.0, 0.0
    for repeat, runs in groups:
        words += [len(runs), repeat]
        for run in runs:
            team, gain = run.team(processors, cold)
            words += [team, round(gain)]
            most, gained, total = max(most, team), gained + gain * repeat, total + run.time * repeat
    if most == 1 or gained < LEAST_SHARE * total:
        return None
    return Sharing(most, processors, (*words, 1, FOR_EVER, 1, 0))


class _Run(NamedTuple):
    """A phase with numbers for its extents; `traffic` is that of one repetition."""

    units: int
    time: float
    traffic: float

    def team(self, processors: int, cold: bool) -> tuple[int, float]:
        """How many threads, and the nanoseconds that they save."""
        alone = least = self._takes(1, cold)
        best = 1
        for threads in _sizes(min(processors, self.units)) if alone > HAND_OVER else ():
            hand_over = HAND_OVER + HAND_OVER_EACH * threads
            takes = self._takes(threads, cold) + hand_over
            if takes < LESS * least and alone - takes > CLEARLY * hand_over:
                best, least = threads, takes
        return best, alone - least

    def _takes(self, threads: int, cold: bool) -> float:
        """Nanoseconds on so many threads, without the hand-over."""
        largest = -(-self.units // threads)
        memory = BYTE * self.traffic / min(threads, BUSY) if cold else 0.0
        return max(self.time * largest / max(self.units, 1), memory)


def _sizes(most: int) -> Iterator[int]:
    """2, 4, 8, … and the most there can be."""
    size = 2
    while size < most:
        yield size
        size *= 2
    if most > 1:
        yield most


def _runs(group: GroupWork, extents: Sequence[int]) -> list[_Run]:
    repeat = extents[group.repeat]
    return [
        _Run(extents[phase.units], _sum(phase.time, extents), _sum(phase.traffic, extents) / repeat)
        for phase in group.phases
    ]


def _sum(terms: Sequence[WorkTerm], extents: Sequence[int]) -> float:
    return sum(term.factor * math.prod([extents[place] for place in term.extents]) for term in terms)

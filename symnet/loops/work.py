"""What the phases of a program take, as plain data: whoever calls it chooses by that how many threads pay.

In: built by `schedule/work.py`.  Out: kept with the machine code (`runtime/entry.py`), read by `runtime/sharing.py`.
"""

from __future__ import annotations

from typing import NamedTuple

from symnet.loops.integers import IntExpr


class WorkTerm(NamedTuple):
    """A number times the product of some extents, each by its place in `Work.extents`."""

    factor: float
    extents: tuple[int, ...]


class PhaseWork(NamedTuple):
    """One run of a phase.

    Attributes:
        units: how many units it has: the place of an extent.
        time: terms whose sum is about the nanoseconds that all of them take on one thread.
        traffic: terms whose sum is about the bytes of the caller's arrays that all runs of the phase touch.
    """

    units: int
    time: tuple[WorkTerm, ...]
    traffic: tuple[WorkTerm, ...]


class GroupWork(NamedTuple):
    """Phases that run in order, `repeat` times, the place of an extent."""

    phases: tuple[PhaseWork, ...]
    repeat: int


class Work(NamedTuple):
    """The groups of phases, and the extents that they speak of: each once, for they are worked out at a call."""

    extents: tuple[IntExpr, ...] = ()
    groups: tuple[GroupWork, ...] = ()

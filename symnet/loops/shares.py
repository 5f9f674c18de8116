"""Shares: tiles of rows given out to units, each a range of its own, whose lengths differ by one at most.

In: how many tiles and units there are.  Out: where a unit's range begins; whether a phase goes through tiles like that.
The first unit always has the first tile, and each has one at least, if there are as many.
"""

from __future__ import annotations

from symnet.loops.ir import For, IntConst, IntExpr, IntMin, IntVar, Phase, ceil_div
from symnet.loops.limits import int_max


def begin_of(unit: IntExpr, tiles: IntExpr, units: int) -> IntExpr:
    """The first tile of a unit, or of the one behind the last."""
    more = int_max(0, tiles - units)
    return unit + ceil_div(unit * more, units)


def length_of(unit: IntExpr, tiles: IntExpr, units: int) -> IntExpr:
    """How many tiles a unit has."""
    return begin_of(unit + 1, tiles, units) - begin_of(unit, tiles, units)


def shared(phase: Phase) -> tuple[For, IntExpr] | None:
    """The loop over the tiles of a unit, and how many tiles there are in all; None for a phase of another kind."""
    if len(phase.body) != 1 or not isinstance(phase.units, IntMin):
        return None
    (loop,), units, tiles = phase.body, phase.units.left, phase.units.right
    if not isinstance(loop, For) or not isinstance(units, IntConst):
        return None
    return (loop, tiles) if loop.extent == length_of(IntVar(phase.unit_var), tiles, units.value) else None

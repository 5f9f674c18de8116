"""Neighbouring axes of a sum that lie one after another in memory are one long axis.

before: y[i, j, l] = Σ over k of X[i, j, k]*W[k, l]            i in m, j in 11
after:  y.flat0[r, l] = Σ over k of X.flat0[r, k]*W[k, l]      r in 11*m

before: g[k, l] = Σ over i, j of X[i, j, k]*D[i, j, l]
after:  g[k, l] = Σ over r of X.flat0[r, k]*D.flat0[r, l]

In: a nest with an accumulator, restricted to the rows of a unit or not, a target.  Out: the nest with fewer axes.  Then
tiles of rows are full, and the chains of a sum as long as they may be, where a batch has short axes behind it: tokens,
heads, pixels.
Not handled: the axis of the lanes; nests that check, fetch or accumulate on a condition; results of a sum that goes on
over superblocks, whose roundings are kept in an array of their own; rows that are moved after they are scheduled, to
where a unit keeps its own (`spread.py`), as a view does not say how many of its elements are a row.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from typing import Literal

from symnet.loops.facts import gather
from symnet.loops.ir import Let, int_mul
from symnet.lower.nest import Axis, Nest
from symnet.schedule.access import substituted
from symnet.schedule.flat import FlatAccesses
from symnet.schedule.target import Target
from symnet.schedule.tile_shape import choose

AxisKind = Literal["parallel", "reduced"]


def with_long_axes(nest: Nest, target: Target, goes_on: bool) -> Nest:
    """The nest with neighbouring axes joined; `goes_on`: its sums go on over superblocks."""
    if nest.accumulator is None or not nest.is_ordinary or nest.is_empty or nest.halved:
        return nest
    kinds: tuple[AxisKind, ...] = ("reduced",) if goes_on else ("parallel", "reduced")
    for kind in kinds:
        if len(getattr(nest, kind)) > 1:
            nest = _joined(nest, kind, choose(nest, target).lane)
    return nest


def _joined(nest: Nest, kind: AxisKind, lane: Axis | None) -> Nest:
    """The nest with as few axes of a kind as can be."""
    axes: tuple[Axis, ...] = getattr(nest, kind)
    for outer, inner in permutations((a for a in axes if a is not lane), 2):
        rule = FlatAccesses(outer.var, inner.var, inner.extent)
        moved = substituted(nest, rule)
        if rule.holds and not _variables(moved) & {outer.var, inner.var}:
            long = Axis(rule.var, int_mul(outer.extent, inner.extent), outer.batch)
            rest = tuple(long if a is outer else a for a in axes if a is not inner)
            return _joined(
                replace(moved, parallel=rest) if kind == "parallel" else replace(moved, reduced=rest), kind, lane
            )
    return nest


def _variables(nest: Nest) -> set[str]:
    """The integer variables that the statements of a nest mention."""
    assert nest.accumulator is not None
    return gather((*nest.inner, Let("", nest.accumulator.value), *nest.outer)).variables

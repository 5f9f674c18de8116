"""Sums along the lanes: vectors are added up, and at the end of a row their lanes.

before: for i in m: s = Σ over j of A[i, j]*v[j];  y[i] = s
after:  for i_tile in m//4: for j in n (vector):  for i in 4 (unroll): cell[i] += A[i + 4*i_tile, j]*v[j];  …
        for i_tile in m % 4: …

In: a nest whose lane axis is reduced, or none, a target.  Out: loops.
Several rows are summed at once where they read the same elements of an operand, which is then loaded once for them.
Where the extent of the lanes is known at run time only, what is for many of them costs more than a short row takes; so
that rows of a few vectors have loops of their own: a row is cut and added up as if it were alone.  Where rows are
shorter than a vector, each is a lane (`short_rows.py`).  An epilogue that calls functions is a loop over the results,
so that these are vectors too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from symnet.loops.ir import (
    Body,
    Buffer,
    For,
    If,
    IntCondition,
    IntConst,
    IntVar,
    Let,
    Load,
    Store,
    as_int,
    int_floordiv,
    int_mod,
)  # fmt: skip
from symnet.lower.elementwise import functions_in
from symnet.lower.nest import Axis, Nest, around, bounded, nested
from symnet.schedule.access import CONTIGUOUS, INVARIANT, inner_loads, shifted, stores, stride
from symnet.schedule.partials import Carry, Cells, SumCut, accumulated, renewed, short_first
from symnet.schedule.register_tiles import is_apart, known_short, over_results, parted
from symnet.schedule.short_rows import rows_as_lanes, short_rows
from symnet.schedule.target import Target
from symnet.schedule.tile_shape import TileShape, accumulators

LIGHT = 4  # lets of a body that is written for several vectors at once
VECTORS_AT_ONCE = 4
SHORT = 2  # vectors of a row that has loops of its own


def across(nest: Nest, shape: TileShape, target: Target, carry: Carry | None) -> Body:
    """The loops of a nest whose lanes are reduced: each result is a sum over vectors, then over lanes."""
    lane = shape.lane
    last = [lane] if lane else []
    nest = replace(nest, reduced=(*(a for a in nest.reduced if a is not lane), *last))
    again: Body = ()
    if carry is None and nest.parallel and is_apart(nest):
        nest, again = parted(nest)
    acc = nest.accumulator
    assert acc is not None
    most = SHORT * target.lanes(acc.dtype) if target.masks else 0

    def rows(sizes: SumCut) -> Body:
        body = _Across(lane, target, carry, sizes).of(nest)
        return bounded(body, lane.var, most) if lane is not None and sizes.is_short else body

    sizes = _lanes(nest, target) if last else SumCut()
    body = short_first(nest, most, sizes, rows) if most and last else rows(sizes)
    if last and carry is None:
        body = _with_short_rows(nest, target, body)
    return (*body, *over_results(nest, _lane_of_results(nest), again)) if again else body


def _with_short_rows(nest: Nest, target: Target, body: Body) -> Body:
    """The loops of `short_rows.py` where rows are short enough, otherwise `body`."""
    found = rows_as_lanes(nest, target)
    if found is None:
        return body
    extent, short = nest.reduced[0].extent, short_rows(nest, found)
    return short if isinstance(extent, IntConst) else (If(IntCondition("le", extent, as_int(found.most)), short, body),)


def _lane_of_results(nest: Nest) -> Axis | None:
    """The axis along which results lie beside each other."""
    lanes = (a for a in reversed(nest.parallel) if all(stride(s, a.var) == CONTIGUOUS for s in stores(nest)))
    return next(lanes, None)


def _lanes(nest: Nest, target: Target) -> SumCut:
    """A short body is written for several vectors at once, each with its sum; a short sum is not cut for its lanes."""
    acc = nest.accumulator
    assert acc is not None
    light = len(nest.inner) <= LIGHT and not functions_in(nest.inner)
    vectors = VECTORS_AT_ONCE if light or known_short(nest) else 1
    return SumCut(lanes=target.lanes(acc.dtype) * vectors)


@dataclass(frozen=True)
class _Across:
    """How the rows of a nest are summed.

    Attributes:
        lane: the axis of lanes, the innermost reduced one.
        target: the machine.
        carry: for a sum that is continued over superblocks.
        sizes: how a sum is cut.
    """

    lane: Axis | None
    target: Target
    carry: Carry | None
    sizes: SumCut

    def of(self, nest: Nest) -> Body:
        """The loops over all rows."""
        row, mr = self._rows_at_once(nest)
        outside = [a for a in nest.parallel if a is not row]
        body = self._rows(nest, None, 1) if row is None else self._tiled(nest, row, mr)
        after = renewed(nest, self.carry, self.sizes, lambda s: over_results(nest, None, s))
        return (*around(outside, body), *after)

    def _rows_at_once(self, nest: Nest) -> tuple[Axis | None, int]:
        """An axis along which an operand stays the same, and of how many of its elements the sums are made at once,
        each of which has several accumulators.
        """
        if self.lane is None or self.sizes.lanes == 1 or functions_in(nest.inner):
            return None, 1
        mr = max(accumulators(self.target) // 6, 2)
        loads = inner_loads(nest)
        for axis in reversed(nest.parallel):
            kinds = {stride(x, axis.var) for x in loads}
            if INVARIANT in kinds and len(kinds) > 1 and (axis.constant is None or axis.constant >= mr):
                return axis, mr
        return None, 1

    def _tiled(self, nest: Nest, row: Axis, mr: int) -> Body:
        """Tiles of mr rows, then the rest one by one."""
        tile = IntVar(f"{row.var}_tile")
        count, rest = int_floordiv(row.extent, mr), int_mod(row.extent, mr)
        whole = self._rows(shifted(nest, row, tile * mr, IntConst(mr)), row, mr)
        single = self._rows(shifted(nest, row, tile + count * mr, IntConst(1)), row, 1)
        return tuple(For(tile.name, n, b) for n, b in ((count, whole), (rest, single)) if n != IntConst(0))

    def _rows(self, nest: Nest, row: Axis | None, mr: int) -> Body:
        """The sums of mr rows; `row` counts from 0 within them."""
        acc = nest.accumulator
        assert acc is not None
        cell = Buffer(f"{acc.name}_cell", acc.dtype, (as_int(mr),), "register")
        at = (as_int(0) if row is None else IntVar(row.var),)
        unrolled = [] if row is None else [Axis(row.var, as_int(mr))]
        unroll = ["unroll"] * len(unrolled)

        def over_rows(statements: Body) -> Body:
            return nested(unrolled, statements, unroll)

        def chain(part: Nest, into: Buffer) -> Body:
            assert part.accumulator is not None
            kinds = ["serial"] * len(part.reduced)
            if self.lane is not None:
                kinds[-1:] = ["vector"]
            statements = (*part.inner, Store(into, at, part.accumulator.value, acc.combine))
            return nested((*part.reduced, *unrolled), statements, [*kinds, *unroll])

        body = accumulated(nest, Cells(cell, at, over_rows), chain, self.carry, self.sizes)
        if self.carry is not None:
            return body
        return (*body, *over_rows((Let(acc.name, Load(cell, at)), *nest.outer)))

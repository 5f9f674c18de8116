"""A nest becomes scheduled loops: vector loops, over accumulators that stay in registers where it reduces.

In: a nest whose axes may have been restricted to a range, and a target.  Out: scheduled loops.

Three shapes:
- *map* (no reduction): the lane axis becomes a vector loop, the others stay loops.
- *tile* (the lane axis is parallel): mr rows × nr vectors of accumulators, the reduced axes inside, so that a vector
  of one operand serves mr rows and an element of the other serves nr vectors (a GEMM microkernel; mr = 1 for sums):
  `register_tiles.py`.
- *across* (the lane axis is reduced): lanes are added up at the end of each row.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from symnet.loops.ir import (
    Body,
    Buffer,
    Const,
    For,
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
from symnet.lower.nest import Axis, Nest, accumulated_when, around, fetched, mapped, naive_body, nested
from symnet.schedule.access import INVARIANT, inner_loads, shifted, stores, stride
from symnet.schedule.partials import Carry, Cells, SumCut, accumulated, renewed
from symnet.schedule.register_tiles import known_short, over_results, tiles
from symnet.schedule.target import Target
from symnet.schedule.tile_shape import TileShape, accumulators, choose
from symnet.schedule.turned import turned

LIGHT = 4  # lets of a body that is written for several vectors at once
VECTORS_AT_ONCE = 4


def scheduled(nest: Nest, target: Target, carry: Carry | None = None) -> Body:
    """The loops of a nest; of one that is accumulated on a condition, those of the rest where it holds nowhere.

    Args:
        nest: what to compute.
        target: the machine.
        carry: for a reduction continued over superblocks; such a nest stores its bare accumulator.
    """
    if nest.when and not nest.is_empty:
        plain, rest = replace(nest, when=()), _rest(nest, carry)
        axes, kinds = _map_loops(rest, choose(rest, target))
        return accumulated_when(
            nest,
            lambda body: nested(axes, body, kinds),
            scheduled(plain, target, carry),
            nested(axes, rest.outer, kinds),
        )
    if nest.kernel is not None or nest.is_empty:
        return naive_body(nest)
    if nest.instead:
        again = tuple(s for n in nest.instead for s in scheduled(n, target))
        return fetched(nest, scheduled(replace(nest, instead=()), target), again)
    shape = choose(nest, target)
    if nest.accumulator is None:
        return _map(nest, shape, target)
    if shape.lane is None or shape.lane in nest.reduced:
        return _across(nest, shape, target, carry)
    return tiles(nest, shape, target, carry)


def _rest(nest: Nest, carry: Carry | None) -> Nest:
    """What is stored where nothing is accumulated."""
    acc = nest.accumulator
    assert acc is not None
    outer: Body = (Let(acc.name, Const(acc.initial, acc.dtype)), *nest.outer)
    if carry is not None and carry.low is not None:
        (target,) = stores(nest)
        outer = (*outer, Store(carry.low, target.index, Const(0.0, carry.low.dtype)))
    return Nest(nest.name, nest.parallel, outer)


def _map(nest: Nest, shape: TileShape, target: Target) -> Body:
    squares = turned(nest, shape.lane, target) if shape.lane is not None else None
    if squares is not None:
        return squares
    axes, kinds = _map_loops(nest, shape)
    return mapped(nest, axes, kinds)


def _map_loops(nest: Nest, shape: TileShape) -> tuple[list[Axis], list[str]]:
    """The parallel axes, the lanes innermost, and the kinds of their loops."""
    lane = shape.lane
    if lane is None:
        return [], []
    axes = [*(a for a in nest.parallel if a is not lane), lane]
    return axes, ["serial"] * (len(axes) - 1) + ["vector"]


def _lanes_across(nest: Nest, target: Target) -> SumCut:
    """A short body is written for several vectors at once, each with its sum; a short sum is not cut for its lanes."""
    acc = nest.accumulator
    assert acc is not None
    light = len(nest.inner) <= LIGHT and not functions_in(nest.inner)
    vectors = VECTORS_AT_ONCE if light or known_short(nest) else 1
    return SumCut(lanes=target.lanes(acc.dtype) * vectors)


def _across(nest: Nest, shape: TileShape, target: Target, carry: Carry | None) -> Body:
    """Lanes along the reduction: each result is a sum over vectors, then over lanes; of several rows at once where
    these read the same elements of an operand.
    """
    acc = nest.accumulator
    assert acc is not None
    last = [shape.lane] if shape.lane else []
    nest = replace(nest, reduced=(*(a for a in nest.reduced if a is not shape.lane), *last))
    sizes = _lanes_across(nest, target) if last else SumCut()
    row, mr = _rows_at_once(nest, shape, sizes, target)
    rows = _Rows(carry, sizes, "vector" if last else "serial")
    if row is None:
        body = rows.of(nest, None, 1)
    else:
        count, rest = int_floordiv(row.extent, mr), int_mod(row.extent, mr)
        tile = IntVar(f"{row.var}_tile")
        whole = rows.of(shifted(nest, row, tile * mr, IntConst(mr)), row, mr)
        single = rows.of(shifted(nest, row, tile + count * mr, IntConst(1)), row, 1)
        loops = [For(tile.name, n, b) for n, b in ((count, whole), (rest, single)) if n != IntConst(0)]
        body = tuple(loops)
    outside = [a for a in nest.parallel if a is not row]
    return (*around(outside, body), *renewed(nest, carry, sizes, lambda s: over_results(nest, None, s)))


def _rows_at_once(nest: Nest, shape: TileShape, sizes: SumCut, target: Target) -> tuple[Axis | None, int]:
    """An axis along which an operand stays the same, and of how many of its elements the sums are made at once: every
    sum has several accumulators.
    """
    if shape.lane is None or functions_in(nest.inner) or sizes.lanes == 1:
        return None, 1
    mr = max(accumulators(target) // 6, 2)
    loads = inner_loads(nest)
    for axis in reversed(nest.parallel):
        kinds = {stride(x, axis.var) for x in loads}
        if INVARIANT in kinds and len(kinds) > 1 and (axis.constant is None or axis.constant >= mr):
            return axis, mr
    return None, 1


@dataclass(frozen=True)
class _Rows:
    """Writes the sums of some rows: of one, or of several beside each other."""

    carry: Carry | None
    sizes: SumCut
    kind: str  # of the innermost reduced loop

    def of(self, nest: Nest, row: Axis | None, mr: int) -> Body:
        """The sums of mr rows; `row` counts from 0 within them."""
        acc = nest.accumulator
        assert acc is not None
        cell = Buffer(f"{acc.name}_cell", acc.dtype, (as_int(mr),), "register")
        at = (as_int(0) if row is None else IntVar(row.var),)
        unrolled = [] if row is None else [Axis(row.var, as_int(mr))]

        def over_rows(statements: Body) -> Body:
            return nested(unrolled, statements, ["unroll"] * len(unrolled))

        def chain(part: Nest, into: Buffer) -> Body:
            assert part.accumulator is not None
            kinds = ["serial"] * (len(part.reduced) - 1) + [self.kind] * bool(part.reduced)
            statements = (*part.inner, Store(into, at, part.accumulator.value, acc.combine))
            return nested((*part.reduced, *unrolled), statements, [*kinds, *["unroll"] * len(unrolled)])

        body = accumulated(nest, Cells(cell, at, over_rows), chain, self.carry, self.sizes)
        if self.carry is not None:
            return body
        return (*body, *over_rows((Let(acc.name, Load(cell, at)), *nest.outer)))

"""A nest becomes scheduled loops: vector loops, over accumulators that stay in registers where it reduces.

In: a nest whose axes may have been restricted to a range, and a target.  Out: scheduled loops.

Three shapes:
- *map* (no reduction): the lane axis becomes a vector loop, the others stay loops.
- *tile* (the lane axis is parallel): mr rows × nr vectors of accumulators, the reduced axes inside, so that a vector
  of one operand serves mr rows and an element of the other serves nr vectors (a GEMM microkernel; mr = 1 for sums):
  `register_tiles.py`; long sums of many columns wait in the cache: `down.py`.
- *across* (the lane axis is reduced): lanes are added up at the end of each row: `across.py`.
"""

from __future__ import annotations

from dataclasses import replace

from symnet.loops.ir import Body, Const, Let, Store
from symnet.lower.nest import Axis, Nest, accumulated_when, fetched, mapped, naive_body, nested
from symnet.schedule.access import stores
from symnet.schedule.across import across
from symnet.schedule.beside import side_by_side
from symnet.schedule.partials import Carry
from symnet.schedule.register_tiles import tiles
from symnet.schedule.target import Target
from symnet.schedule.tile_shape import TileShape, choose
from symnet.schedule.turned import turned


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
    if nest.beside is not None and not nest.is_empty and (target.masks if nest.beside.turned else target.vector_bits):
        return side_by_side(nest)
    if nest.kernel is not None or nest.is_empty:
        return naive_body(nest)
    if nest.instead:
        again = tuple(s for n in nest.instead for s in scheduled(n, target))
        return fetched(nest, scheduled(replace(nest, instead=()), target), again)
    shape = choose(nest, target)
    if nest.accumulator is None:
        return _map(nest, shape, target)
    if shape.lane is None or shape.lane in nest.reduced:
        return across(nest, shape, target, carry)
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

"""Register tiles: one nest as vector loops over accumulators that stay in registers.

In: a nest whose axes may have been restricted to a range, and a target.  Out: scheduled loops.

Three shapes:
- *map* (no reduction): the lane axis becomes a vector loop, the others stay loops.
- *tile* (the lane axis is parallel): mr rows × nr vectors of accumulators, the reduced axes inside, so that a vector
  of one operand serves mr rows and an element of the other serves nr vectors (a GEMM microkernel; mr = 1 for sums).
- *across* (the lane axis is reduced): lanes are added up at the end of each row.

Names: mr, nr as in BLIS (van Zee and van de Geijn, "BLIS: A Framework for Rapidly Instantiating BLAS
Functionality", 2015): the rows and columns of the register tile.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from symnet.loops.ir import (
    Body,
    Buffer,
    Const,
    For,
    If,
    IntCondition,
    IntConst,
    IntExpr,
    IntVar,
    Let,
    Load,
    Stmt,
    Store,
    as_int,
    int_floordiv,
    int_mod,
)  # fmt: skip
from symnet.loops.limits import limit
from symnet.loops.substitute import Substitution, int_variables
from symnet.lower.elementwise import TRANSCENDENTAL
from symnet.lower.nest import Axis, Nest, accumulated_when, around, fetched, mapped, naive_body, nested
from symnet.schedule.access import CONTIGUOUS, INVARIANT, STRIDED, inner_loads, outer_loads, stores, stride, substituted
from symnet.schedule.partials import PANEL_CUT, Carry, Cells, SumCut, accumulated
from symnet.schedule.target import Target

MAX_SPARE = 8  # registers kept free for operands


@dataclass(frozen=True)
class TileShape:
    """A chosen shape: the lane axis, and the row axis with its tile when there is one."""

    lane: Axis | None
    row: Axis | None = None
    mr: int = 1


LONGEST = 2048  # points of a reduction that is short
LIGHT = 4  # lets of a body that is written for several vectors at once
VECTORS_AT_ONCE = 4
LONG = 32  # elements of an axis that is long enough to be cut into rows


def choose(nest: Nest, target: Target) -> TileShape:
    """The lane axis (contiguous or invariant in every access, longest first) and the row axis; of a kernel none, nor
    of what stores nothing.
    """
    if nest.kernel is not None or nest.is_empty:
        return TileShape(None)
    lane = _lane_axis(nest)
    if nest.accumulator is None or lane is None or lane in nest.reduced:
        return TileShape(lane)
    row = _row_axis(nest, lane)
    if row is None:
        return TileShape(lane)
    vectors = _vectors(lane, target, nest.accumulator.dtype)
    return TileShape(lane, row, _rows(vectors, target))


def _lane_axis(nest: Nest) -> Axis | None:
    candidates = [a for a in nest.parallel if _strided(nest, a, everything=True) == 0]
    if candidates:
        last = [a for a in candidates if any(stride(s.index, a.var) == CONTIGUOUS for s in stores(nest))]
        return max(last or candidates, key=_length)
    inside = [a for a in nest.reduced if _strided(nest, a, everything=False) == 0]
    if inside:
        return max(inside, key=_length)
    return min(nest.axes, key=lambda a: (_jumps(nest, a), -_length(a))) if nest.axes else None


def _jumps(nest: Nest, axis: Axis) -> int:
    """Strided accesses along an axis; a store counts twice, since lanes that are scattered leave no line full."""
    if axis not in nest.parallel:
        return _strided(nest, axis, everything=False)
    scattered = [stride(s.index, axis.var) for s in stores(nest)].count(STRIDED)
    return _strided(nest, axis, everything=True) + scattered


def _length(axis: Axis) -> int:
    return 10**6 if axis.constant is None else axis.constant


def _strided(nest: Nest, axis: Axis, everything: bool) -> int:
    touched = [x.index for x in inner_loads(nest)]
    if everything:
        touched += [x.index for x in outer_loads(nest)] + [x.index for x in stores(nest)]
    return [stride(index, axis.var) for index in touched].count(STRIDED)


def _row_axis(nest: Nest, lane: Axis) -> Axis | None:
    """A parallel axis that some operand does not depend on: its elements serve every row of the tile.

    Of those that are long enough, one whose rows lie side by side in an operand: they come in one cache line.
    """
    others = [a for a in nest.parallel if a is not lane]
    loads = inner_loads(nest)
    reused = [a for a in others if any(stride(x.index, a.var) == INVARIANT for x in loads)]
    beside = {a.var for a in reused if any(stride(x.index, a.var) == CONTIGUOUS for x in loads)}
    return max(reused, key=lambda a: (min(_length(a), LONG), a.var in beside, _length(a))) if reused else None


def _vectors(lane: Axis, target: Target, dtype: str) -> int:
    width = target.lanes(dtype)
    return 8 if lane.constant is None else -(-lane.constant // width)


def accumulators(target: Target) -> int:
    """How many vector registers a tile may fill with accumulators."""
    return max(target.registers - MAX_SPARE, 4)


def _rows(vectors: int, target: Target) -> int:
    """mr: powers of two, so that tiles divide a superblock."""
    room = accumulators(target)
    nr = min(vectors, 3 if room >= 24 else 2)
    mr = 1
    while mr * 2 * nr <= room:
        mr *= 2
    return mr


def tile_widths(extent: int | None, target: Target, dtype: str, mr: int) -> list[int]:
    """Lanes of each column tile: as many full vectors as the registers hold, evenly divided."""
    width = target.lanes(dtype)
    most = max(accumulators(target) // mr, 1)
    if extent is None:
        return [min(most, 4) * width]
    vectors = -(-extent // width)
    tiles = max(-(-vectors // most), 1)
    counts = [vectors // tiles + (k < vectors % tiles) for k in range(tiles)]
    widths = [c * width for c in counts]
    widths[-1] -= vectors * width - extent
    return widths


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
        return _map(nest, shape)
    if shape.lane is None or shape.lane in nest.reduced:
        return _across(nest, shape, target, carry)
    return _tiles(nest, shape, target, carry)


def _rest(nest: Nest, carry: Carry | None) -> Nest:
    """What is stored where nothing is accumulated."""
    acc = nest.accumulator
    assert acc is not None
    outer: Body = (Let(acc.name, Const(acc.initial, acc.dtype)), *nest.outer)
    if carry is not None and carry.low is not None:
        (target,) = stores(nest)
        outer = (*outer, Store(carry.low, target.index, Const(0.0, carry.low.dtype)))
    return Nest(nest.name, nest.parallel, outer)


def _map(nest: Nest, shape: TileShape) -> Body:
    axes, kinds = _map_loops(nest, shape)
    return mapped(nest, axes, kinds)


def _map_loops(nest: Nest, shape: TileShape) -> tuple[list[Axis], list[str]]:
    """The parallel axes, the lanes innermost, and the kinds of their loops."""
    lane = shape.lane
    if lane is None:
        return [], []
    axes = [*(a for a in nest.parallel if a is not lane), lane]
    return axes, ["serial"] * (len(axes) - 1) + ["vector"]


def _known_short(nest: Nest) -> bool:
    """Whether few points are reduced, as far as is known now."""
    return math.prod(LONGEST + 1 if a.constant is None else a.constant for a in nest.reduced) <= LONGEST


def _is_panel(nest: Nest) -> bool:
    """Whether a product is over inner axes of known, short extents: not over the rows of all that it reads."""
    rows = [a for a in nest.reduced if all(_is_leading(x.index, a.var) for x in inner_loads(nest))]
    return not rows and _known_short(nest)


def _is_leading(index: tuple[IntExpr, ...], var: str) -> bool:
    return all(var not in int_variables(i) for i in index[1:])


def _lanes_across(nest: Nest, target: Target) -> SumCut:
    """A short body is written for several vectors at once, each with its sum; a short sum is not cut for its lanes."""
    acc = nest.accumulator
    assert acc is not None
    light = len(nest.inner) <= LIGHT and not any(getattr(x.value, "name", "") in TRANSCENDENTAL for x in nest.inner)
    vectors = VECTORS_AT_ONCE if light or _known_short(nest) else 1
    return SumCut(lanes=target.lanes(acc.dtype) * vectors)


def _across(nest: Nest, shape: TileShape, target: Target, carry: Carry | None) -> Body:
    """Lanes along the reduction: each result is a sum over vectors, then over lanes."""
    acc = nest.accumulator
    assert acc is not None
    cell = Buffer(f"{acc.name}_cell", acc.dtype, (as_int(1),), "register")
    zero = (as_int(0),)
    last = [shape.lane] if shape.lane else []
    nest = replace(nest, reduced=(*(a for a in nest.reduced if a is not shape.lane), *last))

    def chain(part: Nest, into: Buffer) -> Body:
        assert part.accumulator is not None
        kinds = ["serial"] * (len(part.reduced) - 1) + ["vector"] if last else None
        return nested(part.reduced, (*part.inner, Store(into, zero, part.accumulator.value, acc.combine)), kinds)

    cells = Cells(cell, zero, over=lambda statements: statements, through=lambda statements: statements)
    body = accumulated(nest, cells, chain, carry, _lanes_across(nest, target) if last else SumCut())
    if carry is None:
        body = (*body, Let(acc.name, Load(cell, zero)), *nest.outer)
    return around(nest.parallel, body)


# --------------------------------------------------------------------------- tiles


def _tiles(nest: Nest, shape: TileShape, target: Target, carry: Carry | None) -> Body:
    """Column tiles outermost (their operand panel is reused by every row tile), then row tiles."""
    acc, lane = nest.accumulator, shape.lane
    assert acc is not None and lane is not None
    body: list[Stmt] = []
    if lane.constant is None:
        body += _symbolic_columns(nest, shape, target, carry)
    else:
        offset, beside = 0, 0
        for run, width in _runs(tile_widths(lane.constant, target, acc.dtype, shape.mr)):
            tile = f"{lane.var}_tile"
            start = IntVar(tile) * width + offset if run > 1 else as_int(offset)
            inside = _rows_of(_shifted(nest, lane, start, IntConst(width)), shape, width, carry, beside)
            body += [For(tile, as_int(run), inside)] if run > 1 else inside
            offset, beside = offset + run * width, beside + (run == 1)
    others = [a for a in nest.parallel if a is not lane and a is not shape.row]
    result: Body = tuple(body)
    for axis in reversed(others):
        result = (For(axis.var, axis.extent, result),)
    return result


def _runs(widths: Sequence[int]) -> list[tuple[int, int]]:
    """Equal neighbours counted: [(how many, width)]."""
    runs: list[tuple[int, int]] = []
    for width in widths:
        if runs and runs[-1][1] == width:
            runs[-1] = (runs[-1][0] + 1, width)
        else:
            runs.append((1, width))
    return runs


def _symbolic_columns(nest: Nest, shape: TileShape, target: Target, carry: Carry | None) -> list[Stmt]:
    acc, lane = nest.accumulator, shape.lane
    assert acc is not None and lane is not None
    width = tile_widths(None, target, acc.dtype, shape.mr)[0]
    tile = f"{lane.var}_tile"
    whole = _rows_of(_shifted(nest, lane, IntVar(tile) * width, IntConst(width)), shape, width, carry)
    rest = int_mod(lane.extent, width)
    start = int_floordiv(lane.extent, width) * width
    tail = _rows_of(_shifted(nest, lane, start, rest), shape, width, carry)
    guard = If(IntCondition("gt", rest, IntConst(0)), tuple(tail))
    return [For(tile, int_floordiv(lane.extent, width), tuple(whole)), guard]


def _shifted(nest: Nest, axis: Axis, start: IntExpr, extent: IntExpr) -> Nest:
    """The nest over start … start + extent of one axis."""
    moved = substituted(nest, Substitution({axis.var: IntVar(axis.var) + start}))
    swap = {axis.var: replace(axis, extent=extent)}
    return replace(moved, parallel=tuple(swap.get(a.var, a) for a in nest.parallel))


def _rows_of(nest: Nest, shape: TileShape, width: int, carry: Carry | None, beside: int = 0) -> Body:
    """Row tiles of mr rows, then the rest one by one; without rows, one tile beside so many others in its scope."""
    row, mr = shape.row, shape.mr
    lane = next(a for a in nest.parallel if shape.lane is not None and a.var == shape.lane.var)
    if row is None:
        return _register_tile(nest, lane, None, 1, width, carry, beside)
    most = limit(row.extent)
    if most is not None:
        mr = min(mr, max(most, 1))
    tile = f"{row.var}_tile"
    count, rest = int_floordiv(row.extent, mr), int_mod(row.extent, mr)
    body: list[Stmt] = []
    if count != IntConst(0):
        whole = _shifted(nest, row, IntVar(tile) * mr, IntConst(mr))
        body.append(For(tile, count, _register_tile(whole, lane, row, mr, width, carry)))
    if rest != IntConst(0):
        single = _shifted(nest, row, count * mr + IntVar(tile), IntConst(1))
        body.append(For(tile, rest, _register_tile(single, lane, row, 1, width, carry)))
    return tuple(body)


def _register_tile(
    nest: Nest, lane: Axis, row: Axis | None, mr: int, width: int, carry: Carry | None, beside: int = 0
) -> Body:
    """The reduced loops inside: vectors of the lane operand, each serving mr rows.

    Row by row, all vectors of a row after another, so that beside the accumulators one element of the other operand is
    held and not mr of them, for which the registers would not last.  Where the number of lanes is known at run time
    only, each vector stands under a condition, and all rows stand inside it.
    """
    acc = nest.accumulator
    assert acc is not None
    cell = Buffer(f"{acc.name}_tile{beside or ''}", acc.dtype, (as_int(mr), as_int(width)), "register")
    row_index = IntVar(row.var) if row is not None else as_int(0)
    at = (row_index, IntVar(lane.var))

    def over_tile(statements: Body) -> Body:
        inside = (For(row.var, as_int(mr), statements, "unroll"),) if row is not None else statements
        return (For(lane.var, lane.extent, inside, "vector", bound=width),)

    def through_tile(statements: Body) -> Body:
        lanes = (For(lane.var, lane.extent, statements, "vector", bound=width),)
        return lanes if row is None else (For(row.var, as_int(mr), lanes, "serial" if mr > 1 else "unroll"),)

    def chain(part: Nest, into: Buffer) -> Body:
        assert part.accumulator is not None
        inside = [(lane, "vector")]
        if row is not None:
            inside.insert(0 if lane.constant is not None else 1, (Axis(row.var, as_int(mr)), "unroll"))
        axes, kinds = zip(*((axis, "serial") for axis in part.reduced), *inside, strict=True)
        loops = nested(axes, (*part.inner, Store(into, at, part.accumulator.value, acc.combine)), kinds)
        return _bounded(loops, lane.var, width)

    sizes = PANEL_CUT if mr > 1 and _is_panel(nest) else SumCut()
    body = accumulated(nest, Cells(cell, at, over_tile, through_tile), chain, carry, sizes)
    return body if carry is not None else (*body, *_finish(nest, lane, row, mr, width, at, cell))


def _bounded(body: Body, var: str, bound: int) -> Body:
    """Tell the vector loop over `var` how long it can be."""
    out: list[Stmt] = []
    for stmt in body:
        if isinstance(stmt, For):
            stmt = replace(stmt, body=_bounded(stmt.body, var, bound), bound=bound if stmt.var == var else stmt.bound)
        out.append(stmt)
    return tuple(out)


def _finish(
    nest: Nest, lane: Axis, row: Axis | None, mr: int, width: int, at: tuple[IntExpr, ...], cell: Buffer
) -> Body:
    """The epilogue.  A long one runs over the rows as a loop, from memory, so that its code stands once."""
    acc = nest.accumulator
    assert acc is not None
    long = any(isinstance(s, Let) and getattr(s.value, "name", "") in TRANSCENDENTAL for s in nest.outer)
    (target,) = stores(nest)
    if not long or mr == 1 or row is None or target.buffer.dtype != acc.dtype:
        return _over(lane, row, mr, width, (Let(acc.name, Load(cell, at)), *nest.outer), "unroll")
    raw = Store(target.buffer, target.index, Load(cell, at))
    again: tuple[Stmt, ...] = (Let(acc.name, Load(target.buffer, target.index)), *nest.outer)
    rows = For(row.var, as_int(mr), (For(lane.var, lane.extent, again, "vector", bound=width),))
    return (*_over(lane, row, mr, width, (raw,), "unroll"), rows)


def _over(lane: Axis, row: Axis | None, mr: int, width: int, statements: tuple[Stmt, ...], kind: str) -> Body:
    """The statements, written out for every row of the tile, around a vector loop; lets that need the row alone stand
    outside the lanes.
    """
    axes = [Axis(row.var, as_int(mr))] if row is not None else []
    axes.append(lane)
    return _bounded(nested(axes, statements, [kind] * (len(axes) - 1) + ["vector"]), lane.var, width)

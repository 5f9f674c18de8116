"""Register tiles: a reduction over rows × vectors of accumulators.

before: for i in 64: for k in 128: s = Σ over j of a[i, j]*b[j, k];  c[i, k] = tanh(s)
after:  for each column tile of 2 vectors:
          for each row tile of 8 rows:  16 vectors of sums, and then c[tile] = the sums
          for each row that is left:    2 vectors of sums, and then c[row] = the sums
        for i in 64: for k in 128 (vector): c[i, k] = tanh(c[i, k])

In: a nest, its `TileShape`, a target.  Out: loops.
Column tiles stand outermost (their operand panel is reused by every row tile), then row tiles.  A long sum goes by
parts: all tiles for 128 of its terms, stored where the results belong, then all for the next, so that panels stay in
the nearest cache; meanwhile the next panel is asked for.  Sums over rows go chain by chain (`kept_sums.py`).  What is
long and needs memory alone follows all tiles as loops of its own, so that its code stands once: an epilogue that calls
functions, and what adds the sum of a superblock to those before.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from symnet.dtypes import ITEMSIZE
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
    Prefetch,
    Stmt,
    Store,
    Var,
    as_int,
    int_floordiv,
    int_mod,
)  # fmt: skip
from symnet.loops.limits import int_max, limit
from symnet.loops.substitute import Substitution, int_variables
from symnet.lower.elementwise import functions_in
from symnet.lower.nest import Axis, Nest, bounded, nested
from symnet.schedule.access import (
    CONTIGUOUS,
    INVARIANT,
    STRIDED,
    array_bytes,
    inner_loads,
    outer_loads,
    shifted,
    stores,
    stride,
)  # fmt: skip
from symnet.schedule.down import Down, past_the_cache
from symnet.schedule.kept_sums import KEPT_CUT, KeptSums, kept_sums, one_chain
from symnet.schedule.panels import Panel, in_panels
from symnet.schedule.partials import (
    CHAIN,
    PANEL_CUT,
    Carry,
    Cells,
    SumCut,
    accumulated,
    chained,
    is_rounded,
    renewed,
    short_first,
)
from symnet.schedule.target import Target
from symnet.schedule.tile_shape import TileShape, tile_widths

LONGEST = 2048  # points of a reduction that is short
FEWER_ROWS = 4  # of a tile for what tiles of more leave
LINE, NEAR = 64, 1 << 17  # bytes that come from memory together; of an array that surely stays in a near cache


def tiles(nest: Nest, shape: TileShape, target: Target, carry: Carry | None) -> Body:
    """The loops of a nest whose lanes are parallel."""
    lane = shape.lane
    assert lane is not None
    sizes = PANEL_CUT if shape.mr > 1 and not any(a.batch for a in nest.reduced) and known_short(nest) else SumCut()
    kept = None if sizes is PANEL_CUT else kept_sums(nest, shape, target, carry)
    if kept is not None:
        return _Tiling(shape, lane, target, carry, KEPT_CUT, kept=kept).all_tiles(nest)
    few = _by_parts_if(nest, shape, target, sizes, carry)
    again: Body = ()
    if carry is None and (few is True or is_apart(nest)):
        nest, again = parted(nest)

    is_large = past_the_cache(nest, shape, target)

    def whole(sizes: SumCut) -> Body:
        body = _Tiling(shape, lane, target, carry, sizes).all_tiles(nest)
        if is_large is not None and not sizes.is_short:
            body = (If(is_large, Down(lane, target, carry, sizes).panels(nest), body),)
        return (*body, *renewed(nest, carry, sizes, lambda body: over_results(nest, lane, body)))

    if few is None:
        body = short_first(nest, sizes.chain, sizes, whole)
    else:
        body = _Tiling(shape, lane, target, carry, PANEL_CUT).part_by_part(nest)
        body = body if few is True else (If(few, body, whole(sizes)),)
    return (*body, *over_results(nest, lane, again)) if again else body


def _by_parts_if(
    nest: Nest, shape: TileShape, target: Target, sizes: SumCut, carry: Carry | None
) -> IntCondition | Literal[True] | None:
    """Whether, or when, all tiles are worked on for one part of the sum after another, so that what several rows read
    stays in the cache: the sums wait where the results are stored.  None for never, as where they are one vector wide.
    """
    acc, lane, others = nest.accumulator, shape.lane, [a for a in nest.parallel if a not in (shape.lane, shape.row)]
    assert acc is not None and lane is not None
    if lane.constant is not None and lane.constant <= target.lanes(acc.dtype):
        return None
    if carry is not None or shape.row is None or others or not is_rounded(nest) or len(nest.reduced) != 1:
        return None
    if [s.buffer.dtype for s in stores(nest)] != [acc.dtype] or _updates(nest):
        return None
    (axis,) = nest.reduced
    if axis.constant is not None:
        return True if sizes is PANEL_CUT and axis.constant > sizes.chain else None
    if limit(axis.extent) is not None or parted(nest)[1] or axis.batch:
        return None
    return IntCondition("le", axis.extent, IntConst(LONGEST))


def is_apart(nest: Nest) -> bool:
    """Whether the epilogue of a sum is a loop of its own: it calls functions, and what it stores can hold the sum."""
    acc = nest.accumulator
    assert acc is not None
    return bool(functions_in(nest.outer)) and [s.buffer.dtype for s in stores(nest)] == [acc.dtype]


def _updates(nest: Nest) -> bool:
    """Whether a result may be an update of an input, in whose place it may have to be computed: W − s·XᵀD."""
    (store,) = stores(nest)
    kind = store.buffer.dtype, store.buffer.shape
    inputs = (x.buffer for x in outer_loads(nest) if x.buffer.space == "input")
    return store.buffer.space == "output" and any((b.dtype, b.shape) == kind for b in inputs)


def parted(nest: Nest) -> tuple[Nest, Body]:
    """The nest that stores its sum alone, and the statements that read it again and store what they make of it."""
    acc = nest.accumulator
    assert acc is not None
    (store,) = stores(nest)
    raw = Store(store.buffer, store.index, Var(acc.name, acc.dtype))
    if nest.outer == (raw,):
        return nest, ()
    return replace(nest, outer=(raw,)), (Let(acc.name, Load(store.buffer, store.index)), *nest.outer)


def known_short(nest: Nest) -> bool:
    """Whether few points are reduced, as far as is known now."""
    return math.prod(LONGEST + 1 if a.constant is None else a.constant for a in nest.reduced) <= LONGEST


def over_results(nest: Nest, lane: Axis | None, statements: Body) -> Body:
    """Loops over all that a nest stores, around statements that touch memory alone."""
    axes = nest.parallel if lane is None else (*(a for a in nest.parallel if a is not lane), lane)
    return nested(axes, statements, ["serial"] * (len(axes) - 1) + ["vector"] if axes else None)


def cleared(nest: Nest) -> Body:
    """The statements that store what a reduction over no rows gives: the first value of its accumulator."""
    acc = nest.accumulator
    if acc is None:
        return ()  # a kernel adds to what another nest begins with
    (store,) = stores(nest)
    return over_results(nest, None, (Store(store.buffer, store.index, Const(acc.initial, acc.dtype)),))


@dataclass(frozen=True)
class _Tiling:
    """How a nest is cut: its shape, the axis of lanes, how its sums are cut and go on; the part of a sum that it is,
    the panel that it reads, and how its sums are kept.
    """

    shape: TileShape
    lane: Axis
    target: Target
    carry: Carry | None
    sizes: SumCut
    part: IntExpr | None = None
    panel: Panel | None = None
    kept: KeptSums | None = None

    def all_tiles(self, nest: Nest) -> Body:
        """The tiles of every column, inside loops over the axes that are neither lanes nor rows."""
        body = in_panels(nest, self.shape, self.target, lambda n, panel: replace(self, panel=panel)._columns(n))
        for axis in reversed([a for a in nest.parallel if a is not self.lane and a is not self.shape.row]):
            body = (For(axis.var, axis.extent, body),)
        return body

    def _columns(self, nest: Nest) -> Body:
        return self._known_columns(nest) if self.lane.constant is not None else self._symbolic_columns(nest)

    def part_by_part(self, nest: Nest) -> Body:
        """All tiles for the first part of the sum, which there is even of nothing, then for the next."""
        nest, (part,) = chained(nest, self.sizes)
        sizes = replace(self.sizes, is_short=True)
        inside = replace(self, sizes=sizes, part=IntVar(part.var)).all_tiles(nest)
        return (For(part.var, int_max(1, part.extent), inside),)

    def _widths(self, nest: Nest) -> list[int]:
        assert nest.accumulator is not None
        return tile_widths(self.lane.constant, self.target, nest.accumulator.dtype, self.shape.mr)

    def _known_columns(self, nest: Nest) -> Body:
        """Tiles of several widths: one alone of its width is in a loop too, so that its names meet no others."""
        body: list[Stmt] = []
        offset, lane, runs = 0, self.lane, _runs(self._widths(nest))
        for run, width in runs:
            tile = f"{lane.var}_tile"
            start = IntVar(tile) * width + offset if run > 1 else as_int(offset)
            inside = self._rows(shifted(nest, lane, start, IntConst(width)), width)
            kind = "serial" if run > 1 else "unroll"
            body += [For(tile, as_int(run), inside, kind)] if len(runs) > 1 or run > 1 else inside
            offset += run * width
        return tuple(body)

    def _symbolic_columns(self, nest: Nest) -> Body:
        """Tiles of several vectors, then of one, then what is left of one: few columns are no tile of many."""
        (width,), lane = self._widths(nest), self.lane
        assert nest.accumulator is not None
        one = self.target.lanes(nest.accumulator.dtype)
        body: list[Stmt] = []
        begin, left = as_int(0), lane.extent
        for size in dict.fromkeys((width, one)):
            tile = f"{lane.var}_tile"
            inside = self._rows(shifted(nest, lane, begin + IntVar(tile) * size, IntConst(size)), size)
            body.append(For(tile, int_floordiv(left, size), inside))
            begin, left = int_floordiv(lane.extent, size) * size, int_mod(lane.extent, size)
        if left != IntConst(0):
            rest = self._rows(shifted(nest, lane, begin, left), one)
            body.append(If(IntCondition("gt", left, IntConst(0)), rest))
        return tuple(body)

    def _rows(self, nest: Nest, width: int) -> Body:
        """Row tiles of mr rows, and of what they leave; without rows, one tile."""
        mr = self.shape.mr
        if self.shape.row is None:
            return self._tile(nest, 1, width)
        row = next(a for a in nest.parallel if a.var == self.shape.row.var)
        most = limit(row.extent)
        if most is not None:
            mr = min(mr, max(most, 1))
        fewer = (FEWER_ROWS,) if self.part is not None and mr % FEWER_ROWS == 0 else ()
        tile, body = f"{row.var}_tile", list[Stmt]()
        for rows, begin, count in _row_tiles(row, mr, fewer):
            start = begin + IntVar(tile) * rows
            part = shifted(nest, row, start, IntConst(rows))
            part = part if self.panel is None else self.panel.read_by(part, start)
            hints: Body = ()
            if rows == mr:
                ahead = self._ahead if self.kept is None else self._next_chain
                hints = ahead(part, IntVar(tile), max((most or mr) // mr, 1), width)
            body.append(For(tile, count, self._tile(part, rows, width, hints)))
        if self.kept is not None:
            lane = next(a for a in nest.parallel if a.var == self.lane.var)
            return self.kept.around(nest, lambda inside: over_results(nest, lane, inside), tuple(body))
        return tuple(body)

    def _tile(self, nest: Nest, mr: int, width: int, hints: Body = ()) -> Body:
        """The reduced loops inside: vectors of the lane operand, each serving mr rows; and what is asked for there.

        Row by row, all vectors of a row after another, so that beside the accumulators one element of the other operand
        is held and not mr of them, for which the registers would not last.  Where the number of lanes is known at run
        time only, each vector stands under a condition, and all rows stand inside it.
        """
        acc, row = nest.accumulator, self.shape.row
        assert acc is not None
        lane = next(a for a in nest.parallel if a.var == self.lane.var)
        cell = Buffer(f"{acc.name}_tile", acc.dtype, (as_int(mr), as_int(width)), "register")
        at = (IntVar(row.var) if row is not None else as_int(0), IntVar(lane.var))
        rows = [] if row is None else [(Axis(row.var, as_int(mr)), "unroll")]

        def over_tile(statements: Body) -> Body:
            inside = (For(row.var, as_int(mr), statements, "unroll"),) if row is not None else statements
            return (For(lane.var, lane.extent, inside, "vector", bound=width),)

        def chain(part: Nest, into: Buffer) -> Body:
            assert part.accumulator is not None
            inside = [*rows, (lane, "vector")] if lane.constant is not None else [(lane, "vector"), *rows]
            axes, kinds = zip(*((axis, "serial") for axis in part.reduced), *inside, strict=True)
            loops = nested(axes, (*part.inner, Store(into, at, part.accumulator.value, acc.combine)), kinds)
            return _with(hints, bounded(loops, lane.var, width))

        cells = Cells(cell, at, over_tile)
        if self.kept is not None:
            body = accumulated(one_chain(nest), cells, chain, None, replace(self.sizes, is_short=True))
            return self._above_diagonal(nest, lane, (*body, *self.kept.added(nest, cells)))
        body = accumulated(nest, cells, chain, self.carry, self.sizes)
        if self.carry is None:
            axes, kinds = zip(*rows, (lane, "vector"), strict=True)
            end = nested(axes, (Let(acc.name, Load(cell, at)), *nest.outer), kinds)
            body = (*body, *self._joined(bounded(end, lane.var, width)))
        return self._above_diagonal(nest, lane, body)

    def _ahead(self, nest: Nest, tile: IntExpr, tiles: int, width: int) -> Body:
        """The hints of one row tile at a term, about what the next tile of columns reads then: memory is far away.

        They are about arrays that all rows read; each row tile asks for some lines of them.
        """
        row, hints = self.shape.row, list[Stmt]()
        assert row is not None
        for load in inner_loads(nest) if self.part is not None else ():
            is_next = stride(load, self.lane.var) == CONTIGUOUS and stride(load, row.var) == INVARIANT
            if is_next and _is_far(load.buffer):
                hints += self._share(load, tile, tiles, width, width)
        return tuple(hints)

    def _next_chain(self, nest: Nest, tile: IntExpr, tiles: int, width: int) -> Body:
        """The hints of one row tile at a term of a chain, about what the next chain reads then of arrays in memory: of
        rows that all tiles read its share, of others the line in which its own begin.
        """
        row, hints, inside = self.shape.row, list[Stmt](), one_chain(nest)
        assert row is not None
        (axis,) = inside.reduced
        for load in inner_loads(inside):
            if load.buffer.space == "register" or stride(load, axis.var) != STRIDED:
                continue
            ahead = Substitution({axis.var: IntVar(axis.var) + CHAIN})
            later = replace(load, index=ahead.index(load.index))
            if stride(load, self.lane.var) == CONTIGUOUS and stride(load, row.var) == INVARIANT:
                hints += self._share(later, tile, tiles, width, 0)
            elif stride(load, row.var) == CONTIGUOUS and stride(load, self.lane.var) == INVARIANT:
                hints.append(Prefetch(load.buffer, Substitution({row.var: as_int(0)}).index(later.index)))
        return tuple(hints)

    def _share(self, load: Load, tile: IntExpr, tiles: int, width: int, begin: int) -> Iterator[Prefetch]:
        """One row tile's share of hints for the lines of so many columns, which begin so far from its own."""
        each = LINE // ITEMSIZE[load.dtype]
        lines = -(-width // each)
        for more in range(-(-lines // tiles)):
            line = int_mod(tile + more * tiles, lines) * each + begin
            yield Prefetch(load.buffer, Substitution({self.lane.var: line}).index(load.index))

    def _joined(self, stored: Body) -> Body:
        """The statements that store what a tile has; of a later part of the sum, that add it to what is stored."""
        if self.part is None:
            return stored
        return (If(IntCondition("eq", self.part, IntConst(0)), stored, tuple(map(_adding, stored))),)

    def _above_diagonal(self, nest: Nest, lane: Axis, body: Body) -> Body:
        """What a tile does; of a half, the tiles beyond the diagonal do nothing."""
        row = self.shape.row
        if row is None or {row.var, lane.var} != {*nest.halved}:
            return body
        (store,) = stores(nest)
        first, last = (
            Substitution({axis.var: at}).integer(next(i for i in store.index if axis.var in int_variables(i)))
            for axis, at in ((row, IntConst(0)), (lane, lane.extent - 1))
        )
        return (If(IntCondition("le", first, last), body),)


def _row_tiles(row: Axis, mr: int, fewer: Iterable[int]) -> Iterator[tuple[int, IntExpr, IntExpr]]:
    """(rows of a tile, where the first such tile begins, how many there are): what tiles of mr rows leave is one tile
    where it is known now, otherwise tiles of fewer rows, then single ones.
    """
    if row.constant is not None:
        whole, rest = divmod(row.constant, mr)
        yield from ((n, as_int(at), as_int(k)) for n, at, k in ((mr, 0, whole), (rest, whole * mr, 1)) if n and k)
        return
    begin, left = as_int(0), row.extent
    for rows in dict.fromkeys((mr, *fewer, 1)):  # each divides the one before
        count = int_floordiv(left, rows)
        if count != IntConst(0):
            yield rows, begin, count
        begin, left = int_floordiv(row.extent, rows) * rows, int_mod(left, rows)


def _with(hints: Body, loops: Body) -> Body:
    """Loops over the terms of a part, with hints before what they do at each of them."""
    if not hints or len(loops) != 1 or not isinstance(loops[0], For):
        return loops
    return (replace(loops[0], body=(*hints, *loops[0].body)),)


def _adding(stmt: Stmt) -> Stmt:
    """The loops with additions in the place of their stores."""
    if isinstance(stmt, Store):
        return replace(stmt, combine="add")
    return replace(stmt, body=tuple(map(_adding, stmt.body))) if isinstance(stmt, For) else stmt


def _is_far(buffer: Buffer) -> bool:
    """Whether an array may be more than a near cache holds."""
    return buffer.space != "register" and array_bytes(buffer, perhaps=2 * NEAR) > NEAR


def _runs(widths: Sequence[int]) -> list[tuple[int, int]]:
    """Equal neighbours counted: [(how many, width)]."""
    runs: list[tuple[int, int]] = []
    for width in widths:
        if runs and runs[-1][1] == width:
            runs[-1] = (runs[-1][0] + 1, width)
        else:
            runs.append((1, width))
    return runs

"""Units: independent shares of a nest, of a fixed size, so that the bits do not depend on who runs them.

In: a nest and a target.  Out: the nest restricted to one unit, and how many units there are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from symnet.expr.nodes.extents import TYPICAL
from symnet.loops.ir import Body, If, IntCondition, IntConst, IntExpr, IntVar, Let, Load, Store, ceil_div, int_min
from symnet.lower.elementwise import functions_in
from symnet.lower.nest import Axis, Nest
from symnet.schedule.access import INVARIANT, array_bytes, inner_loads, shifted, stride
from symnet.schedule.beside import rows_beside
from symnet.schedule.down import columns_of_panel, past_the_cache
from symnet.schedule.target import Target
from symnet.schedule.tile_shape import TileShape, choose

UNIT_WORK = 1 << 18  # multiply-adds worth a hand-over between threads
ROW_UNIT, ROW_UNIT_WORK = 16, 1 << 11  # rows of a unit of a sweep; operations below which it has more of them
NUMBERS_UNIT = 128  # rows of it at least, where each is a number
LEAST_ROW_UNIT = 4  # rows of a unit where a superblock has few
PERHAPS = 512  # what an extent that is not known may be
SHARED, ROWS_SHARING = 1 << 19, 32  # bytes that every row reads, more than stay near by; rows of a unit that share them
CHECKED_UNIT_WORK = 1 << 13  # the same where indices are checked: whether all were right is found out once a unit
MATH_WORK = 16  # operations of a transcendental function


@dataclass(frozen=True)
class NestInUnits:
    """A nest restricted to one unit, and the number of units; which axis is cut, from where, and into what pieces."""

    nest: Nest
    units: IntExpr
    axis: Axis | None = None
    start: IntExpr | None = None
    chunk: int = 0

    def beside(self, other: Nest) -> Nest:
        """Another nest over the same parallel axes, restricted to the same unit."""
        if self.axis is None or self.start is None:
            return other
        return one_chunk(other, self.axis, self.start, self.chunk)


def in_units(nest: Nest, target: Target, unit_var: str) -> NestInUnits:
    """Split the axis that is not the lanes, in chunks of a fixed number of rows; lanes where there is no other axis, in
    whole panels of them where it goes by panels.
    """
    shape, acc = choose(nest, target), nest.accumulator
    axis = _split_axis(nest, shape)
    if axis is None:
        return NestInUnits(nest, IntConst(1))
    chunk = _chunk(nest, axis)
    if acc is not None and axis is shape.lane and past_the_cache(nest, shape, target) is not None:
        chunk = max(chunk, columns_of_panel(acc.dtype))
    units = ceil_div(axis.extent, chunk)
    if units in (IntConst(0), IntConst(1)):  # an empty nest is one share that does nothing
        return NestInUnits(nest, IntConst(1))
    start = IntVar(unit_var) * chunk
    return NestInUnits(one_chunk(nest, axis, start, chunk), units, axis, start, chunk)


def _split_axis(nest: Nest, shape: TileShape) -> Axis | None:
    if shape.row is not None:
        return shape.row
    others = [a for a in nest.parallel if shape.lane is None or a.var != shape.lane.var]
    if others:
        return others[0]
    return shape.lane if shape.lane in nest.parallel else None


def _count(axis: Axis) -> int:
    return TYPICAL if axis.constant is None else max(axis.constant, 1)


def rows_of_unit(nests: Iterable[Nest], most: int) -> int:
    """Rows of a unit of a sweep: a quarter of `most`, those of a superblock, at most `ROW_UNIT`.

    Where a row is light, so many more that starting loops costs nothing beside them; where all rows read arrays that do
    not stay in a cache, such as large weights, `ROWS_SHARING`, so that these are fetched seldom.  Where rows are
    numbers, they are the lanes, and a unit has several vectors of them, so that one may wait for a function while
    others are computed; where kernels take several rows at once, it has as many at least.
    """
    nests = list(nests)
    parts = [part for nest in nests for part in nest.instead or (nest,)]
    per_row = sum(map(row_work, nests))
    enough = CHECKED_UNIT_WORK if any(map(is_checked, nests)) else ROW_UNIT_WORK
    numbers = all(len(part.axes) == 1 for part in parts)
    shared = sum(shared_bytes(nest, axis) for nest in nests for axis in nest.parallel if axis.batch)
    usual = NUMBERS_UNIT if numbers else ROWS_SHARING if shared > SHARED else ROW_UNIT
    rows = min(usual, max(most // (2 if numbers else 4), LEAST_ROW_UNIT))
    rows = max(rows, min(max(map(rows_beside, nests), default=0), most))
    while rows < most and rows * per_row < enough:
        rows *= 2
    return rows


def is_checked(nest: Nest) -> bool:
    """Whether a nest checks indices."""
    return any(part.check is not None for part in nest.instead or (nest,))


def row_work(nest: Nest) -> int:
    """About how many operations a row of the batch takes."""
    return sum(map(_work_of_row, nest.instead or (nest,)))


def shared_bytes(nest: Nest, axis: Axis) -> int:
    """The bytes of the arrays that each element of an axis reads all of; extents that are not known may be large."""
    if nest.accumulator is None or nest.kernel is not None:
        return 0
    return bytes_read(shared_loads(nest, axis))


def shared_loads(nest: Nest, axis: Axis) -> list[Load]:
    """What each element of an axis reads all of."""
    return [x for x in inner_loads(nest) if stride(x, axis.var) == INVARIANT]


def bytes_read(loads: Iterable[Load]) -> int:
    """The bytes of the arrays that are read; extents that are not known may be large."""
    arrays = {x.buffer.name: x.buffer for x in loads}
    return sum(array_bytes(b, PERHAPS) for b in arrays.values())


def _work_of_row(nest: Nest) -> int:
    statements = [s for s in (*nest.outer, *nest.inner) if isinstance(s, Let | Store)]
    point = len(statements) + (MATH_WORK - 1) * len(functions_in(statements))
    point += nest.accumulator is not None
    return math.prod([_count(a) for a in nest.axes if not a.batch]) * max(point, nest.kernel or 0)


def _chunk(nest: Nest, axis: Axis) -> int:
    """Rows per unit: enough for UNIT_WORK, or to share what they read; a multiple of 16, unless a row is a kernel; down
    to half as many where all units are then alike.  Few rows share less, so that several threads have a part in them.
    """
    per_row = max(nest.kernel or 0, 1) * (MATH_WORK if nest.accumulator is None and functions_in(nest.outer) else 1)
    for other in nest.axes:
        if other.var != axis.var:
            per_row *= _count(other)
    if nest.kernel is not None:
        return -(-UNIT_WORK // per_row)
    extent = axis.constant or 0
    sharing = ROWS_SHARING if axis.constant is None else min(extent // 64 * 16, 2 * ROWS_SHARING)
    least = sharing if shared_bytes(nest, axis) > SHARED else 16
    most = max(-(-UNIT_WORK // per_row) // 16 * 16, least, 16)
    units = -(-extent // most)
    alike = (extent // n for n in range(units, 2 * units) if extent % (16 * n) == 0) if units > 1 else ()
    return next(iter(alike), most)


def one_chunk(nest: Nest, axis: Axis, start: IntExpr, chunk: int) -> Nest:
    """The nest over start … start + chunk of an axis, cut at its end."""
    even = axis.constant is not None and axis.constant % chunk == 0
    return shifted(nest, axis, start, IntConst(chunk) if even else int_min(chunk, axis.extent - start))


def one_after_another(
    parts: Iterable[tuple[Callable[[Mapping[str, IntExpr]], Body], IntExpr]], unit_var: str
) -> tuple[Body, IntExpr]:
    """(several bodies as one, how many units there are): a body is made by the number that its own units have."""
    total: IntExpr = IntConst(0)
    bodies: list[tuple[IntExpr, Body]] = []
    for body, units in parts:
        bodies.append((total, body({unit_var: IntVar(unit_var) - total})))
        total = total + units
    return _of_unit(bodies, unit_var), total


def _of_unit(bodies: Sequence[tuple[IntExpr, Body]], unit_var: str) -> Body:
    """The one of several bodies that a unit belongs to, found by halving them; each with the first of its units."""
    if len(bodies) == 1:
        return bodies[0][1]
    half = len(bodies) // 2
    before = IntCondition("lt", IntVar(unit_var), bodies[half][0])
    return (If(before, _of_unit(bodies[:half], unit_var), _of_unit(bodies[half:], unit_var)),)

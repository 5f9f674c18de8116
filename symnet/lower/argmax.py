"""The first index of a maximum as nests.

In: a Reduce that is an argmax.  Out: its nests, and the buffers between them.

Of a short row the maximum comes first, then the smallest index that reaches it.  A long row is cut into pieces:

    largest[p] = max of piece p            best = max of largest
    piece = the first p with largest[p] = best                 out = the first index in that piece which reaches best

so that it is read once, and one piece again.  The last piece ends where the row does and so may hold elements of the
one before: neither a maximum nor a smallest index minds.  NaN counts as the maximum, as NumPy has it.
Where there are several rows of neighbours, each is read once, by itself, and very short ones several at once
(`kernels/largest.py`).
Not handled: rows along a batch whose elements are computed: these are read block by block, twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from symnet.expr.nodes.contraction import letter
from symnet.expr.nodes.extents import typical
from symnet.expr.nodes.reduction import Reduce
from symnet.loops.ir import (
    Body,
    Buffer,
    Const,
    FromInt,
    IntExpr,
    IntLoad,
    IntVar,
    Load,
    Op,
    Store,
    Value,
    Var,
    ceil_div,
    int_min,
)  # fmt: skip
from symnet.loops.limits import int_max
from symnet.loops.neutral import neutral
from symnet.lower.kernels.largest import SHORT, LargestOfRow, first_largest, of_short_rows
from symnet.lower.nest import Accumulator, Axis, Nest
from symnet.lower.point import Index, Points
from symnet.lower.state import LoweringState

GIVEN = ("input", "constant")  # memory that no nest stores to
PIECE, LONG_PIECE = 128, 2048  # elements of a piece, and where a row has many
LONG_ROW = 33  # elements from which a row is read once
FEW = 4  # pieces of a row that is too short to be cut


def compared(dtype: str) -> str:
    """The dtype in which elements are compared: truth values are the integers 0 and 1."""
    return "int32" if dtype == "bool" else dtype


def argmax_nests(
    state: LoweringState, node: Reduce, buffer: Buffer, fresh: Callable[[str], str]
) -> tuple[list[Nest], list[Buffer]]:
    """The nests that leave the index in `buffer`, and the buffers that they need besides."""
    like = state.buffer(fresh("best"), node, "workspace")
    best = replace(like, dtype=compared(state.dtype(node.operands[0])))
    how = _Argmax(state, node, buffer, best)
    if how.is_row():
        return how.in_one_pass(), []
    size = how.piece()
    return how.whole() if size is None else how.in_pieces(size, fresh)


class _Argmax:
    """What the nests share."""

    def __init__(self, state: LoweringState, node: Reduce, buffer: Buffer, best: Buffer) -> None:
        (self.x,) = node.operands
        (self.along,) = node.axes
        self.state, self.buffer, self.best = state, buffer, best
        self.axes = [state.axis(letter(a), (self.x, a)) for a in range(self.x.rank)]
        if self.x in state.stored and state.stored[self.x].space in GIVEN:
            self.axes[self.along] = replace(self.axes[self.along], batch=0)  # all of it is there
        self.rows = tuple(a for n, a in enumerate(self.axes) if n != self.along)
        self.kept = tuple(IntVar(a.var) for a in self.rows)

    def is_row(self) -> bool:
        """Whether elements are neighbours, and rows long enough for lanes that keep what they found, or very short."""
        axis = self.axes[self.along]
        if not self.rows or axis.batch or self.along != self.x.rank - 1:
            return False
        return axis.constant is None or axis.constant <= SHORT or axis.constant >= LONG_ROW

    def in_one_pass(self) -> list[Nest]:
        """Each row by itself, or several short ones at once."""
        axis = self.axes[self.along]

        def element(place: IntExpr) -> tuple[Body, Value]:
            points = self.state.points("a")
            value = self.at(points, place)
            return tuple(points.lets), value

        def out(found: Value) -> Store:
            dtype = self.buffer.dtype
            return Store(self.buffer, self.kept, found if dtype == "int64" else Op("cast", (found,), dtype))

        row = LargestOfRow(self.buffer.name, self.best.dtype, axis.extent, element, self.state.clear)
        body, found = first_largest(row)
        beside = of_short_rows(row, out) if axis.constant is None or axis.constant <= SHORT else None
        work = typical(self.x.shape[self.along])
        return [Nest(self.buffer.name, self.rows, (*body, out(found)), kernel=work, beside=beside)]

    def piece(self) -> int | None:
        """The elements of a piece; None for rows that are not cut."""
        axis = self.axes[self.along]
        if axis.batch or (axis.constant is None and self.rows):  # computed block by block; perhaps short
            return None
        if axis.constant is None:
            return LONG_PIECE
        size = LONG_PIECE if axis.constant >= LONG_PIECE * FEW else PIECE
        return size if axis.constant >= size * FEW else None

    def whole(self) -> tuple[list[Nest], list[Buffer]]:
        """The maximum, then the first index that reaches it."""
        axis = self.axes[self.along]
        largest = self.largest(self.best, self.kept, self.rows, axis, IntVar(axis.var))
        return [largest, self.first(axis, IntVar(axis.var))], [self.best]

    def in_pieces(self, size: int, fresh: Callable[[str], str]) -> tuple[list[Nest], list[Buffer]]:
        """The maxima of pieces, their maximum, the first piece that has it, and the first index there."""
        axis, best = self.axes[self.along], self.best
        piece = Axis(self.state.clear(f"{axis.var}_piece"), ceil_div(axis.extent, size))
        inside = Axis(axis.var, int_min(size, axis.extent))
        last = int_max(axis.extent - size, 0)
        parts = replace(best, name=fresh("largest"), shape=(*best.shape, piece.extent))
        place = replace(best, name=fresh("piece"), dtype="int32")

        def start(which: IntExpr) -> IntExpr:
            return int_min(which * size, last)

        at = (*self.kept, IntVar(piece.var))
        begin = start(IntVar(piece.var))
        maxima = self.largest(parts, at, (*self.rows, piece), inside, begin + IntVar(inside.var))
        part = self.state.points("a")
        value = part.let(Load(parts, at))
        acc = self.accumulator(f"{best.name}.max", best.dtype, "max", value)
        maximum = Nest(
            best.name, self.rows, (Store(best, self.kept, Var(acc.name, acc.dtype)),), (piece,), tuple(part.lets), acc
        )
        points = self.state.points("a")
        found = self.smallest(place, points, points.let(Load(parts, at)), piece, IntVar(piece.var), "int32")
        chosen = start(IntLoad(place, self.kept))
        return [maxima, maximum, found, self.first(inside, chosen + IntVar(inside.var))], [best, parts, place]

    # ---- one nest

    def at(self, points: Points, place: IntExpr) -> Value:
        """The element of a row at a place, as it is compared."""
        index: Index = tuple(place if n == self.along else IntVar(a.var) for n, a in enumerate(self.axes))
        return points.cast(points.at(self.x, index), self.best.dtype)

    def accumulator(self, name: str, dtype: str, combine: str, value: Value) -> Accumulator:
        return Accumulator(self.state.clear(name), dtype, combine, neutral(combine, dtype), value)

    def largest(self, into: Buffer, at: Index, outside: Sequence[Axis], over: Axis, place: IntExpr) -> Nest:
        """The maximum over an axis, stored at an index."""
        points = self.state.points("a")
        acc = self.accumulator(f"{into.name}.max", into.dtype, "max", self.at(points, place))
        store = Store(into, at, Var(acc.name, acc.dtype))
        return Nest(into.name, tuple(outside), (store,), (over,), tuple(points.lets), acc)

    def first(self, over: Axis, place: IntExpr) -> Nest:
        """The smallest index over an axis at which the maximum is reached."""
        points = self.state.points("a")
        extent = self.axes[self.along].constant  # twice as many int32 fill a register
        kind = "int64" if extent is None or extent > neutral("min", "int32") else "int32"
        return self.smallest(self.buffer, points, self.at(points, place), over, place, kind)

    def smallest(self, into: Buffer, points: Points, value: Value, over: Axis, place: IntExpr, kind: str) -> Nest:
        """The smallest number along an axis at which a value is the maximum, or NaN."""
        reached = points.op("eq", value, points.let(Load(self.best, self.kept)), dtype="bool")
        either = points.op("or", reached, points.op("ne", value, value, dtype="bool"), dtype="bool")
        most = neutral("min", kind)
        here = points.op("select", either, points.let(FromInt(place, kind)), Const(most, kind), dtype=kind)
        acc = self.accumulator(f"{into.name}.first", kind, "min", here)
        found = Var(acc.name, kind)
        outer = (Store(into, self.kept, found if kind == into.dtype else Op("cast", (found,), into.dtype)),)
        return Nest(into.name, self.rows, outer, (over,), tuple(points.lets), acc)

"""The first index of a row's maximum in one pass: each lane keeps the largest of its elements, and where it was.

    for t in n//W:  for k in W (vector):  where x[W*t + k] > best[k]:  best[k], place[k] = x[W*t + k], t
    largest = max of best;  the smallest W*place[k] + k at which best[k] = largest

In: the elements of a row by their places.  Out: statements, and the index as a value; for several short rows at once, a
`SideBySide`, with a row in each lane.
NaN counts as the maximum, as NumPy has it: where there was one, the row is read again for the first.  Where nothing is
beyond the least number of its dtype, the index is 0.
Not handled: rows whose elements are not neighbours.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from symnet.dtypes import ITEMSIZE, REAL
from symnet.loops.ir import (
    Alloc,
    Body,
    Buffer,
    Const,
    For,
    FromInt,
    If,
    IntCondition,
    IntConst,
    IntExpr,
    IntVar,
    Let,
    Op,
    Stmt,
    Store,
    Value,
    Var,
    as_int,
    int_floordiv,
    int_mod,
)
from symnet.loops.neutral import neutral
from symnet.lower.kernels.statements import INT_ZERO, MatrixPart, Names, cell, loop, of_a_line
from symnet.lower.nest import SideBySide

LANE_BYTES = 192  # of the largest elements that are kept: with their places they fill the registers of most machines
TWICE_BYTES = 128  # of a row that is looked at twice, as that costs less than to ask the lanes
SHORT = 8  # elements of a short row, each of which has code of its own
_NOWHERE = neutral("min", "int64")


@dataclass(frozen=True)
class LargestOfRow:
    """What is looked for.

    Args:
        name: that begins those of what is made.
        dtype: of what is compared.
        extent: of the row.
        element: the lets and the value of the element at a place.
        names: for what is made.
    """

    name: str
    dtype: str
    extent: IntExpr
    element: Callable[[IntExpr], tuple[Body, Value]]
    names: Names

    def var(self, name: str, dtype: str) -> Var:
        return Var(self.names(name), dtype)

    def cell(self, name: str, dtype: str) -> MatrixPart:
        return cell(self.names(f"{self.name}.{name}"), dtype)

    def lanes(self, name: str, dtype: str, width: int) -> MatrixPart:
        return MatrixPart(Buffer(self.names(f"{self.name}.{name}"), dtype, (as_int(1), as_int(width)), "register"))

    @property
    def least(self) -> Const:
        return Const(neutral("max", self.dtype), self.dtype)

    @property
    def index(self) -> str:
        """The dtype of places that are held beside elements."""
        return "int64" if ITEMSIZE[self.dtype] == 8 else "int32"


def first_largest(row: LargestOfRow) -> tuple[Body, Value]:
    """The statements that find the index in one row, and the index, an int64."""
    first, most = row.cell("first", "int64"), row.cell("most", row.dtype)
    width = LANE_BYTES // ITEMSIZE[row.dtype]
    begin = (Alloc(first.buffer), Alloc(most.buffer), most.store((INT_ZERO,), row.least))
    nowhere = first.store((INT_ZERO,), Const(_NOWHERE, "int64"))
    few = TWICE_BYTES // ITEMSIZE[row.dtype]
    if isinstance(row.extent, IntConst):
        body = _in_lanes(row, width, first, most) if row.extent.value > few else _twice(row, few, first, most)
    else:
        is_short = IntCondition("le", row.extent, as_int(few))
        body = (If(is_short, _twice(row, few, first, most), _in_lanes(row, width, first, most)),)
    return (*begin, nowhere, *body), first.at(INT_ZERO)


def _twice(row: LargestOfRow, few: int, first: MatrixPart, most: MatrixPart) -> Body:
    """The maximum of a row of a few elements, then the first place that has it."""
    bound = None if isinstance(row.extent, IntConst) else few
    j, largest, reached = IntVar(row.names("element")), row.var("largest", row.dtype), row.var("reached", "bool")
    (lets, x), zero = row.element(j), (INT_ZERO,)
    is_it = Op("or", (Op("eq", (x, largest), "bool"), Op("ne", (x, x), "bool")), "bool")
    here = Op("select", (reached, FromInt(j, "int64"), Const(_NOWHERE, "int64")), "int64")
    return (
        For(j.name, row.extent, (*lets, most.store(zero, x, "max")), "vector", bound),
        Let(largest.name, most.at(INT_ZERO)),
        For(j.name, row.extent, (*lets, Let(reached.name, is_it), first.store(zero, here, "min")), "vector", bound),
    )


def _in_lanes(row: LargestOfRow, width: int, first: MatrixPart, most: MatrixPart) -> Body:
    """The lanes go through the row once; a row with a NaN is read again."""
    best, place = row.lanes("best", row.dtype, width), row.lanes("place", row.index, width)
    strange, met = row.cell("strange", "bool"), row.cell("met", "int32")
    k, t, zero = IntVar(row.names("lane")), IntVar(row.names("tile")), (INT_ZERO,)
    whole, rest, at = int_floordiv(row.extent, width), int_mod(row.extent, width), (INT_ZERO, k)
    larger = row.var("larger", "bool")

    def over(count: IntExpr, *body: Stmt) -> For:
        return For(k.name, count, body, "vector", bound=None if isinstance(count, IntConst) else width)

    def taken(step: IntExpr) -> Body:
        lets, x = row.element(step * width + k)
        stands = step * width if row.index == "int64" else step  # an int32 counts tiles, so that no row is too long
        where = Op("select", (larger, FromInt(as_int(stands), row.index), place.at(*at)), row.index)
        kept = Op("select", (larger, x, best.at(*at)), row.dtype)
        seen = (strange.store(zero, Op("ne", (x, x), "bool"), "max"),) if row.dtype in REAL else ()
        compared = Let(larger.name, Op("gt", (x, best.at(*at)), "bool"))
        return (*lets, *seen, compared, place.store(at, where), best.store(at, kept))

    scan: Body = (loop(t, whole, over(as_int(width), *taken(t))),)
    if rest != INT_ZERO:
        scan += (over(rest, *taken(whole)),)
    start = over(as_int(width), best.store(at, row.least), place.store(at, Const(0, row.index)))
    held = (Alloc(strange.buffer), strange.store(zero, Const(False, "bool")))
    body = (Alloc(best.buffer), Alloc(place.buffer), *held, start, *scan, *_first(row, best, place, k, first, most))
    if row.dtype not in REAL:
        return body
    asked = (Alloc(met.buffer), met.store(zero, Op("cast", (strange.at(INT_ZERO),), "int32")))
    return (*body, *asked, If(IntCondition("ne", met.integer(INT_ZERO), INT_ZERO), _first_nan(row, first)))


def _first(
    row: LargestOfRow, best: MatrixPart, place: MatrixPart, k: IntVar, first: MatrixPart, most: MatrixPart
) -> Body:
    """The smallest index at which a lane has the largest of all."""
    width, at, zero = best.shape[1], (INT_ZERO, k), (INT_ZERO,)
    assert isinstance(width, IntConst)
    largest, reached = row.var("largest", row.dtype), row.var("reached", "bool")
    stood: Value = place.at(*at)
    if row.index != "int64":
        stood = Op("mul", (Op("cast", (stood,), "int64"), Const(width.value, "int64")), "int64")
    index = Op("add", (stood, FromInt(k, "int64")), "int64")
    here = Op("select", (reached, index, Const(_NOWHERE, "int64")), "int64")
    is_it = Let(reached.name, Op("eq", (best.at(*at), largest), "bool"))
    return (
        For(k.name, width, (most.store(zero, best.at(*at), "max"),), "vector"),
        Let(largest.name, most.at(INT_ZERO)),
        For(k.name, width, (is_it, first.store(zero, here, "min")), "vector"),
    )


def _first_nan(row: LargestOfRow, first: MatrixPart) -> Body:
    j, zero = IntVar(row.names("element")), (INT_ZERO,)
    lets, x = row.element(j)
    here = Op("select", (Op("ne", (x, x), "bool"), FromInt(j, "int64"), Const(_NOWHERE, "int64")), "int64")
    again = For(j.name, row.extent, (*lets, first.store(zero, here, "min")), "vector")
    return (first.store(zero, Const(_NOWHERE, "int64")), again)


def of_short_rows(row: LargestOfRow, out: Callable[[Value], Store]) -> SideBySide:
    """Several rows at once, each in a lane, where they have at most `SHORT` elements; `out` stores an index."""
    most = of_a_line(row.dtype)
    lane, j = IntVar(row.names("beside")), IntVar(row.names("element"))
    best, place = row.lanes("best_beside", row.dtype, most), row.lanes("place_beside", row.index, most)
    at, count, larger = (INT_ZERO, lane), row.names("beside_count"), row.var("larger", "bool")
    lets, x = row.element(j)
    more = Op("not", (Op("le", (x, best.at(*at)), "bool"),), "bool")  # a NaN is not, and beside one nothing is
    beyond = Op("and", (more, Op("eq", (best.at(*at), best.at(*at)), "bool")), "bool")
    taken = (
        *lets,
        Let(larger.name, beyond),
        place.store(at, Op("select", (larger, FromInt(j, row.index), place.at(*at)), row.index)),
        best.store(at, Op("select", (larger, x, best.at(*at)), row.dtype)),
    )
    scan = For(j.name, row.extent, taken, "unroll", bound=None if isinstance(row.extent, IntConst) else SHORT)
    start = best.store(at, row.least), place.store(at, Const(0, row.index))
    found = place.at(*at) if row.index == "int64" else Op("cast", (place.at(*at),), "int64")
    body = (
        Alloc(best.buffer),
        Alloc(place.buffer),
        For(lane.name, as_int(most), (*start, scan), "vector"),
        For(lane.name, IntVar(count), (out(found),), "vector", bound=most),
    )
    fits = None if isinstance(row.extent, IntConst) else IntCondition("le", row.extent, as_int(SHORT))
    return SideBySide(lane.name, count, most, body, fits, turned=True)

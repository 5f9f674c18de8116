"""Small matrices of a stack side by side, one in each lane: elimination and substitution for all of them at once.

    a[i, j, lane] = A[s + lane, i, j]         copied, so that a vector holds the same element of several matrices
    elimination, substitution                 on vectors; rows change places in each lane by selection
    LU[s + lane, i, j] = a[i, j, lane]

In: where the numbers stand, at the first matrix of some neighbours.  Out: a `SideBySide`, whose body holds registers of
`EXTENT` rows and columns at most.  The steps are those of `elimination.py` and `substitution.py`, and so are pivots,
zero pivots and NaN; sums go one by one.
Not handled: larger matrices, whose own rows fill vectors; more than `EXTENT` columns to solve for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from symnet.loops.ir import (
    SINGULAR_MATRIX,
    Alloc,
    Body,
    Buffer,
    Const,
    Fail,
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
)
from symnet.lower.kernels.elimination import LuFactors
from symnet.lower.kernels.statements import INT_ZERO, MatrixPart, Names, cell, divide, loop, multiply, negate, of_a_line
from symnet.lower.nest import SideBySide

EXTENT = 16  # rows of a matrix that is small

Element = Callable[[IntExpr, IntExpr], Body]  # statements that end in a store of an element, given its row and column


@dataclass(frozen=True)
class SmallMatrices:
    """The matrices of a stack that are computed at once; names of registers begin with `name`, what comes out."""

    name: str
    dtype: str
    extent: IntExpr
    names: Names

    @property
    def most(self) -> int:
        return of_a_line(self.dtype)

    @property
    def lane(self) -> IntVar:
        return IntVar(self.names("beside"))

    @property
    def rows(self) -> int:
        return self.extent.value if isinstance(self.extent, IntConst) else EXTENT

    def var(self, name: str) -> IntVar:
        return IntVar(self.names(name))

    def held(self, name: str, dtype: str, *shape: int) -> Held:
        made = Buffer(self.names(f"{self.name}.{name}"), dtype, tuple(map(as_int, (*shape, self.most))), "register")
        return Held(made, self.lane)

    def each(self, *body: Stmt) -> For:
        """A loop over the matrices, one by one."""
        return For(self.lane.name, as_int(self.most), body)

    def together(self, *body: Stmt) -> For:
        """A loop over the matrices, all at once."""
        return For(self.lane.name, as_int(self.most), body, "vector")

    def counted(self, *body: Stmt) -> For:
        """A loop over the matrices that there are."""
        return For(self.lane.name, IntVar(self.names("beside_count")), body)

    def done(self, body: Body) -> SideBySide:
        fits = None if isinstance(self.extent, IntConst) else IntCondition("le", self.extent, as_int(EXTENT))
        return SideBySide(self.lane.name, self.names("beside_count"), self.most, body, fits)


@dataclass(frozen=True)
class Held:
    """A matrix or vector of each lane, in registers or in the cache."""

    buffer: Buffer
    lane: IntVar

    @property
    def whole(self) -> MatrixPart:
        return MatrixPart(self.buffer)

    def at(self, *index: IntExpr) -> Value:
        return self.whole.at(*index, self.lane)

    def store(self, index: tuple[IntExpr, ...], value: Value, combine: str | None = None) -> Store:
        return self.whole.store((*index, self.lane), value, combine)


def is_small(extent: IntExpr) -> bool:
    """Whether matrices may have few enough rows."""
    return not isinstance(extent, IntConst) or 0 < extent.value <= EXTENT


# --------------------------------------------------------------------------- elimination


def eliminated(factors: LuFactors, first: Callable[[Held, IntExpr, IntExpr], Body], names: Names) -> SideBySide:
    """P A = L U of neighbours; `first` stores an element of A where it is told."""
    x = SmallMatrices(factors.lu.buffer.name, factors.lu.dtype, factors.extent, names)
    a, swaps = x.held("lu", x.dtype, x.rows, x.rows), x.held("swaps", "int64", x.rows)
    i, j, k, n = x.var("i"), x.var("j"), x.var("k"), x.extent
    filled = x.each(loop(i, n, loop(j, n, *first(a, i, j))))
    steps = x.together(loop(k, n, *_pivot(x, a, swaps, k), *_swapped(x, a, swaps, k, n), *_cleared(x, a, k)))
    out = loop(i, n, factors.swaps.store((i,), swaps.at(i)), loop(j, n, factors.lu.store((i, j), a.at(i, j))))
    scratch = (_best(x), _place(x))
    return x.done((*(Alloc(h.buffer) for h in (a, swaps, *scratch)), filled, steps, x.counted(out)))


def _best(x: SmallMatrices) -> Held:
    return x.held("best", x.dtype, 1)


def _place(x: SmallMatrices) -> Held:
    return x.held("place", "int64", 1)


def _pivot(x: SmallMatrices, a: Held, swaps: Held, k: IntVar) -> Body:
    """The row of the largest element of column k, from the diagonal down; a NaN on the diagonal stays."""
    best, place, r = _best(x), _place(x), x.var("r")
    row, zero = r + k + 1, (INT_ZERO,)
    size, larger = Var(x.names("size"), x.dtype), Var(x.names("larger"), "bool")
    scan = loop(
        r,
        x.extent - k - 1,
        Let(size.name, Op("abs", (a.at(row, k),), x.dtype)),
        Let(larger.name, Op("gt", (size, best.at(INT_ZERO)), "bool")),
        place.store(zero, Op("select", (larger, FromInt(row, "int64"), place.at(INT_ZERO)), "int64")),
        best.store(zero, Op("select", (larger, size, best.at(INT_ZERO)), x.dtype)),
    )
    begin = best.store(zero, Op("abs", (a.at(k, k),), x.dtype)), place.store(zero, FromInt(k, "int64"))
    return (*begin, scan, swaps.store((k,), place.at(INT_ZERO)))


def _swapped(x: SmallMatrices, a: Held, swaps: Held, k: IntExpr, columns: IntExpr) -> Body:
    """Row k and the row of its pivot exchanged: every row below k is compared with it."""
    best, j, r = _best(x), x.var("j"), x.var("r")
    row = r + k + 1
    here, upper, lower = Var(x.names("here"), "bool"), Var(x.names("upper"), x.dtype), Var(x.names("lower"), x.dtype)
    exchange = loop(
        r,
        x.extent - k - 1,
        Let(here.name, Op("eq", (swaps.at(k), FromInt(row, "int64")), "bool")),
        Let(lower.name, a.at(row, j)),
        best.store((INT_ZERO,), Op("select", (here, lower, best.at(INT_ZERO)), x.dtype)),
        a.store((row, j), Op("select", (here, upper, lower), x.dtype)),
    )
    kept = Let(upper.name, a.at(k, j)), best.store((INT_ZERO,), upper)
    return (loop(j, columns, *kept, exchange, a.store((k, j), best.at(INT_ZERO))),)


def _cleared(x: SmallMatrices, a: Held, k: IntVar) -> Body:
    """Rows below the pivot, less their multiple of the pivot's row; a zero pivot leaves them as they are."""
    i, j = x.var("i"), x.var("j")
    row, column = i + k + 1, j + k + 1
    pivot, multiple = Var(x.names("pivot"), x.dtype), Var(x.names("multiple"), x.dtype)
    is_zero = Op("eq", (a.at(k, k), Const(0.0, x.dtype)), "bool")
    below = loop(
        i,
        x.extent - k - 1,
        Let(multiple.name, divide(a.at(row, k), pivot)),
        a.store((row, k), multiple),
        loop(j, x.extent - k - 1, a.store((row, column), multiply(negate(multiple), a.at(k, column)), "add")),
    )
    return (Let(pivot.name, Op("select", (is_zero, Const(1.0, x.dtype), a.at(k, k)), x.dtype)), below)


# --------------------------------------------------------------------------- substitution


def substituted(
    factors: LuFactors,
    name: str,
    columns: int,
    first: Callable[[Held, IntExpr, IntExpr], Body],
    last: Callable[[Held, IntExpr, IntExpr], Body],
    transposed: bool,
    names: Names,
) -> SideBySide:
    """A X = B, or Aᵀ X = B, of neighbours.

    Args:
        factors: of A.
        name: of X.
        columns: of B.
        first: stores an element of B where it is told.
        last: stores an element of X, which it is told, to memory.
        transposed: whether Aᵀ is meant.
        names: for what is made.
    """
    x = SmallMatrices(name, factors.lu.dtype, factors.extent, names)
    a, swaps = x.held("lu", x.dtype, x.rows, x.rows), x.held("swaps", "int64", x.rows)
    b = x.held("unknown", x.dtype, x.rows, columns)
    i, j, k, c, n, m = x.var("i"), x.var("j"), x.var("k"), x.var("c"), x.extent, as_int(columns)
    read = loop(j, n, a.store((i, j), factors.lu.at(i, j)))
    filled = x.each(loop(i, n, swaps.store((i,), factors.swaps.at(i)), read, loop(c, m, *first(b, i, c))))
    of = n - 1 - k if transposed else k
    moved = loop(k, n, *_swapped(x, b, swaps, of, m))
    solved = (_triangle(x, a, b, m, transposed, True), _triangle(x, a, b, m, transposed, False))
    steps = x.together(*((*solved, moved) if transposed else (moved, *solved)))
    out = x.counted(loop(i, n, loop(c, m, *last(b, i, c))))
    scratch = tuple(Alloc(h.buffer) for h in (a, swaps, b, _best(x)))
    return x.done((*scratch, filled, *_refused(x, a), steps, out))


def _triangle(x: SmallMatrices, a: Held, b: Held, columns: IntExpr, transposed: bool, from_top: bool) -> For:
    """Row by row, each less the rows before it, divided by the diagonal if that is not 1."""
    i, k, c = x.var("i"), x.var("k"), x.var("c")
    row = i if from_top else x.extent - 1 - i
    other = k if from_top else x.extent - 1 - k

    def entry(r: IntExpr, s: IntExpr) -> Value:
        return a.at(s, r) if transposed else a.at(r, s)

    known = Var(x.names("entry"), x.dtype)
    change = loop(c, columns, b.store((row, c), multiply(known, b.at(other, c)), "add"))
    body: Body = (loop(k, i, Let(known.name, negate(entry(row, other))), change),)
    if from_top == transposed:  # U has the diagonal
        body += (loop(c, columns, b.store((row, c), divide(b.at(row, c), a.at(row, row)))),)
    return loop(i, x.extent, *body)


def _refused(x: SmallMatrices, a: Held) -> Body:
    """Fail where a pivot of any of the matrices is 0."""
    k, zeros = x.var("k"), cell(x.names(f"{x.name}.zeros"), "int64")
    is_zero = Op("eq", (a.at(k, k), Const(0.0, x.dtype)), "bool")
    count = Op("select", (is_zero, Const(1, "int64"), Const(0, "int64")), "int64")
    return (
        Alloc(zeros.buffer),
        zeros.store((INT_ZERO,), Const(0, "int64")),
        x.together(loop(k, x.extent, zeros.store((INT_ZERO,), count, "add"))),
        If(IntCondition("gt", zeros.integer(INT_ZERO), INT_ZERO), (Fail(SINGULAR_MATRIX),)),
    )

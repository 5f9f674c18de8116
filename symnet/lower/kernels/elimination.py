"""Elimination with partial pivoting: P A = L U in place, and determinants from it.

In: `LuFactors`, a buffer that holds A.  Out: statements.
A zero pivot is the whole rest of its column, so that elimination steps over it.
Source: G. Golub, C. van Loon, "Matrix Computations", 4th edition 2013, algorithm 3.4.1.
"""

from __future__ import annotations

from dataclasses import dataclass

from symnet.loops.ir import (
    SINGULAR_MATRIX,
    Alloc,
    Body,
    Const,
    Fail,
    FromInt,
    If,
    IntCondition,
    IntExpr,
    IntLoad,
    IntVar,
    Let,
    Op,
    Var,
)
from symnet.lower.kernels.statements import INT_ZERO, MatrixPart, Names, cell, divide, lanes, loop, multiply, negate


@dataclass(frozen=True)
class LuFactors:
    """P A = L U: `lu` (n, n) holds U, and below its diagonal L; row k was swapped with row `swaps[k]`."""

    lu: MatrixPart
    swaps: MatrixPart

    @property
    def extent(self) -> IntExpr:
        return self.lu.shape[0]

    def pivot_row(self, k: IntExpr) -> IntLoad:
        return self.swaps.integer(k)


def eliminate(factors: LuFactors, names: Names) -> Body:
    """P A = L U for the A that `factors.lu` holds."""
    k = IntVar(names("k"))
    swap = swap_rows(factors.lu, k, factors.pivot_row(k), factors.extent, names)
    return (loop(k, factors.extent, *_choose_pivot(factors, k, names), *swap, *_clear_column(factors, k, names)),)


def _choose_pivot(factors: LuFactors, k: IntExpr, names: Names) -> Body:
    """The row of the largest element of column k, from the diagonal down; a NaN on the diagonal stays."""
    lu, dtype = factors.lu, factors.lu.dtype
    best, place = cell(names("pivot.best"), dtype), cell(names("pivot.place"), "int64")
    r = IntVar(names("r"))
    row = r + k + 1
    size, larger = Var(names("size"), dtype), Var(names("larger"), "bool")
    scan = loop(
        r,
        factors.extent - k - 1,
        Let(size.name, Op("abs", (lu.at(row, k),), dtype)),
        Let(larger.name, Op("gt", (size, best.at(INT_ZERO)), "bool")),
        place.store((INT_ZERO,), Op("select", (larger, FromInt(row, "int64"), place.at(INT_ZERO)), "int64")),
        best.store((INT_ZERO,), Op("select", (larger, size, best.at(INT_ZERO)), dtype)),
    )
    return (
        Alloc(best.buffer),
        Alloc(place.buffer),
        best.store((INT_ZERO,), Op("abs", (lu.at(k, k),), dtype)),
        place.store((INT_ZERO,), FromInt(k, "int64")),
        scan,
        factors.swaps.store((k,), place.at(INT_ZERO)),
    )


def swap_rows(x: MatrixPart, a: IntExpr, b: IntExpr, columns: IntExpr | None, names: Names) -> Body:
    """Exchange two rows of a matrix, or two elements of a vector."""
    c = IntVar(names("c"))
    rest = () if columns is None else (c,)
    upper, lower = Var(names("upper"), x.dtype), Var(names("lower"), x.dtype)
    exchange = (
        Let(upper.name, x.at(a, *rest)),
        Let(lower.name, x.at(b, *rest)),
        x.store((a, *rest), lower),
        x.store((b, *rest), upper),
    )
    apart = IntCondition("ne", a, b)
    return (If(apart, exchange if columns is None else (lanes(c, columns, *exchange),)),)


def _clear_column(factors: LuFactors, k: IntExpr, names: Names) -> Body:
    """Rows below the pivot, less their multiple of the pivot's row; a zero pivot leaves them as they are."""
    lu, n = factors.lu, factors.extent
    i, j = IntVar(names("i")), IntVar(names("j"))
    row, column = i + k + 1, j + k + 1
    pivot, multiple = Var(names("pivot"), lu.dtype), Var(names("multiple"), lu.dtype)
    is_zero = Op("eq", (lu.at(k, k), Const(0.0, lu.dtype)), "bool")
    below = loop(
        i,
        n - k - 1,
        Let(multiple.name, divide(lu.at(row, k), pivot)),
        lu.store((row, k), multiple),
        lanes(j, n - k - 1, lu.store((row, column), multiply(negate(multiple), lu.at(k, column)), "add"), bound=n),
    )
    return (Let(pivot.name, Op("select", (is_zero, Const(1.0, lu.dtype), lu.at(k, k)), lu.dtype)), below)


def refuse_singular(factors: LuFactors, name: str, names: Names) -> Body:
    """Fail where a pivot is 0 (after a NaN nothing is: NaN comes out)."""
    k, zeros = IntVar(names("k")), cell(names(f"{name}.zeros"), "int64")
    is_zero = Op("eq", (factors.lu.at(k, k), Const(0.0, factors.lu.dtype)), "bool")
    count = Op("select", (is_zero, Const(1, "int64"), Const(0, "int64")), "int64")
    return (
        Alloc(zeros.buffer),
        zeros.store((INT_ZERO,), Const(0, "int64")),
        loop(k, factors.extent, zeros.store((INT_ZERO,), count, "add")),
        If(IntCondition("gt", zeros.integer(INT_ZERO), INT_ZERO), (Fail(SINGULAR_MATRIX),)),
    )


def determinant(factors: LuFactors, result: MatrixPart, op: str, names: Names) -> Body:
    """Π of U's diagonal and a sign for each swap, or Σ log|U's diagonal|."""
    k, dtype = IntVar(names("k")), result.dtype
    pivot = factors.lu.at(k, k)
    if op == "logdet":
        size = Op("log", (Op("abs", (pivot,), dtype),), dtype)
        step = result.store((), size, "add")
    else:
        stays = Op("eq", (FromInt(factors.pivot_row(k), "int64"), FromInt(k, "int64")), "bool")
        step = result.store((), Op("select", (stays, pivot, negate(pivot)), dtype), "mul")
    first = result.store((), Const(0.0 if op == "logdet" else 1.0, dtype))
    return (first, loop(k, factors.extent, step))

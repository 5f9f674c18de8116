"""Substitution: A X = B and Aᵀ X = B by the factors of A, in place of the right-hand sides.

In: `LuFactors`, a buffer that holds B.  Out: statements.  Of A X = B rows of the factors are read: P, then L from the
top, then U from the bottom.  Of Aᵀ X = B columns are: Uᵀ from the top, Lᵀ from the bottom, then P backwards.
All columns of X are solved for at once: PANEL rows are finished, then the rows that wait are updated (`panel.py`).
A single column is finished row by row, by sums along contiguous memory.
Source: G. Golub, C. van Loon, "Matrix Computations", 4th edition 2013, algorithms 3.1.1 to 3.1.4.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from symnet.loops.ir import (
    Alloc,
    Body,
    Const,
    If,
    IntCondition,
    IntExpr,
    IntVar,
    Let,
    Load,
    Op,
    Stmt,
    Var,
    as_int,
    ceil_div,
    int_min,
)
from symnet.lower.kernels.elimination import LuFactors, swap_rows
from symnet.lower.kernels.panel import PANEL, Product, subtract_product
from symnet.lower.kernels.statements import INT_ZERO, MatrixPart, Names, cell, divide, lanes, loop, multiply, negate

EntryOf = Callable[[IntExpr, IntExpr], Load]  # of the matrix that is solved with: by row and column


@dataclass(frozen=True)
class Unknowns:
    """What is solved for, in place of the right-hand sides: a vector (no columns) or a matrix."""

    x: MatrixPart
    names: Names

    @property
    def columns(self) -> IntExpr | None:
        return self.x.shape[1] if len(self.x.shape) > 1 else None

    def var(self, name: str) -> IntVar:
        return IntVar(self.names(name))


@dataclass(frozen=True)
class _Triangle:
    """A triangular matrix T: solved with from the top (lower) or from the bottom, its diagonal 1 (unit) or at hand."""

    factors: LuFactors
    transposed: bool
    from_top: bool
    unit: bool

    def at(self, row: IntExpr, column: IntExpr) -> Load:
        return self.factors.lu.at(column, row) if self.transposed else self.factors.lu.at(row, column)


def substitute(factors: LuFactors, x: Unknowns, transposed: bool) -> Body:
    """A X = B, or Aᵀ X = B, for the B that x holds."""
    n, k = factors.extent, x.var("k")
    first = _Triangle(factors, transposed, from_top=True, unit=not transposed)
    second = _Triangle(factors, transposed, from_top=False, unit=transposed)
    last = n - 1 - k if transposed else k
    swaps = loop(k, n, *swap_rows(x.x, last, factors.pivot_row(last), x.columns, x.names))
    solved = (*_solve(first, x), *_solve(second, x))
    return (*solved, swaps) if transposed else (swaps, *solved)


def _solve(t: _Triangle, x: Unknowns) -> Body:
    if x.columns is not None:
        return _by_panels(t, x, x.columns)
    return _by_spreading(t, x) if t.transposed else _by_sums(t, x)


# --------------------------------------------------------------------------- many columns


def _by_panels(t: _Triangle, x: Unknowns, columns: IntExpr) -> Body:
    """PANEL rows from the top or from the bottom; then what waits, less their share."""
    n, p = t.factors.extent, x.var("panel")
    done = p * PANEL
    width = int_min(PANEL, n - done)
    k0 = done if t.from_top else n - done - width
    begin = k0 + PANEL if t.from_top else as_int(0)
    rest = n - done - PANEL
    product = Product(
        target=lambda i, c: (begin + i, c),
        left=lambda i, s: t.at(begin + i, k0 + s),
        right=lambda s, c: x.x.at(k0 + s, c),
    )
    update = If(IntCondition("gt", rest, INT_ZERO), subtract_product(x.x, product, rest, columns, x.names))
    return (loop(p, ceil_div(n, PANEL), _finish_panel(t, x, columns, k0, width), update),)


def _finish_panel(t: _Triangle, x: Unknowns, columns: IntExpr, k0: IntExpr, width: IntExpr) -> Stmt:
    """The rows of one panel, each less the rows before it."""
    i, s, c = x.var("i"), x.var("s"), x.var("c")
    row = k0 + i if t.from_top else k0 + width - 1 - i
    other = k0 + s if t.from_top else k0 + width - 1 - s
    entry = Var(x.names("entry"), t.factors.lu.dtype)
    change = x.x.store((row, c), multiply(entry, x.x.at(other, c)), "add")
    steps: Body = (loop(s, i, Let(entry.name, negate(t.at(row, other))), lanes(c, columns, change)),)
    if not t.unit:
        steps += (lanes(c, columns, x.x.store((row, c), divide(x.x.at(row, c), t.at(row, row)))),)
    return loop(i, width, *steps)


# --------------------------------------------------------------------------- one column


def _by_sums(t: _Triangle, x: Unknowns) -> Body:
    """x[row] = (x[row] - Σ T[row, k]·x[k]) / T[row, row], over the k that are known: a row of T at a time."""
    n, i, k, dtype = t.factors.extent, x.var("i"), x.var("k"), t.factors.lu.dtype
    row = i if t.from_top else n - 1 - i
    other = k if t.from_top else k + row + 1
    total = cell(x.names("solution.total"), dtype)
    left = Op("sub", (x.x.at(row), total.at(INT_ZERO)), dtype)
    return (
        loop(
            i,
            n,
            Alloc(total.buffer),
            total.store((INT_ZERO,), Const(0.0, dtype)),
            lanes(k, i, total.store((INT_ZERO,), multiply(t.at(row, other), x.x.at(other)), "add"), bound=n),
            x.x.store((row,), left if t.unit else divide(left, t.at(row, row))),
        ),
    )


def _by_spreading(t: _Triangle, x: Unknowns) -> Body:
    """x[row] /= T[row, row], then x[k] -= T[k, row]·x[row] for all k that wait: a column of T at a time."""
    n, i, k = t.factors.extent, x.var("i"), x.var("k")
    row = i if t.from_top else n - 1 - i
    waiting, count = (k + row + 1, n - 1 - row) if t.from_top else (k, row)
    known = Var(x.names("known"), t.factors.lu.dtype)
    sweep = x.x.store((waiting,), multiply(negate(t.at(waiting, row)), known), "add")
    finish: Body = () if t.unit else (x.x.store((row,), divide(x.x.at(row), t.at(row, row))),)
    return (loop(i, n, *finish, Let(known.name, x.x.at(row)), lanes(k, count, sweep, bound=n)),)

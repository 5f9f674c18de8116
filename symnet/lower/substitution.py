"""Substitution: A X = B and Aᵀ X = B by the factors of A, in place of the right-hand sides, all columns at once.

In: `Factors`, a buffer that holds B.  Out: statements.
Source: G. Golub, C. van Loon, "Matrix Computations", 4th edition 2013, algorithms 3.1.1 to 3.1.3.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from symnet.loops.ir import Alloc, Body, Const, IntExpr, IntVar, Let, Load, Op, Stmt, Value, Var
from symnet.lower.elimination import Factors, swap_rows
from symnet.lower.kernel import ZERO, Names, Part, cell, divide, lanes, loop, multiply, negate


@dataclass(frozen=True)
class Unknowns:
    """What is solved for, in place of the right-hand sides: a vector (no columns) or a matrix."""

    x: Part
    names: Names

    @property
    def columns(self) -> IntExpr | None:
        return self.x.shape[1] if len(self.x.shape) > 1 else None

    def store(self, row: IntExpr, value: Callable[[tuple[IntExpr, ...]], Value], combine: str | None = None) -> Stmt:
        """x[row, :] = value, for every column."""
        c = IntVar(self.names("c"))
        if self.columns is None:
            return self.x.store((row,), value(()), combine)
        return lanes(c, self.columns, self.x.store((row, c), value((c,)), combine))

    def load(self, row: IntExpr, rest: tuple[IntExpr, ...]) -> Load:
        return self.x.at(row, *rest)


def by_rows(factors: Factors, x: Unknowns) -> Body:
    """A X = B: P, then L from the top, then U from the bottom: each row of X is finished by a row of the factors."""
    n, k, i = factors.extent, IntVar(x.names("k")), IntVar(x.names("i"))
    bottom = n - 1 - i
    swap = loop(k, n, *swap_rows(x.x, k, factors.pivot_row(k), x.columns, x.names))
    lower = loop(i, n, *_subtract(factors, x, i, ZERO, i))
    upper = loop(i, n, *_subtract(factors, x, bottom, bottom + 1, i), _finish(factors, x, bottom))
    return (swap, lower, upper)


def _subtract(factors: Factors, x: Unknowns, row: IntExpr, first: IntExpr, count: IntExpr) -> Body:
    """x[row] -= Σ factors[row, k]·x[k] over `count` k from `first`."""
    counter, dtype = IntVar(x.names("k")), factors.lu.dtype
    k = counter + first
    if x.columns is not None:
        entry = Var(x.names("entry"), dtype)
        sweep = x.store(row, lambda rest: multiply(negate(entry), x.load(k, rest)), "add")
        return (loop(counter, count, Let(entry.name, factors.lu.at(row, k)), sweep),)
    total = cell(x.names("total"), dtype)
    return (
        Alloc(total.buffer),
        total.store((ZERO,), Const(0.0, dtype)),
        lanes(counter, count, total.store((ZERO,), multiply(factors.lu.at(row, k), x.load(k, ())), "add")),
        x.x.store((row,), Op("sub", (x.load(row, ()), total.at(ZERO)), dtype)),
    )


def _finish(factors: Factors, x: Unknowns, row: IntExpr) -> Stmt:
    """x[row] /= U[row, row]."""
    return x.store(row, lambda rest: divide(x.load(row, rest), factors.lu.at(row, row)))


def by_columns(factors: Factors, x: Unknowns) -> Body:
    """Aᵀ X = B: Uᵀ from the top, Lᵀ from the bottom, then P backwards: rows of the factors are columns here."""
    n, k, i = factors.extent, IntVar(x.names("k")), IntVar(x.names("i"))
    bottom, last = n - 1 - i, n - 1 - k
    upper = loop(i, n, _finish(factors, x, i), *_spread(factors, x, i, i + 1, n - 1 - i))
    lower = loop(i, n, *_spread(factors, x, bottom, ZERO, bottom))
    return (upper, lower, loop(k, n, *swap_rows(x.x, last, factors.pivot_row(last), x.columns, x.names)))


def _spread(factors: Factors, x: Unknowns, row: IntExpr, first: IntExpr, count: IntExpr) -> Body:
    """x[k] -= factors[row, k]·x[row] for `count` k from `first`."""
    counter = IntVar(x.names("k"))
    k = counter + first
    if x.columns is not None:
        entry = Var(x.names("entry"), factors.lu.dtype)
        sweep = x.store(k, lambda rest: multiply(negate(entry), x.load(row, rest)), "add")
        return (loop(counter, count, Let(entry.name, factors.lu.at(row, k)), sweep),)
    known = Var(x.names("known"), factors.lu.dtype)
    sweep = x.x.store((k,), multiply(negate(factors.lu.at(row, k)), known), "add")
    return (Let(known.name, x.load(row, ())), lanes(counter, count, sweep))

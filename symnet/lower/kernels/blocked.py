"""Blocked elimination with partial pivoting: the matrix passes through the cache once for every PANEL columns.

In: `LuFactors`, a buffer that holds A, and one for a panel.  Out: statements.

    for every PANEL columns:
        pack     the columns, from the diagonal down, as rows of the panel: pivots are searched along contiguous memory
        factor   the panel, swapping whole rows of A
        unpack   the panel
        row      U of these rows, right of the panel
        update   the rest of A, less L·U: some rows at a time, each element read and written once

Source: J. Dongarra, I. Duff, D. Sorensen, H. van der Vorst, "Numerical Linear Algebra for High-Performance Computers",
1998, section 5.4 (the right-looking variant).
"""

from __future__ import annotations

from dataclasses import dataclass

from symnet.loops.ir import (
    Alloc,
    Body,
    Const,
    FromInt,
    If,
    IntCondition,
    IntExpr,
    IntVar,
    Let,
    Op,
    Var,
    as_int,
    ceil_div,
    int_min,
)
from symnet.lower.kernels.elimination import LuFactors, swap_rows
from symnet.lower.kernels.panel import PANEL, Product, subtract_product
from symnet.lower.kernels.statements import INT_ZERO, MatrixPart, Names, cell, divide, lanes, loop, multiply, negate

SMALLEST = 48  # extent from which the panel pays
_NOWHERE = 2**63 - 1


@dataclass(frozen=True)
class _Panel:
    """Columns k0 … k0 + width - 1 of A, of which rows k0 … n - 1 are at hand: `packed[s, r]` is A[k0 + r, k0 + s]."""

    factors: LuFactors
    packed: MatrixPart
    k0: IntExpr
    names: Names

    @property
    def lu(self) -> MatrixPart:
        return self.factors.lu

    @property
    def height(self) -> IntExpr:
        return self.factors.extent - self.k0

    @property
    def width(self) -> IntExpr:
        return int_min(PANEL, self.height)

    def var(self, name: str) -> IntVar:
        return IntVar(self.names(name))

    def let(self, name: str, dtype: str | None = None) -> Var:
        return Var(self.names(name), dtype or self.lu.dtype)


def eliminate_in_panels(factors: LuFactors, packed: MatrixPart, names: Names) -> Body:
    """P A = L U for the A that `factors.lu` holds; `packed`: (PANEL, n), scratch."""
    panel = IntVar(names("panel"))
    p = _Panel(factors, packed, panel * PANEL, names)
    rest = p.height - PANEL
    beyond = If(IntCondition("gt", rest, INT_ZERO), (*_finish_rows(p, rest), *_update(p, rest)))
    steps = (*_copy(p, pack=True), *_factor(p), *_copy(p, pack=False), beyond)
    return (loop(panel, ceil_div(factors.extent, PANEL), *steps),)


def _copy(p: _Panel, pack: bool) -> Body:
    """Copy the columns into the panel, as its rows, or back."""
    r, s = p.var("r"), p.var("s")
    there = (p.k0 + r, p.k0 + s)
    move = p.packed.store((s, r), p.lu.at(*there)) if pack else p.lu.store(there, p.packed.at(s, r))
    return (loop(r, p.height, loop(s, p.width, move)),)


def _factor(p: _Panel) -> Body:
    """Factor the panel: for every column pivot, swap, divide, and subtract from the columns behind it."""
    t, s, r = p.var("t"), p.var("s"), p.var("r")
    place = p.factors.pivot_row(p.k0 + t) - p.k0
    pivot, factor = p.let("pivot"), p.let("factor")
    is_zero = Op("eq", (p.packed.at(t, t), Const(0.0, p.lu.dtype)), "bool")
    below = p.height - t - 1
    multiples = p.packed.store((t, r + t + 1), divide(p.packed.at(t, r + t + 1), pivot))
    column = s + t + 1
    change = p.packed.store((column, r + t + 1), multiply(factor, p.packed.at(t, r + t + 1)), "add")
    others = loop(s, p.width - t - 1, Let(factor.name, negate(p.packed.at(column, t))), lanes(r, below, change))
    return (
        loop(
            t,
            p.width,
            *_choose_pivot(p, t),
            *swap_rows(p.lu, p.k0 + t, place + p.k0, p.factors.extent, p.names),
            *_swap_in_panel(p, t, place),
            Let(pivot.name, Op("select", (is_zero, Const(1.0, p.lu.dtype), p.packed.at(t, t)), p.lu.dtype)),
            lanes(r, below, multiples),
            others,
        ),
    )


def _choose_pivot(p: _Panel, t: IntVar) -> Body:
    """The first row of the largest element of column t, from the diagonal down; of a NaN, where there is one."""
    dtype, r = p.lu.dtype, p.var("r")
    best, first = cell(p.names("pivot.best"), dtype), cell(p.names("pivot.first"), "int64")
    size, largest = p.let("size"), p.let("largest")
    reached, strange, here = p.let("reached", "bool"), p.let("strange", "bool"), p.let("here", "bool")
    element = Let(size.name, Op("abs", (p.packed.at(t, r + t),), dtype))
    where = Op("select", (here, FromInt(r, "int64"), Const(_NOWHERE, "int64")), "int64")
    return (
        Alloc(best.buffer),
        Alloc(first.buffer),
        best.store((INT_ZERO,), Const(0.0, dtype)),
        first.store((INT_ZERO,), Const(_NOWHERE, "int64")),
        lanes(r, p.height - t, element, best.store((INT_ZERO,), size, "max")),
        Let(largest.name, best.at(INT_ZERO)),
        lanes(
            r,
            p.height - t,
            element,
            Let(reached.name, Op("eq", (size, largest), "bool")),
            Let(strange.name, Op("ne", (size, size), "bool")),
            Let(here.name, Op("or", (reached, strange), "bool")),
            first.store((INT_ZERO,), where, "min"),
        ),
        p.factors.swaps.store((p.k0 + t,), Op("add", (first.at(INT_ZERO), FromInt(p.k0 + t, "int64")), "int64")),
    )


def _swap_in_panel(p: _Panel, t: IntVar, place: IntExpr) -> Body:
    s = p.var("s")
    upper, lower = p.let("upper"), p.let("lower")
    exchange = (
        Let(upper.name, p.packed.at(s, t)),
        Let(lower.name, p.packed.at(s, place)),
        p.packed.store((s, t), lower),
        p.packed.store((s, place), upper),
    )
    return (loop(s, p.width, *exchange),)


def _finish_rows(p: _Panel, rest: IntExpr) -> Body:
    """U of the panel's rows, in the columns right of it: the triangle L of the panel is solved with."""
    t, s, j = p.var("t"), p.var("s"), p.var("j")
    entry, column = p.let("entry"), j + p.k0 + PANEL
    change = p.lu.store((p.k0 + t, column), multiply(entry, p.lu.at(p.k0 + s, column)), "add")
    inside = (Let(entry.name, negate(p.lu.at(p.k0 + t, p.k0 + s))), lanes(j, rest, change))
    return (loop(t, as_int(PANEL), loop(s, t, *inside)),)


def _update(p: _Panel, rest: IntExpr) -> Body:
    """A[i, j] -= Σ L[i, s]·U[s, j] over the panel, for all rows and columns behind it."""
    behind = p.k0 + PANEL
    product = Product(
        target=lambda i, j: (behind + i, behind + j),
        left=lambda i, s: p.lu.at(behind + i, p.k0 + s),
        right=lambda s, j: p.lu.at(p.k0 + s, behind + j),
    )
    return subtract_product(p.lu, product, rest, rest, p.names)

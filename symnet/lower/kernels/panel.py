"""The step that blocked elimination and blocked substitution share: rows less a product with PANEL factors.

In: where the rows are, and the two factors.  Out: statements that read and write each element once, ROWS rows at a
time, with lanes along the columns.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from symnet.loops.ir import Body, IntExpr, IntVar, Let, Op, Stmt, Value, Var, int_floordiv, int_mod
from symnet.lower.kernels.statements import MatrixPart, Names, lanes, loop, multiply, negate

PANEL = 8  # factors of a product
ROWS = 4  # rows of a tile: ROWS·PANEL numbers and PANEL vectors are at hand


@dataclass(frozen=True)
class Product:
    """target(i, j) -= Σ left(i, s)·right(s, j) over s < PANEL."""

    target: Callable[[IntExpr, IntExpr], tuple[IntExpr, IntExpr]]
    left: Callable[[IntExpr, int], Value]
    right: Callable[[int, IntExpr], Value]


def subtract_product(x: MatrixPart, product: Product, rows: IntExpr, columns: IntExpr, names: Names) -> Body:
    """x[target(i, j)] -= Σ left(i, s)·right(s, j), for all i < rows and j < columns."""
    i = IntVar(names("i"))
    whole = int_floordiv(rows, ROWS)
    return (
        loop(i, whole, *_tile(x, product, i * ROWS, ROWS, columns, names)),
        loop(i, int_mod(rows, ROWS), *_tile(x, product, whole * ROWS + i, 1, columns, names)),
    )


def _tile(x: MatrixPart, product: Product, first: IntExpr, rows: int, columns: IntExpr, names: Names) -> Body:
    j = IntVar(names("j"))
    left = {(r, s): Var(names(f"left{r}_{s}"), x.dtype) for r in range(rows) for s in range(PANEL)}
    right = [Var(names(f"right{s}"), x.dtype) for s in range(PANEL)]
    known = [Let(entry.name, negate(product.left(first + r, s))) for (r, s), entry in left.items()]
    inside: list[Stmt] = [Let(vector.name, product.right(s, j)) for s, vector in enumerate(right)]
    for r in range(rows):
        place = product.target(first + r, j)
        value: Value = x.at(*place)
        for s in range(PANEL):
            total = Var(names(f"sum{r}_{s}"), x.dtype)
            inside.append(Let(total.name, Op("add", (value, multiply(left[r, s], right[s])), x.dtype)))
            value = total
        inside.append(x.store(place, value))
    return (*known, lanes(j, columns, *inside))

"""Run-time extents: integer expressions over dims as numbers, and dims found from the shapes of arguments.

In: `IntExpr`s of a signature, the extents of arrays.  Out: Python ints.

Not handled: integer loads (no shape depends on data); solving for a dim that stands under a min, a division or
a product of two dims: such a dim must come from another axis, or by keyword.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from symnet.loops.integers import IntAdd, IntConst, IntExpr, IntFloorDiv, IntMin, IntMod, IntMul, IntVar

Dims = Mapping[str, int]


def evaluate(expr: IntExpr, dims: Dims) -> int:
    """The value of an expression; dims: extent by name."""
    return _EVALUATE[type(expr)](expr, dims)


def evaluate_shape(shape: tuple[IntExpr, ...], dims: Dims) -> tuple[int, ...]:
    """A shape as numbers."""
    return tuple(_EVALUATE[type(extent)](extent, dims) for extent in shape)


def solve(expr: IntExpr, extent: int) -> tuple[str, int] | None:
    """The one dim and its value for which a linear `expr` is `extent`; None where there is no such dim.

    solve(2*m + 1, 7) = ("m", 3); solve(2*m, 7) = None.
    """
    while isinstance(expr, IntAdd | IntMul):
        known, unknown = (expr.left, expr.right) if isinstance(expr.left, IntConst) else (expr.right, expr.left)
        if not isinstance(known, IntConst):
            return None
        if isinstance(expr, IntAdd):
            extent -= known.value
        elif known.value and extent % known.value == 0:
            extent //= known.value
        else:
            return None
        expr = unknown
    return (expr.name, extent) if isinstance(expr, IntVar) and extent >= 0 else None


_EVALUATE: dict[type[IntExpr], Callable[[Any, Dims], int]] = {
    IntConst: lambda e, dims: e.value,
    IntVar: lambda e, dims: dims[e.name],
    IntAdd: lambda e, dims: evaluate(e.left, dims) + evaluate(e.right, dims),
    IntMul: lambda e, dims: evaluate(e.left, dims) * evaluate(e.right, dims),
    IntMin: lambda e, dims: min(evaluate(e.left, dims), evaluate(e.right, dims)),
    IntFloorDiv: lambda e, dims: evaluate(e.value, dims) // e.divisor,
    IntMod: lambda e, dims: evaluate(e.value, dims) % e.divisor,
}

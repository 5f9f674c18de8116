"""Extents of the graph as integers of the loop language.

In: an int or a SymPy polynomial over dims.  Out: an IntExpr.
"""

from __future__ import annotations

import sympy

from symnet.errors import ShapeError, explain
from symnet.expr.nodes.node import Extent, Shape
from symnet.loops.ir import IntConst, IntExpr, IntVar


def lower_extent(extent: Extent) -> IntExpr:
    """The extent as a sum of products of dims."""
    if isinstance(extent, int):
        return IntConst(extent)
    if isinstance(extent, sympy.Symbol):
        return IntVar(extent.name)
    total: IntExpr = IntConst(0)
    for term in sympy.Add.make_args(sympy.expand(extent)):
        coefficient, rest = term.as_coeff_Mul()
        if not coefficient.is_Integer:
            raise ShapeError(
                explain("lower", "extents with whole coefficients", str(extent), "Give that axis a dim of its own.")
            )
        product: IntExpr = IntConst(int(coefficient))
        for factor in sympy.Mul.make_args(rest):
            base, power = factor.as_base_exp()
            for _ in range(int(power) if base.is_Symbol else 0):
                product = product * IntVar(base.name)
        total = total + product
    return total


def lower_shape(shape: Shape) -> tuple[IntExpr, ...]:
    return tuple(map(lower_extent, shape))

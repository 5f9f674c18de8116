"""How functions that are kept whole are computed: a pass of the numeric form.

In: functions of √z kept whole (`expr/sympy/whole.py`).  Out: near 0 the polynomial in z that each is there, with all
digits, and elsewhere the formula.
Not handled: functions that need more terms than a polynomial has (`near_zero.py`); they have three, close to 0 alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import lru_cache

from sympy import Expr, Float

from symnet.expr.nodes.constants import number
from symnet.expr.nodes.elementwise import elementwise, sqrt, where
from symnet.expr.nodes.graph import rebuild, substitute
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import scalar, tensor
from symnet.expr.sympy.scalars import from_scalar
from symnet.expr.sympy.whole import ROOT, divisors_in_front, formula_of
from symnet.simplify.algebra.table import simplify
from symnet.simplify.engine import Normalizer, Table
from symnet.simplify.forms.coefficients import ONE
from symnet.simplify.numeric.cancellations import CANCELLATIONS
from symnet.simplify.numeric.differences import DIFFERENCES
from symnet.simplify.numeric.singularities.expansions import RADII, Expander
from symnet.simplify.numeric.singularities.near_zero import SeriesNearZero, evaluated, polynomial_of
from symnet.simplify.numeric.singularities.power_series import LENGTH, Series
from symnet.simplify.rewrite import GraphRewrite
from symnet.simplify.trace import Step

TABLE = Table((*DIFFERENCES, *CANCELLATIONS))


def evaluated_wholes(roots: Iterable[Node], trace: list[Step] | None = None) -> list[Node]:
    """S(z) → where(z < r², 1 - z/6 + z²/120 - …, sin(√z)/√z)."""

    def opened(node: Node) -> Node:
        formula = formula_of(node)
        if formula is None:
            return node
        (z,) = node.operands
        start, polynomial = near_zero(formula, str(node.dtype))
        near = evaluated(polynomial, z)
        if start:
            near = elementwise("mul", z if start == 2 else elementwise("pow", z, number(start // 2)), near)
        (far,) = substitute([far_from_zero(formula, str(node.dtype))], {_root(str(node.dtype)): sqrt(z)})
        value = where(elementwise("lt", z, number(polynomial.radius**2)), near, far)
        if trace is not None:
            trace.append(Step(WHOLES, node, value, node, value))
        return value

    return rebuild(roots, opened)


@lru_cache(maxsize=1024)
def near_zero(formula: Expr, dtype: str) -> tuple[int, SeriesNearZero]:
    """What a formula in t is near 0: t^start times a polynomial in t²."""
    t = scalar("t")
    body = from_scalar(formula, {ROOT: t})
    found = Expander(LENGTH, formula.has(Float)).of(body, {(t, ()): ONE})
    if found is None:  # nothing is left of it: the slope of cos(t) + 2·sin(t/2)²
        return 0, SeriesNearZero((0.0,), 2, RADII[0])
    polynomial = polynomial_of(found.series, dtype, math.inf)
    return found.series.start, polynomial or _first_terms(found.series)


@lru_cache(maxsize=1024)
def far_from_zero(formula: Expr, dtype: str) -> Node:
    """What a formula in t is beyond: with the digits that cancel elsewhere, as those of 1 + cos t at π."""
    body = divisors_in_front(formula)
    return Normalizer(TABLE)(simplify([from_scalar(body, {ROOT: _root(dtype)})]))[0]


def _root(dtype: str) -> Node:
    return tensor("_t", dtype=dtype, positive=True)


def _first_terms(series: Series) -> SeriesNearZero:
    """The first three terms of an even series, for |u| < 2⁻¹⁰, where a fourth is nothing."""
    return SeriesNearZero(tuple(series.number(n) for n in (0, 2, 4)), 2, 2.0**-10)


WHOLES = GraphRewrite(evaluated_wholes, domain="extends", role="stable")

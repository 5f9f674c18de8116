"""Where a critical point is one: conditions on the free variables of a family, and on parameters.

In: a function, and a point as symbol → value.  Out: SymPy's conditions; `true` where there are none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sympy


def defined(expr: Any, at: Mapping[sympy.Symbol, sympy.Expr]) -> sympy.Basic:
    """What the free variables of a family must fulfil: nothing in f divides by zero or takes its logarithm."""
    below = [p.base for p in expr.atoms(sympy.Pow) if p.exp.is_extended_negative]
    values = [sympy.factor(b.subs(at)) for b in [*below, *(g.args[0] for g in expr.atoms(sympy.log))]]
    if any(v.is_zero for v in values):
        return sympy.false
    factors = [f for v in values if set(at) & v.free_symbols for f in _factors(v)]
    return sympy.And(*(sympy.Ne(f, 0) for f in factors if set(at) & f.free_symbols and not f.is_nonzero))


def _factors(value: sympy.Expr) -> list[sympy.Expr]:
    """What a value is zero with, one of them: the bases of the powers that its numerator is a product of."""
    factors = sympy.Mul.make_args(sympy.fraction(value)[0])
    return [f.base if isinstance(f, sympy.Pow) and f.exp.is_positive else f for f in factors if not f.is_number]


def real(at: Mapping[sympy.Symbol, sympy.Expr]) -> sympy.Basic:
    """Where the coordinates of a point are real, and positive where they must be: no even root in them is of a negative
    number, no logarithm either.
    """
    roots = [p.base for v in at.values() for p in v.atoms(sympy.Pow) if p.exp.is_Rational and p.exp.q % 2 == 0]
    inside = [*roots, *(g.args[0] for v in at.values() for g in v.atoms(sympy.log))]
    positive = [v for s, v in at.items() if s.is_positive and s != v]
    return sympy.And(*(_range(sympy.Ge(v, 0)) for v in inside), *(_range(sympy.Gt(v, 0)) for v in positive))


def _range(condition: sympy.Basic) -> sympy.Basic:
    """Where a condition on one variable holds: an interval of it where SymPy finds one, and not a whole line."""
    if condition in (sympy.true, sympy.false) or len(condition.free_symbols) != 1:
        return condition
    (x,) = condition.free_symbols
    try:
        found = sympy.solve_univariate_inequality(condition, x, relational=False)
    except (NotImplementedError, TypeError, ValueError):
        return condition
    if not isinstance(found, sympy.Interval):
        return condition
    if x.is_integer:
        low = sympy.floor(found.start) + 1 if found.left_open else sympy.ceiling(found.start)
        high = sympy.ceiling(found.end) - 1 if found.right_open else sympy.floor(found.end)
        sides = (low <= x, x <= high)
    else:
        low, high = found.start, found.end
        sides = (low < x if found.left_open else low <= x, x < high if found.right_open else x <= high)
    return sympy.And(*(side for side in sides if not side.has(sympy.oo)))

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
    factors = [f for v in values if set(at) & v.free_symbols for f, _ in sympy.factor_list(v)[1]]
    return sympy.And(*(sympy.Ne(f, 0) for f in factors if set(at) & f.free_symbols and not f.is_nonzero))


def real(at: Mapping[sympy.Symbol, sympy.Expr]) -> sympy.Basic:
    """Where the coordinates of a point are real: no even root in them is of a negative number, no logarithm either."""
    roots = [p.base for v in at.values() for p in v.atoms(sympy.Pow) if p.exp.is_Rational and p.exp.q % 2 == 0]
    inside = [*roots, *(g.args[0] for v in at.values() for g in v.atoms(sympy.log))]
    return sympy.And(*map(_never_negative, inside))


def _never_negative(value: sympy.Expr) -> sympy.Basic:
    """Where a value is at least 0: an interval of its one variable where SymPy finds one, and not a whole line."""
    condition = sympy.Ge(value, 0)
    if condition in (sympy.true, sympy.false) or len(value.free_symbols) != 1:
        return condition
    (x,) = value.free_symbols
    try:
        found = sympy.solve_univariate_inequality(condition, x, relational=False)
    except (NotImplementedError, TypeError, ValueError):
        return condition
    if not isinstance(found, sympy.Interval):
        return condition
    sides = (found.start <= x, x <= found.end)
    return sympy.And(*(side for side in sides if not side.has(sympy.oo)))

"""What stands at a critical point: a verdict by the Hessian, or by a higher derivative, and where it holds.

In: f, its gradient and a solution of gradient = 0, all of SymPy.  Out: `CriticalPoint`s: none where f is not defined
there or the solution is never real, two where the verdict alternates along a family.
The signs of a symmetric Hessian's eigenvalues are counted from its characteristic polynomial, exactly: all its roots
are real, so Descartes' rule counts them.
Not handled: kinks (`kinks.py`); what SymPy fails at is "undecided".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import sympy
from sympy.matrices.exceptions import MatrixError

from symnet.study.critical_points.conditions import defined, real
from symnet.study.critical_points.kinks import CONSTANT, MAXIMUM, MINIMUM, NOT_STRICT, kink_equations, sign_of
from symnet.study.critical_points.points import CriticalPoint

SADDLE = "saddle"
INFLECTION = "undecided (inflection possible)"
PARAMETERS = "undecided (it depends on parameters)"
NOT_SMOOTH = "undecided (it is not smooth there)"
FAILED = "undecided (SymPy fails there)"


def number(value: sympy.Expr) -> float:
    """A number to sort by; what is none comes last."""
    return float(value) if value.is_number and value.is_extended_real else float("inf")


def points_at(
    expr: Any, gradient: Sequence[Any], variables: Sequence[Any], solution: dict[Any, Any]
) -> list[CriticalPoint]:
    """What is to be said of a solution; "undecided" where SymPy fails, whatever it raises."""
    try:
        return list(_judged(expr, gradient, variables, solution))
    except Exception:  # SymPy's kinds of failure have no end
        at = {s: solution.get(s, s) for s in variables}
        unknown = sympy.zeros(len(variables)) * sympy.nan
        return [CriticalPoint(at, expr.subs(at), unknown, (sympy.nan,) * len(variables), FAILED)]


def _judged(
    expr: Any, gradient: Sequence[Any], variables: Sequence[Any], solution: dict[Any, Any]
) -> Iterator[CriticalPoint]:
    """What is to be said of a solution; nothing where f is not defined there."""
    at = {s: sympy.simplify(solution.get(s, s)) for s in variables}
    second = sympy.Matrix([[sympy.diff(g, s) for s in variables] for g in gradient])
    hessian = second.subs(at).applyfunc(sympy.simplify)
    value = sympy.simplify(expr.subs(at))
    along = sum(s == v for s, v in at.items())  # how many of the variables stay free: the dimension of a family
    where = sympy.And(defined(expr, at), real(at))
    if where == sympy.false:
        return
    index = _index(at, expr)
    at_kink = any(sympy.simplify(e.subs(at)) == 0 for e in kink_equations(expr, *gradient))
    verdict = NOT_SMOOTH if at_kink or hessian.has(sympy.DiracDelta) else verdict_of(hessian, along)
    if verdict == PARAMETERS:
        verdict, where = _inside(hessian, along, where)
    higher = _higher(gradient[0], variables[0], at) if verdict == INFLECTION and len(variables) == 1 else None
    if verdict == PARAMETERS and index is not None and _alternates(index, hessian):
        for half in (2 * index, 2 * index + 1):
            yield from _judged(expr, gradient, variables, {s: v.subs(index, half) for s, v in at.items()})
        return
    eigenvalues = (sympy.nan,) * len(variables) if verdict == NOT_SMOOTH else _eigenvalues(hessian)
    yield CriticalPoint(at, value, hessian, eigenvalues, verdict, higher, where=where, index=index)


def _index(at: Mapping[sympy.Symbol, sympy.Expr], expr: sympy.Expr) -> sympy.Symbol | None:
    """The integer that counts the points of a family: a symbol of a coordinate that f has not."""
    return next((s for v in at.values() for s in v.free_symbols - expr.free_symbols if s.is_integer), None)


def _alternates(index: sympy.Symbol, hessian: sympy.Matrix) -> bool:
    """Whether the Hessian's sign alternates: (-1)**k in it."""
    return any(p.base == -1 and p.exp.has(index) for e in hessian for p in e.atoms(sympy.Pow))


def _inside(hessian: sympy.Matrix, along: int, where: sympy.Basic) -> tuple[str, sympy.Basic]:
    """The verdict where a parameter is above 0, if a point is real for those that are not below; and where it holds."""
    if not isinstance(where, sympy.Rel):
        return PARAMETERS, where
    least, most = (where.lts, where.gts) if isinstance(where, sympy.Ge | sympy.Le) else (None, None)
    if least != 0 or not isinstance(most, sympy.Symbol):
        return PARAMETERS, where
    inside = {"nonnegative": True, "integer": True} if most.is_integer else {"positive": True}
    verdict = verdict_of(hessian.subs(most, sympy.Dummy(most.name, **inside)).applyfunc(sympy.simplify), along)
    if verdict == PARAMETERS:
        return PARAMETERS, where
    return verdict, where if most.is_integer else sympy.Gt(most, 0)


_HIGHEST = 12


def _higher(slope: sympy.Expr, x: sympy.Symbol, at: Mapping[sympy.Symbol, sympy.Expr]) -> tuple[int, Any, str] | None:
    """The first derivative of f that is not zero: of even order it decides as f″ does, of odd there is neither."""
    derivative = sympy.diff(slope, x)
    for order in range(3, _HIGHEST + 1):
        derivative = sympy.diff(derivative, x)
        value = sympy.simplify(derivative.subs(at))
        sign = sign_of(value) if value.is_finite is not False else None
        if sign is None:
            return None
        if sign:
            return order, value, "inflection" if order % 2 else MINIMUM if sign > 0 else MAXIMUM
    return None


def _eigenvalues(hessian: sympy.Matrix) -> tuple[Any, ...]:
    """The eigenvalues: exact where SymPy has a formula, to 15 digits otherwise."""
    if len(hessian) == 1:
        return (hessian[0],)
    found: list[Any] = []
    try:
        found = [v for value, count in hessian.eigenvals().items() for v in [sympy.simplify(value)] * count]
        exact = len(found) == hessian.rows and not any(v.has(sympy.I, sympy.RootOf) for v in found)
    except (MatrixError, NotImplementedError):
        exact = False
    if not exact and not hessian.free_symbols:
        found = [sympy.Float(v) for v in np.linalg.eigvalsh(np.array(hessian.tolist(), dtype=float))]
    return tuple(sorted(found, key=number))


def verdict_of(hessian: sympy.Matrix, along: int = 0) -> str:
    """The verdict by the signs of the coefficients of the characteristic polynomial; `along` of its zeros lie along a
    family.
    """
    coefficients = hessian.charpoly().all_coeffs()
    signs = [sign_of(c) for c in coefficients]
    if None in signs:
        return _verdict_with_parameters(hessian)
    kept = [s for s in signs if s]
    positive = sum(a != b for a, b in pairwise(kept))
    zero = next(k for k, s in enumerate(reversed(signs)) if s)
    negative = hessian.rows - zero - positive
    return named(positive, negative, zero, along)


def named(positive: int, negative: int, zero: int, along: int = 0) -> str:
    if positive and negative:
        return SADDLE
    if zero and zero != along:
        return INFLECTION
    if not positive and not negative:
        return CONSTANT
    return (MINIMUM if positive else MAXIMUM) + (NOT_STRICT if zero else "")


def _verdict_with_parameters(hessian: sympy.Matrix) -> str:
    if hessian.is_positive_definite:
        return MINIMUM
    return MAXIMUM if hessian.is_negative_definite else PARAMETERS

"""What stands at a critical point: a verdict by the Hessian, or by a higher derivative, and where it holds.

In: f, its gradient and a solution of gradient = 0, all of SymPy.  Out: `CriticalPoint`s: none where f is not defined
there or the solution is never real, two where the verdict alternates along a family.
The signs of a symmetric Hessian's eigenvalues are counted from its characteristic polynomial, exactly: all its roots
are real, so Descartes' rule counts them.
Not handled: kinks (`kinks.py`); what SymPy fails at is "undecided".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise, product
from typing import Any

import numpy as np
import sympy
from sympy.matrices.exceptions import MatrixError

from symnet.study.critical_points.conditions import conditions, told
from symnet.study.critical_points.failures import is_foreign
from symnet.study.critical_points.families import as_quotients
from symnet.study.critical_points.kinks import CONSTANT, MAXIMUM, MINIMUM, NOT_STRICT, kink_equations, sign_of
from symnet.study.critical_points.points import CriticalPoint
from symnet.study.critical_points.signs import SignedFactors, factors, parts

SADDLE = "saddle"
INFLECTION = "undecided (inflection possible)"
PARAMETERS = "undecided (it depends on parameters)"
NOT_SMOOTH = "undecided (it is not smooth there)"
FAILED = "undecided (SymPy fails there)"


def number(value: sympy.Expr) -> float:
    """A number to sort by; what is none comes last."""
    return float(value) if value.is_number and value.is_extended_real else float("inf")


def points_at(
    expr: Any, gradient: Sequence[Any], variables: Sequence[Any], solution: dict[Any, Any], given: Any = sympy.true
) -> list[CriticalPoint]:
    """What is to be said of a solution; "undecided" where SymPy fails, whatever it raises.

    Args:
        expr: f.
        gradient: of f, by each variable.
        variables: the symbols.
        solution: a value for each variable; those without one are free.
        given: what is known of the symbols besides their assumptions.
    """
    try:
        return list(_judged(expr, gradient, variables, solution, given))
    except Exception as error:
        if not is_foreign(error):
            raise
        return [_undecided(expr, variables, {s: solution.get(s, s) for s in variables})]


def _undecided(expr: Any, variables: Sequence[Any], at: dict[Any, Any]) -> CriticalPoint:
    unknown = sympy.zeros(len(variables)) * sympy.nan
    return CriticalPoint(at, expr.subs(at), unknown, (sympy.nan,) * len(variables), FAILED)


def _judged(
    expr: Any,
    gradient: Sequence[Any],
    variables: Sequence[Any],
    solution: dict[Any, Any],
    given: Any,
    halved: bool = False,
) -> Iterator[CriticalPoint]:
    """What is to be said of a solution; nothing where f is not defined there.  Of a family it may be so at every other
    point: then at those of even number, and those of odd, which `halved` says.
    """
    at = {s: _squares_out(sympy.simplify(solution.get(s, s))) for s in variables}
    gradient = list(map(as_quotients, gradient))  # 1/tan is 0 at π/2, where tan is infinite
    where, index = conditions(expr, gradient, at, given), _index(at, expr)
    if index is not None and not halved and (where == sympy.false or _has_signs(index, where)):
        for half in (2 * index, 2 * index + 1):
            each = {s: sympy.expand(v.subs(index, half)) for s, v in at.items()}
            yield from _judged(expr, gradient, variables, each, given, halved=True)
        return
    if where == sympy.false:
        return
    second = sympy.Matrix([[sympy.diff(g, s) for s in variables] for g in gradient])
    hessian = second.applyfunc(lambda e: _put(e, at))
    value = _squares_out(_put(expr, at))
    along = sum(s == v for s, v in at.items())  # how many of the variables stay free: the dimension of a family
    if index is not None and not all(
        _holds_along(e, found, at, index) for e, found in zip((expr, *second), (value, *hessian), strict=True)
    ):
        yield _undecided(expr, variables, at)
        return
    at_kink = any(sympy.simplify(e.subs(at)) == 0 for e in kink_equations(expr, *gradient))
    smooth = not at_kink and not hessian.has(sympy.DiracDelta)
    verdict = verdict_of(hessian, along, sympy.And(where, given)) if smooth else NOT_SMOOTH
    if verdict == PARAMETERS:
        verdict, where = _inside(hessian, along, where, given)
    higher = _higher(gradient[0], variables[0], at) if verdict == INFLECTION and len(variables) == 1 else None
    if verdict == PARAMETERS and index is not None and _alternates(index, hessian):
        for half in (2 * index, 2 * index + 1):
            each = {s: v.subs(index, half) for s, v in at.items()}
            yield from _judged(expr, gradient, variables, each, given)
        return
    eigenvalues = (sympy.nan,) * len(variables) if verdict == NOT_SMOOTH else _eigenvalues(hessian)
    cases = _cases(hessian, along, sympy.And(where, given)) if verdict == PARAMETERS else ()
    yield CriticalPoint(at, value, hessian, eigenvalues, verdict, higher, where=where, index=index, cases=cases)


def _put(value: sympy.Expr, at: Mapping[sympy.Symbol, sympy.Expr]) -> sympy.Expr:
    """The value at a point, simplified; along a family sines of sums are taken apart first."""
    if not any(s.is_integer for v in at.values() for s in v.free_symbols):
        return sympy.simplify(value.subs(at))
    return sympy.simplify(sympy.expand_trig(as_quotients(value).subs(at)))


def _holds_along(
    expr: sympy.Expr, found: sympy.Expr, at: Mapping[sympy.Symbol, sympy.Expr], index: sympy.Symbol
) -> bool:
    """Whether what was found for every point of a family is so at the first few, where they are numbers."""
    for k in range(4):
        there = {s: v.subs(index, k) for s, v in at.items()}
        one, other = sympy.N(expr.subs(there)), sympy.N(found.subs(index, k))
        if one.is_Float and other.is_Float and abs(one - other) > 1e-6 * max(1, abs(one)):
            return False
    return True


def _squares_out(value: sympy.Expr) -> sympy.Expr:
    """Even roots of squares as absolute values: √(x² - 2xm + m²) is |x - m|."""

    def out(root: sympy.Expr) -> sympy.Expr:
        base = sympy.factor(root.base)
        squares = any(f.is_Pow and f.exp.is_even for f in sympy.Mul.make_args(base))
        return sympy.Pow(base, root.exp) if squares else root

    return value.replace(lambda e: e.is_Pow and e.exp.is_Rational and e.exp.q % 2 == 0 and e.base.free_symbols, out)


def _index(at: Mapping[sympy.Symbol, sympy.Expr], expr: sympy.Expr) -> sympy.Symbol | None:
    """The integer that counts the points of a family: a symbol of a coordinate that f has not."""
    return next((s for v in at.values() for s in v.free_symbols - expr.free_symbols if s.is_integer), None)


def _alternates(index: sympy.Symbol, hessian: sympy.Matrix) -> bool:
    """Whether the Hessian's sign alternates: (-1)**k in it."""
    return any(_has_signs(index, e) for e in hessian)


def _has_signs(index: sympy.Symbol, value: sympy.Basic) -> bool:
    return any(p.base == -1 and p.exp.has(index) for p in value.atoms(sympy.Pow))


def _inside(hessian: sympy.Matrix, along: int, where: sympy.Basic, given: Any) -> tuple[str, sympy.Basic]:
    """The verdict where what is not negative is positive, if that decides it; and where it holds."""
    strict = sympy.And(*(sympy.Gt(c.gts, c.lts) if isinstance(c, sympy.Ge | sympy.Le) else c for c in parts(where)))
    verdict = verdict_of(hessian, along, sympy.And(strict, given))
    return (PARAMETERS, where) if verdict == PARAMETERS else (verdict, strict)


_HIGHEST = 12


def _higher(slope: sympy.Expr, x: sympy.Symbol, at: Mapping[sympy.Symbol, sympy.Expr]) -> tuple[int, Any, str] | None:
    """The first derivative of f that is not zero: of even order it decides as f″ does, of odd there is neither."""
    derivative = sympy.diff(slope, x)
    for order in range(3, _HIGHEST + 1):
        derivative = sympy.diff(derivative, x)
        value = _put(derivative, at)
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


def verdict_of(hessian: sympy.Matrix, along: int = 0, given: Any = sympy.true) -> str:
    """The verdict by the signs of the coefficients of the characteristic polynomial; `along` of its zeros lie along a
    family.  A sign that is not known does not matter where every choice gives the same.
    """
    choices = [c.possible for c in _coefficients(hessian, given)]
    if sum(len(c) > 1 for c in choices) > _MOST:
        return PARAMETERS
    verdicts = {_counted(signs, hessian.rows, along) for signs in product(*choices)}
    return verdicts.pop() if len(verdicts) == 1 else PARAMETERS


_MOST = 5  # coefficients of unknown sign


def _coefficients(hessian: sympy.Matrix, given: Any) -> list[SignedFactors]:
    return [factors(sympy.simplify(c), given) for c in hessian.charpoly().all_coeffs()]


def _counted(signs: Sequence[int], size: int, along: int) -> str:
    """The verdict by Descartes' rule."""
    kept = [s for s in signs if s]
    positive = sum(a != b for a, b in pairwise(kept))
    zero = next(k for k, s in enumerate(reversed(signs)) if s)
    return named(positive, size - zero - positive, zero, along)


def _cases(hessian: sympy.Matrix, along: int, given: Any) -> tuple[tuple[sympy.Basic, str], ...]:
    """The verdicts where one expression of the parameters is above zero, and below it; none where several decide."""
    coefficients = _coefficients(hessian, given)
    open_ = [c for c in coefficients if c.unknown]
    if len({base for c in open_ for base in c.unknown}) > 1 and len(open_) == 1:  # their product decides
        (whole,) = open_
        base = sympy.Mul(*(b**k for b, k in whole.unknown.items()))
        coefficients = [SignedFactors(c.sign, Counter({base: 1})) if c.unknown else c for c in coefficients]
    deciding = {base for c in coefficients for base in c.unknown}
    if len(deciding) != 1:
        return ()
    (base,) = deciding
    signs = {s: [c.where({base: s}) for c in coefficients] for s in (1, -1)}
    found = ((told(sympy.Gt(s * base, 0), given), _counted(signs[s], hessian.rows, along)) for s in signs)
    return tuple((where, verdict) for where, verdict in found if where != sympy.false)


def named(positive: int, negative: int, zero: int, along: int = 0) -> str:
    if positive and negative:
        return SADDLE
    if zero and zero != along:
        return INFLECTION
    if not positive and not negative:
        return CONSTANT
    return (MINIMUM if positive else MAXIMUM) + (NOT_STRICT if zero else "")

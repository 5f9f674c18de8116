"""Where a gradient is zero, by SymPy's solvers: the real solutions, and whether they are all.

In: SymPy expressions, and the symbols to solve for.  Out: solutions, whether they are complete, and a note where not.
Not handled: what SymPy cannot solve; the note then begins with `OPEN`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sympy

from symnet.study.critical_points.families import as_quotients, described, family, letter, mathematics
from symnet.study.critical_points.signs import factors

OPEN = "there may be further points"
_CONSTANT = "the function is constant: every point is critical"
_DIGITS = 40  # to which an imaginary part that is not zero is found


def domain(x: sympy.Symbol) -> Any:
    return sympy.Interval.open(0, sympy.oo) if x.is_positive else sympy.S.Reals


def solved(gradient: Sequence[sympy.Expr], variables: Sequence[sympy.Symbol]) -> tuple[list[dict[Any, Any]], bool, str]:
    """The real solutions, whether they are all, and a note where they are not: `OPEN` where SymPy cannot tell."""
    if all(g == 0 for g in gradient):
        return [{x: x for x in variables}], True, _CONSTANT
    try:
        if len(variables) == 1:
            return solved_for_one(gradient[0], variables[0])
        found = sympy.solve(list(gradient), list(variables), dict=True)
    except NotImplementedError:
        return [], False, OPEN
    if not found and any(g.free_symbols - set(variables) for g in gradient):
        return [], False, OPEN  # SymPy gives up on parameters without a word
    polynomial = all(g.is_polynomial(*variables) for g in gradient)
    note = "" if polynomial else "the equations are no polynomials: there may be further points"
    return _without_members([s for s in found if _is_real(s)]), polynomial, note


def _without_members(solutions: list[dict[Any, Any]]) -> list[dict[Any, Any]]:
    """The solutions without points of families among them: SymPy 1.13 gives both {y: √(1 - x²)} and {x: 0, y: 1}."""
    return [s for s in solutions if not any(_is_member(s, family) for family in solutions if len(family) < len(s))]


def _is_member(point: dict[Any, Any], family: dict[Any, Any]) -> bool:
    """Whether a point lies in a family: with its values for the free variables, the family gives all others."""
    return all(x in point and value.subs(point) == point[x] for x, value in family.items())


def _is_real(solution: dict[Any, Any]) -> bool:
    return all(value.is_real is not False and not _is_complex(value) for value in solution.values())


def _is_complex(value: sympy.Expr) -> bool:
    """A number with an imaginary part, where SymPy does not say so by itself."""
    return bool(value.is_number and value.is_real is None and abs(sympy.im(sympy.N(value, _DIGITS))) > 1e-25)


def solved_for_one(slope: sympy.Expr, x: sympy.Symbol) -> tuple[list[dict[Any, Any]], bool, str]:
    if slope == 0:
        return [{x: x}], True, _CONSTANT
    inside = domain(x)
    found = sympy.solveset(slope, x, domain=inside)
    if found is sympy.S.EmptySet and slope.has(sympy.tan, sympy.cot):
        found = sympy.solveset(as_quotients(slope), x, domain=inside)
    if isinstance(found, sympy.FiniteSet):
        return [{x: value} for value in found], True, ""
    if found is sympy.S.EmptySet:
        return [], True, ""
    found = _without_exceptions(found, inside)
    values = family(found, letter(slope))
    if values is not None:
        return [{x: value} for value in dict.fromkeys(values)], True, ""
    some = [s for s in sympy.solve(slope, x, dict=True) if _is_real(s) and inside.contains(s[x]) != sympy.false]
    told = None if found.has(sympy.ConditionSet) else described(found, x)
    return some, False, f"there are further points: {told}" if told else OPEN


def _without_exceptions(found: Any, inside: Any) -> Any:
    """A set without the interval that it is met with and without what is taken out of it: the points are asked to be
    real, to lie inside, and f to be defined there, one by one.
    """
    if isinstance(found, sympy.Union):
        return sympy.Union(*(_without_exceptions(part, inside) for part in found.args), evaluate=False)
    if isinstance(found, sympy.Complement):
        return _without_exceptions(found.args[0], inside)
    if isinstance(found, sympy.Intersection):
        rest = [part for part in found.args if part not in (inside, sympy.S.Reals)]
        return _without_exceptions(rest[0], inside) if len(rest) == 1 else found
    return found


# --------------------------------------------------------------------------- parameters


def exceptions(
    gradient: Sequence[sympy.Expr],
    variables: Sequence[sympy.Symbol],
    points: Sequence[tuple[Mapping[sympy.Symbol, sympy.Expr], Any]],
    given: Any,
) -> str:
    """For which parameters the points, each with its conditions, may not be all, in words: where something that was
    divided by is zero, or the equations hang together.
    """
    below = [p.base for at, _ in points for v in at.values() for p in v.atoms(sympy.Pow) if p.exp.is_extended_negative]
    found = [(b, given) for b in below if not b.has(*variables)]
    if len(variables) == 1:
        above = sympy.fraction(sympy.factor(gradient[0]))[0]
        found += [(f, given) for f in sympy.Mul.make_args(above) if not f.has(*variables)]
    bend = sympy.Matrix([[sympy.diff(g, x) for x in variables] for g in gradient])
    if not bend.has(*variables):
        found.append((bend.det(), given))
    elif len(variables) > 1:
        whole = [(at, where) for at, where in points if not any(v.has(*variables) for v in at.values())]
        found += [(sympy.simplify(bend.subs(at).det()), sympy.And(where, given)) for at, where in whole]
    zeros = {base for e, where in found for base in factors(e, where).unknown if base.free_symbols}
    told = " or ".join(sorted(map(_equation, zeros)))
    return f"where {told}, there may be other points" if told else ""


def _equation(e: sympy.Expr) -> str:
    """That an expression is zero, solved where one symbol stands in it."""
    if len(e.free_symbols) == 1:
        (s,) = e.free_symbols
        slope = sympy.diff(e, s)
        if slope.is_number:
            return f"{s} = {mathematics(s - e / slope)}"
    return f"{mathematics(e)} = 0"

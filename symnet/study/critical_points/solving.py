"""Where a gradient is zero, by SymPy's solvers: the real solutions, and whether they are all.

In: SymPy expressions, and the symbols to solve for.  Out: solutions, whether they are complete, and a note where not.
Not handled: what SymPy cannot solve; the note then begins with `OPEN`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sympy

from symnet.study.critical_points.families import described, family, letter

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
    if isinstance(found, sympy.FiniteSet):
        return [{x: value} for value in found], True, ""
    if found is sympy.S.EmptySet:
        return [], True, ""
    if isinstance(found, sympy.Intersection) and len(found.args) == 2 and isinstance(found.args[1], sympy.FiniteSet):
        return [{x: value} for value in found.args[1]], True, ""  # parameters: real where they make it real
    values = family(_without_bounds(found, inside), letter(slope))
    if values is not None:
        return [{x: value} for value in values], True, ""
    some = [s for s in sympy.solve(slope, x, dict=True) if _is_real(s) and inside.contains(s[x]) != sympy.false]
    return some, False, OPEN if found.has(sympy.ConditionSet) else f"there are further points: {described(found, x)}"


def _without_bounds(found: Any, inside: Any) -> Any:
    """A set without the interval that it is met with, which the points are asked to lie in themselves."""
    if isinstance(found, sympy.Union):
        return sympy.Union(*(_without_bounds(part, inside) for part in found.args), evaluate=False)
    if isinstance(found, sympy.Intersection) and inside in found.args:
        rest = [part for part in found.args if part != inside]
        return rest[0] if len(rest) == 1 else sympy.Intersection(*rest)
    return found

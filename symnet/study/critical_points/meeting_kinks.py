"""Critical points at kinks of functions of several variables: x² + |y| at the origin.

In: a function of SymPy's, its variables and no parameters.  Out: points where 0 is a subgradient, with verdicts.
A kink is where the argument e of some |e| is zero (maximum, minimum and relu are written with |·|).  The subgradients
there are the gradients of f with t·e in the place of |e|, -1 ≤ t ≤ 1 (F. Clarke, "Optimization and Nonsmooth
Analysis", 1983, section 2.3).  Every choice of kinks that a point may lie on, with signs for the others, is a system of
equations for the point and the t.  Where all |t| < 1 and the kinks cross, f rises (or falls) like Σ c|e| across them,
c = ∂f/∂|e|, and along them it does what the Hessian of f with those t does there (A. Lewis, "Active sets,
nonsmoothness, and sensitivity", 2002).
Not handled: |·| within |·|, more than `MOST` of them, `where`, `sign`, `floor`; then nothing is said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import product
from typing import Any, NamedTuple

import numpy as np
import sympy

from symnet.study.critical_points.kinks import Expr, has_kinks, sign_of

MOST = 4  # arguments of |·|


class Meeting(NamedTuple):
    """A solution: the point, f as it is with the t put in, and the kinks it lies on with their t and c.

    Attributes:
        at: symbol → value.
        smooth: f with every |e| taken away.
        kinks: the arguments that are zero there.
        strict: whether every |t| is below 1 and the kinks cross.
        across: the signs of the c.
        normals: the gradients of the kinks there.
        where: what the free variables of a family must fulfil.
    """

    at: dict[Expr, Expr]
    smooth: Expr
    kinks: tuple[Expr, ...]
    strict: bool
    across: tuple[int | None, ...]
    normals: sympy.Matrix
    where: Expr


def meetings(expr: Expr, variables: Sequence[Expr]) -> tuple[list[Meeting], bool] | None:
    """The points where 0 is a subgradient, and whether they are all; None where that cannot be told.

    Raises:
        NotImplementedError: SymPy cannot solve a system.
    """
    plain = _with_absolute_values(expr)
    inside = sorted({a.args[0] for a in plain.atoms(sympy.Abs)}, key=str)
    if has_kinks(*inside) or len(inside) > MOST or plain.free_symbols - set(variables):
        return None
    heights = [sympy.Dummy(f"a{k}", nonnegative=True) for k in range(len(inside))]
    outer = plain.subs({sympy.Abs(e): a for e, a in zip(inside, heights, strict=True)})
    if has_kinks(outer):
        return None
    found: list[Meeting] = []
    complete = outer.is_polynomial(*variables, *heights) and all(e.is_polynomial(*variables) for e in inside)
    for signs in product((None, 1, -1), repeat=len(inside)):
        for meeting in _on(outer, inside, heights, signs, variables):
            complete = complete and meeting is not None
            found += [] if meeting is None else [meeting]
    return _without_repetitions(found), complete


def _with_absolute_values(expr: Expr) -> Expr:
    """max(a, b) = (a + b + |a - b|)/2, and the like."""

    def larger(*values: Expr) -> Expr:
        first, *rest = values
        for value in rest:
            first = (first + value + sympy.Abs(first - value)) / 2
        return first

    rules: dict[Any, Callable[..., Expr]] = {
        sympy.Max: larger,
        sympy.Min: lambda *values: -larger(*(-v for v in values)),
    }
    for kind, rule in rules.items():
        expr = expr.replace(kind, rule)
    return expr


def _on(
    outer: Expr, inside: Sequence[Expr], heights: Sequence[Expr], signs: Sequence[int | None], variables: Sequence[Expr]
) -> Iterator[Meeting | None]:
    """The points where those |e| without a sign are zero, and the others have that sign; None of one unknown."""
    unknown = {k: sympy.Dummy(f"t{k}", real=True) for k, sign in enumerate(signs) if sign is None}
    factors = [unknown.get(k, sign) for k, sign in enumerate(signs)]
    put = {a: t * e for a, t, e in zip(heights, factors, inside, strict=True)}
    smooth = outer.subs(put)
    equations = [sympy.diff(smooth, x) for x in variables] + [inside[k] for k in unknown]
    for solution in sympy.solve(equations, [*variables, *unknown.values()], dict=True):
        at = {x: solution.get(x, x) for x in variables}
        values = [solution.get(t, t) for t in unknown.values()]
        inner = [sign_of(1 - v**2) for v in values]
        if -1 in inner or any(v.is_real is False for v in at.values()):
            continue
        beyond = [sign * e.subs(at) for e, sign in zip(inside, signs, strict=True) if sign is not None]
        if any(sign_of(e) in (0, -1) for e in beyond):
            continue
        open_ = [e for e in beyond if sign_of(e) is None]
        if None in inner or any(not e.free_symbols <= set(variables) for e in open_):
            yield None
            continue
        there = {**at, **dict(zip(unknown.values(), values, strict=True))}
        slopes = [sympy.diff(outer, heights[k]) for k in unknown]
        across = [
            s.subs({a: t * e for a, t, e in zip(heights, factors, inside, strict=True)}).subs(there) for s in slopes
        ]
        normals = sympy.Matrix([[sympy.diff(inside[k], x).subs(at) for x in variables] for k in unknown])
        strict = 0 not in inner and normals.rank() == len(values)
        kinks = tuple(inside[k] for k in unknown)
        put_in = smooth.subs(dict(zip(unknown.values(), values, strict=True)))
        where = _range([sympy.Gt(e, 0) for e in open_])
        if where == sympy.false:
            continue
        yield Meeting(at, put_in, kinks, strict, tuple(map(sign_of, across)), normals, where)


def _range(conditions: Sequence[Expr]) -> Expr:
    """Conditions together; of one variable as an interval, false where none is left."""
    free = set().union(*(c.free_symbols for c in conditions))
    both = sympy.And(*conditions)
    return both.as_set().as_relational(free.pop()) if len(free) == 1 else both


def _without_repetitions(found: list[Meeting]) -> list[Meeting]:
    """A point that lies on more kinks than were supposed comes several times: the most of them count."""
    best: dict[Expr, Meeting] = {}
    for each in found:
        key = (*each.at.values(), each.where)
        if key not in best or len(each.kinks) > len(best[key].kinks):
            best[key] = each
    return list(best.values())


def along(meeting: Meeting, variables: Sequence[Expr]) -> sympy.Matrix:
    """The Hessian of f along the kinks, in a basis of what they all leave free; empty where they meet in a point."""
    directions = (
        meeting.normals.nullspace()
        if meeting.kinks
        else [sympy.Matrix([int(x is y) for y in variables]) for x in variables]
    )
    second = sympy.hessian(meeting.smooth, list(variables)).subs(meeting.at)
    basis = sympy.Matrix.hstack(*directions) if directions else sympy.zeros(len(variables), 0)
    return sympy.simplify(basis.T * second * basis)


# --------------------------------------------------------------------------- roots


class Tip(NamedTuple):
    """Where what stands under a root is zero: the point, that expression, and whether f rises (or falls) all around."""

    at: dict[Expr, Expr]
    under: Expr
    rises: bool


_DIRECTIONS, _ROUNDS, _STEP, _STEEP = 400, 14, 1e-6, 1e-4


def tips(expr: Expr, variables: Sequence[Expr]) -> list[Tip]:
    """Points like the origin of √(x² + y²): f has no gradient there, and rises, or falls, in every direction.

    Raises:
        NotImplementedError: SymPy cannot solve for where what stands under a root is zero.
    """
    bases = {p.base for p in expr.atoms(sympy.Pow) if p.exp.is_Rational and 0 < p.exp < 1 and p.base.has(*variables)}
    found: list[Tip] = []
    if expr.free_symbols - set(variables) or not all(base.is_polynomial(*variables) for base in bases):
        return found
    value = sympy.lambdify([list(variables)], expr)
    for base in sorted(bases, key=str):
        for at in sympy.solve([base, *(sympy.diff(base, x) for x in variables)], list(variables), dict=True):
            if len(at) == len(variables) and all(v.is_real and v.is_number for v in at.values()):
                side = _side(value, [float(at[x]) for x in variables])
                found += [Tip(at, base, side > 0)] if side else []
    return found


def _side(value: Callable[..., Any], at: Sequence[float]) -> int:
    """1 where f rises steeply from a point in every direction, -1 where it falls, else 0."""
    here, rng = np.array(at), np.random.default_rng(0)

    def steepest(sign: int) -> float:
        """The least of sign·slope, searched for all around, then ever closer to the least so far."""
        best, least, spread = np.zeros((len(at), 1)), np.inf, 1.0
        for _ in range(_ROUNDS):
            towards = best * (spread < 1) + spread * rng.normal(size=(len(at), _DIRECTIONS))
            towards /= np.linalg.norm(towards, axis=0)
            slopes = sign * (value(here[:, None] + _STEP * towards) - value(here)) / _STEP
            k = int(np.argmin(slopes))
            if not slopes[k] >= least:
                best, least = towards[:, k : k + 1], float(slopes[k])
            spread /= 2
        return least

    with np.errstate(all="ignore"):
        return int(steepest(1) > _STEEP) - int(steepest(-1) > _STEEP)

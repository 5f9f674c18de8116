"""Critical points of functions of one variable that have kinks: |x|, max(a, b), where(…), sign, floor.

In: f and its slope as SymPy expressions, of one real symbol and no other.  Out: `CriticalSet`: the points inside smooth
pieces, the kinks that are critical, and the intervals on which f is constant.
Between neighbouring kinks f is one smooth expression, its *branch*; at a kink f is compared with the branches on its
two sides, by their first derivative there that is not zero.  A kink counts where the slope is zero by symnet's
conventions (|·|′(0) = 0), and where f has a minimum or maximum.
Not handled: parameters, several variables; where `floor` jumps, only zeros of the slope are looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations, pairwise
from typing import Any, NamedTuple

import sympy

MINIMUM, MAXIMUM = "minimum", "maximum"
NOT_STRICT, CONSTANT, NEITHER = " (not strict)", "constant", "neither minimum nor maximum"
UNDECIDED = "undecided (there is a kink)"
_JUMPS = (sympy.floor, sympy.ceiling)
_KINKED = (sympy.Abs, sympy.sign, sympy.Max, sympy.Min, sympy.Piecewise, sympy.Heaviside, *_JUMPS)
_DIGITS = 40  # to which the sign of a number that is not zero is found
_HIGHEST = 12  # derivative that is asked for

Expr = Any


class Kink(NamedTuple):
    """A kink that is critical: where, the verdict, and the slopes on its left and right."""

    at: Expr
    verdict: str
    slopes: tuple[Expr, Expr]


class Flat(NamedTuple):
    """An interval on which f is constant."""

    over: sympy.Interval
    value: Expr
    verdict: str


@dataclass
class CriticalSet:
    """Everything critical that was found, piece by piece.

    Attributes:
        smooth: (point, the branch it lies on).
        further: sets that SymPy describes without listing them, or cannot solve.
    """

    smooth: list[tuple[Expr, Expr]] = field(default_factory=list)
    kinks: list[Kink] = field(default_factory=list)
    flats: list[Flat] = field(default_factory=list)
    further: list[Any] = field(default_factory=list)


class _UnknownError(Exception):
    """The sign of something beside a point is not found."""


def has_kinks(*expressions: Expr) -> bool:
    """Whether something stands in them that is not smooth."""
    return any(e.has(*_KINKED) for e in expressions)


def jumps(expr: Expr) -> bool:
    """Whether it has steps in infinitely many places."""
    return bool(expr.has(*_JUMPS))


def sign_of(value: Expr) -> int | None:
    """1, 0, -1; None where a parameter decides, or it is no number at all."""
    value = sympy.simplify(value)
    if value.is_zero:
        return 0
    if value.is_extended_positive or value.is_extended_negative:
        return 1 if value.is_extended_positive else -1
    if value.free_symbols or value.has(sympy.nan, sympy.zoo, sympy.DiracDelta, sympy.AccumBounds):
        return None
    near = sympy.re(sympy.N(value, _DIGITS))
    return 0 if abs(near) < sympy.Float(10) ** (-_DIGITS // 2) else int(sympy.sign(near))


# --------------------------------------------------------------------------- beside a point


def _value(branch: Expr, x: Expr, p: Expr, side: int) -> Expr:
    """The value of a smooth expression at p, or its limit there."""
    plain = branch.subs(x, p)
    if plain.is_finite or not plain.has(sympy.nan, sympy.zoo, sympy.oo, -sympy.oo):
        return plain
    try:
        return sympy.limit(branch, x, p, "+" if side > 0 else "-")
    except NotImplementedError as error:
        raise _UnknownError from error


def _sign_beside(branch: Expr, x: Expr, p: Expr, side: int) -> int:
    """The sign of a smooth expression right beside p."""
    for order in range(_HIGHEST + 1):
        if branch == 0:
            return 0
        found = sign_of(_value(branch, x, p, side))
        if found is None:
            raise _UnknownError
        if found:
            return found * side**order
        branch = sympy.simplify(sympy.diff(branch, x))
    raise _UnknownError


Sign = Callable[[Expr], int]


def _step(value: Expr, at: Expr, sign: Sign, of: Callable[[Expr], Expr]) -> Expr:
    """floor or ceiling of a value that is `at` at the point: beside an integer the direction decides."""
    n = of(at)
    if n.has(sympy.floor, sympy.ceiling):
        raise _UnknownError
    if sympy.simplify(at - n) != 0:
        return n
    rises = sign(value - n)
    return n + (min(rises, 0) if of is sympy.floor else max(rises, 0))


def _largest(values: Sequence[Expr], sign: Sign, direction: int) -> Expr:
    best = values[0]
    for value in values[1:]:
        if direction * sign(value - best) > 0:
            best = value
    return best


_BRANCH: dict[Any, Callable[[Sequence[Expr], Sign, Callable[[Expr], Expr]], Expr]] = {
    sympy.Abs: lambda a, sign, at: a[0] * sign(a[0]),
    sympy.sign: lambda a, sign, at: sympy.Integer(sign(a[0])),
    sympy.Heaviside: lambda a, sign, at: sympy.Rational(1 + sign(a[0]), 2),
    sympy.Max: lambda a, sign, at: _largest(a, sign, 1),
    sympy.Min: lambda a, sign, at: _largest(a, sign, -1),
    sympy.floor: lambda a, sign, at: _step(a[0], at(a[0]), sign, sympy.floor),
    sympy.ceiling: lambda a, sign, at: _step(a[0], at(a[0]), sign, sympy.ceiling),
}
_HOLDS: dict[Any, Callable[[int], bool]] = {
    sympy.Ge: lambda s: s >= 0,
    sympy.Gt: lambda s: s > 0,
    sympy.Le: lambda s: s <= 0,
    sympy.Lt: lambda s: s < 0,
    sympy.Eq: lambda s: s == 0,
    sympy.Ne: lambda s: s != 0,
}


def beside(expr: Expr, x: Expr, p: Expr, side: int) -> Expr:
    """The smooth expression that expr is right beside p, on the left (side -1) or right (1).

    Raises:
        _UnknownError: SymPy does not tell.
    """

    def sign(e: Expr) -> int:
        return _sign_beside(e, x, p, side)

    def holds(condition: Expr) -> bool:
        if condition in (sympy.true, sympy.false):
            return bool(condition)
        if isinstance(condition, (sympy.And, sympy.Or)):
            return (all if isinstance(condition, sympy.And) else any)([holds(c) for c in condition.args])
        if isinstance(condition, sympy.Not):
            return not holds(condition.args[0])
        if type(condition) not in _HOLDS:
            raise _UnknownError
        return _HOLDS[type(condition)](sign(beside(condition.lhs - condition.rhs, x, p, side)))

    if not has_kinks(expr):
        return expr
    if isinstance(expr, sympy.Piecewise):
        return next((beside(value, x, p, side) for value, condition in expr.args if holds(condition)), sympy.nan)
    values = [beside(a, x, p, side) for a in expr.args]
    rule = _BRANCH.get(type(expr))
    return rule(values, sign, lambda e: _value(e, x, p, side)) if rule else expr.func(*values)


def _compared(expr: Expr, x: Expr, p: Expr) -> tuple[int, int]:
    """Whether f is higher (1), lower (-1) or the same (0) on the left and on the right of p."""
    left, right = (_sign_beside(beside(expr, x, p, s) - expr.subs(x, p), x, p, s) for s in (-1, 1))
    return left, right


def judged(expr: Expr, x: Expr, p: Expr) -> str:
    """The verdict at p, by comparing f with what it is on both sides."""
    try:
        return _verdict(_compared(expr, x, p))
    except _UnknownError:
        return UNDECIDED


def _verdict(sides: tuple[int, int]) -> str:
    low, high = min(sides), max(sides)
    if low == high:
        return {1: MINIMUM, -1: MAXIMUM, 0: CONSTANT}[low]
    return NEITHER if low < 0 < high else (MINIMUM if high else MAXIMUM) + NOT_STRICT


def slopes(expr: Expr, x: Expr, p: Expr) -> tuple[Expr, Expr]:
    """The slopes on the left and on the right of p; nan where SymPy does not tell."""

    def slope(side: int) -> Expr:
        try:
            return sympy.simplify(_value(sympy.diff(beside(expr, x, p, side), x), x, p, side))
        except _UnknownError:
            return sympy.nan

    return slope(-1), slope(1)


# --------------------------------------------------------------------------- the pieces


def kink_equations(*expressions: Expr) -> Iterator[Expr]:
    """What is zero where there may be a kink."""
    for atom in (a for e in expressions for a in e.atoms(*_KINKED)):
        if isinstance(atom, (sympy.Max, sympy.Min)):
            yield from (a - b for a, b in combinations(atom.args, 2))
        elif isinstance(atom, sympy.Piecewise):
            yield from (r.lhs - r.rhs for _, c in atom.args for r in c.atoms(sympy.core.relational.Relational))
        elif isinstance(atom, _JUMPS):
            yield sympy.sin(sympy.pi * atom.args[0])
        else:
            yield atom.args[0]


def find(expr: Expr, gradient: Expr, x: Expr, domain: Any) -> CriticalSet:
    """Find everything that is critical, piece by piece.

    Raises:
        NotImplementedError: the kinks cannot be listed.
    """
    try:
        return _find(expr, gradient, x, domain)
    except (_UnknownError, TypeError, ValueError) as error:  # SymPy's, of conditions whose truth it cannot tell
        raise NotImplementedError from error


def _find(expr: Expr, gradient: Expr, x: Expr, domain: Any) -> CriticalSet:
    marks = [p for p in _marks([expr, gradient], x, domain) if not _is_smooth(expr, x, p)]
    found, edges = CriticalSet(), [domain.inf, *marks, domain.sup]
    for left, right in pairwise(edges):
        inside = sympy.Interval.open(left, right)
        branch = sympy.simplify(beside(expr, x, _between(left, right), 1))
        slope = sympy.simplify(sympy.diff(branch, x))
        if slope == 0:
            found.flats.append(_flat(expr, gradient, x, inside, branch, marks))
            continue
        zeros = sympy.solveset(slope, x, inside)
        if not isinstance(zeros, sympy.FiniteSet) and zeros is not sympy.S.EmptySet:
            found.further.append(zeros)
            zeros = [z for z in sympy.solve(slope, x) if inside.contains(z) == sympy.true]
        found.smooth += [(z, branch) for z in zeros]
    for p in marks:
        verdict = judged(expr, x, p)
        if not any(p in flat.over for flat in found.flats) and (
            verdict.startswith((MINIMUM, MAXIMUM)) or sign_of(gradient.subs(x, p)) == 0
        ):
            found.kinks.append(Kink(p, verdict, slopes(expr, x, p)))
    return found


def _marks(expressions: Sequence[Expr], x: Expr, domain: Any) -> list[Expr]:
    """The points where there may be kinks, in rising order."""
    marks: set[Expr] = set()
    for equation in set(kink_equations(*expressions)):
        where = sympy.solveset(equation, x, domain).boundary if equation.has(x) else sympy.S.EmptySet
        if not isinstance(where, sympy.FiniteSet) and where is not sympy.S.EmptySet:
            raise NotImplementedError
        marks |= {p for p in where if p in domain and expr_is_finite(expressions[0], x, p)}
    return sorted(marks, key=float)


def expr_is_finite(expr: Expr, x: Expr, p: Expr) -> bool:
    """Whether f has a value at p."""
    return not expr.subs(x, p).has(sympy.nan, sympy.zoo, sympy.oo, -sympy.oo)


def _is_smooth(expr: Expr, x: Expr, p: Expr) -> bool:
    """Whether both sides are one expression, with the value of f at p."""
    left, right = beside(expr, x, p, -1), beside(expr, x, p, 1)
    same = sympy.simplify(left - right) == 0 and expr_is_finite(sympy.diff(left, x), x, p)
    return same and sign_of(left.subs(x, p) - expr.subs(x, p)) == 0


def _between(left: Expr, right: Expr) -> Expr:
    if left.is_infinite:
        return sympy.S.Zero if right.is_infinite else sympy.floor(right) - 1
    return sympy.ceiling(left) + 1 if right.is_infinite else (left + right) / 2


def _flat(expr: Expr, gradient: Expr, x: Expr, over: Any, value: Expr, marks: Sequence[Expr]) -> Flat:
    """An interval on which f is constant, with those of its ends where the slope is zero too, or f as low (or high) as
    on both sides.
    """
    ends = {
        p: side for p, side in ((over.inf, 0), (over.sup, 1)) if p in marks and sign_of(expr.subs(x, p) - value) == 0
    }
    beyond = {_compared(expr, x, p)[side] for p, side in ends.items()}
    verdict = {frozenset({1}): MINIMUM + NOT_STRICT, frozenset({-1}): MAXIMUM + NOT_STRICT}.get(frozenset(beyond))
    closed = {p for p in ends if verdict or sign_of(gradient.subs(x, p)) == 0}
    interval = sympy.Interval(over.inf, over.sup, over.inf not in closed, over.sup not in closed)
    return Flat(interval, value, verdict or CONSTANT)

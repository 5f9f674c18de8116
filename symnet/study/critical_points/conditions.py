"""Where a critical point is one: conditions on the free variables of a family, and on parameters.

In: a function, its gradient, and a point as symbol → value.  Out: SymPy's conditions; `true` where there are none,
`false` where they never hold.
Conditions that follow of what is known (a square is not negative, 1 - p is above 0 of a probability p) are not told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import sympy

from symnet.study.critical_points.kinks import Expr
from symnet.study.critical_points.signs import factors, happens, parts, sign_under, weak_sign


def conditions(
    expr: Expr, gradient: Sequence[Expr], at: Mapping[sympy.Symbol, Expr], given: Expr = sympy.true
) -> sympy.Basic:
    """All that must hold: the point is real and where its variables may be, and f and its gradient are defined there;
    `given` is known of the symbols besides their assumptions.
    """
    where = sympy.And(real(at), defined([expr, *gradient], at), given.subs(dict(at), simultaneous=True))
    shown = told(where, given)
    return shown if happens(sympy.And(shown, given)) else sympy.false


def defined(expressions: Iterable[Expr], at: Mapping[sympy.Symbol, Expr]) -> sympy.Basic:
    """Where no function divides by zero at a point, nor takes the even root or the logarithm of a negative number."""
    found = set(expressions)
    below = [p.base for e in found for p in e.atoms(sympy.Pow) if p.exp.is_extended_negative]
    return sympy.And(
        *(sympy.Ne(sympy.factor(b.subs(at)), 0) for b in below if b.has(*at)),
        *_in_range(found, at),
    )


def _in_range(expressions: Iterable[Expr], at: Mapping[sympy.Symbol, Expr]) -> Iterator[Expr]:
    """Where even roots and logarithms of what has variables in it are real."""
    for e in expressions:
        for root in _even_roots(e):
            if root.has(*at):
                yield sympy.Ge(sympy.factor(root.subs(at)), 0)
        for log in e.atoms(sympy.log):
            if log.args[0].has(*at):
                yield sympy.Gt(sympy.factor(log.args[0].subs(at)), 0)


def _even_roots(value: Expr) -> Iterator[Expr]:
    yield from (p.base for p in value.atoms(sympy.Pow) if p.exp.is_Rational and p.exp.q % 2 == 0)


def real(at: Mapping[sympy.Symbol, Expr]) -> sympy.Basic:
    """Where the coordinates of a point are real, and positive where they must be: no even root in them is of a negative
    number, no logarithm either, and nothing is divided by zero.
    """
    values = [v for s, v in at.items() if s != v]
    return sympy.And(
        *(sympy.Ge(b, 0) for v in values for b in _even_roots(v)),
        *(sympy.Gt(g.args[0], 0) for v in values for g in v.atoms(sympy.log)),
        *(sympy.Ne(p.base, 0) for v in values for p in v.atoms(sympy.Pow) if p.exp.is_extended_negative),
        *(sympy.Gt(v, 0) for s, v in at.items() if s.is_positive and s != v),
        *(sympy.Ge(v, 0) for s, v in at.items() if s.is_nonnegative and not s.is_positive and s != v),
    )


# --------------------------------------------------------------------------- as they are told


def told(where: Expr, given: Expr) -> Expr:
    """The conditions without what follows of the others; false where one contradicts them."""
    if where == sympy.false:
        return where
    kept = sorted({c for condition in parts(where) for c in _reduced(condition, given)}, key=str)
    if sympy.false in kept:
        return sympy.false
    strict = _joined(kept, given)
    ranges = [_range(c) for c in strict]
    return sympy.And(*(c for k, c in enumerate(ranges) if not _follows(strict[k], [*strict[:k], *strict[k + 1 :]])))


def _follows(condition: Expr, others: Sequence[Expr]) -> bool:
    """Whether a condition "is not zero" follows of the others."""
    return isinstance(condition, sympy.Ne) and any(
        sign_under(condition.lhs, other) for other in others if not isinstance(other, sympy.Ne)
    )


def _reduced(condition: Expr, given: Expr) -> Iterator[Expr]:
    """A condition factor by factor, without those whose sign is known."""
    if not isinstance(condition, sympy.Gt | sympy.Ge | sympy.Lt | sympy.Le | sympy.Ne):
        yield condition
        return
    e = condition.gts - condition.lts if not isinstance(condition, sympy.Ne) else condition.lhs - condition.rhs
    found = factors(e, given)
    if isinstance(condition, sympy.Ne):
        if not found.sign:
            yield sympy.false
        yield from (sympy.Ne(f, 0) for f in found.unknown)
        return
    strict = isinstance(condition, sympy.Gt | sympy.Lt)
    odd = [f for f, power in found.unknown.items() if power % 2]
    if not odd:
        yield from [sympy.false] if found.sign < strict else [sympy.Ne(f, 0) for f in found.unknown if strict]
        return
    if strict:
        yield from (sympy.Ne(f, 0) for f, power in found.unknown.items() if power % 2 == 0)
    product = sympy.expand(found.sign * sympy.Mul(*odd))
    yield sympy.Gt(product, 0) if strict else sympy.Ge(product, 0)


def _joined(conditions: Sequence[Expr], given: Expr) -> list[Expr]:
    """e >= 0 and e != 0 are e > 0."""
    unequal = {c.lhs for c in conditions if isinstance(c, sympy.Ne)}

    def joined(c: Expr) -> Expr:
        weak = weak_sign(c.lhs, given) if isinstance(c, sympy.Ne) else None
        if weak:
            return sympy.Gt(sympy.expand(weak * c.lhs), 0)
        return sympy.Gt(c.lhs, 0) if isinstance(c, sympy.Ge) and {c.lhs, -c.lhs} & unequal else c

    return list(dict.fromkeys(map(joined, conditions)))


def _range(condition: sympy.Basic) -> sympy.Basic:
    """Where a condition on one variable holds: an interval of it where SymPy finds one, and not a whole line."""
    if isinstance(condition, sympy.Ne) or condition in (sympy.true, sympy.false) or len(condition.free_symbols) != 1:
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

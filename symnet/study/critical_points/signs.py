"""Signs of expressions with parameters, where conditions on these decide.

In: expressions and conditions of SymPy's (`And` of >, >=, != against a number or an expression).  Out: 1, 0, -1, or
None; and what an unknown sign hangs on.
An expression is a product: of a factor with an unknown sign a condition tells, if it is that factor times a number, or
if it is linear in a symbol, which is then written by what is known of the condition's side: 1 - p > 0 gives p = 1 - d.
What stands in a denominator is not zero.  `happens` draws parameters: a condition that never holds is false.
Not handled: what follows of several conditions together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import sympy

from symnet.study.critical_points.failures import is_foreign
from symnet.study.critical_points.kinks import Expr, sign_of

_DRAWS = 3000


class SignedFactors(NamedTuple):
    """A product's sign: of all factors that are known, and those that are not, with their powers."""

    sign: int
    unknown: Counter[Expr]

    @property
    def possible(self) -> tuple[int, ...]:
        """The signs it may have."""
        if not self.unknown or not self.sign:
            return (self.sign,)
        return (0, self.sign) if all(k % 2 == 0 for k in self.unknown.values()) else (-1, 0, 1)

    def where(self, signs: dict[Expr, int]) -> int:
        """The sign where the unknown factors have these."""
        total = self.sign
        for base, power in self.unknown.items():
            total *= signs[base] ** power
        return total


def parts(where: Expr) -> tuple[Expr, ...]:
    """The conditions that all must hold."""
    if where == sympy.true:
        return ()
    return where.args if isinstance(where, sympy.And) else (where,)


def side(condition: Expr) -> Expr:
    """What a condition compares with zero, so that it is above (or not) where the condition holds."""
    return condition.gts - condition.lts if hasattr(condition, "gts") else condition.lhs - condition.rhs


def factors(value: Expr, given: Expr = sympy.true) -> SignedFactors:
    """The sign of a value, factor by factor."""
    whole = _sign(value, given)
    if whole is not None:
        return SignedFactors(whole, Counter())
    sign, unknown = 1, Counter[Expr]()
    for base, even, inverse in _bases(value):
        found, weak = _sign(base, given), weak_sign(base, given)
        if found is not None:
            sign *= abs(found) if even else found
            continue
        flip = not even and (weak or (-1 if base.could_extract_minus_sign() else 1))
        sign *= flip or 1
        if not (inverse and (even or weak)):
            unknown[-base if flip == -1 else base] += 2 if even or weak else 1
    return SignedFactors(sign, unknown if sign else Counter())


def _bases(value: Expr) -> Iterator[tuple[Expr, bool, bool]]:
    """What a value is a product of powers of, whether a power is never negative, and whether it stands below."""
    for k, product in enumerate(sympy.fraction(sympy.factor(value))):
        for factor in sympy.Mul.make_args(product):
            base, power = factor.as_base_exp()
            if isinstance(factor, sympy.Abs):
                base, power = factor.args[0], sympy.Integer(2)
            if not power.is_Rational:
                base, power = factor, sympy.S.One
            yield base, bool(power.q % 2 == 0 or power.p % 2 == 0), bool(k)


def sign_under(value: Expr, given: Expr) -> int | None:
    """The sign of a value where conditions hold; None where it is not known."""
    found = factors(value, given)
    return found.sign if len(found.possible) == 1 else None


def weak_sign(value: Expr, given: Expr) -> int | None:
    """1 where a value is not negative, -1 where it is not positive."""
    return _sign(value, given, weak=True)


def _sign(value: Expr, given: Expr, weak: bool = False) -> int | None:
    """The sign of a factor; if weak, 1 where it is not negative, -1 where it is not positive."""
    sign = _weak_sign if weak else sign_of
    found = sign(value)
    for condition in parts(given) if found is None else ():
        e = side(condition)
        if not e.free_symbols & value.free_symbols:
            continue
        ratio = sympy.cancel(value / e)
        if ratio.is_number and isinstance(condition, sympy.Gt | sympy.Lt) and sign_of(ratio):
            return sign_of(ratio)
        for symbol, instead in _written_by(e, condition):
            found = sign(sympy.expand(value.subs(symbol, instead))) if value.has(symbol) else None
            if found is not None:
                return found
    return found


def _weak_sign(value: Expr) -> int | None:
    if value.is_extended_nonnegative or value.is_extended_nonpositive:
        return 1 if value.is_extended_nonnegative else -1
    return None


def _written_by(e: Expr, condition: Expr) -> Iterator[tuple[Expr, Expr]]:
    """Symbols that a condition's side is linear in, by that side."""
    known = {"nonzero": True} if isinstance(condition, sympy.Ne) else {"nonnegative": True}
    if isinstance(condition, sympy.Gt | sympy.Lt):
        known = {"positive": True}
    for symbol in sorted(e.free_symbols, key=str):
        slope = sympy.diff(e, symbol)
        if slope.is_number and sign_of(slope):
            whole = {"integer": True} if symbol.is_integer and symbol == e else {}
            d = sympy.Dummy("d", real=True, **known, **whole)
            yield symbol, sympy.expand((d - (e - slope * symbol)) / slope)


def happens(where: Expr) -> bool:
    """Whether a condition holds anywhere, as far as draws of its symbols tell; equations count as possible."""
    if where in (sympy.true, sympy.false):
        return bool(where)
    symbols = sorted(where.free_symbols, key=str)
    if where.has(sympy.Eq):
        return True
    rng = np.random.default_rng(0)
    try:
        holds = sympy.lambdify(symbols, list(parts(where)), "numpy")
        with np.errstate(all="ignore"):
            found = holds(*(_draw(rng, s) for s in symbols))
    except Exception as error:  # what NumPy has no name for
        if not is_foreign(error):
            raise
        return True
    return bool(np.logical_and.reduce([np.broadcast_to(np.asarray(c, bool), _DRAWS) for c in found]).any())


def _draw(rng: np.random.Generator, symbol: Any) -> Any:
    """Values of a symbol: between 0 and 1, of the size of 1, and of sizes far from it."""
    third = _DRAWS // 3
    wide = np.exp(rng.normal(scale=8, size=third))
    values = np.concatenate([rng.uniform(size=third), 2 * np.abs(rng.normal(size=third)), wide])
    if symbol.is_integer:
        values = np.floor(3 * values)
    rng.shuffle(values)
    return (
        values + bool(symbol.is_integer) * 1.0
        if symbol.is_positive
        else (values if symbol.is_nonnegative else values * rng.choice([-1, 1], size=_DRAWS))
    )

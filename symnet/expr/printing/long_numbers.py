"""Long whole numbers as powers: 2⁶⁰⁰ in the place of 181 digits.

In: a SymPy number.  Out: the same as an unevaluated product that reads well, or None where it is written as it is.
Not handled: long numbers that are no small multiple of a power of a small base, as 2⁶⁰⁰ + 1; their digits are written.
"""

from __future__ import annotations

from typing import Any

from sympy import Expr, Integer, Mul, Pow, Rational

SHORT = 10**24  # a number below is written out
FACTOR = 10**6  # how large a number may be in front of a power
_BASES = (10, 2, 3, 5, 7)


def as_power(value: Any) -> Expr | None:
    """3·2⁶⁰⁰, -2⁶⁰⁰ or 3/2⁶⁰⁰, unevaluated."""
    if not isinstance(value, Rational) or not value.is_finite or max(abs(value.p), value.q) < SHORT:
        return None
    above, below = _power(abs(value.p)), _power(value.q)
    if above is None or below is None:
        return None
    parts = [*([Integer(-1)] if value.p < 0 else []), above, *([Pow(below, -1, evaluate=False)] if value.q > 1 else [])]
    kept = [p for p in parts if p != 1] or [Integer(1)]
    return kept[0] if len(kept) == 1 else Mul(*kept, evaluate=False)


def power_text(value: Any) -> str | None:
    """A long number as powers in Python's spelling: 3*2**600."""
    if as_power(value) is None:
        return None
    above, below = (_spelled(n) for n in (abs(value.p), value.q))
    sign = "-" if value.p < 0 else ""
    below = f"({below})" if "*" in below.replace("**", "") else below
    return sign + (above if value.q == 1 else f"{above}/{below}")


def _split(n: int) -> tuple[int, int, int] | None:
    """(factor, base, exponent) of a long number; None where it has no such form."""
    for base in _BASES:
        exponent, rest = _multiplicity(n, base)
        if rest < FACTOR:
            return rest, base, exponent
    return None


def _multiplicity(n: int, base: int) -> tuple[int, int]:
    """How often the base divides n, and what is left, by squares of the base: logarithmically many divisions."""
    powers = [base]
    while n % powers[-1] == 0:
        powers.append(powers[-1] ** 2)
    exponent = 0
    for k in reversed(range(len(powers))):
        if n % powers[k] == 0:
            n, exponent = n // powers[k], exponent + 2**k
    return exponent, n


def _power(n: int) -> Expr | None:
    if n < SHORT:
        return Integer(n)
    found = _split(n)
    if found is None:
        return None
    factor, base, exponent = found
    power = Pow(Integer(base), Integer(exponent), evaluate=False)
    return power if factor == 1 else Mul(Integer(factor), power, evaluate=False)


def _spelled(n: int) -> str:
    found = None if n < SHORT else _split(n)
    if found is None:
        return str(n)
    factor, base, exponent = found
    return f"{base}**{exponent}" if factor == 1 else f"{factor}*{base}**{exponent}"

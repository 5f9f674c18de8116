"""Power series of one variable about 0, in fixed point: enough digits to tell a coefficient that is 0.

In: numbers and series.  Out: sums, products, powers and functions of series, each by the recurrence of the differential
equation that it satisfies.  A series starts at a power that may be negative.
Not handled: logarithms of what vanishes at 0, functions that have no expansion there: None.
Source: D. E. Knuth, The Art of Computer Programming 2, section 4.7.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, reduce

import mpmath
import sympy
from sympy import Expr

from symnet.expr.nodes.constants import is_product_of_roots

BITS = 1000  # behind the point
NOISE = 600  # a sum is 0 where it is this many bits below its terms
ROUGH = 44  # the same bits where numbers in the terms are rounded to the floating format
LENGTH = 64  # coefficients
_UNIT = 1 << BITS
_NOTHING = 1 << (BITS - NOISE)


@dataclass(frozen=True)
class Series:
    """Σ coefficients[n]·u^(start + n), each coefficient times 2^BITS; the first is not 0, unless all are."""

    start: int
    coefficients: tuple[int, ...]

    @property
    def vanishes(self) -> bool:
        """Whether nothing is left, as far as is known."""
        return not any(self.coefficients)

    def around_zero(self, radius: float) -> tuple[float, float]:
        """Bounds of the value where |u| is below a radius, for a series without negative powers."""
        sizes = [abs(self.number(n)) * radius ** (self.start + n) for n in range(len(self.coefficients))]
        middle = self.number(0) if self.start == 0 else 0.0
        spread = sum(sizes[1:] if self.start == 0 else sizes)
        return middle - spread, middle + spread

    def number(self, place: int) -> float:
        """A coefficient."""
        with mpmath.workprec(BITS):
            return float(mpmath.ldexp(mpmath.mpf(self.coefficients[place]), -BITS))


def fixed(value: Expr) -> int | None:
    """A real number in fixed point; None for one that is not finite."""
    if value.is_Rational:
        return (int(value.p) << BITS) // int(value.q)
    if not is_product_of_roots(value) and not (value.is_number and value.is_finite and value.is_real):
        return None
    with mpmath.workprec(BITS + 64):
        return int(mpmath.nint(mpmath.ldexp(sympy.N(value, (BITS + 64) * 3 // 10)._to_mpmath(BITS + 64), BITS)))


def constant(value: int, length: int = LENGTH) -> Series:
    """The series of a number."""
    return Series(0, (value, *(0,) * (length - 1)))


def power_of_variable(k: int, length: int = LENGTH) -> Series:
    """The series of u^k."""
    return Series(k, (_UNIT, *(0,) * (length - 1)))


def _stripped(start: int, coefficients: list[int]) -> Series:
    first = next((n for n, c in enumerate(coefficients) if c), 0)
    return Series(start + first, tuple(coefficients[first:]))


def add(a: Series, b: Series, rough: bool = False) -> Series:
    """a + b; what only rounding leaves is 0, in front also what the rounding of its numbers leaves."""
    start, end = min(a.start, b.start), min(s.start + len(s.coefficients) for s in (a, b))
    total: list[int] = []
    for n in range(start, end):
        x, y = (s.coefficients[n - s.start] if n >= s.start else 0 for s in (a, b))
        bits = ROUGH if rough and not any(total) else NOISE
        total.append(_sum([x, y], bits))
    return _stripped(start, total)


def agree(a: Series, b: Series) -> bool:
    """Whether two series differ by rounding alone."""
    return add(a, multiply(constant(-_UNIT), b)).vanishes


def multiply(a: Series, b: Series) -> Series:
    """a·b."""
    n = min(len(a.coefficients), len(b.coefficients))
    return _stripped(a.start + b.start, _convolved(a.coefficients[:n], b.coefficients[:n]))


def _convolved(a: tuple[int, ...] | list[int], b: tuple[int, ...] | list[int]) -> list[int]:
    filled = [(k, x) for k, x in enumerate(a) if x]
    return [_sum([x * b[n - k] for k, x in filled if k <= n]) >> BITS for n in range(len(a))]


def _sum(terms: list[int], bits: int = NOISE) -> int:
    """The sum of some coefficients; 0 where only rounding is left of them."""
    total = sum(terms)
    return total if abs(total) > max(map(abs, terms), default=0) >> bits else 0


def power(s: Series, exponent: Expr) -> Series | None:
    """s^e.  Condition: e is a whole number, or the first coefficient is positive and e times the first power whole."""
    start, e = s.start * exponent, fixed(exponent)
    if s.vanishes or e is None or not start.is_Integer:
        return None
    first, head = s.coefficients[0], 0
    if exponent.is_Integer:
        head = _whole_power(first, int(exponent))
    elif first > 0:
        head = _root(first, e)
    if not head:
        return None
    q, y = s.coefficients, [head]
    for n in range(1, len(q)):
        total = _sum([(e * k - (n - k) * _UNIT) * (q[k] * y[n - k] >> BITS) for k in range(1, n + 1) if q[k]])
        y.append(total // (n * first))
    return Series(int(start), tuple(y))


def _whole_power(x: int, e: int) -> int:
    base = x if e > 0 else (_UNIT << BITS) // x
    return reduce(lambda a, b: a * b >> BITS, [base] * abs(e), _UNIT)


def _root(x: int, e: int) -> int:
    with mpmath.workprec(2 * BITS):
        scaled = (mpmath.ldexp(mpmath.mpf(v), -BITS) for v in (x, e))
        return int(mpmath.ldexp(mpmath.power(*scaled), BITS))


@lru_cache(maxsize=512)
def _real(function: Callable[[mpmath.mpf], mpmath.mpf], x: int) -> int | None:
    """A function of a real number, in fixed point on both sides."""
    with mpmath.workprec(2 * BITS):
        value = function(mpmath.ldexp(mpmath.mpf(x), -BITS))
        return int(mpmath.ldexp(value, BITS)) if mpmath.isfinite(value) and not isinstance(value, mpmath.mpc) else None


# --------------------------------------------------------------------------- functions


def _split(s: Series) -> tuple[int, list[int]]:
    """(the value at 0, all coefficients from u^0 on) of a series without negative powers."""
    plain = [*(0,) * s.start, *s.coefficients][: len(s.coefficients)]
    return plain[0], plain


def _slope(plain: list[int]) -> list[int]:
    return [n * c for n, c in enumerate(plain)][1:]


def _integral(value: int, slope: list[int]) -> Series:
    return _stripped(0, [value, *(c // (n + 1) for n, c in enumerate(slope))])


def exponential(s: Series) -> Series | None:
    """exp(s): y' = s'·y."""
    at, plain = _split(s)
    first = _real(mpmath.exp, at)
    if first is None:
        return None
    slope, y = _slope(plain), [first]
    for n in range(1, len(plain)):
        y.append(_sum([slope[k] * y[n - 1 - k] for k in range(n) if slope[k]]) // (n << BITS))
    return _stripped(0, y)


def sine_and_cosine(s: Series, sign: int) -> tuple[Series, Series] | None:
    """sin and cos of s (sign -1), sinh and cosh (sign 1): y' = s'·z, z' = ±s'·y."""
    at, plain = _split(s)
    names = (mpmath.sin, mpmath.cos) if sign < 0 else (mpmath.sinh, mpmath.cosh)
    first, second = (_real(f, at) for f in names)
    if first is None or second is None:
        return None
    slope, y, z = _slope(plain), [first], [second]
    for n in range(1, len(plain)):
        held = [(k, slope[k]) for k in range(n) if slope[k]]
        next_y = _sum([c * z[n - 1 - k] for k, c in held]) // (n << BITS)
        next_z = sign * _sum([c * y[n - 1 - k] for k, c in held]) // (n << BITS)
        y.append(next_y)
        z.append(next_z)
    return _stripped(0, y), _stripped(0, z)


def _by_slope(function: Callable[[mpmath.mpf], mpmath.mpf], slope_of: Callable[[Series], Series | None]) -> Function:
    """A function f with f'(s) known: f(s) = f(s(0)) + ∫ f'(s)·s'; log(3·⅓) is 0, however ⅓ was rounded."""

    def expanded(s: Series) -> Series | None:
        at, plain = _split(s)
        first, outer = _real(function, at), slope_of(s)
        if first is None or outer is None or outer.start < 0:
            return None
        if abs(first) < _NOTHING <= abs(at):
            first = 0
        inner = _slope(plain)
        return _integral(first, _convolved(_split(outer)[1][: len(inner)], inner))

    return expanded


Function = Callable[[Series], "Series | None"]
_ONE, _MINUS = constant(_UNIT), constant(-_UNIT)


def _reciprocal(s: Series) -> Series | None:
    return power(s, sympy.S.NegativeOne)


def _quotient(sign: int) -> Function:
    def tangent(s: Series) -> Series | None:
        both = sine_and_cosine(s, sign)
        below = None if both is None else _reciprocal(both[1])
        return None if both is None or below is None else multiply(both[0], below)

    return tangent


def _part(sign: int, which: int) -> Function:
    def chosen(s: Series) -> Series | None:
        both = sine_and_cosine(s, sign)
        return None if both is None else both[which]

    return chosen


def _beside_square(first: Series, sign: int, exponent: Expr) -> Function:
    """(1 ± s²)^e."""

    def powered(s: Series) -> Series | None:
        square = multiply(s, s)
        return power(add(first, square if sign > 0 else multiply(_MINUS, square)), exponent)

    return powered


def _logistic(s: Series) -> Series | None:
    grown = exponential(multiply(_MINUS, s))
    return None if grown is None else _reciprocal(add(_ONE, grown))


def _bell(s: Series) -> Series | None:
    """exp(-s²)·2/√π."""
    height = fixed(2 / sympy.sqrt(sympy.pi))
    bell = exponential(multiply(_MINUS, multiply(s, s)))
    return None if bell is None or height is None else multiply(constant(height), bell)


def _less_one(s: Series) -> Series | None:
    grown = exponential(s)
    return None if grown is None else add(grown, _MINUS)


def _opposite(function: Function) -> Function:
    def turned(s: Series) -> Series | None:
        found = function(s)
        return None if found is None else multiply(_MINUS, found)

    return turned


_HALF = -sympy.S.Half
SERIES_OF: dict[str, Function] = {
    "exp": exponential,
    "expm1": _less_one,
    "sin": _part(-1, 0),
    "cos": _part(-1, 1),
    "tan": _quotient(-1),
    "sinh": _part(1, 0),
    "cosh": _part(1, 1),
    "tanh": _quotient(1),
    "sigmoid": _logistic,
    "log": _by_slope(mpmath.log, _reciprocal),
    "log1p": _by_slope(mpmath.log1p, lambda s: _reciprocal(add(_ONE, s))),
    "softplus": _by_slope(lambda x: mpmath.log1p(mpmath.exp(x)), _logistic),
    "atan": _by_slope(mpmath.atan, _beside_square(_ONE, 1, sympy.S.NegativeOne)),
    "atanh": _by_slope(mpmath.atanh, _beside_square(_ONE, -1, sympy.S.NegativeOne)),
    "asin": _by_slope(mpmath.asin, _beside_square(_ONE, -1, _HALF)),
    "acos": _by_slope(mpmath.acos, _opposite(_beside_square(_ONE, -1, _HALF))),
    "asinh": _by_slope(mpmath.asinh, _beside_square(_ONE, 1, _HALF)),
    "erf": _by_slope(mpmath.erf, _bell),
    "erfc": _by_slope(mpmath.erfc, _opposite(_bell)),
}

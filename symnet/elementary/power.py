"""x^y as e^(y·log |x|), with the logarithm to more than working precision and the sign put back.

In: lanes and two values of theirs.  Out: a value, by straight-line operations.

The error of y·log |x| counts in full, up to 745 times the logarithm's own.  float goes by way of double;
double carries the logarithm and the product as pairs (`double_double.py`).

Not handled: rounding modes other than nearest-even; integer powers have no shorter way here (simplification
turns small ones into products).

Source: special cases as in IEEE 754-2019, 9.2.1.  log(1 + f) = 2·atanh s, s = f/(2 + f), with
atanh s = s + s·z·(1/3 + z·T(z)), z = s² ≤ 1/25; T is a minimax fit (Remez exchange at 160 bits, coefficients
then rounded) of degree 7, relative error of the logarithm 2^-66.5.
"""

from __future__ import annotations

from symnet.elementary import double_double as dd
from symnet.elementary.algebraic import floor
from symnet.elementary.exponential import LN2, exp_sum
from symnet.elementary.lanes import Lanes, Value
from symnet.elementary.logarithm import log, log_parts, outside_domain

INF, NAN = float("inf"), float("nan")
THIRD = (0.3333333333333333, 1.850371707708594e-17)
ATANH_FROM_FIFTH = (
    0.19999999999999984,
    0.14285714285741757,
    0.1111111110269339,
    0.09090910212203486,
    0.0769222761584739,
    0.06669959758155028,
    0.05804417481788861,
    0.0623984423202993,
)
FAR = 1024.0  # e^±1024 is inf or 0 in every format


def pow(lanes: Lanes, x: Value, y: Value) -> Value:
    """x^y; NaN for negative x and fractional y.

    Error: 0.6 ulp (float); 1.2 ulp with fma, 1.5 ulp without (double); subnormal results included.
    """
    size = lanes.abs(x)
    return with_special_cases(lanes, x, y, POSITIVE_POWER[lanes.kind](lanes, size, y))


def power_in_double(lanes: Lanes, x: Value, y: Value) -> Value:
    """x^y of floats, x ≥ 0."""
    wide, (x, y) = lanes.wide, map(lanes.widen, (x, y))
    return lanes.narrow(exp_sum(wide, wide.mul(y, log(wide, x))))


def power_in_pairs(lanes: Lanes, x: Value, y: Value) -> Value:
    """x^y of doubles, x ≥ 0."""
    logarithm = log_pair(lanes, x)
    exponent = dd.product(lanes, y, logarithm.high)
    tail = lanes.mul_add(y, logarithm.low, exponent.low)
    is_near = lanes.less(lanes.abs(exponent.high), FAR)
    return exp_sum(lanes, exponent.high, lanes.select(is_near, tail, 0.0))


POSITIVE_POWER = {"float": power_in_double, "double": power_in_pairs}


def log_pair(lanes: Lanes, x: Value) -> dd.Pair:
    """log x as a pair; -inf, inf or NaN as its first number where x is 0, inf or NaN.

    With s = f/(2 + f), 1/(2 + f) is (1 - s)/2, which turns the division's remainder into the quotient's tail.
    """
    f, e = log_parts(lanes, x)
    divisor = lanes.add(f, 2.0)
    divisor_tail = lanes.sub(f, lanes.sub(divisor, 2.0))
    quotient = lanes.div(f, divisor)
    back = dd.product(lanes, quotient, divisor)
    remainder = lanes.sub(lanes.sub(f, back.high), back.low)
    remainder = lanes.sub(remainder, lanes.mul(quotient, divisor_tail))
    s = dd.Pair(quotient, lanes.mul(remainder, lanes.mul_add(quotient, -0.5, 0.5)))
    fraction = twice(lanes, atanh_pair(lanes, s))
    high, low = LN2[lanes.kind]
    total = dd.add(lanes, dd.Pair(lanes.mul(e, high), lanes.mul(e, low)), fraction)
    return dd.Pair(outside_domain(lanes, x, 0.0, total.high), total.low)


def atanh_pair(lanes: Lanes, s: dd.Pair) -> dd.Pair:
    """atanh s for |s| ≤ 1/5."""
    z = dd.multiply(lanes, s, s)
    rest = lanes.mul(z.high, lanes.horner(z.high, ATANH_FROM_FIFTH))
    third = dd.fast_sum(lanes, lanes.const(THIRD[0]), rest)
    series = dd.Pair(third.high, lanes.add(third.low, THIRD[1]))
    return dd.add(lanes, s, dd.multiply(lanes, s, dd.multiply(lanes, z, series)))


def twice(lanes: Lanes, a: dd.Pair) -> dd.Pair:
    return dd.Pair(lanes.add(a.high, a.high), lanes.add(a.low, a.low))


def with_special_cases(lanes: Lanes, x: Value, y: Value, size: Value) -> Value:
    """The sign of odd powers of negative x, NaN for fractional ones, and the powers that are 1."""
    half = lanes.mul(y, 0.5)
    is_fraction = lanes.unequal(floor(lanes, y), y)
    is_half_fraction = lanes.unequal(floor(lanes, half), half)
    whole = lanes.select(is_half_fraction, lanes.copy_sign(size, x), size)
    fraction = lanes.select(lanes.both(lanes.less(x, 0.0), lanes.less(-INF, x)), NAN, size)
    result = lanes.select(is_fraction, fraction, whole)
    at_unit = lanes.both(lanes.equal(lanes.abs(x), 1.0), lanes.equal(lanes.abs(y), INF))
    is_one = lanes.either(at_unit, lanes.either(lanes.equal(x, 1.0), lanes.equal(y, 0.0)))
    return lanes.select(is_one, 1.0, result)


FUNCTIONS = (pow,)

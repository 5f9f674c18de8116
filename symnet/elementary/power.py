"""x^y as e^(y·log |x|), with the logarithm to more than working precision and the sign put back.

In: lanes and two values of theirs.  Out: a value, by straight-line operations.

The error of y·log |x| counts in full, up to 745 times the logarithm's own.  float goes by way of double, with powers
and logarithms of 2 that are as accurate as a float's last bit needs: no division, and 2^n is added to an exponent.
double carries the logarithm and the product as pairs (`double_double.py`).

Not handled: rounding modes other than nearest-even; integer powers have no shorter way here (simplification
turns small ones into products).

Source: special cases as in IEEE 754-2019, 9.2.1.  log(1 + f) = 2·atanh s, s = f/(2 + f), with
atanh s = s + s·z·(1/3 + z·T(z)), z = s² ≤ 1/25; T is a minimax fit (Remez exchange at 160 bits, coefficients
then rounded) of degree 7, relative error of the logarithm 2^-66.5.  For floats: log2(1 + f) = f·P(f) for f in
[-1/4, 1/2], degree 12, relative error 2^-35.8; 2^r for |r| ≤ 1/2, degree 6, 2^-28.5 (both minimax fits).
"""

from __future__ import annotations

from symnet.elementary import double_double as dd
from symnet.elementary.exponential import LN2, exp_sum
from symnet.elementary.lanes import Lanes, Value
from symnet.elementary.logarithm import exponent_field, field_to_real, fraction_of, log_parts, outside_domain

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
LOG2 = (
    1.4426950409106443,
    -0.7213475208315896,
    0.4808983326417756,
    -0.3606736534606583,
    0.2885404279666525,
    -0.24045841786809274,
    0.2060568604353586,
    -0.18000364495235463,
    0.16050302655432602,
    -0.1492080730356645,
    0.13879336245723756,
    -0.10204146407475707,
    0.037990163092435844,
)
EXP2 = (
    1.0,
    0.6931472149686237,
    0.2402265278298975,
    0.05550310550032035,
    0.00961769296032269,
    0.001340664423423774,
    0.00015594681279915756,
)
OVERFLOW, UNDERFLOW = 129.0, -151.0  # a float's 2^t is inf from here on, or 0


def pow(lanes: Lanes, x: Value, y: Value) -> Value:
    """x^y; NaN for negative x and fractional y.

    Error: 0.6 ulp (float); 1.2 ulp with fma, 1.5 ulp without (double); subnormal results included.
    """
    size = lanes.abs(x)
    return with_special_cases(lanes, x, y, POSITIVE_POWER[lanes.kind](lanes, size, y))


def power_in_double(lanes: Lanes, x: Value, y: Value) -> Value:
    """x^y of floats, x ≥ 0: 2^(y·log2 x), the ends of the domain apart."""
    wide = lanes.wide
    exponent = wide.mul(lanes.widen(y), log2_of_float(wide, lanes.widen(x)))
    inside = lanes.narrow(exp2_to_float(wide, exponent))
    grows = lanes.less(0.0, y)
    at_zero, at_infinity = lanes.select(grows, 0.0, INF), lanes.select(grows, INF, 0.0)
    result = lanes.select(lanes.equal(x, 0.0), at_zero, lanes.select(lanes.equal(x, INF), at_infinity, inside))
    return lanes.select(lanes.either(lanes.is_nan(x), lanes.is_nan(y)), NAN, result)


def log2_of_float(wide: Lanes, x: Value) -> Value:
    """log2 x of a double that a positive float gave: even the least is a normal number.  Relative error: 2^-35."""
    field, moved = exponent_field(wide, x)
    f = fraction_of(wide, moved)
    return wide.mul_add(f, wide.horner(f, LOG2), field_to_real(wide, field, wide.format.bias))


def exp2_to_float(wide: Lanes, t: Value) -> Value:
    """2^t, 0 or inf where a float is.  Relative error: 2^-28."""
    t = wide.at_least(wide.at_most(t, OVERFLOW), UNDERFLOW)
    shifted = wide.add(t, wide.format.rounder)
    r = wide.sub(t, wide.sub(shifted, wide.format.rounder))
    power = wide.bits(wide.horner(r, EXP2))
    return wide.from_bits(wide.int_add(power, wide.shift_left(wide.bits(shifted), wide.format.mantissa)))


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
    length = lanes.abs(y)
    is_fraction = has_fraction(lanes, length)
    is_half_fraction = has_fraction(lanes, lanes.mul(length, 0.5))
    whole = lanes.select(is_half_fraction, lanes.copy_sign(size, x), size)
    fraction = lanes.select(lanes.both(lanes.less(x, 0.0), lanes.less(-INF, x)), NAN, size)
    result = lanes.select(is_fraction, fraction, whole)
    at_unit = lanes.both(lanes.equal(lanes.abs(x), 1.0), lanes.equal(lanes.abs(y), INF))
    is_one = lanes.either(at_unit, lanes.either(lanes.equal(x, 1.0), lanes.equal(y, 0.0)))
    return lanes.select(is_one, 1.0, result)


def has_fraction(lanes: Lanes, length: Value) -> Value:
    """Whether a number of 0 or more is not whole: 2^mantissa and all above are, and a sum with that rounds to one."""
    most = 2.0**lanes.format.mantissa
    return lanes.both(lanes.less(length, most), lanes.unequal(lanes.sub(lanes.add(length, most), most), length))


FUNCTIONS = (pow,)

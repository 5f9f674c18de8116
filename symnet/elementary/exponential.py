"""exp, expm1 and the logistic function, by argument reduction and one polynomial.

In: lanes and a value of theirs.  Out: a value, by straight-line operations.

x = n·ln 2 + r with n an integer and |r| ≤ ln 2 / 2, so that e^x = 2^n·e^r.  n·ln 2 is subtracted in two
pieces; the first has so few bits that its product with n is exact, with or without fma (Cody and Waite).
2^n is built from the bits of n.  Where e^x may leave the normal numbers 2^n is applied in two factors, so
that results overflow to inf and sink through the subnormals as they should.

Not handled: rounding modes other than nearest-even; flushing of subnormals (a caller's processor mode).

Source: W. J. Cody and W. Waite, Software Manual for the Elementary Functions (1980), chapter 6, for the
reduction.  e^r = 1 + r + r²·q(r) with q a minimax fit (Remez exchange at 160 bits, coefficients then
rounded) of the relative error on |r| ≤ 0.34675: degree 4, error 2^-28.0 (float); degree 9, 2^-56.3 (double).
For expm1 the same degrees, fitted to the relative error of e^r - 1: 2^-25.8 (float), 2^-54.7 (double).
"""

from __future__ import annotations

from dataclasses import dataclass

from symnet.elementary.lanes import Lanes, Value

LOG2_E = 1.4426950408889634
# ln 2 in two pieces: the first has 8 (float) and 11 (double) zero bits at its end, as many as n has bits
LN2: dict[str, tuple[float, ...]] = {
    "float": (0.693145751953125, 1.4286068203094173e-06),
    "double": (0.6931471805598903, 5.497923018708371e-14),
}
# the float nearest to ln 2 happens to end in three zero bits, which is enough where n is small or does not matter
LN2_SHORT = {"float": (0.6931471824645996,), "double": LN2["double"]}
LN_SMALLEST = {"float": -104.0, "double": -746.0}  # e^x rounds to 0 below
LN_LARGEST = {"float": 89.0, "double": 710.0}  # e^x overflows above

EXP = {
    "float": (1.0, 1.0, 0.49999994, 0.16666521, 0.04166839, 0.008368745, 0.0013814553),
    "double": (
        1.0,
        1.0,
        0.5000000000000011,
        0.1666666666666641,
        0.04166666666652973,
        0.008333333333494996,
        0.001388888894375979,
        0.00019841269505738846,
        2.4801492949658657e-05,
        2.755758683264468e-06,
        2.7630306274477817e-07,
        2.5000010214156656e-08,
    ),
}
# (e^r - 1 - r) / r²
EXPM1 = {
    "float": (0.49999997, 0.16666543, 0.0416672, 0.0083665475, 0.0013882519),
    "double": (
        0.5000000000000006,
        0.16666666666666588,
        0.041666666666576466,
        0.008333333333389734,
        0.0013888888931667155,
        0.0001984126971871044,
        2.4801505142657292e-05,
        2.7557407686384094e-06,
        2.76260928428571e-07,
        2.5053775619987174e-08,
    ),
}


@dataclass(frozen=True, slots=True)
class Reduced:
    """x = n·ln 2 + r; the low bits of `field` hold n plus the offset that was asked for."""

    field: Value
    r: Value


def reduce(lanes: Lanes, x: Value, offset: int, factor: int = 1, pieces: dict[str, tuple[float, ...]] = LN2) -> Reduced:
    """Take the multiple of ln 2 out of factor·x, |factor·x| < 1100; r then stands for factor·r."""
    rounder = lanes.format.rounder + offset
    shifted = lanes.mul_add(x, LOG2_E * factor, rounder)
    n = lanes.sub(shifted, rounder)
    r = x
    for piece in pieces[lanes.kind]:
        r = lanes.mul_add(n, -piece / factor, r)
    return Reduced(lanes.bits(shifted), r)


def power_of_two(lanes: Lanes, field: Value) -> Value:
    """2^(field - bias), from the low bits of `field`: an exponent between 1 and 2·bias."""
    return lanes.from_bits(lanes.shift_left(field, lanes.format.mantissa))


def exp_normal(lanes: Lanes, x: Value, shift: int = 0) -> Value:
    """2^shift·e^x where that is a normal number, as for |x| ≤ 87 (float) or 708 (double).  Error: as `exp`."""
    reduced = reduce(lanes, x, lanes.format.bias + shift)
    return lanes.mul(lanes.horner(reduced.r, EXP[lanes.kind]), power_of_two(lanes, reduced.field))


def exp_twice_plus_one(lanes: Lanes, x: Value) -> Value:
    """e^(2x) + 1 for 0 ≤ x ≤ 20, to an absolute accuracy: the error of n·ln 2 may grow with n as long as 2^-n·n."""
    reduced = reduce(lanes, x, lanes.format.bias, factor=2, pieces=LN2_SHORT)
    coefficients = [c * 2**degree for degree, c in enumerate(EXP[lanes.kind])]
    return lanes.mul_add(lanes.horner(reduced.r, coefficients), power_of_two(lanes, reduced.field), 1.0)


def exp_of_nonpositive(lanes: Lanes, x: Value) -> Value:
    """e^x for x ≤ 0, through the subnormals to 0.  Error: as `exp`.

    2^(n+lift) is normal for every n that occurs, so the only rounding below the normal numbers is that of
    the product with 2^-lift.
    """
    lift = lanes.format.bias // 2 + lanes.format.mantissa
    reduced = reduce(lanes, lanes.at_least(x, LN_SMALLEST[lanes.kind]), lanes.format.bias + lift)
    lifted = lanes.mul(lanes.horner(reduced.r, EXP[lanes.kind]), power_of_two(lanes, reduced.field))
    return lanes.mul(lifted, _unless_nothing(lanes, x, 2.0**-lift))


def exp_sum(lanes: Lanes, x: Value, tail: Value | None = None) -> Value:
    """e^(x + tail) for any x and a tail far smaller than 1, with 2^n in two factors.  Error: as `exp`."""
    within = lanes.at_least(lanes.at_most(x, LN_LARGEST[lanes.kind]), LN_SMALLEST[lanes.kind])
    reduced = reduce(lanes, within, 2 * lanes.format.bias)
    r = reduced.r if tail is None else lanes.add(reduced.r, tail)
    half = lanes.shift_left(lanes.shift_right(reduced.field, 1), lanes.format.mantissa)
    rest = lanes.int_sub(lanes.shift_left(reduced.field, lanes.format.mantissa), half)
    scaled = lanes.mul(lanes.horner(r, EXP[lanes.kind]), lanes.from_bits(half))
    return lanes.mul(scaled, _unless_nothing(lanes, x, lanes.from_bits(rest)))


def _unless_nothing(lanes: Lanes, x: Value, factor: Value | float) -> Value:
    """The last factor of e^x; 0 where e^x rounds to 0: a product that sinks below the subnormals takes processors
    150 cycles, and a masked element of attention is one.
    """
    return lanes.select(lanes.less(x, LN_SMALLEST[lanes.kind]), 0.0, factor)


def exp(lanes: Lanes, x: Value) -> Value:
    """e^x.

    Error: 0.9 ulp (float) and 0.95 ulp (double) with fma, 1.2 ulp without; subnormal results included.
    """
    return exp_sum(lanes, x)


def expm1(lanes: Lanes, x: Value) -> Value:
    """e^x - 1, to full relative accuracy near 0.

    e^x - 1 = 2·(2^(n-1)·(e^r - 1) + (2^(n-1) - 1/2)), which overflows only where it must.  Below 2^-mantissa
    in size the result is x itself, which keeps -0 and subnormals.

    Error: 1.8 ulp (float), 2.4 ulp (double).
    """
    lowest = -0.7 * (lanes.format.mantissa + 3)  # e^x - 1 rounds to -1 below
    within = lanes.at_least(lanes.at_most(x, LN_LARGEST[lanes.kind]), lowest)
    reduced = reduce(lanes, within, lanes.format.bias - 1)
    curve = lanes.horner(reduced.r, EXPM1[lanes.kind])
    fraction = lanes.mul_add(lanes.mul(reduced.r, reduced.r), curve, reduced.r)
    half_power = power_of_two(lanes, reduced.field)
    half = lanes.mul_add(fraction, half_power, lanes.sub(half_power, 0.5))
    is_small = lanes.less(lanes.abs(x), 2.0**-lanes.format.mantissa)
    return lanes.select(is_small, x, lanes.add(half, half))


def sigmoid(lanes: Lanes, x: Value) -> Value:
    """1/(1 + e^-x), as e^x/(1 + e^x) for negative x: the relative accuracy holds down to the subnormals.

    Error: 2.5 ulp (float and double), down to the subnormals.
    """
    e = exp_of_nonpositive(lanes, lanes.neg(lanes.abs(x)))
    return lanes.div(lanes.select(lanes.less(x, 0.0), e, 1.0), lanes.add(e, 1.0))


FUNCTIONS = (exp, expm1, sigmoid)

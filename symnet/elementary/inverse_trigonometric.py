"""asin, acos, atan and atan2: identities bring the argument near 0, then an odd polynomial.

In: lanes and a value of theirs.  Out: a value, by straight-line operations.

atan |x| = π/4·k + atan t with t = |x|, (|x| - 1)/(|x| + 1) or -1/|x|, so that |t| ≤ tan π/8.
asin |x| = π/2 - 2·asin √((1 - |x|)/2) for |x| ≥ 1/2.  Multiples of π/4 stand in two pieces.

Not handled: arguments outside [-1, 1] of asin and acos give NaN.

Source: Abramowitz and Stegun 4.4.  atan t = t + t³·p(t²) on |t| ≤ 0.41422 and asin t = t + t³·p(t²) on
|t| ≤ 1/2, minimax fits (Remez exchange at 160 bits, coefficients then rounded) of the relative error: degrees
4 and 5, 2^-28.3 and 2^-29.8 (float); 10 and 12, 2^-57.4 and 2^-59.5 (double).
"""

from __future__ import annotations

from symnet.elementary.hyperbolic import odd_series
from symnet.elementary.lanes import Lanes, Value

TAN_EIGHTH = 0.41421356237309503  # tan π/8
TAN_THREE_EIGHTHS = 2.414213562373095  # tan 3π/8
# π/4 rounded, and what rounding lost; multiples by 2 and 4 are exact
QUARTER_PI = {
    "float": (0.7853981852531433, -2.1855694143368964e-08),
    "double": (0.7853981633974483, 3.061616997868383e-17),
}

ATAN = {
    "float": (-0.33333316, 0.19998471, -0.14243533, 0.10593804, -0.060781956),
    "double": (
        -0.33333333333333254,
        0.19999999999965976,
        -0.14285714281194373,
        0.11111110825411616,
        -0.09090898805652814,
        0.07692076777806715,
        -0.06663274135291354,
        0.058490216082955564,
        -0.05044019547259732,
        0.03817616161153722,
        -0.01802183412322814,
    ),
}
ASIN = {
    "float": (0.1666666, 0.07500504, 0.044516955, 0.031807736, 0.014438545, 0.03751653),
    "double": (
        0.1666666666666671,
        0.07499999999981012,
        0.04464285716671401,
        0.030381943030409222,
        0.022372207003917892,
        0.01735174069263851,
        0.01397941468317807,
        0.011409521056016995,
        0.010724893505977004,
        0.0039025806663048838,
        0.021256822724680175,
        -0.020393798859922537,
        0.03226774095276442,
    ),
}


def atan(lanes: Lanes, x: Value) -> Value:
    """The inverse tangent, in [-π/2, π/2].

    Error: 2 ulp (float and double).
    """
    size = lanes.abs(x)
    is_middle, is_large = lanes.less(TAN_EIGHTH, size), lanes.less(TAN_THREE_EIGHTHS, size)
    above = lanes.select(is_large, -1.0, lanes.select(is_middle, lanes.sub(size, 1.0), size))
    below = lanes.select(is_large, size, lanes.select(is_middle, lanes.add(size, 1.0), 1.0))
    high, low = QUARTER_PI[lanes.kind]
    base, base_tail = (lanes.select(is_large, 2 * c, lanes.select(is_middle, c, 0.0)) for c in (high, low))
    t = lanes.div(above, below)
    square = lanes.mul(t, t)
    curve = lanes.mul_add(lanes.mul(t, square), lanes.horner(square, ATAN[lanes.kind]), base_tail)
    return lanes.copy_sign(lanes.add(base, lanes.add(t, curve)), x)


def asin(lanes: Lanes, x: Value) -> Value:
    """The inverse sine, in [-π/2, π/2]; NaN outside [-1, 1].

    Error: 2.5 ulp (float and double).
    """
    is_far, half_angle = asin_half(lanes, x)
    high, low = QUARTER_PI[lanes.kind]
    far = lanes.sub(2 * high, lanes.sub(lanes.add(half_angle, half_angle), 2 * low))
    return lanes.copy_sign(lanes.select(is_far, far, half_angle), x)


def acos(lanes: Lanes, x: Value) -> Value:
    """The inverse cosine, in [0, π]; NaN outside [-1, 1].

    Error: 1.3 ulp (float and double).
    """
    is_far, half_angle = asin_half(lanes, x)
    high, low = QUARTER_PI[lanes.kind]
    near = lanes.sub(2 * high, lanes.sub(lanes.copy_sign(half_angle, x), 2 * low))
    angle = lanes.add(half_angle, half_angle)
    obtuse = lanes.sub(4 * high, lanes.sub(angle, 4 * low))
    return lanes.select(is_far, lanes.select(lanes.less(x, 0.0), obtuse, angle), near)


def asin_half(lanes: Lanes, x: Value) -> tuple[Value, Value]:
    """Whether |x| ≥ 1/2, and asin √((1 - |x|)/2) where it is, asin |x| where it is not."""
    size = lanes.abs(x)
    is_far = lanes.less(0.5, size)
    root = lanes.sqrt(lanes.mul_add(size, -0.5, 0.5))
    return is_far, odd_series(lanes, lanes.select(is_far, root, size), ASIN[lanes.kind])


def atan2(lanes: Lanes, y: Value, x: Value) -> Value:
    """The angle of the point (x, y), in [-π, π], with the signs of zeros as IEEE 754 has them.

    atan of the smaller over the larger of |x| and |y|; from π/2 where |y| is larger, from π where x is negative.

    Error: 3 ulp (float and double).
    """
    across, up = lanes.abs(x), lanes.abs(y)
    is_steep = lanes.less(across, up)
    small, large = lanes.select(is_steep, across, up), lanes.select(is_steep, up, across)
    ratio = lanes.div(small, lanes.select(lanes.equal(large, 0.0), 1.0, large))
    ratio = lanes.select(lanes.equal(small, float("inf")), 1.0, ratio)
    angle = atan(lanes, ratio)
    high, low = QUARTER_PI[lanes.kind]
    is_left = lanes.less(lanes.copy_sign(1.0, x), 0.0)
    steep = lanes.sub(2 * high, lanes.sub(angle, 2 * low))
    angle = lanes.select(is_steep, steep, angle)
    turned = lanes.sub(4 * high, lanes.sub(angle, 4 * low))
    value = lanes.copy_sign(lanes.select(is_left, turned, angle), y)
    nan = lanes.either(lanes.is_nan(x), lanes.is_nan(y))
    return lanes.select(nan, lanes.add(x, y), value)


FUNCTIONS = (atan, asin, acos, atan2)

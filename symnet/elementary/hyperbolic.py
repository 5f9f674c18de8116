"""tanh, sinh and cosh: an odd polynomial near 0, exponentials beyond.

In: lanes and a value of theirs.  Out: a value, by straight-line operations (both forms are computed and one is
selected).

Not handled: rounding modes other than nearest-even.

Source: the definitions by e^x.  Near 0: tanh x = x + x³·p(x²) on |x| ≤ 0.625, a minimax fit (Remez exchange
at 160 bits, coefficients then rounded) of the relative error: degree 4, 2^-26.8 (float); degree 10, 2^-55.8
(double).  sinh x = x + x³·p(x²) on |x| ≤ 1: degree 3, 2^-27.5 (float); degree 6, 2^-56.6 (double).
"""

from __future__ import annotations

from symnet.elementary.exponential import LN_LARGEST, exp_normal, exp_twice_plus_one
from symnet.elementary.lanes import Lanes, Value

TANH = {
    "float": (-0.3333328, 0.13331442, -0.053739715, 0.020639084, -0.0057049836),
    "double": (
        -0.33333333333333076,
        0.13333333333282843,
        -0.053968253938612945,
        0.021869487711595522,
        -0.008863222486275715,
        0.003591999445878429,
        -0.001455005066037967,
        0.0005864511416728352,
        -0.00022880951304948634,
        7.739845667536879e-05,
        -1.6186762020169052e-05,
    ),
}
SINH = {
    "float": (0.16666667, 0.00833335, 0.0001983616, 2.8169513e-06),
    "double": (
        0.16666666666666669,
        0.008333333333333148,
        0.00019841269841431873,
        2.7557319157071484e-06,
        2.5052123136779262e-08,
        1.605725976482051e-10,
        7.758748906377452e-13,
    ),
}
TANH_NEAR = 0.625
TANH_IS_ONE = {"float": 9.25, "double": 19.25}  # tanh x rounds to 1 above


def tanh(lanes: Lanes, x: Value) -> Value:
    """The hyperbolic tangent: x + x³·p(x²) near 0, else 1 - 2/(1 + e^(2|x|)) with the sign of x.

    Error: 1.4 ulp (float and double).
    """
    size = lanes.abs(x)
    near = odd_series(lanes, x, TANH[lanes.kind])
    bounded = lanes.at_most(size, TANH_IS_ONE[lanes.kind])
    far = lanes.sub(1.0, lanes.div(2.0, exp_twice_plus_one(lanes, bounded)))
    return lanes.copy_sign(lanes.select(lanes.less(size, TANH_NEAR), near, far), x)


def odd_series(lanes: Lanes, x: Value, coefficients: tuple[float, ...]) -> Value:
    """x + x³·p(x²)."""
    square = lanes.mul(x, x)
    return lanes.mul_add(lanes.mul(x, square), lanes.horner(square, coefficients), x)


def quarter_exp(lanes: Lanes, size: Value) -> Value:
    """e^size / 4, which stays a number a little beyond the point where e^size / 2 overflows."""
    return exp_normal(lanes, lanes.at_most(size, LN_LARGEST[lanes.kind] + 1.0), shift=-2)


def sinh(lanes: Lanes, x: Value) -> Value:
    """The hyperbolic sine: x + x³·p(x²) near 0, else (e^|x| - e^-|x|)/2 = 2·(q - 1/(16·q)), q = e^|x|/4.

    Error: 1.8 ulp (float and double).
    """
    size = lanes.abs(x)
    near = odd_series(lanes, size, SINH[lanes.kind])
    quarter = quarter_exp(lanes, size)
    half = lanes.sub(quarter, lanes.div(0.0625, quarter))
    return lanes.copy_sign(lanes.select(lanes.less(size, 1.0), near, lanes.add(half, half)), x)


def cosh(lanes: Lanes, x: Value) -> Value:
    """The hyperbolic cosine: (e^|x| + e^-|x|)/2 = 2·(q + 1/(16·q)), q = e^|x|/4.

    Error: 1.8 ulp (float and double).
    """
    quarter = quarter_exp(lanes, lanes.abs(x))
    half = lanes.add(quarter, lanes.div(0.0625, quarter))
    return lanes.add(half, half)


FUNCTIONS = (tanh, sinh, cosh)

"""The real cube root, by its reciprocal: a third of the exponent, a polynomial, and one Newton step.

In: lanes and a value of theirs.  Out: a value, by straight-line operations.

z ≈ x^(-1/3) begins as an integer: a third of x's bits, taken from a constant (W. Kahan).  What is left of it,
e = 1 - x·z³, is below 1/8, and z·(1 - e)^(-1/3) is a polynomial in e.  y = x·z² is then right to a few 10^-6 (in
double, after one more step of z, to 10^-10), and Newton's step y + (x - y³)/(3y²) to the last bit: where lanes fuse,
x - y³ is computed without error, elsewhere y - x/y² is, to an ulp of itself.  Small numbers are multiplied by a cube
first, so that none of this is subnormal.

Not handled: rounding modes other than nearest-even.

Source: the constants minimise |e| over all exponents; the polynomial is a least-squares fit of (1 - e)^(-1/3) at
Chebyshev points, relative error 2^-17.9.
"""

from __future__ import annotations

from dataclasses import dataclass

from symnet.elementary.lanes import Lanes, Value


@dataclass(frozen=True, slots=True)
class _Third:
    """A third of a bit pattern: ((bits >> dropped)·factor) shifted by `back`, to the right where that is negative."""

    dropped: int
    factor: int
    back: int
    magic: int
    scale: float  # a cube
    root: float  # 1 over its root


_THIRDS = {
    "float": _Third(10, 1365, -2, 0x54A04000, 2.0**48, 2.0**-16),
    "double": _Third(40, 21845, 24, 0x553ECF3333333400, 2.0**108, 2.0**-36),
}
_POLYNOMIAL = (0.9999961730074567, 0.3333233570494037, 0.2243301118555423, 0.17553449727746284)


def cbrt(lanes: Lanes, x: Value) -> Value:
    """The real cube root, of x's sign.

    Error: 0.51 ulp with fma, 0.75 ulp without (float and double).
    """
    third, size = _THIRDS[lanes.kind], lanes.abs(x)
    is_tiny = lanes.less(size, lanes.format.smallest_normal * third.scale)
    scaled = lanes.select(is_tiny, lanes.mul(size, third.scale), size)
    z = _reciprocal(lanes, scaled, third)
    root = _improved(lanes, scaled, lanes.mul(lanes.mul(scaled, z), z), z)
    root = lanes.select(is_tiny, lanes.mul(root, third.root), root)
    is_ordinary = lanes.both(lanes.less(0.0, size), lanes.less(size, float("inf")))
    return lanes.copy_sign(lanes.select(is_ordinary, root, size), x)


def _reciprocal(lanes: Lanes, x: Value, third: _Third) -> Value:
    """x^(-1/3) of a positive normal number."""
    part = lanes.int_mul(lanes.shift_right(lanes.bits(x), third.dropped), third.factor)
    part = lanes.shift_left(part, third.back) if third.back > 0 else lanes.shift_right(part, -third.back)
    z = lanes.from_bits(lanes.int_sub(third.magic, part))
    z = lanes.mul(z, lanes.horner(_rest(lanes, x, z), _POLYNOMIAL))
    if lanes.kind == "double":
        z = lanes.mul_add(lanes.mul(z, 1 / 3), _rest(lanes, x, z), z)
    return z


def _rest(lanes: Lanes, x: Value, z: Value) -> Value:
    """1 - x·z³."""
    return lanes.mul_add(lanes.mul(x, lanes.neg(z)), lanes.mul(z, z), lanes.const(1.0))


def _improved(lanes: Lanes, x: Value, y: Value, z: Value) -> Value:
    """Newton's step from y, with z ≈ 1/y."""
    square = lanes.mul(y, y)
    if not lanes.fused:
        return lanes.sub(y, lanes.mul(lanes.sub(y, lanes.div(x, square)), 1 / 3))
    rounded = lanes.mul_add(y, y, lanes.neg(square))
    rest = lanes.mul_add(lanes.neg(rounded), y, lanes.mul_add(lanes.neg(square), y, x))
    return lanes.mul_add(rest, lanes.mul(lanes.mul(z, z), 1 / 3), y)


FUNCTIONS = (cbrt,)

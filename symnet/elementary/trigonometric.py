"""sin, cos and tan: the multiple of π/2 is taken out, then two short polynomials.

In: lanes and a value of theirs.  Out: a value, by straight-line operations; where a lane holds 2^25 or more, which is
seldom, `far_angles.py` reduces.

x = n·π/2 + r with |r| ≤ π/4.  π/2 stands in four pieces, the first three of 27 bits: for |n| < 2^25 their products
are exact with or without fma, and so are the first differences.  The remainder comes as two numbers, r + tail, wrong
by less than 2^-130·n, so that it keeps its digits beside the multiples of π/2.  float arguments are widened for this
step, unless they are below 2^17 and the lanes fuse: then three pieces of 24 bits do.  x - n·P₀ is exact, as a multiple
of 2^-24 below 1, and so is what n·P₁ rounds away; the remainder is wrong by less than 2^-73·n.  Whether a lane is far
is decided by the lane: its bits do not depend on its neighbours.

Source: reduction as in W. J. Cody and W. Waite, Software Manual for the Elementary Functions (1980), chapter
8.  sin r = r + r³·s(r²) and cos r = 1 - r²/2 + r⁴·c(r²) on |r| ≤ 0.7855, minimax fits (Remez exchange at 160
bits, coefficients then rounded) of the relative error: degrees 2 and 2, 2^-26.9 and 2^-32.6 (float); 5 and
5, 2^-56.4 and 2^-61.0 (double).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from symnet.elementary.far_angles import reduce_far
from symnet.elementary.lanes import Lanes, Value

TWO_OVER_PI = 0.6366197723675814
HALF_PI = (1.570796325802803, 9.920935184482005e-10, 6.123233932053594e-17, 6.36831716351095e-25)
FAR = 2.0**25
HALF_PI_OF_FLOATS = (1.5707963705062866, -4.371138828673793e-08, -1.7151245100058819e-15)
CLOSE = 2.0**17  # of floats

SIN = {
    "float": (-0.16666655, 0.00833216, -0.00019515217),
    "double": (
        -0.1666666666666663,
        0.008333333333322108,
        -0.0001984126982958005,
        2.7557313617979003e-06,
        -2.505074721274793e-08,
        1.589619735176014e-10,
    ),
}
COS = {
    "float": (0.041666646, -0.0013887315, 2.4433082e-05),
    "double": (
        0.04166666666666665,
        -0.0013888888888881346,
        2.480158729335382e-05,
        -2.7557315336329474e-07,
        2.087584308998504e-09,
        -1.1365282525109753e-11,
    ),
}


@dataclass(frozen=True, slots=True)
class Turned:
    """sin r and cos r, and n (its low bits) as integers as wide as the lanes."""

    sin: Value
    cos: Value
    n: Value


Reduction = Callable[[Lanes, Value], tuple[Value, Value, Value]]


def reduce_near(lanes: Lanes, x: Value) -> tuple[Value, Value, Value]:
    """(r, tail, n) of a double below 2^25."""
    shifted = lanes.mul_add(x, TWO_OVER_PI, lanes.format.rounder)
    n = lanes.sub(shifted, lanes.format.rounder)
    rest = lanes.mul_add(n, -HALF_PI[1], lanes.mul_add(n, -HALF_PI[0], x))
    last = lanes.mul(n, HALF_PI[2])
    r = lanes.sub(rest, last)
    tail = lanes.sub(lanes.sub(rest, r), last)
    return r, lanes.mul_add(n, -HALF_PI[3], tail), lanes.bits(shifted)


def reduce_close(lanes: Lanes, x: Value) -> tuple[Value, Value, Value]:
    """(r, tail, n) of a float below 2^17, on lanes that fuse."""
    shifted = lanes.mul_add(x, TWO_OVER_PI, lanes.format.rounder)
    n = lanes.sub(shifted, lanes.format.rounder)
    rest = lanes.mul_add(n, -HALF_PI_OF_FLOATS[0], x)
    last = lanes.mul(n, HALF_PI_OF_FLOATS[1])
    rounded = lanes.mul_add(n, HALF_PI_OF_FLOATS[1], lanes.neg(last))
    r = lanes.sub(rest, last)
    tail = lanes.sub(lanes.sub(lanes.sub(rest, r), last), rounded)
    return r, lanes.mul_add(n, -HALF_PI_OF_FLOATS[2], tail), lanes.bits(shifted)


def widened(reduction: Reduction, lanes: Lanes, x: Value) -> tuple[Value, Value, Value]:
    """The reduction (r, tail, n) of floats, made in double."""
    wide = lanes.wide
    exact, _, n = reduction(wide, lanes.widen(x))
    r = lanes.narrow(exact)
    tail = lanes.narrow(wide.sub(exact, lanes.widen(r)))
    return r, tail, lanes.int_narrow(n)


def turn(lanes: Lanes, x: Value, reduction: Reduction) -> Turned:
    """Reduce x and evaluate both polynomials at what remains."""
    own = lanes.kind == "double" or reduction is reduce_close
    r, tail, n = reduction(lanes, x) if own else widened(reduction, lanes, x)
    square = lanes.mul(r, r)
    cube = lanes.mul(r, square)
    sin = lanes.add(r, lanes.mul_add(cube, lanes.horner(square, SIN[lanes.kind]), tail))
    bend = lanes.mul_add(square, lanes.horner(square, COS[lanes.kind]), -0.5)
    cos = lanes.add(1.0, lanes.mul_add(square, bend, lanes.mul(lanes.neg(r), tail)))
    return Turned(sin, cos, n)


def is_odd(lanes: Lanes, n: Value) -> Value:
    return lanes.int_equal(lanes.int_and(n, 1), 1)


def negate_in_second_half(lanes: Lanes, value: Value, n: Value) -> Value:
    """-value where n mod 4 is 2 or 3."""
    sign = lanes.shift_left(lanes.int_and(n, 2), lanes.format.bits - 2)
    return lanes.from_bits(lanes.int_xor(lanes.bits(value), sign))


def sine_of(lanes: Lanes, turned: Turned) -> Value:
    quarter = lanes.select(is_odd(lanes, turned.n), turned.cos, turned.sin)
    return negate_in_second_half(lanes, quarter, turned.n)


def cosine_of(lanes: Lanes, turned: Turned) -> Value:
    quarter = lanes.select(is_odd(lanes, turned.n), turned.sin, turned.cos)
    return negate_in_second_half(lanes, quarter, lanes.int_add(turned.n, 1))


def tangent_of(lanes: Lanes, turned: Turned) -> Value:
    """sin r / cos r, or -cos r / sin r for odd n."""
    odd = is_odd(lanes, turned.n)
    above = lanes.select(odd, lanes.neg(turned.cos), turned.sin)
    return lanes.div(above, lanes.select(odd, turned.sin, turned.cos))


Quarter = Callable[[Lanes, Turned], Value]


def anywhere(lanes: Lanes, x: Value, name: str, quarter: Quarter) -> Value:
    """The function that `quarter` reads off a turn, of x of any size."""
    is_close = lanes.kind == "float" and lanes.fused
    reduction, limit = (reduce_close, CLOSE) if is_close else (reduce_near, FAR)
    near = quarter(lanes, turn(lanes, x, reduction))

    def beyond(lanes: Lanes, x: Value, near: Value) -> Value:
        size, found = lanes.abs(x), quarter(lanes, turn(lanes, x, reduce_far))
        if is_close:
            found = lanes.select(lanes.less(size, FAR), quarter(lanes, turn(lanes, x, reduce_near)), found)
        return lanes.select(lanes.less(size, limit), near, found)

    return lanes.seldom(f"{name}.far", lanes.less_equal(limit, lanes.abs(x)), beyond, x, near)


def sin(lanes: Lanes, x: Value) -> Value:
    """The sine of x radians.

    Error: 1.4 ulp (float and double).
    """
    return lanes.select(lanes.equal(x, 0.0), x, anywhere(lanes, x, "sin", sine_of))


def cos(lanes: Lanes, x: Value) -> Value:
    """The cosine of x radians.

    Error: 1.4 ulp (float and double).
    """
    return anywhere(lanes, x, "cos", cosine_of)


def tan(lanes: Lanes, x: Value) -> Value:
    """The tangent of x radians.

    Error: 3 ulp (float and double).
    """
    return lanes.select(lanes.equal(x, 0.0), x, anywhere(lanes, x, "tan", tangent_of))


FUNCTIONS = (sin, cos, tan)

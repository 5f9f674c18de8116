"""sin πa and cot πa of a number of half turns, which is reduced without error.

In: lanes of doubles, a ≥ 0.  Out: the sine's size and sign, and the cotangent.
"""

from __future__ import annotations

from dataclasses import dataclass

from symnet.elementary import double_double as dd
from symnet.elementary.algebraic import floor
from symnet.elementary.lanes import Lanes, Value
from symnet.elementary.trigonometric import COS, SIN

PI = (3.141592653589793, 1.2246467991473532e-16)


@dataclass(frozen=True, slots=True)
class Turn:
    """|sin πa| and |cos πa|; whether a is whole, whether ⌊a⌋ is odd, whether a lies in the second half of its unit."""

    sin: Value
    cos: Value
    is_whole: Value
    is_odd: Value
    is_late: Value


def turn_of(lanes: Lanes, a: Value) -> Turn:
    """Reduce a to the nearest multiple of 1/2 and evaluate both polynomials at what remains."""
    whole = floor(lanes, a)
    half = lanes.mul(whole, 0.5)
    fraction = lanes.sub(a, whole)
    is_late = lanes.less(0.5, fraction)
    folded = lanes.select(is_late, lanes.sub(1.0, fraction), fraction)
    is_steep = lanes.less(0.25, folded)
    angle = dd.product(lanes, lanes.select(is_steep, lanes.sub(0.5, folded), folded), lanes.const(PI[0]))
    tail = lanes.mul_add(lanes.mul(angle.high, 1 / PI[0]), PI[1], angle.low)
    square = lanes.mul(angle.high, angle.high)
    cube = lanes.mul(angle.high, square)
    sin = lanes.add(angle.high, lanes.mul_add(cube, lanes.horner(square, SIN[lanes.kind]), tail))
    bend = lanes.mul_add(square, lanes.horner(square, COS[lanes.kind]), -0.5)
    cos = lanes.add(1.0, lanes.mul_add(square, bend, lanes.mul(lanes.neg(angle.high), tail)))
    return Turn(
        lanes.select(is_steep, cos, sin),
        lanes.select(is_steep, sin, cos),
        lanes.equal(fraction, 0.0),
        lanes.unequal(floor(lanes, half), half),
        is_late,
    )

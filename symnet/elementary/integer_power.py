"""x**y of integers, which wraps as NumPy's does.

In: lanes and two of their integers.  Out: an integer, by one loop.

By repeated squaring, as many rounds as the largest exponent has bits.  A negative exponent gives 0, or ±1 for the
base ±1 (what JAX gives; NumPy raises).
"""

from __future__ import annotations

from symnet.elementary.lanes import Lanes, Value


def integer_power(lanes: Lanes, x: Value, y: Value) -> Value:
    """x**y modulo 2^32 or 2^64."""
    is_negative = lanes.int_less(y, 0)
    power = _by_squaring(lanes, x, lanes.int_select(is_negative, 0, y))
    of_minus = lanes.int_select(_is_odd(lanes, y), -1, 1)
    of_unit = lanes.int_select(lanes.int_equal(x, -1), of_minus, 0)
    return lanes.int_select(is_negative, lanes.int_select(lanes.int_equal(x, 1), 1, of_unit), power)


def _by_squaring(lanes: Lanes, x: Value, y: Value) -> Value:
    """x**y for y ≥ 0: the result so far times a power of x, for each bit of y that is left."""

    def more(result: Value, square: Value, left: Value) -> Value:
        return lanes.opposite(lanes.int_equal(left, 0))

    def step(result: Value, square: Value, left: Value) -> tuple[Value, Value, Value]:
        product = lanes.int_select(_is_odd(lanes, left), lanes.int_mul(result, square), result)
        return product, lanes.int_mul(square, square), lanes.shift_right(left, 1)

    return lanes.repeat((lanes.int_const(1), x, y), more, step)[0]


def _is_odd(lanes: Lanes, x: Value) -> Value:
    return lanes.int_equal(lanes.int_and(x, 1), 1)

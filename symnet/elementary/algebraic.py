"""sqrt, rsqrt and floor.

In: lanes and a value of theirs.  Out: a value, by straight-line operations.

Not handled: a square root where there is no instruction for it; the lanes then call a library.
"""

from __future__ import annotations

from symnet.elementary.lanes import Lanes, Value


def sqrt(lanes: Lanes, x: Value) -> Value:
    """The square root; NaN below 0.

    Error: 0.5 ulp.
    """
    return lanes.sqrt(x)


def rsqrt(lanes: Lanes, x: Value) -> Value:
    """1/√x; inf at 0, NaN below.

    Error: 1.5 ulp.
    """
    return lanes.div(1.0, lanes.sqrt(x))


def floor(lanes: Lanes, x: Value) -> Value:
    """The largest integer that does not exceed x: exact.

    By adding and subtracting 2^mantissa: an instruction for it is missing on older processors.
    """
    whole = 2.0**lanes.format.mantissa  # from here on every number is an integer
    size = lanes.abs(x)
    nearest = lanes.copy_sign(lanes.sub(lanes.add(size, whole), whole), x)
    below = lanes.sub(nearest, lanes.select(lanes.less(x, nearest), 1.0, 0.0))
    return lanes.select(lanes.less(size, whole), lanes.copy_sign(below, x), x)


FUNCTIONS = (sqrt, rsqrt, floor)

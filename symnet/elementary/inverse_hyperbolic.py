"""asinh, acosh and atanh, by log1p of what is left when 1 is taken out.

In: lanes and a value of theirs.  Out: a value, by straight-line operations.

asinh |x| = log1p(|x| + x²/(1 + √(1 + x²))), acosh x = log1p(t + √(t·(t + 2))) with t = x - 1,
atanh |x| = log1p(2|x|/(1 - |x|))/2; where x² would overflow, log(2|x|) = log1p(|x|) + ln 2.

Not handled: rounding modes other than nearest-even.
Source: Abramowitz and Stegun 4.6.20 to 4.6.22.
"""

from __future__ import annotations

from symnet.elementary.lanes import Lanes, Value
from symnet.elementary.logarithm import log1p

LN_2 = 0.6931471805599453
NAN = float("nan")


def _is_huge(lanes: Lanes, size: Value) -> Value:
    """Whether an argument is so large that 1 is nothing beside it, nor beside its square."""
    return lanes.less(2.0 ** (lanes.format.mantissa + 2), size)


def asinh(lanes: Lanes, x: Value) -> Value:
    """The inverse hyperbolic sine.

    Error: 2.5 ulp (float and double).
    """
    size = lanes.abs(x)
    huge = _is_huge(lanes, size)
    square = lanes.mul(size, size)
    root = lanes.sqrt(lanes.add(square, 1.0))
    inner = lanes.add(size, lanes.div(square, lanes.add(root, 1.0)))
    value = log1p(lanes, lanes.select(huge, size, inner))
    return lanes.copy_sign(lanes.select(huge, lanes.add(value, LN_2), value), x)


def acosh(lanes: Lanes, x: Value) -> Value:
    """The inverse hyperbolic cosine, at least 0; NaN below 1.

    Error: 2.5 ulp (float and double).
    """
    huge = _is_huge(lanes, x)
    t = lanes.sub(x, 1.0)
    inner = lanes.add(t, lanes.sqrt(lanes.mul(t, lanes.add(t, 2.0))))
    value = log1p(lanes, lanes.select(huge, x, inner))
    return lanes.select(lanes.less(x, 1.0), NAN, lanes.select(huge, lanes.add(value, LN_2), value))


def atanh(lanes: Lanes, x: Value) -> Value:
    """The inverse hyperbolic tangent; ±inf at ±1, NaN beyond.

    Error: 2.5 ulp (float and double).
    """
    size = lanes.abs(x)
    inner = lanes.div(lanes.add(size, size), lanes.sub(1.0, size))
    value = lanes.mul(log1p(lanes, inner), 0.5)
    return lanes.copy_sign(lanes.select(lanes.less(1.0, size), NAN, value), x)


FUNCTIONS = (asinh, acosh, atanh)

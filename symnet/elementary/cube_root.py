"""The real cube root, by a logarithm and one Newton step.

In: lanes and a value of theirs.  Out: a value, by straight-line operations.

Not handled: rounding modes other than nearest-even.

Source: Newton's iteration for y³ = x, in the form y - (y - x/y²)/3, whose correction is exact to an ulp of itself.
"""

from __future__ import annotations

from symnet.elementary.exponential import exp_sum
from symnet.elementary.lanes import Lanes, Value
from symnet.elementary.logarithm import log


def cbrt(lanes: Lanes, x: Value) -> Value:
    """The real cube root, of x's sign: y = e^(log|x|/3), once improved by Newton's step.

    Error: 0.75 ulp (float and double).
    """
    size = lanes.abs(x)
    guess = exp_sum(lanes, lanes.mul(log(lanes, size), 1 / 3))
    excess = lanes.sub(guess, lanes.div(size, lanes.mul(guess, guess)))
    root = lanes.sub(guess, lanes.mul(excess, 1 / 3))
    is_ordinary = lanes.both(lanes.less(0.0, size), lanes.less(size, float("inf")))
    return lanes.copy_sign(lanes.select(is_ordinary, root, size), x)


FUNCTIONS = (cbrt,)

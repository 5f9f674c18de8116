"""ψ = Γ′/Γ: a polynomial through its root on [1, 2], recurrences beside it, the asymptotic series beyond.

In: lanes and a value of theirs.  Out: a value, by straight-line operations.

ψ(x) = (x - x₀)·q(x - 3/2) on [1, 2]; ψ(x) = ψ(x ± 1) ∓ … up to 3; above, ψ(x) = ψ(x + 4) - Σ 1/(x + k) below 6, and
ψ(z) = log z - 1/(2z) - p(1/z²)/z².  For negative x, ψ(-a) = ψ(a + 1) + π·cot πa.  float goes by way of double.

Not handled: the zeros between the poles, near which the error is absolute.

Source: Abramowitz and Stegun 6.3.5, 6.3.7, 6.3.18.  q: degree 22, 2^-54.2; p on 1/z² ≤ 1/36: degree 9, 2^-54.0, both
interpolated at Chebyshev points at 300 bits, coefficients then rounded.
"""

from __future__ import annotations

from symnet.elementary.lanes import Lanes, Value, in_double
from symnet.elementary.logarithm import log
from symnet.elementary.turns import PI, turn_of

INF, NAN = float("inf"), float("nan")
ROOT = (1.4616321449683622, 9.549995429965697e-17)

DIGAMMA = (
    0.9510558760318328,
    -0.4236274212814606,
    0.24054248424078697,
    -0.14840492305388092,
    0.09498872445289039,
    -0.06192213327548831,
    0.040760833940846085,
    -0.026975796659787055,
    0.017907248317313294,
    -0.011908220105959716,
    0.007927021796868154,
    -0.005279937255532708,
    0.003518106563802472,
    -0.0023454947397380833,
    0.0015633696313653504,
    -0.0010364584817312839,
    0.0006909255761282986,
    -0.00048595039220036254,
    0.00032395945401345196,
    -0.00014480643368061614,
    9.653646261410062e-05,
    -0.0001782188548855923,
    0.00011881232908510335,
)
DIGAMMA_FAR = (
    0.08333333333333333,
    -0.008333333333333073,
    0.003968253967943307,
    -0.0041666665215518255,
    0.007575722872081581,
    -0.021087974182608424,
    0.08291804608225757,
    -0.4204131808217539,
    2.24488624415155,
    -8.02227824202989,
)


@in_double
def digamma(lanes: Lanes, x: Value) -> Value:
    """The digamma function ψ; ∓inf at ±0, NaN at -1, -2, …

    Error: 0.6 ulp (float), 4 ulp (double) for x > 0; for x < 0, 4 ulp of the larger of log(2 - x) and the value's size.
    """
    size = lanes.abs(x)
    is_left = lanes.less(x, 0.0)
    right = _right(lanes, lanes.select(is_left, lanes.add(size, 1.0), x))
    turn = turn_of(lanes, size)
    cotangent = lanes.div(lanes.mul(turn.cos, PI[0]), turn.sin)
    cotangent = lanes.select(turn.is_late, lanes.neg(cotangent), cotangent)
    left = lanes.select(turn.is_whole, NAN, lanes.add(right, cotangent))
    value = lanes.select(is_left, left, right)
    return lanes.select(lanes.equal(x, 0.0), lanes.copy_sign(INF, lanes.neg(x)), value)


def _right(lanes: Lanes, x: Value) -> Value:
    """ψ(x) for x > 0."""
    is_low, is_high = lanes.less(x, 1.0), lanes.less(2.0, x)
    y = lanes.select(is_low, lanes.add(x, 1.0), lanes.select(is_high, lanes.sub(x, 1.0), x))
    from_root = lanes.sub(lanes.sub(y, ROOT[0]), ROOT[1])
    step = lanes.div(lanes.select(is_low, -1.0, lanes.select(is_high, 1.0, 0.0)), lanes.select(is_low, x, y))
    near = lanes.mul_add(from_root, lanes.horner(lanes.sub(y, 1.5), DIGAMMA), step)
    return lanes.select(lanes.less(3.0, x), _far(lanes, x), near)


def _far(lanes: Lanes, x: Value) -> Value:
    """ψ(x) for x ≥ 3."""
    is_short = lanes.less(x, 6.0)
    z = lanes.select(is_short, lanes.add(x, 4.0), x)
    inverse = lanes.div(1.0, z)
    square = lanes.mul(inverse, inverse)
    series = lanes.mul_add(square, lanes.horner(square, DIGAMMA_FAR), lanes.mul(inverse, 0.5))
    next_one, third, fourth = (lanes.add(x, k) for k in (1.0, 2.0, 3.0))
    first_two = lanes.div(lanes.add(x, next_one), lanes.mul(x, next_one))
    last_two = lanes.div(lanes.add(third, fourth), lanes.mul(third, fourth))
    steps = lanes.select(is_short, lanes.add(first_two, last_two), 0.0)
    return lanes.sub(log(lanes, z), lanes.add(series, steps))


FUNCTIONS = (digamma,)

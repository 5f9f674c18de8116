"""Γ and log |Γ|: Stirling's series ten steps up, in numbers of twice the precision.

In: lanes and a value of theirs.  Out: a value, by straight-line operations.

For a = |x| < 10, Γ(a) = Γ(a + 10)/(a·R), R = (a + 1)…(a + 9); with u = a·(a + 9), R is (a + 9)·Π (u + c).
log Γ(z) = (z - 1/2)·log z - z + log √2π + S(1/z²)/z for z ≥ 10.  For negative x, Γ(-a) = -π/(a·sin πa·Γ(a)).
log Γ has zeros at 1 and 2: near them it is (x - 1)·(x - 2)·q(x - 3/2).  What it is of negative numbers is computed only
where there are some.  float goes by way of double.

Not handled: the zeros of log |Γ| between the poles, near which its error is absolute.

Source: Abramowitz and Stegun 6.1.15, 6.1.17, 6.1.41.  S on 1/z² ≤ 1/100: degree 6, 2^-54.0; q on |x - 3/2| ≤ 9/16:
degree 23, 2^-54.5, both interpolated at Chebyshev points at 300 bits, coefficients then rounded.
"""

from __future__ import annotations

from dataclasses import dataclass

from symnet.elementary import double_double as dd
from symnet.elementary.exponential import exp_sum
from symnet.elementary.lanes import Lanes, Value, in_double
from symnet.elementary.logarithm import log
from symnet.elementary.power import log_pair
from symnet.elementary.turns import Turn, turn_of

INF, NAN = float("inf"), float("nan")
STEPS = 10.0
OFFSETS = (8.0, 14.0, 18.0, 20.0)  # k·(9 - k), k = 1, …, 4
PI = 3.141592653589793
LOG_ROOT_TWO_PI = (0.9189385332046728, -3.8782941580672414e-17)
LOG_PI = (1.1447298858494002, 1.0265951162707826e-17)
GAMMA_IS_INFINITE = 200.0
LIFT = 64  # powers of two by which results that may be subnormal are kept up
LN_LIFT = (44.3614195558365, 1.4841899608616317e-15)  # 64·ln 2
TINY = 1e-17  # log Γ(x) rounds to -log x below
VAST = 1e17  # log Γ(x) rounds to x·(log x - 1) above

STIRLING = (
    0.08333333333333333,
    -0.0027777777777774886,
    0.0007936507931867713,
    -0.0005952378151473633,
    0.0008416699620413427,
    -0.0019054332021104772,
    0.005494345143862465,
)
LOGGAMMA = (
    0.4831289505409809,
    -0.14595989591430608,
    0.06291140107456522,
    -0.03130848750101118,
    0.01679709863114437,
    -0.009425622448442462,
    0.005446457847047667,
    -0.0032120740788012725,
    0.001922916064686881,
    -0.0011644144254467858,
    0.0007115236047646695,
    -0.00043799598759077093,
    0.00027126195242094394,
    -0.00016888457783699177,
    0.00010573518116403908,
    -6.63853226205759e-05,
    4.123360521778457e-05,
    -2.6050087087324063e-05,
    1.845168372239788e-05,
    -1.1734871395294907e-05,
    3.3949546436611655e-06,
    -2.147818619596355e-06,
    6.279470037781878e-06,
    -4.030210197876692e-06,
)


@dataclass(frozen=True, slots=True)
class Raised:
    """log Γ(z) for z = a, or a + 10 where a is small; and R, which is 1 where it is not."""

    is_small: Value
    log_gamma: dd.Pair
    steps: dd.Pair


def raised(lanes: Lanes, a: Value) -> Raised:
    """Stirling's series at a ≥ 0, or ten steps above."""
    is_small = lanes.less(a, STEPS)
    above = dd.total(lanes, a, lanes.const(STEPS))
    z, z_tail = lanes.select(is_small, above.high, a), lanes.select(is_small, above.low, 0.0)
    log_z = log_pair(lanes, z)
    inverse = lanes.div(1.0, z)
    series = lanes.mul(inverse, lanes.horner(lanes.mul(inverse, inverse), STIRLING))
    slope = lanes.sub(log_z.high, lanes.mul(inverse, 0.5))
    half_less = lanes.sub(z, 0.5)
    head = dd.product(lanes, half_less, log_z.high)
    head = dd.Pair(head.high, lanes.mul_add(half_less, log_z.low, lanes.mul_add(z_tail, slope, head.low)))
    value = dd.add(lanes, head, dd.Pair(lanes.neg(z), lanes.const(0.0)))
    value = dd.add(lanes, value, dd.constant(lanes, LOG_ROOT_TWO_PI))
    value = dd.add(lanes, value, dd.Pair(series, lanes.const(0.0)))
    ninth = dd.total(lanes, a, lanes.const(9.0))
    u = dd.multiply(lanes, dd.Pair(a, lanes.const(0.0)), ninth)
    steps = ninth
    for offset in OFFSETS:
        factor = dd.total(lanes, u.high, lanes.const(offset))
        steps = dd.multiply(lanes, steps, dd.Pair(factor.high, lanes.add(factor.low, u.low)))
    return Raised(
        is_small,
        value,
        dd.Pair(lanes.select(is_small, steps.high, 1.0), lanes.select(is_small, steps.low, 0.0)),
    )


@in_double
def gamma(lanes: Lanes, x: Value) -> Value:
    """Γ(x); ±inf at ±0, NaN at -1, -2, …

    Error: 0.6 ulp (float), 3.5 ulp (double), subnormal results included.
    """
    size = lanes.abs(x)
    up = raised(lanes, lanes.at_most(size, GAMMA_IS_INFINITE))
    lost = lanes.div(up.steps.low, up.steps.high)  # R's own tail, as a part of the exponent
    power = exp_sum(lanes, up.log_gamma.high, lanes.sub(up.log_gamma.low, lost))
    right = lanes.div(power, up.steps.high)
    right = _at_zero(lanes, x, lanes.div(right, lanes.select(up.is_small, size, 1.0)))
    return lanes.seldom("gamma.left", lanes.less(x, 0.0), _left_gamma, x, right)


def _left_gamma(lanes: Lanes, x: Value, right: Value) -> Value:
    """Γ(x) where x is negative, and what was found before elsewhere."""
    size = lanes.abs(x)
    up = raised(lanes, lanes.at_most(size, GAMMA_IS_INFINITE))
    lifted = dd.total(lanes, lanes.neg(up.log_gamma.high), lanes.const(LN_LIFT[0]))
    low = lanes.add(lifted.low, lanes.sub(LN_LIFT[1], up.log_gamma.low))
    lost = lanes.div(up.steps.low, up.steps.high)
    power = exp_sum(lanes, lifted.high, lanes.add(low, lost))
    return lanes.select(lanes.less(x, 0.0), _reflected(lanes, size, up, power, turn_of(lanes, size)), right)


def _reflected(lanes: Lanes, size: Value, up: Raised, power: Value, turn: Turn) -> Value:
    """-π·R·e^(-log Γ(z))/sin πa, over a where R is 1; NaN at the poles."""
    divisor = lanes.mul(turn.sin, lanes.select(up.is_small, 1.0, size))
    above = lanes.mul(lanes.mul(power, PI), up.steps.high)
    is_near = lanes.less(size, 1.0)  # the quotient may be the largest there, and beyond it while it is lifted
    value = lanes.div(lanes.mul(above, lanes.select(is_near, 2.0**-LIFT, 1.0)), divisor)
    value = lanes.mul(value, lanes.select(is_near, 1.0, 2.0**-LIFT))
    return lanes.select(turn.is_whole, NAN, lanes.select(turn.is_odd, value, lanes.neg(value)))


def _at_zero(lanes: Lanes, x: Value, value: Value) -> Value:
    return lanes.select(lanes.equal(x, 0.0), lanes.copy_sign(INF, x), value)


@in_double
def loggamma(lanes: Lanes, x: Value) -> Value:
    """log |Γ(x)|; inf at 0, -1, -2, …

    Error: 0.6 ulp (float), 3 ulp (double) for x > 0; for x < 0, 3 ulp of the larger of 1 and the value's size.
    """
    size = lanes.abs(x)
    is_left = lanes.less(x, 0.0)
    right = _right_loggamma(lanes, size, raised(lanes, lanes.at_most(size, VAST)))
    value = lanes.seldom("loggamma.left", is_left, _left_of_zero, x, right)
    return lanes.select(lanes.equal(size, INF), INF, value)


def _left_of_zero(lanes: Lanes, x: Value, right: Value) -> Value:
    """log |Γ(x)| where x is negative, and what was found before elsewhere."""
    size = lanes.abs(x)
    turn = turn_of(lanes, size)
    left = _left_loggamma(lanes, size, raised(lanes, lanes.at_most(size, VAST)), turn)
    return lanes.select(lanes.less(x, 0.0), lanes.select(turn.is_whole, INF, left), right)


def _right_loggamma(lanes: Lanes, x: Value, up: Raised) -> Value:
    """log Γ(x) for x ≥ 0."""
    product = dd.multiply(lanes, up.steps, dd.Pair(x, lanes.const(0.0)))
    is_tiny = lanes.less(x, TINY)
    divisor = lanes.select(is_tiny, x, lanes.select(up.is_small, product.high, 1.0))
    divisor_log = log_pair(lanes, divisor)
    lost = lanes.select(up.is_small, lanes.div(product.low, product.high), 0.0)
    rest = lanes.add(lanes.sub(up.log_gamma.low, divisor_log.low), lanes.neg(lanes.select(is_tiny, 0.0, lost)))
    head = dd.total(lanes, up.log_gamma.high, lanes.neg(divisor_log.high))
    value = lanes.add(head.high, lanes.add(head.low, rest))
    value = lanes.select(is_tiny, lanes.neg(divisor_log.high), value)
    value = lanes.select(lanes.less(VAST, x), lanes.mul(x, lanes.sub(log(lanes, x), 1.0)), value)
    centred = lanes.sub(x, 1.5)
    zeros = lanes.mul(lanes.sub(x, 1.0), lanes.sub(x, 2.0))
    near = lanes.mul(zeros, lanes.horner(centred, LOGGAMMA))
    return lanes.select(lanes.less(lanes.abs(centred), 0.5625), near, value)


def _left_loggamma(lanes: Lanes, size: Value, up: Raised, turn: Turn) -> Value:
    """log π - log(sin πa) + log R - log Γ(z), less log a where R is 1."""
    sine = lanes.mul(turn.sin, lanes.select(up.is_small, 1.0, size))
    sine_log = log_pair(lanes, sine)
    steps_log = log_pair(lanes, up.steps.high)
    lost = lanes.div(up.steps.low, up.steps.high)
    value = dd.total(lanes, steps_log.high, lanes.neg(up.log_gamma.high))
    low = lanes.add(value.low, lanes.add(lost, lanes.sub(steps_log.low, up.log_gamma.low)))
    total = dd.total(lanes, value.high, lanes.const(LOG_PI[0]))
    low = lanes.add(low, lanes.add(total.low, LOG_PI[1]))
    total = dd.total(lanes, total.high, lanes.neg(sine_log.high))
    return lanes.add(total.high, lanes.add(total.low, lanes.sub(low, sine_log.low)))


FUNCTIONS = (gamma, loggamma)

"""log, log1p, softplus and x·log y, by one odd series in s = f/(2 + f).

In: lanes and values of theirs.  Out: a value, by straight-line operations.

x = 2^e·(1 + f) with f in [-1/4, 1/2), where f is exact; then, with s = f/(2 + f) and z = s²,

    log(1 + f) = f - (f²/2 - s·(f²/2 + z·R(z)))      since 2·atanh s = 2s + s·z·R(z) and 2s = f - s·f,

and e·ln 2 is added in two pieces, the sum of f and the larger piece with its rounding error kept.

Not handled: rounding modes other than nearest-even.

Source: the odd series is the classical one (Abramowitz and Stegun 4.1.27); R is a minimax fit (Remez exchange
at 160 bits, coefficients then rounded) of the relative error of log(1 + f).  On z ≤ 1/25, f in [-1/4, 1/2]:
degree 2, 2^-28.2 (float); degree 6, 2^-55.9 (double).  On z ≤ 1/9, f in [0, 1]: degree 3, 2^-27.5 (float);
degree 8, 2^-54.1 (double).
"""

from __future__ import annotations

from symnet.elementary.exponential import LN2, exp_of_nonpositive
from symnet.elementary.lanes import Lanes, Value

INF, NAN = float("inf"), float("nan")

ATANH_TO_FIFTH = {
    "float": (0.6666695, 0.39957908, 0.30359066),
    "double": (
        0.6666666666667268,
        0.3999999999617684,
        0.2857142939283854,
        0.2222213868388765,
        0.18186349211487085,
        0.15250315472103393,
        0.15367272984700425,
    ),
}
ATANH_TO_THIRD = {
    "float": (0.6666642, 0.40021527, 0.28001803, 0.28012),
    "double": (
        0.6666666666667606,
        0.3999999999640737,
        0.28571429028707934,
        0.2222219412873973,
        0.18182784800842816,
        0.15364712779472178,
        0.13582808185748874,
        0.09918849074893704,
        0.17709014304622894,
    ),
}


def log_fraction(
    lanes: Lanes, f: Value, coefficients: dict[str, tuple[float, ...]], above: Value, below: Value
) -> Value:
    """above + (log(1 + f) - f + below): the caller splits f, or what it adds to it, into above and below."""
    half_square = lanes.mul(lanes.mul(f, f), 0.5)
    s = lanes.div(f, lanes.add(f, 2.0))
    z = lanes.mul(s, s)
    series = lanes.mul_add(z, lanes.horner(z, coefficients[lanes.kind]), half_square)
    return lanes.add(above, lanes.sub(lanes.mul_add(s, series, below), half_square))


def log_scaled(lanes: Lanes, f: Value, e: Value) -> Value:
    """e·ln 2 + log(1 + f), for an integer e and f in [-1/4, 1/2]."""
    high, low = LN2[lanes.kind]
    steps = lanes.mul(e, high)  # exact
    above = lanes.add(steps, f)
    lost = lanes.sub(f, lanes.sub(above, steps))
    return log_fraction(lanes, f, ATANH_TO_FIFTH, above, lanes.mul_add(e, low, lost))


def exponent_field(lanes: Lanes, x: Value) -> tuple[Value, Value]:
    """e + bias as an integer, and x's bits moved by 1/4 in the leading mantissa bits, where x = 2^e·(1 + f)."""
    quarter = 1 << (lanes.format.mantissa - 1)  # from 0.75 to 1
    moved = lanes.int_add(lanes.bits(x), quarter)
    return lanes.shift_right(moved, lanes.format.mantissa), moved


def field_to_real(lanes: Lanes, field: Value, offset: int) -> Value:
    """field - offset as a real number: 2^mantissa + field is written as bits (64-bit conversions are rare)."""
    fmt = lanes.format
    spelled = lanes.from_bits(lanes.int_or(field, (fmt.mantissa + fmt.bias) << fmt.mantissa))
    return lanes.sub(spelled, 2.0**fmt.mantissa + offset)


def outside_domain(lanes: Lanes, x: Value, pole: float, inside: Value) -> Value:
    """`inside`, but -inf at the pole, NaN below it, and x itself where x is inf or NaN."""
    result = lanes.select(lanes.less(pole, x), inside, lanes.select(lanes.equal(x, pole), -INF, NAN))
    return lanes.select(lanes.less(x, INF), result, x)


def log(lanes: Lanes, x: Value) -> Value:
    """The natural logarithm; -inf at 0, NaN below.

    Error: 1 ulp (float and double), subnormal x included.
    """
    f, e = log_parts(lanes, x)
    return outside_domain(lanes, x, 0.0, log_scaled(lanes, f, e))


def log_parts(lanes: Lanes, x: Value) -> tuple[Value, Value]:
    """f and e, where x = 2^e·(1 + f); any numbers where x is not positive and finite."""
    fmt = lanes.format
    lift = fmt.mantissa + 1
    is_subnormal = lanes.less(x, fmt.smallest_normal)
    normal = lanes.select(is_subnormal, lanes.mul(x, 2.0**lift), x)
    field, moved = exponent_field(lanes, normal)
    e = field_to_real(lanes, field, fmt.bias)
    e = lanes.select(is_subnormal, lanes.sub(e, lift), e)
    return fraction_of(lanes, moved), e


def fraction_of(lanes: Lanes, moved: Value) -> Value:
    """f of x = 2^e·(1 + f), from the bits that `exponent_field` moved."""
    fmt = lanes.format
    three_quarters = fmt.one - (1 << (fmt.mantissa - 1))
    scaled = lanes.int_add(lanes.int_and(moved, (1 << fmt.mantissa) - 1), three_quarters)
    return lanes.sub(lanes.from_bits(scaled), 1.0)


def log1p(lanes: Lanes, x: Value) -> Value:
    """log(1 + x), to full relative accuracy near 0; -inf at -1, NaN below.

    1 + x = 2^e·(1 + f); f = 2^-e·x + (2^-e - 1) is exact, or so close that what is lost does not show.
    2^-e·x is x with e taken from its exponent, 2^-e is half of 2^(1-e), which is a number for every e.

    Error: 1 ulp (float and double).
    """
    fmt = lanes.format
    field, _ = exponent_field(lanes, lanes.add(x, 1.0))
    e = field_to_real(lanes, field, fmt.bias)
    exponent = lanes.shift_left(field, fmt.mantissa)
    scaled = lanes.from_bits(lanes.int_sub(lanes.bits(x), lanes.int_sub(exponent, fmt.one)))
    twice_scale = lanes.from_bits(lanes.int_sub((2 * fmt.bias + 1) << fmt.mantissa, exponent))
    f = lanes.add(scaled, lanes.mul_add(twice_scale, 0.5, -1.0))
    inside = lanes.copy_sign(log_scaled(lanes, f, e), x)
    return outside_domain(lanes, x, -1.0, inside)


def softplus(lanes: Lanes, x: Value) -> Value:
    """log(1 + e^x) = max(x, 0) + log1p(e^-|x|).

    Error: 2 ulp (float), 2.4 ulp (double), down to the subnormals.
    """
    e = exp_of_nonpositive(lanes, lanes.neg(lanes.abs(x)))
    curved = lanes.select(lanes.less(e, 2.0 ** -(lanes.format.mantissa + 4)), 0.0, e)  # else its square may sink
    small = log_fraction(lanes, curved, ATANH_TO_THIRD, e, lanes.const(0.0))
    return lanes.add(lanes.at_least(x, 0.0), small)


def xlogy(lanes: Lanes, x: Value, y: Value) -> Value:
    """x·log y; 0 where x is 0, unless y is NaN.

    Error: 2 ulp (float and double).
    """
    product = lanes.mul(x, log(lanes, y))
    empty = lanes.select(lanes.is_nan(y), y, 0.0)
    return lanes.select(lanes.equal(x, 0.0), empty, product)


FUNCTIONS = (log, log1p, softplus, xlogy)

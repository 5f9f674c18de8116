"""a mod b and a // b of reals: C's fmod, exactly, with the sign put right as Python and NumPy do.

In: lanes and two values of theirs.  Out: a value, by one loop.

The quotient's leading bits are a whole number n below 2^52, r - n·s is exact where s is b times a power of two, and
each round takes 51 bits off a quotient: one round where |a/b| < 2^51, which is nearly always.  float goes by way of
double.

Source: the rounds are those of long division; that every r - n·s is representable is Sterbenz's lemma, for the product
as a pair (`double_double.py`) where n may be one too large.
"""

from __future__ import annotations

from symnet.elementary import double_double as dd
from symnet.elementary.algebraic import floor
from symnet.elementary.lanes import Lanes, Value

INF, NAN = float("inf"), float("nan")
BITS = 51  # of a quotient, in each round
BIAS, EXPONENT, MANTISSA = 1023, 0x7FF, 52
LIFT = 54  # a subnormal times 2^54 is normal
FAR, BACK = 2.0**500, 2.0**400  # beyond 2^±500 a round's numbers are scaled: its products stay in range


def mod(lanes: Lanes, a: Value, b: Value) -> Value:
    """a - b·⌊a/b⌋ with the sign of b; NaN for b = 0 and for infinite a, a itself (or b) for infinite b.

    Error: 0.5 ulp: the remainder is exact, and adding b, where the signs differ, rounds once, as in NumPy.
    """
    return lanes.narrow(_mod(lanes.wide, *map(lanes.widen, (a, b))))


def _mod(lanes: Lanes, a: Value, b: Value) -> Value:
    rest = _fmod(lanes, a, b)
    moved = lanes.select(_differ(lanes, a, b), lanes.add(rest, b), rest)
    found = lanes.select(lanes.equal(rest, 0.0), lanes.copy_sign(0.0, b), moved)
    return lanes.select(_is_defined(lanes, a, b), found, NAN)


def floor_divide(lanes: Lanes, a: Value, b: Value) -> Value:
    """⌊a/b⌋ by the exact remainder, as NumPy has it: (a - a fmod b)/b, one less where the signs differ, made whole.

    a/b for b = 0, NaN for infinite a, and 0 or -1 for infinite b.

    Error: 2 ulp, of the rounded a - a fmod b and its quotient, which are then rounded to a whole number.
    """
    rest = lanes.narrow(_fmod(lanes.wide, *map(lanes.widen, (a, b))))
    quotient = lanes.div(lanes.sub(a, rest), b)
    moves = lanes.both(_differ(lanes, a, b), lanes.either(lanes.less(rest, 0.0), lanes.less(0.0, rest)))
    quotient = lanes.select(moves, lanes.sub(quotient, 1.0), quotient)
    below = floor(lanes, quotient)
    whole = lanes.select(lanes.less(0.5, lanes.sub(quotient, below)), lanes.add(below, 1.0), below)
    ratio = lanes.div(a, b)
    found = lanes.select(lanes.equal(quotient, 0.0), lanes.copy_sign(0.0, ratio), whole)
    undefined = lanes.select(lanes.equal(b, 0.0), ratio, NAN)
    return lanes.select(_is_defined(lanes, a, b), found, undefined)


def _is_defined(lanes: Lanes, a: Value, b: Value) -> Value:
    """Where a is finite and b neither 0 nor NaN."""
    return lanes.both(lanes.less(lanes.abs(a), INF), lanes.less(0.0, lanes.abs(b)))


def _differ(lanes: Lanes, a: Value, b: Value) -> Value:
    """Whether the signs of two numbers differ."""
    return lanes.less(lanes.mul(lanes.copy_sign(1.0, a), lanes.copy_sign(1.0, b)), 0.0)


def _fmod(lanes: Lanes, a: Value, b: Value) -> Value:
    """The remainder of a's sign; ±0 where there is none."""
    is_defined = _is_defined(lanes, a, b)
    size = lanes.select(is_defined, lanes.abs(a), 0.0)
    return lanes.copy_sign(_remainder(lanes, size, lanes.select(is_defined, lanes.abs(b), 1.0)), a)


def _remainder(lanes: Lanes, size: Value, divisor: Value) -> Value:
    """size mod divisor, of finite size ≥ 0 and divisor > 0: rounds until every lane's rest is below the divisor."""
    tiny = lanes.less(divisor, lanes.format.smallest_normal)
    lifted = lanes.select(tiny, lanes.mul(divisor, 2.0**LIFT), divisor)
    lift = lanes.int_select(tiny, LIFT, 0)
    exponent = lanes.int_sub(_exponent(lanes, lifted), lift)

    def more(rest: Value) -> Value:
        return lanes.opposite(lanes.less(rest, divisor))

    def step(rest: Value) -> tuple[Value]:
        return (lanes.select(more(rest), _round(lanes, rest, divisor, exponent), rest),)

    return lanes.repeat((size,), more, step)[0]


def _round(lanes: Lanes, rest: Value, divisor: Value, exponent: Value) -> Value:
    """rest - n·s for the largest n·s that takes `BITS` bits off the quotient, s the divisor times a power of two."""
    excess = lanes.int_sub(lanes.int_sub(_exponent(lanes, rest), exponent), BITS)
    shift = lanes.int_select(lanes.int_less(0, excess), excess, 0)
    half = lanes.shift_right(shift, 1)
    scaled = lanes.mul(lanes.mul(divisor, _power_of_two(lanes, half)), _power_of_two(lanes, lanes.int_sub(shift, half)))
    count = floor(lanes, lanes.div(rest, scaled))
    factor = lanes.select(lanes.less(rest, 1 / FAR), BACK, lanes.select(lanes.less(FAR, rest), 1 / BACK, 1.0))
    near, unit = lanes.mul(rest, factor), lanes.mul(scaled, factor)
    product = dd.product(lanes, count, unit)
    left = lanes.sub(lanes.sub(near, product.high), product.low)
    left = lanes.select(lanes.less(left, 0.0), lanes.add(left, unit), left)
    left = lanes.select(lanes.less(left, unit), left, lanes.sub(left, unit))
    return lanes.div(left, factor)


def _exponent(lanes: Lanes, x: Value) -> Value:
    """The exponent's field of x ≥ 0."""
    return lanes.shift_right(lanes.bits(x), MANTISSA)


def _power_of_two(lanes: Lanes, n: Value) -> Value:
    """2^n for 0 ≤ n ≤ 1023."""
    return lanes.from_bits(lanes.shift_left(lanes.int_add(n, BIAS), MANTISSA))


FUNCTIONS = (mod, floor_divide)

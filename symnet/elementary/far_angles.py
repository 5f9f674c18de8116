"""x·2/π modulo 4 for angles of any size: only the bits of 2/π that matter to each x are multiplied.

In: lanes of doubles.  Out: the remainder r + tail of x by π/2, |r| ≤ π/4, and the number of quarter turns, modulo 4.
x = m·2^e with a whole m of 53 bits.  Bits of 2/π worth 4 or more after the product are dropped, the next 192 are
multiplied by m, exactly, in pieces of 32 bits: two bits are the quarter turns, the rest is a fraction, wrong by less
than 2^-137.  No double is closer than 2^-62 to a multiple of π/2, so that 75 bits are right at the worst.

The window of bits is found by halving the table by one bit of e after another, in registers: no memory is read, and
every lane may need another window.  Infinity and NaN give NaN; below 2^22 nothing is promised (the caller has better).

Source: M. Payne and R. Hanek, Radian reduction for trigonometric functions (1983); for the hardest double, J.-M.
Muller, Elementary Functions (2016), section 11.
"""

from __future__ import annotations

from itertools import pairwise

from symnet.elementary import double_double as dd
from symnet.elementary.lanes import Lanes, Value

HALF_PI = (1.5707963267948966, 6.123233995736766e-17)
# 32 zero bits, then those of 2/π
TWO_OVER_PI = (
    0x00000000A2F9836E, 0x4E441529FC2757D1, 0xF534DDC0DB629599, 0x3C439041FE5163AB,
    0xDEBBC561B7246E3A, 0x424DD2E006492EEA, 0x09D1921CFE1DEB1C, 0xB129A73EE88235F5,
    0x2EBB4484E99C7026, 0xB45F7E413991D639, 0x835339F49C845F8B, 0xBDF9283B1FF897FF,
    0xDE05980FEF2F118B, 0x5A0A6D1F6D367ECF, 0x27CB09B74F463F66, 0x9E5FEA2D7527BAC7,
    0xEBE5F17B3D0739F7, 0x8A5292EA6BFB5FB1, 0x1F8D5D0856033046,
)  # fmt: skip
_FIRST = 30 - 1075  # the window begins at this bit, plus the biased exponent
_WORDS = 3  # of 64 bits, in a window
_LIMB = 0xFFFFFFFF


def reduce_far(lanes: Lanes, x: Value) -> tuple[Value, Value, Value]:
    """(r, tail, n) of doubles from 2^22 on."""
    bits = lanes.bits(x)
    exponent = lanes.int_and(lanes.shift_right(bits, lanes.format.mantissa), 0x7FF)
    whole = lanes.int_or(lanes.int_and(bits, (1 << 52) - 1), 1 << 52)
    product = _product(lanes, whole, _window(lanes, lanes.int_add(exponent, _FIRST)))
    turns = lanes.shift_right(product[0], 30)
    fraction = [
        _joined(lanes, high, low) for high, low in zip(product, [*product[1:], lanes.int_const(0)], strict=True)
    ]
    below = lanes.shift_right(fraction[0], 31)  # 1 where the fraction is more than half a quarter turn
    size = [lanes.int_xor(limb, lanes.int_and(lanes.int_sub(0, below), _LIMB)) for limb in fraction]
    r, tail = _times_half_pi(lanes, size)
    sign = lanes.shift_left(lanes.int_xor(below, lanes.shift_right(bits, 63)), 63)
    r, tail = (lanes.from_bits(lanes.int_xor(lanes.bits(part), sign)) for part in (r, tail))
    n = lanes.int_add(turns, below)
    backward = lanes.int_sub(0, lanes.shift_right(bits, 63))
    is_finite = lanes.less(lanes.abs(x), float("inf"))
    return lanes.select(is_finite, r, float("nan")), tail, lanes.int_sub(lanes.int_xor(n, backward), backward)


def _window(lanes: Lanes, start: Value) -> list[Value]:
    """192 bits of 2/π from bit `start` on, the most significant 32 first."""
    words = [lanes.int_const(word) for word in TWO_OVER_PI]
    for level in (3, 2, 1, 0):
        skip, kept = 1 << level, _WORDS + (1 << level)
        is_set = lanes.int_equal(lanes.int_and(lanes.shift_right(start, 6 + level), 1), 1)
        words = [lanes.int_select(is_set, words[k + skip], words[k]) for k in range(kept)]
    left = lanes.int_and(start, 63)
    right = lanes.int_sub(63, left)
    limbs = []
    for word, after in pairwise(words):
        tail = lanes.shift_right(lanes.shift_right(after, 1), right)
        shifted = lanes.int_or(lanes.shift_left(word, left), tail)
        limbs += [lanes.shift_right(shifted, 32), lanes.int_and(shifted, _LIMB)]
    return limbs


def _product(lanes: Lanes, whole: Value, limbs: list[Value]) -> list[Value]:
    """whole·limbs modulo 2^192, in limbs of 32 bits."""
    low, high = lanes.int_and(whole, _LIMB), lanes.shift_right(whole, 32)
    result = []
    carry, below = lanes.int_const(0), lanes.int_const(0)
    for limb in reversed(limbs):
        first, second = lanes.int_mul(limb, low), lanes.int_mul(below, high)  # below 2^64, below 2^53
        column = lanes.int_add(lanes.int_and(first, _LIMB), lanes.int_add(second, carry))
        result.append(lanes.int_and(column, _LIMB))
        carry = lanes.int_add(lanes.shift_right(first, 32), lanes.shift_right(column, 32))
        below = limb
    return result[::-1]


def _joined(lanes: Lanes, high: Value, low: Value) -> Value:
    """The limb that begins two bits into `high`."""
    return lanes.int_or(lanes.int_and(lanes.shift_left(high, 2), _LIMB), lanes.shift_right(low, 30))


def _times_half_pi(lanes: Lanes, limbs: list[Value]) -> tuple[Value, Value]:
    """π/2 times the fraction that the limbs are, as r + tail."""
    parts = [lanes.mul(_real(lanes, limb), 2.0 ** (-32 * k)) for k, limb in enumerate(limbs, start=1)]
    head = dd.fast_sum(lanes, parts[0], parts[1])
    next_ = dd.fast_sum(lanes, head.low, parts[2])
    pair = dd.fast_sum(lanes, head.high, next_.high)
    rest = lanes.add(parts[3], parts[4])
    pair = dd.fast_sum(lanes, pair.high, lanes.add(pair.low, lanes.add(next_.low, rest)))
    angle = dd.multiply(lanes, pair, dd.constant(lanes, HALF_PI))
    return angle.high, angle.low


def _real(lanes: Lanes, limb: Value) -> Value:
    """An integer below 2^32 as a double: there is no such instruction for vectors before AVX-512."""
    magic = 2.0**52
    return lanes.sub(lanes.from_bits(lanes.int_or(limb, lanes.bits(lanes.const(magic)))), magic)

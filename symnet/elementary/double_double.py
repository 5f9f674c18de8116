"""Numbers of twice the precision: an unevaluated sum high + low with |low| ≤ ulp(high)/2.

In: lanes and values.  Out: pairs.  About 100 bits in double.  Where lanes fuse, one multiply-add has what a
product rounds away; elsewhere factors are cut in two halves whose products are exact.

Not handled: factors beyond the square root of the format's range; inf and NaN give NaN in `low`.

Source: T. J. Dekker, A floating-point technique for extending the available precision (1971).
"""

from __future__ import annotations

from dataclasses import dataclass

from symnet.elementary.lanes import Lanes, Value


@dataclass(frozen=True, slots=True)
class Pair:
    high: Value
    low: Value


def fast_sum(lanes: Lanes, a: Value, b: Value) -> Pair:
    """a + b exactly, for |a| ≥ |b| or a = 0."""
    total = lanes.add(a, b)
    return Pair(total, lanes.sub(b, lanes.sub(total, a)))


def total(lanes: Lanes, a: Value, b: Value) -> Pair:
    """a + b exactly, in any order of size."""
    high = lanes.add(a, b)
    of_b = lanes.sub(high, a)
    of_a = lanes.sub(high, of_b)
    return Pair(high, lanes.add(lanes.sub(a, of_a), lanes.sub(b, of_b)))


def constant(lanes: Lanes, parts: tuple[float, float]) -> Pair:
    """A constant given as two numbers."""
    return Pair(lanes.const(parts[0]), lanes.const(parts[1]))


def halves(lanes: Lanes, a: Value) -> tuple[Value, Value]:
    """a as a sum of its leading bits, few enough that the product of two such numbers is exact, and the rest."""
    dropped = lanes.format.mantissa // 2 + 1
    top = lanes.from_bits(lanes.int_and(lanes.bits(a), -(1 << dropped)))
    return top, lanes.sub(a, top)


def product(lanes: Lanes, a: Value, b: Value) -> Pair:
    """a·b to twice the precision."""
    high = lanes.mul(a, b)
    if lanes.fused:
        return Pair(high, lanes.mul_add(a, b, lanes.neg(high)))
    (a_top, a_rest), (b_top, b_rest) = halves(lanes, a), halves(lanes, b)
    low = lanes.mul_add(a_top, b_top, lanes.neg(high))
    for x, y in ((a_top, b_rest), (a_rest, b_top), (a_rest, b_rest)):
        low = lanes.mul_add(x, y, low)
    return Pair(high, low)


def multiply(lanes: Lanes, a: Pair, b: Pair) -> Pair:
    """a·b."""
    head = product(lanes, a.high, b.high)
    cross = lanes.mul_add(a.high, b.low, lanes.mul(a.low, b.high))
    return fast_sum(lanes, head.high, lanes.add(head.low, cross))


def add(lanes: Lanes, a: Pair, b: Pair) -> Pair:
    """a + b, for |a| ≥ |b| or a = 0."""
    head = fast_sum(lanes, a.high, b.high)
    return fast_sum(lanes, head.high, lanes.add(head.low, lanes.add(a.low, b.low)))

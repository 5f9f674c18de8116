"""x**y of integers, which wraps as NumPy's does.

In: a builder and two values of one integer type (i32 or i64, or vectors of them).  Out: IR with one loop, no calls.

By repeated squaring, as many rounds as the largest exponent has bits.  A negative exponent gives 0, or ±1 for the
base ±1 (what JAX gives; NumPy raises).
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir

from symnet.backends.llvm.math.any_lane import any_lane

Value = Any


def integer_power(builder: ir.IRBuilder, x: Value, y: Value) -> Value:
    """x**y modulo 2^32 or 2^64."""
    zero, one, minus = (_constant(x.type, n) for n in (0, 1, -1))
    is_negative = builder.icmp_signed("<", y, zero)
    power = _by_squaring(builder, x, builder.select(is_negative, zero, y))
    is_odd = builder.icmp_signed("!=", builder.and_(y, one), zero)
    of_minus = builder.select(is_odd, minus, one)
    is_minus = builder.icmp_signed("==", x, minus)
    of_unit = builder.select(builder.icmp_signed("==", x, one), one, builder.select(is_minus, of_minus, zero))
    return builder.select(is_negative, of_unit, power)


def _by_squaring(builder: ir.IRBuilder, x: Value, y: Value) -> Value:
    zero, one = _constant(x.type, 0), _constant(x.type, 1)
    before, function = builder.block, builder.function
    head, body, leave = (function.append_basic_block(name) for name in ("head", "round", "done"))
    builder.branch(head)
    builder.position_at_end(head)
    result, square, left = (builder.phi(x.type) for _ in range(3))
    for value, start in ((result, one), (square, x), (left, y)):
        value.add_incoming(start, before)
    builder.cbranch(any_lane(builder, builder.icmp_signed("!=", left, zero)), body, leave)
    builder.position_at_end(body)
    is_odd = builder.icmp_signed("!=", builder.and_(left, one), zero)
    steps = (
        builder.select(is_odd, builder.mul(result, square), result),
        builder.mul(square, square),
        builder.lshr(left, one),
    )
    for value, step in zip((result, square, left), steps, strict=True):
        value.add_incoming(step, builder.block)
    builder.branch(head)
    builder.position_at_end(leave)
    return result


def _constant(kind: ir.Type, value: int) -> ir.Constant:
    if isinstance(kind, ir.VectorType):
        return ir.Constant(kind, [ir.Constant(kind.element, value)] * kind.count)
    return ir.Constant(kind, value)

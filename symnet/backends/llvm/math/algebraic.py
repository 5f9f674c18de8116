"""sqrt, rsqrt and floor.

In: a builder and a value of any real lane type.  Out: inlined IR, no branches, no calls on targets with a
floating-point unit.

Not handled: sqrt on targets that have no square-root instruction (LLVM calls a run-time library there).
"""

from __future__ import annotations

from llvmlite import ir

from symnet.backends.llvm.math.lanes import Lanes, Value


def sqrt(builder: ir.IRBuilder, x: Value) -> Value:
    """The square root; NaN below 0.

    Error: 0.5 ulp.
    """
    return Lanes(builder, x.type).sqrt(x)


def rsqrt(builder: ir.IRBuilder, x: Value) -> Value:
    """1/√x; inf at 0, NaN below.

    Error: 1.5 ulp.
    """
    lanes = Lanes(builder, x.type)
    return lanes.div(1.0, lanes.sqrt(x))


def floor(builder: ir.IRBuilder, x: Value) -> Value:
    """The largest integer that does not exceed x: exact."""
    lanes = Lanes(builder, x.type)
    return floor_of(lanes, x)


def floor_of(lanes: Lanes, x: Value) -> Value:
    """`floor` on lanes, by adding and subtracting 2^mantissa: `llvm.floor` is a call on older processors."""
    whole = 2.0**lanes.format.mantissa  # from here on every number is an integer
    size = lanes.abs(x)
    nearest = lanes.copy_sign(lanes.sub(lanes.add(size, whole), whole), x)
    below = lanes.sub(nearest, lanes.select(lanes.less(x, nearest), 1.0, 0.0))
    return lanes.select(lanes.less(size, whole), lanes.copy_sign(below, x), x)

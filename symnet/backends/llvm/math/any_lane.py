"""Whether a condition holds in any lane: what ends a loop that all lanes go through together.

In: a builder and a condition, one bit or a vector of bits.  Out: one bit.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir


def any_lane(builder: ir.IRBuilder, condition: Any) -> Any:
    """The condition of one value, or the "or" of all lanes'."""
    if not isinstance(condition.type, ir.VectorType):
        return condition
    name = f"llvm.vector.reduce.or.v{condition.type.count}i1"
    module = builder.function.module
    found = module.globals.get(name)
    if found is None:
        found = ir.Function(module, ir.FunctionType(ir.IntType(1), [condition.type]), name=name)
    return builder.call(found, [condition])

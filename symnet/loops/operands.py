"""How an operation takes its operands, where that decides bits: for both back ends and the interpreter.

In: an `Op` or a Store.  Out: what it takes, in order.

A product of reals that stands in the expression of a sum, a difference or what a Store adds is rounded with it once,
where the target has an instruction for that, and twice elsewhere; of two products the left one.  A maximum or minimum
of equal numbers, which are 0 and -0, is its second operand, where the target has no instruction that orders them.
"""

from __future__ import annotations

from typing import TypeGuard, TypeVar

from symnet.dtypes import REAL
from symnet.loops.ir import Const, Op, Store, Value

T = TypeVar("T")


def is_product(value: Value) -> TypeGuard[Op]:
    """Whether a value is a product of reals."""
    return isinstance(value, Op) and value.name == "mul" and value.dtype in REAL


def multiply_add_of(op: Op) -> tuple[Value, Value, Value] | None:
    """The (a, b, c) of a·b + c, c + a·b, a·b + (-c) and (-a)·b + c; None for what is no sum with a product."""
    if op.name not in ("add", "sub"):
        return None
    left, right = op.args
    if is_product(left):
        a, b = left.args
        return a, b, right if op.name == "add" else _negative(right)
    if is_product(right):
        a, b = right.args
        return a if op.name == "add" else _negative(a), b, left
    return None


def _negative(value: Value) -> Op:
    return Op("neg", (value,), value.dtype)


def contribution(store: Store) -> tuple[Value, ...]:
    """What a combining Store takes: one value, or the two factors of a product that it adds."""
    return store.value.args if store.combine == "add" and is_product(store.value) else (store.value,)


def taken_in_order(op: Op) -> tuple[Value, ...]:
    """The operands; of a maximum or minimum a constant comes first, as nobody must ask whether that is NaN."""
    if op.name in ("maximum", "minimum") and isinstance(op.args[1], Const):
        return op.args[::-1]
    return op.args


COMBINED_BY = {"add": "add", "mul": "mul", "max": "maximum", "min": "minimum"}
"""The operation by which a Store with `combine` changes the element."""


def combined(how: str, old: T, new: T) -> tuple[str, list[T]]:
    """The operation of a combining Store and its operands; of 0 and -0 an element keeps the one that it is."""
    return COMBINED_BY[how], [new, old] if how in ("max", "min") else [old, new]

"""Extents among integers: `z + m·2³⁰` of int32 holds while m·2³⁰ is a number that int32 can hold.

In: a node of integers.  Out: what must hold of the extents of a call, which is checked before native code runs, as
NumPy checks Python's integers when they meet an array.
Not handled: what arrays hold, which wraps as NumPy's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy
from sympy import Expr

from symnet.expr.nodes.elementwise import is_op
from symnet.expr.nodes.graph import topological
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.result_dtypes import LIMITS
from symnet.expr.nodes.symbols import TRANSPARENT
from symnet.loops.signature import Requirement
from symnet.lower.extents import lower_extent

MOST = 16  # the largest power of a count that is worked out
LONGEST = 2**40  # an extent: of int64 more than any memory holds
EXACT = 2**53  # counts that are computed, and not extents themselves, are computed in float64

_THROUGH = TRANSPARENT | {"expand", "reshape"}
_BUILD: dict[str, Callable[..., Expr]] = {"add": sympy.Add, "mul": sympy.Mul}


def count_requirements(node: Node) -> list[Requirement]:
    """What keeps every count among the operands in the range of the integers it meets."""
    if node.dtype not in LIMITS:
        return []
    counts = [c for o in node.operands if o.dtype is None and (c := count_of(o)) is not None]
    if is_op(node, "mul"):  # rewrites multiply them first
        counts = [sympy.Mul(*counts)]
    return [r for c in counts if c.free_symbols for r in _within(sympy.expand(c), str(node.dtype))]


def _within(count: Expr, dtype: str) -> list[Requirement]:
    low, high = LIMITS[dtype]
    if dtype == "int64":
        low, high = -EXACT, EXACT
        if _largest(count) <= high:
            return []
    reason = f"count {count} among {dtype}, which holds {low} to {high}"
    sides = [high - count] if count.is_nonnegative else [high - count, count - low]
    return [Requirement(lower_extent(side), 0, reason) for side in sides]


def _largest(count: Expr) -> int:
    """A number that the count does not exceed, while no extent is above `LONGEST`."""
    terms = sympy.Poly(count, *count.free_symbols).terms()
    return int(sum(abs(coefficient) * LONGEST ** sum(powers) for powers, coefficient in terms))


def count_of(node: Node) -> Expr | None:
    """A whole polynomial of extents; None for what is made of anything else."""
    found: dict[Node, Any] = {}
    for part in topological(node):
        operands = [found[o] for o in part.operands]
        found[part] = None if None in operands else _count(part, operands)
    return found[node]


def _count(part: Node, operands: list[Expr]) -> Expr | None:
    if part.kind in ("number", "size"):
        value = part.args[0]
        return value if value.is_Integer or part.kind == "size" else None
    if part.kind in _THROUGH:
        return operands[0]
    if is_op(part, "pow"):
        base, exponent = operands
        return base**exponent if exponent.is_Integer and 0 <= exponent <= MOST else None
    build = _BUILD.get(getattr(part, "op", "")) if part.kind == "elementwise" else None
    return None if build is None else build(*operands)

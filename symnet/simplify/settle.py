"""Integers meet other dtypes through conversions, so that no rewrite carries arithmetic from one dtype to another.

In: roots as written.  Out: the same values, where every operand of arithmetic has the dtype of the result: k + x is
as_real(k) + x.  int32 arithmetic wraps at 2³¹, int64 at 2⁶³, reals round: (k + 1)·x is no k·x + x, and ½·(k + k) no k.
A conversion is a function of one value to every rewrite, and never printed.
"""

from __future__ import annotations

from collections.abc import Iterable

from symnet import dtypes
from symnet.expr.nodes.elementwise import Elementwise, elementwise
from symnet.expr.nodes.graph import topological, with_operands
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.primitives import PRIMITIVES
from symnet.expr.nodes.result_dtypes import CASTS, COUNTED, common_dtype

_OF_ONE_DTYPE = frozenset(
    {"einsum", "reduce", "cumsum", "cumprod", "linear_recurrence", "concat", "solve", "determinant"}
)


def settle(roots: Iterable[Node]) -> list[Node]:
    """The roots with conversions, and without `Named` nodes."""
    roots = list(roots)
    order = topological(*roots)
    if not any(node.dtype in COUNTED or node.kind == "named" for node in order):
        return roots
    new: dict[Node, Node] = {}
    for node in order:
        fresh = with_operands(node, (new[o] for o in node.operands))
        new[node] = fresh.operands[0] if fresh.kind == "named" else settled(fresh)
    return [new[root] for root in roots]


def settled(node: Node) -> Node:
    """A node with its operands in one dtype."""
    first, dtype = _computed_in(node)
    if dtype is None or all(o.dtype not in COUNTED or o.dtype == dtype for o in node.operands[first:]):
        return node
    name = f"as_{dtype}" if dtype in dtypes.INTEGER else _real_name(node.operands[first:])
    operands = [
        elementwise(name, o) if k >= first and o.dtype in COUNTED and o.dtype != dtype else o
        for k, o in enumerate(node.operands)
    ]
    return with_operands(node, operands)


def _computed_in(node: Node) -> tuple[int, str | None]:
    """The first operand that counts, and the dtype that those have from there on; None: nothing is to be done."""
    if node.kind in _OF_ONE_DTYPE:
        return 0, None if node.kind == "reduce" and node.dtype in COUNTED and _keeps_dtype(node) else node.dtype
    if not isinstance(node, Elementwise) or node.op in CASTS:
        return 0, None
    primitive = PRIMITIVES[node.op]
    first = int(primitive.condition)
    if primitive.result == "bool":
        dtype = None if primitive.condition else common_dtype(*node.operands)
        return first, None if dtype == "bool" else dtype
    return first, None if node.dtype == "bool" else node.dtype


def _keeps_dtype(node: Node) -> bool:
    """Whether a node uses integers as they are, as an argmax does, which compares them."""
    return node.op == "argmax" or node.operands[0].dtype == node.dtype


def _real_name(operands: tuple[Node, ...]) -> str:
    """Integers take the real dtype of what they meet; among themselves they become float64."""
    return "as_real" if any(o.dtype in dtypes.REAL for o in operands) else "as_float64"

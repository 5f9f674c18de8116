"""Rewrites of constant arrays: the regular ones become what they are, whole numbers among reals become reals.

In: a node with a constant array among its operands.  Out: the algebra form writes numbers for an array of one number
and δ for an identity matrix; the numeric form (`WHOLE_AMONG_REALS`) converts at build time what would be converted at
every element of every call.
A constant array has NumPy's dtype, and a number or a δ has none: neither rewrite changes the dtype of the node.
"""

from __future__ import annotations

from collections.abc import Callable

from symnet import dtypes
from symnet.expr.nodes.constants import ConstantArray, identity, number
from symnet.expr.nodes.elementwise import is_op
from symnet.expr.nodes.expansion import fill
from symnet.expr.nodes.graph import with_operands
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.result_dtypes import CASTS
from symnet.simplify.rewrite import Rewrite

LARGEST = 2**20  # a whole number, or a fraction with 2¹⁰ below the line, up to which a number keeps an array's digits


def write_regular_arrays(node: Node) -> Node | None:
    """x + array([2.0, 2.0]) → x + 2, array([[1.0, 0.0], [0.0, 1.0]]) @ x → δ @ x.

    Condition: every element is one short number, bit for bit, or the array is an identity matrix; the dtype stays.
    """
    return _changed(node, _regular)


def _regular(x: ConstantArray, user: Node) -> Node | None:
    of = x.contents
    if of.is_identity:
        return identity(of.shape[0])
    value = None if x.dtype == "bool" else of.uniform
    if value is None or not abs(value) <= LARGEST or value * 1024 != int(value * 1024):
        return None
    return fill(number(value), x.shape)


def convert_whole_numbers_among_reals(node: Node) -> Node | None:
    """array([1, 2])*x → array([1.0, 2.0])*x.  Condition: the node is real, and its dtype stays."""
    return _changed(node, _real) if node.dtype in dtypes.REAL else None


def _real(x: ConstantArray, user: Node) -> Node | None:
    return x.retyped(str(user.dtype)) if x.dtype in dtypes.INTEGER else None


def _changed(node: Node, change: Callable[[ConstantArray, Node], Node | None]) -> Node | None:
    """The node with its constant arrays changed, where any is and the dtype stays."""
    arrays = list(map(_array_in, node.operands))
    if not any(a is not None for a in arrays):
        return None
    found = [None if a is None else change(a, node) for a in arrays]
    new = with_operands(node, [o if f is None else f for o, f in zip(node.operands, found, strict=True)])
    return new if new is not node and new.dtype == node.dtype else None


def _array_in(operand: Node) -> ConstantArray | None:
    """The constant array that an operand is, or that it converts to the dtype of the node."""
    inner = operand.operands[0] if operand.kind == "elementwise" and is_op(operand, *CASTS) else operand
    return inner if isinstance(inner, ConstantArray) else None


CONSTANTS: tuple[Rewrite, ...] = (
    Rewrite(
        write_regular_arrays,
        ("add", "mul", "einsum", "solve", "concat"),
        below=("array",),
        domain="equal",
        role="spelling",
    ),
)
WHOLE_AMONG_REALS: tuple[Rewrite, ...] = (
    Rewrite(
        convert_whole_numbers_among_reals, ("add", "mul", "einsum"), below=("array",), domain="equal", role="spelling"
    ),
)

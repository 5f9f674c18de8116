"""The three tables of rules, by node kind, and the functions that apply them.

In: a node with cotangent, tangents, or operands with extra axes.  Out: what its rule gives.
To add a rule, write it in the file named as the node's file in `expr/`, and enter it here.
"""

from __future__ import annotations

from collections.abc import Sequence

from symnet.diff import contraction, cumulative, elementwise, indexing, linalg, movement, reduction, symbols
from symnet.diff.rules import LEAF, ZERO, BatchRule, Declared, JvpRule, Maybe, VjpRule, find
from symnet.expr.extents import same_shape
from symnet.expr.node import Node, Shape

FILE = "symnet/diff/tables.py"
_LEAVES: dict[str, Declared] = dict.fromkeys(("tensor", "number", "size", "array", "delta", "iota"), LEAF)

VJP: dict[str, VjpRule | Declared] = {
    **_LEAVES,
    "named": symbols.transparent_vjp,
    "barrier": symbols.transparent_vjp,
    "elementwise": elementwise.elementwise_vjp,
    "einsum": contraction.einsum_vjp,
    "expand": movement.expand_vjp,
    "reshape": movement.reshape_vjp,
    "slice": movement.slice_vjp,
    "place": movement.place_vjp,
    "concat": movement.concat_vjp,
    "reduce": reduction.reduce_vjp,
    "take": indexing.take_vjp,
    "one_hot": ZERO,
    "cumsum": cumulative.cumsum_vjp,
    "solve": linalg.solve_vjp,
    "determinant": linalg.determinant_vjp,
}

JVP: dict[str, JvpRule | Declared] = {
    **_LEAVES,
    "named": symbols.transparent_jvp,
    "barrier": symbols.transparent_jvp,
    "elementwise": elementwise.elementwise_jvp,
    "einsum": contraction.einsum_jvp,
    "expand": movement.same_movement_jvp,
    "reshape": movement.same_movement_jvp,
    "slice": movement.same_movement_jvp,
    "place": movement.same_movement_jvp,
    "concat": movement.concat_jvp,
    "reduce": reduction.reduce_jvp,
    "take": indexing.take_jvp,
    "one_hot": ZERO,
    "cumsum": cumulative.cumsum_jvp,
    "solve": linalg.solve_jvp,
    "determinant": linalg.determinant_jvp,
}

BATCH: dict[str, BatchRule | Declared] = {
    **_LEAVES,
    "named": symbols.transparent_batch,
    "barrier": symbols.transparent_batch,
    "elementwise": elementwise.elementwise_batch,
    "einsum": contraction.einsum_batch,
    "expand": movement.expand_batch,
    "reshape": movement.reshape_batch,
    "slice": movement.slice_batch,
    "place": movement.place_batch,
    "concat": movement.concat_batch,
    "reduce": reduction.reduce_batch,
    "take": indexing.take_batch,
    "one_hot": indexing.one_hot_batch,
    "cumsum": cumulative.cumsum_batch,
    "solve": linalg.solve_batch,
    "determinant": linalg.determinant_batch,
}


def apply_vjp(node: Node, y_bar: Node, k: int) -> Maybe:
    """The cotangent of operand k of `node`, None when zero."""
    rule = find(VJP, node.kind, node, "VJP", FILE)
    if isinstance(rule, Declared):
        return None
    x_bar: Maybe = rule(node, y_bar, k)
    assert x_bar is None or same_shape(x_bar.shape, node.operands[k].shape), (node.kind, k, x_bar.shape)
    return x_bar


def apply_jvp(node: Node, x_dots: Sequence[Maybe]) -> Maybe:
    """The tangent of `node`, None when zero."""
    rule = find(JVP, node.kind, node, "JVP", FILE)
    if isinstance(rule, Declared) or all(x_dot is None for x_dot in x_dots):
        return None
    y_dot: Maybe = rule(node, x_dots)
    assert y_dot is None or same_shape(y_dot.shape, node.shape), (node.kind, y_dot.shape, node.shape)
    return y_dot


def apply_batch(node: Node, batched: Sequence[Maybe], batch: Shape) -> Node:
    """`node` with extra leading axes."""
    rule = find(BATCH, node.kind, node, "BATCH", FILE)
    assert not isinstance(rule, Declared), node.kind
    y: Node = rule(node, batched, batch)
    assert same_shape(y.shape, (*batch, *node.shape)), (node.kind, y.shape, batch, node.shape)
    return y

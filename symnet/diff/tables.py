"""The three tables of rules, by node kind, and the functions that apply them.

In: a node with cotangent, tangents, or operands with extra axes.  Out: what its rule gives.
To add a rule, write it in the file named as the node's file in `expr/`, and enter it here.
"""

from __future__ import annotations

from collections.abc import Sequence

from symnet.diff import (
    abstract,
    clipping,
    contraction,
    cumulative,
    elementwise,
    indexing,
    linalg,
    movement,
    recurrence,
    reduction,
    symbols,
)
from symnet.diff.rules import (
    LEAF,
    ZERO,
    BatchRule,
    Declared,
    GuardedRule,
    JvpRule,
    Maybe,
    SupportRule,
    VjpRule,
    find,
)
from symnet.diff.support import Where, within
from symnet.expr.nodes.elementwise import is_op
from symnet.expr.nodes.extents import same_shape
from symnet.expr.nodes.node import Node, Shape
from symnet.expr.nodes.reduction import Reduce

FILE = "symnet/diff/tables.py"
_LEAVES: dict[str, Declared] = dict.fromkeys(("tensor", "number", "size", "array", "delta", "iota"), LEAF)

VJP: dict[str, VjpRule | Declared] = {
    **_LEAVES,
    "named": symbols.transparent_vjp,
    "barrier": symbols.transparent_vjp,
    "sealed": symbols.sealed_vjp,
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
    "cumprod": recurrence.scan_vjp,
    "linear_recurrence": recurrence.scan_vjp,
    "solve": linalg.solve_vjp,
    "determinant": linalg.determinant_vjp,
    "abstract": abstract.abstract_vjp,
}

# Rules that multiply by primal values have a guarded form; the other rules move and add cotangents.
GUARDED: dict[str, GuardedRule] = {
    "elementwise": elementwise.elementwise_guarded,
    "einsum": contraction.einsum_guarded,
    "reduce": reduction.reduce_guarded,
    "cumprod": recurrence.scan_guarded,
    "linear_recurrence": recurrence.scan_guarded,
    "solve": linalg.solve_guarded,
    "determinant": linalg.determinant_guarded,
}

SUPPORT: dict[str, SupportRule | Declared] = {
    **_LEAVES,
    "named": symbols.transparent_support,
    "barrier": symbols.transparent_support,
    "sealed": symbols.transparent_support,
    "elementwise": elementwise.elementwise_support,
    "einsum": contraction.einsum_support,
    "expand": movement.expand_support,
    "reshape": movement.reshape_support,
    "slice": movement.slice_support,
    "place": movement.place_support,
    "concat": movement.concat_support,
    "reduce": reduction.reduce_support,
    "take": indexing.take_support,
    "one_hot": ZERO,
    "cumsum": cumulative.cumsum_support,
    "cumprod": recurrence.scan_support,
    "linear_recurrence": recurrence.scan_support,
    "solve": linalg.solve_support,
    "determinant": linalg.determinant_support,
    "abstract": abstract.abstract_support,
}

JVP: dict[str, JvpRule | Declared] = {
    **_LEAVES,
    "named": symbols.transparent_jvp,
    "barrier": symbols.transparent_jvp,
    "sealed": symbols.sealed_jvp,
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
    "cumprod": recurrence.cumprod_jvp,
    "linear_recurrence": recurrence.linear_recurrence_jvp,
    "solve": linalg.solve_jvp,
    "determinant": linalg.determinant_jvp,
    "abstract": abstract.abstract_jvp,
}

BATCH: dict[str, BatchRule | Declared] = {
    **_LEAVES,
    "named": symbols.transparent_batch,
    "barrier": symbols.transparent_batch,
    "sealed": symbols.sealed_batch,
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
    "cumprod": recurrence.cumprod_batch,
    "linear_recurrence": recurrence.linear_recurrence_batch,
    "solve": linalg.solve_batch,
    "determinant": linalg.determinant_batch,
    "abstract": abstract.abstract_batch,
}


def apply_vjp(node: Node, y_bar: Node, k: int, support: Where = None, narrow: Where = None) -> Maybe:
    """The cotangent of operand k of `node`, None when zero; guarded where y_bar has a support, a narrower one where the
    slope is steep.
    """
    rule = find(VJP, node.kind, node, "VJP", FILE)
    if isinstance(rule, Declared):
        return None
    if narrow is not support and clipping.is_steep(node, k):
        support = narrow
    guarded = None if support is None else GUARDED.get(node.kind)
    x_bar: Maybe = rule(node, y_bar, k) if guarded is None else guarded(node, y_bar, support, k)
    assert x_bar is None or same_shape(x_bar.shape, node.operands[k].shape), (node.kind, k, x_bar.shape)
    return x_bar


def apply_support(node: Node, support: Where, k: int) -> Where:
    """Where the cotangent of operand k may be other than 0, given where that of `node` may."""
    if support is None and not is_op(node, "where"):
        return None
    rule = find(SUPPORT, node.kind, node, "SUPPORT", FILE)
    return None if isinstance(rule, Declared) else rule(node, support, k)


def apply_narrowing(node: Node, narrow: Where, k: int, support: Where) -> Where:
    """As `apply_support`, narrowed to where clipping keeps operand k; below a contraction the wider support holds
    again.
    """
    if node.kind in ("solve", "determinant") or (node.kind == "einsum" and len(node.operands) > 1):
        return support
    place = clipping.kept(node, k)
    if place is not None:
        narrow = within(narrow, place[0], node.shape, place[1])
    narrow = apply_support(node, narrow, k)
    row = reduction.kept_of_row(node) if isinstance(node, Reduce) else None
    return narrow if row is None else within(narrow, row[0], node.operands[k].shape)


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

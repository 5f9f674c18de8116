"""Derivative rules of take and one-hot.  Their integer indices have derivative zero by declaration."""

from __future__ import annotations

from collections.abc import Sequence

from symnet.diff.rules import Maybe
from symnet.diff.support import Where, carried, summed_support, varying
from symnet.expr.nodes.contraction import contract
from symnet.expr.nodes.indexing import OneHot, Take, take, taken_rows
from symnet.expr.nodes.node import Node, Shape


def _take_indices(node: Take) -> tuple[list[int], list[int], list[int]]:
    """Einsum indices of x, of one_hot(indices), and of the result."""
    x, indices = node.operands
    where = list(range(x.rank, x.rank + indices.rank))
    mine = list(range(x.rank))
    return mine, [*where, node.axis], [*mine[: node.axis], *where, *mine[node.axis + 1 :]]


def take_vjp(node: Take, y_bar: Node, k: int) -> Maybe:
    """x_bar gathers y_bar from every place that read it: a contraction with the one-hot rows."""
    return None if k == 1 else _gathered(node, y_bar)


def _gathered(node: Take, y_bar: Node) -> Node:
    x, indices = node.operands
    mine, hot, out = _take_indices(node)
    return contract([out, hot], mine, y_bar, taken_rows(indices, x.shape[node.axis]))


def take_support(node: Take, support: Where, k: int) -> Where:
    """An element counts where any place that reads it does."""
    x, indices = node.operands
    if support is None:
        return None
    rows = set(range(node.axis, node.axis + indices.rank))
    if rows & varying(support):
        return summed_support(support, lambda held: _gathered(node, held), x.shape)
    kept = [a for a in range(node.rank) if a not in rows]
    return carried(support, dict(zip(kept, (a for a in range(x.rank) if a != node.axis), strict=True)), x.shape)


def take_jvp(node: Take, x_dots: Sequence[Maybe]) -> Maybe:
    return None if x_dots[0] is None else take(x_dots[0], node.operands[1], node.axis)


def take_batch(node: Take, batched: Sequence[Maybe], batch: Shape) -> Node:
    """The elements taken along an axis that stands further behind; where the indices have the extra axes too, a
    contraction with their one-hot rows.
    """
    x, indices = node.operands
    if batched[0] is not None and batched[1] is None:
        return take(batched[0], indices, len(batch) + node.axis)
    mine, hot, out = _take_indices(node)
    extra = list(range(x.rank + indices.rank, x.rank + indices.rank + len(batch)))
    assert batched[1] is not None
    rows = taken_rows(batched[1], x.shape[node.axis])
    array, axes = (x, mine) if batched[0] is None else (batched[0], extra + mine)
    return contract([axes, extra + hot], extra + out, array, rows)


def one_hot_batch(node: OneHot, batched: Sequence[Maybe], batch: Shape) -> Node:
    return OneHot(batched[0], *node.args[1:])

"""Derivative rules of cumulative sums.

y = L x with L the triangle of ones:    x_bar = Lᵀ y_bar, a sum from the other end
"""

from __future__ import annotations

from collections.abc import Sequence

from symnet.diff.rules import Maybe
from symnet.diff.support import Where, summed_support, varying
from symnet.expr.nodes.cumulative import CumulativeSum, cumulate
from symnet.expr.nodes.node import Node, Shape


def cumsum_vjp(node: CumulativeSum, y_bar: Node, k: int) -> Maybe:
    """x_bar[j] = Σ y_bar[k] over k ≥ j (over k ≤ j, where the sum ran from the end)."""
    return cumulate(y_bar, node.axis, not node.reverse)


def cumsum_support(node: CumulativeSum, support: Where, k: int) -> Where:
    """An element counts where any of the sums that it enters does."""
    if support is None or node.axis not in varying(support):
        return support
    return summed_support(support, lambda held: cumulate(held, node.axis, not node.reverse), node.shape)


def cumsum_jvp(node: CumulativeSum, x_dots: Sequence[Maybe]) -> Maybe:
    """The same sum of the tangents, as it is linear."""
    return None if x_dots[0] is None else cumulate(x_dots[0], node.axis, node.reverse)


def cumsum_batch(node: CumulativeSum, batched: Sequence[Maybe], batch: Shape) -> Node:
    """The sum along the same axis, which stands behind the extra ones."""
    assert batched[0] is not None, node
    return cumulate(batched[0], node.axis + len(batch), node.reverse)

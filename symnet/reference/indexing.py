"""Take and one-hot in NumPy, with every index checked.

In: arrays and integer indices.  Out: the elements, or rows with a single 1.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from symnet.arrays import Array
from symnet.errors import ValueDomainError, explain
from symnet.expr.nodes.indexing import OneHot, Take
from symnet.expr.nodes.node import Node
from symnet.reference.context import Context


def take_value(node: Take, values: Sequence[Array], context: Context) -> Array:
    x, indices = values
    return np.take(x, _in_range(node, indices, x.shape[node.axis], wraps=True), axis=node.axis)


def one_hot_value(node: OneHot, values: Sequence[Array], context: Context) -> Array:
    classes = context.extent(node.classes)
    index = _in_range(node, values[0], classes, node.wraps)
    return (index[..., None] == np.arange(classes)).astype("float64")


def _in_range(node: Node, indices: Array, extent: int, wraps: bool) -> Array:
    """The indices, checked; negative ones count from the end where `wraps` allows it."""
    low = -extent if wraps else 0
    wrong = indices[(indices < low) | (indices >= extent)]
    if wrong.size:
        source = node.operands[-1]
        raise ValueDomainError(
            explain(
                f"{node.kind}(…, {getattr(source, 'name', 'indices')})",
                f"indices from {low} to {extent - 1}",
                f"{int(wrong.flat[0])}",
                "Correct the labels, or the number of classes.",
            )
        )
    return np.where(indices < 0, indices + np.int64(extent), indices) if wraps else indices

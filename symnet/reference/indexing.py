"""Take and one-hot in NumPy, with every index checked.

In: arrays and integer indices.  Out: the elements, or rows with a single 1.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from symnet.errors import ValueDomainError, explain
from symnet.expr.indexing import OneHot, Take
from symnet.expr.node import Node
from symnet.reference.context import Array, Context


def take_value(node: Take, values: Sequence[Array], context: Context) -> Array:
    x, indices = values
    _check_range(node, indices, x.shape[node.axis])
    return np.take(x, indices, axis=node.axis)


def one_hot_value(node: OneHot, values: Sequence[Array], context: Context) -> Array:
    classes = context.extent(node.classes)
    _check_range(node, values[0], classes)
    return (values[0][..., None] == np.arange(classes)).astype("float64")


def _check_range(node: Node, indices: Array, extent: int) -> None:
    wrong = indices[(indices < 0) | (indices >= extent)]
    if wrong.size:
        source = node.operands[-1]
        raise ValueDomainError(
            explain(
                f"{node.kind}(…, {getattr(source, 'name', 'indices')})",
                f"indices from 0 to {extent - 1}",
                f"{int(wrong.flat[0])}",
                "Correct the labels, or the number of classes.",
            )
        )

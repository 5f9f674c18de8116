"""Contraction in NumPy.

In: operands with integer indices.  Out: `numpy.einsum` of them.  One-hot rows choose: what is not finite where they are
0 counts for nothing, as in a sum by index.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from symnet.arrays import Array
from symnet.expr.nodes.contraction import Einsum
from symnet.reference.context import Context


def einsum_value(node: Einsum, values: Sequence[Array], context: Context) -> Array:
    operands = context.operands(node, values)
    chosen = [operand.kind == "one_hot" for operand in node.operands]
    if any(chosen) and not all(np.isfinite(v).all() for v in operands):
        return _of_chosen(node, operands, chosen)
    arguments: list[Any] = []
    for value, indices in zip(operands, node.inputs, strict=True):
        arguments += [value, list(indices)]
    return np.asarray(np.einsum(*arguments, list(node.output), optimize=len(operands) > 2))


def _of_chosen(node: Einsum, operands: Sequence[Array], chosen: Sequence[bool]) -> Array:
    """Sums of products over all indices, 0 where one-hot rows are 0."""
    order = [*node.output, *node.contracted]
    product, taken = np.ones(1), np.ones(1, bool)
    for value, indices, choice in zip(operands, node.inputs, chosen, strict=True):
        placed = np.einsum(value, list(indices), [i for i in order if i in indices])
        placed = placed.reshape(
            [placed.shape[sorted(indices, key=order.index).index(i)] if i in indices else 1 for i in order]
        )
        product, taken = (product, taken & (placed != 0)) if choice else (product * placed, taken)
    kept = np.where(taken, product, 0).astype(operands[0].dtype)
    return np.asarray(kept.sum(axis=tuple(range(len(node.output), len(order)))))

"""Movement in NumPy: expand, reshape, slice, place, concat.

In: arrays.  Out: the same elements elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from symnet.arrays import Array
from symnet.errors import ValueDomainError, explain
from symnet.expr.nodes.expansion import Expand
from symnet.expr.nodes.movement import Concat, Place, Reshape, Slice
from symnet.expr.nodes.node import Extent
from symnet.reference.context import Context


def expand_value(node: Expand, values: Sequence[Array], context: Context) -> Array:
    shape = context.shape(node.shape)
    kept = tuple(n if a in set(node.axes) else 1 for a, n in enumerate(shape))
    return np.broadcast_to(values[0].reshape(kept), shape)


def reshape_value(node: Reshape, values: Sequence[Array], context: Context) -> Array:
    return values[0].reshape(context.shape(node.shape))


def slice_value(node: Slice, values: Sequence[Array], context: Context) -> Array:
    sizes = context.shape(node.shape)
    return values[0][positions("slice", node.starts, sizes, node.steps, values[0].shape, context)]


def place_value(node: Place, values: Sequence[Array], context: Context) -> Array:
    out = np.zeros(context.shape(node.shape), values[0].dtype)
    out[positions("place", node.starts, values[0].shape, node.steps, out.shape, context)] = values[0]
    return out


def concat_value(node: Concat, values: Sequence[Array], context: Context) -> Array:
    return np.concatenate(context.operands(node, values), axis=node.axis)


def positions(
    call: str,
    starts: Sequence[Extent],
    sizes: Sequence[int],
    steps: Sequence[int],
    within: Sequence[int],
    context: Context,
) -> Any:
    """The open mesh of start + i·step on every axis.

    Raises:
        ValueDomainError: when one lies outside the array.
    """
    mesh = []
    for axis, (start, size, step, extent) in enumerate(zip(starts, sizes, steps, within, strict=True)):
        along = context.extent(start) + step * np.arange(size) if size else np.arange(0)
        if size and not (along.min() >= 0 and along.max() < extent):
            raise ValueDomainError(
                explain(
                    call,
                    f"positions from 0 to {extent - 1} on axis {axis}",
                    f"{along[0]} to {along[-1]}",
                    "Give longer arrays.",
                )
            )
        mesh.append(along)
    return np.ix_(*mesh)

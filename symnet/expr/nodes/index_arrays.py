"""Arrays of integers and masks as indices: from what a user writes to integer arrays in range.

In: lists, NumPy's arrays, nodes.  Out: index nodes; those of constants are checked against the extent when the
expression is built, and negative ones count from the end, as NumPy's.
Not handled: masks that are computed, floats as indices.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from symnet import dtypes
from symnet.arrays import is_array
from symnet.errors import ArgumentError, DTypeError, ShapeError, explain, refuse_mask
from symnet.expr.nodes.constants import ConstantArray, as_node, constant, number_of
from symnet.expr.nodes.node import Extent, Node


def is_index_array(key: Any) -> bool:
    """Whether a key of `x[…]` is an array: a list, a tuple, an array of NumPy's, a node."""
    return isinstance(key, (list, tuple)) or is_array(key) or (isinstance(key, Node) and number_of(key) is None)


def index_array(call: str, given: Any) -> Node:
    """An index as an integer node, or as a constant mask.

    Raises:
        DTypeError: floats.  ArgumentError: a computed mask, a list of expressions.
    """
    refuse_mask(call, "indices", given)
    if isinstance(given, (list, tuple)):
        given = _listed(call, given)
    while isinstance(given, Node) and given.kind == "named" and given.operands[0].kind == "array":
        given = given.operands[0]
    node = constant(given) if is_array(given) else as_node(given)
    if node.dtype == "bool" and not isinstance(node, ConstantArray):
        mend = "Use sn.where(mask, x, 0), whose shape does not depend on data."
        raise ArgumentError(explain(call, "integers, or a mask that is a constant array", "a computed mask", mend))
    if node.dtype not in (*dtypes.INTEGER, "bool"):
        mend = 'Convert it: indices.astype("int64").' if is_array(given) else 'Declare it with dtype="int64".'
        raise DTypeError(explain(call, "an integer array of indices", f"dtype {node.dtype or 'weak real'}", mend))
    return node


def _listed(call: str, given: Sequence[Any]) -> Any:
    """A list as an array; an empty one has no numbers, and so is one of integers."""
    import numpy as np

    if any(isinstance(each, Node) for each in given):
        mend = "Join them: x[sn.stack([i, j])]."
        raise ArgumentError(explain(call, "a list of integers", "expressions in it", mend))
    array = constant(_plain(given)).contents.array
    return array if array.size else np.zeros(array.shape, "int64")


def _plain(value: Any) -> Any:
    """A list with SymPy's integers, as parsed formulas have them, as Python's."""
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    return int(value) if getattr(value, "is_Integer", False) else value


def places_of_mask(call: str, mask: Any, extents: Sequence[Extent]) -> list[Node]:
    """The places where a constant mask is true: one integer array for each of its axes.

    Raises:
        ShapeError: the mask has other extents than what it selects from, or those are symbolic.
    """
    if len(extents) < mask.ndim or any(n != size for n, size in zip(extents, mask.shape, strict=False)):
        shape = f"({', '.join(map(str, extents[: mask.ndim]))}{',' * (mask.ndim == 1)})"
        mend = "Give a mask of that shape; along a symbolic extent use sn.where."
        raise ShapeError(explain(call, f"a mask of shape {shape}", f"shape {mask.shape}", mend))
    return [constant(places) for places in mask.nonzero()]


def in_range(call: str, index: Node, extent: Extent) -> Node:
    """A constant index with its negative places counted from the end.

    Raises:
        ShapeError: a place outside the extent.
    """
    if not isinstance(index, ConstantArray) or not isinstance(extent, int) or not index.contents.array.size:
        return index
    places = index.contents.array
    low, high = int(places.min()), int(places.max())
    if low < -extent or high >= extent:
        wrong = low if low < -extent else high
        raise ShapeError(
            explain(call, f"indices from {-extent} to {extent - 1}", str(wrong), "Check the indices, and the axis.")
        )
    return constant(places + extent * (places < 0)) if low < 0 else index

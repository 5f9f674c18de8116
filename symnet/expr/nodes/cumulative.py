"""Cumulative sums along an axis.

In: an array and an axis.  Out: a node of its shape; `reverse` sums from the end, which is what derivatives need.
Not handled: other cumulative operations.
"""

from __future__ import annotations

from typing import Any

import sympy
from sympy import Integer

from symnet.errors import ShapeError, explain
from symnet.expr.nodes.constants import as_node
from symnet.expr.nodes.contraction import widened
from symnet.expr.nodes.extents import normalize_axis
from symnet.expr.nodes.movement import reshape
from symnet.expr.nodes.node import Node, Shape


def axis_of(scan: Node) -> int:
    """The axis along which a node with args (axis, reverse, …) runs."""
    return int(scan.args[0])


def reverse_of(scan: Node) -> bool:
    """Whether it runs from the end."""
    return bool(scan.args[1])


class CumulativeSum(Node):
    """y[…, k, …] = Σ over j ≤ k (over j ≥ k in reverse) of x[…, j, …]: args are (axis, reverse, x)."""

    __slots__ = ()
    kind = "cumsum"
    axis = property(axis_of)
    reverse = property(reverse_of)

    @classmethod
    def _derive(cls, axis: Integer, reverse: Integer, x: Node) -> tuple[Shape, str | None]:
        assert 0 <= int(axis) < x.rank and int(reverse) in (0, 1), (axis, reverse, x.shape)
        return x.shape, "int64" if x.dtype == "bool" else x.dtype


def cumulate(x: Node, axis: int, reverse: bool = False) -> CumulativeSum:
    """The node of the sums of x along an axis, from its end where `reverse`."""
    return CumulativeSum(sympy.Integer(axis), sympy.Integer(int(reverse)), x)


def cumsum(x: Any, axis: int | None = None) -> Node:
    """Sums of the first 1, 2, 3, … elements along an axis; its derivative sums from the end.

    Args:
        x: rank 1 or more.
        axis: an int; None sums over the elements in a row, as in NumPy.

    Raises:
        ShapeError: for a scalar, or an axis that x does not have.

    Example:
        >>> import symnet as sn
        >>> x, w = sn.tensor("x", 4), sn.tensor("w", 4)
        >>> sn.grad(w @ sn.cumsum(x), x)
        cumsum(w[::-1])[::-1]
    """
    x = widened(as_node(x))
    if not x.rank:
        mend = "A number is its own sum; reshape it to (1,) for an array."
        raise ShapeError(explain("cumsum(x)", "rank 1 or more", "a scalar", mend))
    if axis is None:
        return cumulate(x if x.rank == 1 else reshape(x, -1), 0)
    place = normalize_axis(f"cumsum(x, axis={axis!r})", axis, x.rank)
    return cumulate(x, place)

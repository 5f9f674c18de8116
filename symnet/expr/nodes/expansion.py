"""Expansion: axes along which an operand repeats.  No arithmetic happens here.

`Expand(x, shape, axes)`   out[…] = x[i at position axes]: new axes repeat (broadcasting, fills, kept axes)

The other movements of elements (`expr/nodes/movement.py`) stand above contraction, which needs this one.
"""

from __future__ import annotations

from typing import Any

from sympy import Tuple

from symnet.expr.nodes.constants import as_node
from symnet.expr.nodes.extents import ints_arg, ints_of, same_extent, shape_arg, shape_of
from symnet.expr.nodes.node import Node, Shape


class Expand(Node):
    """args are (x, shape, axes): operand axis k is output axis axes[k] (increasing); other axes repeat.

    Attributes:
        axes: where each operand axis stands in the result.
    """

    __slots__ = ("axes",)
    kind = "expand"
    axes: tuple[int, ...]

    @classmethod
    def _derive(cls, x: Node, shape: Tuple, axes: Tuple) -> tuple[Shape, str | None]:
        out, places = shape_of(shape), ints_of(axes)
        assert len(places) == x.rank and list(places) == sorted(set(places)), (x.shape, out, places)
        assert all(same_extent(out[a], n) for a, n in zip(places, x.shape, strict=True)), (x.shape, out, places)
        return out, x.dtype

    def _read(self) -> None:
        self.axes = ints_of(self.args[2])

    @property
    def new_axes(self) -> tuple[int, ...]:
        """The axes along which the operand repeats."""
        return tuple(a for a in range(self.rank) if a not in set(self.axes))


def expand(x: Any, shape: Shape, axes: tuple[int, ...]) -> Node:
    """`Expand`, or x itself when nothing is added."""
    x = as_node(x)
    if len(axes) == len(shape):
        return x
    return Expand(x, shape_arg(tuple(shape)), ints_arg(tuple(axes)))


def fill(value: Any, shape: Shape) -> Node:
    """An array of one number (or rank-0 node)."""
    return expand(value, shape, ())


def keep_axes(x: Node, axes: tuple[int, ...]) -> Node:
    """Put axes of extent 1 at these positions of the result."""
    rank = x.rank + len(axes)
    kept = tuple(a for a in range(rank) if a not in axes)
    extent = dict(zip(kept, x.shape, strict=True))
    return expand(x, tuple(extent.get(a, 1) for a in range(rank)), kept)

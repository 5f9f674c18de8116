"""Derivative rules of movement: each is linear, and its adjoint is another movement (or a sum).

Expand ↔ sum over the new axes      Slice ↔ Place      Reshape ↔ Reshape      Concat ↔ its slices
"""

from __future__ import annotations

from collections.abc import Sequence

from sympy import Integer

from symnet.diff.contraction import add_up
from symnet.diff.rules import Maybe
from symnet.diff.support import Where, carried, moved_support
from symnet.expr.nodes.contraction import contract
from symnet.expr.nodes.expansion import Expand, expand
from symnet.expr.nodes.extents import ints_arg, shape_arg
from symnet.expr.nodes.graph import with_operands
from symnet.expr.nodes.movement import Concat, Place, Reshape, Slice, reshape
from symnet.expr.nodes.node import Extent, Node, Shape

# --------------------------------------------------------------------------- reverse


def expand_vjp(node: Expand, y_bar: Node, k: int) -> Maybe:
    """The sum over the axes along which x was repeated."""
    return contract([range(node.rank)], node.axes, y_bar)


def reshape_vjp(node: Reshape, y_bar: Node, k: int) -> Node:
    return reshape(y_bar, node.operands[0].shape)


def slice_vjp(node: Slice, y_bar: Node, k: int) -> Node:
    """y_bar where x was read, 0 elsewhere."""
    return _place(y_bar, node.operands[0].shape, node.starts, node.steps)


def place_vjp(node: Place, y_bar: Node, k: int) -> Node:
    """The elements of y_bar at the places where x was laid."""
    return _slice(y_bar, node.starts, node.operands[0].shape, node.steps)


def concat_vjp(node: Concat, y_bar: Node, k: int) -> Node:
    """The part of y_bar that operand k filled."""
    starts, steps = _along(node, k)
    return _slice(y_bar, starts, node.operands[k].shape, steps)


def _along(node: Concat, k: int) -> tuple[tuple[Extent, ...], tuple[int, ...]]:
    starts = tuple(node.offsets[k] if a == node.axis else 0 for a in range(node.rank))
    return starts, (1,) * node.rank


def _place(x: Node, shape: Shape, starts: tuple[Extent, ...], steps: tuple[int, ...]) -> Node:
    return Place(x, shape_arg(shape), shape_arg(starts), ints_arg(steps))


def _slice(x: Node, starts: tuple[Extent, ...], sizes: Shape, steps: tuple[int, ...]) -> Node:
    return Slice(x, shape_arg(starts), shape_arg(sizes), ints_arg(steps))


# --------------------------------------------------------------------------- supports


def expand_support(node: Expand, support: Where, k: int) -> Where:
    """The support of what was repeated: an element counts where any of its copies does."""
    return carried(support, {a: j for j, a in enumerate(node.axes)}, node.operands[0].shape)


def reshape_support(node: Reshape, support: Where, k: int) -> Where:
    return moved_support(support, lambda condition: reshape_vjp(node, condition, k), node.operands[0].shape)


def slice_support(node: Slice, support: Where, k: int) -> Where:
    return moved_support(support, lambda condition: slice_vjp(node, condition, k), node.operands[0].shape)


def place_support(node: Place, support: Where, k: int) -> Where:
    return moved_support(support, lambda condition: place_vjp(node, condition, k), node.operands[0].shape)


def concat_support(node: Concat, support: Where, k: int) -> Where:
    return moved_support(support, lambda condition: concat_vjp(node, condition, k), node.operands[k].shape)


# --------------------------------------------------------------------------- forward


def same_movement_jvp(node: Node, x_dots: Sequence[Maybe]) -> Maybe:
    """y_dot is x_dot moved as x is."""
    return None if x_dots[0] is None else with_operands(node, [x_dots[0]])


def concat_jvp(node: Concat, x_dots: Sequence[Maybe]) -> Maybe:
    """The tangents one after another; each laid into place where some are zero."""
    present = [(k, d) for k, d in enumerate(x_dots) if d is not None]
    if len(present) == len(x_dots):
        return Concat(Integer(node.axis), *(d for _, d in present))
    return add_up([_place(d, node.shape, *_along(node, k)) for k, d in present])


# --------------------------------------------------------------------------- extra axes


def expand_batch(node: Expand, batched: Sequence[Maybe], batch: Shape) -> Node:
    axes = (*range(len(batch)), *(len(batch) + a for a in node.axes))
    return expand(batched[0], (*batch, *node.shape), axes)


def reshape_batch(node: Reshape, batched: Sequence[Maybe], batch: Shape) -> Node:
    return reshape(batched[0], (*batch, *node.shape))


def slice_batch(node: Slice, batched: Sequence[Maybe], batch: Shape) -> Node:
    assert batched[0] is not None
    zeros, ones = (0,) * len(batch), (1,) * len(batch)
    return _slice(batched[0], zeros + node.starts, (*batch, *node.shape), ones + node.steps)


def place_batch(node: Place, batched: Sequence[Maybe], batch: Shape) -> Node:
    assert batched[0] is not None
    zeros, ones = (0,) * len(batch), (1,) * len(batch)
    return _place(batched[0], (*batch, *node.shape), zeros + node.starts, ones + node.steps)


def concat_batch(node: Concat, batched: Sequence[Maybe], batch: Shape) -> Node:
    """Operands without the extra axes are repeated along them."""
    front = len(batch)
    parts = [
        expand(x, (*batch, *x.shape), tuple(range(front, front + x.rank))) if b is None else b
        for x, b in zip(node.operands, batched, strict=True)
    ]
    return Concat(Integer(front + node.axis), *parts)

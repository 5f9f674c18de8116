"""Broadcasting inside elementwise operations: what an operand really depends on.

In: an operand and the shape of the result.  Out: its *core* (the operand without repetition) and the axes of the
result along which the core varies (`align`), and back (`spread`).  In normal form a core that varies along the
trailing axes stands bare (NumPy's broadcasting repeats it); any other stands in an `Expand`.
"""

from __future__ import annotations

from functools import lru_cache

from symnet.expr.nodes.elementwise import elementwise, is_op, operands_of
from symnet.expr.nodes.expansion import Expand, expand
from symnet.expr.nodes.extents import has_unit_axis, same_shape
from symnet.expr.nodes.movement import drop_axes
from symnet.expr.nodes.node import Axes, Node, Shape


@lru_cache(maxsize=256)
def trailing(rank: int, out_rank: int) -> Axes:
    return tuple(range(out_rank - rank, out_rank))


def align(operand: Node, shape: Shape) -> tuple[Node, Axes]:
    """The core of an operand of an elementwise node of `shape`, and the axes it varies along."""
    return core_of(operand, trailing(operand.rank, len(shape)), shape)


def core_of(node: Node, axes: Axes, shape: Shape) -> tuple[Node, Axes]:
    """As `align`, for a node whose axes are already placed at `axes` of the result."""
    while True:
        if isinstance(node, Expand):
            node, axes = node.operands[0], tuple(axes[a] for a in node.axes)
        elif _scaled_expand(node):
            *scalars, last = node.operands
            inner = last.operands[0]
            node = elementwise("mul", *scalars, *operands_of("mul", inner))
            axes = tuple(axes[a] for a in last.axes)
        else:
            return _squeeze(node, axes, shape)


def _scaled_expand(node: Node) -> bool:
    return is_op(node, "mul") and isinstance(node.operands[-1], Expand) and all(not o.rank for o in node.operands[:-1])


def _squeeze(node: Node, axes: Axes, shape: Shape) -> tuple[Node, Axes]:
    """Drop axes of extent 1 that meet a longer one."""
    if not has_unit_axis(node.shape):
        return node, axes
    kept = [k for k, n in enumerate(node.shape) if n != 1 or shape[axes[k]] == 1]
    if len(kept) == node.rank:
        return node, axes
    return drop_axes(node, set(range(node.rank)) - set(kept)), tuple(axes[k] for k in kept)


def spread(core: Node, axes: Axes, shape: Shape) -> Node:
    """The operand of an elementwise node of `shape` whose core varies along `axes` (increasing)."""
    if axes == trailing(len(axes), len(shape)):
        return core
    first = axes[0]
    places, whole = tuple(a - first for a in axes), shape[first:]
    scalars = [o for o in core.operands if not o.rank] if is_op(core, "mul") else []
    if not scalars:
        return expand(core, whole, places)
    arrays = [o for o in core.operands if o.rank]
    body = arrays[0] if len(arrays) == 1 else elementwise("mul", *arrays)
    return elementwise("mul", *scalars, expand(body, whole, places))


def without_repetition(x: Node) -> Node:
    """The node that x repeats; x itself where it repeats none."""
    return x.operands[0] if isinstance(x, Expand) else x


def cover(core: Node, axes: Axes, shape: Shape) -> Node:
    """The core repeated to the whole shape."""
    return expand(core, shape, axes)


def covered(operand: Node, shape: Shape) -> Node:
    """An operand of an elementwise node of `shape`, repeated to that where it is smaller."""
    return operand if same_shape(operand.shape, shape) else cover(*align(operand, shape), shape)


def restrict(axes: Axes, live: Axes) -> Axes:
    """Axes of the result, renumbered among the live ones."""
    place = {a: k for k, a in enumerate(live)}
    return tuple(place[a] for a in axes)

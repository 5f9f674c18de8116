"""Where the axes of what is rearranged, or laid into zeros, stand in the result.

In: a node that only puts elements of its first operand elsewhere.  Out: the axis that each axis of that operand is.
Not handled: reshapes, of which every axis counts as moved.
"""

from __future__ import annotations

from symnet.expr.nodes.contraction import Einsum
from symnet.expr.nodes.expansion import Expand
from symnet.expr.nodes.movement import Slice
from symnet.expr.nodes.node import Axes, Node
from symnet.simplify.algebra.hoisting import is_rearranged, leaves_axis_alone

MOVED = -1  # of an axis along which a node rearranges


def axes_after(move: Node) -> Axes:
    """For every axis of what a node rearranges, the one that it is in the result; `MOVED` where it is none."""
    x = move.operands[0]
    if isinstance(move, Expand):
        return move.axes
    if isinstance(move, Einsum):
        (indices,) = move.inputs
        return tuple(move.output.index(i) if i in move.output and indices.count(i) == 1 else MOVED for i in indices)
    if isinstance(move, Slice):
        return tuple(a if leaves_axis_alone(move, a) else MOVED for a in range(x.rank))
    return (MOVED,) * x.rank


def is_laid_out(x: Node) -> bool:
    """Whether a node only rearranges its first operand, or lays it into zeros."""
    return is_rearranged(x) or x.kind == "place"

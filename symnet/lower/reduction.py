"""Reductions as nests.

In: a Reduce, and the elementwise value fused behind it (or none).  Out: its nest; argmax has several (`argmax.py`).
"""

from __future__ import annotations

from symnet.expr.nodes.contraction import letter
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.reduction import Reduce
from symnet.loops.ir import Buffer, IntVar
from symnet.loops.neutral import neutral
from symnet.lower.epilogue import accumulated_nest
from symnet.lower.nest import Accumulator, Nest
from symnet.lower.state import LoweringState


def reduce_nest(state: LoweringState, node: Reduce, target: Node, buffer: Buffer, taken: Node | None = None) -> Nest:
    """The nest of a max, min or prod over some axes."""
    (x,) = node.operands
    axes = [state.axis(letter(a), (x, a)) for a in range(x.rank)]
    parallel = tuple(axes[a] for a in range(x.rank) if a not in node.axes)
    reduced = tuple(axes[a] for a in node.axes)
    points = state.points("a")
    value = points.at(x, tuple(IntVar(a.var) for a in axes))
    combine = {"prod": "mul"}.get(node.op, node.op)
    acc = Accumulator(
        state.clear(f"{buffer.name}.{node.op}"), value.dtype, combine, neutral(combine, value.dtype), value
    )
    return accumulated_nest(state, node, target, buffer, parallel, reduced, points, acc, taken)

"""What becomes of an accumulated value: the end of a reduction's or a contraction's nest.

In: the accumulator, the loops around it, the node, and what is stored of it (itself, or an elementwise function of it).
Out: the nest.
"""

from __future__ import annotations

from symnet.expr.nodes.node import Node
from symnet.loops.ir import Body, Buffer, Const, IntVar, Let, Store, Value, Var
from symnet.lower.nest import Accumulator, Axis, Nest
from symnet.lower.point import Index, Points
from symnet.lower.state import LoweringState


def accumulated_nest(
    state: LoweringState,
    node: Node,
    target: Node,
    buffer: Buffer,
    parallel: tuple[Axis, ...],
    reduced: tuple[Axis, ...],
    inner: Points,
    acc: Accumulator,
    taken: Node | None,
) -> Nest:
    """The nest: what is stored, from the accumulated value, and where it is accumulated at all."""
    index = tuple(IntVar(a.var) for a in parallel)
    stored = epilogue(state, node, target, buffer, index, Var(acc.name, acc.dtype))
    when = () if taken is None else _when(state, taken, index)
    return Nest(buffer.name, parallel, stored, reduced, tuple(inner.lets), acc, when=when)


def epilogue(state: LoweringState, node: Node, target: Node, buffer: Buffer, index: Index, total: Value) -> Body:
    """What is stored at an index: `target`, the node itself or a function of it, where the node is `total`."""
    points = state.points("v", target)
    points.known[node, index] = points.let(total)
    value = points.cast(points.at(target, index), buffer.dtype)
    return (*points.lets, Store(buffer, index, value))


def _when(state: LoweringState, taken: Node, index: Index) -> tuple[Let, ...]:
    """Whether a condition holds at an index, as a number."""
    points = state.points("w")
    holds = points.at(taken, index if taken.rank else ())
    points.op("select", holds, Const(1, "int32"), Const(0, "int32"), dtype="int32")
    return tuple(points.lets)

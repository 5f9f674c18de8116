"""Reductions as nests.

In: a Reduce, and the elementwise value fused behind it (or none).  Out: its nest; argmax takes two (the maximum, then
the first index that reaches it).
"""

from __future__ import annotations

from symnet.expr.nodes.contraction import letter
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.reduction import Reduce
from symnet.loops.ir import Buffer, Const, FromInt, IntVar, Load, Op, Store, Var
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
        state.clear(f"{buffer.name}_{node.op}"), value.dtype, combine, neutral(combine, value.dtype), value
    )
    return accumulated_nest(state, node, target, buffer, parallel, reduced, points, acc, taken)


def compared(dtype: str) -> str:
    """The dtype in which elements are compared: truth values are the integers 0 and 1."""
    return "int32" if dtype == "bool" else dtype


def argmax_nests(state: LoweringState, node: Reduce, buffer: Buffer, best: Buffer) -> list[Nest]:
    """The maximum into `best`, of the dtype `compared`; then the smallest index that reaches it, as NaN does."""
    (x,) = node.operands
    (along,) = node.axes
    axes = [state.axis(letter(a), (x, a)) for a in range(x.rank)]
    index = tuple(IntVar(a.var) for a in axes)
    kept = tuple(IntVar(a.var) for n, a in enumerate(axes) if n != along)
    parallel = tuple(a for n, a in enumerate(axes) if n != along)
    first = state.points("a")
    value = first.cast(first.at(x, index), best.dtype)
    acc = Accumulator(state.clear(f"{best.name}_max"), best.dtype, "max", neutral("max", best.dtype), value)
    outer = (Store(best, kept, Var(acc.name, acc.dtype)),)
    largest = Nest(best.name, parallel, outer, (axes[along],), tuple(first.lets), acc)
    points = state.points("a")
    value = points.cast(points.at(x, index), best.dtype)
    reached = points.op("eq", value, points.let(Load(best, kept)), dtype="bool")
    either = points.op("or", reached, points.op("ne", value, value, dtype="bool"), dtype="bool")
    extent = axes[along].constant
    kind = (
        "int64" if extent is None or extent > neutral("min", "int32") else "int32"
    )  # twice as many of them fill a register
    most = neutral("min", kind)
    here = points.op("select", either, points.let(FromInt(index[along], kind)), Const(most, kind), dtype=kind)
    where = Accumulator(state.clear(f"{buffer.name}_first"), kind, "min", most, here)
    found = Var(where.name, kind)
    outer = (Store(buffer, kept, found if kind == "int64" else Op("cast", (found,), "int64")),)
    return [largest, Nest(buffer.name, parallel, outer, (axes[along],), tuple(points.lets), where)]

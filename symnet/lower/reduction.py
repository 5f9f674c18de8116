"""Reductions and contractions as nests.

In: an Einsum with contracted indices, or a Reduce, and the elementwise value fused behind it (or none).
Out: its nest; argmax takes two (the maximum, then the first index that reaches it).
"""

from __future__ import annotations

from collections.abc import Sequence

from symnet.expr.nodes.contraction import Einsum, letter
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.reduction import Reduce
from symnet.loops.ir import Body, Buffer, Const, FromInt, IntVar, Let, Load, Op, Store, Value, Var
from symnet.lower.indexing import hit
from symnet.lower.nest import INITIAL, Accumulator, Axis, Nest
from symnet.lower.point import INLINE, Index, Inline, NodeAt, Points, constant
from symnet.lower.state import LoweringState

_INT_LIMITS = {"int32": (-(2**31), 2**31 - 1), "int64": (-(2**63), 2**63 - 1)}


def initial(combine: str, dtype: str) -> float | int:
    """The identity of a combine, in its dtype."""
    if dtype == "bool":
        return combine in ("mul", "min")
    if dtype not in _INT_LIMITS:
        return INITIAL[combine]
    return _INT_LIMITS[dtype][combine == "min"] if combine in ("max", "min") else int(INITIAL[combine])


def contraction_nest(
    state: LoweringState, node: Einsum, target: Node, buffer: Buffer, taken: Node | None = None
) -> Nest:
    """Σ of products; `target` is the stored value (node itself, or an elementwise function of it)."""
    axes = index_axes(state, node)
    parallel = tuple(axes[i] for i in node.output)
    reduced = tuple(axes[i] for i in node.contracted)
    points = state.points("a")
    dtype = points.dtype(node)
    terms = [
        (operand, tuple(IntVar(axes[i].var) for i in indices))
        for indices, operand in zip(node.inputs, node.operands, strict=True)
    ]
    factors = [points.cast(points.at(*term), dtype) for term in terms if term[0].kind != "one_hot"]
    value = product_at(points, factors, dtype)
    for term in terms:
        if term[0].kind == "one_hot":  # chosen, not multiplied: beside 0, what is not finite counts for nothing
            value = Op("select", (hit(points, *term), points.let(value), constant(0, dtype)), dtype)
    acc = Accumulator(state.clear(f"{buffer.name}_sum"), dtype, "add", constant(0, dtype).value, value)
    return _finish(state, node, target, buffer, parallel, reduced, points, acc, taken)


def product_at(points: Points, factors: Sequence[Value], dtype: str) -> Value:
    """The product of factors at one point, its last step not bound; 1 of none."""
    value = factors[0] if factors else constant(1, dtype)
    for number, factor in enumerate(factors[1:], start=2):
        value = Op("mul", (value, factor), dtype)
        value = points.let(value) if number < len(factors) else value
    return value


def index_axes(state: LoweringState, node: Einsum) -> dict[int, Axis]:
    """The loop over each index of a contraction."""
    axes: dict[int, Axis] = {}
    for indices, operand in zip(node.inputs, node.operands, strict=True):
        for axis, index in enumerate(indices):
            if index not in axes:
                axes[index] = state.axis(letter(index), (operand, axis))
    return axes


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
        state.clear(f"{buffer.name}_{node.op}"), value.dtype, combine, initial(combine, value.dtype), value
    )
    return _finish(state, node, target, buffer, parallel, reduced, points, acc, taken)


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
    acc = Accumulator(state.clear(f"{best.name}_max"), best.dtype, "max", initial("max", best.dtype), value)
    outer = (Store(best, kept, Var(acc.name, acc.dtype)),)
    largest = Nest(best.name, parallel, outer, (axes[along],), tuple(first.lets), acc)
    points = state.points("a")
    value = points.cast(points.at(x, index), best.dtype)
    reached = points.op("eq", value, points.let(Load(best, kept)), dtype="bool")
    either = points.op("or", reached, points.op("ne", value, value, dtype="bool"), dtype="bool")
    here = points.op(
        "select", either, points.let(FromInt(index[along], "int64")), Const(2**63 - 1, "int64"), dtype="int64"
    )
    where = Accumulator(state.clear(f"{buffer.name}_first"), "int64", "min", 2**63 - 1, here)
    outer = (Store(buffer, kept, Var(where.name, "int64")),)
    return [largest, Nest(buffer.name, parallel, outer, (axes[along],), tuple(points.lets), where)]


def _finish(
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
    """The epilogue: what is stored, from the accumulated value; and where it is accumulated at all."""
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


# An Einsum that sums nothing is a product of re-indexed operands: computed in place.


def _einsum_points(points: Points, node: Einsum, index: Index) -> list[NodeAt]:
    at = dict(zip(node.output, index, strict=True))
    return [(o, tuple(at[i] for i in indices)) for indices, o in zip(node.inputs, node.operands, strict=True)]


def _einsum_value(points: Points, node: Einsum, index: Index, values: list[Value]) -> Value:
    dtype = points.dtype(node)
    result = points.cast(values[0], dtype)
    for v in values[1:]:
        result = points.op("mul", result, points.cast(v, dtype))
    return result


INLINE["einsum"] = Inline(_einsum_points, _einsum_value)

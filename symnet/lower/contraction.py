"""Contractions as nests; one that sums nothing is a product, computed where it is used.

In: an Einsum, and the elementwise value fused behind it (or none).  Out: its nest.
Not handled: a product with one-hot rows whose classes are kept, which adds by index (`scatter.py`).
"""

from __future__ import annotations

from collections.abc import Sequence

from symnet.expr.nodes.contraction import Einsum, letter
from symnet.expr.nodes.node import Node
from symnet.loops.ir import Buffer, IntVar, Op, Value
from symnet.lower.epilogue import accumulated_nest
from symnet.lower.indexing import hit
from symnet.lower.nest import Accumulator, Axis, Nest
from symnet.lower.point import INLINE, Index, Inline, NodeAt, Points, constant
from symnet.lower.state import LoweringState


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
    acc = Accumulator(state.clear(f"{buffer.name}.sum"), dtype, "add", constant(0, dtype).value, value)
    return accumulated_nest(state, node, target, buffer, parallel, reduced, points, acc, taken)


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

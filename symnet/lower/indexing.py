"""Take and one-hot at one point: integer buffers used as indices.

What is not surely in range has a checked copy, made by a nest of its own before it is used: each index is read once, so
that another thread that writes to it meanwhile cannot slip past the check.  Vectors of them are copied and compared
without a branch; where any is out of range, the copy is looked at one by one.  Negative ones of Take are counted from
the end; one out of range becomes 0, and the call fails with INDEX_OUT_OF_RANGE, the number of the check, value and
place.  Indices of Take that are surely in range are stored (a leaf, or a buffer of their own).
Where one number is taken by each index, schedules do without the copy unless one is negative or out of range
(`schedule/fetch.py`).
"""

from __future__ import annotations

from dataclasses import replace

from symnet.errors import MissingRuleError, explain
from symnet.expr.nodes.indexing import Take
from symnet.expr.nodes.node import Node
from symnet.loops.ir import (
    INDEX_OUT_OF_RANGE,
    Alloc,
    Body,
    Buffer,
    Const,
    Fail,
    FromInt,
    If,
    IntCondition,
    IntConst,
    IntExpr,
    IntLoad,
    IntVar,
    Load,
    Store,
    Value,
    int_min,
)
from symnet.loops.signature import IndexBound
from symnet.lower.extents import lower_extent, lower_shape
from symnet.lower.nest import Check, Nest
from symnet.lower.point import INLINE, Index, Inline, NodeAt, Points, Use
from symnet.lower.state import LoweringState


def _take_points(points: Points, node: Take, index: Index) -> list[NodeAt]:
    x, indices = node.operands
    buffer = points.checked.get(use_of(node)) or points.buffer(indices)
    if buffer is None:
        raise MissingRuleError(
            explain("lower(take)", "stored indices", f"{indices}", "Store them: see symnet/lower/storage.py.")
        )
    inside = index[node.axis : node.axis + indices.rank]
    return [(x, (*index[: node.axis], IntLoad(buffer, inside), *index[node.axis + indices.rank :]))]


def _take_value(points: Points, node: Node, index: Index, values: list[Value]) -> Value:
    return points.cast(values[0], points.dtype(node))


def _one_hot_points(points: Points, node: Node, index: Index) -> list[NodeAt]:
    return [] if use_of(node) in points.checked else [(node.operands[0], index[:-1])]


def _one_hot_value(points: Points, node: Node, index: Index, values: list[Value]) -> Value:
    return points.op(
        "select", hit(points, node, index), Const(1.0, points.real), Const(0.0, points.real), dtype=points.real
    )


def hit(points: Points, node: Node, index: Index) -> Value:
    """Whether one-hot rows are 1 at an index."""
    checked = points.checked.get(use_of(node))
    wanted = points.at(node.operands[0], index[:-1]) if checked is None else points.let(Load(checked, index[:-1]))
    return points.op("eq", wanted, points.let(FromInt(index[-1], wanted.dtype)), dtype="bool")


# --------------------------------------------------------------------------- checks


def use_of(node: Node) -> Use:
    """The indices of a take or of one-hot rows, the extent that they must stay below, whether negative ones wrap."""
    if node.kind == "one_hot":
        return node.operands[0], node.shape[-1], node.wraps
    return node.operands[1], node.operands[0].shape[node.axis], True


def bound_of(use: Use) -> IndexBound:
    """What is asked of indices, with the words of an error."""
    indices, extent, wraps = use
    text = str(indices).replace("\n", " ")
    text = text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 1]}…"
    reason = "an index" if wraps else "a label"
    return IndexBound(text, lower_extent(extent), reason, wraps, lower_shape(indices.shape))


def checked_copy(state: LoweringState, use: Use, name: str) -> Buffer:
    """Room for checked indices; those that may wrap need int64, for i + n may not fit in the dtype of i."""
    indices, _, wraps = use
    known = state.stored.get(indices)
    buffer = (
        replace(known, name=name, space="workspace", view_of=None)
        if known
        else state.buffer(name, indices, "workspace")
    )
    return replace(buffer, dtype="int64") if wraps else buffer


def check_nest(state: LoweringState, use: Use, copy: Buffer, number: int, report: Buffer) -> Nest:
    """Fill the copy, and fail where an element is no index."""
    indices, extent, wraps = use
    axes = state.axes(indices)
    index: tuple[IntExpr, ...] = tuple(IntVar(axis.var) for axis in axes)
    points = state.points("v")
    came = points.at(indices, index)
    value = points.cast(came, copy.dtype)
    size = points.let(FromInt(_comparable(lower_extent(extent), copy.dtype), copy.dtype))
    if wraps:
        turned = points.op("add", value, size)
        value = points.op("select", _is_negative(points, value), turned, value, dtype=copy.dtype)
    below, above = _is_negative(points, value), points.op("ge", value, size, dtype="bool")
    suspect = points.op("or", below, above, dtype="bool")
    place: IntExpr = IntConst(0)
    for at, axis in zip(index, axes, strict=True):
        place = place * axis.extent + at
    return Nest(
        copy.name,
        axes,
        (*points.lets, Store(copy, index, value)),
        check=Check(
            suspect,
            _look(state, use, Load(copy, index), place, number, report),
            lower_extent(extent),
            _of_input(points.bound_to(came)),
        ),
    )


def _of_input(value: Value | None) -> Load | None:
    return value if isinstance(value, Load) and value.buffer.space == "input" else None


def _comparable(size: IntExpr, dtype: str) -> IntExpr:
    """The extent as the dtype of the indices can hold it: for int32 at most 2³¹ - 1, and an index that equals this is
    looked at again in int64.
    """
    return int_min(size, LARGEST_INT32) if dtype == "int32" else size


def _is_negative(points: Points, value: Value) -> Value:
    return points.op("lt", value, Const(0, value.dtype), dtype="bool")


def _look(state: LoweringState, use: Use, found: Load, place: IntExpr, number: int, report: Buffer) -> Body:
    """The statements for one index at one point: one below 0 or beyond the extent, compared in int64, makes the call
    fail, and 0 stands in its place.
    """
    size, wraps = lower_extent(use[1]), use[2]
    points = state.points("v")
    value = points.cast(points.let(found), "int64")
    below, above = _is_negative(points, value), points.op("ge", value, points.let(FromInt(size, "int64")), dtype="bool")
    side = Buffer(f"{found.buffer.name}.side", "int64", (IntConst(1),), "register")
    zero = (IntConst(0),)
    high = points.op("select", above, Const(1, side.dtype), Const(0, side.dtype), dtype=side.dtype)
    which = points.op("select", below, Const(-1, side.dtype), high, dtype=side.dtype)
    element, harmless = IntLoad(found.buffer, found.index), Store(found.buffer, found.index, Const(0, found.dtype))

    def fail(came: IntExpr) -> Body:
        return (Fail(INDEX_OUT_OF_RANGE, report, (IntConst(number), came, place)), harmless)

    return (
        *points.lets,
        Alloc(side),
        Store(side, zero, which),
        If(IntCondition("lt", IntLoad(side, zero), IntConst(0)), fail(element - size if wraps else element)),
        If(IntCondition("gt", IntLoad(side, zero), IntConst(0)), fail(element)),
    )


LARGEST_INT32 = 2**31 - 1
LONGEST_SHOWN = 80  # characters of a computed index in an error
INLINE["take"] = Inline(_take_points, _take_value)
INLINE["one_hot"] = Inline(_one_hot_points, _one_hot_value)

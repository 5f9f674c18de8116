"""Take and one-hot at one point: integer buffers used as indices.

What is not surely in range has a checked copy, made by a nest of its own before it is used: each index is read once, so
that another thread that writes to it meanwhile cannot slip past the check.  Negative ones of Take are counted from the
end; one out of range becomes 0, and the call fails with INDEX_OUT_OF_RANGE, the number of the check, value and place.
Indices of Take that are surely in range are stored (a leaf, or a buffer of their own).
"""

from __future__ import annotations

from dataclasses import replace

from symnet.errors import MissingRuleError, explain
from symnet.expr.indexing import Take
from symnet.expr.node import Node
from symnet.loops.ir import (
    INDEX_OUT_OF_RANGE,
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
    Stmt,
    Store,
    Value,
)
from symnet.loops.signature import IndexBound
from symnet.lower.extents import lower_extent, lower_shape
from symnet.lower.nest import Nest
from symnet.lower.point import INLINE, Index, Inline, Point, Points, Use
from symnet.lower.space import Space


def _take_points(points: Points, node: Take, index: Index) -> list[Point]:
    x, indices = node.operands
    buffer = points.checked.get(use_of(node)) or points.stored.get(indices)
    if buffer is None:
        raise MissingRuleError(
            explain("lower(take)", "stored indices", f"{indices}", "Store them: see symnet/lower/storage.py.")
        )
    inside = index[node.axis : node.axis + indices.rank]
    return [(x, (*index[: node.axis], IntLoad(buffer, inside), *index[node.axis + indices.rank :]))]


def _take_value(points: Points, node: Node, index: Index, values: list[Value]) -> Value:
    return points.cast(values[0], points.dtype(node))


def _one_hot_points(points: Points, node: Node, index: Index) -> list[Point]:
    return [] if use_of(node) in points.checked else [(node.operands[0], index[:-1])]


def _one_hot_value(points: Points, node: Node, index: Index, values: list[Value]) -> Value:
    checked = points.checked.get(use_of(node))
    wanted = values[0] if checked is None else points.let(Load(checked, index[:-1]))
    same = points.op("eq", wanted, points.let(FromInt(index[-1], wanted.dtype)), dtype="bool")
    return points.op("select", same, Const(1.0, points.real), Const(0.0, points.real), dtype=points.real)


# --------------------------------------------------------------------------- checks


def use_of(node: Node) -> Use:
    """The indices of a take or of one-hot rows, the extent that they must stay below, whether negative ones wrap."""
    if node.kind == "one_hot":
        return node.operands[0], node.shape[-1], node.wraps  # type: ignore[attr-defined]
    return node.operands[1], node.operands[0].shape[node.axis], True  # type: ignore[attr-defined]


def bound_of(use: Use) -> IndexBound:
    """What is asked of indices, with the words of an error."""
    indices, extent, wraps = use
    text = str(indices).replace("\n", " ")
    text = text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 1]}…"
    reason = "an index" if wraps else "a label"
    return IndexBound(text, lower_extent(extent), reason, wraps, lower_shape(indices.shape))


def checked_copy(space: Space, use: Use, name: str) -> Buffer:
    """Room for checked indices; those that may wrap need int64, for i + n may not fit in the dtype of i."""
    indices, _, wraps = use
    known = space.stored.get(indices)
    buffer = (
        replace(known, name=name, space="workspace", view_of=None)
        if known
        else space.buffer(name, indices, "workspace")
    )
    return replace(buffer, dtype="int64") if wraps else buffer


def check_nests(space: Space, use: Use, copy: Buffer, number: int, report: Buffer) -> list[Nest]:
    """Fill the copy; then a kernel that fails where an element is no index.

    Two nests, so that the copy fills vectors and is read again as it was written.
    """
    indices, extent, wraps = use
    axes = space.axes(indices)
    index: tuple[IntExpr, ...] = tuple(IntVar(axis.var) for axis in axes)
    points = space.points("v")
    value = points.cast(points.at(indices, index), copy.dtype)
    size = lower_extent(extent)
    if wraps:
        turned = points.op("add", value, points.let(FromInt(size, copy.dtype)))
        negative = points.op("lt", value, Const(0, copy.dtype), dtype="bool")
        value = points.op("select", negative, turned, value, dtype=copy.dtype)
    found, place = IntLoad(copy, index), IntConst(0) + 0
    for at, axis in zip(index, axes, strict=True):
        place = place * axis.extent + at
    harmless = Store(copy, index, Const(0, copy.dtype))
    below = Fail(INDEX_OUT_OF_RANGE, report, (IntConst(number), found - size if wraps else found, place))
    above = Fail(INDEX_OUT_OF_RANGE, report, (IntConst(number), found, place))
    checks: tuple[Stmt, ...] = (
        If(IntCondition("lt", found, IntConst(0)), (below, harmless)),
        If(IntCondition("ge", found, size), (above, harmless)),
    )
    fill = Nest(copy.name, axes, (*points.lets, Store(copy, index, value)))
    return [fill, Nest(f"{copy.name}_check", axes, checks, kernel=1)]


LONGEST_SHOWN = 80  # characters of a computed index in an error
INLINE["take"] = Inline(_take_points, _take_value)  # type: ignore[arg-type]
INLINE["one_hot"] = Inline(_one_hot_points, _one_hot_value)

"""Take and one-hot at one point: integer buffers used as indices.

The integer operand of Take is always stored (a leaf, or a buffer of its own), so that it can index.  What is not
surely in range is clamped where it is used, so that no address lies outside whatever the data are, and checked:
leaves before the call (`Signature.index_bounds`), computed indices by a nest of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from symnet.errors import MissingRuleError, explain
from symnet.expr.graph import topological
from symnet.expr.indexing import Take
from symnet.expr.node import Extent, Node
from symnet.loops.ir import (
    INDEX_OUT_OF_RANGE,
    Buffer,
    Const,
    Fail,
    FromInt,
    If,
    IntClamp,
    IntCondition,
    IntConst,
    IntExpr,
    IntLoad,
    IntVar,
    Stmt,
    Value,
)
from symnet.loops.signature import IndexCheck
from symnet.lower.extents import lower_extent, lower_shape
from symnet.lower.nest import Axis, Nest
from symnet.lower.point import INLINE, Index, Inline, Point, Points
from symnet.lower.ranges import surely_in_range


def _take_points(points: Points, node: Take, index: Index) -> list[Point]:
    x, indices = node.operands
    buffer = points.stored.get(indices)
    if buffer is None:
        raise MissingRuleError(
            explain("lower(take)", "stored indices", f"{indices}", "Store them: see symnet/lower/storage.py.")
        )
    inside = index[node.axis : node.axis + indices.rank]
    row: IntExpr = IntLoad(buffer, inside)
    if not surely_in_range(indices, x.shape[node.axis]):
        row = IntClamp(row, lower_extent(x.shape[node.axis]))
    return [(x, (*index[: node.axis], row, *index[node.axis + indices.rank :]))]


def _take_value(points: Points, node: Node, index: Index, values: list[Value]) -> Value:
    return points.cast(values[0], points.dtype(node))


def _one_hot_points(points: Points, node: Node, index: Index) -> list[Point]:
    return [(node.operands[0], index[:-1])]


def _one_hot_value(points: Points, node: Node, index: Index, values: list[Value]) -> Value:
    wanted = values[0]
    same = points.op("eq", wanted, points.let(FromInt(index[-1], wanted.dtype)), dtype="bool")
    return points.op("select", same, Const(1.0, points.real), Const(0.0, points.real), dtype=points.real)


# --------------------------------------------------------------------------- checks


def uses_of_indices(roots: Iterable[Node]) -> dict[Node, list[Extent]]:
    """Computed indices that are not surely in range, and the extents that each must stay below."""
    found: dict[Node, list[Extent]] = {}
    for node in topological(*roots):
        if node.kind not in ("take", "one_hot"):
            continue
        indices = node.operands[-1]
        extent = node.shape[-1] if node.kind == "one_hot" else node.operands[0].shape[node.axis]  # type: ignore[attr-defined]
        if indices.kind != "tensor" and not surely_in_range(indices, extent):
            found.setdefault(indices, [])
            if extent not in found[indices]:
                found[indices].append(extent)
    return found


def index_check(indices: Node, extent: Extent) -> IndexCheck:
    text = str(indices).replace("\n", " ")
    text = text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 1]}…"
    return IndexCheck(text, lower_extent(extent), lower_shape(indices.shape))


def check_nest(number: int, check: IndexCheck, buffer: Buffer, axes: Sequence[Axis], report: Buffer) -> Nest:
    """Fail where an element of `buffer` is no index: a kernel of two comparisons.  It reports which check it is, the
    value, and its place in row-major order.
    """
    index = tuple(IntVar(axis.var) for axis in axes)
    value, place = IntLoad(buffer, index), IntConst(0) + 0
    for at, extent in zip(index, check.shape, strict=True):
        place = place * extent + at
    fail = Fail(INDEX_OUT_OF_RANGE, report, (IntConst(number), value, place))
    body: tuple[Stmt, ...] = (
        If(IntCondition("lt", value, IntConst(0)), (fail,)),
        If(IntCondition("ge", value, check.extent), (fail,)),
    )
    return Nest(f"{buffer.name}_check{number}", tuple(axes), body, kernel=1)


LONGEST_SHOWN = 80  # characters of a computed index in an error
INLINE["take"] = Inline(_take_points, _take_value)  # type: ignore[arg-type]
INLINE["one_hot"] = Inline(_one_hot_points, _one_hot_value)

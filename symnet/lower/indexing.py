"""Take and one-hot at one point: integer buffers used as indices.

The integer operand of Take is always stored (a leaf, or a buffer of its own), so that it can index.
"""

from __future__ import annotations

from symnet.errors import MissingRuleError, explain
from symnet.expr.indexing import Take
from symnet.expr.node import Node
from symnet.loops.ir import Const, FromInt, IntLoad, Value
from symnet.lower.point import INLINE, Index, Inline, Point, Points


def _take_points(points: Points, node: Take, index: Index) -> list[Point]:
    x, indices = node.operands
    buffer = points.stored.get(indices)
    if buffer is None:
        raise MissingRuleError(
            explain("lower(take)", "stored indices", f"{indices}", "Store them: see symnet/lower/storage.py.")
        )
    inside = index[node.axis : node.axis + indices.rank]
    row = IntLoad(buffer, inside)
    return [(x, (*index[: node.axis], row, *index[node.axis + indices.rank :]))]


def _take_value(points: Points, node: Node, index: Index, values: list[Value]) -> Value:
    return points.cast(values[0], points.dtype(node))


def _one_hot_points(points: Points, node: Node, index: Index) -> list[Point]:
    return [(node.operands[0], index[:-1])]


def _one_hot_value(points: Points, node: Node, index: Index, values: list[Value]) -> Value:
    wanted = values[0]
    same = points.op("eq", wanted, points.let(FromInt(index[-1], wanted.dtype)), dtype="bool")
    return points.op("select", same, Const(1.0, points.real), Const(0.0, points.real), dtype=points.real)


INLINE["take"] = Inline(_take_points, _take_value)  # type: ignore[arg-type]
INLINE["one_hot"] = Inline(_one_hot_points, _one_hot_value)

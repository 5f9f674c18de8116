"""Constants at one point: numbers, extents, the identity's elements, index ramps."""

from __future__ import annotations

from symnet.expr.nodes.node import Node
from symnet.loops.ir import Const, FromInt, Value
from symnet.lower.extents import lower_extent
from symnet.lower.point import INLINE, Index, Inline, NodeAt, Points


def _nothing(points: Points, node: Node, index: Index) -> list[NodeAt]:
    return []


def _number(points: Points, node: Node, index: Index, values: list[Value]) -> Value:
    value = node.args[0]
    # A long whole number stays what it is until it is known what it stands beside.
    exact = bool(value.is_Integer) and _EXACT < abs(value) < _INFINITE
    return Const(int(value) if exact else float(value), points.real)


_EXACT = 2**53  # whole numbers up to here are what they are in float64
_INFINITE = 2**1024 - 2**970  # and from here on they are infinite: half a unit above the largest float64


def _size(points: Points, node: Node, index: Index, values: list[Value]) -> Value:
    """The extent in float64, which holds every count there is: whoever reads it in float32 rounds it, or divides by it
    first.
    """
    return points.let(FromInt(lower_extent(node.args[0]), "float64"))


def _delta(points: Points, node: Node, index: Index, values: list[Value]) -> Value:
    row, column = (points.let(FromInt(i, "int64")) for i in index)
    same = points.op("eq", row, column, dtype="bool")
    return points.op("select", same, Const(1.0, points.real), Const(0.0, points.real), dtype=points.real)


def _iota(points: Points, node: Node, index: Index, values: list[Value]) -> Value:
    return points.let(FromInt(index[0], "int64"))


INLINE["number"] = Inline(_nothing, _number)
INLINE["size"] = Inline(_nothing, _size)
INLINE["delta"] = Inline(_nothing, _delta)
INLINE["iota"] = Inline(_nothing, _iota)

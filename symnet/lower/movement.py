"""Movement: operands read through an affine map, and the nests of what must be stored (Place, Concat).

A Reshape is a view of its operand's buffer (`lower/program.py`).
"""

from __future__ import annotations

from symnet.expr.nodes.expansion import Expand
from symnet.expr.nodes.movement import Concat, Place, Slice
from symnet.expr.nodes.node import Node
from symnet.loops.ir import Buffer, Const, IntConst, IntExpr, IntVar, Store, Value
from symnet.lower.extents import lower_extent
from symnet.lower.nest import Axis, Nest
from symnet.lower.point import INLINE, Index, Inline, NodeAt, Points


def _operand_value(points: Points, node: Node, index: Index, values: list[Value]) -> Value:
    return points.cast(values[0], points.dtype(node))


def _expand(points: Points, node: Expand, index: Index) -> list[NodeAt]:
    return [(node.operands[0], tuple(index[a] for a in node.axes))]


def _slice(points: Points, node: Slice, index: Index) -> list[NodeAt]:
    at = (lower_extent(start) + i * step for start, step, i in zip(node.starts, node.steps, index, strict=True))
    return [(node.operands[0], tuple(at))]


def _transparent(points: Points, node: Node, index: Index) -> list[NodeAt]:
    return [(node.operands[0], index)]


INLINE["expand"] = Inline(_expand, _operand_value)
INLINE["slice"] = Inline(_slice, _operand_value)
INLINE["named"] = Inline(_transparent, _operand_value)
INLINE["barrier"] = Inline(_transparent, _operand_value)
INLINE["sealed"] = Inline(_transparent, _operand_value)


def place_nests(
    node: Place, target: Buffer, points: Points, axes: tuple[Axis, ...], inner: tuple[Axis, ...]
) -> list[Nest]:
    """Zeros around the operand's elements, then these at start + i·step.

    `axes` run over the result, `inner` over the operand.
    """
    zero = Const(False if target.dtype == "bool" else 0.0 if target.dtype.startswith("float") else 0, target.dtype)
    index = tuple(IntVar(a.var) for a in inner)
    starts = [lower_extent(start) for start in node.starts]
    at = tuple(start + i * step for start, step, i in zip(starts, node.steps, index, strict=True))
    clear = [
        Nest(f"{target.name}_zero{number or ''}", box, (Store(target, corner, zero),))
        for number, (box, corner) in enumerate(_margins(node, axes, inner))
    ]
    (x,) = node.operands
    value = points.cast(points.at(x, index), target.dtype)
    return [*clear, Nest(target.name, inner, (*points.lets, Store(target, at, value)))]


def _margins(node: Place, axes: tuple[Axis, ...], inner: tuple[Axis, ...]) -> list[tuple[tuple[Axis, ...], Index]]:
    """What of the result is cleared, as boxes: the loops of each, and the index that they store to.

    Where one axis grows by known numbers, those before and those behind the operand.  Everything where a margin would
    interrupt each row, where rows lie apart (a step), and of a batch, or where an extent is symbolic.
    """
    everywhere = (axes, tuple(IntVar(a.var) for a in axes))
    grown = [a for a in range(node.rank) if inner[a].extent != axes[a].extent or node.steps[a] != 1]
    if len(grown) != 1 or 0 < grown[0] == node.rank - 1:
        return [everywhere]
    (a,) = grown
    count, total, start = inner[a].constant, axes[a].constant, node.starts[a]
    if axes[a].batch or node.steps[a] != 1 or count is None or total is None or not isinstance(start, int):
        return [everywhere]
    boxes = []
    for first, extent in ((0, start), (start + count, total - start - count)):
        if extent:
            box = (*axes[:a], Axis(axes[a].var, IntConst(extent)), *axes[a + 1 :])
            index = tuple(IntVar(axis.var) + first if k == a else IntVar(axis.var) for k, axis in enumerate(box))
            boxes.append((box, index))
    return boxes


def concat_nest(node: Concat, number: int, target: Buffer, points: Points, axes: tuple[Axis, ...]) -> Nest:
    """One operand of a concatenation, stored at its offset; `axes` run over that operand."""
    x = node.operands[number]
    index: tuple[IntExpr, ...] = tuple(IntVar(a.var) for a in axes)
    shift = lower_extent(node.offsets[number])
    at = tuple(i + shift if a == node.axis else i for a, i in enumerate(index))
    value = points.cast(points.at(x, index), target.dtype)
    return Nest(f"{target.name}_{number}", axes, (*points.lets, Store(target, at, value)))

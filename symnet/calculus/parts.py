"""Parts of a variable: x[2], W[j, k], X[1:], by which a derivative is the same part of the derivative by the whole.

In: what a user differentiates by.  Out: the variable that it is a part of, and where in it; a derivative's part; what
a tangent of the part is as one of the whole.
A part is made by slicing, by integer scalars as indices and by transposition.  A value with a name is one of its own,
and so is what is taken by arrays of indices or reshaped: by these one differentiates as by any intermediate value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from symnet.expr.nodes.contraction import Einsum, transpose
from symnet.expr.nodes.elementwise import elementwise
from symnet.expr.nodes.expansion import expand, keep_axes
from symnet.expr.nodes.extents import ints_arg, same_extent, shape_arg
from symnet.expr.nodes.graph import consumers, topological
from symnet.expr.nodes.indexing import Take, sliced, take, taken_rows
from symnet.expr.nodes.movement import Place, Slice
from symnet.expr.nodes.node import Extent, Node


@dataclass(frozen=True)
class PartWindow:
    """PartPositions start, start + step, … along an axis, which are axis `of` of the part."""

    of: int
    start: Extent
    size: Extent
    step: int


PartPosition = int | Node | PartWindow  # along one axis of the whole


@dataclass(frozen=True)
class VariablePart:
    """A part of a variable: for each axis of the whole a position, or a window.

    Attributes:
        whole: the variable.
        part: as the user gave it.
        at: one entry for each axis of the whole.
    """

    whole: Node
    part: Node
    at: tuple[PartPosition, ...]

    def of(self, result: Node, leading: int = 0) -> Node:
        """The same part of an array that has the axes of the whole behind some others."""
        gone = leading
        for position in self.at:
            if isinstance(position, Node):
                result = take(result, position, gone)
            else:
                gone += 1
        left = [position for position in self.at if not isinstance(position, Node)]
        windows = [position for position in left if isinstance(position, PartWindow)]
        starts, sizes, steps = ([_each(p)[k] for p in left] for k in range(3))
        front = result.shape[:leading]
        window = Slice(
            result,
            shape_arg((*(0 for _ in front), *starts)),
            shape_arg((*front, *sizes)),
            ints_arg((*(1 for _ in front), *steps)),
        )
        kept = [slice(None) if isinstance(p, PartWindow) else 0 for p in left]
        found = sliced(window, [*(slice(None) for _ in front), *kept])
        order = [leading + k for k in sorted(range(len(windows)), key=lambda k: windows[k].of)]
        return transpose(found, *range(leading), *order) if order != sorted(order) else found

    def tangent(self, v: Node) -> Node:
        """A tangent of the part as one of the whole, zero elsewhere."""
        windows = [p for p in self.at if isinstance(p, PartWindow)]
        v = transpose(v, *(w.of for w in windows)) if [w.of for w in windows] != list(range(v.rank)) else v
        fixed = tuple(k for k, p in enumerate(p for p in self.at if not isinstance(p, Node)) if isinstance(p, int))
        left = [(p, n) for p, n in zip(self.at, self.whole.shape, strict=True) if not isinstance(p, Node)]
        shape = shape_arg(tuple(n for _, n in left))
        starts, steps = shape_arg(tuple(_each(p)[0] for p, _ in left)), ints_arg(tuple(_each(p)[2] for p, _ in left))
        placed: Node = Place(keep_axes(v, fixed) if fixed else v, shape, starts, steps) if left else v
        for axis, position in enumerate(self.at):
            if isinstance(position, Node):
                placed = _spread(placed, position, axis, self.whole.shape[axis])
        return placed


def _each(position: Any) -> tuple[Extent, Extent, int]:
    """(start, size, step) of a window or of one position."""
    return (position.start, position.size, position.step) if isinstance(position, PartWindow) else (position, 1, 1)


def _spread(v: Node, index: Node, axis: int, extent: Extent) -> Node:
    """v at an index of a new axis, zeros elsewhere."""
    row = taken_rows(index, extent)
    shape = (*v.shape[:axis], extent, *v.shape[axis:])
    axes = tuple(a for a in range(len(shape)) if a != axis)
    return elementwise("mul", expand(v, shape, axes), expand(row, shape, (axis,)))


# --------------------------------------------------------------------------- reading


def part_of(target: Node, inside: set[Node]) -> VariablePart | None:
    """What a target is a part of: the value under its slices, where that stands in an expression; None for others.

    Args:
        target: without names around it.
        inside: the nodes of the expression.
    """
    node, at = target, tuple(PartWindow(k, 0, n, 1) for k, n in enumerate(target.shape))
    chosen = False
    while (step := _STEPS.get(node.kind)) is not None:
        below = step(node, at)
        if below is None:
            break
        chosen = chosen or node.kind != "einsum" or node.rank < node.operands[0].rank
        node, at = node.operands[0], below
    return VariablePart(node, target, at) if chosen and (node in inside or not node.operands) else None


PartPositions = tuple[Any, ...]


def _through_slice(node: Node, at: PartPositions) -> PartPositions | None:
    assert isinstance(node, Slice)
    found: list[PartPosition] = []
    for position, start, step, size, whole in zip(
        at, node.starts, node.steps, node.shape, node.operands[0].shape, strict=True
    ):
        if isinstance(position, PartWindow):
            found.append(PartWindow(position.of, start + step * position.start, position.size, step * position.step))
        elif isinstance(position, int):
            found.append(start + step * position)
        elif start == 0 and step == 1 and same_extent(size, whole):
            found.append(position)
        else:
            return None
    return tuple(found)


def _through_transposition(node: Node, at: PartPositions) -> PartPositions | None:
    """Axes in another order, and axes of extent 1 that were dropped."""
    assert isinstance(node, Einsum)
    (indices, *others), place = node.inputs, {i: k for k, i in enumerate(node.output)}
    gone = [n for i, n in zip(indices, node.operands[0].shape, strict=True) if i not in place]
    if others or len(set(indices)) < len(indices) or not all(same_extent(n, 1) for n in gone):
        return None
    return tuple(at[place[i]] if i in place else 0 for i in indices)


def _through_take(node: Node, at: PartPositions) -> PartPositions | None:
    assert isinstance(node, Take)
    index = node.operands[1]
    return None if index.rank else (*at[: node.axis], index, *at[node.axis :])


_STEPS: dict[str, Callable[[Node, PartPositions], PartPositions | None]] = {
    "slice": _through_slice,
    "einsum": _through_transposition,
    "take": _through_take,
}


# --------------------------------------------------------------------------- what is never read


def is_read(part: VariablePart, roots: Iterable[Node]) -> bool:
    """Whether an expression reads any element of a part, as far as the windows of its slices tell."""
    users = consumers(*roots).get(part.whole, [])
    return part.whole in set(roots) or any(_meets(part, user) for user in users)


def is_read_alone(part: VariablePart, roots: Iterable[Node]) -> bool:
    """Whether an expression has a part as it was given, and nothing else of it reads any of its elements."""
    roots = list(roots)
    inside = set(topological(*roots))
    if part.part not in inside or part.whole in roots:
        return False
    own = set(topological(part.part))
    others = [user for user in consumers(*roots).get(part.whole, []) if user not in own]
    return not any(_meets(part, user) for user in others)


def _meets(part: VariablePart, user: Node) -> bool:
    if not isinstance(user, Slice):
        return True
    spans = zip(part.at, user.starts, user.shape, user.steps, strict=True)
    return all(_may_meet(position, start, size, step) for position, *of in spans for start, size, step in [of])


def _may_meet(position: PartPosition, start: Extent, size: Extent, step: int) -> bool:
    first, count, pace = _each(position) if not isinstance(position, Node) else (position, 1, 1)
    if not all(isinstance(n, int) for n in (first, count, start, size)):
        return True
    return not set(range(first, first + pace * count, pace)).isdisjoint(range(start, start + step * size, step))

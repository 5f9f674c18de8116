"""Which axes are "the same m": the identity of axes, found by following the graph.

In: the roots.  Out: a class for every (node, axis); `batches.py` chooses those that are streamed.
Two axes are one when an operation runs over both with the same index, or one that is a few places further: the rows of
x[1:] are those of x.  Equal extents alone say nothing, so the two axes of X Xᵀ fall together only because both are X's
rows, and that is what makes the product batch-global.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import sympy

from symnet.expr.nodes.extents import difference, same_extent
from symnet.expr.nodes.graph import topological
from symnet.expr.nodes.node import Extent, Node

NodeAxis = tuple[Node, int]


class AxisClasses:
    """A union-find over (node, axis)."""

    def __init__(self, roots: Iterable[Node]) -> None:
        self._parent: dict[NodeAxis, NodeAxis] = {}
        self.order = topological(*roots)
        for node in self.order:
            for mine, theirs in links_of(node):
                self.join((node, mine), theirs)
            if node.kind == "einsum":
                for one, other in _einsum_operands(node):
                    self.join(one, other)

    def find(self, place: NodeAxis) -> NodeAxis:
        parent = self._parent
        up = parent.get(place)
        if up is None:
            return place
        root = up
        while (further := parent.get(root)) is not None:
            root = further
        while up is not root:
            parent[place] = root
            place, up = up, parent[up]
        return root

    def join(self, a: NodeAxis, b: NodeAxis) -> NodeAxis:
        """Make two classes one; the place that stands for it."""
        root, other = self.find(a), self.find(b)
        if root != other:
            self._parent[other] = root
        return root


AxisLinks = list[tuple[int, NodeAxis]]


def _no_links(node: Node) -> AxisLinks:
    return []


def _elementwise(node: Node) -> AxisLinks:
    links: AxisLinks = []
    for operand in node.operands:
        shift = node.rank - operand.rank
        links += [
            (shift + a, (operand, a))
            for a in range(operand.rank)
            if same_extent(operand.shape[a], node.shape[shift + a])
        ]
    return links


def _einsum(node: Node) -> AxisLinks:
    links: AxisLinks = []
    first: dict[int, NodeAxis] = {}
    for indices, operand in zip(node.inputs, node.operands, strict=True):
        for axis, index in enumerate(indices):
            first.setdefault(index, (operand, axis))
    for position, index in enumerate(node.output):
        links.append((position, first[index]))
    return links


def _einsum_operands(node: Node) -> list[tuple[NodeAxis, NodeAxis]]:
    """Axes of different operands that one contracted index runs over."""
    first: dict[int, NodeAxis] = {}
    links = []
    for indices, operand in zip(node.inputs, node.operands, strict=True):
        for axis, index in enumerate(indices):
            links.append((first.setdefault(index, (operand, axis)), (operand, axis)))
    return links


def _expand(node: Node) -> AxisLinks:
    (x,) = node.operands
    return [(place, (x, axis)) for axis, place in enumerate(node.axes)]


def _reduce(node: Node) -> AxisLinks:
    (x,) = node.operands
    kept = [a for a in range(x.rank) if a not in node.axes]
    return [(position, (x, a)) for position, a in enumerate(kept)]


MOST_SHIFT = 16  # places by which an axis may be moved and still be the same


def _shifted_axes(node: Node) -> AxisLinks:
    """Slice, Place: an axis taken whole, or but for a few places at its ends, keeps its identity."""
    (x,) = node.operands
    return [
        (a, (x, a))
        for a, (start, step) in enumerate(zip(node.starts, node.steps, strict=True))
        if step == 1 and _is_few(start) and _is_few(difference(node.shape[a], x.shape[a]))
    ]


def _is_few(places: Extent) -> bool:
    places = sympy.expand(places)
    return bool(places.is_Integer) and abs(int(places)) <= MOST_SHIFT


def _concat(node: Node) -> AxisLinks:
    return [(a, (x, a)) for x in node.operands for a in range(node.rank) if a != node.axis]


def _take(node: Node) -> AxisLinks:
    x, indices = node.operands
    axis = node.axis
    before = [(a, (x, a)) for a in range(axis)]
    inside = [(axis + a, (indices, a)) for a in range(indices.rank)]
    after = [(a + indices.rank - 1, (x, a)) for a in range(axis + 1, x.rank)]
    return before + inside + after


def _one_hot(node: Node) -> AxisLinks:
    (indices,) = node.operands
    return [(a, (indices, a)) for a in range(indices.rank)]


def _reshape(node: Node) -> AxisLinks:
    """The leading axes that both shapes have keep their identity."""
    (x,) = node.operands
    links: AxisLinks = []
    for a, (mine, theirs) in enumerate(zip(node.shape, x.shape, strict=False)):
        if not same_extent(mine, theirs):
            break
        links.append((a, (x, a)))
    return links


def _same(node: Node) -> AxisLinks:
    return [(a, (node.operands[0], a)) for a in range(node.rank)]


def _all_same(node: Node) -> AxisLinks:
    return [(a, (operand, a)) for operand in node.operands for a in range(node.rank)]


def _solve(node: Node) -> AxisLinks:
    """The axes of the stack are those of both operands; the rows are the columns of the matrix, the columns those of
    the right-hand side.
    """
    matrix, right = node.operands
    stack, columns = node.stack, node.columns
    links = [(a, (operand, a)) for operand in (matrix, right) for a in stack]
    return [*links, (len(stack), (matrix, len(stack) + 1)), *((a, (right, a)) for a in columns)]


def _determinant(node: Node) -> AxisLinks:
    return [(a, (node.operands[0], a)) for a in range(node.rank)]


_LINKS: dict[str, Callable[[Node], AxisLinks]] = {
    "elementwise": _elementwise,
    "einsum": _einsum,
    "expand": _expand,
    "reduce": _reduce,
    "slice": _shifted_axes,
    "place": _shifted_axes,
    "concat": _concat,
    "take": _take,
    "one_hot": _one_hot,
    "reshape": _reshape,
    "solve": _solve,
    "determinant": _determinant,
    "cumsum": _same,
    "cumprod": _same,
    "linear_recurrence": _all_same,
    "running_logsumexp": _same,
    "scaled_sum": _all_same,
    "named": _same,
    "barrier": _same,
    "sealed": _same,
    "abstract": _no_links,
}


def links_of(node: Node) -> AxisLinks:
    """The axes of a node that are those of an operand: (axis, (operand, its axis))."""
    return _LINKS.get(node.kind, _no_links)(node)


def axis_classes(roots: Iterable[Node]) -> AxisClasses:
    """The identity of every axis under `roots`."""
    return AxisClasses(roots)

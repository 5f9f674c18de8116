"""One element of a formula, as a formula of elements: (2·outer(W x, x))[1, 2] becomes 2·(W[1] x)·x[2].

In: a node, and what is chosen of it: a position for each axis, or the whole axis.  Out: a node of the axes that are
left.  A choice goes down through what computes element by element, through contractions (whose operands are chosen
from) and through movement; it stops at leaves, at values with a name and at what mixes elements.
Positions are integers, or integer scalars (then it stops where arithmetic with a negative one would be wrong).
Nothing is simplified here.  Nothing recurses by depth, and every choice of a node is made once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import sympy

from symnet.expr.facts.softmax import softmax_axes
from symnet.expr.nodes.constants import number
from symnet.expr.nodes.contraction import Einsum, contract
from symnet.expr.nodes.elementwise import elementwise
from symnet.expr.nodes.expansion import Expand, expand, fill
from symnet.expr.nodes.extents import ints_arg, same_extent, shape_arg
from symnet.expr.nodes.indexing import Take, sliced, take
from symnet.expr.nodes.movement import Concat, Place, Slice
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.reduction import Reduce

ElementChoice = tuple[int | Node | None, ...]  # a position for each axis; None: the whole axis
MadeParts = Sequence[Node]
ElementPlan = tuple[
    list[tuple[Node, ElementChoice]], Callable[[MadeParts], Node]
]  # what is needed first, and what is made of it


def element(node: Node, choice: ElementChoice | None = None) -> Node:
    """The chosen part of a node, computed from parts of what the node is computed from.

    Args:
        node: any shape.
        choice: a position for each axis, or None for the whole axis; without it all of the node, in which what was
            chosen before is taken as far down.
    """
    start = (node, (None,) * node.rank if choice is None else choice)
    plans: dict[tuple[Node, ElementChoice], ElementPlan] = {}
    done: dict[tuple[Node, ElementChoice], Node] = {}
    stack = [start]
    while stack:
        key = stack[-1]
        if key in done:
            stack.pop()
            continue
        if key not in plans:
            plans[key] = _RULES.get(key[0].kind, _as_it_is)(*key) or _as_it_is(*key)
        needs, make = plans[key]
        waiting = [need for need in needs if need not in done]
        stack.extend(waiting)
        if not waiting:
            done[key] = make([done[need] for need in needs])
    return done[start]


def chosen(node: Node, choice: ElementChoice) -> Node:
    """The part as NumPy's indexing writes it."""
    gone = 0
    for axis, position in enumerate(choice):
        if isinstance(position, Node):
            node, gone = take(node, position, axis - gone), gone + 1
    left = [k for k in choice if not isinstance(k, Node)]
    return sliced(node, [slice(None) if k is None else k for k in left]) if any(k is not None for k in left) else node


def _as_it_is(node: Node, choice: ElementChoice) -> ElementPlan:
    return [], lambda made: chosen(node, choice)


def _whole(choice: ElementChoice) -> bool:
    return all(k is None for k in choice)


def _kept(choice: ElementChoice) -> list[int]:
    return [a for a, k in enumerate(choice) if k is None]


def _elementwise(node: Node, choice: ElementChoice) -> ElementPlan | None:
    """Of every operand the same elements; what broadcasts along an axis is chosen at 0."""
    if softmax_axes(node):
        return None
    needs = []
    for operand in node.operands:
        first = node.rank - operand.rank
        stretched = [n == 1 and node.shape[first + a] != 1 for a, n in enumerate(operand.shape)]
        own = choice[first:]
        needs.append((operand, tuple(0 if k is not None and s else k for k, s in zip(own, stretched, strict=True))))
    statics = [a for a in node.args if not isinstance(a, Node)]
    return needs, lambda made: node.func(*statics, *made)


def _abstract(node: Any, choice: ElementChoice) -> ElementPlan | None:
    return _elementwise(node, choice) if node.is_elementwise else None


def _einsum(node: Node, choice: ElementChoice) -> ElementPlan | None:
    """Σ over the same indices, the chosen ones gone from every operand; so are those of extent 1 that were summed."""
    assert isinstance(node, Einsum)
    fixed: dict[int, int | Node] = {i: k for i, k in zip(node.output, choice, strict=True) if k is not None}
    extents = node.extents
    fixed |= {i: 0 for i in node.contracted if extents[i] == 1}
    if not fixed and not node.is_transpose:
        return None
    needs = [(o, tuple(fixed.get(i) for i in ix)) for o, ix in zip(node.operands, node.inputs, strict=True)]
    inputs = [[i for i in ix if i not in fixed] for ix in node.inputs]
    output = [i for i in node.output if i not in fixed]
    return needs, lambda made: _contracted(inputs, output, made)


def _contracted(inputs: list[list[int]], output: list[int], factors: MadeParts) -> Node:
    """The contraction, its scalars in front; what is summed with a unit vector is chosen there."""
    scalars = [x for x in factors if not x.rank]
    arrays = [(ix, x) for ix, x in zip(inputs, factors, strict=True) if x.rank]
    inner = [] if not arrays else [_product(arrays, output)]
    parts = [*scalars, *inner]
    return parts[0] if len(parts) == 1 else elementwise("mul", *parts)


def _product(arrays: list[tuple[list[int], Node]], output: list[int]) -> Node:
    if len(arrays) == 1 and arrays[0][0] == output:
        return arrays[0][1]
    return contract([ix for ix, _ in arrays], output, *(x for _, x in arrays))


def _expand(node: Node, choice: ElementChoice) -> ElementPlan:
    assert isinstance(node, Expand)
    (x,), left = node.operands, _kept(choice)
    axes = tuple(left.index(a) for a in node.axes if choice[a] is None)
    shape = tuple(node.shape[a] for a in left)
    return [(x, tuple(choice[a] for a in node.axes))], lambda made: expand(made[0], shape, axes)


def _reduce(node: Node, choice: ElementChoice) -> ElementPlan | None:
    """The reduction of the same rows."""
    assert isinstance(node, Reduce)
    if _whole(choice):
        return None
    (x,) = node.operands
    supply = iter(choice)
    below = tuple(None if a in node.axes else next(supply) for a in range(x.rank))
    left = _kept(below)
    axes = ints_arg(tuple(left.index(a) for a in node.axes))
    return [(x, below)], lambda made: Reduce(node.args[0], made[0], axes)


def _slice(node: Node, choice: ElementChoice) -> ElementPlan | None:
    assert isinstance(node, Slice)
    (x,) = node.operands
    below: list[int | Node | None] = []
    for axis, k in enumerate(choice):
        start, step = node.starts[axis], node.steps[axis]
        if isinstance(k, Node) and not (start == 0 and step == 1 and same_extent(node.shape[axis], x.shape[axis])):
            return None
        position = start + step * (k + node.shape[axis] if k < 0 else k) if isinstance(k, int) else k
        if position is not None and not isinstance(position, (int, Node)):
            return None  # from the end of a symbolic extent
        below.append(position)
    left = _kept(choice)
    starts, sizes = (shape_arg(tuple(of[a] for a in left)) for of in (node.starts, node.shape))
    steps = ints_arg(tuple(node.steps[a] for a in left))
    whole = all(node.starts[a] == 0 and node.steps[a] == 1 and same_extent(node.shape[a], x.shape[a]) for a in left)
    return [(x, tuple(below))], lambda made: made[0] if whole else Slice(made[0], starts, sizes, steps)


def _place(node: Node, choice: ElementChoice) -> ElementPlan | None:
    """The operand's element where one was laid, 0 elsewhere."""
    assert isinstance(node, Place)
    (x,) = node.operands
    below: list[int | None] = []
    for k, start, step, n, size in zip(choice, node.starts, node.steps, x.shape, node.shape, strict=True):
        if k is None:
            below.append(None)
            continue
        if not all(isinstance(each, int) for each in (k, start, n, size)):
            return None
        position, rest = divmod((k % size) - start, step)
        if rest or not 0 <= position < n:
            return _zeros(node, choice)
        below.append(position)
    left = _kept(choice)
    shape, starts = (shape_arg(tuple(of[a] for a in left)) for of in (node.shape, node.starts))
    steps = ints_arg(tuple(node.steps[a] for a in left))
    return [(x, tuple(below))], lambda made: Place(made[0], shape, starts, steps) if left else made[0]


def _zeros(node: Node, choice: ElementChoice) -> ElementPlan:
    zeros = fill(0, tuple(node.shape[a] for a in _kept(choice)))
    return [], lambda made: zeros


def _concat(node: Node, choice: ElementChoice) -> ElementPlan | None:
    """Of the array that holds the position; of all of them where their axis is kept."""
    assert isinstance(node, Concat)
    position = choice[node.axis]
    if position is None:
        axis = sympy.Integer(sum(choice[a] is None for a in range(node.axis)))
        return [(x, choice) for x in node.operands], lambda made: Concat(axis, *made)
    if not isinstance(position, int):
        return None
    position += node.shape[node.axis] if position < 0 else 0
    for x in node.operands:
        extent = x.shape[node.axis]
        if not isinstance(extent, int) or not isinstance(position, int):
            return None
        if position < extent:
            return [(x, (*choice[: node.axis], position, *choice[node.axis + 1 :]))], lambda made: made[0]
        position -= extent
    return None


def _take(node: Node, choice: ElementChoice) -> ElementPlan | None:
    """One index: the choice goes on with it; of several the rows are chosen, not the places."""
    assert isinstance(node, Take)
    x, index = node.operands
    end = node.axis + index.rank
    before, places, behind = choice[: node.axis], choice[node.axis : end], choice[end:]
    if not index.rank:
        return [(x, (*before, index, *behind))], lambda made: made[0]
    if not _whole(places) or _whole(choice):
        return None
    axis = sympy.Integer(sum(k is None for k in before))
    return [(x, (*before, None, *behind))], lambda made: Take(made[0], index, axis)


def _one_hot(node: Any, choice: ElementChoice) -> ElementPlan | None:
    """1 at the index itself."""
    (index,) = node.operands
    return ([], lambda made: number(1)) if node.rank == 1 and choice[0] is index else None


def _delta(node: Any, choice: ElementChoice) -> ElementPlan | None:
    """1 on the diagonal and 0 beside it, where both positions are known."""
    row, column = choice
    if isinstance(row, int) and isinstance(column, int) and isinstance(node.extent, int):
        found = number(int(row % node.extent == column % node.extent))
        return [], lambda made: found
    if isinstance(row, Node) and row is column:
        return [], lambda made: number(1)
    return None


_RULES: dict[str, Callable[[Any, ElementChoice], ElementPlan | None]] = {
    "elementwise": _elementwise,
    "abstract": _abstract,
    "einsum": _einsum,
    "expand": _expand,
    "reduce": _reduce,
    "slice": _slice,
    "place": _place,
    "concat": _concat,
    "take": _take,
    "delta": _delta,
    "one_hot": _one_hot,
}

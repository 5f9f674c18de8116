"""A formula read along tied axes: out[i, j] = x[i, j, i] for the labels (i, j, i), without building x.

In: a node and a label for each of its axes.  Out: a node with an axis for each distinct label, in the order in which
they first stand.

Method: from the root down, each kind of node says which labels the axes of its operands have; from the leaves up, it is
built again of what these became.  A delta becomes ones, so that nothing as large as x is left where x was made of
deltas.  Where a kind has no rule, or acts along a tied axis, the diagonal of the node itself is taken.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sympy import Integer

from symnet.calculus.ties import Ties, equal_indices, first_places, is_tied, numbered, reshape_axes, take_axes, ties_of
from symnet.expr.nodes.contraction import Einsum, Indices, contract
from symnet.expr.nodes.cumulative import CumulativeSum, cumulate
from symnet.expr.nodes.expansion import Expand, expand, fill
from symnet.expr.nodes.extents import ints_arg, same_extent, shape_arg
from symnet.expr.nodes.graph import with_operands
from symnet.expr.nodes.indexing import Take
from symnet.expr.nodes.linalg import Solve
from symnet.expr.nodes.movement import Concat, Place, Reshape, Slice, drop_axes, reshape
from symnet.expr.nodes.node import Extent, Node, Shape
from symnet.expr.nodes.recurrence import CumulativeProduct, LinearRecurrence


@dataclass(frozen=True)
class Reading:
    """A node and a label for each of its axes.

    Attributes:
        axes: the first axis of each label.
        shape: of the node along its labels.
    """

    node: Node
    labels: Indices

    @property
    def axes(self) -> list[int]:
        return [self.labels.index(label) for label in distinct(self.labels)]

    @property
    def shape(self) -> Shape:
        return tuple(self.node.shape[a] for a in self.axes)

    def along(self, values: Sequence[Extent]) -> tuple[Extent, ...]:
        """Of values for the node's axes those of the first axis of each label."""
        return tuple(values[a] for a in self.axes)

    def is_alone(self, axis: int) -> bool:
        """Whether no other axis has the label of this one."""
        return self.labels.count(self.labels[axis]) == 1


Built = Callable[[list[Node]], Node]
Plan = tuple[list[Reading], Built]  # what is read of the operands, and the node made of it
KnownTies = dict[Node, Ties]


def distinct(labels: Sequence[int]) -> Indices:
    """Each label once, in order."""
    return tuple(dict.fromkeys(labels))


def laid_along(node: Node, indices: Indices, onto: Indices, shape: Sequence[Extent]) -> Node:
    """A factor with the axes `onto`: its own in that order, the others repeated."""
    order = tuple(i for i in onto if i in indices)
    turned = node if order == indices else contract([indices], order, node)
    return expand(turned, tuple(shape), tuple(onto.index(i) for i in order))


def read_along(node: Node, labels: Sequence[int], known: KnownTies) -> Node:
    """The node along its labels; `known` holds the ties found so far."""
    root = Reading(node, numbered(labels))
    made: dict[Reading, Node] = {}
    plans: dict[Reading, Plan] = {}
    waiting = [root]
    while waiting:
        reading = waiting[-1]
        if reading not in plans:
            plans[reading] = _plan(reading, known)
        parts, build = plans[reading]
        missing = [part for part in parts if part not in made]
        if missing:
            waiting += missing
            continue
        waiting.pop()
        if reading not in made:
            made[reading] = build([made[part] for part in parts])
    return made[root]


def _plan(reading: Reading, known: KnownTies) -> Plan:
    node, labels = reading.node, reading.labels
    if not is_tied(labels):
        return [], lambda made: node
    if isinstance(node, Einsum):
        return _einsum(node, reading, [ties_of(o, known) for o in node.operands])
    rule = _RULES.get(node.kind)
    plan = None if rule is None else rule(node, reading)
    return ([], lambda made: contract([labels], distinct(labels), node)) if plan is None else plan


def _part(node: Node, labels: Sequence[int]) -> Reading:
    return Reading(node, numbered(labels))


# --------------------------------------------------------------------------- rules


def _delta(node: Node, reading: Reading) -> Plan:
    return [], lambda made: fill(1, reading.shape)


def _einsum(node: Einsum, reading: Reading, ties: Sequence[Ties]) -> Plan:
    """Indices that must be equal are one, those that are summed over too: Σₖ δ[i, k]·A[k, i] is A[i, i]."""
    home = _one_index(node, reading, ties)
    inputs = [(o, tuple(home[i] for i in inside)) for o, inside in zip(node.operands, node.inputs, strict=True)]
    kept = [each for k, each in enumerate(inputs) if each[0].kind != "one_hot" or each not in inputs[:k]]
    output = distinct([home[i] for i in node.output])
    return [_part(*each) for each in kept], lambda made: contract([distinct(i) for _, i in kept], output, *made)


def _one_index(node: Einsum, reading: Reading, ties: Sequence[Ties]) -> dict[int, int]:
    """For each index one that stands for it: of the output those with one label, and what a tie makes equal to them."""
    home = {i: i for inside in node.inputs for i in inside}
    label = dict(zip(node.output, reading.labels, strict=True))
    same_label = [(node.output[a], node.output[b]) for a, b in first_places(reading.labels)]
    for a, b in [*same_label, *equal_indices(node, ties)]:
        one, other = home[a], home[b]
        shown = {label[i] for i, root in home.items() if root in (one, other) and i in label}
        if one != other and len(shown) < 2:
            home = {i: one if root == other else root for i, root in home.items()}
    return home


def _elementwise(node: Node, reading: Reading) -> Plan:
    parts = [_without_stretched(node, o, reading.labels) for o in node.operands]
    onto = distinct(reading.labels)

    def build(made: list[Node]) -> Node:
        laid = [
            x if not x.rank else laid_along(x, distinct(labels), onto, reading.shape)
            for x, (_, labels) in zip(made, parts, strict=True)
        ]
        return with_operands(node, laid)

    return [_part(*part) for part in parts], build


def _without_stretched(node: Node, operand: Node, labels: Indices) -> tuple[Node, Indices]:
    """An operand without the axes along which it is repeated, and the labels of those that are left."""
    first = node.rank - operand.rank
    gone = {a for a, n in enumerate(operand.shape) if not same_extent(n, node.shape[first + a])}
    kept = tuple(labels[first + a] for a in range(operand.rank) if a not in gone)
    return (drop_axes(operand, gone) if gone else operand), kept


def _expand(node: Node, reading: Reading) -> Plan:
    assert isinstance(node, Expand)
    inner = tuple(reading.labels[a] for a in node.axes)
    onto = distinct(reading.labels)
    return [_part(node.operands[0], inner)], lambda made: laid_along(made[0], distinct(inner), onto, reading.shape)


def _moved(node: Node, reading: Reading) -> Plan | None:
    """Slice, Place: axes with one label must begin and step alike."""
    assert isinstance(node, Slice | Place)
    if not _alike(reading, node.starts, node.steps):
        return None
    starts, shape = shape_arg(reading.along(node.starts)), shape_arg(reading.shape)
    steps = ints_arg(tuple(int(step) for step in reading.along(node.steps)))
    args = (starts, shape, steps) if isinstance(node, Slice) else (shape, starts, steps)
    return [_part(node.operands[0], reading.labels)], lambda made: type(node)(made[0], *args)


def _alike(reading: Reading, starts: Sequence[Extent], steps: Sequence[int]) -> bool:
    """Whether axes with one label start and step alike, in an operand of one extent."""
    inner = reading.node.operands[0].shape
    marks = [
        (label, n, start, step) for label, n, start, step in zip(reading.labels, inner, starts, steps, strict=True)
    ]
    return len(set(marks)) == len(set(reading.labels))


def _concat(node: Node, reading: Reading) -> Plan | None:
    assert isinstance(node, Concat)
    if not reading.is_alone(node.axis):
        return None
    axis = Integer(reading.axes.index(node.axis))
    return [_part(o, reading.labels) for o in node.operands], lambda made: Concat(axis, *made)


def _reshape(node: Node, reading: Reading) -> Plan | None:
    assert isinstance(node, Reshape)
    kept = reshape_axes(node)
    if not all(reading.is_alone(a) for a in range(node.rank) if a not in kept):
        return None
    outer = {k: a for a, k in kept.items()}
    inner = [reading.labels[outer[k]] if k in outer else -1 - k for k in range(node.operands[0].rank)]
    return [_part(node.operands[0], inner)], lambda made: reshape(made[0], reading.shape)


def _take(node: Node, reading: Reading) -> Plan | None:
    assert isinstance(node, Take)
    x, indices = node.operands
    kept = take_axes(node)
    if not all(reading.is_alone(a) for a, k in enumerate(kept) if k is None):
        return None
    outer = {k: a for a, k in enumerate(kept) if k is not None}
    inner = [reading.labels[outer[k]] if k in outer else -1 for k in range(x.rank)]
    axis = Integer(distinct(inner).index(-1))
    return [_part(x, inner)], lambda made: Take(made[0], indices, axis)


def _cumsum(node: Node, reading: Reading) -> Plan | None:
    assert isinstance(node, CumulativeSum)
    if not reading.is_alone(node.axis):
        return None
    axis = reading.axes.index(node.axis)
    return [_part(node.operands[0], reading.labels)], lambda made: cumulate(made[0], axis, node.reverse)


def _recurrence(node: Node, reading: Reading) -> Plan | None:
    assert isinstance(node, (CumulativeProduct, LinearRecurrence))
    if not reading.is_alone(node.axis):
        return None
    axis = Integer(reading.axes.index(node.axis))
    parts = [_part(o, reading.labels) for o in node.operands]
    return parts, lambda made: type(node)(axis, *node.args[1:3], *made)


def _solve(node: Node, reading: Reading) -> Plan | None:
    """Axes of the stack with one label are one for the matrices too; of a column beside them the matrix has none."""
    assert isinstance(node, Solve)
    row = node.matrix.rank - 2
    if not reading.is_alone(row):
        return None
    matrix = [*reading.labels[: row + 1], -1]
    return [_part(node.matrix, matrix), _part(node.operands[1], reading.labels)], lambda made: Solve(*made)


def _named(node: Node, reading: Reading) -> Plan:
    return [_part(node.operands[0], reading.labels)], lambda made: made[0]


def _sealed(node: Node, reading: Reading) -> Plan:
    return [_part(node.operands[0], reading.labels)], lambda made: with_operands(node, made)


_RULES: dict[str, Callable[[Node, Reading], Plan | None]] = {
    "delta": _delta,
    "elementwise": _elementwise,
    "expand": _expand,
    "slice": _moved,
    "place": _moved,
    "concat": _concat,
    "reshape": _reshape,
    "take": _take,
    "cumsum": _cumsum,
    "cumprod": _recurrence,
    "linear_recurrence": _recurrence,
    "solve": _solve,
    "named": _named,
    "sealed": _sealed,
}

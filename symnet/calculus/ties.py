"""Tied axes: a formula is zero wherever the indices of two of its axes differ, as those of a delta do.

In: a node.  Out: its `Ties`, a number for each axis, where tied axes have the same one: (0, 1, 0) for a node that is
zero wherever its first and last index differ.

Each kind of node has a rule from the ties of its operands: a product has those of any factor, a sum those that all its
terms have, and whatever acts along other axes alone keeps them.  So the Jacobian of a function of each row by these
rows is known to be a batch of blocks, however its columns are chosen, joined, padded or reshaped.
Not handled: ties with an offset, as of a diagonal beside the main one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from symnet.expr.nodes.constants import number_of
from symnet.expr.nodes.contraction import Einsum
from symnet.expr.nodes.cumulative import CumulativeSum
from symnet.expr.nodes.elementwise import is_op
from symnet.expr.nodes.expansion import Expand
from symnet.expr.nodes.extents import is_one, product, same_extent
from symnet.expr.nodes.graph import topological
from symnet.expr.nodes.indexing import Take
from symnet.expr.nodes.linalg import Solve
from symnet.expr.nodes.movement import Concat, Place, Reshape, Slice
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.recurrence import CumulativeProduct, LinearRecurrence

Ties = tuple[int, ...]


def ties_of(node: Node, known: dict[Node, Ties] | None = None) -> Ties:
    """Which axes of a node are tied; `known` is filled with the ties of all that it is made of."""
    found: dict[Node, Ties] = {} if known is None else known
    for each in topological(node, opens=lambda n: n not in found):
        if each not in found:
            rule = _RULES.get(each.kind)
            ties = [found[o] for o in each.operands]
            plain = each.kind not in ("delta", "einsum") and not any(map(is_tied, ties))
            found[each] = free(each.rank) if rule is None or plain else rule(each, ties)
    return found[node]


def free(rank: int) -> Ties:
    """No axis tied to another."""
    return tuple(range(rank))


def is_tied(ties: Ties) -> bool:
    """Whether any two axes are tied."""
    return len(set(ties)) < len(ties)


def numbered(labels: Sequence[object]) -> Ties:
    """Equal labels under one number, by first appearance: "bab" becomes (0, 1, 0)."""
    order: dict[object, int] = {}
    return tuple([order.setdefault(label, len(order)) for label in labels])


def joined(labels: Sequence[int], pairs: Sequence[tuple[int, int]]) -> list[int]:
    """The labels where those of each pair of places are one: [0, 1, 2] with (0, 2) becomes [0, 1, 0]."""
    out = list(labels)
    for a, b in pairs:
        one, other = out[a], out[b]
        out = [one if label == other else label for label in out]
    return out


def first_places(ties: Ties) -> list[tuple[int, int]]:
    """For each axis (the first that is tied to it, itself)."""
    return [(ties.index(t), a) for a, t in enumerate(ties)]


def equal_indices(node: Einsum, ties: Sequence[Ties]) -> list[tuple[int, int]]:
    """Pairs of indices of an einsum that are equal wherever the product is not zero.

    Those of tied axes, and the classes of equal one-hot rows: 1[t[r] = i]·1[t[r] = j] is zero but where i = j.
    """
    pairs = [(i[a], i[b]) for i, tied in zip(node.inputs, ties, strict=True) for a, b in first_places(tied)]
    first: dict[object, int] = {}
    for operand, indices in zip(node.operands, node.inputs, strict=True):
        if operand.kind == "one_hot":
            pairs.append((first.setdefault((operand, indices[:-1]), indices[-1]), indices[-1]))
    return pairs


def reshape_axes(node: Reshape) -> dict[int, int]:
    """Which axes of a reshape are axes of its operand, of the same extent, with nothing of other axes in them."""
    inner, outer = node.operands[0].shape, node.shape
    kept: dict[int, int] = {}
    if product(outer) == 0:
        return kept
    for a, n in enumerate(outer):
        for k, extent in enumerate(inner):
            if not is_one(n) and same_extent(n, extent) and same_extent(product(outer[:a]), product(inner[:k])):
                kept[a] = k
    return kept


# --------------------------------------------------------------------------- rules


def _delta(node: Node, ties: Sequence[Ties]) -> Ties:
    return (0, 0)


def _einsum(node: Node, ties: Sequence[Ties]) -> Ties:
    assert isinstance(node, Einsum)
    classes = joined(range(len(node.extents)), equal_indices(node, ties))
    return numbered([classes[i] for i in node.output])


def _elementwise(node: Node, ties: Sequence[Ties]) -> Ties:
    wide = [_broadcast(node, o, t) for o, t in zip(node.operands, ties, strict=True)]
    if is_op(node, "mul"):
        pairs = [pair for t in wide for pair in first_places(t)]
        return numbered(joined(range(node.rank), pairs))
    if is_op(node, "add", "where"):
        first = int(is_op(node, "where"))
        return numbered(_in_all(node.operands[first:], wide[first:]))
    return wide[0] if is_op(node, "as_real", "as_float64", "as_float32") else free(node.rank)


def _broadcast(node: Node, operand: Node, ties: Ties) -> Ties:
    """The ties of an operand in the place that it broadcasts to: none for an axis along which it repeats."""
    first = node.rank - operand.rank
    whole = [same_extent(n, node.shape[first + a]) for a, n in enumerate(operand.shape)]
    labels = [("tied", t) if w else ("repeated", a) for a, (t, w) in enumerate(zip(ties, whole, strict=True))]
    return numbered([*(("new", a) for a in range(first)), *labels])


def _in_all(operands: Sequence[Node], ties: Sequence[Ties]) -> list[object]:
    """For each axis a label that says what all have tied; zeros are tied in every way."""
    several = [t for o, t in zip(operands, ties, strict=True) if not _is_zero(o)]
    return list(zip(*several, strict=True)) if several else list(ties[0])


def _is_zero(node: Node) -> bool:
    while isinstance(node, Expand):
        node = node.operands[0]
    return number_of(node) == 0


def _expand(node: Node, ties: Sequence[Ties]) -> Ties:
    assert isinstance(node, Expand)
    inner = dict(zip(node.axes, ties[0], strict=True))
    return numbered([("tied", inner[a]) if a in inner else ("new", a) for a in range(node.rank)])


def _window(node: Node, ties: Sequence[Ties]) -> Ties:
    """Axes that start and step alike stay tied: x[::2, ::2] is zero where x is."""
    assert isinstance(node, (Slice, Place))
    inner = node.operands[0].shape
    same = [(n, node.starts[a], node.steps[a], inner[a]) for a, n in enumerate(node.shape)]
    return numbered(list(zip(ties[0], same, strict=True)))


def _concat(node: Node, ties: Sequence[Ties]) -> Ties:
    assert isinstance(node, Concat)
    return _apart(node.axis, _in_all(node.operands, ties))


def _apart(axis: int, labels: Sequence[object]) -> Ties:
    """The labels where one axis is tied to no other."""
    return numbered([("apart",) if a == axis else label for a, label in enumerate(labels)])


def _reshape(node: Node, ties: Sequence[Ties]) -> Ties:
    assert isinstance(node, Reshape)
    inner = reshape_axes(node)
    return numbered([("kept", ties[0][inner[a]]) if a in inner else ("new", a) for a in range(node.rank)])


def _take(node: Node, ties: Sequence[Ties]) -> Ties:
    assert isinstance(node, Take)
    inner = take_axes(node)
    return numbered([("kept", ties[0][k]) if k is not None else ("new", a) for a, k in enumerate(inner)])


def take_axes(node: Take) -> list[int | None]:
    """For each axis of a `take` that of its operand; None for those of the indices."""
    rows = node.operands[1].rank
    return [*range(node.axis), *[None] * rows, *range(node.axis + 1, node.operands[0].rank)]


def _cumsum(node: Node, ties: Sequence[Ties]) -> Ties:
    assert isinstance(node, CumulativeSum)
    return _apart(node.axis, ties[0])


def _cumprod(node: Node, ties: Sequence[Ties]) -> Ties:
    """Those of the factors; exclusive products begin with 1."""
    assert isinstance(node, CumulativeProduct)
    return free(node.rank) if node.exclusive else _apart(node.axis, ties[0])


def _linear_recurrence(node: Node, ties: Sequence[Ties]) -> Ties:
    """Those of what is added: nothing comes of no terms, whatever the factors."""
    assert isinstance(node, LinearRecurrence)
    return _apart(node.axis, ties[1])


def _solve(node: Node, ties: Sequence[Ties]) -> Ties:
    """The ties of the right-hand side between axes of the stack and of the columns: x is zero where all of b is."""
    assert isinstance(node, Solve)
    return _apart(node.matrix.rank - 2, ties[1])


def _same(node: Node, ties: Sequence[Ties]) -> Ties:
    return ties[0]


_RULES: dict[str, Callable[[Node, Sequence[Ties]], Ties]] = {
    "delta": _delta,
    "einsum": _einsum,
    "elementwise": _elementwise,
    "expand": _expand,
    "slice": _window,
    "place": _window,
    "concat": _concat,
    "reshape": _reshape,
    "take": _take,
    "cumsum": _cumsum,
    "cumprod": _cumprod,
    "linear_recurrence": _linear_recurrence,
    "solve": _solve,
    "named": _same,
    "sealed": _same,
}

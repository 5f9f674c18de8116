"""Derivatives that are made of scalars, as the vector or the matrix of these: [2*x[0] + 1, 0, x[1]].

In: a derivative in the algebra form.  Out: the same, its entries put together one by one, where it is small and no
array stands in it: what functions of x[0], x[1], … give, sums of arrays with one element other than zero, and rows of
the identity.
Not handled: more than `MOST` entries, and symbolic extents: there sums of what is laid among zeros stay.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product

from symnet.calculus.elements import element
from symnet.calculus.simplify import simplify
from symnet.expr.nodes.contraction import Einsum
from symnet.expr.nodes.graph import topological
from symnet.expr.nodes.movement import stack
from symnet.expr.nodes.node import Node

MOST = 36  # entries
_LAID = frozenset({"concat", "place"})  # one of these, or a row of the identity, is among what is put together
_MADE = _LAID | {"delta", "elementwise", "expand", "einsum", "slice"}
_UNLAID = frozenset({"elementwise", "einsum", "slice"})  # without any of these it stands entry by entry


def by_entries(nodes: Sequence[Node]) -> list[Node]:
    """The nodes, those that are made of scalars put together from their entries."""
    small = [node for node in nodes if _is_small(node)]
    free = _without_arrays(small)
    places = [k for k, node in enumerate(nodes) if node in free and _is_made_of_scalars(node)]
    if not places:
        return list(nodes)
    found = [_entries(nodes[k]) for k in places]
    simple = iter(simplify([entry for entries in found for entry in entries]))
    arrays = simplify([_array([next(simple) for _ in each], nodes[k]) for each, k in zip(found, places, strict=True)])
    done = list(nodes)
    for k, array in zip(places, arrays, strict=True):
        done[k] = array
    return done


def _is_small(node: Node) -> bool:
    return 0 < node.rank <= 3 and all(isinstance(n, int) for n in node.shape) and math.prod(node.shape) <= MOST


def _without_arrays(nodes: Sequence[Node]) -> set[Node]:
    """Of some nodes and what they are computed from, the arrays that no array of another kind is in; each node once."""
    free: set[Node] = set()
    for node in topological(*nodes, opens=_is_opened):
        within = not _is_seen_through(node) or all(not o.rank or o in free for o in node.operands)
        if node.rank and within and _may_stand(node):
            free.add(node)
    return free


def _is_opened(node: Node) -> bool:
    return _is_seen_through(node) and _may_stand(node)


def _is_made_of_scalars(node: Node) -> bool:
    """Whether an array without arrays in it does not read entry by entry already."""
    arrays = [n for n in topological(node, opens=_is_seen_through) if n.rank]
    kinds = {n.kind for n in arrays}
    rows = {n.operands[0] for n in arrays if n.kind == "slice" and n.operands[0].kind == "delta" and 1 in n.shape}
    if not (kinds & _LAID or rows) or not kinds & _UNLAID:
        return False
    whole = any(n.kind == "delta" and n not in rows for n in arrays)  # its diagonal says more than entries do
    scalars = (o for n in arrays for o in n.operands if not o.rank and o.kind != "number")
    return not whole or next(scalars, None) is not None


def _is_seen_through(node: Node) -> bool:
    return node.rank > 0 and not _is_of_a_leaf(node)


def _is_of_a_leaf(node: Node) -> bool:
    """Whether a node is elements of a leaf."""
    return node.kind == "slice" and node.operands[0].kind in ("tensor", "named") and math.prod(node.shape) == 1


def _may_stand(node: Node) -> bool:
    """Whether a node is put together from entries without adding up more than a row of the identity."""
    if isinstance(node, Einsum) and node.contracted:
        extents = node.extents
        single = all(extents[i] == 1 for i in node.contracted)
        return single or any(o.kind == "delta" for o in node.operands)
    return node.kind in _MADE


def _entries(node: Node) -> list[Node]:
    return [element(node, at) for at in product(*map(range, node.shape))]


def _array(entries: list[Node], like: Node) -> Node:
    """The entries in an array's shape, row by row."""
    for width in reversed(like.shape[1:]):
        entries = [stack(entries[k : k + width]) for k in range(0, len(entries), width)]
    return stack(entries)

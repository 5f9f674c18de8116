"""Extra leading axes carried through a graph: many tangents or cotangents at once.

In: roots, and for some leaves the same value with extra leading axes.  Out: the roots with these axes in front.
With the basis (products of deltas) for a cotangent this turns one vector-Jacobian product into the Jacobian, and it
stays a formula: products become einsums, in which a delta is one more factor.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from symnet.diff.rules import Maybe
from symnet.diff.tables import apply_batch
from symnet.expr.nodes.constants import identity, number
from symnet.expr.nodes.contraction import contract
from symnet.expr.nodes.expansion import expand
from symnet.expr.nodes.graph import depends_on, topological
from symnet.expr.nodes.node import Node, Shape


def basis(shape: Shape) -> Node:
    """Every unit array of a shape: δ[i, p]·δ[j, q]·… of shape (*shape, *shape)."""
    rank = len(shape)
    if not rank:
        return number(1)
    deltas = [identity(n) for n in shape]
    return deltas[0] if rank == 1 else contract([(a, rank + a) for a in range(rank)], range(2 * rank), *deltas)


def batch(roots: Iterable[Node], values: Mapping[Node, Node], extra: Shape) -> list[Node]:
    """The roots where some nodes have extra leading axes.

    Args:
        roots: nodes of any shape.
        values: node → the value it takes, of shape (*extra, *node.shape).
        extra: the extents of the extra axes.

    Returns:
        for each root a node of shape (*extra, *root.shape).
    """
    roots = list(roots)
    active = depends_on(roots, values)
    new: dict[Node, Maybe] = dict(values)
    for node in topological(*roots):
        if node in active and node not in values:
            new[node] = apply_batch(node, [new.get(operand) for operand in node.operands], extra)
    return [_repeated(root, new.get(root), extra) for root in roots]


def _repeated(root: Node, batched: Maybe, extra: Shape) -> Node:
    """The root with the extra axes: where no batched node is in it, it repeats along them."""
    if batched is not None:
        return batched
    front = len(extra)
    return expand(root, (*extra, *root.shape), tuple(range(front, front + root.rank)))

"""Contractions of contractions as one product: (A @ B) @ C and A @ (B @ C) are the same network of operands.

In: an `Einsum`.  Out: what it multiplies in the end, over indices of its own (`flattened`), and a key that equal
products share however they are bracketed (`network_key`).
Not handled: products of more than `MOST` operands, and networks whose indices cannot be told apart by what they join
(a trace of a power): they have no key.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable

from symnet.expr.nodes.contraction import Einsum, IndexedOperand, Indices
from symnet.expr.nodes.node import Node

MOST = 8  # operands of a product that is looked through: it bounds the work per node
Symmetric = Callable[[Node], bool]
NetworkKey = tuple[Hashable, ...]


def flattened(node: Einsum) -> list[IndexedOperand]:
    """The operands with their indices, contractions inside opened from the left while there is room.

    The indices of the result keep their numbers, `node.output`.
    """
    fresh = 1 + max((i for indices in (*node.inputs, node.output) for i in indices), default=0)
    terms: list[IndexedOperand] = []
    stack = list(zip(node.operands, node.inputs, strict=True))[::-1]
    while stack:
        operand, indices = stack.pop()
        if not isinstance(operand, Einsum) or len(terms) + len(stack) + len(operand.operands) > MOST:
            terms.append((operand, indices))
            continue
        names = dict(zip(operand.output, indices, strict=True))
        for i in (i for inner in operand.inputs for i in inner):
            if i not in names:
                names[i], fresh = fresh, fresh + 1
        inside = zip(operand.operands, operand.inputs, strict=True)
        stack.extend([(o, tuple(names[i] for i in inner)) for o, inner in inside][::-1])
    return terms


def network_key(node: Einsum, symmetric: Symmetric) -> NetworkKey | None:
    """A key that two contractions share only where they are equal, however bracketed; None where there is none.

    symmetric: whether an operand equals its transpose (last two axes).

    Indices are told apart by what they join, and what that joins, and so on (colour refinement).  When all are, the
    operands over their colours say what the network computes.
    """
    terms = [(o, indices, o.rank > 1 and symmetric(o)) for o, indices in flattened(node)]
    found = {i for _, indices, _ in terms for i in indices}
    colours = {i: node.output.index(i) if i in node.output else len(node.output) for i in found}
    for _ in range(len(found)):
        refined = _refined(terms, colours)
        if len(set(refined.values())) == len(set(colours.values())):
            break
        colours = refined
    if len(set(colours.values())) < len(found):
        return None
    body = sorted((o.digest, _ordered(tuple(colours[i] for i in indices), even)) for o, indices, even in terms)
    return (*body, tuple(colours[i] for i in node.output), node.shape)


def _refined(terms: list[tuple[Node, Indices, bool]], colours: dict[int, int]) -> dict[int, int]:
    """New colours for the indices: two share one where they shared one before and stand at the same places of equal
    operands, beside indices of the same colours.
    """
    seen: dict[int, list[tuple[object, ...]]] = {i: [] for i in colours}
    for operand, indices, even in terms:
        beside = _ordered(tuple(colours[i] for i in indices), even)
        for axis, i in enumerate(indices):
            place = min(axis, len(indices) - 2) if even else axis
            seen[i].append((operand.digest, place, beside))
    signs = {i: (colours[i], tuple(sorted(places))) for i, places in seen.items()}
    rank = {sign: n for n, sign in enumerate(sorted(set(signs.values())))}
    return {i: rank[sign] for i, sign in signs.items()}


def _ordered(indices: Indices, even: bool) -> Indices:
    return (*indices[:-2], *sorted(indices[-2:])) if even else indices

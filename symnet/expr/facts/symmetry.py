"""Symmetric contractions: AᵀA, and S A S where S and A are symmetric.

In: an `Einsum`, and what is known of its operands.  Out: whether it equals its transpose (last two axes).
Not handled: symmetry that follows from the values of operands, or needs more than `MOST_SUMMED` indices renamed.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations

from symnet.expr.facts.networks import flattened
from symnet.expr.nodes.contraction import Einsum, IndexedOperand, Indices
from symnet.expr.nodes.extents import same_extent
from symnet.expr.nodes.node import Node

MOST_SUMMED = 4  # summed indices that are renamed to find a symmetry
KnownSymmetric = Callable[[Node], bool]


def is_symmetric(node: Einsum, known: KnownSymmetric) -> bool:
    """Whether swapping the last two output indices, and renaming summed ones, permutes the operands.

    known: whether an operand is symmetric itself.
    """
    if node.rank < 2 or not same_extent(*node.shape[-2:]):
        return False
    if node.is_transpose and node.rank == 2:
        return known(node.operands[0])
    i, j = node.output[-2:]
    terms = flattened(node)
    wanted = _written(terms, {}, known)
    inside = tuple(dict.fromkeys(i for _, indices in terms for i in indices if i not in node.output))
    summed = inside if len(inside) <= MOST_SUMMED else ()
    orders = permutations(summed)
    return any(wanted == _written(terms, {i: j, j: i, **dict(zip(summed, o, strict=True))}, known) for o in orders)


def _written(terms: list[IndexedOperand], names: dict[int, int], known: KnownSymmetric) -> list[tuple[bytes, Indices]]:
    """What is multiplied, its indices renamed; those of a symmetric matrix in order."""
    written = []
    for operand, indices in terms:
        named = tuple(names.get(i, i) for i in indices)
        if len(named) > 1 and known(operand):
            named = (*named[:-2], *sorted(named[-2:]))
        written.append((operand.digest, named))
    return sorted(written)

"""Products of matrices that differ in their brackets only.

In: an `add` node in which every operand is in normal form.  Out: the same sum, equal products collected.
Elsewhere a product keeps the brackets its user gave it; `lower` chooses those that cost least.
"""

from __future__ import annotations

from collections.abc import Sequence

from symnet.expr.facts.assumptions import known
from symnet.expr.facts.networks import NetworkKey, flattened, network_key
from symnet.expr.nodes.contraction import Einsum, IndexedOperand, contract, transpose
from symnet.expr.nodes.elementwise import elementwise
from symnet.expr.nodes.movement import broadcast_to
from symnet.expr.nodes.node import Node, kept_on_node
from symnet.simplify.forms.coefficients import product, split_coefficient
from symnet.simplify.rewrite import Rewrite


def collect_products_bracketed_differently(node: Node) -> Node | None:
    """(A @ B) @ C + A @ (B @ C) → 2·A @ B @ C.

    Condition: the products have the same operands over the same indices, and equal factors; one term less.
    """
    seen: dict[tuple[object, ...], int] = {}
    for n, term in enumerate(node.operands):
        coefficient, factors = split_coefficient(term)
        total = factors[-1] if factors else term
        key = _key(total) if isinstance(total, Einsum) else ()
        if not key:
            continue
        m = seen.setdefault((factors[:-1], term.shape, key), n)
        if m != n:
            first, others = split_coefficient(node.operands[m])
            rest = [o for k, o in enumerate(node.operands) if k not in (m, n)]
            both = product(first + coefficient, (*factors[:-1], _one_spelling(others[-1], total)))
            return broadcast_to(elementwise("add", both, *rest) if rest else both, node.shape)
    return None


@kept_on_node
def _key(total: Einsum) -> NetworkKey:
    """The key of a product of products, () where it has none."""
    if len(total.operands) < 3 and not any(isinstance(o, Einsum) for o in total.operands):
        return ()
    return network_key(total, _is_symmetric) or ()


def _is_symmetric(operand: Node) -> bool:
    return known(operand, "symmetric")


def _one_spelling(first: Node, total: Einsum) -> Node:
    """A @ B @ C of a chain of matrices, from the left; of others the first by digest, in any order."""
    path = _path(flattened(total), total.output) if total.rank == 2 else None
    if path is None:
        return min(first, total, key=lambda each: each.digest)
    whole = path[0]
    for matrix in path[1:]:
        whole = contract([[0, 1], [1, 2]], [0, 2], whole, matrix)
    return whole


def _path(terms: Sequence[IndexedOperand], output: tuple[int, ...]) -> list[Node] | None:
    """The matrices of a chain from the first index of the result to the last."""
    left, path, index = list(terms), [], output[0]
    while left:
        step = next((t for t in left if len(t[1]) == 2 and index in t[1]), None)
        if step is None:
            return None
        left.remove(step)
        matrix, (i, j) = step
        path.append(matrix if i == index or _is_symmetric(matrix) else transpose(matrix))
        index = j if i == index else i
    return path if index == output[1] else None


BRACKETS = (
    Rewrite(collect_products_bracketed_differently, ("add",), needs=("symmetric",), domain="extends", role="shorter"),
)

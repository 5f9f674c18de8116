"""Contractions of three operands and more, as a tree of products of two.

In: numeric-form roots.  Out: the same values, every contracting Einsum with at most two operands, in the order that
opt_einsum finds cheapest (a symbolic extent counts as 256).  Operands that the contraction reads once each (the
full index set) stay together: they are one reduction, with nothing to save.
"""

from __future__ import annotations

from collections.abc import Iterable

import opt_einsum

from symnet.expr.contraction import Einsum, contract
from symnet.expr.extents import product
from symnet.expr.graph import rebuild
from symnet.expr.node import Extent, Node

TYPICAL = 256  # what a symbolic extent counts for when orders are compared


def binarize(roots: Iterable[Node]) -> list[Node]:
    """Every contraction of many operands as contractions of two."""
    return rebuild(roots, _binarize)


def _binarize(node: Node) -> Node:
    if not isinstance(node, Einsum) or len(node.operands) < 3 or not node.contracted:
        return node
    everything = set(node.extents)
    if all(set(indices) == everything for indices in node.inputs):
        return node
    terms = list(zip(node.inputs, node.operands, strict=True))
    for positions in _path(node):
        chosen = [terms[p] for p in positions]
        terms = [t for p, t in enumerate(terms) if p not in positions]
        needed = set(node.output).union(*(indices for indices, _ in terms)) if terms else set(node.output)
        inside = dict.fromkeys(i for indices, _ in chosen for i in indices)
        output = tuple(i for i in inside if i in needed) if terms else node.output
        terms.append((output, contract([c[0] for c in chosen], output, *(c[1] for c in chosen))))
    return terms[0][1]


def _path(node: Einsum) -> list[tuple[int, ...]]:
    shapes = [tuple(map(_typical, o.shape)) for o in node.operands]
    inputs = ["".join(map(opt_einsum.get_symbol, indices)) for indices in node.inputs]
    output = "".join(map(opt_einsum.get_symbol, node.output))
    path, _ = opt_einsum.contract_path(f"{','.join(inputs)}->{output}", *shapes, shapes=True, optimize="dp")
    return [tuple(p) for p in path]


def _typical(extent: Extent) -> int:
    return max(extent, 1) if isinstance(extent, int) else TYPICAL


def elements(node: Node) -> int:
    """Elements of a node, symbolic extents counted as TYPICAL."""
    return int(product(map(_typical, node.shape)))

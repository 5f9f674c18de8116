"""Contractions of three operands and more, as a tree of products of two.

In: numeric-form roots.  Out: the same values, every contracting Einsum with at most two operands, in the order that
opt_einsum finds cheapest (a symbolic extent counts as 256).  Operands that the contraction reads once each (the
full index set) stay together: they are one reduction, with nothing to save.
Powers of one matrix are squared (`powers.py`).
A product that one other product alone uses is opened first, where some other order is cheaper: (X Xᵀ) v is X (Xᵀ v).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import opt_einsum

from symnet.expr.nodes.contraction import Einsum, contract
from symnet.expr.nodes.extents import product, typical
from symnet.expr.nodes.graph import consumers, rebuild, topological, with_operands
from symnet.expr.nodes.node import Node
from symnet.simplify.machine.powers import power_by_squaring

MOST_OPERANDS = 8  # of a product made by opening others: finding the best order grows fast


def binarize(roots: Iterable[Node]) -> list[Node]:
    """einsum("ij,jk,k->i", A, B, x) → A @ (B @ x): contractions of many operands as contractions of two."""
    return rebuild(_opened(list(roots)), _binarize)


def _opened(roots: list[Node]) -> list[Node]:
    """The roots with products inside products opened where that is cheaper."""
    users = consumers(*roots)
    new: dict[Node, Node] = {}
    for node in topological(*roots):
        fresh = with_operands(node, (new[o] for o in node.operands))
        if isinstance(fresh, Einsum) and fresh.contracted:
            for place in reversed(range(len(node.operands))):
                inner = node.operands[place]
                if len(users[inner]) == 1 and node.operands.count(inner) == 1 and inner not in roots:
                    fresh = _cheaper(fresh, place)
        new[node] = fresh
    return [new[root] for root in roots]


def _cheaper(outer: Einsum, place: int) -> Einsum:
    """The contraction with the product at one place opened, if that takes fewer operations; else as it is."""
    inner = outer.operands[place]
    if not isinstance(inner, Einsum) or inner.is_transpose:
        return outer
    if len(outer.operands) + len(inner.operands) - 1 > MOST_OPERANDS:
        return outer
    outside = dict(zip(inner.output, outer.inputs[place], strict=True))
    fresh = 1 + max((i for indices in (*outer.inputs, outer.output) for i in indices), default=0)
    names = {i: outside.get(i, fresh + i) for indices in inner.inputs for i in indices}
    inputs = [tuple(names[i] for i in indices) for indices in inner.inputs]
    merged = contract(
        [*outer.inputs[:place], *inputs, *outer.inputs[place + 1 :]],
        outer.output,
        *outer.operands[:place],
        *inner.operands,
        *outer.operands[place + 1 :],
    )
    assert isinstance(merged, Einsum)
    return merged if _cost(merged) < _cost(outer) + _cost(inner) else outer


def _binarize(node: Node) -> Node:
    if not isinstance(node, Einsum) or len(node.operands) < 3 or not node.contracted:
        return node
    everything = set(node.extents)
    if all(set(indices) == everything for indices in node.inputs):
        return node
    power = power_by_squaring(node, _cost)
    if power is not None:
        return _binarize(power)
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
    return [tuple(p) for p in _plan(node)[0]]


def _cost(node: Einsum) -> float:
    """The number of operations of a contraction in its cheapest order."""
    return float(_plan(node)[1].opt_cost)


def _plan(node: Einsum) -> tuple[Any, Any]:
    shapes = [tuple(map(typical, o.shape)) for o in node.operands]
    inputs = ["".join(map(opt_einsum.get_symbol, indices)) for indices in node.inputs]
    output = "".join(map(opt_einsum.get_symbol, node.output))
    return opt_einsum.contract_path(f"{','.join(inputs)}->{output}", *shapes, shapes=True, optimize="dp")


def elements(node: Node) -> int:
    """The number of elements of a node, a symbolic extent counted as `TYPICAL`."""
    return int(product(map(typical, node.shape)))

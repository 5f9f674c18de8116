"""The order of operands: what a reader expects first, and the same however the user wrote it.

In: a node.  Out: a key.  Products run from simple to composed (`2*a*X*exp(X)`), sums put positive terms before
negative ones and composed terms before leaves (`X @ W + b`, `Y - D`).  Ties are broken by digest.
"""

from __future__ import annotations

from typing import Any

from symnet.expr.nodes.constants import Number, Size
from symnet.expr.nodes.node import Node, kept_on_node
from symnet.expr.nodes.symbols import Tensor

OrderKey = tuple[Any, ...]


def outline(node: Node) -> tuple[int, str]:
    """(height, alphabetically first leaf below); linear over all calls."""
    return node._outline or _outlined(node)


def _outlined(root: Node) -> tuple[int, str]:
    stack = [root]
    while stack:
        node = stack[-1]
        waiting = [o for o in node.operands if o._outline is None]
        if waiting:
            stack.extend(waiting)
            continue
        stack.pop()
        below = [outline(o) for o in node.operands]
        name = node.name if isinstance(node, Tensor) else min((n for _, n in below if n), default="")
        node._outline = (1 + max((h for h, _ in below), default=0), name)
    return outline(root)


@kept_on_node
def product_key(node: Node) -> OrderKey:
    """Numbers, extents, scalars, then arrays; leaves by name, then composed nodes from low to high."""
    height, name = outline(node)
    group = 0 if isinstance(node, Number) else 1 if isinstance(node, Size) else 2 if not node.rank else 3
    return group, height, name, node.digest


def sum_key(negative: bool, factors: tuple[Node, ...]) -> OrderKey:
    """Positive terms first; numbers, then composed terms from high to low, then leaves by name."""
    if not factors:
        return negative, -(2**30), "", b""
    parts = [outline(f) for f in factors]
    height, name = max(h for h, _ in parts), min(n for _, n in parts)
    return negative, -height, name, b"".join(f.digest for f in factors)


def weight(factors: tuple[Node, ...]) -> OrderKey:
    """The weight of a term in the choice of the one that leads a sum: the heaviest carries the plus sign, as in 1 - y
    and δ - x yᵀ.
    """
    parts = [outline(f) for f in factors]
    return (
        any((f.operands[0] if f.kind == "expand" else f).kind == "delta" for f in factors),
        max((h for h, _ in parts), default=2**30),
        min((n for _, n in parts), default=""),
        b"".join(f.digest for f in factors),
    )

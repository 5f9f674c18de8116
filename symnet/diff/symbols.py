"""Derivative rules of leaves and of the transparent nodes.

In: a node and a cotangent or tangent.  Out: the same: `Named` and `Barrier` are identities.
"""

from __future__ import annotations

from collections.abc import Sequence

from symnet.diff.rules import Maybe
from symnet.diff.support import Where
from symnet.expr.node import Node, Shape


def transparent_vjp(node: Node, y_bar: Node, k: int) -> Maybe:
    """x_bar = y_bar."""
    return y_bar


def transparent_support(node: Node, support: Where, k: int) -> Where:
    return support


def transparent_jvp(node: Node, x_dots: Sequence[Maybe]) -> Maybe:
    """y_dot = x_dot."""
    return x_dots[0]


def transparent_batch(node: Node, batched: Sequence[Maybe], batch: Shape) -> Node:
    """The batched operand itself."""
    assert batched[0] is not None
    return batched[0]

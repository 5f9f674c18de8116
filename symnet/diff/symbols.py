"""Derivative rules of leaves and of the transparent nodes.

In: a node and a cotangent or tangent.  Out: the same: `Named` and `Barrier` are identities; what comes through a
`Sealed` value is sealed as it is, so that a derivative keeps the steps of a recurrence apart too.
"""

from __future__ import annotations

from collections.abc import Sequence

from symnet.diff.rules import Maybe
from symnet.diff.support import Where
from symnet.expr.nodes.elementwise import is_op
from symnet.expr.nodes.node import Node, Shape
from symnet.expr.nodes.symbols import Sealed


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


def sealed_vjp(node: Node, y_bar: Node, k: int) -> Maybe:
    """x_bar = y_bar, sealed."""
    return as_one_value(y_bar)


def sealed_jvp(node: Node, x_dots: Sequence[Maybe]) -> Maybe:
    """y_dot = x_dot, sealed."""
    (x_dot,) = x_dots
    return None if x_dot is None else as_one_value(x_dot)


def sealed_batch(node: Node, batched: Sequence[Maybe], batch: Shape) -> Node:
    """The batched operand, sealed."""
    return Sealed(transparent_batch(node, batched, batch))


def as_one_value(node: Node) -> Node:
    """The node, sealed if it is a sum or a product: nothing else would be opened."""
    return Sealed(node) if is_op(node, "add", "mul") else node

"""Forward mode: tangents pushed from variables to every value above them.

In: roots, and a tangent for some nodes.  Out: the tangent of each root.  One pass from the leaves up, linear in the
graph.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from symnet.diff.rules import Maybe
from symnet.diff.tables import apply_jvp
from symnet.expr.nodes.graph import depends_on, topological
from symnet.expr.nodes.node import Node


def pushforward(roots: Iterable[Node], tangents: Mapping[Node, Node]) -> list[Maybe]:
    """The tangents of the roots.

    Args:
        roots: nodes of any shape.
        tangents: node → tangent of its shape; a node named here is a variable, whatever it is made of.

    Returns:
        a tangent of each root's shape; None when it is zero.
    """
    roots = list(roots)
    active = depends_on(roots, tangents)
    dots: dict[Node, Maybe] = dict(tangents)
    for node in topological(*roots):
        if node in active and node not in tangents:
            dots[node] = apply_jvp(node, [dots.get(operand) for operand in node.operands])
    return [dots.get(root) for root in roots]

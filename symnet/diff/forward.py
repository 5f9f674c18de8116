"""Forward mode: tangents pushed from variables to every value above them.

In: roots, and a tangent for some nodes.  Out: the tangent of each root.  One pass from the leaves up, linear in the
graph.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from symnet.diff.rules import Maybe
from symnet.diff.symbols import as_one_value
from symnet.diff.tables import apply_jvp
from symnet.expr.nodes.graph import depends_on, topological
from symnet.expr.nodes.node import Node


def pushforward(roots: Iterable[Node], tangents: Mapping[Node, Node], closed: Collection[Node] = ()) -> list[Maybe]:
    """The tangents of the roots.

    Args:
        roots: nodes of any shape.
        tangents: node → tangent of its shape; a node named here is a variable, whatever it is made of.
        closed: nodes whose tangent stays a value of its own (`closing.py`).

    Returns:
        a tangent of each root's shape; None when it is zero.
    """
    roots = list(roots)
    active = depends_on(roots, tangents)
    dots: dict[Node, Maybe] = dict(tangents)
    for node in topological(*roots):
        if node in active and node not in tangents:
            y_dot = apply_jvp(node, [dots.get(operand) for operand in node.operands])
            dots[node] = as_one_value(y_dot) if y_dot is not None and node in closed else y_dot
    return [dots.get(root) for root in roots]

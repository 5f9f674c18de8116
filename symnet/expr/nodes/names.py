"""Names across a derivation: taken off when it begins, put back on its result.

In: a graph with `Named` nodes.  Out: the graph without them, and which value had which name; later, a result in
which every node that equals a named value carries the name again, so that it prints as `Y - D`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from symnet.expr.nodes.graph import rebuild, topological, with_operands
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import Named

# A name on one of these would show up wherever the number or leaf stands.
_UNNAMEABLE = frozenset({"tensor", "number", "size", "delta", "iota"})


def strip(roots: Sequence[Node]) -> tuple[list[Node], dict[Node, Named]]:
    """The roots without `Named` nodes, and for each named value (stripped) its name."""
    labels: dict[Node, Named] = {}

    def unname(node: Node) -> Node:
        if isinstance(node, Named):
            labels.setdefault(node.operands[0], node)
            return node.operands[0]
        return node

    if not any(isinstance(node, Named) for node in topological(*roots)):
        return list(roots), labels
    return rebuild(roots, unname), labels


def attach(roots: Iterable[Node], labels: Mapping[Node, Named]) -> list[Node]:
    """The roots with a name on every node that equals a key of `labels`."""
    roots = list(roots)
    useful = {value: label for value, label in labels.items() if value.kind not in _UNNAMEABLE}
    if not useful:
        return roots
    new: dict[Node, Node] = {}
    for node in topological(*roots):
        fresh = with_operands(node, (new[o] for o in node.operands))
        label = useful.get(node)
        new[node] = fresh if label is None else Named(fresh, *label.args[1:])
    return [new[root] for root in roots]

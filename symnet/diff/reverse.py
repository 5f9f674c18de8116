"""Reverse mode: cotangents pulled back from one value to many.

In: a root, its cotangent, and targets anywhere in the graph.  Out: the cotangent of each target.
One pass from the root down, over the nodes that depend on a target; the contributions to a value that is used
k times are added once, so the work is linear in the graph.  Beside each cotangent goes its support, where a `where`
above has left it 0 elsewhere.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from symnet.diff.contraction import add_up
from symnet.diff.rules import Maybe
from symnet.diff.support import Where, union
from symnet.diff.symbols import as_one_value
from symnet.diff.tables import apply_narrowing, apply_support, apply_vjp
from symnet.expr.nodes.graph import depends_on, topological
from symnet.expr.nodes.node import Node


@dataclass(frozen=True)
class BackwardEdge:
    """One edge walked backward: what `node` passes on to its operand number `position`."""

    node: Node
    position: int
    cotangent: Node
    passed: Maybe

    @property
    def operand(self) -> Node:
        return self.node.operands[self.position]


def pullback(
    root: Node,
    cotangent: Node,
    targets: Iterable[Node],
    routes: list[BackwardEdge] | None = None,
    closed: Collection[Node] = (),
) -> dict[Node, Maybe]:
    """The cotangent of every target, given that of the root.

    Args:
        root: any shape.
        cotangent: root's shape.
        targets: nodes under the root (others come back as zero).
        routes: a list to which every step is appended, for explanations.
        closed: nodes whose cotangent stays a value of its own (`closing.py`).

    Returns:
        target → cotangent of its shape; None when it is zero.
    """
    targets = list(targets)
    active = depends_on([root], targets)
    pending: dict[Node, list[Node]] = {root: [cotangent]}
    total: dict[Node, Maybe] = {}
    supports: dict[Node, list[tuple[Where, Where]]] = {}  # the second is narrower: see clipping.py
    for node in reversed(topological(root)):
        if node not in active:
            continue
        y_bar = add_up(pending.pop(node, []))
        if y_bar is not None and node in closed:
            y_bar = as_one_value(y_bar)
        total[node] = y_bar
        if y_bar is None:
            continue
        support, narrow = map(union, zip(*supports.pop(node, [(None, None)]), strict=True))
        for position, operand in enumerate(node.operands):
            if operand in active:
                x_bar = apply_vjp(node, y_bar, position, support, narrow)
                if routes is not None:
                    routes.append(BackwardEdge(node, position, y_bar, x_bar))
                if x_bar is not None:
                    pending.setdefault(operand, []).append(x_bar)
                    if operand.operands:
                        wide = apply_support(node, support, position)
                        narrower = apply_narrowing(node, narrow, position, wide)
                        supports.setdefault(operand, []).append((wide, narrower))
    return {target: total.get(target) for target in targets}

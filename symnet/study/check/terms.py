"""The terms that a formula is a sum of.

In: a node.  Out: nodes of its shape.  For telling *how* two formulas differ.
Not handled: terms inside functions.
"""

from __future__ import annotations

from symnet.expr.nodes.elementwise import is_op
from symnet.expr.nodes.graph import with_operands
from symnet.expr.nodes.movement import broadcast_to
from symnet.expr.nodes.node import Node

MOST = 24  # terms
_LINEAR = ("einsum", "expand", "reshape", "slice", "place")  # kinds that a sum may be pulled out of, where it has one


def terms(node: Node) -> list[Node]:
    """Nodes of `node`'s shape whose sum is `node`: products and contractions of sums are multiplied out."""
    done: list[Node] = []
    waiting = [node]
    while waiting:
        term = waiting.pop()
        parts = _split(term) if len(done) + len(waiting) < MOST else None
        if parts is None:
            done.append(term)
        else:
            waiting.extend(reversed(parts))
    return done


def factors_of(node: Node) -> set[Node]:
    """The products that a formula is, within each other: what is lost in one of them is lost by the whole."""
    found, waiting = {node}, [node]
    while waiting:
        product = waiting.pop()
        inner = product.operands if is_op(product, "mul") or product.kind in ("einsum", "expand", "named") else ()
        waiting.extend(o for o in inner if o not in found)
        found.update(inner)
    return found


def _split(node: Node, depth: int = 4) -> list[Node] | None:
    if node.kind == "named":
        return [node.operands[0]] if is_op(node.operands[0], "add") else None
    if is_op(node, "add"):
        return [broadcast_to(o, node.shape) for o in node.operands]
    if depth == 0 or not (is_op(node, "mul") or node.kind in _LINEAR):
        return None
    for position, operand in enumerate(node.operands):
        parts = _split(operand, depth - 1)
        if parts is not None:
            return [_replaced(node, position, part) for part in parts]
    return None


def _replaced(node: Node, position: int, operand: Node) -> Node:
    return with_operands(node, [*node.operands[:position], operand, *node.operands[position + 1 :]])

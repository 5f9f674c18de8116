"""The terms that a formula is a sum of, and the formula without one of its factors.

In: a node.  Out: nodes of its shape.  For telling *how* two formulas differ.
Not handled: terms inside functions.
"""

from __future__ import annotations

from collections.abc import Iterator

from symnet.expr.constants import number_of
from symnet.expr.contraction import Einsum, contract
from symnet.expr.elementwise import elementwise, is_op
from symnet.expr.graph import with_operands
from symnet.expr.movement import broadcast_to
from symnet.expr.node import Node

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


def without_factors(node: Node) -> Iterator[tuple[Node, Node]]:
    """(factor, the node without it), for the factors of a product, of a contraction, and one level below."""
    yield from _dropped(node)
    for position, operand in enumerate(node.operands if node.kind in _LINEAR or is_op(node, "mul") else ()):
        for factor, rest in _dropped(operand):
            yield factor, _replaced(node, position, rest)


def _dropped(node: Node) -> Iterator[tuple[Node, Node]]:
    if is_op(node, "mul"):
        for position, factor in enumerate(node.operands):
            rest = [o for k, o in enumerate(node.operands) if k != position]
            if number_of(factor) is None:
                product = elementwise("mul", *rest) if len(rest) > 1 else rest[0]
                yield factor, broadcast_to(product, node.shape)
                yield from _lower_power(node, position, factor)
    elif isinstance(node, Einsum) and len(node.operands) > 1:
        for position, factor in enumerate(node.operands):
            inputs = [i for k, i in enumerate(node.inputs) if k != position]
            if set(node.output) <= {i for indices in inputs for i in indices}:
                yield factor, contract(inputs, node.output, *(o for o in node.operands if o is not factor))


def _lower_power(node: Node, position: int, factor: Node) -> Iterator[tuple[Node, Node]]:
    """x² among the factors: without one x."""
    exponent = number_of(factor.operands[1]) if is_op(factor, "pow") else None
    if exponent is not None and exponent.is_Integer and exponent > 1:
        base = factor.operands[0]
        yield base, _replaced(node, position, base if exponent == 2 else elementwise("pow", base, exponent - 1))

"""Minus signs moved to where they read best, before a formula is read.

In: a root.  Out: a graph of the same value: a product that is negative gives its sign to a sum inside it that reads as
well with its terms negated, through products of matrices, sums and repetitions: `-X.T @ (D - Y)/m` becomes
`X.T @ (Y - D)/m`.  A term of a sum keeps its sign, which is the sum's.  Only for printing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from symnet.expr.nodes.constants import number, number_of
from symnet.expr.nodes.contraction import Einsum
from symnet.expr.nodes.elementwise import elementwise, is_op
from symnet.expr.nodes.expansion import Expand
from symnet.expr.nodes.graph import with_operands
from symnet.expr.nodes.node import Node
from symnet.expr.printing.elementwise import MOST_FACTORS, flat_operands, negates_well, reads_as_well_negated, sign_of
from symnet.expr.printing.view import visible

_DEEPEST = 8  # operations that a sign passes


@dataclass(frozen=True)
class _Seen:
    """How many visible nodes have a node for an operand, and the nodes that take no sign."""

    uses: Counter[Node]
    barren: set[Node] = field(default_factory=set)


def signs_inside(root: Node) -> Node:
    """The root with the signs of its products inside them, where they read as well."""
    order = visible(root)
    if not any(map(_is_negative, order)):
        return root
    evenly = _turned_evenly(order)
    new: dict[Node, Node] = {}
    seen = _Seen(Counter(o for node in order if node.kind != "named" for o in node.operands))
    for node in order:
        below = [] if node.kind == "named" else [new[o] for o in node.operands]
        if below and not is_op(node, "add", "mul"):
            below = [_turned(o, seen) for o in below]
        new[node] = with_operands(node, below) if below else node
        if node in evenly:
            new[node] = _minus(new[node], 1)
    return _turned(new[root], seen)


def _turned_evenly(order: Sequence[Node]) -> set[Node]:
    """Sums x - y that stand in even functions, norms and squares, and once in a negative product, or in a product in
    one; and these products: with both negated -(y - x)/norm(y - x) is (x - y)/norm(x - y).
    """
    users: dict[Node, list[Node]] = {}
    for node in order:
        for operand in () if node.kind == "named" else node.operands:
            users.setdefault(operand, []).append(node)
    found: set[Node] = set()
    for total, where in users.items():
        odd = [user for user in where if not _is_even(user)] if is_op(total, "add") else []
        if len(where) > len(odd) == 1 and negates_well(total):
            product = _negative_above(odd[0], users)
            if product is not None and product not in found:
                found |= {total, product}
    return found


def _negative_above(node: Node, users: dict[Node, list[Node]]) -> Node | None:
    """The negative product that a node is, or in which alone it stands as a factor; None where there is none."""
    for _ in range(_DEEPEST):
        if _is_negative(node):
            return node
        if not is_op(node, "mul") or len(users.get(node, ())) != 1:
            return None
        (node,) = users[node]
    return None


def _is_even(node: Node) -> bool:
    """Whether a function of its first operand has the same value at minus it."""
    exponent = number_of(node.operands[1]) if is_op(node, "pow") else None
    return is_op(node, "abs") or bool(exponent is not None and exponent.is_even)


def _is_negative(node: Node) -> bool:
    return is_op(node, "mul") and sign_of(node) < 0


def _turned(node: Node, seen: _Seen) -> Node:
    """A product whose sign a sum inside it takes; any other node itself.

    Args:
        node: a value that is no term and no factor.
        seen: what is known of the nodes.
    """
    if not _is_negative(node):
        return node
    if any(reads_as_well_negated(f, seen.uses) for f in flat_operands(node, "mul", MOST_FACTORS)):
        return node  # a sum among the factors takes the sign when it is read
    turned = _negated(_without_sign(node), _DEEPEST, seen)
    return node if turned is None else turned


def _without_sign(node: Node) -> Node:
    """Minus a product that has a minus sign."""
    operands = list(node.operands)
    for place, factor in enumerate(operands):
        value = number_of(factor)
        if value is not None and value.is_negative:
            rest = [*operands[:place], *operands[place + 1 :]]
            return _product(rest if value == -1 else [number(-value), *rest])
        if _is_negative(factor):
            operands[place] = _without_sign(factor)
            return _product(operands)
    return node


def _product(factors: Sequence[Node]) -> Node:
    return factors[0] if len(factors) == 1 else elementwise("mul", *factors)


def _negated(node: Node, depth: int, seen: _Seen) -> Node | None:
    """Minus a node, without a sign before it; None where it would need one."""
    if not depth or node in seen.barren:
        return None
    if reads_as_well_negated(node, seen.uses):
        return _minus(node, depth)
    if (is_op(node, "mul") and not _is_negative(node)) or isinstance(node, Einsum | Expand):
        operands = node.operands  # the node is linear in each
        for place in reversed(range(len(operands))):
            negated = _negated(operands[place], depth - 1, seen)
            if negated is not None:
                return with_operands(node, [*operands[:place], negated, *operands[place + 1 :]])
    seen.barren.add(node)
    return None


def _minus(term: Node, depth: int) -> Node:
    """Minus a term; of a sum term by term."""
    if is_op(term, "add") and depth:
        return elementwise("add", *(_minus(t, depth - 1) for t in term.operands))
    value = number_of(term)
    if value is not None:
        return number(-value)
    return _without_sign(term) if _is_negative(term) else elementwise("mul", -1, term)

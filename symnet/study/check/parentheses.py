"""Parentheses that are missing: n*x**n - 1 for n*x**(n - 1), 1/2*x for 1/(2*x).

In: a formula as it was typed.  Out: what stands there, what may be meant, and the formula with it.
Not handled: parentheses around several terms or factors.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from symnet.errors import SymnetError
from symnet.expr.nodes.constants import number, number_of
from symnet.expr.nodes.elementwise import elementwise, is_op, power, reciprocal
from symnet.expr.nodes.graph import substitute, topological, with_operands
from symnet.expr.nodes.node import Node

Meant = tuple[Node, Node]  # (what stands there, what may be meant)


def parenthesised(formula: Node) -> Iterator[tuple[Node, Node, Node]]:
    """(what stands there, what may be meant, the formula with it)."""
    for node in reversed(topological(formula)):
        try:
            for stands, meant in _meant(node):
                (whole,) = substitute([formula], {node: meant})
                yield stands, meant, whole
        except SymnetError:
            continue


def _meant(node: Node) -> Iterator[Meant]:
    if is_op(node, "add"):
        yield from _exponents_of_sums(node)
        yield from _denominators_of_sums(node)
    elif is_op(node, "mul"):
        yield from _factors(node)


def _without(node: Node, k: int) -> Node:
    rest = [o for j, o in enumerate(node.operands) if j != k]
    return elementwise(str(node.args[0]), *rest) if len(rest) > 1 else rest[0]


def _exponents_of_sums(node: Node) -> Iterator[Meant]:
    """u**n + c for u**(n + c)."""
    for k, term in enumerate(node.operands):
        if term.rank:
            continue
        rest = _without(node, k)
        for place in topological(rest):
            if is_op(place, "pow") and not place.operands[1].rank:
                meant = power(place.operands[0], _sum(place.operands[1], term))
                yield node, _only(rest, place, meant)


def _sum(exponent: Node, term: Node) -> Node:
    p, q = number_of(exponent), _value(term)
    return exponent + term if p is None or q is None else number(p + q)


def _value(node: Node) -> Any:
    """The number that a term is, -1 as it is typed too."""
    if is_op(node, "mul") and len(node.operands) == 2 and number_of(node.operands[0]) == -1:
        value = number_of(node.operands[1])
        return None if value is None else -value
    return number_of(node)


def _only(whole: Node, place: Node, new: Node) -> Node:
    (changed,) = substitute([whole], {place: new})
    return changed


def _denominators_of_sums(node: Node) -> Iterator[Meant]:
    """a/b + c for a/(b + c)."""
    for k, term in enumerate(node.operands):
        rest = _without(node, k)
        for place in topological(rest):
            if is_op(place, "pow") and number_of(place.operands[1]) == -1:
                yield node, _only(rest, place, reciprocal(place.operands[0] + term))


def _factors(node: Node) -> Iterator[Meant]:
    """a/b*c for a/(b*c), and u**n*c or u**n/c for u to the power n*c or n/c."""
    below = [k for k, o in enumerate(node.operands) if _below(o) is not None]
    for k, factor in enumerate(node.operands):
        if any(j < k for j in below) and _below(factor) is None:
            yield node, with_operands(node, [reciprocal(o) if o is factor else o for o in node.operands])
        for j, place in enumerate(node.operands[:k]):
            if is_op(place, "pow") and not factor.rank and not place.operands[1].rank:
                meant = power(place.operands[0], place.operands[1] * factor)
                others = [meant if i == j else o for i, o in enumerate(node.operands) if i != k]
                yield node, elementwise("mul", *others) if len(others) > 1 else others[0]


def _below(node: Node) -> Node | None:
    """What a factor divides by, of 1/b and of a number 1/2."""
    value = number_of(node)
    if value is not None:
        return node if getattr(value, "p", None) == 1 and getattr(value, "q", 1) != 1 else None
    return node.operands[0] if is_op(node, "pow") and number_of(node.operands[1]) == -1 else None

"""Functions in pieces, where(c, a, b) and 1[c]: two cases exchanged, one of them wrong or forgotten, another condition.

In: both formulas and their values.  Out: a sentence about the case that is wrong, or None.
Not handled: two cases wrong at once, beyond that they are exchanged.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from symnet.arrays import Array
from symnet.errors import SymnetError
from symnet.expr.nodes.constants import as_node
from symnet.expr.nodes.elementwise import elementwise, is_op, negative, where
from symnet.expr.nodes.graph import substitute, topological
from symnet.expr.nodes.movement import broadcast_to
from symnet.expr.nodes.node import Node
from symnet.simplify.algebra.table import simplify
from symnet.study.check.case import Case, factor, same

_OPPOSITE = {"lt": "ge", "ge": "lt", "le": "gt", "gt": "le", "eq": "ne", "ne": "eq"}


class _Piece(NamedTuple):
    """A node that is `then` where the condition holds, and `other` elsewhere."""

    node: Node
    condition: Node
    then: Node
    other: Node


def wrong_cases(case: Case) -> str | None:
    """What is wrong with one case of a function in pieces."""
    pieces = list(_pieces(case.truth))
    for formula in dict.fromkeys((case.written, case.mine)):
        for mine in _pieces(formula):
            for said, new in _changes(mine, pieces):
                if _becomes(case, formula, mine.node, new, case.right):
                    return said
    for mine in _pieces(case.written):
        found = _right_in_one(case, mine)
        if found:
            return found
    for true in pieces:
        for said, new in _forgotten(true) if is_op(true.node, "where") else ():
            if _becomes(case, case.truth, true.node, new, case.given):
                return said
    return None


def _pieces(formula: Node) -> Iterator[_Piece]:
    for node in reversed(topological(formula)):
        if is_op(node, "where"):
            yield _Piece(node, *map(_unrepeated, node.operands))
        elif is_op(node, "indicator"):
            yield _Piece(node, _unrepeated(node.operands[0]), as_node(1), as_node(0))


def _changes(mine: _Piece, pieces: list[_Piece]) -> Iterator[tuple[str, Node]]:
    """What may be meant, and what is to be said then."""
    _, condition, then, other = mine
    opposite = _opposite(condition)
    try:
        yield f"the two cases of {mine.node} are exchanged", where(condition, other, then)
        yield f"the sign of {then} is wrong, where {condition}", where(condition, negative(then), other)
        yield f"the sign of {other} is wrong, where {opposite}", where(condition, then, negative(other))
        for true in pieces:
            if true.condition is not condition:
                yield f"the condition {condition} should be {true.condition}", where(true.condition, then, other)
            yield f"where {condition}, {then} should be {_short(true.then)}", where(condition, true.then, other)
            yield f"where {opposite}, {other} should be {_short(true.other)}", where(condition, then, true.other)
            yield f"where {condition}, {then} should be {_short(true.other)}", where(condition, true.other, other)
            yield f"where {opposite}, {other} should be {_short(true.then)}", where(condition, then, true.then)
    except SymnetError:  # pieces of other shapes
        return


def _right_in_one(case: Case, mine: _Piece) -> str | None:
    """Right wherever one of the cases holds, of values that go element by element."""
    if mine.condition.shape != case.truth.shape or case.mine.shape != case.truth.shape:
        return None
    held = [v.astype(bool) for v in case.values(mine.condition)]
    for here, wrong, where_wrong in (
        (held, mine.other, _opposite(mine.condition)),
        ([~v for v in held], mine.then, mine.condition),
    ):
        inside, outside = _at(here, case), _at([~v for v in here], case)
        if not any(v.size for v in inside[0]) or not any(v.size for v in outside[0]) or not same(*inside):
            continue
        shown = [pair for pair in zip(*outside, case.sizes, strict=True) if pair[1].size]
        c = factor([a for a, _, _ in shown], [b for _, b, _ in shown], replace(case, sizes=[s for *_, s in shown]))
        off = f"is {c} times what it should be" if c and not c.rounded and c.text != "1" else "is wrong"
        return f"right only where {_opposite(where_wrong)}: where {where_wrong}, {wrong} {off}"
    return None


def _at(where: Sequence[Array], case: Case) -> tuple[list[Array], list[Array]]:
    """Both values in some places."""
    both = (case.given, case.right)
    given, right = ([v[w] for v, w in zip(values, where, strict=True)] for values in both)
    return given, right


def _forgotten(true: _Piece) -> Iterator[tuple[str, Node]]:
    """The gradient without one of its cases."""
    _, condition, then, other = true
    said = "a case is missing: where {}, it should be {}"
    yield said.format(_opposite(condition), _short(other)), then
    yield said.format(condition, _short(then)), other


def _becomes(case: Case, formula: Node, node: Node, new: Node, wanted: Sequence[Array]) -> bool:
    try:
        (whole,) = substitute([formula], {node: broadcast_to(new, node.shape)})
        return same(case.values(whole), wanted)
    except SymnetError:
        return False


def _opposite(condition: Node) -> Node:
    op = str(condition.args[0]) if condition.kind == "elementwise" else ""
    return elementwise(_OPPOSITE[op], *condition.operands) if op in _OPPOSITE else ~condition


def _unrepeated(node: Node) -> Node:
    return node.operands[0] if node.kind == "expand" else node


def _short(node: Node) -> Node:
    return _unrepeated(min(node, *simplify([node]), key=lambda form: len(str(form))))

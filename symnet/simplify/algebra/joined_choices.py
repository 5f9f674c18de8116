"""Choices by one condition that stand in one sum, as one choice: where(c, x, 0) + [c] → where(c, x + 1, 0).

In: a sum whose operands are in normal form.  Out: the same sum with two of its terms in one.
What was chosen and then moved is the choice of what is moved, so that terms meet that derivatives have moved apart.
Not handled: choices that are laid among zeros, or repeated.
"""

from __future__ import annotations

from typing import NamedTuple

from symnet.expr.nodes.constants import number, number_of
from symnet.expr.nodes.contraction import Einsum
from symnet.expr.nodes.elementwise import elementwise, is_op
from symnet.expr.nodes.graph import with_operands
from symnet.expr.nodes.movement import broadcast_to, reshape
from symnet.expr.nodes.node import Node
from symnet.simplify.algebra.hoisting import is_move
from symnet.simplify.algebra.movement import moved
from symnet.simplify.forms.coefficients import product, split_coefficient


def join_choices_by_one_condition(node: Node) -> Node | None:
    """where(c, x, 0) + where(c, 0, y) → where(c, x, y), where(c, x, y) + 2·where(c, u, v) → where(c, x + 2·u, y + 2·v);
    [c] is where(c, 1, 0), and where(c[::-1], x, y)[::-1] is where(c, x[::-1], y[::-1]); ([c]·x)[k:] + [c[k:]]·y →
    [c[k:]]·(x[k:] + y).

    Condition: factors go inside, to where they are used, so a choice between two values has none but a number.
    """
    seen: dict[Node, tuple[int, Choice]] = {}
    for n, term in enumerate(node.operands):
        choice = _choice(term) if term.shape == node.shape else None
        if choice is None:
            continue
        condition = choice.condition
        if condition in seen:
            m, other = seen[condition]
            joined = _joined(other, choice)
            if joined is None:
                continue
            rest = [o for k, o in enumerate(node.operands) if k not in (m, n)]
            return broadcast_to(elementwise("add", joined, *rest) if rest else joined, node.shape)
        seen[condition] = (n, choice)
    return None


class Choice(NamedTuple):
    """A term that is `first` where a condition holds, else `second`: a mask times a value, or a `where`."""

    condition: Node
    first: Node
    second: Node
    masked: bool
    moved: bool


def _choice(term: Node) -> Choice | None:
    """A term that is a choice, its factors multiplied in."""
    coefficient, moved_factors = split_coefficient(term)
    factors = tuple(f for each in moved_factors for f in _factors_of_moved(each))
    choices = [f for f in factors if is_op(f, "where", "indicator")]
    if len(choices) != 1:
        return None
    (choice,) = choices
    others = tuple(f for f in factors if f is not choice)
    outside, was_moved = product(coefficient, others), factors != moved_factors
    if is_op(choice, "indicator"):
        return _turned(Choice(choice.operands[0], outside, number(0), True, was_moved))
    condition, a, b = choice.operands
    if others and number_of(a) != 0 and number_of(b) != 0:
        return None
    alone = number_of(outside) == 1
    first, second = (x if alone or number_of(x) == 0 else elementwise("mul", outside, x) for x in (a, b))
    return _turned(Choice(condition, first, second, False, was_moved))


def _turned(choice: Choice) -> Choice:
    """A choice by `not c` as the choice by c, its branches exchanged."""
    inner = _beneath(choice.condition)
    if not is_op(inner, "not"):
        return choice
    condition = _moved_alike(choice.condition, inner.operands[0], inner)
    return Choice(condition, choice.second, choice.first, choice.masked, choice.moved)


def _factors_of_moved(x: Node) -> list[Node]:
    """[c[k:]] and x[k:] for ([c]·x)[k:]; what holds no choice stays as it is."""
    inner = _beneath(x)
    if inner is x or not is_op(inner, "mul") or sum(is_op(o, "where", "indicator") for o in inner.operands) != 1:
        return [choice_of_moved(x)]
    return [choice_of_moved(_moved_alike(x, o, inner)) for o in inner.operands]


def choice_of_moved(x: Node) -> Node:
    """where(c[k:], a[k:], b[k:]) for where(c, a, b)[k:], and so for all moves that choose or reorder elements."""
    inner = _beneath(x)
    if inner is x or not is_op(inner, "where", "indicator"):
        return x
    condition, *branches = (_moved_alike(x, o, inner) for o in inner.operands)
    return x if condition.dtype != "bool" else broadcast_to(with_operands(inner, [condition, *branches]), x.shape)


def _beneath(x: Node) -> Node:
    """The array whose elements a move takes."""
    while is_move(x):
        x = x.operands[0]
    return x


def _moved_alike(x: Node, operand: Node, inner: Node) -> Node:
    """An operand of what is moved, by the moves of x; a scalar stays one."""
    if not operand.rank:
        return operand
    if x is inner:
        return broadcast_to(operand, inner.shape)
    before = _moved_alike(x.operands[0], operand, inner)
    if before.dtype == "bool" and isinstance(x, Einsum) and _drops_in_order(x):
        return reshape(before, x.shape)  # a sum of truth values would count them
    return moved(x, before)


def _drops_in_order(move: Einsum) -> bool:
    """Whether axes are left out and the others keep their order."""
    (indices,) = move.inputs
    kept = tuple(i for i in indices if i in move.output)
    return len(set(indices)) == len(indices) > len(kept) and kept == tuple(move.output)


def _joined(one: Choice, two: Choice) -> Node | None:
    """The sum of two choices; None for those that stay: [c]·x + [c]·y is [c]·(x + y)."""
    if one.masked and two.masked:
        return _mask_times_sum(one, two) if one.moved or two.moved else None
    return elementwise("where", one.condition, _added(one.first, two.first), _added(one.second, two.second))


def _mask_times_sum(one: Choice, two: Choice) -> Node | None:
    """[c]·(x + y), where both masks hold at the same places."""
    first, second = _added(one.first, two.first), _added(one.second, two.second)
    if number_of(second) == 0:
        return elementwise("mul", elementwise("indicator", one.condition), first)
    if number_of(first) == 0:
        return elementwise("mul", elementwise("indicator", elementwise("not", one.condition)), second)
    return None


def _added(x: Node, y: Node) -> Node:
    if number_of(x) == 0:
        return y
    return x if number_of(y) == 0 else elementwise("add", x, y)

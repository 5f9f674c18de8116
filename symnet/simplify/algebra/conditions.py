"""Conditions: connected in one order, negated last, decided where their truth table says so.

In: `and`, `or`, comparisons, and what chooses by them, operands in normal form.  Out: one spelling for conditions that
are equal; no choice by what always holds.
"""

from __future__ import annotations

from functools import reduce
from itertools import product as combinations

from symnet.expr.nodes.constants import number, number_of
from symnet.expr.nodes.contraction import Einsum
from symnet.expr.nodes.elementwise import elementwise, is_op
from symnet.expr.nodes.extents import is_one, same_shape
from symnet.expr.nodes.movement import Reshape, Slice, broadcast_to
from symnet.expr.nodes.node import Node, Shape
from symnet.simplify.algebra.hoisting import moved_after
from symnet.simplify.forms.coefficients import split_coefficient
from symnet.simplify.forms.order import product_key
from symnet.simplify.forms.signs import is_positive
from symnet.simplify.rewrite import Rewrite

_ATOMS = 6  # of a condition whose truth table is looked at


def indicator_above_zero_is_its_condition(node: Node) -> Node | None:
    """[c] > 0 → c, 5·[c] > 0 → c.  Always: a number in front is positive."""
    inner, zero = node.operands
    coefficient, factors = split_coefficient(inner)
    if len(factors) != 1 or not is_op(factors[0], "indicator") or number_of(zero) != 0 or not is_positive(coefficient):
        return None
    return broadcast_to(factors[0].operands[0], node.shape)


def connect_conditions_in_order(node: Node) -> Node | None:
    """q and (p and q) → p and q, and so for or: one spelling for conditions that are equal.  Always."""
    name = str(node.args[0])
    parts, stack = dict[Node, None](), list(reversed(node.operands))
    while stack:
        each = stack.pop()
        if is_op(each, name):
            stack.extend(reversed(each.operands))
        else:
            parts[each] = None
    joined = reduce(lambda a, b: elementwise(name, a, b), sorted(parts, key=product_key))
    return broadcast_to(joined, node.shape)


_DUAL = {"and": "or", "or": "and"}


def connect_before_negating(node: Node) -> Node | None:
    """not p and not q → not (p or q); not p or not q → not (p and q).  Always."""
    if not all(is_op(o, "not") for o in node.operands):
        return None
    return elementwise("not", elementwise(_DUAL[str(node.args[0])], *(o.operands[0] for o in node.operands)))


def drop_branch_that_is_never_taken(node: Node) -> Node | None:
    """where(p or not p, x, y) → x; where(p and not p, x, y) → y; [p or not p] → 1.

    Condition: the truth table of the condition, over at most `_ATOMS` comparisons, says so.
    """
    always = _truth(node.operands[0])
    if always is None:
        return None
    branches = node.operands[1:] or (number(1), number(0))
    return broadcast_to(branches[0] if always else branches[1], node.shape)


def _truth(condition: Node) -> bool | None:
    """Whether a condition made of and, or, not holds always (True) or never (False)."""
    if not is_op(condition, "and", "or", "not"):
        return None
    inner, atoms = _opened(condition)
    if len(atoms) > _ATOMS:
        return None
    seen = {_value(condition, dict(zip(atoms, row, strict=True)), inner) for row in _rows(len(atoms))}
    return seen.pop() if len(seen) == 1 else None


def _rows(count: int) -> list[tuple[bool, ...]]:
    return list(combinations((False, True), repeat=count))


def _opened(condition: Node) -> tuple[list[Node], list[Node]]:
    """The connectives of a condition, operands first, and what they connect."""
    inner: dict[Node, None] = {}
    atoms: dict[Node, None] = {}
    stack = [condition]
    while stack and len(atoms) <= _ATOMS and len(inner) <= 4 * _ATOMS:
        each = stack.pop()
        if is_op(each, "and", "or", "not"):
            inner.pop(each, None)
            inner[each] = None
            stack.extend(each.operands)
        else:
            atoms[each] = None
    return list(reversed(inner)), list(atoms) if not stack else [*atoms] * (_ATOMS + 1)


def _value(condition: Node, values: dict[Node, bool], inner: list[Node]) -> bool:
    for each in inner:
        given = [values[o] for o in each.operands]
        values[each] = (not given[0]) if is_op(each, "not") else all(given) if is_op(each, "and") else any(given)
    return values[condition]


def compare_before_turning(node: Node) -> Node | None:
    """xᵀ > 0 → (x > 0)ᵀ, reshape(p) and reshape(q) → reshape(p and q): one spelling for conditions that are equal.

    Condition: every operand is a scalar, or turned, folded or reversed likewise, no element left out.  Axes of extent 1
    that come or go fold nothing.
    """
    arrays = [o for o in node.operands if o.rank]
    move = arrays[0] if arrays else node
    turned = isinstance(move, Einsum) and move.is_transpose
    reversed_whole = isinstance(move, Slice) and same_shape(move.shape, move.operands[0].shape)
    folded = isinstance(move, Reshape) and not same_shape(*map(_without_units, (move.shape, move.operands[0].shape)))
    if not (turned or reversed_whole or folded) or not same_shape(move.shape, node.shape):
        return None
    return moved_after(node, move)


def _without_units(shape: Shape) -> Shape:
    return tuple(n for n in shape if not is_one(n))


CONDITIONS = (
    Rewrite(indicator_above_zero_is_its_condition, ("gt",), domain="equal", role="shorter"),
    Rewrite(connect_before_negating, ("and", "or"), domain="equal", role="shorter"),
    Rewrite(connect_conditions_in_order, ("and", "or"), domain="equal", role="spelling"),
    Rewrite(drop_branch_that_is_never_taken, ("where", "indicator"), domain="equal", role="shorter"),
    Rewrite(
        compare_before_turning,
        ("lt", "le", "gt", "ge", "eq", "ne", "and", "or"),
        below=("reshape|einsum|slice",),
        domain="equal",
        role="spelling",
    ),
)

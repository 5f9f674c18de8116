"""Constants put back into the sums that they were taken out of, where that keeps digits: a pass of the numeric form.

In: sums of terms in the algebra form, which writes Σ (1 - σ(x)) as n - Σ σ(x), and Σ w·(1 - σ(x)) perhaps as
Σ w - Σ w·σ(x).  Out: -Σ (σ(x) - 1), which the passes after this one compute as Σ σ(-x), and Σ w·σ(-x).  The mean of
exp(x) - 1 at x = 1e-20 is so 1e-20, and not 0; so is a slope that is added up by index.
The constant goes in where one of the rewrites that remove cancellation fires on the term and the constant together, and
not on the term alone.
Not handled: constants that are arrays.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import sympy
from sympy import Expr

from symnet.expr.nodes.constants import number, number_of
from symnet.expr.nodes.contraction import Einsum, IndexedOperand, contract
from symnet.expr.nodes.elementwise import elementwise, is_op, operands_of
from symnet.expr.nodes.extents import product, same_shape
from symnet.expr.nodes.movement import broadcast_to
from symnet.expr.nodes.node import Node
from symnet.simplify.algebra.hoisting import moved_again, moves_of
from symnet.simplify.algebra.table import simplify
from symnet.simplify.engine import Table
from symnet.simplify.forms.coefficients import ONE, is_small, split_coefficient, sum_of_all
from symnet.simplify.forms.coefficients import product as product_of
from symnet.simplify.numeric.cancellations import CANCELLATIONS
from symnet.simplify.numeric.conjugates import CONJUGATES
from symnet.simplify.numeric.differences import DIFFERENCES
from symnet.simplify.numeric.exponentials.stable import LOGARITHMS
from symnet.simplify.numeric.reciprocals import RECIPROCALS
from symnet.simplify.numeric.squares import SQUARES
from symnet.simplify.rewrite import Rewrite

_AWAITED = (
    Table(CONJUGATES),
    Table((*DIFFERENCES, *CANCELLATIONS)),
    Table(SQUARES),
    Table(LOGARITHMS),
    Table(RECIPROCALS),
)


def constant_into_sum(node: Node) -> Node | None:
    """k·n·c + c·Σ x → c·Σ (x + k).

    Condition: the sum is of n elements, and a rewrite that keeps the digits of a difference fires on x + k, not on x.
    """
    terms = list(node.operands)
    for place, constant in enumerate(terms):
        total, core = _scalar(constant)
        if total is None:
            continue
        for other, term in enumerate(terms):
            new = None if other == place else _with_constant(term, total, core)
            if new is not None:
                rest = [t for k, t in enumerate(terms) if k not in (place, other)]
                return sum_of_all([*rest, new])
    return None


def _with_constant(term: Node, total: Expr, core: list[Node]) -> Node | None:
    """c·Σ (x + k·core) for a term c·Σ x, where k·core·n·c is the constant."""
    coefficient, factors = split_coefficient(term)
    sums = [f for f in factors if isinstance(f, Einsum) and _is_plain_sum(f)]
    if len(sums) != 1:
        return None
    (whole,) = sums
    scale = _number([number(coefficient), *(f for f in factors if f is not whole)])
    if scale is None:
        return None
    each = sympy.cancel(total / (scale * sympy.sympify(product(whole.extents[i] for i in whole.contracted))))
    if not is_small(each):
        return None
    (inside,) = whole.operands
    constant = elementwise("mul", number(each), *core) if core else number(each)
    element, turned = _with_both_signs(constant, inside)
    found = _awaited((turned, element) if coefficient < 0 else (element, turned), inside)
    if found is None:
        return None
    new = contract(whole.inputs, whole.output, found)
    return product_of(
        coefficient if found is element else -coefficient, tuple(new if f is whole else f for f in factors)
    )


def weight_into_sum(node: Node) -> Node | None:
    """k·Σ w + c·Σ w·x → c·Σ w·(x + k/c), w one factor or several, such as the `one_hot` of what is added by index.

    Condition: a rewrite that keeps the digits of a difference fires on x + k/c, not on x, or x has a term -k/c.
    """
    sums = [(place, found) for place, term in enumerate(node.operands) if (found := _weighted(term)) is not None]
    fewest = min((len(found.parts) for _, found in sums), default=0)
    longer = [(place, found) for place, found in sums if len(found.parts) > fewest]
    for place, ones in sums if longer else ():
        for other, found in longer:
            if len(found.parts) <= len(ones.parts) or found.beside != ones.beside or not found.is_moved_as(ones):
                continue
            joined = _with_weight(found, ones, ones.coefficient / found.coefficient)
            if joined is not None:
                value, new = joined
                rest = [t for k, t in enumerate(node.operands) if k not in (place, other)]
                whole = moved_again(found.moves, broadcast_to(new, found.total.shape))
                scaled = product_of(found.coefficient * value, (*found.beside, whole))
                return sum_of_all([*rest, scaled])
    return None


class WeightedSum(NamedTuple):
    """A term: a number and other factors times a contraction of some parts, which is moved."""

    coefficient: Expr
    beside: tuple[Node, ...]
    moves: Sequence[Node]
    total: Einsum
    parts: Sequence[IndexedOperand]

    def is_moved_as(self, other: WeightedSum) -> bool:
        alike = len(self.moves) == len(other.moves) and same_shape(self.total.shape, other.total.shape)
        return alike and moved_again(self.moves, other.total) is moved_again(other.moves, other.total)


def _weighted(term: Node) -> WeightedSum | None:
    coefficient, factors = split_coefficient(term)
    for factor in factors if is_small(coefficient) else ():
        moves, core = moves_of(factor)
        if isinstance(core, Einsum) and core.contracted and factor.shape == term.shape:
            return WeightedSum(coefficient, tuple(f for f in factors if f is not factor), moves, core, _parts(core))
    return None


def _with_weight(whole: WeightedSum, ones: WeightedSum, each: Expr) -> tuple[Expr, Node] | None:
    """Σ w·(x + k) for Σ w·x and Σ w: a number, and the contraction that it is times."""
    kept = _found_in(whole, ones) if is_small(each) else None
    if kept is None:
        return None
    left = [part for part in whole.parts if not any(part is k for k in kept)]
    x, indices = left[0]
    if len(left) > 1:
        indices = tuple(dict.fromkeys(i for _, at in left for i in at))
        x = contract([at for _, at in left], indices, *(core for core, _ in left))
    element, turned = _with_both_signs(number(each), x)
    found = _awaited((turned, element), x)
    if len(operands_of("add", element)) < len(operands_of("add", x)):
        found = element  # 1 - σ(z) less 1: nothing is left that could cancel
    if found is None:
        return None
    value, factors = split_coefficient(found)
    scaled = broadcast_to(product_of(ONE, factors), found.shape)
    new = contract([*(at for _, at in kept), indices], whole.total.output, *(core for core, _ in kept), scaled)
    return (value if found is element else -value), new


def _parts(total: Einsum) -> list[IndexedOperand]:
    """The factors of what is summed, each with its indices; those of products of arrays of one shape one by one."""
    found: list[IndexedOperand] = []
    for operand, indices in zip(total.operands, total.inputs, strict=True):
        todo = [operand]
        while todo:
            each = todo.pop()
            if is_op(each, "mul") and all(o.rank == each.rank for o in each.operands):
                todo.extend(reversed(each.operands))  # what is shared is a product inside a product
            else:
                found.append((each, tuple(indices)))
    return found


def _found_in(whole: WeightedSum, ones: WeightedSum) -> list[IndexedOperand] | None:
    """Those parts of a sum that are all of another one, under the same indices but for their numbers."""
    kept: list[IndexedOperand] = []
    same: dict[int, int] = {}
    for core, indices in ones.parts:
        for part in whole.parts:
            renamed = dict(zip(indices, part[1], strict=True)) if part[0] is core else None
            taken = any(part is k for k in kept)
            if renamed is None or taken or any(same.get(i, j) != j for i, j in renamed.items()):
                continue
            kept.append(part)
            same |= renamed
            break
        else:
            return None
    is_one_to_one = len(set(same.values())) == len(same)
    covers = {i for _, at in whole.parts for i in at} <= set(same.values())
    alike = covers and tuple(same[i] for i in ones.total.output) == tuple(whole.total.output)
    return kept if is_one_to_one and alike else None


def _with_both_signs(constant: Node, x: Node) -> list[Node]:
    """x + the constant, and minus that."""
    terms = constant, *operands_of("add", x)
    negative = (elementwise("mul", number(-1), t) for t in terms)
    return simplify([elementwise("add", *terms), elementwise("add", *negative)])


def _awaited(differences: Sequence[Node], x: Node) -> Node | None:
    """The first of them on which a rewrite that keeps digits fires; none where one fires on x as it is."""
    found = next((e for e in differences if _fires(e)), None)
    return None if found is None or _fires(x) else found


def _is_plain_sum(node: Einsum) -> bool:
    (first, *more) = node.inputs
    return bool(node.contracted) and not more and len(set(first)) == len(first)


def _fires(node: Node) -> bool:
    return any(table.step(node) is not None for table in _AWAITED)


def _scalar(term: Node) -> tuple[Expr | None, list[Node]]:
    """A term of rank 0 as a number of extents and what else it is multiplied by; None for any other."""
    if term.rank:
        return None, []
    factors = list(term.operands) if is_op(term, "mul") else [term]
    known = [f for f in factors if _exact(f) is not None]
    rest = [f for f in factors if _exact(f) is None]
    if any(isinstance(f, Einsum) for f in rest):
        return None, []
    return _number(known), rest


def _number(factors: list[Node]) -> Expr | None:
    """A product of numbers, extents and their powers, exactly."""
    values = [_exact(f) for f in factors]
    return None if any(v is None for v in values) else sympy.Mul(*values)


def _exact(node: Node) -> Expr | None:
    value = number_of(node)
    if value is not None:
        return value if value.is_Rational else None
    if node.rank:
        return None
    if node.kind == "size":
        return node.args[0]
    if is_op(node, "pow"):
        base, exponent = map(_exact, node.operands)
        return None if base is None or exponent is None or not exponent.is_Integer else base**exponent
    return None


CONSTANTS_IN_SUMS: tuple[Rewrite, ...] = (
    Rewrite(constant_into_sum, ("add",), below=("einsum",), domain="equal", role="stable"),
    Rewrite(weight_into_sum, ("add",), below=("einsum",), domain="extends", role="stable"),
)

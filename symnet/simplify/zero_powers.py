"""Slopes of x^n at x = 0 for an exponent that is no number: a pass of the numeric form.

In: products and contractions in the algebra form.  Out: the same with n·x^(n-1) = 0 where n = 0, and so
n·(n-1)·x^(n-2) where n is 0 or 1: x^0 is 1 for every x, and its slope is 0 also at 0, where x^(-1) is not finite.
Not handled: exponents whose factor stands in another sum than the power.
"""

from __future__ import annotations

from sympy import Expr

from symnet.expr.assumptions import known
from symnet.expr.constants import number_of
from symnet.expr.contraction import Einsum
from symnet.expr.elementwise import elementwise, equal, is_op, where
from symnet.expr.graph import with_operands
from symnet.expr.movement import Expand
from symnet.expr.node import Node
from symnet.simplify.engine import Rewrite
from symnet.simplify.factors import split_power
from symnet.simplify.signs import is_negative
from symnet.simplify.terms import Terms


def power_below_a_zero_exponent(node: Node) -> Node | None:
    """n·x^(n-1) → n·where(n = 0, 0, x^(n-1)), also of n·(n - 1) beside x^(n-2), and within contractions.

    Condition: n is no number and the exponent is n less a number; the original is 0·∞ at n = x = 0.
    """
    operands = list(node.operands)
    for j, other in enumerate(operands):
        factors = [f for k, f in enumerate(operands) if k != j and _may_vanish(f) and _stands_beside(node, k, j)]
        new = _guarded(other, factors) if factors else None
        if new is not None:
            return with_operands(node, [*operands[:j], new, *operands[j + 1 :]])
    return None


def nothing_over_a_positive_variable(node: Node) -> Node | None:
    """d/y → d·where(d = 0, 0, 1/y), y a variable that is declared positive: 0 also where y is 0 against its word.

    Condition: d may be 0 (so it is in the slope of d·log(y), of which 0·log(0) = 0 is the value).
    """
    for place, other in enumerate(node.operands):
        base, exponent = split_power(other)
        if base.kind != "tensor" or not is_negative(exponent) or not known(base, "positive"):
            continue
        rest = [o for k, o in enumerate(node.operands) if k != place]
        above = [o for o in rest if _may_vanish(o) and o.shape in ((), other.shape)]
        if above:
            weight = above[0] if len(above) == 1 else elementwise("mul", *above)
            return with_operands(node, [*rest, where(equal(weight, 0), 0, other)])
    return None


def _may_vanish(factor: Node) -> bool:
    return number_of(factor) is None and not known(factor, "nonzero")


def _stands_beside(node: Node, k: int, j: int) -> bool:
    """Whether two operands of a product or contraction meet element by element."""
    return not isinstance(node, Einsum) or not node.operands[k].rank or node.inputs[k] == node.inputs[j]


def _guarded(node: Node, factors: list[Node]) -> Node | None:
    """The node with x^e replaced by where(f = 0, 0, x^e), f the factors that are e but for a number; None without."""
    if is_op(node, "pow"):
        base, exponent = split_power(node)
        if not isinstance(exponent, Node) or known(base, "positive"):
            return None
        opened = [o for f in factors for o in (f.operands if is_op(f, "mul") else (f,)) if _may_vanish(o)]
        mine = [f for f in opened if f.shape == node.shape[node.rank - f.rank :] and _differ_by_number(exponent, f)]
        if not mine:
            return None
        product = mine[0] if len(mine) == 1 else elementwise("mul", *mine)
        return where(equal(product, 0), 0, node)
    if not isinstance(node, Einsum | Expand) and not is_op(node, "mul"):
        return None
    inside = factors if is_op(node, "mul") else [f for f in factors if not f.rank]
    for k, operand in enumerate(node.operands if inside else ()):
        new = _guarded(operand, inside)
        if new is not None:
            return with_operands(node, [*node.operands[:k], new, *node.operands[k + 1 :]])
    return None


def _differ_by_number(exponent: Node, factor: Node) -> bool:
    """Whether e - f or e + f is a number."""
    e, f = (_without_number(x) for x in (exponent, factor))
    return bool(e) and f in (e, {key: -c for key, c in e.items()})


def _without_number(x: Node) -> dict[object, Expr]:
    inner = x.operands[0] if isinstance(x, Expand) else x
    return {key: c for key, c in Terms.of(inner).coefficients.items() if key[0]}


ZERO_POWERS = (
    Rewrite(power_below_a_zero_exponent, ("mul", "einsum")),
    Rewrite(nothing_over_a_positive_variable, ("mul",)),
)

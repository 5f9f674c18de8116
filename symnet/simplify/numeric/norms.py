"""Norms and roots at zero: a pass of the numeric form.

In: products in the algebra form.  Out: the same, with 0·∞ = 0 where ∞ is the reciprocal of a root at 0: the slope
x/‖x‖ of a norm is 0 where x is 0, however it was spelled, and a slope of √s that nothing depends on is 0.
A root is looked for under a half-integer or any other fractional power.  Not handled: squares that overflow or vanish
(‖x‖ is computed as √Σx², for elements between the square roots of the smallest and the largest number).
"""

from __future__ import annotations

from symnet.expr.facts.assumptions import known
from symnet.expr.nodes.constants import number_of
from symnet.expr.nodes.contraction import Einsum
from symnet.expr.nodes.elementwise import elementwise, equal, is_op, where
from symnet.expr.nodes.expansion import Expand
from symnet.expr.nodes.graph import with_operands
from symnet.expr.nodes.movement import broadcast_to
from symnet.expr.nodes.node import Node
from symnet.simplify.forms.broadcast import without_repetition
from symnet.simplify.forms.signs import is_negative, is_whole
from symnet.simplify.numeric.vanishing import (
    DEEPEST,
    Located,
    core_at,
    factors_at,
    located,
    operands_at,
    squares_at,
    vanish_twice,
    vanish_with,
)
from symnet.simplify.rewrite import Rewrite


def slope_of_norm_at_zero(node: Node) -> Node | None:
    """x·(Σx²)^(-1/2) → x·where(Σx² = 0, 0, (Σx²)^(-1/2)): the slope of a norm is 0 where x is 0.

    Also x·(x·v)·(Σx²)^(-1), as in its second derivative.
    Condition: the product vanishes with what is squared, at the same elements, twice under a whole power; the original
    is 0·∞ there.
    """
    operands = operands_at(located(node))
    for place, factor in enumerate(operands):
        others = [o for o in operands if o is not factor]
        new = _guarded(factor, others)
        new = _guarded_terms(factor, others) if new is None else new
        if new is not None:
            return with_operands(node, [*node.operands[:place], new, *node.operands[place + 1 :]])
    return None


def _guarded(factor: Located, others: list[Located]) -> Node | None:
    """A power of a sum, or a repeated product with one, guarded where the sum is 0 if all the factors vanish there."""
    root = core_at(factor)
    inner = factors_at(root) if root is not factor else [root]
    for k, power in enumerate(inner):
        twice = _is_reciprocal_of_sum(power.node)
        if not twice and not is_reciprocal_root(power.node):
            continue
        beside = [*others, *inner[:k], *inner[k + 1 :]]
        vanish = vanish_twice if twice else vanish_with
        if any(vanish(beside, bases) for bases in squares_at(_total(power))):
            guarded = where(equal(power.node.operands[0], 0), 0, power.node)
            parts = [guarded if one is power else one.node for one in inner]
            new = guarded if root is power else with_operands(root.node, parts)
            return with_operands(factor.node, [new]) if root is not factor else new
    return None


def _total(power: Located) -> Located:
    """The sum that a power is of, without its repetition."""
    return core_at(operands_at(power)[0])


def _guarded_terms(factor: Located, others: list[Located]) -> Node | None:
    """A sum, perhaps repeated, with powers of a sum of squares in its terms, guarded where the other factors vanish."""
    total = core_at(factor)
    if not is_op(total.node, "add"):
        return None
    parts = [core_at(part) for term in operands_at(total) for part in factors_at(term)]
    poles = {_total(p) for p in parts if is_reciprocal_root(p.node) or _is_reciprocal_of_sum(p.node)}
    met = {s for s in poles if any(vanish_with(others, bases) for bases in squares_at(s))}
    new = _without_poles(factor, met, DEEPEST) if met else factor.node
    return None if new is factor.node else new


def nothing_over_root_of_nothing(node: Node) -> Node | None:
    """y·s^(-1/2) → y·where(y = 0, 0, s^(-1/2)): a root passes on a slope of 0 as 0, where its own is infinite.

    Condition: s may be 0, and so may y, which is no number; the original is 0·∞ at y = s = 0.
    """
    roots = [o for o in node.operands if is_reciprocal_root(o.operands[0] if isinstance(o, Expand) else o)]
    rest = [o for o in node.operands if o not in roots]
    passed = [o for o in rest if not known(o, "nonzero")]
    if not roots or not passed:
        return None
    slope = passed[0] if len(passed) == 1 else elementwise("mul", *passed)
    root = roots[0] if len(roots) == 1 else elementwise("mul", *roots)
    return broadcast_to(elementwise("mul", *rest, where(equal(slope, 0), 0, root)), node.shape)


def curvature_of_norm_at_zero(node: Node) -> Node | None:
    """(v - x·(x·v)/Σx²)·(Σx²)^(-1/2) → the same, with 0 in the place of (Σx²)^(-1/2) where x is 0.

    So the second derivative of a norm is 0 where x is 0, as its slope is, and what else is summed stays finite.
    Condition: beside the power stands one of the same sum that is 0·∞ there, guarded already: the original is NaN.
    """
    operands = operands_at(located(node))
    met = [_guarded_sums(o) for o in operands]
    if not any(met):
        return None
    new = list(node.operands)
    for place, operand in enumerate(operands):
        beside = set().union(*(m for k, m in enumerate(met) if k != place))
        new[place] = _without_poles(operand, beside, DEEPEST) if beside else new[place]
    changed = with_operands(node, new)
    return None if changed is node else changed


def _guarded_sums(x: Located, depth: int = DEEPEST) -> set[Located]:
    """The sums s of which s^(-q) is taken as 0 where s is 0, anywhere in sums and products, along axes of the whole."""
    node = x.node
    if is_op(node, "where") and is_op(node.operands[0], "eq") and number_of(node.operands[1]) == 0:
        condition, _, power = operands_at(x)
        total = core_at(operands_at(condition)[0])
        return {total} if is_op(power.node, "pow") and _total(power) == total and total.is_aligned else set()
    return set().union(*(_guarded_sums(o, depth - 1) for o in _terms_and_factors(x))) if depth else set()


def _without_poles(x: Located, sums: set[Located], depth: int) -> Node:
    """s^(-p) → where(s = 0, 0, s^(-p)) for these sums, in sums and products of sums and products."""
    node = x.node
    if is_op(node, "pow") and is_negative(number_of(node.operands[1])) and _total(x) in sums:
        return where(equal(node.operands[0], 0), 0, node)
    inside = _terms_and_factors(x)
    if not inside or not depth:
        return node
    return with_operands(node, [_without_poles(o, sums, depth - 1) for o in inside])


def _terms_and_factors(x: Located) -> list[Located]:
    """What is added, multiplied or repeated in a node; nothing in others."""
    through = is_op(x.node, "add", "mul") or isinstance(x.node, (Expand, Einsum))
    return operands_at(x) if through else []


def is_reciprocal_root(root: Node) -> bool:
    """Whether this is s^(-1/2), or another negative fraction of s, s not known to be positive."""
    if not is_op(root, "pow"):
        return False
    exponent = number_of(root.operands[1])
    return is_negative(exponent) and not is_whole(exponent) and not known(root.operands[0], "positive")


def _is_reciprocal_of_sum(root: Node) -> bool:
    """Whether this is s^(-1), or another negative whole power, of a sum s of squares that may be 0."""
    if not is_op(root, "pow"):
        return False
    total, exponent = without_repetition(root.operands[0]), number_of(root.operands[1])
    of_sum = isinstance(total, Einsum) or is_op(total, "add")
    return of_sum and is_negative(exponent) and is_whole(exponent) and not known(total, "positive")


NORMS = (
    Rewrite(slope_of_norm_at_zero, ("mul",), below=("pow",), needs=("nonnegative",), domain="extends", role="stable"),
    Rewrite(curvature_of_norm_at_zero, ("mul", "add"), below=("pow", "where"), domain="extends", role="stable"),
)
ROOTS = (
    Rewrite(nothing_over_root_of_nothing, ("mul",), below=("pow",), domain="extends", role="stable"),
)  # after all norms are known

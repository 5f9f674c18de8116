"""Norms and roots at zero: a pass of the numeric form.

In: products in the algebra form.  Out: the same, with 0·∞ = 0 where ∞ is the reciprocal of a root at 0: the slope
x/‖x‖ of a norm is 0 where x is 0, however it was spelled, and a slope of √s that nothing depends on is 0.
A root is looked for under a half-integer or any other fractional power.  Not handled: squares that overflow or vanish
(‖x‖ is computed as √Σx², for elements between the square roots of the smallest and the largest number).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from symnet.expr.assumptions import known
from symnet.expr.constants import number_of
from symnet.expr.contraction import Einsum
from symnet.expr.elementwise import elementwise, equal, is_op, where
from symnet.expr.graph import with_operands
from symnet.expr.movement import Expand, broadcast_to
from symnet.expr.node import Node
from symnet.simplify.coefficients import Term, negated, split_coefficient, terms_of
from symnet.simplify.engine import Rewrite
from symnet.simplify.factors import split_power
from symnet.simplify.signs import is_negative, is_positive, is_whole

_DEEPEST = 6  # how far below a product its factors are looked for


def slope_of_norm_at_zero(node: Node) -> Node | None:
    """x·(Σx²)^(-1/2) → x·where(Σx² = 0, 0, (Σx²)^(-1/2)): the slope of a norm is 0 where x is 0.

    Also x·(x·v)·(Σx²)^(-1), as in its second derivative.
    Condition: the product vanishes with what is squared, twice under a whole power; the original is 0·∞ there.
    """
    for place, factor in enumerate(node.operands):
        root = factor.operands[0] if isinstance(factor, Expand) else factor
        twice = _is_reciprocal_of_sum(root)
        if not twice and not _is_reciprocal_root(root):
            continue
        others = [o for o in node.operands if o is not factor]
        vanish = _vanish_twice if twice else _vanish_with
        if any(vanish(others, bases) for bases in _squares(root.operands[0])):
            guarded = where(equal(root.operands[0], 0), 0, root)
            new = with_operands(factor, [guarded]) if isinstance(factor, Expand) else guarded
            return with_operands(node, [*node.operands[:place], new, *node.operands[place + 1 :]])
    return None


def nothing_over_root_of_nothing(node: Node) -> Node | None:
    """y·s^(-1/2) → y·where(y = 0, 0, s^(-1/2)): a root passes on a slope of 0 as 0, where its own is infinite.

    Condition: s may be 0, and so may y, which is no number; the original is 0·∞ at y = s = 0.
    """
    roots = [o for o in node.operands if _is_reciprocal_root(o.operands[0] if isinstance(o, Expand) else o)]
    rest = [o for o in node.operands if o not in roots]
    passed = [o for o in rest if not known(o, "nonzero")]
    if not roots or not passed:
        return None
    slope = passed[0] if len(passed) == 1 else elementwise("mul", *passed)
    root = roots[0] if len(roots) == 1 else elementwise("mul", *roots)
    return broadcast_to(elementwise("mul", *rest, where(equal(slope, 0), 0, root)), node.shape)


def _is_reciprocal_root(root: Node) -> bool:
    """Whether this is s^(-1/2), or another negative fraction of s, s not known to be positive."""
    if not is_op(root, "pow"):
        return False
    exponent = number_of(root.operands[1])
    return is_negative(exponent) and not is_whole(exponent) and not known(root.operands[0], "positive")


def _is_reciprocal_of_sum(root: Node) -> bool:
    """Whether this is s^(-1), or another negative whole power, of a sum s of squares that may be 0."""
    if not is_op(root, "pow") or not (isinstance(root.operands[0], Einsum) or is_op(root.operands[0], "add")):
        return False
    exponent = number_of(root.operands[1])
    return is_negative(exponent) and is_whole(exponent) and not known(root.operands[0], "positive")


def _vanish_twice(factors: list[Node], bases: frozenset[Node]) -> bool:
    """Whether a product is of second order where the product of the bases is 0."""
    order = 0
    for factor in factors:
        outer = isinstance(factor, Einsum) and sum(map(len, factor.inputs)) == len(factor.output)
        for part in factor.operands if outer else (factor,):
            base, exponent = split_power(part)
            if is_positive(exponent) and _vanish_with([base], bases):
                order += 1 if isinstance(exponent, Node) or exponent < 2 else 2
    return order > 1


# --------------------------------------------------------------------------- what vanishes with a sum of squares


def _squares(total: Node) -> Iterator[frozenset[Node]]:
    """For each term of a sum that is 0 only where all its terms are: the bases whose product is then 0."""
    for term in total.operands if is_op(total, "add") else (total,):
        if not known(term, "nonnegative"):
            return
    for term in total.operands if is_op(total, "add") else (total,):
        inside = term.operands if isinstance(term, Einsum) else (term,)
        if len(inside) == 1:
            factors = inside[0].operands if is_op(inside[0], "mul") else inside
            bases = [split_power(f) for f in factors if number_of(f) is None]
            if bases and all(is_positive(e) for _, e in bases):
                yield frozenset(base for base, _ in bases)


def _vanish_with(factors: list[Node], bases: frozenset[Node], depth: int = _DEEPEST) -> bool:
    """Whether a product is 0 where the product of the bases is."""
    inside = {_unsigned(base) for f in factors for base, e in [split_power(f)] if is_positive(e)}
    if inside >= {_unsigned(b) for b in bases}:
        return True
    return any(_vanishes_with(f, bases, depth) for f in factors)


def _unsigned(x: Node) -> Node:
    """x or -x: the same for both."""
    return min(x, negated(x), key=lambda node: node.digest) if number_of(x) is None else x


def _vanishes_with(node: Node, bases: frozenset[Node], depth: int) -> bool:
    if not depth:
        return False
    if is_op(node, "mul"):
        return _vanish_with(list(node.operands), bases, depth - 1)
    if isinstance(node, Einsum):
        return any(_vanish_with([o], bases, depth - 1) for o in node.operands)
    if is_op(node, "add"):
        return all(_vanish_with([o], bases, depth - 1) for o in _without(node, bases))
    if node.kind in ("expand", "reshape", "slice", "place"):
        return _vanish_with([node.operands[0]], bases, depth - 1)
    return False


def _without(total: Node, bases: frozenset[Node]) -> list[Node]:
    """The terms of a sum, without those that together are a multiple of the one base."""
    terms: dict[tuple[Node, ...], Node] = {split_coefficient(o)[1]: o for o in total.operands}
    (base, *others) = bases
    inner: Sequence[Term] = terms_of(base) if is_op(base, "add") and not others else []
    found = {split_coefficient(terms[f])[0] / c if f in terms else None for c, f in inner}
    if len(found) != 1 or None in found:
        return list(total.operands)
    gone = {f for _, f in inner}
    return [o for f, o in terms.items() if f not in gone]


NORMS = (
    Rewrite(slope_of_norm_at_zero, ("mul",)),
    Rewrite(nothing_over_root_of_nothing, ("mul",)),
)

"""Norms and roots at zero: a pass of the numeric form.

In: products in the algebra form.  Out: the same, with 0·∞ = 0 where ∞ is the reciprocal of a root at 0: the slope
x/‖x‖ of a norm is 0 where x is 0, however it was spelled, and a slope of √s that nothing depends on is 0.
A root is looked for under a half-integer or any other fractional power.  Not handled: squares that overflow or vanish
(‖x‖ is computed as √Σx², for elements between the square roots of the smallest and the largest number).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from symnet.expr.facts.assumptions import known
from symnet.expr.nodes.constants import number_of
from symnet.expr.nodes.contraction import Einsum
from symnet.expr.nodes.elementwise import elementwise, equal, is_op, operands_of, where
from symnet.expr.nodes.expansion import Expand
from symnet.expr.nodes.graph import with_operands
from symnet.expr.nodes.movement import broadcast_to
from symnet.expr.nodes.node import Node
from symnet.simplify.forms.coefficients import ScaledFactors, negated, split_coefficient, terms_of
from symnet.simplify.forms.factors import split_power
from symnet.simplify.forms.signs import is_negative, is_positive, is_whole
from symnet.simplify.rewrite import Rewrite

_DEEPEST = 6  # how far below a product its factors are looked for


def slope_of_norm_at_zero(node: Node) -> Node | None:
    """x·(Σx²)^(-1/2) → x·where(Σx² = 0, 0, (Σx²)^(-1/2)): the slope of a norm is 0 where x is 0.

    Also x·(x·v)·(Σx²)^(-1), as in its second derivative.
    Condition: the product vanishes with what is squared, twice under a whole power; the original is 0·∞ there.
    """
    for place, factor in enumerate(node.operands):
        others = [o for o in node.operands if o is not factor]
        new = _guarded(factor, others)
        new = _guarded_terms(factor, others) if new is None else new
        if new is not None:
            return with_operands(node, [*node.operands[:place], new, *node.operands[place + 1 :]])
    return None


def _guarded(factor: Node, others: list[Node]) -> Node | None:
    """A power of a sum, or a repeated product with one, guarded where the sum is 0 if all the factors vanish there."""
    root = _core(factor)
    inner = list(root.operands) if is_op(root, "mul") and root is not factor else [root]
    for k, power in enumerate(inner):
        twice = _is_reciprocal_of_sum(power)
        if not twice and not _is_reciprocal_root(power):
            continue
        beside = [*others, *inner[:k], *inner[k + 1 :]]
        vanish = _vanish_twice if twice else _vanish_with
        if any(vanish(beside, bases) for bases in _squares(_core(power.operands[0]))):
            guarded = where(equal(power.operands[0], 0), 0, power)
            new = guarded if root is power else with_operands(root, [*inner[:k], guarded, *inner[k + 1 :]])
            return with_operands(factor, [new]) if root is not factor else new
    return None


def _guarded_terms(factor: Node, others: list[Node]) -> Node | None:
    """A sum, perhaps repeated, with powers of a sum of squares in its terms, guarded where the other factors vanish."""
    total = _core(factor)
    if not is_op(total, "add"):
        return None
    parts = [part for term in total.operands for part in operands_of("mul", term)]
    poles = {_core(p.operands[0]) for p in map(_core, parts) if _is_reciprocal_root(p) or _is_reciprocal_of_sum(p)}
    met = {s for s in poles if any(_vanish_with(others, bases) for bases in _squares(s))}
    new = _without_poles(factor, met, _DEEPEST) if met else factor
    return None if new is factor else new


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


def curvature_of_norm_at_zero(node: Node) -> Node | None:
    """(v - x·(x·v)/Σx²)·(Σx²)^(-1/2) → the same, with 0 in the place of (Σx²)^(-1/2) where x is 0.

    So the second derivative of a norm is 0 where x is 0, as its slope is, and what else is summed stays finite.
    Condition: beside the power stands one of the same sum that is 0·∞ there, guarded already: the original is NaN.
    """
    met = [_guarded_sums(o) for o in node.operands]
    if not any(met):
        return None
    operands = list(node.operands)
    for place in range(len(operands)):
        beside = set().union(*(m for k, m in enumerate(met) if k != place))
        operands[place] = _without_poles(operands[place], beside, _DEEPEST) if beside else operands[place]
    new = with_operands(node, operands)
    return None if new is node else new


def _guarded_sums(node: Node, depth: int = _DEEPEST) -> set[Node]:
    """The sums s of which s^(-q) is taken as 0 where s is 0, anywhere in sums and products."""
    if is_op(node, "where") and is_op(node.operands[0], "eq") and number_of(node.operands[1]) == 0:
        total, power = node.operands[0].operands[0], node.operands[2]
        return {_core(total)} if is_op(power, "pow") and _core(power.operands[0]) is _core(total) else set()
    through = is_op(node, "add", "mul") or isinstance(node, (Expand, Einsum))
    return set().union(*(_guarded_sums(o, depth - 1) for o in node.operands)) if through and depth else set()


def _without_poles(node: Node, sums: set[Node], depth: int) -> Node:
    """s^(-p) → where(s = 0, 0, s^(-p)) for these sums, in sums and products of sums and products."""
    if is_op(node, "pow") and is_negative(number_of(node.operands[1])) and _core(node.operands[0]) in sums:
        return where(equal(node.operands[0], 0), 0, node)
    through = is_op(node, "add", "mul") or isinstance(node, (Expand, Einsum))
    if not through or not depth:
        return node
    return with_operands(node, [_without_poles(o, sums, depth - 1) for o in node.operands])


def _is_reciprocal_root(root: Node) -> bool:
    """Whether this is s^(-1/2), or another negative fraction of s, s not known to be positive."""
    if not is_op(root, "pow"):
        return False
    exponent = number_of(root.operands[1])
    return is_negative(exponent) and not is_whole(exponent) and not known(root.operands[0], "positive")


def _is_reciprocal_of_sum(root: Node) -> bool:
    """Whether this is s^(-1), or another negative whole power, of a sum s of squares that may be 0."""
    if not is_op(root, "pow"):
        return False
    total, exponent = _core(root.operands[0]), number_of(root.operands[1])
    of_sum = isinstance(total, Einsum) or is_op(total, "add")
    return of_sum and is_negative(exponent) and is_whole(exponent) and not known(total, "positive")


def _core(x: Node) -> Node:
    """A value without its repetition."""
    return x.operands[0] if isinstance(x, Expand) else x


def _vanish_twice(factors: list[Node], bases: frozenset[Node]) -> bool:
    """Whether a product is 0 of second order where the product of the bases is 0."""
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
    """The bases whose product is 0 where a term is, for each term of a sum that is 0 only where all its terms are."""
    for term in operands_of("add", total):
        if not known(term, "nonnegative"):
            return
    for term in operands_of("add", total):
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
    """x or -x, the same for both, so that they compare as equal."""
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
    inner: Sequence[ScaledFactors] = terms_of(base) if is_op(base, "add") and not others else []
    found = {split_coefficient(terms[f])[0] / c if f in terms else None for c, f in inner}
    if len(found) != 1 or None in found:
        return list(total.operands)
    gone = {f for _, f in inner}
    return [o for f, o in terms.items() if f not in gone]


NORMS = (
    Rewrite(slope_of_norm_at_zero, ("mul",), needs=("nonnegative",), domain="extends", role="stable"),
    Rewrite(curvature_of_norm_at_zero, ("mul", "add"), domain="extends", role="stable"),
)
ROOTS = (Rewrite(nothing_over_root_of_nothing, ("mul",), domain="extends", role="stable"),)  # after all norms are known

"""Smooth functions written with kinks: maximum, |x| and relu beside the logarithm that rounds their corners; softplus
beside its argument.

In: sums in normal form.  Out: softplus, or the logarithm of a sum of exponentials: the same value, and at the kink the
slope of the smooth function, where the conventions of the parts would add up to another.
Not handled: coefficients that are not numbers.
"""

from __future__ import annotations

from collections.abc import Iterator

import sympy
from sympy import Expr

from symnet.expr.nodes.constants import number, number_of
from symnet.expr.nodes.contraction import Einsum
from symnet.expr.nodes.elementwise import elementwise, is_op
from symnet.expr.nodes.extents import same_shape
from symnet.expr.nodes.graph import with_operands
from symnet.expr.nodes.movement import broadcast_to
from symnet.expr.nodes.node import Node
from symnet.simplify.algebra.exponentials import complemented_logistic
from symnet.simplify.forms.coefficients import negated, product, split_coefficient, terms_of
from symnet.simplify.forms.signs import is_positive
from symnet.simplify.forms.terms import Terms
from symnet.simplify.rewrite import Rewrite

HALF = sympy.S.Half


def extreme_with_rounded_corner(node: Node) -> Node | None:
    """max(a, b) + log(1 + exp(-|a - b|)) → log(exp(a) + exp(b)), which for b = 0 is softplus(a).

    Also where(a > 0, a, 0) for max(a, 0), min(a, b) - log(…) → -log(exp(-a) + exp(-b)), and with a number in front.
    Always: at a = b the parts have slopes by convention, the whole has its own.
    """
    for place, count, w in _corners(node):
        for k, term in enumerate(node.operands):
            coefficient, factors = split_coefficient(term)
            pair = _extreme(factors[0]) if len(factors) == 1 else None
            if pair is None or coefficient != pair[0] * count or not _is_distance(w, *pair[1:]):
                continue
            sign, a, b = pair
            a, b = (a, b) if sign == 1 else (negated(a), negated(b))
            return _joined(node, (place, k), product(count, (_log_sum(a, b),)))
    return None


def absolute_with_rounded_corner(node: Node) -> Node | None:
    """|x| + log(1 + exp(-2·|x|)) → log(exp(x) + exp(-x)), and (x + |x|)/2 + log(1 + exp(-|x|)) → softplus(x).

    Always: the sum of both is even and smooth; where half of x stands beside it, it is softplus.  Numbers may stand in
    front.
    """
    for place, count, w in _corners(node):
        scale, inside = split_coefficient(w)
        for k, term in enumerate(node.operands):
            coefficient, factors = split_coefficient(term)
            if len(factors) != 1 or not is_op(factors[0], "abs") or factors[0].shape != node.shape:
                continue
            other, core = split_coefficient(factors[0].operands[0])
            if core == inside and coefficient * abs(other) == count * abs(scale) * HALF:
                return _even(node, (place, k), count, w)
    return None


def _even(total: Node, places: tuple[int, int], count: Expr, w: Node) -> Node:
    """The sum with c·(|w|/2 + log(1 + exp(-|w|))) in one piece."""
    half = elementwise("mul", number(HALF), w)
    scale, core = split_coefficient(half)
    for k, term in enumerate(total.operands):
        coefficient, factors = split_coefficient(term)
        if k not in places and factors == core and coefficient in (count * scale, -count * scale):
            argument = w if coefficient == count * scale else negated(w)
            return _joined(total, (*places, k), product(count, (elementwise("softplus", argument),)))
    return _joined(total, places, product(count, (_log_sum(half, negated(half)),)))


def _corners(total: Node) -> Iterator[tuple[int, Expr, Node]]:
    """(place, c, w) of terms c·softplus(-|w|), also written -c·log σ(|w|)."""
    for place, term in enumerate(total.operands):
        count, factors = split_coefficient(term)
        rounding = _rounding(factors[0]) if len(factors) == 1 and factors[0].shape == total.shape else None
        if rounding is not None:
            sign, w = rounding
            yield place, sign * count, w


def _rounding(x: Node) -> tuple[int, Node] | None:
    """(1, w) of softplus(-|w|), (-1, w) of log σ(|w|)."""
    if is_op(x, "softplus"):
        sign, inside = 1, negated(x.operands[0])
    elif is_op(x, "log") and is_op(x.operands[0], "sigmoid"):
        sign, inside = -1, x.operands[0].operands[0]
    else:
        return None
    scale, inner = split_coefficient(inside)
    if not is_positive(scale) or len(inner) != 1 or not is_op(inner[0], "abs"):
        return None
    w = inner[0].operands[0]
    return sign, w if scale == 1 else elementwise("mul", number(scale), w)


def _extreme(x: Node) -> tuple[int, Node, Node] | None:
    """(1, a, b) of max(a, b), (-1, a, b) of min(a, b)."""
    if is_op(x, "maximum", "minimum"):
        first, second = x.operands
        return (1 if is_op(x, "maximum") else -1), first, second
    if not is_op(x, "where"):
        return None
    condition, a, b = x.operands
    if not is_op(condition, "gt", "ge", "lt", "le"):
        return None
    left, right = condition.operands
    sign = 1 if is_op(condition, "gt", "ge") else -1
    if left is a and _same(right, b):
        return sign, a, b
    return (-sign, a, b) if _same(left, b) and right is a else None


def _same(a: Node, b: Node) -> bool:
    value = number_of(a)
    return a is b or (value is not None and value == number_of(b))


def _is_distance(w: Node, a: Node, b: Node) -> bool:
    """Whether |w| = |a - b|."""
    difference = a if number_of(b) == 0 else negated(b) if number_of(a) == 0 else elementwise("add", a, negated(b))
    terms, found = (Terms.of(broadcast_to(x, w.shape)).coefficients for x in (w, difference))
    return found in (terms, {key: -c for key, c in terms.items()})


def _log_sum(a: Node, b: Node) -> Node:
    if number_of(a) == 0 or number_of(b) == 0:
        return elementwise("softplus", b if number_of(a) == 0 else a)
    return elementwise("log", elementwise("add", elementwise("exp", a), elementwise("exp", b)))


def _joined(total: Node, places: tuple[int, ...], *new: Node) -> Node:
    """The sum with the terms at these places replaced."""
    rest = [o for k, o in enumerate(total.operands) if k not in places]
    terms = [*new, *rest]
    return broadcast_to(terms[0] if len(terms) == 1 else elementwise("add", *terms), total.shape)


def rounded_corners_in_sums(node: Node) -> Node | None:
    """Σ w·max(x, 0) + Σ w·log(1 + exp(-|x|)) → Σ w·softplus(x), and so for means and for each of the above.

    Condition: both are summed along the same axes, with the same weights and the same number in front (of either sign:
    -Σ log σ(|x|)).
    """
    sums = [(k, c, f[:-1], f[-1]) for k, o in enumerate(node.operands) for c, f in [split_coefficient(o)] if f]
    sums = [(k, c, heads, x) for k, c, heads, x in sums if isinstance(x, Einsum)]
    for k, c, heads, rounding in sums:
        for place, inner in enumerate(rounding.operands):
            if not any(_rounding(factor) for factor in split_coefficient(inner)[1]):
                continue
            for j, d, others, extreme in sums:
                beside = _other_operand(rounding, place, extreme)
                if j == k or beside is None or abs(c) != abs(d) or heads != others:
                    continue
                met = _rounded(beside, inner if c == d else negated(inner))
                if met is not None:
                    operands = [met if at == place else o for at, o in enumerate(rounding.operands)]
                    return _joined(node, (k, j), product(d, (*heads, with_operands(rounding, operands))))
    return None


def _rounded(a: Node, b: Node) -> Node | None:
    """a + b in one piece, apart from factors that both have."""
    (c, first), (d, second) = split_coefficient(a), split_coefficient(b)
    common = tuple(f for f in first if f in second and f.shape == a.shape)
    rest = [product(e, tuple(f for f in fs if f not in common)) for e, fs in ((c, first), (d, second))]
    whole = elementwise("add", *(broadcast_to(r, a.shape) for r in rest))
    met = extreme_with_rounded_corner(whole)
    met = absolute_with_rounded_corner(whole) if met is None else met
    return None if met is None else product(sympy.S.One, (*common, met))


def _other_operand(total: Einsum, place: int, other: Einsum) -> Node | None:
    """What stands in a contraction in the place of an operand of one that is otherwise the same."""
    rest = list(zip(other.inputs, other.operands, strict=True))
    for at, pair in enumerate(zip(total.inputs, total.operands, strict=True)):
        if at != place:
            if pair not in rest:
                return None
            rest.remove(pair)
    if len(rest) != 1 or total.output != other.output:
        return None
    indices, operand = rest[0]
    same = indices == total.inputs[place] and same_shape(operand.shape, total.operands[place].shape)
    return operand if same else None


def softplus_beside_its_argument(node: Node) -> Node | None:
    """x + softplus(-x) → softplus(x), and x - softplus(x) → -softplus(-x), with a factor, also spelled x - log σ(x).

    Always: where softplus(x) is close to x nothing is left of the difference.
    """
    terms = {factors: value for value, factors in terms_of(node)}
    for value, factors in terms_of(node):
        found = _softplus(value, factors)
        if found is None:
            continue
        count, argument = found
        inside = terms_of(argument) if is_op(argument, "add") else [split_coefficient(argument)]
        if argument.shape != node.shape or any(terms.get(f) != -count * c for c, f in inside):
            continue
        gone = {factors, *(f for _, f in inside)}
        rest = [o for o in node.operands if split_coefficient(o)[1] not in gone]
        new = product(count, (elementwise("softplus", negated(argument)),))
        return elementwise("add", new, *rest) if rest else new
    return None


def _softplus(value: Expr, factors: tuple[Node, ...]) -> tuple[Expr, Node] | None:
    """c and u of a term c·softplus(u): as it stands, or as -c·log σ(-u), -c·log(1 - σ(u))."""
    if len(factors) != 1 or not is_op(factors[0], "softplus", "log"):
        return None
    inner = factors[0].operands[0]
    if is_op(factors[0], "softplus"):
        return value, inner
    if is_op(inner, "sigmoid"):
        return -value, negated(inner.operands[0])
    logistic = complemented_logistic(inner)
    return None if logistic is None else (-value, logistic.operands[0])


SOFT_EXTREMES = (
    Rewrite(extreme_with_rounded_corner, ("add",), below=("softplus",), domain="extends", role="shorter"),
    Rewrite(absolute_with_rounded_corner, ("add",), below=("softplus",), domain="extends", role="exposing"),
    Rewrite(rounded_corners_in_sums, ("add",), below=("softplus|log",), domain="extends", role="exposing"),
    Rewrite(softplus_beside_its_argument, ("add",), below=("softplus|log",), domain="extends", role="shorter"),
)

"""A pass of the numeric form: logarithms and quotients of sums of exponentials, which would overflow or cancel.

In: nodes in the algebra form; softmax, log-sum-exp and the logistic function over all of a sum are found there and
have passes of their own.  Out: the rest of the family: sums written out, with weights of either sign, with numbers and
other terms, differences of two.  A sum is seen as Σ w·exp(u) (`exponential_parts.py`), relative to the largest u.
Not handled: digits that cancel between terms of opposite sign, but for the difference of two.
Source of log(1 - e⁻ˣ): Maechler, "Accurately computing log(1 - exp(-|a|))", 2012.
"""

from __future__ import annotations

import sympy
from sympy import Expr

from symnet.expr.nodes.constants import number, number_of
from symnet.expr.nodes.elementwise import elementwise, equal, is_op, where
from symnet.expr.nodes.movement import broadcast_to
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.reduction import reduce
from symnet.simplify.algebra.hyperbolic import exponential_difference, minus, take_exponential_in
from symnet.simplify.forms.broadcast import cover
from symnet.simplify.forms.coefficients import product, split_coefficient, sum_of_all
from symnet.simplify.forms.factors import Factors
from symnet.simplify.forms.shifted import distance_below
from symnet.simplify.forms.signs import is_negative, is_positive, is_whole
from symnet.simplify.numeric.exponentials.exponential_parts import exponential_parts_of, finite, highest, needs_shift
from symnet.simplify.numeric.exponentials.logarithms import logarithm_of
from symnet.simplify.rewrite import Rewrite

LOG_HALF = number(-sympy.log(2))


# --------------------------------------------------------------------------- logarithms


def log_of_sum_of_exponentials_by_its_largest(node: Node) -> Node | None:
    """log(exp(a) + 2·exp(b) + Σ w·exp(z) + y) → M + log1p(t), M the largest of a, b + log 2, z, 0; the sum is
    exp(M)·(1 + t).

    Condition: an exponential stands in the sum, and a term may overflow or all may vanish.
    """
    coefficient, factors = split_coefficient(node.operands[0])
    parts = exponential_parts_of(factors[0]) if len(factors) == 1 and is_positive(coefficient) else None
    if parts is None or not needs_shift(parts):
        return None
    parts = [p.times(coefficient).folded() for p in parts]
    if len(parts) == 1 and parts[0].weight is None:
        return broadcast_to(reduce("logsumexp", parts[0].argument, parts[0].axes), node.shape)
    if len(parts) == 2 and not any(p.axes or p.weight is not None for p in parts):
        return broadcast_to(_log_of_two(parts[0].argument, parts[1].argument), node.shape)
    shift = broadcast_to(highest(parts), node.shape)
    if any(p.weight is not None for p in parts):
        rest = elementwise("log", sum_of_all([p.relative(shift) for p in parts]))
        return broadcast_to(elementwise("add", shift, rest), node.shape)
    sums = [p.below_top(shift) for p in parts]
    ties = sum_of_all([*(count for _, count in sums), number(-1)])
    rest = elementwise("log1p", elementwise("add", sum_of_all([low for low, _ in sums]), ties))
    return broadcast_to(elementwise("add", shift, rest), node.shape)


def log_of_product_with_sums_of_exponentials(node: Node) -> Node | None:
    """log(x·Σ w·exp(u)/Σ v·exp(z)) → M - N + log(x·Σ w·exp(u - M)/Σ v·exp(z - N)), M the largest u, N the largest z.

    Condition: a sum of exponentials, to a whole power, is a factor among others, and may overflow or vanish.
    """
    factors = Factors.view(node.operands[0])
    rest, shifts = factors.copy(), []
    for (core, axes), e in factors.powers.items() if len(factors.powers) > 1 else ():
        parts = exponential_parts_of(core) if is_whole(e) and exponential_difference(core) is None else None
        if parts is None or not needs_shift(parts):
            continue
        shift = broadcast_to(highest(parts), core.shape)
        within = finite(shift)
        total = sum_of_all([p.relative(within) for p in parts])
        rest.times(core, axes, -e).times(total, axes, e)
        shifts.append(cover(elementwise("mul", number(e), within), axes, factors.shape))
    if not shifts:
        return None
    return broadcast_to(sum_of_all([*shifts, elementwise("log", rest.build())]), node.shape)


def _log_of_two(a: Node, b: Node) -> Node:
    """log(exp(a) + exp(b)): the larger and softplus of what the other lies below it."""
    if number_of(a) == 0:
        return elementwise("softplus", b)
    if number_of(b) == 0:
        return elementwise("softplus", a)
    below = elementwise("mul", -1, elementwise("abs", minus(a, b)))
    apart = elementwise("add", elementwise("maximum", a, b), elementwise("softplus", below))
    return where(equal(a, b), elementwise("add", a, number(sympy.log(2))), apart)  # also for a = b = ∞


def log_of_difference_of_exponentials(node: Node) -> Node | None:
    """log(c·exp(a) - c·exp(b)) → log c + a + log(1 - exp(b - a)), by expm1 where b is near a, by log1p elsewhere.

    Condition: c is a positive number; a number is an exponential of a number.  It is -∞ where a = b, also at -∞.
    """
    coefficient, factors = split_coefficient(node.operands[0])
    if len(factors) != 1 or not is_positive(coefficient) or not is_op(factors[0], "add"):
        return None
    terms = [split_coefficient(o) for o in factors[0].operands]
    if len(terms) != 2 or is_negative(terms[0][0]) == is_negative(terms[1][0]):
        return None
    upper, lower = sorted(terms, key=lambda term: is_negative(term[0]))
    a, b = (_exponent_with(abs(c), each) for c, each in (upper, lower))
    if a is None or b is None:
        return None
    result = _log_of_complement(b, a)
    heads = [h for h in (number(sympy.log(coefficient)), a) if number_of(h) != 0]
    return broadcast_to(elementwise("add", *heads, result) if heads else result, node.shape)


def _exponent_with(coefficient: Expr, factors: tuple[Node, ...]) -> Node | None:
    """u of c·exp(u'), as one exponent."""
    logs = [log for log in map(logarithm_of, factors) if log is not None]
    if len(logs) < len(factors):
        return None
    heads = [number(sympy.log(coefficient))] if coefficient != 1 or not factors else []
    return sum_of_all([*logs, *heads])


def _log_of_complement(b: Node, a: Node) -> Node:
    """log(1 - exp(b - a)), b < a."""
    u = minus(b, a) if number_of(a) == 0 or number_of(b) == 0 else distance_below(b, a)
    if is_op(u, "add") and len(u.operands) == 2:  # x - y, which is no number where both are infinite
        (c, x), (d, y) = map(split_coefficient, u.operands)
        u = where(equal(product(abs(c), x), product(abs(d), y)), 0, u) if c * d < 0 and x and y else u
    near = elementwise("log", elementwise("mul", -1, elementwise("expm1", u)))
    far = elementwise("log1p", elementwise("mul", -1, elementwise("exp", u)))
    return where(elementwise("gt", u, LOG_HALF), near, far)


# --------------------------------------------------------------------------- quotients


def exponential_joins_power_of_its_product(node: Node) -> Node | None:
    """exp(b)/(a·exp(b))⁸ → 1/(a·exp(7·b/8))⁸.

    Condition: the product under the power holds an exponential of a multiple of b, whose exponent becomes smaller:
    apart, the power or the exponential may leave the floating range where the whole does not.
    """
    factors = Factors.view(node)
    for (core, axes), e in factors.powers.items():
        if not is_op(core, "mul") or not is_whole(e) or abs(e) == 1:
            continue
        inside = Factors.view(core)
        for (inner, places), k in inside.powers.items():
            if not is_op(inner, "exp") or k != 1:
                continue
            scale, argument = split_coefficient(inner.operands[0])
            where_it_stands = tuple(axes[a] for a in places)
            for (outer, others), count in factors.powers.items():
                if not is_op(outer, "exp") or others != where_it_stands or isinstance(count, Node):
                    continue
                multiple, same = split_coefficient(outer.operands[0])
                left = scale + multiple * count / e
                if same == argument and abs(left) < abs(scale):
                    joined = elementwise("exp", product(left, argument))
                    new = inside.copy().times(inner, places, -sympy.S.One).times(joined, places)
                    rest = factors.copy().times(core, axes, -e).times(outer, others, -count)
                    return rest.times(new.build(), axes, e).build()
    return None


def exponential_over_difference(node: Node) -> Node | None:
    """exp(a)/(exp(a) - exp(b)) → 1/(1 - exp(b - a)), a or b perhaps 0.

    Always: the exponential is taken in, so that ∞/∞ and 0·∞ do not arise.
    """
    return take_exponential_in(node, -1)


EXPONENTIAL_SUMS: tuple[Rewrite, ...] = (
    Rewrite(log_of_difference_of_exponentials, ("log",), domain="extends", role="stable"),
    Rewrite(log_of_sum_of_exponentials_by_its_largest, ("log",), domain="equal", role="stable"),
    Rewrite(log_of_product_with_sums_of_exponentials, ("log",), domain="extends", role="stable"),
    Rewrite(exponential_joins_power_of_its_product, ("mul",), below=("exp",), domain="extends", role="stable"),
    Rewrite(exponential_over_difference, ("mul",), below=("exp",), domain="extends", role="stable"),
)

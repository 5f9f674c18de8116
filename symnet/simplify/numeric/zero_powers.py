"""Slopes of x^n at x = 0 for an exponent that is no number: a pass of the numeric form.

In: products, contractions and `xlogy` in the algebra form.  Out: the same with n·x^(n-1) = 0 where n = 0, and so
n·(n-1)·x^(n-2) where n is 0 or 1: x^0 is 1 for every x, and its slope is 0 also at 0, where x^(-1) is not finite.
By the exponent, x^n·log x is 0 at x = 0 also for n = 0: 0^n is 0 for all n > 0, and no slope comes of the one at 0.
Not handled: exponents whose factor stands in another sum than the power.
"""

from __future__ import annotations

from collections.abc import Sequence

import sympy
from sympy import Expr

from symnet.expr.facts.assumptions import known
from symnet.expr.nodes.constants import number, number_of
from symnet.expr.nodes.contraction import Einsum
from symnet.expr.nodes.elementwise import elementwise, equal, is_op, where
from symnet.expr.nodes.expansion import Expand
from symnet.expr.nodes.graph import with_operands
from symnet.expr.nodes.node import Node
from symnet.simplify.forms.broadcast import align
from symnet.simplify.forms.coefficients import ONE
from symnet.simplify.forms.factors import Factors, power_of, split_power
from symnet.simplify.forms.signs import is_negative, is_positive
from symnet.simplify.forms.terms import Terms
from symnet.simplify.rewrite import Rewrite


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


def logarithm_joins_its_power(node: Node) -> Node | None:
    """w·log(x)·x^n → w·xlogy(x^n, x), and w·log(x)·xlogy(v, x) → w·xlogy(xlogy(v, x), x).

    Condition: n is no number; the logarithm may be repeated, and w with it: w·log(x) by itself is infinite at x = 0.
    """
    factors = Factors.view(node)
    for (log, axes), count in factors.powers.items():
        if not is_op(log, "log") or not is_positive(count):
            continue
        for factor, e in factors.powers.items():
            power, places = factors.placed(factor)
            whole = power_of(power, e) if isinstance(e, Node) else power
            if not isinstance(e, Node) and (e != 1 or not is_op(power, "xlogy")):
                continue
            base = whole.operands[1 if is_op(whole, "xlogy") else 0]
            core, inside = align(base, whole.shape)
            if core is log.operands[0] and tuple(places[a] for a in inside) == axes:
                rest = factors.copy().times(log, axes, -ONE)
                del rest.powers[factor]
                return rest.times(elementwise("xlogy", whole, base), places).build()
    return None


def slope_by_the_exponent_of_zero(node: Node) -> Node | None:
    """xlogy(x^n, x) → xlogy(where(x = 0 and x^n is finite, 0, x^n), x), other factors beside x^n or not.

    Condition: n is no number, and x may be 0; 0^0·log 0 is -∞ otherwise.
    """
    weight, base = node.operands
    if known(base, "positive") or _is_guarded(weight) or not _holds_power(weight, base):
        return None
    finite = elementwise("lt", elementwise("abs", weight), number(sympy.oo))
    return elementwise("xlogy", where(elementwise("and", equal(base, 0), finite), 0, weight), base)


def _is_guarded(weight: Node) -> bool:
    """Whether this is the weight of an xlogy as `slope_by_the_exponent_of_zero` leaves it."""
    return is_op(weight, "where") and is_op(weight.operands[0], "and") and number_of(weight.operands[1]) == 0


def _holds_power(weight: Node, base: Node) -> bool:
    """Whether base^n, n no number, is a factor of the weight; of an xlogy inside, the slope by n is 0 already."""
    if is_op(weight, "pow"):
        core, exponent = split_power(weight)
        return isinstance(exponent, Node) and _core(core) is _core(base)
    inside = weight.operands[2:] if is_op(weight, "where") else ()
    if is_op(weight, "mul") or isinstance(weight, Einsum | Expand):
        inside = weight.operands
    return any(_holds_power(o, base) for o in inside)


def _core(x: Node) -> Node:
    while isinstance(x, Expand):
        x = x.operands[0]
    return x


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
        opened = [o for f in factors for o in _opened(f) if _may_vanish(o)]
        mine = [f for f in opened if f.shape == node.shape[node.rank - f.rank :] and _differ_by_number(exponent, f)]
        if not mine:
            return None
        product = mine[0] if len(mine) == 1 else elementwise("mul", *mine)
        return where(equal(product, 0), 0, node)
    for k in _places_of_factors(node, factors):
        inside = factors if is_op(node, "mul", "where", "xlogy") else [f for f in factors if not f.rank]
        new = _guarded(node.operands[k], inside)
        if new is not None and new is not node:  # where(f = 0, 0, x^e) itself
            return with_operands(node, [*node.operands[:k], new, *node.operands[k + 1 :]])
    return None


def _opened(factor: Node) -> list[Node]:
    """The factors of a product, repeated or not, each of the product's shape or one that broadcasts to it."""
    if is_op(factor, "mul"):
        return [each for o in factor.operands for each in _opened(o)]
    if not isinstance(factor, Expand) or not is_op(factor.operands[0], "mul"):
        return [factor]
    alike = [o for o in _opened(factor.operands[0]) if o.shape in ((), factor.operands[0].shape)]
    return [with_operands(factor, [o]) if o.rank else o for o in alike]


def _places_of_factors(node: Node, factors: list[Node]) -> Sequence[int]:
    """Where what is multiplied stands among the operands of a product or contraction, of a choice, of an xlogy."""
    if is_op(node, "mul") or (isinstance(node, Einsum | Expand) and not all(f.rank for f in factors)):
        return range(len(node.operands))
    return (0,) if is_op(node, "xlogy") else (1, 2) if is_op(node, "where") else ()


def _differ_by_number(exponent: Node, factor: Node) -> bool:
    """Whether e - f or e + f is a number."""
    e, f = (_without_number(x) for x in (exponent, factor))
    return bool(e) and f in (e, {key: -c for key, c in e.items()})


def _without_number(x: Node) -> dict[object, Expr]:
    inner = x.operands[0] if isinstance(x, Expand) else x
    return {key: c for key, c in Terms.of(inner).coefficients.items() if key[0]}


LOGARITHMS_OF_BASES = (Rewrite(logarithm_joins_its_power, ("mul",), below=("log",), domain="extends", role="stable"),)
ZERO_POWERS = (
    Rewrite(slope_by_the_exponent_of_zero, ("xlogy",), needs=("finite",), domain="equal", role="stable"),
    Rewrite(power_below_a_zero_exponent, ("mul", "einsum"), below=("pow",), domain="extends", role="stable"),
    Rewrite(
        nothing_over_a_positive_variable, ("mul",), below=("pow",), needs=("positive",), domain="equal", role="stable"
    ),
)

"""Tails of the normal distribution: log erfc z and e^(-z²)/erfc z, where erfc z itself vanishes.

In: logarithms and products in which erfc stands (1 ± erf has become it).  Out: beyond `FAR` the continued fraction

    e^(z²)·erfc z·√π = 1/(z + (1/2)/(z + (2/2)/(z + (3/2)/(z + …)))),   z > 0

cut off after `DEPTH` levels (relative error 6e-16 at z = 6, less beyond).
Source: W. Gautschi, NIST Handbook of Mathematical Functions (2010), 7.9.2.
Not handled: e^(-z²)·erfc z multiplied, which is small as it is; differences of two erfc (`normal_differences.py`).
"""

from __future__ import annotations

import sympy
from sympy import Expr

from symnet.expr.nodes.constants import number
from symnet.expr.nodes.elementwise import elementwise, is_op, where
from symnet.expr.nodes.movement import broadcast_to
from symnet.expr.nodes.node import Node
from symnet.simplify.algebra.exposing import DEEPEST, expose
from symnet.simplify.algebra.joined_choices import choice_of_moved
from symnet.simplify.algebra.placing import is_zero
from symnet.simplify.forms.broadcast import cover, trailing
from symnet.simplify.forms.coefficients import split_coefficient
from symnet.simplify.forms.factors import Base, Factors, distributed, power_of
from symnet.simplify.forms.signs import is_negative, is_positive, is_whole
from symnet.simplify.forms.terms import Terms
from symnet.simplify.rewrite import Rewrite

FAR, DEPTH = 6, 12
HALF = sympy.S.Half


def _is_far(z: Node) -> Node:
    return elementwise("gt", z, FAR)


def fraction(z: Node) -> Node:
    """z + (1/2)/(z + (2/2)/(z + …)), which is e^(-z²)/(√π·erfc z) for z beyond `FAR`; elsewhere that of another z,
    which nothing uses.
    """
    safe = where(_is_far(z), z, FAR)
    total = safe
    for k in range(DEPTH, 0, -1):
        level = elementwise("mul", sympy.Rational(k, 2), elementwise("pow", total, -1))
        total = elementwise("add", safe, level)
    return total


def _square(z: Node) -> Node:
    """z² with its number in front, as it stands in e^(-z²)."""
    return Factors.of(elementwise("pow", z, 2)).build()


def log_of_complementary_error_function(node: Node) -> Node | None:
    """log(c·erfc z) → log c - z² - log(√π·(z + …)) far out, log(2·c) + log1p(-erfc(-z)/2) below 0, itself between.

    Condition: c is positive.
    """
    coefficient, factors = split_coefficient(node.operands[0])
    if len(factors) != 1 or not is_op(factors[0], "erfc") or not is_positive(coefficient):
        return None
    (z,) = factors[0].operands
    if is_op(z, "abs") and is_op(z.operands[0], "where"):  # made here
        return None
    moderate = where(_is_far(z), 0, z)
    opposite = elementwise("erfc", elementwise("abs", moderate))
    near = where(
        elementwise("lt", z, 0),
        elementwise(
            "add", elementwise("log1p", elementwise("mul", -HALF, opposite)), number(sympy.log(2 * coefficient))
        ),
        elementwise("log", elementwise("mul", number(coefficient), opposite)),
    )
    slope = elementwise("log", fraction(z))
    scale = number(sympy.log(coefficient / sympy.sqrt(sympy.pi)))
    far = elementwise("add", elementwise("mul", -1, _square(z)), elementwise("mul", -1, slope), scale)
    return broadcast_to(where(_is_far(z), far, near), node.shape)


def bell_over_complementary_error_function(node: Node) -> Node | None:
    """e^(-z²)/erfc z → √π·(z + …) far out, e^(-z²)/erfc z elsewhere; also e^(x - 2·z²)/(erfc z)².

    Condition: the exponent of an exponential holds -z², as often as is divided by erfc z.
    """
    factors = Factors.view(node)
    for base, e in factors.powers.items():
        if not is_op(base[0], "erfc") or not is_whole(e) or not is_negative(e) or is_op(base[0].operands[0], "where"):
            continue
        square = _square(base[0].operands[0])
        for above, k in factors.powers.items():
            if is_op(above[0], "exp") and is_whole(k) and is_positive(k) and above[1] == base[1]:
                new = _hazard_taken_out(factors, base, above, square)
                if new is not None:
                    return new
    return None


def bell_into_sum_of_quotients(node: Node) -> Node | None:
    """e^(-z²)·(x/erfc z - y/erfc(-z)) → x·e^(-z²)/erfc z - y·e^(-z²)/erfc(-z).

    Condition: a term, or what is chosen in one, divides by erfc z, and the exponent of the exponential holds -z².
    """
    factors = Factors.view(node)
    for base, e in factors.powers.items():
        if e != 1 or not is_op(base[0], "add"):
            continue
        for above, k in factors.powers.items():
            if is_op(above[0], "exp") and k == 1 and any(_may_divide_tail(o, above[0]) for o in base[0].operands):
                return distributed(factors, base, [above])
    return None


def bell_into_choice_of_quotients(node: Node) -> Node | None:
    """e^(-z²)·where(c, x/erfc z, 0) → where(c, x·e^(-z²)/erfc z, 0).  Condition: as above; one of the branches is 0."""
    factors = Factors.view(node)
    bells = [base for base, e in factors.powers.items() if is_op(base[0], "exp") and e == 1]
    for base, e in factors.powers.items() if bells else ():
        choice = choice_of_moved(base[0])
        branch = _chosen(choice) if e == 1 else None
        for bell in bells:
            if branch is not None and _divides_tail(branch, bell[0]):
                axes = base[1]
                inside = Factors(node.shape).times(branch, axes[len(axes) - branch.rank :]).times(*bell).build()
                condition = cover(broadcast_to(choice.operands[0], choice.shape), axes, node.shape)
                new = where(condition, *(0 if is_zero(o) else inside for o in choice.operands[1:]))
                rest = factors.copy().times(*base, -1).times(*bell, -1)
                return rest.times(broadcast_to(new, node.shape), trailing(node.rank, node.rank)).build()
    return None


def _chosen(choice: Node) -> Node | None:
    """What is chosen instead of 0, moved in its parts."""
    if not is_op(choice, "where") or sum(map(is_zero, choice.operands[1:])) != 1:
        return None
    return next(expose(o, DEEPEST) for o in choice.operands[1:] if not is_zero(o))


def _may_divide_tail(term: Node, bell: Node) -> bool:
    """The same of a term, or of what is chosen in it."""
    chosen = _chosen(choice_of_moved(term))
    return _divides_tail(term if chosen is None else chosen, bell)


def _divides_tail(term: Node, bell: Node) -> bool:
    """Whether a term divides by an erfc z that vanishes where the bell does."""
    return any(
        is_op(core, "erfc") and is_whole(e) and is_negative(e) and holds_bell(bell, core.operands[0])
        for (core, _), e in Factors.view(term).powers.items()
    )


def holds_bell(bell: Node, z: Node) -> bool:
    """Whether the exponent of an exponential holds -z²."""
    square, exponent = _square(z), bell.operands[0]
    if square.rank > bell.rank:
        return False
    without = Terms.of(exponent).plus(square, trailing(square.rank, bell.rank), sympy.S.One)
    return without.count() < Terms.of(exponent).count()


def _hazard_taken_out(factors: Factors, base: Base, above: Base, square: Node) -> Node | None:
    argument, places = above[0].operands[0], base[1]
    full = trailing(square.rank, argument.rank)
    count: Expr = min(-factors.powers[base], factors.powers[above])
    before = Terms.of(argument)
    most = int(-factors.powers[base])
    for taken in range(most, 0, -1):
        rest = Terms.of(argument).plus(square, full, sympy.Integer(taken))
        if rest.count() < before.count():
            break
    else:
        return None
    if taken > 1:
        count = sympy.S.One
    quotient = _hazard(base[0], taken, argument, rest.build() if rest.coefficients else None)
    return factors.copy().times(*above, -count).times(*base, count * taken).times(quotient, places, count).build()


def _hazard(tail: Node, count: int, argument: Node, rest: Node | None) -> Node:
    """e^argument/(erfc z)ᵏ, z the argument of the tail and argument = rest - k·z²: a branch each, so that neither
    e^rest nor e^(-k·z²) stands where it leaves the range alone.
    """
    (z,) = tail.operands
    near = power_of(elementwise("erfc", where(_is_far(z), 0, z)), sympy.Integer(-count))
    far = power_of(elementwise("mul", number(sympy.sqrt(sympy.pi)), fraction(z)), sympy.Integer(count))
    far = far if rest is None else elementwise("mul", elementwise("exp", rest), far)
    return where(_is_far(z), far, elementwise("mul", elementwise("exp", argument), near))


NORMAL_TAILS = (
    Rewrite(log_of_complementary_error_function, ("log",), domain="equal", role="stable"),
    Rewrite(bell_over_complementary_error_function, ("mul",), below=("exp", "erfc"), domain="extends", role="stable"),
    Rewrite(bell_into_sum_of_quotients, ("mul",), below=("exp", "erfc"), domain="equal", role="stable"),
    Rewrite(bell_into_choice_of_quotients, ("mul",), below=("exp", "erfc"), domain="extends", role="stable"),
)

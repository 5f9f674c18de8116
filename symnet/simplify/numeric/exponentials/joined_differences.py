"""Exponentials beside choices and sums in which a difference that holds them divides: they are taken to the divisor.

In: exp(a)·(where(c, v/(exp(a) - exp(b)), 0) + y).  Out: where(c, exp(a)·v/(exp(a) - exp(b)), 0) + exp(a)·y.  The
quotient alone becomes 1/(1 - exp(b - a)) in a later pass; outside, exp(a) may be infinite where the divisor is.
What is moved on the way to the divisor is moved in its parts.
Not handled: divisors inside sums over axes and other functions; sums of exponentials, which `scaled_values.py` knows.
"""

from __future__ import annotations

from symnet.expr.nodes.constants import number_of
from symnet.expr.nodes.elementwise import elementwise, is_op, operands_of
from symnet.expr.nodes.graph import with_operands
from symnet.expr.nodes.movement import broadcast_to
from symnet.expr.nodes.node import Node
from symnet.simplify.algebra.exposing import exposures
from symnet.simplify.algebra.hoisting import is_move, is_rearranged, moves_of
from symnet.simplify.algebra.hyperbolic import exponential_difference, take_exponential_in
from symnet.simplify.algebra.movement import moved
from symnet.simplify.forms.broadcast import cover, covered, without_repetition
from symnet.simplify.forms.coefficients import ONE, product
from symnet.simplify.forms.factors import Factors, power_of, split_power
from symnet.simplify.forms.signs import is_negative, is_positive, is_whole
from symnet.simplify.rewrite import Rewrite

DEEPEST = 6  # choices, sums, products and moves between the exponential and the divisor


def exponential_joins_its_difference(node: Node) -> Node | None:
    """exp(a)·(where(c, v/(exp(a) - exp(b)), 0) + y) → where(c, exp(a)·v/(exp(a) - exp(b)), 0) + exp(a)·y.

    Condition: somewhere in the choice or sum the exponential meets a divisor that is a difference with it.
    """
    factors = Factors.view(node)
    exponentials = [b for b, e in factors.powers.items() if is_op(b[0], "exp") and is_whole(e) and is_positive(e)]
    for base, e in factors.powers.items() if exponentials else ():
        if e != 1 or not (is_op(base[0], "where", "add") or is_move(base[0])) or not _holds_quotient(base[0]):
            continue
        whole = cover(*base, node.shape)
        for other in exponentials:
            count = factors.powers[other]
            met = _joined(power_of(cover(*other, node.shape), count), whole, DEEPEST)
            if met is not None:
                rest = factors.copy().times(*base, -ONE).times(*other, -count).build()
                return met if number_of(rest) == 1 else elementwise("mul", rest, met)
    return None


def _holds_quotient(x: Node) -> bool:
    """Whether a difference of exponentials divides close by: asked first, for nothing is built."""
    level = {x}
    for _ in range(DEEPEST):
        if any(map(_divides_by_difference, level)):
            return True
        level = {o for n in level if is_op(n, "where", "add", "mul") or is_rearranged(n) for o in n.operands}
    return False


def _joined(power: Node, x: Node, deepest: int) -> Node | None:
    """power·x, an array of its shape, with the exponential taken to where it meets its difference, if it does."""
    if not deepest:
        return None
    x = _moved_in_parts(x)
    if is_op(x, "where", "add"):
        head, parts = (x.operands[:1], x.operands[1:]) if is_op(x, "where") else ((), x.operands)
        parts = tuple(covered(o, power.shape) for o in parts)
        met = [_joined(power, part, deepest - 1) for part in parts]
        if all(m is None for m in met):
            return None
        new = [m if m is not None else _beside(power, part) for part, m in zip(parts, met, strict=True)]
        return broadcast_to(with_operands(x, [*head, *new]), power.shape)
    factors = operands_of("mul", x)
    if any(map(_divides_by_difference, factors)):
        quotient = elementwise("mul", power, *factors)
        return quotient if _meets(quotient) else None
    for factor in factors if len(factors) > 1 else ():
        met_in_factor = _joined(power, covered(factor, power.shape), deepest - 1)
        if met_in_factor is not None:
            rest = product(ONE, tuple(o for o in factors if o is not factor))
            return broadcast_to(elementwise("mul", rest, met_in_factor), power.shape)
    return None


def _moved_in_parts(x: Node) -> Node:
    """where(c, a, b)[k:] → where(c[k:], a[k:], b[k:]), and so for sums and products; other nodes as they are."""
    inner = x.operands[0] if is_move(x) else x
    if inner is x or not is_op(inner, "where", "add", "mul"):
        return x
    parts = [moved(x, covered(o, inner.shape)) if o.rank else o for o in inner.operands]
    return broadcast_to(with_operands(inner, parts), x.shape)


def _beside(power: Node, x: Node) -> Node:
    return x if number_of(without_repetition(x)) == 0 else elementwise("mul", power, x)


def _divides_by_difference(x: Node) -> bool:
    base, e = split_power(moves_of(x)[1])
    return is_negative(e) and exponential_difference(base) is not None


def _meets(quotient: Node) -> bool:
    """Whether the exponential is taken into the difference once it is multiplied."""
    return any(take_exponential_in(spelling, -1) is not None for spelling in (quotient, *exposures(quotient)))


JOINED_DIFFERENCES = (
    Rewrite(exponential_joins_its_difference, ("mul",), below=("exp",), domain="extends", role="stable"),
)

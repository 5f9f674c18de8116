"""Rewrites of products and powers.

In: a `mul`, `pow` or `size` node in which every operand is in normal form.  Out: a shorter or canonical product.
Cancelling x·x⁻¹ extends the domain to x = 0; nothing here shrinks one.
"""

from __future__ import annotations

from symnet.expr.assumptions import known
from symnet.expr.constants import Number, number
from symnet.expr.elementwise import elementwise, is_op
from symnet.expr.node import Node
from symnet.simplify.broadcast import trailing
from symnet.simplify.cost import saves
from symnet.simplify.engine import Rewrite
from symnet.simplify.factors import ONE, Base, Factors
from symnet.simplify.signs import is_negative, is_positive, is_whole
from symnet.simplify.terms import Terms

MOST_TERMS = 16  # of a sum that is multiplied out


def distribute_number_over_sum(node: Node) -> Node | None:
    """2·(a + 2·b) → 2·a + 4·b, and -(a - b) → b - a.

    Condition: nothing else is in the product, and the coefficients of the sum differ in size (or the number is -1)."""
    if len(node.operands) != 2 or not isinstance(node.operands[0], Number) or not is_op(node.operands[1], "add"):
        return None
    return Terms.of(node).build()


def collect_powers(node: Node) -> Node | None:
    """x·y·x → x²·y, x·x⁻¹ → 1; nested products opened, numbers multiplied, operands ordered.

    Condition: none (x·x⁻¹ extends the domain to x = 0)."""
    factors = Factors.of(node)
    _make_sums_primitive(factors)
    return factors.build()


def _make_sums_primitive(factors: Factors) -> None:
    """(2·a - 2·b)·x → 2·(a - b)·x; a sign left over goes to a sum that can carry it: -(a - b)·x → (b - a)·x."""
    for (core, axes), exponent in list(factors.powers.items()):
        if not is_op(core, "add") or isinstance(exponent, Node):
            continue
        terms = Terms.of(core)
        content = terms.content()
        if content != 1 and (is_whole(exponent) or is_positive(content)):
            factors.powers.pop((core, axes))
            factors.coefficient *= content**exponent
            factors.times(terms.scaled(1 / content).build(), axes, exponent)
    if is_negative(factors.coefficient):
        _turn_a_sum(factors)


def _turn_a_sum(factors: Factors) -> None:
    alone = len(factors.powers) == 1
    candidates = [base for base, e in factors.powers.items() if e == 1 and _takes_a_sign(base[0], alone)]
    if not candidates:
        return
    core, axes = min(candidates, key=lambda base: base[0].digest)
    factors.powers.pop((core, axes))
    factors.coefficient = -factors.coefficient
    factors.powers[(Terms.of(core).scaled(-ONE).build(), axes)] = ONE


def _takes_a_sign(core: Node, alone: bool) -> bool:
    """A sum with terms of both signs; beside other factors, with no number in it (1 - y² stays as it is)."""
    if not is_op(core, "add") or (not alone and any(isinstance(o, Number) for o in core.operands)):
        return False
    signs = {is_negative(c) for c in Terms.of(core).coefficients.values()}
    return signs == {True, False}


def powers_of_zero_and_one_are_themselves(node: Node) -> Node | None:
    """d² → d.  Condition: every element of d is 0 or 1 (one-hot, indicator), the exponent positive."""
    factors = Factors.view(node)
    squares = [b for b, e in factors.powers.items() if e != 1 and is_positive(e) and known(b[0], "unit", "integer")]
    if not squares:
        return None
    plain = factors.copy()
    for base in squares:
        plain.powers[base] = ONE
    return plain.build()


def square_root_of_square(node: Node) -> Node | None:
    """(x^a)^b → |x|^(a·b).  Condition: a an even number, b a number."""
    base, exponent = node.operands
    if not is_op(base, "pow") or not isinstance(exponent, Number) or not isinstance(base.operands[1], Number):
        return None
    inner = base.operands[1].value
    if not inner.is_even:
        return None
    return elementwise("pow", elementwise("abs", base.operands[0]), number(inner * exponent.value))


def distribute_to_cancel(node: Node) -> Node | None:
    """y·(a/y + b) → a + b·y: a factor multiplied into a sum in which its reciprocal stands.

    Condition: fewer operations afterwards (the measure that makes this end)."""
    factors = Factors.view(node)
    for base, exponent in factors.powers.items():
        if exponent == 1 and is_op(base[0], "add") and len(base[0].operands) <= MOST_TERMS:
            new = _distributed(factors, base)
            if new is not None and saves(new, node):
                return new
    return None


def _distributed(factors: Factors, target: Base) -> Node | None:
    core, axes = target
    terms = [Factors(factors.shape).times(o, axes[len(axes) - o.rank :]) for o in core.operands]
    wanted: dict[Base, object] = {}
    for term in terms:
        for base, exponent in term.powers.items():
            mine = factors.powers.get(base)
            if mine is None or base == target or isinstance(mine, Node) or isinstance(exponent, Node):
                continue
            if is_positive(mine) != is_positive(exponent):
                wanted[base] = mine
    if not wanted:
        return None
    rest = factors.copy()
    del rest.powers[target]
    for base in wanted:
        del rest.powers[base]
    parts = []
    for term in terms:
        for (base, places), exponent in wanted.items():
            term.times(base, places, exponent)
        _make_sums_primitive(term)
        parts.append(term.build())
    whole = elementwise("add", *parts)
    inner: Node = Terms.of(whole).build()
    return rest.times(inner, trailing(inner.rank, len(factors.shape))).build()


PRODUCTS = (
    Rewrite(distribute_number_over_sum, ("mul",)),
    Rewrite(collect_powers, ("mul", "pow", "size")),
    Rewrite(powers_of_zero_and_one_are_themselves, ("mul", "pow")),
    Rewrite(square_root_of_square, ("pow",)),
    Rewrite(distribute_to_cancel, ("mul",)),
)


"""Rewrites of products and powers.

In: a `mul`, `pow` or `size` node in which every operand is in normal form.  Out: a shorter or canonical product.
Cancelling x·x⁻¹ extends the domain to x = 0; nothing here shrinks one.
"""

from __future__ import annotations

from symnet.expr.facts.assumptions import known
from symnet.expr.nodes.constants import Number, number
from symnet.expr.nodes.elementwise import elementwise, is_op
from symnet.expr.nodes.node import Node
from symnet.simplify.algebra.choices import multiply_into_choice_to_cancel
from symnet.simplify.cost import saves
from symnet.simplify.forms.broadcast import trailing
from symnet.simplify.forms.coefficients import ONE
from symnet.simplify.forms.factors import Base, Factors, distributed
from symnet.simplify.forms.masks import is_off_diagonal
from symnet.simplify.forms.signs import is_negative, is_positive
from symnet.simplify.forms.terms import Terms
from symnet.simplify.rewrite import Rewrite

MOST_TERMS = 16  # of a sum that is multiplied out


def distribute_number_over_sum(node: Node) -> Node | None:
    """2·(a + 2·b) → 2·a + 4·b, and -(a - b) → b - a.

    Condition: nothing else is in the product, and the coefficients of the sum differ in size (or the number is -1).
    """
    if len(node.operands) != 2 or not isinstance(node.operands[0], Number) or not is_op(node.operands[1], "add"):
        return None
    return Terms.of(node).build()


def collect_powers(node: Node) -> Node | None:
    """x·y·x → x²·y, x·x⁻¹ → 1; nested products opened, numbers multiplied, operands ordered.

    Condition: none (x·x⁻¹ extends the domain to x = 0).
    """
    return Factors.of(node).primitive().build()


def powers_of_zero_and_one_are_themselves(node: Node) -> Node | None:
    """d² → d.  Condition: every element of d is 0 or 1 (one-hot, an indicator), and the exponent is positive."""
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

    Condition: fewer operations afterwards, or as many without the reciprocal (the measure that makes this end): where
    y is 0 the left side is 0·∞.
    """
    factors = Factors.view(node)
    for base, exponent in factors.powers.items() if len(factors.powers) > 1 else ():
        if exponent == 1 and is_op(base[0], "add") and len(base[0].operands) <= MOST_TERMS:
            new = _distributed(factors, base)
            if new is not None and (saves(new, node) or not saves(node, new)):
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
            if base[0].kind == "size" and mine.is_Rational and mine.q == 2 and exponent.is_Integer:
                continue  # √n·(x - y/n) stays: `factor_common_factors` takes √n out
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
        parts.append(term.primitive().build())
    whole = elementwise("add", *parts)
    inner: Node = Terms.of(whole).build()
    return rest.times(inner, trailing(inner.rank, len(factors.shape))).build()


def cancel_sum_divided_by_its_denominator(node: Node) -> Node | None:
    """(1 - 1/x)/(1 - x) → -1/x: a sum over x beside the reciprocal of what that sum is times x.

    Condition: the two are in one proportion, term by term.
    """
    factors = Factors.view(node)
    below = [b for b, e in factors.powers.items() if is_op(b[0], "add") and not isinstance(e, Node) and is_negative(e)]
    for base, exponent in factors.powers.items() if below else ():
        if exponent != 1 or not is_op(base[0], "add") or len(base[0].operands) > MOST_TERMS:
            continue
        core, axes = base
        totals = [(total, Terms.of(total[0])) for total in below if total[1] == axes]
        terms = [Factors(core.shape).times(o, trailing(o.rank, core.rank)) for o in core.operands if totals]
        for over in [b for term in terms for b, e in term.powers.items() if e == -1]:
            above = Terms.of(elementwise("add", *(term.copy().times(*over).build() for term in terms)))
            for total, its_terms in totals:
                ratio = above.over(its_terms)
                if ratio is not None:
                    rest = factors.copy()
                    del rest.powers[base]
                    rest.coefficient *= ratio
                    return rest.times(*total).times(over[0], tuple(axes[a] for a in over[1]), -ONE).build()
    return None


def multiply_out_delta(node: Node) -> Node | None:
    """x·(δ - y) → x·δ - x·y: a sum with an identity matrix beside other arrays.

    Condition: the sum is no mask c·(1 - δ): what that takes out may be large, and a difference would lose the rest.  A
    product with δ has one row's worth of elements, so nothing is computed twice.
    """
    factors = Factors.view(node)
    for base, exponent in factors.powers.items():
        if exponent != 1 or not is_op(base[0], "add") or is_off_diagonal(base[0]):
            continue
        if any(_has_delta(o) for o in base[0].operands):
            others = [b for b in factors.powers if b != base and b[1]]
            if others:
                return distributed(factors, base, others, primitive=True)
    return None


def _has_delta(term: Node) -> bool:
    return term.kind == "delta" or (is_op(term, "mul") and any(o.kind == "delta" for o in term.operands))


def factor_beside_delta_takes_its_last_axis(node: Node) -> Node | None:
    """x[i]·δ[i, j] → x[j]·δ[i, j].  Always: they agree where δ is not 0."""
    factors = Factors.view(node)
    pairs = {axes[0]: axes[1] for core, axes in factors.powers if core.kind == "delta"}
    moved = [base for base in factors.powers if len(base[1]) == 1 and base[1][0] in pairs]
    if not moved:
        return None
    result = factors.copy()
    for core, (axis,) in moved:
        exponent = result.powers.pop((core, (axis,)))
        result.times(core, (pairs[axis],), exponent)
    return result.build()


SQUARE_ROOT_OF_SQUARE = Rewrite(square_root_of_square, ("pow",), domain="equal", role="shorter")
CANCELLED_DENOMINATOR = Rewrite(
    cancel_sum_divided_by_its_denominator, ("mul",), below=("add",), domain="extends", role="shorter"
)
PRODUCTS = (
    Rewrite(distribute_number_over_sum, ("mul",), below=("add",), domain="equal", role="spelling"),
    Rewrite(
        collect_powers,
        ("mul", "pow", "size"),
        needs=("nonnegative", "positive", "finite"),
        domain="extends",
        role="exposing",
    ),
    Rewrite(
        powers_of_zero_and_one_are_themselves, ("mul", "pow"), needs=("unit", "integer"), domain="equal", role="shorter"
    ),
    SQUARE_ROOT_OF_SQUARE,
    Rewrite(
        factor_beside_delta_takes_its_last_axis,
        ("mul",),
        below=("delta",),
        needs=("finite",),
        domain="extends",
        role="shorter",
    ),
    Rewrite(multiply_out_delta, ("mul",), below=("delta",), needs=("finite",), domain="equal", role="exposing"),
    CANCELLED_DENOMINATOR,
    Rewrite(distribute_to_cancel, ("mul",), below=("add",), domain="extends", role="shorter"),
    Rewrite(multiply_into_choice_to_cancel, ("mul",), below=("where",), domain="equal", role="exposing"),
)

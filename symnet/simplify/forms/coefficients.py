"""Numbers in front of terms: how they are read off, put back, and taken out of a sum.

In: nodes in normal form.  Out: a SymPy number and the rest, or a sum of the same terms with other numbers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import sympy
from sympy import Expr

from symnet.expr.facts.assumptions import known
from symnet.expr.nodes.constants import Number, is_product_of_roots, number, number_of
from symnet.expr.nodes.elementwise import elementwise, is_op
from symnet.expr.nodes.node import Node, kept_on_node
from symnet.simplify.forms.order import sum_key, weight
from symnet.simplify.forms.signs import is_negative, is_positive, magnitude

ONE, ZERO = sympy.S.One, sympy.S.Zero
ScaledFactors = tuple[Expr, tuple[Node, ...]]  # a number and the factors behind it; no factors for a number alone


MODERATE = (
    64  # binary digits by which a number that rewrites make may leave 1: products with it stay in float32's range
)
LONGEST = 512  # binary digits of an exact number; one that needs more is rounded, once
SMALL = 12  # binary digits of a number that may be taken out of a power


def is_moderate(value: Expr) -> bool:
    """Whether a finite number other than 0 lies so near 1 that a product with it neither overflows nor vanishes."""
    if value.is_Rational:
        return abs(abs(value.p).bit_length() - value.q.bit_length()) <= MODERATE
    if isinstance(value, sympy.Float) and value.is_finite and value != 0:
        _, mantissa, exponent, digits = value._mpf_  # |value| is in [2^(e + d - 1), 2^(e + d))
        return -MODERATE < exponent + digits <= MODERATE or (mantissa == 1 and exponent == MODERATE)
    rounded = abs(value).evalf(17)
    return isinstance(rounded, sympy.Float) and is_moderate(rounded)


def is_small(value: Expr) -> bool:
    """Whether a number is a fraction of few digits."""
    return bool(value.is_Rational) and abs(value.p).bit_length() <= SMALL and value.q.bit_length() <= SMALL


def rounded_once(value: Expr) -> Expr:
    """The number itself, or a rounded one where its digits have become too many."""
    long = value.is_Rational and max(abs(value.p).bit_length(), value.q.bit_length()) > LONGEST
    return sympy.Float(value, 17) if long else value


def is_finite(value: Expr) -> bool:
    """Whether a number is finite."""
    return is_product_of_roots(value) or bool(value.is_finite)


def may_join(a: Expr, b: Expr) -> bool:
    """Whether the product of two numbers may stand for both: c·(d·x) → (c·d)·x.

    Where each is moderate and the product is not, x may be what brings it back.
    """
    return a == 0 or b == 0 or a in (1, -1) or b in (1, -1) or is_moderate(a * b)


def may_join_reciprocal(a: Expr, b: Expr) -> bool:
    """Whether a/b may stand for a and x/b: c·x/b → (c/b)·x.

    Always where b and 1/b are beyond float64, so that x/b is 0, infinite or NaN, and where only a/b is moderate.
    """
    if b == 0 or not b.is_Rational or is_moderate(b):
        return False
    beyond = is_beyond_float64(b) and is_beyond_float64(1 / b)
    return beyond or (a not in (1, -1) and is_moderate(a / b))


def is_beyond_float64(value: Expr) -> bool:
    """Whether a finite number other than 0 is rounded to 0 or to an infinite one."""
    return value != 0 and float(value) in (0.0, float("inf"), float("-inf"))


def split_coefficient(node: Node) -> ScaledFactors:
    """The leading number of a product, and its other factors."""
    if _is_finite_number(node):
        return node.args[0], ()
    if is_op(node, "mul"):
        first = node.operands[0]
        return (first.args[0], node.operands[1:]) if _is_finite_number(first) else (ONE, node.operands)
    return ONE, (node,)


def _is_finite_number(node: Node) -> bool:
    return isinstance(node, Number) and is_finite(node.value)


def is_multiple(x: Node) -> bool:
    """Whether x is a product with a number."""
    return is_op(x, "mul") and any(number_of(o) is not None for o in x.operands)


def product(coefficient: Expr, factors: tuple[Node, ...]) -> Node:
    """coefficient × Π factors as one node."""
    parts = factors if coefficient == 1 and factors else (number(coefficient), *factors)
    return parts[0] if len(parts) == 1 else elementwise("mul", *parts)


def beside_one(total: Node) -> Node | None:
    """y for the sum 1 + y; None for others."""
    terms: Sequence[ScaledFactors] = terms_of(total) if is_op(total, "add") else []
    rest = [o for o, (value, factors) in zip(total.operands, terms, strict=False) if factors or value != 1]
    if not terms or len(rest) != len(terms) - 1:
        return None
    return rest[0] if len(rest) == 1 else elementwise("add", *rest)


def sum_of_all(terms: Sequence[Node]) -> Node:
    """Σ of the terms, in their order."""
    return terms[0] if len(terms) == 1 else elementwise("add", *terms)


def sum_of(terms: list[ScaledFactors]) -> Node:
    """Σ of the terms, in the order for readers."""
    ordered = sorted(terms, key=lambda term: sum_key(is_negative(term[0]), term[1]))
    nodes = [product(*term) for term in ordered]
    return nodes[0] if len(nodes) == 1 else elementwise("add", *nodes)


@kept_on_node
def terms_of(total: Node) -> tuple[ScaledFactors, ...]:
    """The operands of a sum, each with its number."""
    return tuple([split_coefficient(o) for o in total.operands])


@kept_on_node
def content(total: Node) -> Expr:
    """The number to take out of a sum that is a factor: what is left has coprime coefficients and a canonical sign.

    Beside a number, fractions stay: mean(x) + 1/100 reads better than (100·mean(x) + 1)/100.
    """
    terms = terms_of(total)
    leading = _leading(terms, total)
    fractions = not all(value.is_Integer for value, _ in terms)
    beside_number = any(not factors for _, factors in terms)
    values = [value for value, _ in (leading if fractions and not beside_number else terms)]
    size = magnitude(values[0])
    if not all(magnitude(v) == size for v in values):
        size = ONE if fractions and beside_number else _divisor(values)
    return (ONE if size == 1.0 else size) * _sign(leading)  # a rounded 1.0 taken out would be there again


def _divisor(values: list[Expr]) -> Expr:
    """The largest number that leaves whole numbers; 1 where they are not rational."""
    if not all(v.is_Rational for v in values):
        return ONE
    return sympy.Rational(math.gcd(*(int(v.p) for v in values)), math.lcm(*(int(v.q) for v in values)))


def _leading(terms: Sequence[ScaledFactors], total: Node) -> Sequence[ScaledFactors]:
    """The terms that may lead: numbers, and those that vary as the sum does, so that x - mean(x) keeps its x."""
    found = [term for term in terms if not term[1] or _varies_fully(term[1], total)]
    return found if any(factors for _, factors in found) else terms


def _varies_fully(factors: tuple[Node, ...], total: Node) -> bool:
    return any(f.rank == total.rank and f.kind != "expand" for f in factors)


def _sign(terms: Sequence[ScaledFactors]) -> int:
    if all(is_negative(value) for value, _ in terms):
        return -1
    if all(is_positive(value) for value, _ in terms):
        return 1
    leader = max(terms, key=lambda term: weight(term[1]))
    return -1 if is_negative(leader[0]) else 1


def negated_sum(total: Node) -> Node:
    """-total, with the number of every term negated."""
    return sum_of([(-value, factors) for value, factors in terms_of(total)])


def divided(total: Node, divisor: Expr) -> Node:
    """The sum with the number of every term divided."""
    return sum_of([(quotient(value, divisor), factors) for value, factors in terms_of(total)])


def quotient(value: Expr, divisor: Expr) -> Expr:
    """value/divisor, exactly 1 or -1 where they are equal or opposite: 0.8/0.8 is no rounded number."""
    if not divisor.is_Rational and magnitude(value) == magnitude(divisor):
        return ONE if is_negative(value) == is_negative(divisor) else -ONE
    return value / divisor


def opposite(x: Node) -> Node | None:
    """-x, when x is written with a minus sign: in front of a product, or on the leading term of a sum."""
    if is_op(x, "add"):
        return negated_sum(x) if is_negative(content(x)) else None
    coefficient, factors = split_coefficient(x)
    return product(-coefficient, factors) if is_negative(coefficient) and factors else None


def unsigned(x: Node) -> Node | None:
    """-x, when x is a sum whose leading term is negative; in a product the sign stands in front already."""
    return opposite(x) if is_op(x, "add") else None


def opposite_argument(x: Node) -> Node | None:
    """-x, when x, as the argument of an odd function, is written with a minus sign: a number in a sum does not lead."""
    if not is_op(x, "add"):
        return opposite(x)
    leading = [term for term in _leading(terms_of(x), x) if term[1]]
    return negated_sum(x) if leading and _sign(leading) < 0 else None


def negated(x: Node) -> Node:
    """-x in normal form."""
    if is_op(x, "add"):
        return negated_sum(x)
    coefficient, factors = split_coefficient(x)
    return product(-coefficient, factors)


def complement(x: Node) -> Node:
    """1 - x."""
    return elementwise("add", 1, elementwise("mul", -1, x))


def is_finite_scalar(x: Node) -> bool:
    """Whether a factor of rank 0 is finite whatever the data: a number, an extent, their powers, a positive leaf."""
    if is_op(x, "pow"):
        base, exponent = x.operands
        above_zero = base.kind == "size" or is_positive(number_of(base))  # not 1/0, nor a root of -1
        return above_zero and _is_finite_number(exponent)
    if x.kind == "tensor":
        return not x.rank and known(x, "positive")
    return not x.rank and (x.kind == "size" or _is_finite_number(x))


def has_both_signs(total: Node) -> bool:
    """Whether a sum has positive and negative terms, so that -total reads as well."""
    return {is_negative(value) for value, _ in terms_of(total)} == {True, False}

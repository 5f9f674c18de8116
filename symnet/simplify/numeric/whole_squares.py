"""Squares of products, which the algebra form opens, written as squares again where a root or a logarithm is taken.

In: S^(1/2), S^(-n/2), log S and S = 0, S a sum of terms such as x²·y⁻⁴.  Out: the same with (x·y⁻²)², so that no factor
leaves the range by itself (0·∞ is NaN), and the term is scaled as a whole (`scaled_squares.py`).  After the pass of
norms at zero, which looks for the factors.
Not handled: exponentials, exp(2·x)·y², and contractions of several arrays, which stay matrix products.
"""

from __future__ import annotations

from sympy import S

from symnet.expr.nodes.constants import number, number_of
from symnet.expr.nodes.contraction import Einsum
from symnet.expr.nodes.elementwise import elementwise, is_op, operands_of
from symnet.expr.nodes.graph import with_operands
from symnet.expr.nodes.node import Node
from symnet.simplify.forms.broadcast import without_repetition
from symnet.simplify.forms.coefficients import ONE, product
from symnet.simplify.forms.factors import power_of, split_power
from symnet.simplify.forms.signs import is_negative, is_positive
from symnet.simplify.rewrite import Rewrite


def root_of_whole_squares(node: Node) -> Node | None:
    """(Σ x²·y⁻⁴)^(1/2) → (Σ (x·y⁻²)²)^(1/2), and S^(-n/2) so too; (Σ x⁴)^(1/2) → (Σ (x²)²)^(1/2).

    Condition: every term is a number or a square; of powers alone, n is 1, for there are norms of higher order.
    """
    exponent = number_of(node.operands[1])
    if exponent is None or not (exponent == S.Half or (is_negative(exponent) and (2 * exponent).is_Integer)):
        return None
    return _with_whole_squares(node, powers=abs(exponent) == S.Half)


def log_of_whole_squares(node: Node) -> Node | None:
    """log Σ x²·y⁻⁴ → log Σ (x·y⁻²)², and Σ x²·y⁻⁴ = 0 so too.  Condition: every term is a number or a square."""
    return _with_whole_squares(node, powers=is_op(node, "log"))


def _with_whole_squares(node: Node, powers: bool) -> Node | None:
    """The node of the sum with whole squares; with `powers`, x⁴ is (x²)²."""
    total = node.operands[0]
    inner = without_repetition(total)
    new = _whole(inner, powers)
    if new is None or new is inner:
        return None
    return with_operands(node, [with_operands(total, [new]) if inner is not total else new, *node.operands[1:]])


def _whole(total: Node, powers: bool) -> Node | None:
    """The sum with every square whole; None where a term is none."""
    terms = [_whole_term(term, powers) if number_of(term) is None else term for term in operands_of("add", total)]
    known = [term for term in terms if term is not None]
    if len(known) < len(terms):
        return None
    return with_operands(total, known) if is_op(total, "add") else known[0]


def _whole_term(term: Node, powers: bool) -> Node | None:
    if isinstance(term, Einsum):
        inside = _whole(term.operands[0], powers) if len(term.operands) == 1 else None
        return None if inside is None else with_operands(term, [inside])
    numbers, roots = [], []
    for factor in operands_of("mul", term):
        base, exponent = split_power(factor)
        if is_positive(number_of(factor)):
            numbers.append(factor)
        elif isinstance(exponent, Node) or not exponent.is_Integer or exponent % 2:
            return None
        else:
            roots.append(power_of(base, exponent / 2))
    if not roots:
        return None
    if len(roots) == 1 and not (powers and is_op(roots[0], "pow")):
        return term
    return product(ONE, (*numbers, elementwise("pow", product(ONE, tuple(roots)), number(2))))


WHOLE_SQUARES = (
    Rewrite(root_of_whole_squares, ("pow",), domain="equal", role="stable"),
    Rewrite(log_of_whole_squares, ("log", "eq"), domain="equal", role="stable"),
)

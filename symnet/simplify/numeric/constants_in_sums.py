"""Constants put back into the sums that they were taken out of, where that keeps digits: a pass of the numeric form.

In: sums of terms in the algebra form, which writes Σ (1 - σ(x)) as n - Σ σ(x).  Out: -Σ (σ(x) - 1), which the passes
after this one compute as Σ σ(-x).  The mean of exp(x) - 1 at x = 1e-20 is so 1e-20, and not 0.
The constant goes in where one of the rewrites that remove cancellation fires on the term and the constant together, and
not on the term alone.
Not handled: contractions of several operands, and constants that are arrays.
"""

from __future__ import annotations

from collections.abc import Sequence

import sympy
from sympy import Expr

from symnet.expr.nodes.constants import number, number_of
from symnet.expr.nodes.contraction import Einsum, contract
from symnet.expr.nodes.elementwise import elementwise, is_op, operands_of
from symnet.expr.nodes.extents import product
from symnet.expr.nodes.node import Node
from symnet.simplify.algebra.table import simplify
from symnet.simplify.engine import Table
from symnet.simplify.forms.coefficients import is_small, split_coefficient
from symnet.simplify.forms.coefficients import product as product_of
from symnet.simplify.numeric.cancellations import CANCELLATIONS
from symnet.simplify.numeric.conjugates import CONJUGATES
from symnet.simplify.numeric.differences import DIFFERENCES
from symnet.simplify.numeric.exponentials.stable import LOGARITHMS
from symnet.simplify.numeric.reciprocals import RECIPROCALS
from symnet.simplify.numeric.squares import SQUARES
from symnet.simplify.rewrite import Rewrite

_AWAITED = (
    Table(CONJUGATES),
    Table((*DIFFERENCES, *CANCELLATIONS)),
    Table(SQUARES),
    Table(LOGARITHMS),
    Table(RECIPROCALS),
)


def constant_into_sum(node: Node) -> Node | None:
    """k·n·c + c·Σ x → c·Σ (x + k).

    Condition: the sum is of n elements, and a rewrite that keeps the digits of a difference fires on x + k, not on x.
    """
    terms = list(node.operands)
    for place, constant in enumerate(terms):
        total, core = _scalar(constant)
        if total is None:
            continue
        for other, term in enumerate(terms):
            new = None if other == place else _with_constant(term, total, core)
            if new is not None:
                rest = [t for k, t in enumerate(terms) if k not in (place, other)]
                return elementwise("add", *rest, new) if rest else new
    return None


def _with_constant(term: Node, total: Expr, core: list[Node]) -> Node | None:
    """c·Σ (x + k·core) for a term c·Σ x, where k·core·n·c is the constant."""
    coefficient, factors = split_coefficient(term)
    sums = [f for f in factors if isinstance(f, Einsum) and _is_plain_sum(f)]
    if len(sums) != 1:
        return None
    (whole,) = sums
    scale = _number([number(coefficient), *(f for f in factors if f is not whole)])
    if scale is None:
        return None
    each = sympy.cancel(total / (scale * sympy.sympify(product(whole.extents[i] for i in whole.contracted))))
    if not is_small(each):
        return None
    (inside,) = whole.operands
    constant = elementwise("mul", number(each), *core) if core else number(each)
    own = operands_of("add", inside)
    element, turned = simplify([_sum_of(constant, own, 1), _sum_of(constant, own, -1)])
    either = (turned, element) if coefficient < 0 else (element, turned)
    found = next((e for e in either if _fires(e)), None)
    if found is None or _fires(inside):
        return None
    new = contract(whole.inputs, whole.output, found)
    return product_of(
        coefficient if found is element else -coefficient, tuple(new if f is whole else f for f in factors)
    )


def _sum_of(constant: Node, terms: Sequence[Node], sign: int) -> Node:
    all_terms = (constant, *terms)
    return elementwise("add", *(all_terms if sign > 0 else (elementwise("mul", number(-1), t) for t in all_terms)))


def _is_plain_sum(node: Einsum) -> bool:
    (first, *more) = node.inputs
    return bool(node.contracted) and not more and len(set(first)) == len(first)


def _fires(node: Node) -> bool:
    return any(table.step(node) is not None for table in _AWAITED)


def _scalar(term: Node) -> tuple[Expr | None, list[Node]]:
    """A term of rank 0 as a number of extents and what else it is multiplied by; None for any other."""
    if term.rank:
        return None, []
    factors = list(term.operands) if is_op(term, "mul") else [term]
    known = [f for f in factors if _exact(f) is not None]
    rest = [f for f in factors if _exact(f) is None]
    if any(isinstance(f, Einsum) for f in rest):
        return None, []
    return _number(known), rest


def _number(factors: list[Node]) -> Expr | None:
    """A product of numbers, extents and their powers, exactly."""
    values = [_exact(f) for f in factors]
    return None if any(v is None for v in values) else sympy.Mul(*values)


def _exact(node: Node) -> Expr | None:
    value = number_of(node)
    if value is not None:
        return value if value.is_Rational else None
    if node.rank:
        return None
    if node.kind == "size":
        return node.args[0]
    if is_op(node, "pow"):
        base, exponent = map(_exact, node.operands)
        return None if base is None or exponent is None or not exponent.is_Integer else base**exponent
    return None


CONSTANTS_IN_SUMS: tuple[Rewrite, ...] = (
    Rewrite(constant_into_sum, ("add",), below=("einsum",), domain="equal", role="stable"),
)

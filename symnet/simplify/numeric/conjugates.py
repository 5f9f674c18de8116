"""Pass of the numeric form: a root less what it is close to, by the conjugate.

In: sums in the algebra form.  Out: √A - t as (A - t²)/(√A + t) where t is more than half of the root, and as it stands
elsewhere, so that neither spelling cancels and a square that overflows is not used.
Not handled: squares that the algebra form keeps as products, √(x·(x + 1)) - x, and roots of other degrees.
"""

from __future__ import annotations

import sympy
from sympy import Expr

from symnet.expr.facts.assumptions import known
from symnet.expr.nodes.constants import number
from symnet.expr.nodes.elementwise import elementwise, is_op, where
from symnet.expr.nodes.movement import broadcast_to
from symnet.expr.nodes.node import Node
from symnet.simplify.forms.broadcast import align, trailing
from symnet.simplify.forms.coefficients import ONE, product, split_coefficient
from symnet.simplify.forms.factors import Factors, split_power
from symnet.simplify.forms.signs import is_negative
from symnet.simplify.forms.terms import Terms
from symnet.simplify.rewrite import Rewrite


def root_less_its_neighbour(node: Node) -> Node | None:
    """c·√A - c·t → c·(A - t²)/(√A + t) where 2·t > √A, c·(√A - t) elsewhere.

    Condition: a term of A goes with one of t²: √(x² + 1) - x, √(x + 1) - √x, √(1 + x) - 1, √(b² - 4·a·c) - b.
    """
    for place, term in enumerate(node.operands):
        coefficient, factors = split_coefficient(term)
        core, axes = align(factors[0], node.shape) if len(factors) == 1 else (term, ())
        if len(factors) != 1 or not _is_root(core):
            continue
        rest = [o for k, o in enumerate(node.operands) if k != place]
        whole = rest[0] if len(rest) == 1 else elementwise("add", *rest)
        scale, beside = split_coefficient(whole)
        t = (-scale / coefficient, beside)
        if is_negative(t[0]) and all(known(f, "nonnegative") for f in beside):
            continue
        excess = _excess(Terms(node.shape).plus(core.operands[0], axes), _square(t, node))
        if excess is not None:
            return _by_conjugate(node, coefficient, broadcast_to(factors[0], node.shape), t, excess)
    return None


def _is_root(x: Node) -> bool:
    return is_op(x, "pow") and split_power(x)[1] == sympy.S.Half


def _square(t: tuple[Expr, tuple[Node, ...]], node: Node) -> Terms:
    """t² as terms: a root gives what stands under it."""
    count, factors = t
    if len(factors) == 1:
        core, axes = align(factors[0], node.shape)
        if _is_root(core):
            return Terms(node.shape).plus(core.operands[0], axes, count**2)
    squared = Factors(node.shape, count**2)
    for factor in factors:
        core, axes = align(factor, node.shape)
        base, exponent = split_power(core)
        if isinstance(exponent, Node):
            squared.times(core, axes, sympy.Integer(2))
        else:
            squared.times(base, axes, 2 * exponent)
    whole = squared.build()
    return Terms(node.shape).plus(whole, trailing(whole.rank, node.rank))


def _excess(above: Terms, below: Terms) -> Node | None:
    """A - B as terms, where a term of A meets one of B and cancels; None where none does."""
    if len(above.coefficients) + len(below.coefficients) < 3:
        return None
    common = [key for key, count in above.coefficients.items() if below.coefficients.get(key) == count]
    if not common:
        return None
    difference = Terms(above.shape)
    for terms, sign in ((above, ONE), (below, -ONE)):
        for key, count in terms.coefficients.items():
            if key not in common:
                difference.coefficients[key] = difference.coefficients.get(key, sympy.S.Zero) + sign * count
    difference.coefficients = {key: count for key, count in difference.coefficients.items() if count != 0}
    return difference.build() if difference.coefficients else None


def _by_conjugate(node: Node, coefficient: Expr, root: Node, t: tuple[Expr, tuple[Node, ...]], excess: Node) -> Node:
    beside = product(*t) if t[1] else number(t[0])
    near = elementwise("lt", root, elementwise("mul", 2, beside) if t[1] else number(2 * t[0]))
    more, less = where(near, beside, 0), where(near, 0, beside)  # so spelled, neither sum is one for this rewrite
    quotient = elementwise("mul", excess, elementwise("pow", elementwise("add", root, more), -1))
    apart = elementwise("add", root, elementwise("mul", -1, less))
    new = where(near, broadcast_to(quotient, node.shape), broadcast_to(apart, node.shape))
    return new if coefficient == 1 else elementwise("mul", number(coefficient), new)


CONJUGATES: tuple[Rewrite, ...] = (
    Rewrite(root_less_its_neighbour, ("add",), below=("pow",), domain="equal", role="stable"),
)

"""First pass of the numeric form, continued: differences from quotients, over one denominator where terms cancel there.

In: sums in the algebra form.  Out: 1 - x²/(x² + 1) as 1/(x² + 1), x - x²/(x + y) as x·y/(x + y), a/(a + b) - 1 as
-b/(a + b): the digits that the difference would lose where the quotient is close to what stands beside it.
Not handled: quotients by powers, by sums over an axis, by roots; several quotients at once.
"""

from __future__ import annotations

import sympy

from symnet.expr.nodes.constants import number
from symnet.expr.nodes.elementwise import elementwise, is_op, where
from symnet.expr.nodes.movement import broadcast_to
from symnet.expr.nodes.node import Node
from symnet.simplify.algebra.hoisting import is_hot
from symnet.simplify.forms.broadcast import spread, trailing
from symnet.simplify.forms.coefficients import ONE
from symnet.simplify.forms.factors import Base, Factors
from symnet.simplify.forms.signs import is_negative
from symnet.simplify.forms.terms import Terms
from symnet.simplify.rewrite import Rewrite

MOST_TERMS = 8  # of a denominator


def difference_over_one_denominator(node: Node) -> Node | None:
    """c - n/d → (c·d - n)/d, and c - n/d where d is infinite, unless c·d - n is a number.

    Condition: d is a sum, c divides by nothing, and c·d - n has fewer terms than d.
    """
    for place, term in enumerate(node.operands):
        quotient = Factors(node.shape).times(term, trailing(term.rank, node.rank))
        for base in [b for b, e in quotient.powers.items() if e == -1 and _is_sum(b)]:
            for other, beside in enumerate(node.operands):
                above = _over(node, quotient, base, beside) if other != place else None
                if above is not None:
                    rest = [o for k, o in enumerate(node.operands) if k not in (place, other)]
                    return broadcast_to(elementwise("add", above, *rest) if rest else above, node.shape)
    return None


def _is_sum(base: Base) -> bool:
    """Whether it is a sum without exponentials, which have rules of their own."""
    return is_op(base[0], "add") and len(base[0].operands) <= MOST_TERMS and not is_hot(base[0])


def _over(node: Node, quotient: Factors, base: Base, beside: Node) -> Node | None:
    """(c·d + n)/d of c + n/d, where terms of c·d and n cancel."""
    below, axes = base
    if any(is_negative(e) for e in Factors.view(beside).powers.values()):
        return None
    whole = trailing(node.rank, node.rank)
    numerator = quotient.copy().times(below, axes)
    total = Terms(node.shape).plus(numerator.build(), whole)
    for term in below.operands:
        part = Factors(node.shape).times(beside, trailing(beside.rank, node.rank))
        total.plus(part.times(term, axes[len(axes) - term.rank :]).build(), whole)
    if not total.coefficients or len(total.coefficients) >= len(below.operands):
        return None
    over = Factors(node.shape).times(total.build(), whole).times(below, axes, -ONE).build()
    if all(not factors for factors, _ in total.coefficients):
        return over
    finite = elementwise("lt", elementwise("abs", below), number(sympy.oo))
    divisor = elementwise("pow", where(finite, 1, below), -1)
    as_written = elementwise("add", beside, numerator.times(divisor, axes).build())
    return where(spread(finite, axes, node.shape) if finite.rank else finite, over, as_written)


COMMON_DENOMINATORS = (
    Rewrite(difference_over_one_denominator, ("add",), below=("pow",), domain="extends", role="stable"),
)

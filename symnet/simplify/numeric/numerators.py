"""A quotient of two sums with squares in both, as a number and a quotient that stays in the range.

In: products in the algebra form, whose quotients stand over one denominator.  Out: (1 - 2·x²/(x² + y²))/(x² + y²) for
(y² - x²)/(x² + y²)²: where both sums overflow, what is divided by the sum of squares is scaled
(`quotients_by_squares.py`).
Not handled: a sum that is divided by c + x² and is a polynomial in x², which `shifted_squares.py` scales as it stands;
sums without a like term for each of the denominator, which the algebra form does not bring over it.
"""

from __future__ import annotations

from sympy import Expr

from symnet.expr.nodes.constants import number
from symnet.expr.nodes.elementwise import elementwise, is_op
from symnet.expr.nodes.node import Node
from symnet.simplify.algebra.hoisting import is_hot
from symnet.simplify.algebra.one_denominator import may_overflow
from symnet.simplify.forms.broadcast import trailing
from symnet.simplify.forms.coefficients import ONE
from symnet.simplify.forms.factors import Base, Factors
from symnet.simplify.forms.magnitudes import largest
from symnet.simplify.forms.signs import is_negative, is_positive, magnitude
from symnet.simplify.forms.terms import CoresAlongAxes, Terms
from symnet.simplify.numeric.shifted_squares import polynomial_in_square, shifted_square
from symnet.simplify.rewrite import Rewrite

MOST_TERMS = 8
MODERATE = 8  # how much larger a term of the denominator may be than the like term above it, when it is taken out


def numerator_less_its_denominator(node: Node) -> Node | None:
    """(a·S + r)/S → a + r/S, a a number.

    Condition: S is a sum without exponentials in which a term may overflow, and for each term of S a like one, not much
    smaller, stands above.
    """
    factors = Factors.view(node)
    below = [b for b, e in factors.powers.items() if is_negative(e) and e <= -1 and _may_overflow(b[0])]
    for base, exponent in factors.powers.items() if below else ():
        if exponent == 1 and is_op(base[0], "add") and len(base[0].operands) <= MOST_TERMS:
            for total in below:
                new = _apart(factors, base, total)
                if new is not None:
                    return new
    return None


def _may_overflow(total: Node) -> bool:
    if not is_op(total, "add") or len(total.operands) > MOST_TERMS or is_hot(total) or largest(total) is not None:
        return False
    return any(map(may_overflow, Terms.of(total).coefficients))


def _apart(factors: Factors, base: Base, total: Base) -> Node | None:
    """The product with a + r/S in the place of a sum above S."""
    square = shifted_square(total[0])
    if square is not None and base[1] == total[1] and polynomial_in_square(base[0], square):
        return None
    shape, places = factors.shape, trailing(len(factors.shape), len(factors.shape))
    above, below = (Terms(shape).plus(*each) for each in (base, total))
    ratio = _ratio(above.coefficients, below.coefficients)
    if ratio is None:
        return None
    rest = above.plus(*total, -ratio)
    part = Factors(shape).times(rest.build(), places).times(*total, -ONE).build()
    left = factors.copy()
    del left.powers[base]
    whole = elementwise("add", number(ratio), part) if rest.coefficients else number(ratio)
    return left.times(*total).times(whole, trailing(whole.rank, len(shape))).build()


def _ratio(above: dict[CoresAlongAxes, Expr], below: dict[CoresAlongAxes, Expr]) -> Expr | None:
    """a for which a·S takes as many terms that may overflow as there are; of several the smallest."""
    if not above.keys() >= below.keys():
        return None
    ratios = [above[key] / value for key, value in below.items()]
    overflowing = [above[key] / value for key, value in below.items() if may_overflow(key)]
    fair = [a for a in overflowing if all(magnitude(a) <= MODERATE * magnitude(r) for r in ratios)]
    return min(fair, key=lambda a: (-overflowing.count(a), magnitude(a), not is_positive(a)), default=None)


NUMERATORS: tuple[Rewrite, ...] = (
    Rewrite(numerator_less_its_denominator, ("mul",), below=("add",), domain="extends", role="stable"),
)

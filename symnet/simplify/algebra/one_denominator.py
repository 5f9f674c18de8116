"""Quotients by one sum and its powers, brought over one denominator: the quotient rule as it is taught.

In: a product with a power of a sum below, and a sum beside it in which that sum divides again.  Out: one quotient,
(1 - u²)/(u² + 1)² for (1 - 2·u²/(u² + 1))/(u² + 1).  Only what is divided anyway comes over a denominator: the sum
1 - 1/(u + 1) stays by itself.
A sum with squares, products or functions may overflow where the quotients by it do not.  So each of its terms then has
a like term above, by which the numeric form takes the quotient apart again (`simplify/numeric/numerators.py`), or what
is above is a polynomial in the same square, which is scaled (`simplify/numeric/shifted_squares.py`).
Not handled: sums with exponentials, which have rules of their own.
"""

from __future__ import annotations

from symnet.expr.nodes.elementwise import is_op
from symnet.expr.nodes.node import Node, Shape
from symnet.simplify.algebra.hoisting import is_hot, is_rearranged
from symnet.simplify.cost import saves
from symnet.simplify.forms.broadcast import trailing
from symnet.simplify.forms.coefficients import ONE, product
from symnet.simplify.forms.factors import Base, Factors, split_power
from symnet.simplify.forms.magnitudes import largest
from symnet.simplify.forms.polynomial import monomials
from symnet.simplify.forms.signs import is_negative, is_positive, is_whole
from symnet.simplify.forms.terms import CoresAlongAxes, Terms
from symnet.simplify.rewrite import Rewrite

MOST_TERMS = 4  # of a denominator, and of what is brought over it


def quotients_over_one_denominator(node: Node) -> Node | None:
    """(c + n/d)/d → (c·d + n)/d², and so with other powers of d outside.

    Condition: d is a sum without exponentials; like terms of c·d and n meet, and there are no more operations.  Where d
    has squares, products or functions that may overflow, c·d + n has none, or a like term for each of d.
    """
    factors = Factors.view(node)
    below = [b for b, e in factors.powers.items() if is_negative(e) and _divides(b)]
    for base, exponent in factors.powers.items() if below else ():
        if exponent == 1 and is_op(base[0], "add") and len(base[0].operands) <= MOST_TERMS:
            for total in below:
                new = _over_one(factors, base, total)
                if new is not None and not saves(node, new):
                    return new
    return None


def _divides(base: Base) -> bool:
    core, _ = base
    return is_op(core, "add") and len(core.operands) <= MOST_TERMS and not is_hot(core)


def _over_one(factors: Factors, base: Base, total: Base) -> Node | None:
    """The product with c·d + n in the place of c + n/d, and one more d below."""
    shape = factors.shape
    places = trailing(len(shape), len(shape))
    terms = terms_over(shape, base)
    whole = [t for t in terms if total not in t.powers]
    if len(whole) in (0, len(terms)) or any(t.powers.get(total, -1) != -1 for t in terms):
        return None  # all of the sum is over d, or nothing is
    below = Terms(shape).plus(*total)
    over = _multiplied_out([t.times(*total) for t in terms if total in t.powers], shape)
    above = _multiplied_out([t.copy().times(*part) for t in whole for part in _operands(total)], shape)
    count = len(above.coefficients) + len(over.coefficients)
    above.plus(over.build(), places)
    if not 0 < len(above.coefficients) < count or not _stays_in_range(above, below, over):
        return None
    rest = factors.copy()
    del rest.powers[base]
    return rest.times(above.build(), places).times(*total, -ONE).build()


def terms_over(shape: Shape, total: Base) -> list[Factors]:
    """The terms of a sum that is a factor of a product of this shape, each by its factors."""
    return [Factors(shape).times(*part) for part in _operands(total)]


def _operands(total: Base) -> list[Base]:
    core, axes = total
    return [(o, axes[len(axes) - o.rank :]) for o in core.operands]


def _multiplied_out(products: list[Factors], shape: Shape) -> Terms:
    """The sum of the products, small sums in them multiplied out."""
    total, places = Terms(shape), trailing(len(shape), len(shape))
    for each in products:
        node = each.build()
        for monomial in monomials(node, node):
            total.plus(monomial.build(), places)
    return total


def _stays_in_range(above: Terms, below: Terms, over: Terms) -> bool:
    """Whether (c·d + n)/d is a number where c + n/d is one: where d overflows, too, unless both are NaN there."""
    if not any(map(may_overflow, above.coefficients)) or not any(map(may_overflow, below.coefficients)):
        return True
    if not _is_sum_of_squares(below):
        return any(map(may_overflow, over.coefficients))
    alike = above.coefficients.keys() >= below.coefficients.keys()
    return alike or len(above.coefficients) == 1 or _is_of_one_square(above, below)


def _is_sum_of_squares(total: Terms) -> bool:
    """Whether every term is a positive number of times an even power, or one."""
    powers = [split_power(product(ONE, factors))[1] for factors, _ in total.coefficients if factors]
    return all(map(is_positive, total.coefficients.values())) and all(is_whole(e) and e % 2 == 0 for e in powers)


def _is_of_one_square(above: Terms, below: Terms) -> bool:
    """Whether the one is a + x² and the other a polynomial in x²."""
    squares = [product(ONE, factors) for factors, _ in below.coefficients if factors]
    if len(squares) != 1 or len(below.coefficients) != 2:
        return False
    base, exponent = split_power(squares[0])
    powers = [split_power(product(ONE, factors)) for factors, _ in above.coefficients if factors]
    return exponent == 2 and all(b is base and is_whole(e) and e % 2 == 0 for b, e in powers)


def may_overflow(term: CoresAlongAxes) -> bool:
    """Whether a term is more than a number of times a variable, its size, or a bounded function."""
    factors, _ = term
    return len(factors) > 1 or not all(_is_moderate(f) for f in factors)


def _is_moderate(x: Node) -> bool:
    if is_op(x, "abs") or is_rearranged(x):
        return _is_moderate(x.operands[0])
    return x.kind in ("tensor", "size") or largest(x) is not None


ONE_DENOMINATOR = (
    Rewrite(
        quotients_over_one_denominator, ("mul",), below=("add",), needs=("finite",), domain="extends", role="shorter"
    ),
)

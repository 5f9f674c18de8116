"""Products of powers, multiplied in an order that stays in the floating range: a pass of the numeric form.

In: products such as x²·y², 2·x·y² and x²/y³ of the algebra form, which has opened (x·y)² and its slopes.
Out: (x·y)², (x·y)·y, (x/y)²/y: where x² is ∞ and y² is 0 the whole may be an ordinary number.  It costs as many
operations as before.
Not handled: powers above `HIGHEST`, exponents that are not whole, a scalar beside an array (its square is computed
once), a square in front of a sum, three factors of which one brings back what two others take out of range.
"""

from __future__ import annotations

import sympy
from sympy import Expr

from symnet.expr.facts.assumptions import known
from symnet.expr.nodes.constants import number
from symnet.expr.nodes.elementwise import elementwise
from symnet.expr.nodes.node import Node
from symnet.simplify.forms.broadcast import trailing
from symnet.simplify.forms.factors import Factors, power_of
from symnet.simplify.forms.order import product_key
from symnet.simplify.forms.signs import is_whole
from symnet.simplify.numeric.scaled_squares import is_scale
from symnet.simplify.rewrite import Rewrite

HIGHEST = 3
_UNITS = (sympy.S.NegativeOne, sympy.S.One)
IntegerPowers = dict[Node, int]


def multiply_in_turns(node: Node) -> Node | None:
    """x²·y² → (x·y)², x·y² → (x·y)·y, x²/y³ → (x/y)²/y.

    Condition: the exponents are whole and not high, one at least is not ±1, the factors have the product's shape, and
    none is the scale of a quotient by squares, which stands in its own order.
    """
    factors = Factors.view(node)
    full = trailing(node.rank, node.rank)
    powers: IntegerPowers = {}
    for (base, axes), e in factors.powers.items():
        if axes != full or not _is_moderate(e) or is_scale(base):
            return None
        powers[base] = int(e)
    if len(powers) < 2 or not any(abs(e) > 1 and not known(base, "unit") for base, e in powers.items()):
        return None
    product = _in_turns(powers)
    return product if factors.coefficient == 1 else elementwise("mul", number(factors.coefficient), product)


def _is_moderate(exponent: Expr | Node) -> bool:
    return is_whole(exponent) and abs(exponent) <= HIGHEST


def _in_turns(powers: IntegerPowers) -> Node:
    """The product of all bases, each to the power ±1, raised to the lowest power of any; then what is left, one base
    after another.

    The order of the bases does not depend on their powers, so that every product on the way stands as it is.
    """
    lowest = min(map(abs, powers.values()))
    ordered = sorted(powers.items(), key=lambda item: (item[1] < 0, product_key(item[0])))  # quotients last
    once = [power_of(base, _UNITS[e > 0]) for base, e in ordered]
    whole = power_of(once[0] if len(once) == 1 else elementwise("mul", *once), sympy.Integer(lowest))
    rest = {base: e - (lowest if e > 0 else -lowest) for base, e in ordered}
    for base, e in rest.items():
        for _ in range(abs(e)):
            whole = elementwise("mul", whole, power_of(base, _UNITS[e > 0]))
    return whole


INTERLEAVED = (Rewrite(multiply_in_turns, ("mul",), domain="equal", role="stable"),)

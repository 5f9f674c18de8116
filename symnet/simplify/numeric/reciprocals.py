"""A reciprocal less 1, which has no digits left where it is close to 1.

In: sums in the numeric form of logarithms and quotients.  Out: 1/x - 1 as (1 - x)·(1/x) where x is small enough that
digits may cancel, for 1 - x has all of them there; as it is written elsewhere, at ∞ too.
Not handled: reciprocals of what is computed and so has been rounded before, or of other numbers, 1/x - 3.
"""

from __future__ import annotations

from symnet import dtypes
from symnet.expr.facts.assumptions import known
from symnet.expr.nodes.elementwise import elementwise, where
from symnet.expr.nodes.movement import broadcast_to
from symnet.expr.nodes.node import Node
from symnet.simplify.algebra.hoisting import moves_of
from symnet.simplify.forms.coefficients import product, split_coefficient
from symnet.simplify.forms.factors import split_power
from symnet.simplify.rewrite import Rewrite


def reciprocal_less_one(node: Node) -> Node | None:
    """1/x - 1 → where(|x| < 2, (1 - x)·(1/x), 1/x - 1), and so for 1/x + 1 and multiples of both.

    Condition: x is an argument, moved perhaps, and the two may have opposite signs.
    """
    if len(node.operands) != 2:
        return None
    (a, left), (b, right) = sorted(map(split_coefficient, node.operands), key=lambda term: len(term[1]))
    x, exponent = split_power(right[0]) if len(right) == 1 else (node, None)
    if left or abs(a) != abs(b) or exponent != -1 or not _is_argument(x) or (a == b and known(x, "nonnegative")):
        return None
    near = elementwise("lt", elementwise("abs", x), 2)
    sign = a / b
    above = where(near, elementwise("add", 1, product(sign, (x,))), 1)  # a sum of choices: it does not fire again
    total = elementwise("add", elementwise("mul", above, right[0]), where(near, 0, sign))
    return broadcast_to(product(b, (total,)), node.shape)


def _is_argument(x: Node) -> bool:
    return moves_of(x)[1].kind == "tensor" and dtypes.is_real(x.dtype)


RECIPROCALS = (Rewrite(reciprocal_less_one, ("add",), below=("pow",), domain="equal", role="stable"),)

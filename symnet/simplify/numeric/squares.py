"""First pass of the numeric form, continued: 1 - x² under a root or in a divisor, 1 - erf x,
and 1 - coth² x.

In: nodes in the algebra form.  Out: the same values with the digits that a rounded square would lose where x is near 1,
as in the derivatives of asin, acosh and atanh.
Not handled: 1 - x² that nothing divides by: it is right to an ulp of 1.
"""

from __future__ import annotations

from collections.abc import Iterator

from sympy import Expr

from symnet.expr.nodes.constants import number_of
from symnet.expr.nodes.elementwise import elementwise, is_op, power
from symnet.expr.nodes.node import Node
from symnet.simplify.forms.coefficients import negated, product, sum_of_all, terms_of
from symnet.simplify.rewrite import Rewrite


def difference_of_squares_under_a_power(node: Node) -> Node | None:
    """1/(1 - x²) → 1/((1 - x)·(1 + x)), also other negative powers; (x² - 1)^e → (|x| - 1)^e·(|x| + 1)^e.

    Condition: e is a number; in the second it is not whole, so that |x| ≥ 1 where the left side has a value.  1 - x is
    exact near 1, and x² overflows where √(x² - 1) is |x|.
    """
    base, exponent = node.operands
    value = number_of(exponent)
    if value is None or not is_op(base, "add") or len(base.operands) != 2:
        return None
    terms = {factors: count for count, factors in terms_of(base)}
    one = terms.pop((), None)
    if one not in (1, -1) or len(terms) != 1:
        return None
    ((factors, count),) = terms.items()
    if count != -one or len(factors) != 1 or not is_op(factors[0], "pow") or number_of(factors[0].operands[1]) != 2:
        return None
    x = factors[0].operands[0]
    if one == -1 and not value.is_Integer:
        size = elementwise("abs", x)
        return elementwise("mul", power(size - 1, exponent), power(size + 1, exponent))
    first = 1 - x if one == 1 else x - 1
    return power(elementwise("mul", first, 1 + x), exponent) if value.is_negative else None


def multiply_by_roots_one_by_one(node: Node) -> Node | None:
    """x·((|x| - 1)^e·(|x| + 1)^e) → x·(|x| - 1)^e·(|x| + 1)^e.  Always: the product of the powers alone may vanish."""
    inner = [o for o in node.operands if _are_roots(o) and o.shape == node.shape]
    if not inner:
        return None
    flat = [part for o in node.operands for part in (o.operands if o in inner else (o,))]
    return elementwise("mul", *flat)


def _are_roots(x: Node) -> bool:
    """Whether a product is one of powers below 0 that are not whole."""
    if not is_op(x, "mul") or not all(is_op(o, "pow") for o in x.operands):
        return False
    exponents = [number_of(o.operands[1]) for o in x.operands]
    return all(e is not None and e.is_negative and not e.is_Integer for e in exponents)


def one_less_erf_is_erfc(node: Node) -> Node | None:
    """1 - erf x → erfc x, 1 + erf x → erfc(-x) and 2 - erfc x → erfc(-x), with a number in front.  Always."""
    for one, count, core, rest in _beside_a_number(node):
        if is_op(core, "erf") and abs(count) == abs(one):
            x = core.operands[0]
            tail = elementwise("erfc", x if count == -one else negated(x))
            return sum_of_all([product(one, (tail,)), *rest])
        if is_op(core, "erfc") and one == -2 * count:
            return sum_of_all([product(-count, (elementwise("erfc", negated(core.operands[0])),)), *rest])
    return None


def one_less_square_of_cotangent(node: Node) -> Node | None:
    """1 - 1/tanh(x)² → -1/sinh(x)², with a number in front.  Always: 1/tanh(x)² rounds to 1 from 19 on."""
    for one, count, core, rest in _beside_a_number(node):
        if count != -one or not is_op(core, "pow") or not is_op(core.operands[0], "tanh"):
            continue
        if number_of(core.operands[1]) == -2:
            sine = elementwise("sinh", core.operands[0].operands[0])
            return sum_of_all([product(-one, (elementwise("pow", sine, -2),)), *rest])
    return None


def _beside_a_number(node: Node) -> Iterator[tuple[Expr, Expr, Node, list[Node]]]:
    """The number of a sum, and of each term of one factor its coefficient, the factor, and the other terms."""
    terms = terms_of(node)
    numbers = [count for count, factors in terms if not factors]
    for place, (count, factors) in enumerate(terms) if len(numbers) == 1 else ():
        if len(factors) == 1:
            yield numbers[0], count, factors[0], [o for k, o in enumerate(node.operands) if k != place and terms[k][1]]


SQUARES: tuple[Rewrite, ...] = (
    Rewrite(difference_of_squares_under_a_power, ("pow",), domain="equal", role="stable"),
    Rewrite(multiply_by_roots_one_by_one, ("mul",), below=("abs",), domain="equal", role="stable"),
    Rewrite(one_less_erf_is_erfc, ("add",), below=("erf|erfc",), domain="equal", role="stable"),
    Rewrite(one_less_square_of_cotangent, ("add",), below=("tanh",), domain="equal", role="stable"),
)

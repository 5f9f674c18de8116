"""Differences of the normal distribution: log(erf b - erf a), where both are close to 1, and what its slopes divide by.

In: logarithms, products and quotients of erf b - erf a or erfc a - erfc b (ordered probit, truncation, intervals).
Out: erf is odd, so that q >= |p| may be had with the same difference; then, with e^(-z²)/erfc z = √π·F(z),

    p > FAR:    log erfc p + log(1 - erfc q/erfc p),    erfc q/erfc p = e^((p - q)(p + q))·F(p)/F(q)
    otherwise:  log(erf q - erf p), or of erfc p - erfc q where p >= 1/2

Not handled: digits that cancel because b is close to a, below FAR.
"""

from __future__ import annotations

import sympy
from sympy import Expr

from symnet.expr.nodes.constants import number
from symnet.expr.nodes.elementwise import elementwise, is_op, where
from symnet.expr.nodes.movement import broadcast_to
from symnet.expr.nodes.node import Node
from symnet.simplify.forms.coefficients import negated, split_coefficient
from symnet.simplify.forms.factors import Factors, distributed
from symnet.simplify.forms.signs import is_negative, is_positive, is_whole
from symnet.simplify.numeric.exponentials.normal_tails import FAR, HALF, fraction, holds_bell
from symnet.simplify.rewrite import Rewrite

Difference = tuple[Expr, Node, Node]


def _difference(total: Node) -> Difference | None:
    """c, a and b of c·(erf b - erf a), c positive."""
    terms = [split_coefficient(o) for o in total.operands] if is_op(total, "add") else []
    if len(terms) != 2 or any(len(f) != 1 or not is_op(f[0], "erf", "erfc") for _, f in terms):
        return None
    (c, upper), (d, lower) = sorted(terms, key=lambda term: is_negative(term[0]))
    if c + d != 0 or not is_positive(c) or upper[0].op != lower[0].op:
        return None
    a, b = lower[0].operands[0], upper[0].operands[0]
    return (c, a, b) if is_op(upper[0], "erf") else (c, b, a)


def _log(found: Difference) -> Node:
    """log(c·(erf b - erf a))."""
    c, a, b = found
    flipped = elementwise("lt", elementwise("add", a, b), 0)
    p, q = where(flipped, negated(b), a), where(flipped, negated(a), b)
    is_far = elementwise("gt", p, FAR)
    return where(is_far, _far(c, where(is_far, p, FAR), where(is_far, q, FAR + 1)), _near(c, is_far, p, q))


def _near(c: Expr, is_far: Node, p: Node, q: Node) -> Node:
    p, q = where(is_far, 0, p), where(is_far, 1, q)
    middle = elementwise("add", elementwise("erf", q), elementwise("mul", -1, elementwise("erf", p)))
    tail = elementwise("add", elementwise("erfc", p), elementwise("mul", -1, elementwise("erfc", q)))
    return elementwise("log", elementwise("mul", number(c), where(elementwise("lt", p, HALF), middle, tail)))


def _far(c: Expr, p: Node, q: Node) -> Node:
    apart = elementwise("add", p, elementwise("mul", -1, q))
    above, below = fraction(p), fraction(q)
    ratio = elementwise("log", elementwise("mul", above, elementwise("pow", below, -1)))
    lower = elementwise("add", elementwise("mul", apart, elementwise("add", p, q)), ratio)
    rest = elementwise("log", elementwise("mul", -1, elementwise("expm1", lower)))
    head = number(sympy.log(c / sympy.sqrt(sympy.pi)))
    square = elementwise("mul", -1, elementwise("pow", p, 2))
    return elementwise("add", square, elementwise("mul", -1, elementwise("log", above)), rest, head)


def log_of_difference_of_error_functions(node: Node) -> Node | None:
    """log(c·(erf b - erf a)) → by their tails, as above.  Condition: c is positive."""
    front, factors = split_coefficient(node.operands[0])
    found = _difference(factors[0]) if len(factors) == 1 and is_positive(front) else None
    return None if found is None else broadcast_to(_log((front * found[0], *found[1:])), node.shape)


def bell_over_difference_of_error_functions(node: Node) -> Node | None:
    """e^(x - b²)/(erf b - erf a)ᵏ → ±exp(x - b² - k·log |erf b - erf a|), minus where a > b and k is odd.

    Condition: the exponent of an exponential holds -a² or -b².
    """
    factors = Factors.view(node)
    for base, e in factors.powers.items():
        found = _difference(base[0]) if is_whole(e) and is_negative(e) else None
        if found is None:
            continue
        c, a, b = found
        for above, k in factors.powers.items():
            if not is_op(above[0], "exp") or k != 1 or above[1] != base[1] or not _holds_one(above[0], found):
                continue
            size = _log((c, elementwise("minimum", a, b), elementwise("maximum", a, b)))
            log = elementwise("mul", number(e), broadcast_to(size, base[0].shape))
            power = elementwise("exp", elementwise("add", above[0].operands[0], log))
            if e % 2:
                power = elementwise("mul", where(elementwise("gt", a, b), -1, 1), power)
            rest = factors.copy().times(*base, -e).times(*above, -1)
            return rest.times(power, base[1]).build()
    return None


def _holds_one(bell: Node, found: Difference | None) -> bool:
    return found is not None and any(holds_bell(bell, z) for z in found[1:])


def difference_of_error_functions_below_each_term(node: Node) -> Node | None:
    """(x·e^(-b²) - y·e^(-a²))/(erf b - erf a) → x·e^(-b²)/(erf b - erf a) - y·e^(-a²)/(erf b - erf a).

    Condition: the exponent of an exponential in a term holds -a² or -b².
    """
    factors = Factors.view(node)
    for divisor, e in factors.powers.items():
        found = _difference(divisor[0]) if is_whole(e) and is_negative(e) else None
        for base, k in factors.powers.items() if found else ():
            if k == 1 and is_op(base[0], "add") and any(_is_bell_term(o, found) for o in base[0].operands):
                return distributed(factors, base, [divisor])
    return None


def _is_bell_term(term: Node, found: Difference | None) -> bool:
    return any(is_op(core, "exp") and _holds_one(core, found) for core, _ in Factors.view(term).powers)


NORMAL_DIFFERENCES = (
    Rewrite(log_of_difference_of_error_functions, ("log",), domain="equal", role="stable"),
    Rewrite(
        bell_over_difference_of_error_functions, ("mul",), below=("exp", "erf|erfc"), domain="equal", role="stable"
    ),
    Rewrite(
        difference_of_error_functions_below_each_term,
        ("mul",),
        below=("exp", "erf|erfc"),
        needs=("finite",),
        domain="equal",
        role="stable",
    ),
)

"""Rewrites of absolute values and signs inside products and powers.

In: a `mul` or `pow` node whose operands are in their order (`simplify/forms/order.py`).  Out: the same function of x as
one of x^p, |x|^p, x·|x|^(p-1), sign(x), sign(x)·|x|^p (sign(x)·x^p for even p).
Every product x^a·|x|^b·sign(x)^c with whole a, any number b, and c of 0 or 1 is even or odd in x and of degree
p = a + b; that decides the spelling, so there is one for each function.
"""

from __future__ import annotations

from sympy import Expr

from symnet.expr.nodes.elementwise import elementwise, is_op
from symnet.expr.nodes.node import Axes, Node
from symnet.simplify.forms.coefficients import ONE, ZERO
from symnet.simplify.forms.factors import Factors
from symnet.simplify.forms.signs import is_positive, is_whole
from symnet.simplify.rewrite import Rewrite

PowersOfBase = tuple[Expr, Expr, Expr]  # exponents of x, |x| and sign(x)


def collect_powers_of_absolute_value(node: Node) -> Node | None:
    """|x|² → x², sign(x)·|x|³ → x³, sign(x)·x² → x·|x|, x/|x| → sign(x).

    Condition: the exponent of x is whole, that of sign(x) 0 or 1.  The one point at which it may gain a value is x = 0
    (x/|x|); it loses none there, as x·|x|^(p-1) is written for p > 1 alone.
    """
    factors = Factors.view(node)
    for core, axes in factors.powers:
        if not is_op(core, "abs", "sign"):
            continue
        x = core.operands[0]
        found = _exponents(factors, x, axes)
        wanted = None if found is None else _canonical(*found)
        if found is not None and wanted is not None and found != wanted:
            result = factors.copy()
            for part, had, has in zip(_parts(x), found, wanted, strict=True):
                result.times(part, axes, has - had)
            return result.build()
    return None


def _parts(x: Node) -> tuple[Node, Node, Node]:
    return x, elementwise("abs", x), elementwise("sign", x)


def _exponents(factors: Factors, x: Node, axes: Axes) -> PowersOfBase | None:
    """The exponents of x, |x| and sign(x), all along `axes` of the product; None where one is not handled here."""
    a, b, c = (factors.powers.get((part, axes), ZERO) for part in _parts(x))
    if isinstance(a, Node) or isinstance(b, Node) or isinstance(c, Node):
        return None
    return (a, b, c) if is_whole(a) and c in (ZERO, ONE) else None


def _canonical(a: Expr, b: Expr, c: Expr) -> PowersOfBase:
    """The spelling of x^a·|x|^b·sign(x)^c."""
    p = a + b
    if (a + c).is_even:
        return (p, ZERO, ZERO) if p.is_even else (ZERO, p, ZERO)
    if p == 0:
        return ZERO, ZERO, ONE
    if is_whole(p) and p.is_odd:
        return p, ZERO, ZERO
    if is_positive(p - 1):
        return ONE, p - 1, ZERO
    return (p, ZERO, ONE) if p.is_even else (ZERO, p, ONE)


ABSOLUTES = (
    Rewrite(collect_powers_of_absolute_value, ("mul", "pow"), below=("abs|sign",), domain="extends", role="shorter"),
)

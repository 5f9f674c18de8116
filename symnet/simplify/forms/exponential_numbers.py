"""Numbers as r·exp(k), r moderate: exp(-10000) is 0 in floating point, and not in a quotient by itself.

In: a SymPy number.  Out: r and k, k = 0 where the number is moderate already.
Not handled: 0, infinite numbers and NaN, which are what they are.
"""

from __future__ import annotations

import sympy
from sympy import Expr

from symnet.simplify.forms.coefficients import ONE, is_moderate
from symnet.simplify.forms.signs import is_negative

DIGITS = 17  # of a rounded exponent, as of the numbers that users write
GUARD = 10  # digits more, in which a logarithm is taken


def split_number(value: Expr) -> tuple[Expr, Expr]:
    """(r, k) with r·exp(k) the number: exact exponentials go into k as they are, other sizes by their logarithm."""
    if not value.is_finite or value == 0 or is_moderate(value):
        return value, sympy.S.Zero
    rest, exponent = [], sympy.S.Zero
    for factor in sympy.Mul.make_args(value):
        if isinstance(factor, sympy.exp):
            exponent += factor.args[0]
        else:
            rest.append(factor)
    left = sympy.Mul(*rest)
    if is_moderate(left):
        return left, exponent
    sign = sympy.S.NegativeOne if is_negative(left) else ONE
    return sign, exponent + _rounded_log(sign * left)


def log_of_number(value: Expr) -> Expr:
    """The logarithm of a positive number."""
    moderate, exponent = split_number(value)
    return sympy.log(moderate) + exponent


def _rounded_log(value: Expr) -> Expr:
    """The logarithm of a positive number, rounded once: that of exp(-12345.678) is -12345.678 again."""
    more = sympy.Float(value, DIGITS + GUARD) if value.is_Float else value
    return sympy.Float(sympy.log(more).evalf(DIGITS + GUARD), DIGITS)

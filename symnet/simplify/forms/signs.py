"""Signs of exact numbers, quickly.

In: a SymPy number.  Out: whether it is negative or positive.  SymPy's own `is_negative` derives every assumption of
each new number, which costs more than the rest of a rewrite.
"""

from __future__ import annotations

from typing import Any

import sympy
from sympy import Expr

from symnet.expr.nodes.constants import is_product_of_roots

ONE, MINUS_ONE = sympy.S.One, sympy.S.NegativeOne


def is_negative(value: Any) -> bool:
    """Whether a number is below zero; False for a node."""
    if not isinstance(value, Expr):
        return False
    sign = _sign(value)
    return bool(value.is_negative) if sign is None else sign < 0


def is_positive(value: Any) -> bool:
    """Whether a number is above zero; False for a node."""
    if not isinstance(value, Expr):
        return False
    sign = _sign(value)
    return bool(value.is_positive) if sign is None else sign > 0


def _sign(value: Expr) -> int | None:
    """A number of the sign of another; None where SymPy has to be asked."""
    if value.is_Rational:
        return int(value.p)
    if isinstance(value, sympy.Float):
        minus, mantissa, *_ = value._mpf_
        return int(-mantissa if minus else mantissa)
    return int(value.as_coeff_Mul()[0].p) if is_product_of_roots(value) else None


def magnitude(value: Expr) -> Expr:
    """|value|."""
    if value is ONE or value is MINUS_ONE:
        return ONE
    if value.is_Rational:
        return -value if value.p < 0 else value
    return sympy.Abs(value)


def is_whole(value: Any) -> bool:
    """Whether a number is an integer; False for a node."""
    if not isinstance(value, Expr) or is_product_of_roots(value):
        return isinstance(value, sympy.Integer)  # roots of whole numbers that are whole are written so
    return bool(value.is_integer)

"""Signs of exact numbers, quickly.

In: a SymPy number.  Out: whether it is negative or positive.  SymPy's own `is_negative` derives every assumption of
each new number, which costs more than the rest of a rewrite.
"""

from __future__ import annotations

from typing import Any

import sympy
from sympy import Expr

ONE, MINUS_ONE = sympy.S.One, sympy.S.NegativeOne


def is_negative(value: Any) -> bool:
    """Whether a number is below zero; False for a node."""
    if not isinstance(value, Expr):
        return False
    return value.p < 0 if value.is_Rational else bool(value.is_negative)


def is_positive(value: Any) -> bool:
    """Whether a number is above zero; False for a node."""
    if not isinstance(value, Expr):
        return False
    return value.p > 0 if value.is_Rational else bool(value.is_positive)


def magnitude(value: Expr) -> Expr:
    """|value|."""
    if value is ONE or value is MINUS_ONE:
        return ONE
    if value.is_Rational:
        return -value if value.p < 0 else value
    return sympy.Abs(value)


def is_whole(value: Any) -> bool:
    """Whether a number is an integer; False for a node."""
    return isinstance(value, Expr) and bool(value.is_Integer or (not value.is_Rational and value.is_integer))

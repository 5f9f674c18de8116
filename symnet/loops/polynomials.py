"""Integers as polynomials of values that a back end names: constants stay constants while loops are written.

In: a `Poly`.  Out: a sum, a product or a quotient, as a polynomial again; the value, where it is constant.
Not handled: what a name stands for, and whether it is negative; division by anything but constants.
"""

from __future__ import annotations

Poly = dict[tuple[str, ...], int]
"""An integer as a polynomial: {sorted names: coefficient}; `()` is the constant term."""


def known(poly: Poly) -> int | None:
    """The value of a polynomial that is constant; None for others."""
    if not poly:
        return 0
    return poly[()] if len(poly) == 1 and () in poly else None


def constant(value: int) -> Poly:
    """A number."""
    return {(): value} if value else {}


def smaller(left: Poly, right: Poly) -> Poly | None:
    """The smaller of the two, where their difference is constant."""
    difference = known(add(left, multiply({(): -1}, right)))
    if difference is None:
        return None
    return left if difference <= 0 else right


_DECIDE = {
    "lt": int.__lt__,
    "le": int.__le__,
    "gt": int.__gt__,
    "ge": int.__ge__,
    "eq": int.__eq__,
    "ne": int.__ne__,
}


def decided(op: str, left: Poly, right: Poly) -> bool | None:
    """Whether a comparison of an `IntCondition` holds, where both sides are constant."""
    a, b = known(left), known(right)
    return None if a is None or b is None else bool(_DECIDE[op](a, b))


def add(left: Poly, right: Poly) -> Poly:
    """left + right; one of the two itself where the other is zero."""
    if not left:
        return right
    total = dict(left)
    for monomial, coefficient in right.items():
        coefficient += total.get(monomial, 0)
        if coefficient:
            total[monomial] = coefficient
        else:
            del total[monomial]
    return total


def multiply(left: Poly, right: Poly) -> Poly:
    """left·right."""
    if len(right) == 1 and () in right:
        left, right = right, left
    if len(left) == 1 and () in left:
        factor = left[()]
        return right if factor == 1 else {monomial: c * factor for monomial, c in right.items()}
    total: Poly = {}
    for a, m in left.items():
        for b, n in right.items():
            total = add(total, {tuple(sorted(a + b)): m * n})
    return total


def divide(poly: Poly, divisor: int) -> tuple[Poly, Poly]:
    """q, r with poly = divisor·q + r, every term of q exact."""
    whole = {m: c // divisor for m, c in poly.items() if c // divisor}
    return whole, {m: c % divisor for m, c in poly.items() if c % divisor}

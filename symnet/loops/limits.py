"""The larger of two integers, and how large an extent can be, as far as that is known before a call."""

from __future__ import annotations

from symnet.loops.ir import IntAdd, IntConst, IntExpr, IntFloorDiv, IntMin, IntMul, as_int, int_min


def int_max(left: IntExpr | int, right: IntExpr | int) -> IntExpr:
    """The larger of two: their sum less the smaller."""
    left, right = as_int(left), as_int(right)
    return left + right - int_min(left, right)


def limit(extent: IntExpr) -> int | None:
    """The largest value of an extent, as far as it is known."""
    if isinstance(extent, IntConst):
        return extent.value
    if isinstance(extent, IntMin):
        known = [n for n in (limit(extent.left), limit(extent.right)) if n is not None]
        return min(known, default=None)
    if isinstance(extent, IntAdd):
        left, right = limit(extent.left), limit(extent.right)
        return None if left is None or right is None else left + right
    if isinstance(extent, IntMul) and isinstance(extent.right, IntConst) and extent.right.value >= 0:
        inner = limit(extent.left)
        return None if inner is None else inner * extent.right.value
    return _limit_of_quotient(extent)


def _limit_of_quotient(extent: IntExpr) -> int | None:
    """The largest value of ⌈n / size⌉, as `ceil_div` writes it."""
    if not isinstance(extent, IntFloorDiv) or not isinstance(extent.value, IntAdd):
        return None
    inner, more = limit(extent.value.left), limit(extent.value.right)
    return None if inner is None or more is None else (inner + more) // extent.divisor

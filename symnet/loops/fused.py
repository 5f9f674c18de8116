"""a·b + c of NumPy arrays in one rounding, on machines and Pythons that cannot.

In: arrays or scalars of float32, or of float64.  Out: the exact value, rounded to nearest-even once.

Of floats, the product is exact in double, and the sum is rounded there to odd, so that rounding it again is as rounding
once.  Of doubles, product and sum are taken apart into sums whose errors are exact; where one of them might leave the
range, fractions compute.  Single numbers, of which a loop that runs step by step has thousands, are Python's meanwhile:
the same operations, without NumPy's calls.

Source: S. Boldo and G. Melquiond, Emulation of a FMA and correctly rounded sums: proved algorithms using rounding to
odd (2008).
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np

from symnet.arrays import Array

_SPLITTER = 2.0**27 + 1
_SMALL, _LARGE = 2.0**-400, 2.0**400  # between them all errors are exact


def multiply_add(a: Any, b: Any, c: Any) -> Any:
    """a·b + c, rounded once."""
    if not (np.ndim(a) or np.ndim(b) or np.ndim(c)) and (found := _of_one(a, b, c)) is not None:
        return found
    a, b, c = np.broadcast_arrays(a, b, c)
    return (_of_floats if a.dtype == np.float32 else _of_doubles)(a, b, c)[()]


def _of_one(a: Any, b: Any, c: Any) -> Any:
    """The same of single numbers; None where one of them might leave the range."""
    kind, x, y, z = np.asarray(a).dtype, float(a), float(b), float(c)
    if kind == np.float32:
        with np.errstate(over="ignore"):
            return np.float32(_odd_sum_of_one(x * y, z))
    if _SMALL < abs(x) < _LARGE and _SMALL < abs(y) < _LARGE and (z == 0 or _SMALL < abs(z) < _LARGE):
        return np.float64(_by_parts(x, y, z, _odd_sum_of_one))
    return None


def _of_floats(a: Array, b: Array, c: Array) -> Array:
    a, b, c = (part.astype(np.float64) for part in (a, b, c))
    return _odd_sum(a * b, c).astype(np.float32)


def _of_doubles(a: Array, b: Array, c: Array) -> Array:
    is_tame = _is_tame(a) & _is_tame(b) & (_is_tame(c) | (c == 0))
    if is_tame.all():
        return _by_parts(a, b, c, _odd_sum)
    finite = np.isfinite(a) & np.isfinite(b)
    result = np.where(np.isfinite(c) | ~finite, a * b + c, c)  # a product may be too large, but is no infinity
    exact = finite & np.isfinite(c) & (a != 0) & (b != 0)
    result[is_tame] = _by_parts(a[is_tame], b[is_tame], c[is_tame], _odd_sum)
    for place in np.argwhere(exact & ~is_tame).tolist():
        at = tuple(place)
        result[at] = rounded_once(a[at], b[at], c[at])
    return result


def rounded_once(a: float, b: float, c: float) -> float:
    """The same of three finite numbers, by fractions; a zero that is left is positive."""
    exact = Fraction(float(a)) * Fraction(float(b)) + Fraction(float(c))
    try:
        return float(exact)
    except OverflowError:
        return float("inf") if exact > 0 else float("-inf")


def _is_tame(x: Array) -> Array:
    return (np.abs(x) > _SMALL) & (np.abs(x) < _LARGE)


def _by_parts(a: Any, b: Any, c: Any, odd_sum: Callable[[Any, Any], Any]) -> Any:
    high, low = _product(a, b)
    first, first_rest = _sum(c, low)
    total, rest = _sum(high, first)
    return total + odd_sum(first_rest, rest)


def _sum(a: Any, b: Any) -> tuple[Any, Any]:
    """a + b, and what rounding it lost."""
    total = a + b
    of_b = total - a
    return total, (a - (total - of_b)) + (b - of_b)


def _product(a: Any, b: Any) -> tuple[Any, Any]:
    """a·b, and what rounding it lost."""
    (a_top, a_rest), (b_top, b_rest) = _halves(a), _halves(b)
    product = a * b
    return product, ((a_top * b_top - product) + a_top * b_rest + a_rest * b_top) + a_rest * b_rest


def _halves(a: Any) -> tuple[Any, Any]:
    scaled = _SPLITTER * a
    top = scaled - (scaled - a)
    return top, a - top


def _odd_sum(a: Array, b: Array) -> Array:
    """a + b; of the two doubles that an inexact sum lies between, the one whose last bit is 1."""
    total, lost = _sum(a, b)
    is_even = (total.view(np.uint64) & np.uint64(1)) == 0
    beside = np.nextafter(total, np.where(lost > 0, np.inf, -np.inf))
    return np.where(np.isfinite(total) & (lost != 0) & is_even, beside, total)


def _odd_sum_of_one(a: float, b: float) -> float:
    """The same of two numbers of Python's."""
    total, lost = _sum(a, b)
    if lost == 0 or not math.isfinite(total) or struct.pack(">d", total)[-1] & 1:
        return float(total)
    return math.nextafter(total, math.copysign(math.inf, lost))

"""Elementwise functions of complex numbers whose imaginary part is a tiny step: f(x + ih) = f(x) + ih·f′(x) + O(h²).

In: complex arrays.  Out: complex arrays, NaN where the real part is outside the function's domain.
Kinks and comparisons go by the real part, so that a choice is the one that reals would make.  NumPy's complex functions
serve where they have no cut along the real axis inside the domain.
Not handled here: functions that NumPy lacks (`wide.py`).
Source: Squire and Trapp, "Using complex variables to estimate derivatives of real functions", SIAM Review 40, 1998.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


def is_complex(*values: Any) -> bool:
    """Whether any value holds complex numbers."""
    return any(isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind == "c" for value in values)


def _inside(test: Callable[[Any], Any], function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda x: np.where(test(np.real(x)), function(x), np.nan)


def _softplus(x: Any) -> Any:
    size = np.where(np.real(x) > 0, x, -x)
    return np.where(np.real(x) > 0, x, 0) + np.log1p(np.exp(-size))


def _power(a: Any, b: Any) -> Any:
    whole = (np.imag(b) == 0) & (np.real(b) == np.floor(np.real(b)))
    return np.where((np.real(a) >= 0) | whole, np.power(a, b), np.nan)


def _mod(a: Any, b: Any) -> Any:
    return a - b * np.floor(np.real(a) / np.real(b))


def _compared(compare: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda a, b: compare(np.real(a), np.real(b))


def _angle(a: Any, b: Any) -> Any:
    """atan2 by its differential: the real angle, turned by (x·dy - y·dx)/(x² + y²)."""
    x, y = np.real(b), np.real(a)
    return np.arctan2(y, x) + 1j * (x * np.imag(a) - y * np.imag(b)) / (x * x + y * y)


def _cube_root(x: Any) -> Any:
    root = np.cbrt(np.real(x))
    return root + 1j * np.imag(x) / (3 * root * root)


ANALYTIC: dict[str, Callable[..., Any]] = {
    "abs": lambda x: np.sign(np.real(x)) * x,
    "sign": lambda x: np.sign(np.real(x)),
    "floor": lambda x: np.floor(np.real(x)),
    "floor_divide": lambda a, b: np.floor_divide(np.real(a), np.real(b)),
    "mod": _mod,
    "maximum": lambda a, b: np.where(np.real(a) >= np.real(b), a, b),
    "minimum": lambda a, b: np.where(np.real(a) <= np.real(b), a, b),
    "softplus": _softplus,
    "pow": _power,
    "log": _inside(lambda x: x >= 0, np.log),
    "log1p": _inside(lambda x: x >= -1, np.log1p),
    "sqrt": _inside(lambda x: x >= 0, np.sqrt),
    "asin": _inside(lambda x: np.abs(x) <= 1, np.arcsin),
    "acos": _inside(lambda x: np.abs(x) <= 1, np.arccos),
    "acosh": _inside(lambda x: x >= 1, np.arccosh),
    "atanh": _inside(lambda x: np.abs(x) <= 1, np.arctanh),
    "atan2": _angle,
    "cbrt": _cube_root,
    "lt": _compared(np.less),
    "le": _compared(np.less_equal),
    "gt": _compared(np.greater),
    "ge": _compared(np.greater_equal),
    "eq": _compared(np.equal),
    "ne": _compared(np.not_equal),
}

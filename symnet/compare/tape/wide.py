"""Functions that NumPy lacks, in the precision of the arrays that they get.

In: real arrays.  Out: arrays of the same dtype: float32 and float64 by the reference's functions, wider floats by
mpmath, one element after the other; complex ones whose imaginary part is a tiny step, by their slope
(`symnet/compare/tape/analytic.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np

from symnet.reference import special

_BITS = 100
_SLOPES: dict[str, Callable[[Any], Any]] = {  # by which a function goes on for numbers with a tiny imaginary part
    "erf": lambda x: two_over_root_pi(x) * np.exp(-x * x),
    "erfc": lambda x: -two_over_root_pi(x) * np.exp(-x * x),
    "gamma": lambda x: function("gamma")(x) * function("digamma")(x),
    "loggamma": lambda x: function("digamma")(x),
    "digamma": lambda x: function("trigamma")(x),
    "trigamma": lambda x: _by_mpmath(lambda n: mpmath.psi(2, n), x).astype(x.dtype),
}
_WIDE: dict[str, Callable[[Any], Any]] = {
    "erf": mpmath.erf,
    "erfc": mpmath.erfc,
    "gamma": mpmath.gamma,
    "loggamma": lambda x: mpmath.log(abs(mpmath.gamma(x))),
    "digamma": mpmath.digamma,
    "trigamma": lambda x: mpmath.psi(1, x),
}


def function(name: str) -> Callable[[Any], Any]:
    """A function of arrays, by its name in `symnet/reference/special.py`."""
    narrow = getattr(special, name)

    def any_precision(x: Any) -> Any:
        if getattr(x, "dtype", None) is not None and x.dtype.kind == "c":
            return _any(x.real) + 1j * (x.imag * _SLOPES[name](x.real))
        return _any(x)

    def _any(x: Any) -> Any:
        return _by_mpmath(_WIDE[name], x) if is_wide(x) else narrow(x)

    return any_precision


def is_wide(x: Any) -> bool:
    """Whether an array has more digits than float64."""
    return bool(getattr(x, "dtype", None) == np.longdouble != np.float64)


def two_over_root_pi(x: Any) -> Any:
    """2/√π: Python's float, which takes the dtype of what it meets, or one with the digits of a wide array."""
    return np.longdouble("1.12837916709551257389615890312154517") if is_wide(x) else 1.1283791670955126


def _by_mpmath(exact: Callable[[Any], Any], x: Any) -> Any:
    def one(element: Any) -> Any:
        try:
            with mpmath.workprec(_BITS):
                high = float(element)
                value = exact(mpmath.mpf(high) + mpmath.mpf(float(np.longdouble(element) - np.longdouble(high))))
                return np.longdouble(mpmath.nstr(value, 25))
        except (ValueError, OverflowError, ZeroDivisionError):  # a pole, or no number
            return np.longdouble("nan")

    found = np.array([one(element) for element in np.asarray(x).flat], dtype=np.longdouble)
    return found.reshape(np.shape(x))

"""The error and gamma functions of arrays, one element after the other, in float64 or better.

In: a real array.  Out: the values in its dtype.  Poles: Γ(±0) = ±∞, ψ(±0) = ∓∞, log |Γ| is ∞ at every pole, the others
are NaN.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np

_PRECISION = 80  # bits


def power(x: Any, y: Any) -> Any:
    """x ** y; of integers a negative exponent gives 0, or ±1 for the base ±1, where NumPy raises."""
    if np.asarray(x).dtype.kind == "f":
        return np.power(x, y)
    up = np.power(x, np.maximum(y, 0))
    down = np.where(x == 1, 1, np.where(x == -1, 1 - 2 * (y & 1), 0))
    return np.where(y < 0, down, up).astype(up.dtype)


def _gamma(x: float) -> float:
    if x == 0:
        return math.copysign(math.inf, x)
    try:
        return math.gamma(x)
    except OverflowError:
        return math.inf
    except ValueError:
        return math.nan


def _loggamma(x: float) -> float:
    if not math.isfinite(x) or (x <= 0 and x == math.floor(x)):
        return math.inf if x == x else x
    with mpmath.workprec(_PRECISION):
        return float(mpmath.loggamma(x).real)


def _digamma(x: float) -> float:
    if x == 0:
        return -math.copysign(math.inf, x)
    if not math.isfinite(x):
        return x if x > 0 else math.nan
    if x < 0 and x == math.floor(x):
        return math.nan
    with mpmath.workprec(_PRECISION):
        return float(mpmath.digamma(x))


def _trigamma(x: float) -> float:
    if not math.isfinite(x) or (x <= 0 and x == math.floor(x)):
        return 0.0 if x > 0 else math.inf if x == x else x
    with mpmath.workprec(_PRECISION):
        return float(mpmath.psi(1, x))


def _of_arrays(function: Callable[[float], float], doc: str) -> Callable[[Any], Any]:
    vectorized = np.vectorize(function, otypes=[np.float64])

    def of_array(x: Any) -> Any:
        x = np.asanyarray(x)
        return vectorized(x).astype(x.dtype)

    of_array.__doc__ = doc
    return of_array


erf = _of_arrays(math.erf, "The error function.")
erfc = _of_arrays(math.erfc, "1 - erf x.")
gamma = _of_arrays(_gamma, "Γ(x).")
loggamma = _of_arrays(_loggamma, "log |Γ(x)|.")
trigamma = _of_arrays(_trigamma, "ψ′(x).")
digamma = _of_arrays(_digamma, "Γ′(x)/Γ(x).")

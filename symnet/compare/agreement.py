"""How far an answer is from the truth.

In: an array that was found, and the true one.  Out: an `Agreement`.

- *relative*: the largest error of an element over the largest element of the true array.  Where the true array is zero
  and the other is not, over the largest element of all true arrays, and ∞ where all are zero.
- *ulp*: the largest error of an element in units in its own last place, in the precision of the comparison; ∞ where the
  true element is zero and the other is not.
A NaN that was found is an error, and shows as NaN.  Elements where the truth itself is undefined are left out, and
counted; a true value beyond the range of floats is met by the infinity that it rounds to.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from symnet.arrays import Array


@dataclass(frozen=True)
class TrueArray:
    """A value with more digits than a float has: high + low.

    Attributes:
        high: the nearest float64; NaN where the truth is undefined.
        low: what is missing.
    """

    high: Array
    low: Array


@dataclass(frozen=True)
class Agreement:
    """One array beside the truth.

    Attributes:
        name: of the leaf, or "value".
        size: how many elements there are.
        compared: how many of them were computed, and are defined.
        undefined: how many the truth leaves undefined.
        zero: whether the true array is zero.
        relative, absolute, ulp: the largest errors, as above; None where there are elements and none was compared, as
            the truth is undefined: nothing can be said then, least of all that there is no error.
    """

    name: str
    size: int
    compared: int
    undefined: int
    zero: bool
    relative: float | None
    absolute: float | None
    ulp: float | None


def agreement(
    name: str, found: Array, truth: TrueArray, dtype: str, computed: Array | None = None, largest: float = 0.0
) -> Agreement:
    """An array beside the truth.

    Args:
        name: of the leaf.
        found: what was found.
        truth: what is true.
        dtype: the precision of the comparison.
        computed: which of its elements count; None: all.
        largest: the largest element of all true arrays.
    """
    defined = ~np.isnan(truth.high)
    chosen = defined if computed is None else defined & computed
    error, scale, ulp = _errors(np.asarray(found)[chosen], truth.high[chosen], truth.low[chosen], dtype)
    undefined = int(defined.size - defined.sum())
    if defined.size and not chosen.any():
        return Agreement(name, int(defined.size), 0, undefined, False, None, None, None)
    absolute = worst(error)
    scale_or_all = scale or largest
    relative = absolute / scale_or_all if scale_or_all else (math.inf if absolute > 0 else absolute)
    zero = bool(chosen.any()) and not scale
    return Agreement(name, int(defined.size), int(chosen.sum()), undefined, zero, relative, absolute, worst(ulp))


def _errors(found: Array, high: Array, low: Array, dtype: str) -> tuple[Array, float, Array]:
    """Errors of the elements, the largest true element, errors in ulp."""
    with np.errstate(all="ignore"):
        expected = high.astype(dtype)
        error = np.abs((found.astype("float64") - high) - low)
        beyond = np.isinf(expected)
        error = np.where(beyond, np.where(found == expected, 0.0, np.inf), error)
        error = np.where(np.isnan(found), np.nan, error)
        spacing = np.spacing(np.abs(np.where(beyond, 1, expected)).astype(dtype)).astype("float64")
        ulp = np.where((high == 0) & (error > 0), np.inf, error / spacing)
    finite = np.abs(high[~beyond])
    return error, float(finite.max()) if finite.size else 0.0, ulp


def worst(errors: Iterable[float]) -> float:
    """The largest, NaN where there is one, 0 of nothing."""
    found = [float(e) for e in errors]
    return math.nan if any(map(math.isnan, found)) else max(found, default=0.0)


def worst_known(errors: Iterable[float | None]) -> float | None:
    """The largest of those that are known; None where there are some and none is known."""
    found = list(errors)
    known = [e for e in found if e is not None]
    return worst(known) if known or not found else None

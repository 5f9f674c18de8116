"""Arguments of another dtype that the wanted one holds exactly.

In: a list of numbers, or an array, and the dtype of an input.  Out: an array of that dtype, or None where a number
would be rounded or cut off.

Welcome: lists of Python's numbers, which are weak as single ones are; truth values as integers and reals; integers and
reals of narrower dtypes; integers among reals where the reals hold every one of them; the other order of bytes.
Refused: float64 for float32, int64 for int32, reals for integers, numbers for truth values.
"""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np

_WEAK: dict[str, tuple[type, ...]] = {
    "f": (bool, numbers.Integral, numbers.Real),
    "i": (bool, numbers.Integral),
    "b": (bool,),
}


def widened(value: Any, dtype: np.dtype) -> np.ndarray | None:
    """A new array of the dtype with exactly the numbers of `value`; None where there is none."""
    if isinstance(value, (list, tuple)):
        return _listed(value, dtype)
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "biuf":
        return None
    if np.can_cast(value.dtype, dtype, "safe"):
        return value.astype(dtype)
    return _exactly(value, dtype) if value.dtype.kind in "iu" and dtype.kind == "f" else None


def _exactly(value: np.ndarray, dtype: np.dtype) -> np.ndarray | None:
    """Integers as reals, where none is rounded."""
    limit = 2 ** (np.finfo(dtype).nmant + 1)
    within = not value.size or (-limit <= int(value.min()) and int(value.max()) <= limit)
    if within:
        return value.astype(dtype)
    result = value.astype(dtype)
    same = all(int(new) == int(old) for new, old in zip(result.flat, value.flat, strict=True))
    return result if same else None


def _listed(value: Any, dtype: np.dtype) -> np.ndarray | None:
    """A list of numbers, each as a rank-0 argument takes it; arrays in it as arrays."""
    elements = list(_flat(value))
    try:
        if any(isinstance(e, (np.generic, np.ndarray)) for e in elements):
            return widened(np.array(value), dtype)
        if not all(isinstance(e, _WEAK[dtype.kind]) for e in elements):
            return None
        with np.errstate(over="ignore"):
            result = np.array(value, dtype)
    except (ValueError, OverflowError, TypeError):  # rows of several lengths, a number beyond the dtype
        return None
    given = np.array([abs(float(e)) == float("inf") for e in elements], bool)
    overflows = dtype.kind == "f" and bool((np.isinf(result.reshape(-1)) & ~given).any())
    return None if overflows else result


def _flat(value: Any) -> Any:
    """The numbers of nested lists."""
    for each in value:
        if isinstance(each, (list, tuple)):
            yield from _flat(each)
        else:
            yield each

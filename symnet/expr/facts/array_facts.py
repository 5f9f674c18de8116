"""What is known of a constant array's elements: found by looking at them.

In: `Contents`.  Out: names of facts, as of `expr/facts/assumptions.py`.
Rows sum to one where the sum of their elements, rounded once, is 1; large arrays are not asked that.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from symnet.arrays import Contents

MOST_SUMMED = 65536  # elements of an array whose rows are added up


def array_facts(of: Contents) -> Iterable[str]:
    """The facts that hold of an array: of every element, of every row, of the matrix."""
    import numpy as np

    x = of.array
    if x.dtype.kind == "b" or not x.size:
        return
    whole = bool((x == np.floor(x)).all()) and bool(np.isfinite(x).all())
    low, high = x.min(), x.max()  # NaN where there is one, which compares false
    tests = {
        "positive": low > 0,
        "nonnegative": low >= 0,
        "nonzero": (x != 0).all() and low == low,
        "unit": low >= 0 and high <= 1,
        "open_unit": low > 0 and high < 1,
        "integer": whole,
    }
    yield from (name for name, holds in tests.items() if holds)
    if low >= 0 and high <= 1:
        yield from _row_facts(x, whole)
    if x.ndim >= 2 and x.shape[-1] == x.shape[-2] and np.array_equal(x, np.swapaxes(x, -1, -2)):
        yield "symmetric"


def _row_facts(x: Any, whole: bool) -> Iterable[str]:
    if whole and (x.sum(axis=-1) == 1).all():
        yield "one_hot"
    elif x.size <= MOST_SUMMED and all(math.fsum(row) == 1 for row in x.reshape(-1, x.shape[-1])):
        yield "simplex"

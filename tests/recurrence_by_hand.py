"""Recurrences and products so far, written as loops over NumPy's arrays: what the nodes are held against."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product
from typing import Any

import numpy as np


def recurrence(a: Any, b: Any, axis: int, reverse: bool = False, exclusive: bool = False) -> np.ndarray:
    """r[k] = a[k]·r[k - 1] + b[k], r[0] = b[0]; the value before every step if exclusive."""
    a, b = (np.moveaxis(each, axis, 0) for each in np.broadcast_arrays(a, b))
    order = range(len(b))[::-1] if reverse else range(len(b))
    found, before = np.zeros(b.shape, np.result_type(a, b)), None
    for k in order:
        after = b[k] if before is None else a[k] * before + b[k]
        found[k] = (0 if before is None else before) if exclusive else after
        before = after
    return np.moveaxis(found, 0, axis)


def products(x: Any, axis: int, reverse: bool = False, exclusive: bool = False) -> np.ndarray:
    """Every product from its factors."""
    turned = np.moveaxis(x, axis, 0)
    found = np.empty_like(turned)
    for k in range(len(turned)):
        first, last = (k + exclusive, len(turned)) if reverse else (0, k + 1 - exclusive)
        found[k] = np.prod(turned[first:last], axis=0)
    return np.moveaxis(found, 0, axis)


def without(x: np.ndarray, gone: Iterable[int]) -> float:
    """The product of a vector's other elements: 0 where one is to be left out twice."""
    gone = list(gone)
    return float(np.prod(np.delete(x, gone))) if len(set(gone)) == len(gone) else 0.0


def derivative_of_product(x: np.ndarray, order: int) -> np.ndarray:
    """All partial derivatives of an order of the product of a vector's elements."""
    found = np.empty((len(x),) * order)
    for places in product(range(len(x)), repeat=order):
        found[places] = without(x, places)
    return found

"""Counting arrays: every ufunc and every product is seen, movement is free, values are those of NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from symnet.compare.counting import Count, counted

COUNTS: dict[str, tuple[Callable[..., Any], int]] = {
    "an addition": (lambda a, b: a + a, 6),
    "a chain": (lambda a, b: np.exp(a) * a - 1, 18),
    "in place": (lambda a, b: np.add(a, a, out=np.empty((2, 3))), 6),
    "a sum": (lambda a, b: a.sum(), 6),
    "a sum along an axis": (lambda a, b: np.sum(a, 0), 6),
    "a maximum": (lambda a, b: a.max(1), 6),
    "a product of matrices": (lambda a, b: a @ b, 2 * 2 * 3 * 4),
    "a tensor product": (lambda a, b: np.tensordot(a, b, ([1], [0])), 2 * 2 * 3 * 4),
    "an outer product": (lambda a, b: np.tensordot(a, b, 0), 2 * 72),
    "an einsum": (lambda a, b: np.einsum(a, [0, 1], b, [1, 2], [0, 2]), 2 * 24),
    "a diagonal product": (lambda a, b: np.einsum(a, [0, 1], a, [0, 1], [0]), 12),
    "a transposition by einsum": (lambda a, b: np.einsum(a, [0, 1], [1, 0]), 0),
    "movement": (lambda a, b: np.concatenate([a.T.reshape(6), a[0, ::-1]]), 0),
    "a choice": (lambda a, b: np.where(a > 0, a, 0) * 2, 12),
    "broadcasting": (lambda a, b: np.broadcast_to(a[0], (5, 3)) * 2, 15),
    "a cumulative product": (lambda a, b: np.cumprod(a, -1), 6),
    "a scatter": (lambda a, b: np.add.at(a, [0, 0], np.ones((2, 3))), 6),
    "shared memory": (lambda a, b: np.square(np.take(a, [0, 1, 1], axis=0)), 9),
}


@pytest.mark.parametrize("name", COUNTS)
def test_operations_are_counted_and_values_unchanged(name: str) -> None:
    function, expected = COUNTS[name]
    a, b = np.arange(6.0).reshape(2, 3), np.arange(12.0).reshape(3, 4)
    count = Count()
    found = function(counted(a.copy(), count), counted(b, count))
    assert count.operations == expected
    plain = function(a.copy(), b)
    assert plain is None or np.array_equal(np.asarray(found), plain)

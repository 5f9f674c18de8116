"""Counting what NumPy does: arrays that add up the arithmetic done with them.

In: a NumPy program run once over `counted` arrays.  Out: `Count.operations`.

The convention is that of `simplify/cost.py`: an elementwise operation counts one per element of its result, a
reduction one per element of its operand, a contraction of k operands k per element of its index space; movement,
comparisons aside, counts nothing.  Nothing is estimated: every ufunc and every product that runs is seen.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass
class Count:
    """The number of operations seen so far."""

    operations: int = 0


class Counted(np.ndarray):
    """An array whose use is counted."""

    count: Count | None

    def __array_finalize__(self, source: Any) -> None:
        self.count = getattr(source, "count", None)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        if "out" in options:
            options["out"] = tuple(plain(array) for array in options["out"])
        result = getattr(ufunc, method)(*map(plain, inputs), **options)
        return self._seen(_ufunc_operations(ufunc, method, inputs, result), result)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if function in PRODUCTS:
            args = plain(args)
            result = function(*args, **plain(kwargs))
            return self._seen(PRODUCTS[function](args, result), result)
        return self._seen(0, super().__array_function__(function, types, args, kwargs))

    def _seen(self, operations: int, result: Any) -> Any:
        assert self.count is not None
        self.count.operations += operations
        if not isinstance(result, (np.ndarray, np.generic)) or isinstance(result, Counted):
            return result
        return _wrapped(result, self.count)


def counted(array: Any, count: Count) -> Counted:
    """The array, its use counted in `count`; its memory is shared."""
    return _wrapped(np.asarray(array), count)


def _wrapped(value: Any, count: Count) -> Counted:
    result = np.asarray(value).view(Counted)
    result.count = count
    return result


def plain(value: Any) -> Any:
    """Arrays without their counters, inside tuples, lists and dicts too."""
    if isinstance(value, Counted):
        return value.view(np.ndarray)
    if isinstance(value, (tuple, list)):
        return type(value)(map(plain, value))
    if isinstance(value, Mapping):
        return {key: plain(each) for key, each in value.items()}
    return value


def _ufunc_operations(ufunc: np.ufunc, method: str, inputs: Any, result: Any) -> int:
    if ufunc is np.matmul:
        return 2 * int(np.size(result)) * int(np.shape(inputs[0])[-1])
    if method == "__call__":
        return max(map(np.size, result)) if isinstance(result, tuple) else int(np.size(result))
    return int(np.size(inputs[2] if method == "at" and len(inputs) > 2 else inputs[0]))


def _tensordot_operations(args: Any, result: Any) -> int:
    axes = args[2] if len(args) > 2 else 2
    shape = np.shape(args[0])
    summed = shape[len(shape) - axes :] if isinstance(axes, int) else [shape[axis] for axis in axes[0]]
    return 2 * int(np.size(result)) * math.prod(summed)


def _einsum_operations(args: Any, result: Any) -> int:
    """k per element of the index space; a mere rearrangement of one operand nothing."""
    operands, indices = args[0:-1:2], args[1:-1:2]
    extent = {i: n for x, ix in zip(operands, indices, strict=True) for i, n in zip(ix, np.shape(x), strict=True)}
    moved = len(operands) == 1 and set(args[-1]) == set(extent)
    return 0 if moved else len(operands) * math.prod(extent.values())


def _elimination_operations(args: Any, result: Any) -> int:
    """2/3 n³ for the factors of each matrix, 2 n² for every right-hand side (n of them for an inverse)."""
    n = int(np.shape(args[0])[-1])
    right = np.size(args[1]) if len(args) > 1 else np.size(result) if np.shape(result) == np.shape(args[0]) else 0
    return (2 * n * int(np.size(args[0]))) // 3 + 2 * n * int(right)


PRODUCTS: dict[Any, Callable[[Any, Any], int]] = {
    np.tensordot: _tensordot_operations,
    np.einsum: _einsum_operations,
    **dict.fromkeys((np.linalg.solve, np.linalg.inv, np.linalg.det, np.linalg.slogdet), _elimination_operations),
}

"""Counting what NumPy does: arrays that add up the arithmetic done with them.

In: a NumPy program run once over `counted` arrays.  Out: a `Count`.

What an operation counts is said in `loops/weights.py`, the same as for formulas and for compiled programs: an
elementwise operation counts for each element of its result, a reduction for each of its operand, a contraction of k
operands k for each element of its index space (without a sum k - 1).  Every ufunc, every choice and every product of
reals that runs is seen; a ufunc that is no arithmetic is a call of a function.  What NumPy lacks is marked by
`as_call`, and counts one call, however it is computed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from symnet.loops.weights import CALL, MULTIPLY_ADD, NOTHING, ONE, Operations, weight

_NAMES = {  # ufunc → the operation of the loop language
    "add": "add", "subtract": "sub", "multiply": "mul", "square": "mul", "divide": "div", "reciprocal": "div",
    "negative": "neg", "absolute": "abs", "sqrt": "sqrt", "sign": "sign", "floor": "floor", "remainder": "mod",
    "floor_divide": "floor_divide", "maximum": "maximum", "minimum": "minimum", "fmax": "maximum", "fmin": "minimum",
    "less": "lt", "less_equal": "le", "greater": "gt", "greater_equal": "ge", "equal": "eq", "not_equal": "ne",
    "isnan": "ne", "isinf": "eq", "isfinite": "ne", "ceil": "floor", "trunc": "floor", "rint": "floor",
    "positive": "neg", "copysign": "neg", "signbit": "neg", "fabs": "abs",
}  # fmt: skip


@dataclass
class Count:
    """The operations seen so far.

    Attributes:
        arithmetic: sums, products, quotients, roots, comparisons and choices.
        transcendental: calls of functions.
        multiply_adds: of the arithmetic, pairs of a product and a sum.
    """

    arithmetic: int = 0
    transcendental: int = 0
    multiply_adds: int = 0

    @property
    def seen(self) -> Operations:
        return Operations(self.arithmetic, self.transcendental, self.multiply_adds)

    def add(self, operations: Operations) -> None:
        """Add what ran."""
        self.arithmetic += operations.arithmetic
        self.transcendental += operations.transcendental
        self.multiply_adds += operations.multiply_adds


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
            return self._seen(PRODUCTS[function](args, result) if _is_real(result) else NOTHING, result)
        return self._seen(NOTHING, super().__array_function__(function, types, args, kwargs))

    def argmax(self, *args: Any, **options: Any) -> Any:
        return self._extreme(plain(self).argmax(*args, **options))

    def argmin(self, *args: Any, **options: Any) -> Any:
        return self._extreme(plain(self).argmin(*args, **options))

    def _extreme(self, place: Any) -> Any:
        """The place of an extreme, for which every element was compared."""
        return self._seen(ONE * self.size if _is_real(self) else NOTHING, place)

    def _seen(self, operations: Operations, result: Any) -> Any:
        assert self.count is not None
        self.count.add(operations)
        if isinstance(result, tuple):
            return tuple(self._seen(NOTHING, each) for each in result)
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
        parts = map(plain, value)
        return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
    if isinstance(value, Mapping):
        return {key: plain(each) for key, each in value.items()}
    return value


def as_call(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, which on counted arrays counts as one call for every element of its result."""

    def call(*args: Any) -> Any:
        count = next((arg.count for arg in args if isinstance(arg, Counted)), None)
        if count is None:
            return function(*args)
        result = function(*map(plain, args))
        count.add(CALL * int(np.size(result)))
        return _wrapped(result, count)

    return call


def _is_real(value: Any) -> bool:
    return bool(np.asarray(plain(value)).dtype.kind == "f")


def _ufunc_operations(ufunc: np.ufunc, method: str, inputs: Any, result: Any) -> Operations:
    """Of reals; what gives truth values and compares nothing is logic."""
    if not any(map(_is_real, inputs)):
        return NOTHING
    if ufunc is np.matmul:
        return MULTIPLY_ADD * (int(np.size(result)) * int(np.shape(inputs[0])[-1]))
    return _once(ufunc) * _elements(method, inputs, result)


def _once(ufunc: np.ufunc) -> Operations:
    name = _NAMES.get(ufunc.__name__)
    return CALL if name is None else weight(name, "float64")


def _elements(method: str, inputs: Any, result: Any) -> int:
    if method == "__call__":
        return max(map(np.size, result)) if isinstance(result, tuple) else int(np.size(result))
    return int(np.size(inputs[2] if method == "at" and len(inputs) > 2 else inputs[0]))


def _choice_operations(args: Any, result: Any) -> Operations:
    return ONE * int(np.size(result)) if len(args) == 3 else NOTHING


def _tensordot_operations(args: Any, result: Any) -> Operations:
    axes = args[2] if len(args) > 2 else 2
    shape = np.shape(args[0])
    summed = shape[len(shape) - axes :] if isinstance(axes, int) else [shape[axis] for axis in axes[0]]
    return (MULTIPLY_ADD if summed else ONE) * (int(np.size(result)) * math.prod(summed))


def _einsum_operations(args: Any, result: Any) -> Operations:
    """k per element of the index space, k - 1 where nothing is summed."""
    operands, indices = args[0:-1:2], args[1:-1:2]
    extent = {i: n for x, ix in zip(operands, indices, strict=True) for i, n in zip(ix, np.shape(x), strict=True)}
    sums = set(args[-1]) != set(extent)
    pairs = int(sums and len(operands) > 1)
    return (ONE * (len(operands) - (not sums) - 2 * pairs) + MULTIPLY_ADD * pairs) * math.prod(extent.values())


def _solve_operations(args: Any, result: Any) -> Operations:
    """2/3·n³ for the factors of each matrix, 2·n² for every right-hand side (n of them for an inverse)."""
    right = args[1] if len(args) > 1 else result
    return _elimination_operations(args, result) + ONE * (2 * int(np.shape(args[0])[-1]) * int(np.size(right)))


def _elimination_operations(args: Any, result: Any) -> Operations:
    return ONE * (2 * int(np.shape(args[0])[-1]) * int(np.size(args[0])) // 3)


def _pivots(once: Operations) -> Callable[[Any, Any], Operations]:
    """The factors of each matrix, and the pivots multiplied, or their logarithms added."""
    return lambda args, result: _elimination_operations(args, result) + once * math.prod(np.shape(args[0])[:-1])


PRODUCTS: dict[Any, Callable[[Any, Any], Operations]] = {
    np.tensordot: _tensordot_operations,
    np.einsum: _einsum_operations,
    np.where: _choice_operations,
    np.linalg.solve: _solve_operations,
    np.linalg.inv: _solve_operations,
    np.linalg.det: _pivots(ONE),
    np.linalg.slogdet: _pivots(ONE + CALL),
}

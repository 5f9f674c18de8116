"""An array with tangents: x + ε·ẋ for K directions at once.

In: arrays.  Out: `Dual`, and elementwise operations of duals.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from symnet.compare.scalars.numbers import Numbers
from symnet.compare.scalars.slopes import FLAT, SLOPES
from symnet.compare.tape.elementwise import AS_REAL


@dataclass(frozen=True, slots=True)
class Dual:
    """A value and its tangents.

    Attributes:
        value: an array, or a Python number for a constant.
        dots: its tangents, of shape (K, *value.shape); None where they are zero.
    """

    value: Any
    dots: Any = None


def linear(function: Callable[[Any], Any], of_tangents: Callable[[Any], Any], x: Dual) -> Dual:
    """A linear operation: the same on tangents, one axis further."""
    return Dual(function(x.value), None if x.dots is None else of_tangents(x.dots))


def added(dots: list[Any]) -> Any:
    """The sum of what there is; None of nothing."""
    return functools.reduce(np.add, dots) if dots else None


def elementwise(numbers: Numbers, *xs: Dual, op: str, dtype: str) -> Dual:
    values = [x.value for x in xs]
    if op == "indicator":
        return Dual(values[0].astype(dtype))
    if op in AS_REAL and np.asarray(values[0]).dtype.kind == "f":
        return xs[0]
    y = numbers.functions[op](*values)
    if op == "where":
        return Dual(y, _chosen(values[0], xs[1], xs[2], y))
    if op in FLAT or op in ("and", "or", "not") or op.startswith("as_"):
        return Dual(y)
    moved = [(k, x) for k, x in enumerate(xs) if x.dots is not None]
    return Dual(y, added([_slope(numbers, op, k, y, values) * aligned(x.dots, y) for k, x in moved]))


def aligned(dots: Any, y: Any) -> Any:
    """Tangents of an operand beside a result of more axes: the new ones come after that of the directions."""
    missing = np.ndim(y) - (dots.ndim - 1)
    wide = dots.reshape(dots.shape[0], *(1,) * missing, *dots.shape[1:]) if missing else dots
    return np.broadcast_to(wide, (dots.shape[0], *np.shape(y)))


def _slope(numbers: Numbers, op: str, k: int, y: Any, values: list[Any]) -> Any:
    if op == "add":
        return 1
    if op == "mul":
        return functools.reduce(np.multiply, values[:k] + values[k + 1 :])
    return SLOPES[op][k](numbers, y, *values)


def _chosen(condition: Any, a: Dual, b: Dual, y: Any) -> Any:
    if a.dots is None and b.dots is None:
        return None
    return np.where(condition, *[0 if x.dots is None else aligned(x.dots, y) for x in (a, b)])

"""NumPy's functions that are made of others: `isnan`, `hypot`, `clip`, `var`, `any`, `diff` and their kind.

In: operands as users write them.  Out: nodes of the kinds that exist; the floors above know nothing of them.
Not handled: what sorts (`median`, `sort`, `quantile`), what rounds to the nearest (`rint`, `round`).
"""

from __future__ import annotations

import math
from typing import Any

import sympy

from symnet.errors import ArgumentError, ShapeError, explain
from symnet.expr.nodes import elementwise as ew
from symnet.expr.nodes.constants import as_node, iota, number, size
from symnet.expr.nodes.contraction import mean, sum
from symnet.expr.nodes.elementwise import elementwise, power, sqrt, where
from symnet.expr.nodes.extents import normalize_axes, normalize_axis, product, whole_number
from symnet.expr.nodes.movement import reshape
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.operators import is_logical, logical_and, logical_xor, negative, subtract
from symnet.expr.nodes.reduction import argmax
from symnet.expr.nodes.result_dtypes import COUNTED

# --------------------------------------------------------------------------- elementwise


def square(x: Any) -> Node:
    """x², elementwise."""
    return power(x, 2)


def clip(x: Any, low: Any = None, high: Any = None) -> Node:
    """x, but at least `low` and at most `high`; None is no bound."""
    x = as_node(x) if low is None else ew.maximum(x, low)
    return x if high is None else ew.minimum(x, high)


def isnan(x: Any) -> Node:
    """Where x is no number."""
    x = as_node(x)
    return elementwise("ne", x, x)


def isinf(x: Any) -> Node:
    """Where x is infinite, of either sign."""
    return ew.equal(ew.absolute(_real(x)), math.inf)


def isfinite(x: Any) -> Node:
    """Where x is neither infinite nor NaN."""
    return ew.less(ew.absolute(_real(x)), math.inf)


def hypot(a: Any, b: Any) -> Node:
    """√(a² + b²), elementwise, also where a square leaves the floating range."""
    return sqrt(elementwise("add", power(_real(a), 2), power(_real(b), 2)))


def _real(x: Any) -> Node:
    x = as_node(x)
    return ew.convert(x, "float64") if x.dtype in COUNTED else x


def logaddexp(a: Any, b: Any) -> Node:
    """log(eᵃ + eᵇ), elementwise, finite wherever a and b are."""
    return ew.log(elementwise("add", ew.exp(a), ew.exp(b)))


def exp2(x: Any) -> Node:
    """2ˣ, elementwise."""
    return power(2, _real(x))


def log2(x: Any) -> Node:
    """The logarithm to the base 2, elementwise."""
    return elementwise("mul", ew.log(x), number(1 / sympy.log(2)))


def log10(x: Any) -> Node:
    """The logarithm to the base 10, elementwise."""
    return elementwise("mul", ew.log(x), number(1 / sympy.log(10)))


def ceil(x: Any) -> Node:
    """The smallest integer not below x; derivative 0."""
    x = as_node(x)
    return x if x.dtype in COUNTED else negative(ew.floor(negative(x)))


# --------------------------------------------------------------------------- reductions


def _truth(x: Any) -> Node:
    x = as_node(x)
    return x if x.dtype == "bool" else ew.not_equal(x, 0)


def any(x: Any, axis: Any = None, keepdims: bool = False) -> Node:
    """Whether any element is true (or not 0) along some axes (all by default); of nothing it is False."""
    return ew.greater(sum(_truth(x), axis, keepdims), 0)


def all(x: Any, axis: Any = None, keepdims: bool = False) -> Node:
    """Whether all elements are true (or not 0) along some axes (all by default); of nothing it is True."""
    return ew.equal(sum(ew.logical_not(_truth(x)), axis, keepdims), 0)


def count_nonzero(x: Any, axis: Any = None, keepdims: bool = False) -> Node:
    """How many elements are true (or not 0) along some axes (all by default), int64."""
    return sum(_truth(x), axis, keepdims)


def argmin(x: Any, axis: int = -1) -> Node:
    """The first index of the smallest element along one axis (int64)."""
    x = as_node(x)
    if x.dtype == "bool":
        return argmax(ew.logical_not(x), axis)
    return argmax(subtract(-1, x) if x.dtype in COUNTED else negative(x), axis)  # -1 - k does not wrap


def var(x: Any, axis: Any = None, ddof: int = 0, keepdims: bool = False) -> Node:
    """The mean squared distance from the mean over some axes (all by default).

    Args:
        x: any shape.
        axis: an int or ints.
        ddof: what is subtracted from the number of elements: 1 gives the unbiased estimate.
        keepdims: keep the reduced axes with extent 1.

    Example:
        >>> import numpy as np, symnet as sn
        >>> sn.compile(sn.var(sn.tensor("x", 4)))(x=np.arange(4.0))
        np.float64(1.25)
    """
    x = _real(x)
    axes = normalize_axes("var(…)", axis, x.rank)
    squares = square(subtract(x, mean(x, axes, keepdims=True)))
    less = whole_number(ddof)
    if less is None:
        raise ArgumentError(explain("var(…)", "a whole number as ddof", repr(ddof), "Write ddof=1."))
    if less == 0:
        return mean(squares, axes, keepdims)
    count = product(x.shape[a] for a in axes) - less
    return elementwise("mul", sum(squares, axes, keepdims), ew.reciprocal(size(count)))


def std(x: Any, axis: Any = None, ddof: int = 0, keepdims: bool = False) -> Node:
    """The root of `var`."""
    return sqrt(var(x, axis, ddof, keepdims))


# --------------------------------------------------------------------------- arrangements


def diff(x: Any, n: int = 1, axis: int = -1) -> Node:
    """What each element is above the one before it along an axis, n times; of truth values, whether it changes."""
    x = as_node(x)
    if not x.rank:
        raise ShapeError(explain("diff(x)", "an axis", "a scalar", "Give an array."))
    times = whole_number(n)
    if times is None or times < 0:
        raise ArgumentError(explain(f"diff(x, n={n!r})", "how many times, 0 or more", repr(n), "Write n=1."))
    along = normalize_axis(f"diff(x, axis={axis!r})", axis, x.rank)
    before = (slice(None),) * along
    for _ in range(times):
        upper, lower = x[(*before, slice(1, None))], x[(*before, slice(None, -1))]
        x = logical_xor(upper, lower) if is_logical(x) else subtract(upper, lower)
    return x


def _triangle(x: Any, k: int, is_lower: bool) -> Node:
    x = as_node(x)
    if x.rank < 2:
        raise ShapeError(explain("tril(x)", "a matrix, or a stack of them", f"shape {x.shape}", "Reshape it first."))
    rows, columns = (iota(n) for n in x.shape[-2:])
    distance = subtract(reshape(columns, 1, -1), reshape(rows, -1, 1))
    kept = ew.less_equal(distance, k) if is_lower else ew.greater_equal(distance, k)
    return logical_and(kept, x) if x.dtype == "bool" else where(kept, x, 0)


def tril(x: Any, k: int = 0) -> Node:
    """The elements on and below the k-th diagonal, and 0 above."""
    return _triangle(x, k, True)


def triu(x: Any, k: int = 0) -> Node:
    """The elements on and above the k-th diagonal, and 0 below."""
    return _triangle(x, k, False)

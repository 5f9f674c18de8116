"""Norms with NumPy's meaning, made of sums, extremes and elementwise functions.

In: an array, `ord`, `axis`, `keepdims`.  Out: √Σx², Σ|x|, max |x|, …; no node of its own.
Convention: the derivative of a norm at 0 is 0.
Not handled: norms of singular values (ord=2, -2 and "nuc" of matrices), which need a decomposition.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable
from typing import Any

import sympy

from symnet.errors import ArgumentError, explain, truth
from symnet.expr.nodes.constants import as_node
from symnet.expr.nodes.contraction import sum as total
from symnet.expr.nodes.elementwise import absolute, indicator, not_equal, power, sqrt
from symnet.expr.nodes.expansion import keep_axes
from symnet.expr.nodes.extents import normalize_axes
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.reduction import max as largest
from symnet.expr.nodes.reduction import min as smallest

INFINITE = {float("inf"): largest, float("-inf"): smallest}
SINGULAR_VALUES = {2: "the largest singular value", -2: "the smallest singular value", "nuc": "Σ of singular values"}


def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Node:
    """A norm with NumPy's meaning: √Σx² unless `ord` says otherwise.  Its derivative at 0 is 0.

    Args:
        x: any shape.
        ord: of vectors 1, 2, inf, -inf, 0 (how many are not zero) or any real p, (Σ|x|ᵖ)^(1/p); of matrices None or
            "fro", 1 (largest column sum), inf (largest row sum), -1 and -inf (the smallest).
        axis: an int (vectors along it), two ints (matrices: rows, columns), or None for all of x.
        keepdims: keep the axes with extent 1.

    Raises:
        ArgumentError: a norm that is not handled, such as the spectral one.

    Example:
        >>> import symnet as sn
        >>> x = sn.tensor("x", 5)
        >>> sn.grad(sn.norm(x), x)
        x/norm(x)
    """
    x = as_node(x)
    axes = normalize_axes(f"norm(…, axis={axis!r})", axis, x.rank)
    if not isinstance(ord, (str, sympy.Expr, numbers.Number, type(None))):  # an array has no truth value
        raise _no_such_norm(ord, axes)
    if ord is None or (ord == "fro" and len(axes) == 2) or (len(axes) == 1 and ord == 2):
        return sqrt(total(power(x, 2), axes, keepdims))
    if len(axes) == 2:
        first = axes[0] if axis is None else normalize_axes("norm", axis[0], x.rank)[0]
        return _matrix_norm(x, ord, axes if axes[0] == first else (axes[1], axes[0]), keepdims)
    if len(axes) != 1 or not _is_real(ord):
        raise _no_such_norm(ord, axes)
    return _vector_norm(x, ord, axes, keepdims)


def _is_real(ord: Any) -> bool:
    if isinstance(ord, sympy.Expr):
        return bool(ord.is_number and ord.is_extended_real)
    return isinstance(ord, numbers.Real)


def _float(ord: Any) -> float:
    """A real number as a float; NaN where it is none, or too large for one."""
    try:
        return float(ord)
    except OverflowError:
        return math.nan


def _vector_norm(x: Node, ord: Any, axes: tuple[int, ...], keepdims: bool) -> Node:
    if math.isnan(_float(ord)):
        raise _no_such_norm(ord, axes)
    if _float(ord) in INFINITE:
        return INFINITE[_float(ord)](absolute(x), axes, keepdims)
    if ord == 0:
        return total(indicator(not_equal(x, 0)), axes, keepdims)
    if ord == 1:
        return total(absolute(x), axes, keepdims)
    return power(total(power(absolute(x), ord), axes, keepdims), sympy.Integer(1) / sympy.nsimplify(ord))


def _matrix_norm(x: Node, ord: Any, axes: tuple[int, int], keepdims: bool) -> Node:
    """The largest sum of absolute values along columns (1) or rows (inf); `axes` are those of rows and columns."""
    rows, columns = axes
    summed: dict[Any, tuple[int, Callable[..., Node]]] = {
        1: (rows, largest),
        -1: (rows, smallest),
        float("inf"): (columns, largest),
        float("-inf"): (columns, smallest),
    }
    found = summed.get(_float(ord)) if _is_real(ord) else None
    if found is None:
        raise _no_such_norm(ord, axes)
    along, extreme = found
    (other,) = (a for a in axes if a != along)
    value = extreme(total(absolute(x), along), other - (other > along))
    return keep_axes(value, axes) if truth("norm(…)", "keepdims", keepdims) else value


def _no_such_norm(ord: Any, axes: tuple[int, ...]) -> ArgumentError:
    what = {0: "a scalar", 1: "vectors", 2: "matrices"}.get(len(axes), f"arrays of rank {len(axes)}")
    known = {1: "a real number", 2: 'None, "fro", 1, -1, inf or -inf'}.get(len(axes), "None")
    mend = "Name the axis of the vectors with axis=." if len(axes) != 1 else "Choose one of these."
    got = repr(ord)
    if len(axes) == 2 and (_is_real(ord) or isinstance(ord, str)) and ord in SINGULAR_VALUES:
        got += f", {SINGULAR_VALUES[ord]}"
        mend = "There is no singular value decomposition; norm(x) is the Frobenius norm, √Σσ²."
    return ArgumentError(explain(f"norm(x, ord={ord!r})", f"{known} for {what}", got, mend))

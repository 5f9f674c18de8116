"""Reductions other than the sum: max, min, prod, log-sum-exp, argmax.

In: an array and axes.  Out: `Reduce(op, x, axes)`, those axes removed.  The sum is a contraction.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy
from sympy import Tuple
from sympy.core.symbol import Str

from symnet import dtypes
from symnet.errors import ShapeError, explain, truth
from symnet.expr.nodes.constants import as_node, number
from symnet.expr.nodes.elementwise import convert, elementwise
from symnet.expr.nodes.expansion import expand, fill, keep_axes
from symnet.expr.nodes.extents import ints_arg, ints_of, normalize_axes, product
from symnet.expr.nodes.node import Node, Shape, static_name

REDUCTIONS = ("max", "min", "prod", "logsumexp", "argmax")
_EMPTY_IS_AN_ERROR = ("max", "min", "argmax")


class Reduce(Node):
    """args are (op, x, axes)."""

    __slots__ = ()
    kind = "reduce"

    @classmethod
    def _derive(cls, op: Str, x: Node, axes: Tuple) -> tuple[Shape, str | None]:
        gone = ints_of(axes)
        assert op.name in REDUCTIONS and gone and list(gone) == sorted(set(gone)), (op, gone)
        shape = tuple(n for a, n in enumerate(x.shape) if a not in gone)
        if op.name == "argmax":
            return shape, "int64"
        dtype = dtypes.DEFAULT_REAL if op.name == "logsumexp" and not dtypes.is_real(x.dtype) else x.dtype
        return shape, dtype

    @property
    def op(self) -> str:
        return str(self.args[0].name)

    @property
    def axes(self) -> tuple[int, ...]:
        return ints_of(self.args[2])

    @property
    def needs_elements(self) -> bool:
        """Whether the reduction of nothing is an error."""
        return self.op in _EMPTY_IS_AN_ERROR


def reduce(op: str, x: Any, axis: Any = None, keepdims: bool = False) -> Node:
    """`op` over some axes (all by default)."""
    x = as_node(x)
    axes = normalize_axes(f"{op}(…)", axis, x.rank)
    if op in _EMPTY_IS_AN_ERROR and product(x.shape[a] for a in axes) == 0:
        raise ShapeError(
            explain(f"{op}(…)", "at least one element", f"shape {x.shape}", f"The {op} of nothing is not defined.")
        )
    if not axes:
        return x
    result = Reduce(static_name(op), x, ints_arg(axes))
    return keep_axes(result, axes) if truth(f"{op}(…)", "keepdims", keepdims) else result


def top_along(x: Node, axes: tuple[int, ...]) -> Node:
    """The maximum over some axes, for what is scaled or shifted by it; -∞ where they are known to hold nothing."""
    if any(x.shape[a] == 0 for a in axes):
        return fill(number(-sympy.oo), tuple(n for a, n in enumerate(x.shape) if a not in axes))
    return reduce("max", x, axes)


def _reduction(op: str, meaning: str) -> Callable[..., Node]:
    def function(x: Any, axis: Any = None, keepdims: bool = False) -> Node:
        x = as_node(x)
        if op == "prod" and x.dtype in ("bool", "int32"):
            x = convert(x, "int64")  # as NumPy multiplies them
        return reduce(op, x, axis, keepdims)

    function.__name__ = function.__qualname__ = op
    function.__doc__ = (
        f"{meaning} over some axes (all by default).\n\nArgs:\n    x: any shape.\n    axis: an int or ints.\n"
        "    keepdims: keep the reduced axes with extent 1."
    )
    return function


max = _reduction("max", "The largest element")
min = _reduction("min", "The smallest element")
prod = _reduction("prod", "The product of the elements")
logsumexp = _reduction("logsumexp", "log Σ exp x")


def argmax(x: Any, axis: int = -1) -> Node:
    """The first index of the largest element along one axis (int64).

    Example:
        >>> import numpy as np, symnet as sn
        >>> sn.compile(sn.argmax(sn.tensor("Y", sn.dim("m"), 3)))(Y=np.array([[1.0, 5.0, 5.0]]))
        array([1])
    """
    return reduce("argmax", x, axis)


def along(x: Node, reduced: Node, axes: tuple[int, ...]) -> Node:
    """A reduction of x over `axes`, repeated along them again to x's shape."""
    return expand(reduced, x.shape, tuple(a for a in range(x.rank) if a not in axes))


def log_softmax(x: Any, axis: int = -1) -> Node:
    """x - logsumexp(x) along an axis.

    Example:
        >>> import symnet as sn
        >>> z = sn.tensor("z", 3)
        >>> sn.grad(sn.sum(sn.log_softmax(z)), z)
        1 - 3*softmax(z)
    """
    x = as_node(x)
    axes = normalize_axes(f"log_softmax(…, axis={axis})", axis, x.rank)
    return elementwise("add", x, elementwise("mul", -1, along(x, reduce("logsumexp", x, axes), axes)))


def softmax(x: Any, axis: int = -1) -> Node:
    """exp(x) / Σ exp(x) along an axis, built as exp(x - logsumexp(x)).

    Args:
        x: rank 1 or more.
        axis: the axis of classes.

    Example:
        >>> import symnet as sn
        >>> Z = sn.tensor("Z", sn.dim("m"), 10)
        >>> sn.softmax(Z)
        softmax(Z)
    """
    x = as_node(x)
    if not x.rank:
        raise ShapeError(explain("softmax(x)", "an axis of classes", "a scalar", "For one output use sigmoid."))
    return elementwise("exp", log_softmax(x, axis))

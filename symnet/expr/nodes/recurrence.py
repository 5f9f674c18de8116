"""Linear recurrences along an axis, and the products that are one of them: cumulative products.

In: arrays of one shape, and an axis.  Out: nodes of that shape.  Both kinds run from either end (`reverse`), and give
the value after every step or the one before it (`exclusive`).  The exclusive ones are what derivatives are made of: as
linear maps of b, the recurrence from the front and the one from the end are each other's transpose.
Not handled: recurrences of higher order, or of matrices.
"""

from __future__ import annotations

from typing import Any

import sympy
from sympy import Integer

from symnet.errors import ShapeError, explain, truth
from symnet.expr.nodes.constants import as_node
from symnet.expr.nodes.contraction import widened
from symnet.expr.nodes.cumulative import axis_of, reverse_of
from symnet.expr.nodes.extents import broadcast_shapes, normalize_axis, same_shape
from symnet.expr.nodes.movement import broadcast_to, reshape
from symnet.expr.nodes.node import Node, Shape
from symnet.expr.nodes.operand_dtypes import check_one_real
from symnet.expr.nodes.result_dtypes import arithmetic


def exclusive_of(scan: Node) -> bool:
    """Whether a node with args (axis, reverse, exclusive, …) gives the value before every step."""
    return bool(scan.args[2])


class CumulativeProduct(Node):
    """y[…, k, …] = Π over j ≤ k of x[…, j, …], over j ≥ k in reverse, without k itself if exclusive.

    args are (axis, reverse, exclusive, x).
    """

    __slots__ = ()
    kind = "cumprod"
    axis = property(axis_of)
    reverse = property(reverse_of)
    exclusive = property(exclusive_of)

    @classmethod
    def _derive(cls, axis: Integer, reverse: Integer, exclusive: Integer, x: Node) -> tuple[Shape, str | None]:
        assert 0 <= int(axis) < x.rank and {int(reverse), int(exclusive)} <= {0, 1}, (axis, reverse, x.shape)
        return x.shape, "int64" if x.dtype == "bool" else x.dtype


class LinearRecurrence(Node):
    """r[k] = a[k]·r[k - 1] + b[k] along an axis, from r[-1] = 0: r[0] is b[0], whatever a[0] is.

    In reverse r[k] = a[k]·r[k + 1] + b[k].  Exclusive: the value before every step, e[k] = r[k - 1], e[0] = 0.
    args are (axis, reverse, exclusive, a, b).
    """

    __slots__ = ()
    kind = "linear_recurrence"
    axis = property(axis_of)
    reverse = property(reverse_of)
    exclusive = property(exclusive_of)

    @classmethod
    def _derive(cls, axis: Integer, reverse: Integer, exclusive: Integer, a: Node, b: Node) -> tuple[Shape, str | None]:
        assert 0 <= int(axis) < b.rank and {int(reverse), int(exclusive)} <= {0, 1}, (axis, reverse, b.shape)
        assert same_shape(a.shape, b.shape), (a.shape, b.shape)
        return b.shape, arithmetic(a, b)


Recurrence = CumulativeProduct | LinearRecurrence


def _flags(*given: bool) -> tuple[Integer, ...]:
    return tuple(sympy.Integer(int(flag)) for flag in given)


def multiply_up(x: Node, axis: int, reverse: bool = False, exclusive: bool = False) -> CumulativeProduct:
    """The node of the products of x along an axis."""
    return CumulativeProduct(sympy.Integer(axis), *_flags(reverse, exclusive), x)


def recur(a: Node, b: Node, axis: int, reverse: bool = False, exclusive: bool = False) -> LinearRecurrence:
    """The node of r[k] = a[k]·r[k - 1] + b[k] along an axis, of two arrays of one shape."""
    return LinearRecurrence(sympy.Integer(axis), *_flags(reverse, exclusive), a, b)


def cumprod(x: Any, axis: int | None = None, *, reverse: bool = False, exclusive: bool = False) -> Node:
    """Products of the first 1, 2, 3, … elements along an axis; derivatives of every order are right at zeros, too.

    Args:
        x: rank 1 or more; int32 and truth values are multiplied as int64, as NumPy does.
        axis: an int; None multiplies the elements in a row, as in NumPy.
        reverse: products of the last elements instead: Π over j ≥ k of x[j].
        exclusive: without x[k] itself: Π over j < k of x[j], 1 for the first.

    Returns:
        an array of x's shape, of one axis where `axis` is None.

    Raises:
        ShapeError: for a scalar, or an axis that x does not have.

    Example:
        >>> import numpy as np, symnet as sn
        >>> x = sn.tensor("x", 4)
        >>> sn.compile(sn.cumprod(x))(x=np.array([2.0, 3.0, 0.0, 5.0]))
        array([2., 6., 0., 0.])
        >>> sn.grad(sn.prod(x), x)
        cumprod(x, exclusive=True)*cumprod(x, reverse=True, exclusive=True)
    """
    x = widened(as_node(x))
    flags = [truth("cumprod(x)", name, value) for name, value in (("reverse", reverse), ("exclusive", exclusive))]
    if not x.rank:
        mend = "A number is its own product; reshape it to (1,) for an array."
        raise ShapeError(explain("cumprod(x)", "rank 1 or more", "a scalar", mend))
    if axis is None:
        return multiply_up(x if x.rank == 1 else reshape(x, -1), 0, *flags)
    place = normalize_axis(f"cumprod(x, axis={axis!r})", axis, x.rank)
    return multiply_up(x, place, *flags)


def linear_recurrence(a: Any, b: Any, axis: int = -1, *, reverse: bool = False, exclusive: bool = False) -> Node:
    """r[k] = a[k]·r[k - 1] + b[k] along an axis, r[0] = b[0]: running averages, filters of order 1, discounted sums.

    Each value is made of the one before, in one pass.  What derivatives by a and b need is a recurrence from the other
    end: gradients, and products with the Hessian, take work in the length of the axis.

    Args:
        a: any shape that broadcasts with b's.  a[0] is not used; where r does not start from 0 but from s, a[0]·s is
            added to b[0].
        b: any shape; int32 and truth values are summed as int64.
        axis: an int, of the shape to which a and b broadcast.
        reverse: from the end: r[k] = a[k]·r[k + 1] + b[k].
        exclusive: the value before every step, r[k - 1] for r[k]: 0 for the first.

    Returns:
        an array of the shape to which a and b broadcast, and of the dtype of a + b.

    Raises:
        ShapeError: shapes that do not broadcast, two scalars, or an axis that there is not.
        DTypeError: float32 beside float64.

    Example:
        >>> import numpy as np, symnet as sn
        >>> a, b = sn.scalar("a"), sn.tensor("b", 4)
        >>> r = sn.linear_recurrence(a, b)
        >>> sn.compile(r)(a=0.5, b=np.ones(4))
        array([1.   , 1.5  , 1.75 , 1.875])
    """
    a, b = widened(as_node(a)), widened(as_node(b))
    flags = [truth("linear_recurrence(a, b)", *given) for given in (("reverse", reverse), ("exclusive", exclusive))]
    check_one_real("linear_recurrence(a, b)", (a, b))
    shape = broadcast_shapes("linear_recurrence(a, b)", a.shape, b.shape)
    if not shape:
        mend = "One step gives b itself; reshape b to (1,) for an array."
        raise ShapeError(explain("linear_recurrence(a, b)", "rank 1 or more", "two scalars", mend))
    place = normalize_axis(f"linear_recurrence(a, b, axis={axis!r})", axis, len(shape))
    return recur(broadcast_to(a, shape), broadcast_to(b, shape), place, *flags)

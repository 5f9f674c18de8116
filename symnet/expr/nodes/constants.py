"""Constants: numbers, extents as numbers, arrays, identity matrices, index ramps; and the door `as_node`.

In: Python, NumPy and SymPy scalars, as weak rank-0 nodes that take the dtype of what they meet; NumPy's arrays, as
nodes of their own dtype.
A *fill* is no kind of its own: it is `Expand` of a number (`expr/nodes/movement.py`).
"""

from __future__ import annotations

import numbers
from typing import Any

import sympy
from sympy import Basic, Expr

from symnet import dtypes
from symnet.arrays import Contents, contents, is_array
from symnet.errors import ArgumentError, ShapeError, explain, refuse_mask
from symnet.expr.nodes.data import Data
from symnet.expr.nodes.extents import Dim, as_extent, shape_of
from symnet.expr.nodes.node import BUILDERS, Extent, Node, Shape


class Number(Node):
    """A real constant: args are (a SymPy number,).  Weak."""

    __slots__ = ()
    kind = "number"

    @classmethod
    def _derive(cls, value: Expr) -> tuple[Shape, str | None]:
        return (), None

    @property
    def value(self) -> Expr:
        """The SymPy number, exact where it was given exactly."""
        return self.args[0]


class Size(Node):
    """An extent as a number: args are (a SymPy expression over dims,).  Weak."""

    __slots__ = ()
    kind = "size"

    @classmethod
    def _derive(cls, extent: Expr) -> tuple[Shape, str | None]:
        return (), None

    @property
    def extent(self) -> Expr:
        return self.args[0]


class Delta(Node):
    """The identity matrix of an extent: δ[i, j].  Weak."""

    __slots__ = ()
    kind = "delta"

    @classmethod
    def _derive(cls, extent: Expr) -> tuple[Shape, str | None]:
        (n,) = shape_of(sympy.Tuple(extent))
        return (n, n), None

    @property
    def extent(self) -> Extent:
        return self.shape[0]


class Iota(Node):
    """The vector 0, 1, …, n-1 (int64)."""

    __slots__ = ()
    kind = "iota"

    @classmethod
    def _derive(cls, extent: Expr) -> tuple[Shape, str | None]:
        return shape_of(sympy.Tuple(extent)), "int64"


class ConstantArray(Node):
    """An array that is part of the expression: args are (its data,).  Strong: it has NumPy's dtype."""

    __slots__ = ()
    kind = "array"

    @classmethod
    def _derive(cls, data: Data) -> tuple[Shape, str | None]:
        return data.contents.shape, data.contents.dtype

    @property
    def contents(self) -> Contents:
        """The elements, read-only."""
        return self.args[0].contents

    def retyped(self, dtype: str) -> ConstantArray:
        """The same numbers in another dtype, each rounded once."""
        return array_node(self.contents.retyped(dtype))


def array_node(of: Contents) -> ConstantArray:
    """The node of a constant array's elements; equal elements are one node."""
    return ConstantArray(Data(of))


def number(value: Any) -> Number:
    """A constant node from a Python, NumPy or SymPy number (Python floats keep their exact binary value)."""
    return Number(exact(value))


def exact(value: Any) -> Expr:
    """A SymPy number; a float that is a small whole number or a dyadic fraction becomes exact."""
    if isinstance(value, Expr):
        return value
    if type(value) is int:
        return sympy.Integer(value)
    if isinstance(value, numbers.Rational):
        return sympy.Rational(int(value.numerator), int(value.denominator))
    value = float(value)
    if value == value and abs(value) != float("inf") and (value * 1024).is_integer() and abs(value) < 2**53:
        return sympy.Rational(value)
    return sympy.Float(value, 17) if value == value else sympy.nan


def size(extent: Any) -> Node:
    """An extent as a rank-0 node: a `Number` when concrete."""
    if not isinstance(extent, Dim):  # what most extents are; the text of a call costs more than the rest
        extent = as_extent(extent, f"size({extent})")
    return number(extent) if isinstance(extent, int) else Size(extent)


def identity(extent: Any) -> Delta:
    """The identity matrix of an int or dim extent."""
    return Delta(sympy.sympify(as_extent(extent, f"identity({extent})")))


def iota(extent: Any) -> Iota:
    """0, 1, …, n-1 as an int64 vector."""
    return Iota(sympy.sympify(as_extent(extent, f"iota({extent})")))


def constant(value: Any, dtype: Any = None) -> Node:
    """A number or an array as an expression.

    A number, and an array of rank 0, is weak: it takes the dtype of what it meets.  An array (of NumPy's, or a list of
    numbers as `numpy.array` reads it) keeps its dtype and is copied, so that a later change of it does not matter; in
    operators and functions NumPy's arrays need no `constant` around them.

    Args:
        value: a number, an array, or a list.
        dtype: of an array; None: its own.

    Raises:
        DTypeError: a dtype that symnet lacks.

    Example:
        >>> import numpy as np, symnet as sn
        >>> A = sn.tensor("A", 2, 2)
        >>> A + np.array([[1.0, 2.0], [3.0, 4.0]])
        A + array([[1.0, 2.0], [3.0, 4.0]])
    """
    if isinstance(value, (list, tuple)):
        value = _array_of(value)
    if not is_array(value):
        return as_node(value)
    made = contents(value, "constant(array)")
    return array_node(made if dtype is None else made.retyped(dtypes.check(dtype, f"constant(array, dtype={dtype!r})")))


def _array_of(values: Any) -> Any:
    """A list as NumPy reads it."""
    import numpy as np

    call = "constant(list)"
    if any(isinstance(v, Node) for v in values):
        raise ArgumentError(explain(call, "numbers", "expressions among them", "Join them with sn.stack([a, b])."))
    try:
        return np.array(values) if len(values) else np.zeros(0)
    except ValueError as error:
        raise ShapeError(explain(call, "rows of one length", str(error).split(". ")[0], "Mend the list.")) from error


def is_scalar(value: Any) -> bool:
    """Whether `as_node` takes the value as a number."""
    return isinstance(value, (numbers.Real, Expr)) or (getattr(value, "shape", None) == () and hasattr(value, "item"))


def as_node(value: Any) -> Node:
    """The node for an operand: nodes pass, numbers and SymPy scalars are converted.

    Raises:
        ArgumentError: for anything else, saying how to bring it in.
    """
    if isinstance(value, Node):
        return value
    if isinstance(value, (int, numbers.Real)):
        return number(value)
    refuse_mask("an operand", "the array", value)
    if isinstance(value, Basic):
        return BUILDERS["from_scalar"](value)
    if getattr(value, "shape", None) == () and isinstance(getattr(value, "item", lambda: None)(), numbers.Real):
        return number(value.item())
    if is_array(value):
        return array_node(contents(value))
    kind = f"{type(value).__name__}" + (f" of shape {value.shape}" if hasattr(value, "shape") else "")
    raise ArgumentError(
        explain(
            "an operand",
            "an expression, a number, a SymPy scalar or an array",
            kind,
            "Write np.asarray(value) for constants that belong to the formula; what changes from call to call is"
            ' sn.tensor("A", …) here and A=array at the call.',
        )
    )


def power_of_number(value: Expr, exponent: Expr) -> Expr:
    """value**exponent, exact; rounded where SymPy, counting with gmpy2, takes the logarithm of what no float holds."""
    try:
        return value**exponent
    except OverflowError:
        return sympy.Pow(value, exponent, evaluate=False).evalf(17)


def is_product_of_roots(value: Expr) -> bool:
    """Whether a number is a rational one, or times roots of rational ones, and powers of π: real and finite, which
    takes SymPy long to say.
    """
    if value.is_Rational or value is sympy.pi:
        return bool(value.is_finite)
    if isinstance(value, sympy.Pow):
        return bool(value.exp.is_Rational) and (value.base is sympy.pi or (value.base.is_Rational and value.base.p > 0))
    return isinstance(value, sympy.Mul) and all(map(is_product_of_roots, value.args))


def number_of(node: Node) -> Expr | None:
    """The SymPy number of a `Number`, None for any other node."""
    return node.args[0] if isinstance(node, Number) else None

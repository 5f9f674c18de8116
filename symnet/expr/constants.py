"""Constants: numbers, extents as numbers, identity matrices, index ramps; and the door `as_node`.

In: Python, NumPy and SymPy scalars.  Out: weak rank-0 nodes that take the dtype of what they meet.
A *fill* is no kind of its own: it is `Expand` of a number (`expr/movement.py`).
"""

from __future__ import annotations

import numbers
from typing import Any

import sympy
from sympy import Basic, Expr

from symnet.errors import ArgumentError, explain, refuse_mask
from symnet.expr.extents import Dim, as_extent, shape_of
from symnet.expr.node import Extent, Node, Shape


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


def number(value: Any) -> Number:
    """A constant node from a Python, NumPy or SymPy number (Python floats keep their exact binary value)."""
    return Number(exact(value))  # type: ignore[return-value]


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
    return Delta(sympy.sympify(as_extent(extent, f"identity({extent})")))  # type: ignore[return-value]


def iota(extent: Any) -> Iota:
    """0, 1, …, n-1 as an int64 vector."""
    return Iota(sympy.sympify(as_extent(extent, f"iota({extent})")))  # type: ignore[return-value]


def constant(value: Any) -> Node:
    """A number as an expression (rank 0, weak).

    Raises:
        ArgumentError: for an array; arrays are leaves (`tensor`), given at the call.
    """
    return as_node(value)


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
        from symnet.expr.sympy_scalars import from_scalar

        return from_scalar(value)
    if getattr(value, "shape", None) == () and hasattr(value, "item"):
        return number(value.item())
    kind = f"{type(value).__name__}" + (f" of shape {value.shape}" if hasattr(value, "shape") else "")
    raise ArgumentError(
        explain(
            "an operand",
            "an expression, a number or a SymPy scalar",
            kind,
            'Arrays are given at the call: write sn.tensor("A", …) here and pass A=array to the compiled function.',
        )
    )


def number_of(node: Node) -> Expr | None:
    """The SymPy number of a `Number`, None for any other node."""
    return node.args[0] if isinstance(node, Number) else None

"""Leaves and transparent nodes in NumPy.

In: the arrays of a call.  Out: each leaf's array, checked (`read_leaf`), and the extents they imply (`bind_dims`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import sympy

from symnet import dtypes
from symnet.arrays import Array
from symnet.errors import ArgumentError, DTypeError, ShapeError, explain, refuse_mask
from symnet.expr.nodes.extents import Dim
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import Tensor, describe
from symnet.reference.context import Context

_KINDS = {"bool": "b", "int32": "iu", "int64": "iu", "float32": "fiu", "float64": "fiu"}  # NumPy kinds that may come


def find(leaf: Tensor, data: Mapping[str, Any]) -> Array:
    """The array of a leaf.

    Raises:
        ArgumentError: when none was given.
        ShapeError: when its rank is another.
    """
    if leaf.name not in data:
        got = ", ".join(data) or "nothing"
        raise ArgumentError(explain("evaluate(…)", f"an array for {leaf.name!r}", got, f"Add {leaf.name}=array."))
    refuse_mask("evaluate(…)", leaf.name, data[leaf.name])
    array = np.asarray(data[leaf.name])
    if array.ndim != leaf.rank:
        raise ShapeError(
            explain(
                "evaluate(…)",
                f"{leaf.name} of rank {leaf.rank}, {describe(leaf)}",
                f"shape {array.shape}",
                "Reshape it.",
            )
        )
    return array


def bind_dims(leaves: Iterable[Tensor], data: Mapping[str, Any]) -> dict[Dim, int]:
    """The value of every dim, read off the arrays.

    Args:
        leaves: the tensors of an expression.
        data: name → array.

    Raises:
        ShapeError: when two axes ask for different values, or an extent is not what its leaf says.
    """
    axes = [(leaf, axis, find(leaf, data).shape[axis]) for leaf in leaves for axis in range(leaf.rank)]
    dims: dict[Dim, int] = {}
    waiting = [(leaf, axis, got) for leaf, axis, got in axes if not isinstance(leaf.shape[axis], int)]
    for solve in (_read_dim, _solve_extent):
        for leaf, axis, got in waiting:
            solve(leaf.shape[axis], got, dims)
    values = {k: sympy.Integer(v) for k, v in dims.items()}
    for leaf, axis, got in axes:
        wanted = leaf.shape[axis]
        expected = wanted if isinstance(wanted, int) else wanted.xreplace(values)
        if expected != got:
            known = ", ".join(f"{k} = {v}" for k, v in dims.items())
            raise ShapeError(
                explain(
                    "evaluate(…)",
                    f"extent {wanted}"
                    + (f" = {expected}" if expected != wanted else "")
                    + f" on axis {axis} of {leaf.name}",
                    f"{got}" + (f" with {known}" if known else ""),
                    "Make the arrays agree.",
                )
            )
    return dims


def _read_dim(extent: Any, got: int, dims: dict[Dim, int]) -> None:
    if isinstance(extent, Dim):
        dims.setdefault(extent, got)


def _solve_extent(extent: Any, got: int, dims: dict[Dim, int]) -> None:
    """An extent such as 2*m or m + 1 whose one unknown has not been read elsewhere."""
    unknown = sorted(extent.free_symbols - set(dims), key=str)
    if len(unknown) != 1:
        return
    known = extent.xreplace({k: sympy.Integer(v) for k, v in dims.items()})
    for root in sympy.solve(known - got, unknown[0]):
        if root.is_Integer and root >= 0:
            dims[unknown[0]] = int(root)
            return


def read_leaf(leaf: Tensor, data: Mapping[str, Any], context: Context) -> Array:
    """The leaf's array in its dtype of this call.

    Raises:
        DTypeError: when the array holds another kind of number.
    """
    array = find(leaf, data)
    wanted = context.dtype(leaf) or dtypes.DEFAULT_REAL
    if array.dtype.kind not in _KINDS[wanted]:
        raise DTypeError(
            explain(
                "evaluate(…)",
                f"{leaf.name} as {wanted}",
                str(array.dtype),
                f"Convert it with {leaf.name}.astype({wanted!r}).",
            )
        )
    return array.astype(wanted)


def transparent_value(node: Node, values: Sequence[Array], context: Context) -> Array:
    """`Named`, `Barrier` and `Sealed`: the operand itself."""
    return values[0]

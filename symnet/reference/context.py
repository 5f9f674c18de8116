"""What a meaning needs beside its operands: the extents of this call and the dtype of reals.

In: dims and a dtype.  Out: concrete shapes, and arrays cast as the expression's dtypes say.  A *weak* value (node
dtype None) is held in float64 until it meets a dtype.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sympy

from symnet import dtypes
from symnet.arrays import Array
from symnet.errors import ArgumentError, ValueDomainError, explain
from symnet.expr.nodes.extents import Dim
from symnet.expr.nodes.node import Extent, Node


@dataclass(frozen=True)
class Context:
    """One call of `evaluate`.

    Attributes:
        dims: the value of every symbolic extent.
        real: the dtype of every real value; None: as the leaves say.
        identities: whether the max of nothing is -∞ and the min ∞, as in loops; otherwise both are refused.
    """

    dims: Mapping[Dim, int]
    real: str | None = None
    identities: bool = False

    def extent(self, extent: Extent) -> int:
        """An extent as a number of this call.

        Raises:
            ArgumentError: when no array tells it.
            ValueDomainError: when it comes out negative.
        """
        if isinstance(extent, int):
            return extent
        unknown = sorted(map(str, extent.free_symbols - set(self.dims)))
        if unknown:
            raise ArgumentError(
                explain(
                    "evaluate(…)",
                    f"arrays that tell {' and '.join(unknown)}",
                    "an expression without such leaves",
                    "Pass leaves=[x, …], the leaves of the expression as written.",
                )
            )
        value = int(sympy.sympify(extent).xreplace({k: sympy.Integer(v) for k, v in self.dims.items()}))
        if value < 0:
            known = ", ".join(f"{k} = {v}" for k, v in self.dims.items())
            raise ValueDomainError(
                explain(f"extent {extent}", "a size of at least 0", f"{value} with {known}", "Give longer arrays.")
            )
        return value

    def shape(self, shape: Sequence[Extent]) -> tuple[int, ...]:
        return tuple(map(self.extent, shape))

    def dtype(self, node: Node) -> str | None:
        """The dtype of a node in this call; None when weak."""
        return self.real if self.real and node.dtype in dtypes.REAL else node.dtype

    def cast(self, value: Array, dtype: str | None) -> Array:
        """`value` in `dtype`; weak stays as it is."""
        return value if dtype is None else value.astype(dtype, copy=False)

    def operands(self, node: Node, values: Sequence[Array]) -> list[Array]:
        """The operands in the dtype of the result (float64 when that is weak)."""
        return [self.cast(v, self.dtype(node) or dtypes.DEFAULT_REAL) for v in values]

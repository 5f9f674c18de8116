"""A graph as a program over dual numbers.

In: a rank-0 expression, arrays, and for each leaf that moves its directions.  Out: the value and a slope for each.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import sympy

from symnet.compare.duals import operations
from symnet.compare.duals.dual import Dual, elementwise
from symnet.compare.scalars.numbers import machine
from symnet.compare.straight import Calculus, StraightProgram
from symnet.expr.nodes.extents import Dim
from symnet.expr.nodes.node import Node


def constant(value: Any, dtype: str) -> Dual:
    """A number as Python's float, which takes the dtype of what it meets."""
    return Dual(float(value) if isinstance(value, sympy.Basic) else value)


DUALS = Calculus(
    "the calculus of dual numbers",
    "symnet/compare/duals/program.py",
    {
        "elementwise": elementwise,
        "einsum": operations.einsum,
        "reduce": operations.reduce,
        "expand": operations.expand,
        "reshape": operations.reshape,
        "slice": operations.slice_,
        "place": operations.place,
        "concat": operations.concat,
        "take": operations.take,
        "one_hot": operations.one_hot,
        "cumsum": operations.cumsum,
        "cumprod": operations.cumprod,
        "linear_recurrence": operations.linear_recurrence,
        "solve": operations.solve,
        "determinant": operations.determinant,
    },
    constant,
)


class DualProgram(StraightProgram):
    """A program that computes a value, and its slopes along any number of directions.

    Args:
        root: rank 0.
        dims: the value of every symbolic extent.
        dtype: float32 or float64.
    """

    def __init__(self, root: Node, dims: Mapping[Dim, int], dtype: str) -> None:
        super().__init__(root, dims, dtype, DUALS)
        self.numbers = machine(dtype)

    def along(self, data: Mapping[str, Any], directions: Mapping[str, Any]) -> tuple[Any, Any]:
        """(value, slopes): `directions` are arrays of shape (K, *shape of the leaf), by name."""
        root = self.run(self.numbers, {name: Dual(a, directions.get(name)) for name, a in data.items()})[self.root]
        count = len(next(iter(directions.values())))
        return root.value, np.zeros(count) if root.dots is None else root.dots

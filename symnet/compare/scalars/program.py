"""A graph as a program over single numbers.

In: a rank-0 expression, the leaves to differentiate by, arrays, a system of numbers.  Out: the value and gradients.
It is slow, and it is meant to be read: an entry of its tape is a scalar, so that nothing hides in an array operation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import sympy

from symnet.compare.scalars import linalg, operations
from symnet.compare.scalars.numbers import Numbers
from symnet.compare.scalars.operations import boxed, lifted
from symnet.compare.scalars.recorded import Recorded, ScalarTape, plain_number
from symnet.compare.straight import Calculus, StraightProgram
from symnet.expr.nodes.extents import Dim
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import Tensor

SCALARS = Calculus(
    "the tape of scalars",
    "symnet/compare/scalars/program.py",
    {
        **operations.MOVEMENT,
        "elementwise": operations.elementwise,
        "einsum": operations.einsum,
        "reduce": operations.reduce,
        "cumsum": operations.cumsum,
        "cumprod": operations.cumprod,
        "linear_recurrence": operations.linear_recurrence,
        "solve": linalg.solve,
        "determinant": linalg.determinant,
    },
    operations.constant,
)


class ScalarProgram(StraightProgram):
    """A program that computes a value and its gradients, one number after the other.

    Args:
        root: rank 0.
        wrt: leaves, in order.
        dims: the value of every symbolic extent.
        numbers: what it computes with.
    """

    def __init__(self, root: Node, wrt: Sequence[Tensor], dims: Mapping[Dim, int], numbers: Numbers) -> None:
        super().__init__(root, dims, "float64", SCALARS)
        self.wrt, self.numbers = [leaf.name for leaf in wrt], numbers

    def value(self, data: Mapping[str, Any]) -> Any:
        """The value alone: one number."""
        return self._ran(ScalarTape(self.numbers), {name: self._read(array) for name, array in data.items()})

    def value_and_grad(self, data: Mapping[str, Any]) -> tuple[Any, list[Any], ScalarTape]:
        """(value, an array of numbers for each of `wrt`, the tape)."""
        tape = ScalarTape(self.numbers)
        leaves = {name: self._read(array) for name, array in data.items()}
        for name in self.wrt:
            leaves[name] = boxed(np.frompyfunc(tape.variable, 1, 1)(leaves[name]))
        root = self._ran(tape, leaves)
        bars = tape.backward(root)
        zero = self.numbers.number(0)

        def bar(x: Recorded) -> Any:
            return zero if isinstance(bars[x.place], int) else bars[x.place]

        return plain_number(root), [boxed(np.frompyfunc(bar, 1, 1)(leaves[name])) for name in self.wrt], tape

    def _read(self, array: Any) -> Any:
        """Reals as numbers; those that are numbers already, integers and truth values as they are."""
        array = array if isinstance(array, np.ndarray) else np.asarray(array)
        return boxed(np.frompyfunc(self.numbers.number, 1, 1)(array)) if array.dtype.kind == "f" else array

    def _ran(self, tape: ScalarTape, leaves: Mapping[str, Any]) -> Any:
        held = self.constants
        self.constants = [(slot, self._number(tape, value)) for slot, value in held]
        try:
            return self.run(tape, leaves)[self.root][()]
        finally:
            self.constants = held

    def _number(self, tape: ScalarTape, value: Any) -> Any:
        if value.dtype == object and isinstance(value[()], sympy.Basic):
            return boxed(self.numbers.number(value[()]))
        return lifted(tape, value) if value.dtype.kind == "f" else value

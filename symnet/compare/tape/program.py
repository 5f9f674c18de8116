"""A graph as a program that the tape watches: one NumPy operation after the other.

In: a rank-0 expression, the leaves to differentiate by, arrays.  Out: `TapeProgram`: called, it runs the operations,
records them, and walks back.  Reading the graph (`compare/straight.py`) costs nothing at run time; recording and
walking back happen at every call.

With complex arrays the way back is a function whose derivative along a direction is taken, too: the gradient at
w + ih·v is ∇L(w) + ih·H·v + O(h²) (`analytic.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import sympy

from symnet.arrays import Array
from symnet.compare.straight import Calculus, StraightProgram
from symnet.compare.tape import contraction, cumulative, elementwise, linalg, movement, recurrence, reduction
from symnet.compare.tape.var import Tape, TapeValue
from symnet.expr.nodes.extents import Dim
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import Tensor

OPERATIONS: dict[str, Callable[..., TapeValue]] = {
    "elementwise": elementwise.elementwise,
    "einsum": contraction.einsum,
    "reduce": reduction.reduce,
    "expand": movement.expand,
    "reshape": movement.reshape,
    "slice": movement.slice_,
    "place": movement.place,
    "concat": movement.concat,
    "take": movement.take,
    "one_hot": movement.one_hot,
    "cumsum": cumulative.cumsum,
    "cumprod": recurrence.cumprod,
    "linear_recurrence": recurrence.linear_recurrence,
    "solve": linalg.solve,
    "determinant": linalg.determinant,
}


def constant(value: Any, dtype: str) -> TapeValue:
    """A number as Python's float, which takes the dtype of what it meets; of more digits, where reals have them."""
    if not isinstance(value, sympy.Basic):
        return TapeValue(value)
    return TapeValue(np.longdouble(str(value.n(25))) if "longdouble" in dtype else float(value))


TAPE = Calculus("the tape", "symnet/compare/tape/program.py", OPERATIONS, constant)


class TapeProgram(StraightProgram):
    """A program that computes a value and, with the tape, its gradients.

    Args:
        root: rank 0.
        wrt: leaves, in order.
        dims: the value of every symbolic extent.
        dtype: float32, float64, longdouble, or a complex one.
    """

    def __init__(self, root: Node, wrt: Sequence[Tensor], dims: Mapping[Dim, int], dtype: str) -> None:
        super().__init__(root, dims, dtype, TAPE)
        self.wrt = [leaf.name for leaf in wrt]

    def value(self, data: Mapping[str, Any]) -> Any:
        """The value alone."""
        leaves = {name: TapeValue(data[name]) for _, name in self.leaves}
        return self.run(Tape(recording=False), leaves)[self.root].value

    def value_and_grad(self, data: Mapping[str, Any]) -> tuple[Any, list[Array], Tape]:
        """(value, gradients in the order of `wrt`, the tape)."""
        tape = Tape()
        leaves = {name: TapeValue(data[name], name in self.wrt) for _, name in self.leaves}
        root = self.run(tape, leaves)[self.root]
        with np.errstate(all="ignore"):
            tape.backward(root)
        bars = [leaves[name] for name in self.wrt]
        return root.value, [np.zeros_like(v.value) if v.bar is None else v.bar for v in bars], tape

    def products(self, data: Mapping[str, Any], directions: Sequence[Any]) -> tuple[Any, list[Array]]:
        """(value, the Hessian's products with a direction for each of `wrt`), of a program in complex numbers."""
        step = STEP[np.dtype(self.dtype).itemsize]
        moved = {name: data[name] + 1j * step * v for name, v in zip(self.wrt, directions, strict=True)}
        reals = {name: a.astype(self.dtype) for name, a in moved.items()}
        value, gradients, _ = self.value_and_grad({**data, **reals})
        return np.real(value), [np.imag(g) / step for g in gradients]

    def hessian(self, data: Mapping[str, Any]) -> tuple[Any, list[Array]]:
        """(value, the blocks of the Hessian row by row), one product for each column, in complex numbers."""
        shapes = [np.shape(data[name]) for name in self.wrt]
        blocks: list[list[Any]] = [[np.empty((*a, *b)) for b in shapes] for a in shapes]
        value: Any = np.nan
        for column, shape in enumerate(shapes):
            for place in np.ndindex(shape):
                unit = [np.zeros(s) for s in shapes]
                unit[column][place] = 1
                value, products = self.products(data, unit)
                for row, found in enumerate(products):
                    blocks[row][column][(..., *place)] = found
        return value, [block for row in blocks for block in row]


STEP = {8: 2.0**-40, 16: 2.0**-300, 32: 2.0**-300}  # bytes of a complex number → a step whose square is nothing

"""Automatic differentiation: the same expression run on the tape of `tape/`.

In: a `LossAtPoint`.  Out: a `Method` that runs the program, records it and walks back, at every call.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from symnet.arrays import Array
from symnet.compare.counting import Count, counted, plain
from symnet.compare.method import LossAtPoint, Method
from symnet.compare.tape import TapeProgram
from symnet.loops.weights import Operations


class Automatic(Method):
    name = "automatic (NumPy tape)"

    def __init__(self, problem: LossAtPoint) -> None:
        self.problem = problem
        self.program = TapeProgram(problem.root, problem.wrt, problem.dims, problem.dtype)
        found, gradients, tape = self.program.value_and_grad(problem.data)
        self._value, self._gradients = float(found), [np.array(g) for g in gradients]
        sizes = [array.nbytes for array in tape.kept(problem.data.values())]
        self._kept = len(sizes), sum(sizes)
        self._operations = self._counted()

    def call(self) -> None:
        self.program.value_and_grad(self.problem.data)

    def value(self) -> float:
        return self._value

    def gradients(self) -> Sequence[Array]:
        return self._gradients

    @property
    def operations(self) -> Operations:
        return self._operations

    @property
    def kept(self) -> tuple[int, int]:
        return self._kept

    def _counted(self) -> Operations:
        """The operations of one call, seen by arrays that count."""
        count = Count()
        _, gradients, _ = self.program.value_and_grad({n: counted(a, count) for n, a in self.problem.data.items()})
        assert all(np.array_equal(plain(g), h, equal_nan=True) for g, h in zip(gradients, self._gradients, strict=True))
        return count.seen

"""Automatic differentiation: the same expression run on the tape of `compare/tape/`.

In: a `LossAtPoint`.  Out: a `Method` that runs the program, records it and walks back, at every call.  It is an
interpreter: each of NumPy's operations is called from Python, one after the other.

Second derivatives are first ones of the way back, by a complex step: one run for a product with the Hessian, one for
each column of a Hessian.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from symnet.compare.counting import Count, counted
from symnet.compare.method import FoundDerivatives, Method
from symnet.compare.problem import KINDS, LossAtPoint
from symnet.compare.tape import TapeProgram
from symnet.loops.weights import Operations

COMPLEX = {"float32": "complex64", "float64": "complex128"}


class Taped(Method):
    name = "tape (interpreted)"
    family = "reverse"
    how = "define-by-run reverse mode over NumPy's operations, recorded and walked back at every call"
    offers = KINDS

    def __init__(self, problem: LossAtPoint) -> None:
        self.problem = problem
        self.data = dict(problem.data)
        dtype = problem.dtype if problem.of == "gradient" else COMPLEX[problem.dtype]
        self.program = TapeProgram(problem.root, problem.wrt, problem.dims, dtype)
        self.loss = TapeProgram(problem.root, problem.wrt, problem.dims, problem.dtype)
        if problem.of != "gradient":
            self.how += "; in complex numbers, whose imaginary parts are the derivative along a direction"

    def call(self) -> Any:
        with np.errstate(all="ignore"):
            return self._ran(self.data)

    def _ran(self, data: Any) -> Any:
        problem = self.problem
        if problem.of == "gradient":
            return self.program.value_and_grad(data)[:2]
        if problem.of == "hvp":
            return self.program.products(data, problem.vectors)
        return self.program.hessian(data)

    def answer(self) -> FoundDerivatives:
        value, arrays = self.call()
        return FoundDerivatives(float(value), [np.array(a) for a in arrays])

    @property
    def loss_call(self) -> Callable[[], Any]:
        return lambda: self.loss.value(self.data)

    @property
    def operations(self) -> Operations | None:
        return self._counted(self._ran) if self.problem.of == "gradient" else None

    @property
    def loss_operations(self) -> Operations:
        return self._counted(self.loss.value)

    def _counted(self, run: Callable[[Any], Any]) -> Operations:
        """The operations of one call, seen by arrays that count."""
        count = Count()
        with np.errstate(all="ignore"):
            run({name: counted(array, count) for name, array in self.data.items()})
        return count.seen

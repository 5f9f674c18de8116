"""Automatic differentiation one number at a time: the tape of `compare/scalars/`, as it is taught.

In: a `LossAtPoint`.  Out: a `Method` that records every scalar operation and walks back, at every call.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from symnet.compare.method import FoundDerivatives, Method
from symnet.compare.problem import LossAtPoint
from symnet.compare.scalars import ScalarProgram, machine
from symnet.compare.truth import loss_operations
from symnet.errors import ArgumentError, explain

MOST = 1_000_000  # operations of the loss: an entry takes a microsecond and more, and a few hundred bytes


class ScalarTaped(Method):
    name = "scalar tape"
    family = "reverse"
    how = "reverse mode with an entry for every scalar operation, interpreted by Python"

    def __init__(self, problem: LossAtPoint) -> None:
        needed = loss_operations(problem).total
        if needed > MOST:
            got = f"{needed:,} operations of the loss"
            raise ArgumentError(explain("the tape of scalars", f"at most {MOST:,}", got, "Compare with fewer data."))
        self.data = problem.data
        self.program = ScalarProgram(problem.root, problem.wrt, problem.dims, machine(problem.dtype))

    def call(self) -> Any:
        with np.errstate(all="ignore"):
            return self.program.value_and_grad(self.data)

    def answer(self) -> FoundDerivatives:
        value, gradients, tape = self.call()
        self.note = f"{len(tape.links):,} entries"
        return FoundDerivatives(float(value), [np.array(g, dtype="float64") for g in gradients])

    @property
    def loss_call(self) -> Callable[[], Any]:
        return lambda: self.program.value(self.data)

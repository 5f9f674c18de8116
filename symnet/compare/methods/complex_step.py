"""The complex step: the slope along a coordinate is the imaginary part of the loss at w + ih, over h.

In: a `LossAtPoint`.  Out: a `Method` that evaluates the expression once for each coordinate, in complex numbers on
NumPy's arrays.  No difference is taken, so h may be so small that its square is nothing, and no digit is lost.

Source: Squire and Trapp, "Using complex variables to estimate derivatives of real functions", SIAM Review 40, 1998.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symnet.compare.methods.coordinates import Coordinates
from symnet.compare.methods.tape import COMPLEX
from symnet.compare.problem import LossAtPoint
from symnet.compare.tape import TapeProgram
from symnet.compare.tape.program import STEP


class ComplexStep(Coordinates):
    name = "complex step"
    family = "forward"
    how = "Im L(w + ih)/h on NumPy's complex arrays, one evaluation for each coordinate"
    evaluations = 1

    def __init__(self, problem: LossAtPoint) -> None:
        super().__init__(problem)
        dtype = COMPLEX[problem.dtype]
        self.program = TapeProgram(problem.root, problem.wrt, problem.dims, dtype)
        self.h = STEP[np.dtype(dtype).itemsize]
        for leaf in problem.wrt:
            self.data[leaf.name] = self.data[leaf.name].astype(dtype)

    def loss(self) -> Any:
        with np.errstate(all="ignore"):
            return self.program.value(self.data)

    def slope(self, name: str, place: tuple[int, ...]) -> float:
        array = self.data[name]
        here = array[place]
        array[place] = here + 1j * self.h
        found = float(np.imag(self.loss())) / self.h
        array[place] = here
        return found

"""Central differences in float64: the gradient without any rule of differentiation.

In: a `LossAtPoint`.  Out: a `Method` that evaluates the expression twice for each coordinate,
(L(w + h·e) - L(w - h·e)) / 2h with h = ε^(1/3)·max(1, |w|), and of large parameters a random sample of coordinates.

Error: about ε^(2/3) ≈ 4e-11 of the scale of L.  A kink (relu, max) within h of the point gives a wrong coordinate.
The time and the operations are those of a whole gradient: two evaluations for each of its coordinates.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from symnet.arrays import Array
from symnet.compare.counting import Count, counted
from symnet.compare.method import LossAtPoint, Method
from symnet.compare.tape import TapeProgram
from symnet.loops.weights import Operations

SAMPLED = 24  # coordinates of each parameter, where it has more


class Differences(Method):
    name = "central differences"

    def __init__(self, problem: LossAtPoint, sampled: int = SAMPLED, seed: int = 0) -> None:
        self.problem, self.sampled, self.seed = problem, sampled, seed
        self.program = TapeProgram(problem.root, problem.wrt, problem.dims, "float64")
        self.data = {name: np.array(array) for name, array in problem.in_float64.items()}
        chosen = sum(min(self.data[leaf.name].size, sampled) for leaf in problem.wrt)
        if chosen < problem.parameters:
            self.note = f"checked at {chosen} of {problem.parameters} coordinates; time and operations for all of them"

    def call(self) -> None:
        self.program.value(self.data)

    def value(self) -> float:
        return self.program.value(self.data)

    def gradients(self) -> Sequence[Array]:
        """Slopes at the chosen coordinates, NaN elsewhere."""
        return [self._slopes(self.data[leaf.name]) for leaf in self.problem.wrt]

    def _slopes(self, array: Array) -> Array:
        slopes = np.full(array.shape, np.nan)
        rng = np.random.default_rng([self.seed, array.size])
        for flat in rng.choice(array.size, min(array.size, self.sampled), replace=False):
            place = np.unravel_index(flat, array.shape)
            slopes[place] = self._slope(array, place)
        return slopes

    def _slope(self, array: Array, place: tuple[np.intp, ...]) -> float:
        here = array[place]
        h = np.finfo("float64").eps ** (1 / 3) * max(1.0, abs(here))
        above, below = here + h, here - h
        array[place] = above
        high = self.program.value(self.data)
        array[place] = below
        low = self.program.value(self.data)
        array[place] = here
        return float((high - low) / (above - below))

    @property
    def calls_per_gradient(self) -> float:
        return 2.0 * self.problem.parameters

    @property
    def operations(self) -> Operations:
        count = Count()
        self.program.value({name: counted(array, count) for name, array in self.data.items()})
        return count.seen * int(self.calls_per_gradient)

    @property
    def kept(self) -> tuple[int, int]:
        return 0, 0

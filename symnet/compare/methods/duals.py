"""Forward mode with dual numbers: slopes along up to 64 coordinates in one run over NumPy's arrays.

In: a `LossAtPoint`.  Out: a `Method`; a run has the cost of a loss for every direction, so that its time goes by the
number of parameters.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from symnet.arrays import Array
from symnet.compare.counting import Count, counted
from symnet.compare.duals import Dual, DualProgram
from symnet.compare.method import FoundDerivatives, Method
from symnet.compare.methods.coordinates import SAMPLED, sampled
from symnet.compare.problem import LossAtPoint
from symnet.loops.weights import Operations

TOGETHER = 64  # directions in one run


class DualNumbers(Method):
    name = "dual numbers"
    family = "forward"
    how = f"forward mode over NumPy's operations, {TOGETHER} coordinates at once"

    def __init__(self, problem: LossAtPoint) -> None:
        self.problem = problem
        self.program = DualProgram(problem.root, problem.dims, problem.dtype)
        self.names = [leaf.name for leaf in problem.wrt]
        sizes = [problem.data[name].size for name in self.names]
        most = None if problem.parameters <= 8 * TOGETHER else SAMPLED
        self.places = [(n, int(k)) for n, s in zip(self.names, sizes, strict=True) for k in sampled(s, most)]
        if len(self.places) < problem.parameters:
            chosen = f"checked at {len(self.places)} of {problem.parameters} coordinates"
            self.note = f"{chosen}; time and operations for all of them"
        self.block = self._directions(self.places[:TOGETHER])

    def _directions(self, places: list[tuple[str, int]]) -> dict[str, Array]:
        """A unit vector for each place."""
        problem = self.problem
        found = {n: np.zeros((len(places), problem.data[n].size), problem.dtype) for n in self.names}
        for k, (name, flat) in enumerate(places):
            found[name][k, flat] = 1
        return {n: a.reshape(len(places), *problem.data[n].shape) for n, a in found.items()}

    def call(self) -> Any:
        return self._ran(self.problem.data)

    def _ran(self, data: Any) -> Any:
        with np.errstate(all="ignore"):
            return self.program.along(data, self.block)

    @property
    def calls(self) -> float:
        return self.problem.parameters / max(1, len(next(iter(self.block.values()))))

    def answer(self) -> FoundDerivatives:
        shapes = [self.problem.data[name].shape for name in self.names]
        slopes = {n: np.zeros(int(np.prod(s))) for n, s in zip(self.names, shapes, strict=True)}
        computed = {n: np.zeros(int(np.prod(s)), bool) for n, s in zip(self.names, shapes, strict=True)}
        value: Any = self.program.along(self.problem.data, self._directions(self.places[:1]))[0]
        for start in range(0, len(self.places), TOGETHER):
            places = self.places[start : start + TOGETHER]
            with np.errstate(all="ignore"):
                found = self.program.along(self.problem.data, self._directions(places))[1]
            for (name, flat), slope in zip(places, found, strict=True):
                slopes[name][flat], computed[name][flat] = slope, True
        shaped = zip(self.names, shapes, strict=True)
        arrays = [(slopes[n].reshape(s), computed[n].reshape(s)) for n, s in shaped]
        return FoundDerivatives(float(value), [a for a, _ in arrays], [c for _, c in arrays])

    @property
    def loss_call(self) -> Callable[[], Any]:
        still = {name: Dual(a) for name, a in self.problem.data.items()}
        return lambda: self.program.run(self.program.numbers, still)

    @property
    def operations(self) -> Operations:
        count = Count()
        self._ran({name: counted(a, count) for name, a in self.problem.data.items()})
        return Operations(*(int(n * self.calls) for n in count.seen.kinds))

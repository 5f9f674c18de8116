"""What methods share that need evaluations of the loss for every coordinate.

In: a `LossAtPoint`.  Out: `Coordinates`: of large parameters a random sample of coordinates is computed; time and
operations are those of all of them.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np

from symnet.arrays import Array
from symnet.compare.method import FoundDerivatives, Method
from symnet.compare.problem import LossAtPoint

SAMPLED = 24  # coordinates of each parameter, where it has more


def sampled(size: int, most: int | None) -> Array:
    """Which of `size` coordinates are computed: all, or a random sample, the same at every call."""
    if most is None or size <= most:
        return np.arange(size)
    return np.sort(np.random.default_rng([0, size]).choice(size, most, replace=False))


class Coordinates(Method):
    """Slopes one by one; a subclass says how one is found, and in how many evaluations.

    Attributes:
        evaluations: of the loss, for each coordinate.
        data: arrays of its own, which it moves.
    """

    evaluations: int

    def __init__(self, problem: LossAtPoint) -> None:
        self.problem = problem
        self.data: dict[str, Array] = {name: np.array(a) for name, a in problem.data.items()}
        chosen = sum(min(problem.data[leaf.name].size, SAMPLED) for leaf in problem.wrt)
        if chosen < problem.parameters:
            self.note = f"checked at {chosen} of {problem.parameters} coordinates; time and operations for all of them"

    @abstractmethod
    def slope(self, name: str, place: tuple[int, ...]) -> float:
        """∂L/∂(the leaf's element), by `evaluations` of the loss."""

    @abstractmethod
    def loss(self) -> Any:
        """The loss at `data`."""

    def call(self) -> Any:
        return self.loss()

    @property
    def calls(self) -> float:
        return float(self.evaluations * self.problem.parameters)

    def answer(self) -> FoundDerivatives:
        slopes = [self._slopes(leaf.name) for leaf in self.problem.wrt]
        return FoundDerivatives(float(np.real(self.loss())), [s for s, _ in slopes], [c for _, c in slopes])

    def _slopes(self, name: str) -> tuple[Array, Array]:
        array = self.problem.data[name]
        slopes, computed = np.zeros(array.shape), np.zeros(array.shape, bool)
        for flat in sampled(array.size, SAMPLED):
            place = tuple(int(i) for i in np.unravel_index(flat, array.shape))
            slopes[place], computed[place] = self.slope(name, place), True
        return slopes, computed

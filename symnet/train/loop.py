"""The loop: native steps bound once, parameters that swap sides.

In: a `StepFunction`, arrays, `Batches`.  Out: losses, step after step; the parameters stay in place.

Every step reads parameters and states from one set of arrays and writes them to the other; the next step goes the
other way.  So nothing is copied, and a step is one foreign call on fixed pointers.  A step is bound once for each
batch size and direction.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from symnet.arrays import Array
from symnet.runtime.bind import BoundStep
from symnet.train.batches import Batches
from symnet.train.optimizers import Optimizer
from symnet.train.step import StepFunction


class Loop:
    """The state of a run between steps.

    Attributes:
        steps: how many were made.
        loss, squared_norm: of the last step (rank-0 arrays).
    """

    def __init__(
        self, step: StepFunction, optimizer: Optimizer, batches: Batches, params: Mapping[str, Array], dtype: str
    ) -> None:
        self.step, self.optimizer, self.batches, self.steps = step, optimizer, batches, 0
        states = {name: np.zeros_like(params[of]) for name, of in step.states}
        arrays = {**{name: params[name] for name in step.params}, **states}
        self.sets = (arrays, {name: np.empty_like(array) for name, array in arrays.items()})
        self.hyper = {name: np.zeros((), dtype) for name in step.hyperparameters}
        self.loss, self.squared_norm = np.zeros((), dtype), np.zeros((), dtype)
        self.bound = {(n, side): self._bind(n, side) for n in batches.buffers for side in (0, 1)}
        self._last: tuple[float, ...] = ()

    def _bind(self, size: int, side: int) -> BoundStep:
        """A step from one set to the other."""
        source, target = self.sets[side], self.sets[1 - side]
        measured = (self.squared_norm,) if self.step.measures_gradient else ()
        out = (self.loss, *measured, *target.values())
        return self.step.function.bind(**self.batches.buffers[size], **source, **self.hyper, out=out)

    @property
    def params(self) -> dict[str, Array]:
        """The parameters now: the arrays themselves, which the step after next overwrites."""
        current = self.sets[self.steps % 2]
        return {name: current[name] for name in self.step.params}

    def epoch(self) -> Iterator[tuple[int, float]]:
        """The steps of one epoch: (batch size, loss before the update)."""
        for size in self.batches.epoch():
            self._set_hyperparameters()
            self.bound[size, self.steps % 2]()
            self.steps += 1
            yield size, float(self.loss)

    def _set_hyperparameters(self) -> None:
        values = self.optimizer.at(self.steps)
        if values != self._last:
            for array, value in zip(self.hyper.values(), values, strict=True):
                array[()] = value
            self._last = values

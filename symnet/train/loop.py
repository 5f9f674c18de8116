"""The loop: native steps bound once, parameters that move in place.

In: a `StepFunction`, arrays, `Batches`.  Out: losses, some steps at a time; the parameters stay in place.

A step is bound once for each batch size, and native code makes many of them in a row, with what comes between them
(`runtime/sequence.py`): as many as take about 50 ms, so that an interrupt is seen and a progress bar moves.  How many
does not change the results.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from symnet.arrays import Array
from symnet.runtime.bind import BoundStep
from symnet.runtime.sequence import Gathered, StepSequence
from symnet.train.batches import Batches
from symnet.train.optimizers import Optimizer
from symnet.train.step import StepFunction

SECONDS = 0.05  # of steps that Python does not see
MOST_STEPS = 64  # at once: so often something may look at parameters and losses


@dataclass(frozen=True, slots=True)
class Stretch:
    """Steps that were made in a row: the samples in the batch of each, the losses before the updates, the squared norms
    of the gradients (none unless they are measured).
    """

    sizes: tuple[int, ...]
    losses: list[float]
    squared_norms: list[float]


class Loop:
    """The state of a run between steps.

    Attributes:
        params: the parameters now, by name: the arrays themselves, which every step overwrites.
        steps: how many were made.
    """

    def __init__(
        self, step: StepFunction, optimizer: Optimizer, batches: Batches, params: Mapping[str, Array], dtype: str
    ) -> None:
        self.step, self.optimizer, self.batches, self.steps = step, optimizer, batches, 0
        self.params = {name: params[name] for name in step.params}
        self._states = {name: np.zeros_like(params[of]) for name, of in step.states}
        self._hyper = {name: np.zeros((), dtype) for name in step.hyperparameters}
        self._loss, self._squared_norm = np.zeros((), dtype), np.zeros((), dtype)
        self._seconds = SECONDS  # of a step; of the first nothing is known
        self._sequence = self._sequence_of_steps()

    def _sequence_of_steps(self) -> StepSequence:
        batches = self.batches
        full, rest = batches.sizes[0], batches.sizes[-1]
        steps = [self._bind(n) for n in dict.fromkeys((full, rest))]
        gathered = [
            Gathered(batches.data[name], axis, batches.buffers[full][name], batches.buffers[rest][name])
            for name, axis in ({} if batches.whole else batches.axes).items()
        ]
        norm = self._squared_norm if self.step.measures_gradient else None
        sizes = full, rest, sum(n == full for n in batches.sizes)
        return StepSequence(steps, gathered, sizes, tuple(self._hyper.values()), self._loss, norm, MOST_STEPS)

    def _bind(self, size: int) -> BoundStep:
        """A step that moves parameters and states."""
        moving = {**self.params, **self._states}
        measured = (self._squared_norm,) if self.step.measures_gradient else ()
        out = (self._loss, *measured, *moving.values())
        return self.step.function.bind(**self.batches.buffers[size], **moving, **self._hyper, out=out)

    def epoch(self) -> Iterator[Stretch]:
        """The steps of one epoch; a stretch ends with a loss that is no number, and wherever `steps` is a multiple of
        `MOST_STEPS`.
        """
        sizes, first = self.batches.sizes, 0
        self._sequence.order(self.batches.order())
        while first < len(sizes):
            count = min(len(sizes) - first, MOST_STEPS - self.steps % MOST_STEPS, 1 + int(SECONDS / self._seconds))
            begin = time.perf_counter()
            settings = [self.optimizer.at(self.steps + k) for k in range(count)]
            done = self._sequence.run(first, settings)
            self._seconds = (time.perf_counter() - begin) / done
            self.steps += done
            losses, norms = self._sequence.losses[:done].tolist(), self._sequence.norms[:done].tolist()
            yield Stretch(sizes[first : first + done], losses, norms)
            first += done

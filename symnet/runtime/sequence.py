"""Bound steps one after another in native code: gather the samples, set the hyperparameters, step, keep the loss.

In: bound steps of one function, of full batches and of the last one, and where samples, hyperparameters and losses are.
Out: `StepSequence`, which runs any number of steps by one call.

A call ends early where a loss is no number.  Not handled: an interrupt waits for the end of a call.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from symnet.runtime.bind import BoundStep
from symnet.runtime.sequence_ir import BOUND, BOUND_WORDS, CODE_WORD, FIELDS, ORDER_WORD
from symnet.runtime.support import sequence_call


@dataclass(frozen=True, slots=True)
class Gathered:
    """An array whose samples go to a batch: the axis of samples, and the arrays that hold a full batch and the rest."""

    source: np.ndarray
    axis: int
    full: np.ndarray
    rest: np.ndarray

    def words(self) -> tuple[int, ...]:
        outer = prod(self.source.shape[: self.axis])
        nbytes = prod(self.source.shape[self.axis + 1 :]) * self.source.itemsize
        stride = self.source.shape[self.axis] * nbytes
        return (self.source.ctypes.data, outer, nbytes, stride, self.full.ctypes.data, self.rest.ctypes.data)


class StepSequence:
    """Steps of one function on batches.

    Args:
        steps: of full batches, and where the last batch is smaller, of that.
        gathered: the arrays that are cut into batches.
        sizes: samples in a full batch and in the last one, if that is smaller; how many batches are full.
        settings: the rank-0 arrays that get new values before every step.
        loss: where a step leaves its loss; norm: and its squared norm, if it measures one.
        longest: how many steps a call makes at most.

    Attributes:
        losses, norms: of the steps of the last call.
    """

    def __init__(
        self,
        steps: Sequence[BoundStep],
        gathered: Sequence[Gathered],
        sizes: tuple[int, int, int],
        settings: Sequence[np.ndarray],
        loss: np.ndarray,
        norm: np.ndarray | None,
        longest: int,
    ) -> None:
        self._steps = steps
        self.losses = np.zeros(longest, loss.dtype)
        self.norms = np.zeros(longest if norm is not None else 0, loss.dtype)
        self._table = np.zeros((longest, len(settings)), loss.dtype)
        words = [len(gathered), len(settings), loss.itemsize, *sizes, 0, 0]
        words += [loss.ctypes.data, self.losses.ctypes.data]
        words += [0, 0] if norm is None else [norm.ctypes.data, self.norms.ctypes.data]
        words.append(self._table.ctypes.data)
        assert len(words) == len(FIELDS)
        bound = (*steps, *steps)[:BOUND]
        words += [word for step in bound for word in (step.block, 0, 0 if step.job is None else step.job.address)]
        words += [word for each in gathered for word in each.words()]
        words += [setting.ctypes.data for setting in settings]
        self._shared = [(len(FIELDS) + BOUND_WORDS * k + 1, step.job) for k, step in enumerate(bound) if step.job]
        self._block = (ctypes.c_int64 * len(words))(*words)
        self._call, self._pointer = sequence_call(), ctypes.addressof(self._block)
        self._owners = (*gathered, *settings, loss, norm)

    def order(self, order: np.ndarray) -> None:
        """The samples of the epoch that begins, in order: int64."""
        self._order = order
        self._block[ORDER_WORD] = order.ctypes.data

    def run(self, first: int, settings: Sequence[Sequence[float]]) -> int:
        """Make a step for each row of settings, beginning with step `first` of the epoch.

        Returns:
            how many were made: fewer where the loss of the last is no number.

        Raises:
            SymnetError: what the function refuses, as a bound step does.
        """
        table = self._table[: len(settings)]
        table[...] = settings
        for word, job in self._shared:
            self._block[word] = job.crew().address
        done = int(self._call(self._pointer, first, first + len(settings)))
        code = self._block[CODE_WORD]
        if code:
            self._block[CODE_WORD] = 0
            self._steps[0].refuse(code)
        return done

"""Native elementwise functions on numbers and arrays that broadcast.

In: a native function of numbers (rank 0) and rows (rank 1, one extent), and the shape that the arguments broadcast to.
Out: a call on a value for every argument, which gives results of that shape.

Not handled: which function belongs to which arguments (`lambdify.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


def filled(value: Any, shape: tuple[int, ...], real: str) -> np.ndarray:
    return np.full(shape, value, bool if type(value) is bool else real)


class ConstantResults:
    """Results that are known beforehand, of the shape of the arguments: nothing is computed."""

    def __init__(self, constants: list[Any], shape: tuple[int, ...], real: str) -> None:
        self.results = [filled(np.nan if c is None else c, shape, real) for c in constants]

    def __call__(self, values: Sequence[Any]) -> list[Any]:
        return [r.copy() if r.ndim else r[()] for r in self.results]


class OnKeptBuffers:
    """Copies into kept buffers: for numbers and small arrays, where a call costs more than the copy."""

    def __init__(self, function: Any, used: dict[str, int], many: Any, constants: Any, shape: Any, real: str) -> None:
        size = int(np.prod(shape, dtype=np.int64))
        buffers = {name: np.zeros(size if many[k] else (), real) for name, k in used.items()}
        self.step = function.bind(**buffers)
        self.inputs = [(b.reshape(shape) if b.ndim else b.reshape(1), used[name]) for name, b in buffers.items()]
        supply = iter(self.step.outputs)
        self.results = [filled(c, shape, real) if c is not None else shaped(next(supply), shape) for c in constants]

    def __call__(self, values: Sequence[Any]) -> list[Any]:
        for buffer, k in self.inputs:
            buffer[...] = values[k]
        self.step()
        return [r.copy() if r.ndim else r[()] for r in self.results]


def shaped(output: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """A view of an output in the shape of the result."""
    return output.reshape(shape) if output.ndim else np.broadcast_to(output, shape)


class OnArrays:
    """Passes contiguous arrays as they are."""

    def __init__(self, function: Any, used: dict[str, int], many: Any, constants: Any, shape: Any, real: str) -> None:
        self.function, self.used, self.many, self.constants = function, used, many, constants
        self.shape, self.real = shape, real

    def __call__(self, values: Sequence[Any]) -> list[Any]:
        arguments = {name: self._spread(values[k], self.many[k]) for name, k in self.used.items()}
        supply = iter(self.function(**arguments))
        full = [filled(c, self.shape, self.real) if c is not None else next(supply) for c in self.constants]
        return [shaped(r, self.shape) if np.ndim(r) else np.full(self.shape, r) for r in full]

    def _spread(self, value: Any, many: bool) -> np.ndarray:
        """One number, or a row of all elements; an array that is one already is passed as it is."""
        array = np.asarray(value, self.real)
        if not many:
            return array.reshape(())
        array = array if array.shape == self.shape else np.broadcast_to(array, self.shape)
        return array if array.ndim == 1 and array.flags.c_contiguous else np.ascontiguousarray(array).reshape(-1)

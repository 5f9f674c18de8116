"""Movement and indexing on the tape: views forward, sums or scatters backward.

In: a variable and what NumPy calls its index.  Out: the result, recorded.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symnet.compare.tape.var import Tape, TapeValue


def expand(tape: Tape, x: TapeValue, *, shape: tuple[int, ...], axes: tuple[int, ...]) -> TapeValue:
    """x repeated along new axes; backward, y_bar is summed over them."""
    kept = tuple(n if a in axes else 1 for a, n in enumerate(shape))
    new = tuple(a for a in range(len(shape)) if a not in axes)
    y = np.broadcast_to(np.reshape(x.value, kept), shape)
    return tape.record(y, (x, lambda g: np.broadcast_to(g, shape).sum(new)))


def reshape(tape: Tape, x: TapeValue, *, shape: tuple[int, ...]) -> TapeValue:
    before = x.value.shape
    return tape.record(x.value.reshape(shape), (x, lambda g: g.reshape(before)))


def slice_(tape: Tape, x: TapeValue, *, window: tuple[slice, ...]) -> TapeValue:
    """x[start : stop : step]; backward, y_bar is laid into zeros at these places."""
    return tape.record(x.value[window], (x, lambda g: _placed(g, x.value.shape, window)))


def place(tape: Tape, x: TapeValue, *, shape: tuple[int, ...], window: tuple[slice, ...]) -> TapeValue:
    """x laid into zeros; backward, x_bar = y_bar[start : stop : step]."""
    return tape.record(_placed(x.value, shape, window), (x, lambda g: g[window]))


def _placed(value: Any, shape: tuple[int, ...], window: tuple[slice, ...]) -> Any:
    out = np.zeros_like(value, shape=shape)
    out[window] = value
    return out


def concat(tape: Tape, *xs: TapeValue, axis: int) -> TapeValue:
    """Arrays one after another; backward, each takes its part of y_bar."""
    ends = np.cumsum([x.value.shape[axis] for x in xs])
    before = (slice(None),) * axis
    parts = [(*before, slice(int(end) - x.value.shape[axis], int(end))) for x, end in zip(xs, ends, strict=True)]
    y = np.concatenate([x.value for x in xs], axis)
    return tape.record(y, *((x, lambda g, part=part: g[part]) for x, part in zip(xs, parts, strict=True)))


def take(tape: Tape, x: TapeValue, indices: TapeValue, *, axis: int) -> TapeValue:
    """x at positions along an axis; backward, elements of y_bar are added up where they came from."""
    where = indices.value

    def pull(g: Any) -> Any:
        out = np.zeros_like(g, shape=x.value.shape)
        np.add.at(out, (slice(None),) * axis + (where,), g)
        return out

    return tape.record(np.take(x.value, where, axis=axis), (x, pull))


def one_hot(tape: Tape, indices: TapeValue, *, classes: int, dtype: str, wraps: bool = False) -> TapeValue:
    """Rows with a single 1; negative indices count from the end where `wraps`."""
    where = indices.value % classes if wraps and classes else indices.value
    return tape.record((where[..., None] == np.arange(classes)).astype(dtype))

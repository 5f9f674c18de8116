"""Reductions on the tape: max, min, prod, log-sum-exp, argmax.

In: a variable and axes.  Out: the result, recorded.  Max and min send everything to the first extreme element.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from symnet.compare.tape.analytic import is_complex
from symnet.compare.tape.var import Tape, TapeValue


def to_line(x: Any, axes: tuple[int, ...]) -> Any:
    """x with the reduced axes as one, the last."""
    kept = [a for a in range(x.ndim) if a not in axes]
    moved = x.transpose(*kept, *axes)
    count = int(np.prod([x.shape[a] for a in axes], dtype=int))
    return moved.reshape(*(x.shape[a] for a in kept), count)


def from_line(line: Any, shape: tuple[int, ...], axes: tuple[int, ...]) -> Any:
    """The inverse of `to_line`."""
    order = [a for a in range(len(shape)) if a not in axes] + list(axes)
    return line.reshape([shape[a] for a in order]).transpose(*np.argsort(order))


def _logsumexp(line: Any) -> Any:
    line = line if line.dtype.kind in "fc" else line.astype("float64")
    top = line.real.max(-1, keepdims=True, initial=-np.inf)
    shift = np.where(np.isinf(top), np.zeros_like(top), top)
    return np.log(np.exp(line - shift).sum(-1)) + shift[..., 0]


def prod_of_others(line: Any) -> Any:
    """The product of all other elements: products from the left times products from the right."""
    ones = np.ones_like(line[..., :1])
    left = np.cumprod(np.concatenate([ones, line[..., :-1]], -1), -1)
    right = np.cumprod(np.concatenate([ones, line[..., :0:-1]], -1), -1)[..., ::-1]
    return left * right


def _at(position: Any, line: Any) -> Any:
    return position[..., None] == np.arange(line.shape[-1])


def _largest(line: Any) -> Any:
    """By the real part, of complex numbers."""
    return _there(line, line.real.argmax(-1)) if is_complex(line) else line.max(-1)


def _smallest(line: Any) -> Any:
    return _there(line, line.real.argmin(-1)) if is_complex(line) else line.min(-1)


def _there(line: Any, position: Any) -> Any:
    return np.take_along_axis(line, position[..., None], -1)[..., 0]


FORWARD: dict[str, Callable[[Any], Any]] = {
    "max": _largest,
    "min": _smallest,
    "prod": lambda line: line.prod(-1),
    "logsumexp": _logsumexp,
    "argmax": lambda line: line.real.argmax(-1),
}
PULLS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "max": lambda g, y, line: np.where(_at(line.real.argmax(-1), line), g[..., None], 0),
    "min": lambda g, y, line: np.where(_at(line.real.argmin(-1), line), g[..., None], 0),
    "prod": lambda g, y, line: g[..., None] * prod_of_others(line),
    "logsumexp": lambda g, y, line: g[..., None] * np.exp(line - y[..., None]),
}


def reduce(tape: Tape, x: TapeValue, *, op: str, axes: tuple[int, ...]) -> TapeValue:
    line = to_line(x.value, axes)
    y = np.asanyarray(FORWARD[op](line))
    if op not in PULLS:
        return tape.record(y)
    return tape.record(y, (x, lambda g: from_line(PULLS[op](np.asanyarray(g), y, line), x.value.shape, axes)))

"""How far rounding may move each element of a result: the reference, computed again with every value nudged.

In: expressions and data.  Out: for every element of every result, how far from the reference's another floor may be.

Each value on the way, those of the leaves too, is multiplied by 1 + u·r, u the distance from 1 to the next number and r
random in -1 … 1, a few times over.  How far a result then moves is what rounding does to it, element by element: little
where nothing cancels, more in a difference of large numbers, and not at all where nothing is rounded.  So an element
that is lost, or a lane that is computed twice, is seen however large its neighbours are.

Not nudged: whole numbers up to `EXACT`, which are exact in every dtype, so that floor, comparisons and indices stay
what they are.  Not seen: what cancels inside one sum of equal terms, or one function; `LEAST` covers it.

Source: J. Vignes, "A stochastic arithmetic for reliable scientific computation", 1993.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import numpy as np

from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import Tensor
from symnet.reference import evaluate, evaluation, symbols

Arrays = list[np.ndarray]
EXACT = 1024  # whole numbers up to this one are not nudged
TIMES = 4  # how often the reference is computed again
MOVED = 32.0  # how many times as far as the nudged results an element may lie
LEAST = 32.0  # units in the last place that are allowed in any case


def allowed(
    roots: Sequence[Node], data: dict[str, Any], dtype: str, leaves: Sequence[Tensor], wanted: Sequence[np.ndarray]
) -> Arrays:
    """For each element of each result, the largest distance from `wanted` that rounding explains."""
    unit = np.finfo(dtype).eps
    moved = [np.zeros(w.shape) for w in wanted]
    for seed in range(TIMES):
        with _nudging(unit, np.random.default_rng(seed)), np.errstate(all="ignore"):
            again = evaluate(roots, data, dtype=dtype, leaves=leaves)
        for furthest, a, w in zip(moved, again, wanted, strict=True):
            if w.dtype.kind == "f":
                distance = np.abs(a.astype(float) - w)
                np.maximum(furthest, np.where(np.isfinite(distance), distance, 0), out=furthest)
    return [_bound(m, w, unit, np.finfo(dtype).tiny) for m, w in zip(moved, wanted, strict=True)]


def _bound(moved: np.ndarray, wanted: np.ndarray, unit: float, tiny: float) -> np.ndarray:
    if wanted.dtype.kind != "f":
        return np.zeros(wanted.shape)
    with np.errstate(invalid="ignore"):
        return MOVED * moved + LEAST * unit * np.abs(wanted) + tiny


@contextmanager
def _nudging(unit: float, rng: np.random.Generator) -> Iterator[None]:
    """Every real value of the reference is nudged while this lasts."""
    value, read = evaluation._value, symbols.read_leaf

    def nudged(found: np.ndarray) -> np.ndarray:
        found = np.asarray(found)
        if found.dtype.kind != "f":
            return found
        exact = (found == np.round(found)) & (np.abs(found) <= EXACT)
        noise = 1 + unit * rng.uniform(-1, 1, found.shape)
        return np.where(exact, found, found * noise).astype(found.dtype)

    with (
        patch.object(evaluation, "_value", lambda *args: nudged(value(*args))),
        patch.object(symbols, "read_leaf", lambda *args: nudged(read(*args))),
    ):
        yield

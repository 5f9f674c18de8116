"""Values at removable points: sin(x)/x at 0, which is 0/0 as written, and whose limit is 1.

In: nodes, whose values at a point are NaN; the point.  Out: the values that compiled code gives there, and which of
these are limits; of the others a limit, where both sides tell one.
A limit is what values near the point tend to, in several directions and from both sides; where nothing is defined on
one side, from the other.
Not handled: limits that differ by direction; they are none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from symnet.arrays import Array
from symnet.expr.nodes.node import Node
from symnet.simplify.numeric.passes import numeric

_DIRECTIONS = 4
_STEPS = (1e-3, 1e-4)
_NEAR = 1e-2  # how far values at the smaller step may be from the limit, beside 1 + its size

Compute = Callable[[Sequence[Node], Mapping[str, Any]], list[Array]]


class AtPoint(NamedTuple):
    """A value at a point that the formula as written leaves undefined.

    Attributes:
        value: what compiled code gives, which may be NaN.
        limit: what the formula tends to; None where it tends to nothing.
    """

    value: Array
    limit: Array | None


def has_nan(array: Array) -> bool:
    """Whether an element is NaN."""
    return bool(np.isnan(array).any()) if array.dtype.kind == "f" else False


def at_point(nodes: Mapping[Any, Node], data: Mapping[str, Any], compute: Compute) -> dict[Any, AtPoint]:
    """For nodes whose value is NaN: what compiled code gives, and the limit."""
    if not nodes:
        return {}
    plain = list(numeric(nodes.values()))
    values, limits = compute(plain, data), _limits(plain, data, compute)
    return {k: AtPoint(v, _exact(v, limit)) for k, v, limit in zip(nodes, values, limits, strict=True)}


def _exact(value: Array, limit: Array | None) -> Array | None:
    """The limit as compiled code has it, where it has it."""
    if limit is None:
        return None
    near = np.isfinite(value) & (np.abs(value - limit) <= _NEAR * (1 + np.abs(limit)))
    return limit if not near.all() else value


def _limits(nodes: Sequence[Node], data: Mapping[str, Any], compute: Compute) -> list[Array | None]:
    rng = np.random.default_rng(0)
    wide: list[list[Array]] = []
    close: list[list[Array]] = []
    for _ in range(_DIRECTIONS):
        towards = {n: rng.choice((-1.0, 1.0), np.shape(a)) * rng.uniform(0.5, 1, np.shape(a)) for n, a in data.items()}
        for step, found in zip(_STEPS, (wide, close), strict=True):
            found += [compute(nodes, _moved(data, towards, sign * step)) for sign in (1, -1)]
    return [_common([w[k] for w in wide], [c[k] for c in close]) for k in range(len(nodes))]


def _moved(data: Mapping[str, Any], towards: Mapping[str, Array], step: float) -> dict[str, Any]:
    real = {name for name, array in data.items() if np.asarray(array).dtype.kind == "f"}
    return {n: np.asarray(a + step * towards[n], a.dtype) if n in real else a for n, a in data.items()}


def _common(wide: Sequence[Array], close: Sequence[Array]) -> Array | None:
    """What all values tend to, those beside the point where they are defined: they come together there."""
    defined = [(w, c) for w, c in zip(wide, close, strict=True) if not (has_nan(w) or has_nan(c))]
    if len(defined) < _DIRECTIONS:  # not even on one side
        return None
    limit = np.mean([c for _, c in defined], axis=0)
    room = _NEAR * (1 + np.max(np.abs(limit), initial=0.0))
    if not np.all(np.isfinite(limit)):
        return None
    tends = all(np.all(np.abs(c - limit) <= room) and np.all(np.abs(w - c) <= 10 * room) for w, c in defined)
    return np.where(np.abs(limit) < _STEPS[-1] * _NEAR, 0.0, limit) if tends else None

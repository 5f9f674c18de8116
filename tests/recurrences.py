"""Recurrences in one variable: a step as symnet, as numbers of any precision, and its slope.

In: nothing.  Out: `STEPS`, name → `Step`; `unrolled`, a step many times over; `slope`, the product of the slopes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import mpmath
import numpy as np

import symnet as sn


class Step(NamedTuple):
    """t ← f(t): of nodes, and of numbers together with f′(t); `maths` is where the functions come from."""

    of_nodes: Callable[[Any], Any]
    of_numbers: Callable[[Any, Any], tuple[Any, Any]]


def _ratio(m: Any, a: int, b: int) -> Any:
    return mpmath.mpf(a) / b if m is mpmath else m.float64(a) / b


STEPS: dict[str, Step] = {
    "scaled sum": Step(
        lambda t: 7 * (sn.sin(t) / 7 + t / 9), lambda t, m: (m.sin(t) + t * 7 / 9, m.cos(t) + _ratio(m, 7, 9))
    ),
    "residual": Step(
        lambda t: t + sn.sin(t) / 10 - t / 3,
        lambda t, m: (t + m.sin(t) / 10 - t / 3, 1 + m.cos(t) / 10 - _ratio(m, 1, 3)),
    ),
    "sine and square": Step(
        lambda t: sn.sin(t) / 2 + t * t / 2, lambda t, m: (m.sin(t) / 2 + t * t / 2, m.cos(t) / 2 + t)
    ),
    "rational": Step(
        lambda t: 3 * t / (1 + t * t), lambda t, m: (3 * t / (1 + t * t), 3 * (1 - t * t) / (1 + t * t) ** 2)
    ),
    "times its cosine": Step(
        lambda t: t * sn.cos(t) * 5 / 4, lambda t, m: (t * m.cos(t) * 5 / 4, (m.cos(t) - t * m.sin(t)) * 5 / 4)
    ),
    "difference of fractions": Step(
        lambda t: 60 * (t / 59 - t**2 / 61),
        lambda t, m: (t * 60 / 59 - t**2 * 60 / 61, _ratio(m, 60, 59) - t * 120 / 61),
    ),
    "times its exponential": Step(
        lambda t: 2 * t * sn.exp(-t), lambda t, m: (2 * t * m.exp(-t), 2 * m.exp(-t) * (1 - t))
    ),
    "gated": Step(
        lambda t: t * sn.sigmoid(t) + t / 4,
        lambda t, m: (
            t / (1 + m.exp(-t)) + t / 4,
            (1 + t * (1 - 1 / (1 + m.exp(-t)))) / (1 + m.exp(-t)) + _ratio(m, 1, 4),
        ),
    ),
    "Newton's": Step(
        lambda t: (t + 2 / t) / 2 + t / 8, lambda t, m: ((t + 2 / t) / 2 + t / 8, (1 - 2 / t**2) / 2 + _ratio(m, 1, 8))
    ),
}


def unrolled(step: Step, count: int, start: Any) -> Any:
    """The step `count` times, from a node."""
    t = start
    for _ in range(count):
        t = step.of_nodes(t)
    return t


def slope(step: Step, count: int, start: Any, maths: Any) -> tuple[Any, Any]:
    """The last value and the product of the slopes, in the arithmetic of `start`."""
    t, product = start, start * 0 + 1
    for _ in range(count):
        t, f = step.of_numbers(t, maths)
        product = product * f
    return (t, product) if maths is mpmath else (np.asarray(t), np.asarray(product))

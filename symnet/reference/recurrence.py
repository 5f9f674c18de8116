"""Linear recurrences and cumulative products in NumPy.

In: arrays.  Out: one of their shape, step by step.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from symnet.arrays import Array
from symnet.expr.nodes.recurrence import CumulativeProduct, LinearRecurrence
from symnet.reference.context import Context


def cumprod_value(node: CumulativeProduct, values: Sequence[Array], context: Context) -> Array:
    """Every product is x[k] times the one before."""
    (x,) = _turned(node, context.operands(node, values))
    found = _after(x, None, x)
    return _turned_back(node, _before(found, 1) if node.exclusive else found)


def linear_recurrence_value(node: LinearRecurrence, values: Sequence[Array], context: Context) -> Array:
    """r[0] = b[0], r[k] = a[k]·r[k - 1] + b[k]."""
    a, b = _turned(node, context.operands(node, values))
    found = _after(a, b, b)
    return _turned_back(node, _before(found, 0) if node.exclusive else found)


def _after(a: Array, b: Array | None, first: Array) -> Array:
    """The values after every step along the first axis."""
    found = first.copy()
    with np.errstate(all="ignore"):
        for k in range(1, len(found)):
            product = a[k] * found[k - 1]
            found[k] = product if b is None else product + b[k]
    return found


def _before(after: Array, start: int) -> Array:
    """The values before every step."""
    found = np.full_like(after, start)
    found[1:] = after[:-1]
    return found


def _turned(node: Any, values: Sequence[Array]) -> list[Array]:
    """Arrays with the axis of the recurrence in front, from its end in reverse."""
    return [np.moveaxis(np.flip(v, node.axis) if node.reverse else v, node.axis, 0) for v in values]


def _turned_back(node: Any, found: Array) -> Array:
    back = np.moveaxis(found, 0, node.axis)
    return np.flip(back, node.axis) if node.reverse else back

"""Scans in NumPy: the running log-sum-exp and sums relative to one.

In: arrays.  Out: one of their shape.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from symnet.arrays import Array
from symnet.expr.nodes.running import RunningLogsumexp, ScaledSum
from symnet.reference.context import Context
from symnet.reference.reduction import logsumexp_of


def running_logsumexp_value(node: RunningLogsumexp, values: Sequence[Array], context: Context) -> Array:
    return _along(node, context.operands(node, values), lambda x: logsumexp_of(x, (0,)))


def scaled_sum_value(node: ScaledSum, values: Sequence[Array], context: Context) -> Array:
    return _along(node, context.operands(node, values), _scaled_sum)


def _scaled_sum(p: Array, b: Array, q: Array) -> Any:
    """Σ b[j]·exp(p[j] - q[last])."""
    alike = p == q[-1]  # infinities, too
    return np.sum(b * np.exp(np.where(alike, 0, p - q[-1])), axis=0)


def _along(node: RunningLogsumexp | ScaledSum, values: Sequence[Array], of: Callable[..., Any]) -> Array:
    """`of` the first 1, 2, 3, … elements along the axis of a scan, counted from the end in reverse."""
    turned = [np.moveaxis(np.flip(v, node.axis) if node.reverse else v, node.axis, 0) for v in values]
    found = np.empty_like(turned[0])
    with np.errstate(all="ignore"):
        for k in range(len(found)):
            found[k] = of(*(v[: k + 1] for v in turned))
    back = np.moveaxis(found, 0, node.axis)
    return np.flip(back, node.axis) if node.reverse else back

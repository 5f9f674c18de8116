"""Scans in NumPy: the running log-sum-exp and sums relative to one.

In: arrays.  Out: one of their shape.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from symnet.arrays import Array
from symnet.expr.nodes.running import RunningLogsumexp, ScaledSum
from symnet.reference.context import Context
from symnet.reference.reduction import logsumexp_of


def running_logsumexp_value(node: RunningLogsumexp, values: Sequence[Array], context: Context) -> Array:
    (x,) = context.operands(node, values)
    rows = np.moveaxis(np.flip(x, node.axis) if node.reverse else x, node.axis, 0)
    found = np.empty_like(rows)
    for k in range(len(rows)):
        found[k] = logsumexp_of(rows[: k + 1], (0,))
    back = np.moveaxis(found, 0, node.axis)
    return np.flip(back, node.axis) if node.reverse else back


def scaled_sum_value(node: ScaledSum, values: Sequence[Array], context: Context) -> Array:
    turned = (np.flip(v, node.axis) if node.reverse else v for v in context.operands(node, values))
    p, b, q = (np.moveaxis(v, node.axis, 0) for v in turned)
    found = np.empty_like(b)
    with np.errstate(all="ignore"):
        for k in range(len(b)):
            alike = p[: k + 1] == q[k]  # infinities, too
            away = np.where(alike, 0, p[: k + 1] - q[k])
            found[k] = np.sum(b[: k + 1] * np.exp(away), axis=0)
    back = np.moveaxis(found, 0, node.axis)
    return np.flip(back, node.axis) if node.reverse else back

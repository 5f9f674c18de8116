"""Reductions in NumPy: max, min, prod, log-sum-exp, argmax.

In: an array and axes.  Out: those axes removed.  NaN propagates; argmax gives the first index.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from symnet import dtypes
from symnet.arrays import Array
from symnet.errors import ValueDomainError, explain
from symnet.expr.nodes.reduction import Reduce
from symnet.reference.context import Context


def logsumexp_of(x: Array, axes: tuple[int, ...]) -> Any:
    """log Σ exp x over axes."""
    top = np.max(x, axis=axes, keepdims=True, initial=-np.inf)
    shift = np.where(np.isinf(top), np.zeros_like(top), top)
    return np.log(np.sum(np.exp(x - shift), axis=axes)) + np.squeeze(shift, axis=axes)


def _argmax(x: Array, axes: tuple[int, ...]) -> Any:
    kept = [a for a in range(x.ndim) if a not in axes]
    count = int(np.prod([x.shape[a] for a in axes]))  # not -1: that cannot be told where a kept axis is empty
    flat = x.transpose(*kept, *axes).reshape(*(x.shape[a] for a in kept), count)
    return np.argmax(flat, axis=-1)


MEANING: dict[str, Callable[[Array, tuple[int, ...]], Any]] = {
    "max": lambda x, axes: np.max(x, axis=axes),
    "min": lambda x, axes: np.min(x, axis=axes),
    "prod": lambda x, axes: np.prod(x, axis=axes, dtype=x.dtype),
    "logsumexp": logsumexp_of,
    "argmax": _argmax,
}
IDENTITIES = {"max": -np.inf, "min": np.inf}


def reduce_value(node: Reduce, values: Sequence[Array], context: Context) -> Array:
    x = values[0] if node.op == "argmax" else context.operands(node, values)[0]
    if node.needs_elements and not all(x.shape[a] for a in node.axes):
        if context.identities and node.op in IDENTITIES:
            return np.full(context.shape(node.shape), IDENTITIES[node.op], context.dtype(node) or dtypes.DEFAULT_REAL)
        raise ValueDomainError(
            explain(
                f"{node.op}(…)", "at least one element", f"shape {x.shape}", f"The {node.op} of nothing is not defined."
            )
        )
    with np.errstate(all="ignore"):
        return np.asarray(MEANING[node.op](x, node.axes), dtype=context.dtype(node) or dtypes.DEFAULT_REAL)

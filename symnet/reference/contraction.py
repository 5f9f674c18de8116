"""Contraction in NumPy.

In: operands with integer indices.  Out: `numpy.einsum` of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from symnet.expr.contraction import Einsum
from symnet.reference.context import Array, Context


def einsum_value(node: Einsum, values: Sequence[Array], context: Context) -> Array:
    arguments: list[Any] = []
    for value, indices in zip(context.operands(node, values), node.inputs, strict=True):
        arguments += [value, list(indices)]
    return np.asarray(np.einsum(*arguments, list(node.output), optimize=len(values) > 2))

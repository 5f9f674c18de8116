"""Cumulative sums in NumPy.

In: an array.  Out: `numpy.cumsum` of it, from the front or from the end.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from symnet.arrays import Array
from symnet.expr.nodes.cumulative import CumulativeSum
from symnet.reference.context import Context


def cumsum_value(node: CumulativeSum, values: Sequence[Array], context: Context) -> Array:
    (x,) = context.operands(node, values)
    if node.reverse:
        return np.flip(np.cumsum(np.flip(x, node.axis), node.axis, dtype=x.dtype), node.axis)
    return np.cumsum(x, node.axis, dtype=x.dtype)

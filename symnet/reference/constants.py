"""Numbers, sizes, arrays, identity matrices and index ramps in NumPy.

In: nodes without operands.  Out: arrays; weak ones in float64.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from symnet.arrays import Array
from symnet.expr.nodes.constants import ConstantArray, Delta, Iota, Number, Size
from symnet.reference.context import Context


def number_value(node: Number, values: Sequence[Array], context: Context) -> Array:
    value = node.value
    whole = bool(value.is_Integer) and -(2**63) <= value < 2**64
    return np.array(int(value)) if whole else np.array(float(value))


def size_value(node: Size, values: Sequence[Array], context: Context) -> Array:
    return np.array(float(context.extent(node.extent)))


def array_value(node: ConstantArray, values: Sequence[Array], context: Context) -> Array:
    return node.contents.array


def delta_value(node: Delta, values: Sequence[Array], context: Context) -> Array:
    return np.eye(context.extent(node.extent))


def iota_value(node: Iota, values: Sequence[Array], context: Context) -> Array:
    return np.arange(context.extent(node.shape[0]), dtype="int64")

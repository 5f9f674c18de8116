"""Whether an array is what its leaf was declared to be: one-hot, positive, symmetric, …

In: a leaf with assumptions, an array.  Out: nothing, or an error that names the first place where it is not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from symnet.arrays import Array
from symnet.errors import AssumptionError, explain
from symnet.expr.nodes.symbols import LEAF_ASSUMPTIONS, Tensor


def _rows_sum_to_one(array: Array) -> Any:
    tolerance = 1e-3 if array.dtype == np.float32 else 1e-6
    return (np.abs(array.sum(-1) - 1) <= tolerance) & (array >= 0).all(-1)


def _one_hot(array: Array) -> Any:
    return ((array == 0) | (array == 1)).all(-1) & (array.sum(-1) == 1)


HOLDS: dict[str, Callable[[Array], Any]] = {
    "positive": lambda array: array > 0,
    "nonnegative": lambda array: array >= 0,
    "nonzero": lambda array: array != 0,
    "integer": lambda array: array == np.floor(array),
    "unit": lambda array: (array >= 0) & (array <= 1),
    "symmetric": lambda array: array == np.swapaxes(array, -1, -2),
    "simplex": _rows_sum_to_one,
    "one_hot": _one_hot,
}


def check_assumptions(leaf: Tensor, array: Array, call: str) -> None:
    """What the leaf says of its elements holds of the array.

    Raises:
        AssumptionError: naming the first place where it does not.
    """
    for name in sorted(leaf.assumptions):
        holds = np.asarray(HOLDS[name](array))
        if not holds.all():
            place = tuple(int(i) for i in np.argwhere(~holds)[0])
            where = ", ".join(map(str, place)) + (", :" if name in ("one_hot", "simplex") else "")
            raise AssumptionError(
                explain(
                    call,
                    f"{leaf.name} {name}: {LEAF_ASSUMPTIONS[name]}",
                    f"{leaf.name}[{where}] = {array[place]}",
                    f"Correct the data, or declare {leaf.name} without {name}=True.",
                )
            )

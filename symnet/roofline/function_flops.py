"""How many operations a function of `elementary/` is made of.

In: its name and a dtype.  Out: the number of sums, products, comparisons and choices in its definition, a multiply-add
as two; steps on bit patterns are not counted (`loops/weights.py`).
"""

from __future__ import annotations

import inspect
from functools import cache
from types import MethodType
from typing import Any

import numpy as np

from symnet.elementary.lanes import Lanes
from symnet.elementary.table import FUNCTIONS
from symnet.loops.array_lanes import REAL, ArrayLanes

_WEIGHTS = {
    **dict.fromkeys(("add", "sub", "mul", "div", "sqrt", "less", "less_equal", "equal", "unequal", "select"), 1),
    "mul_add": 2,
}
_MADE_OF_OTHERS = ("at_most", "at_least", "horner")


class _Counting:
    """Lanes of NumPy that count what is asked of them."""

    def __init__(self, kind: str, counted: list[int]) -> None:
        self._lanes, self.kind, self.counted = ArrayLanes(kind, True), kind, counted

    @property
    def wide(self) -> _Counting:
        return _Counting("double", self.counted)

    def __getattr__(self, name: str) -> Any:
        if name in _MADE_OF_OTHERS:
            return MethodType(getattr(Lanes, name), self)
        found, weight = getattr(self._lanes, name), _WEIGHTS.get(name, 0)

        def call(*args: Any) -> Any:
            self.counted.append(weight)
            return found(*args)

        return call if weight else found


@cache
def function_flops(name: str, dtype: str) -> int:
    """Operations of one call, of numbers where no rare case is taken; 1 for what has no definition here.

    Example:
        >>> function_flops("exp", "float32") < function_flops("exp", "float64") < 60
        True
    """
    function = FUNCTIONS.get(name)
    if function is None:
        return 1
    lanes = _Counting({"float32": "float", "float64": "double"}[dtype], [])
    given = len(inspect.signature(function).parameters) - 1
    with np.errstate(all="ignore"):
        function(lanes, *(REAL[lanes.kind]([0.7]) for _ in range(given)))
    return max(sum(lanes.counted), 1)

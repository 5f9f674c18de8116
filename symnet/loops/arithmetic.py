"""What operations give where the loop language leaves a choice, and how the interpreter is told which was made.

In: what a target does.  Out: an `Arithmetic`: `REFERENCE`, for a program that is compared with the reference, whose
functions it has; or `of_machine`, for one that is compared with machine code, whose bits it has: functions are those of
`elementary/` on lanes of NumPy's arrays, and products are rounded as the target rounds them.  Of a NaN, only that it is
one is the same.

Left to a target are the rounding of a product in a sum, and which zero is the larger: a maximum (minimum) of equal
numbers is the second, or, where zeros are ordered, 0 and not -0 (-0 and not 0).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np

from symnet.elementary.table import FUNCTIONS, INTEGER_FUNCTIONS
from symnet.loops.array_lanes import BITS, ArrayLanes
from symnet.loops.operands import combined
from symnet.loops.scalar_ops import MEANING

_KIND = {"float32": "float", "float64": "double", "int32": "float", "int64": "double"}  # lanes that are as wide


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """How the interpreter computes.

    Attributes:
        fused: a product that stands in a sum is rounded with it, once.
        meaning: the function of every operation but `cast`, by its name, of NumPy's scalars or arrays.
    """

    fused: bool
    meaning: Mapping[str, Callable[..., Any]]

    def combine(self, how: str, old: Any, new: Any) -> Any:
        """The element after a Store with `combine`."""
        name, operands = combined(how, old, new)
        return self.meaning[name](*operands)


REFERENCE = Arithmetic(False, MEANING)


@cache
def of_machine(fused: bool, ordered_zeros: bool = False) -> Arithmetic:
    """The arithmetic of machine code.

    Args:
        fused: the target rounds a product and the sum it goes into once (`Target.fma`).
        ordered_zeros: its maximum is an instruction that takes 0 for more than -0 (`Target.native_maximum`).
    """
    functions = {name: partial(_elementary, name, fused) for name in FUNCTIONS}
    extrema = {name: partial(_extremum, name, ordered_zeros) for name in ("maximum", "minimum")}
    return Arithmetic(fused, {**MEANING, **functions, **extrema})


def _elementary(name: str, fused: bool, *args: Any) -> Any:
    """A function of `elementary/`; what it has of reals alone is NumPy's of integers."""
    dtype = args[0].dtype
    if dtype.kind == "f":
        return FUNCTIONS[name](ArrayLanes(_KIND[dtype.name], fused), *args)
    if name not in INTEGER_FUNCTIONS:
        return MEANING[name](*args)
    kind = _KIND[dtype.name]
    return INTEGER_FUNCTIONS[name](ArrayLanes(kind, fused), *(arg.view(BITS[kind]) for arg in args)).view(dtype)


def _extremum(name: str, ordered_zeros: bool, left: Any, right: Any) -> Any:
    if left.dtype.kind != "f":
        return MEANING[name](left, right)
    ahead = left > right if name == "maximum" else left < right
    if ordered_zeros:
        ahead |= (left == right) & np.signbit(right if name == "maximum" else left)
    return np.where(ahead | np.isnan(left), left, right)

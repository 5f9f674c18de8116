"""The table of elementary functions, by the primitive's name.

In: a primitive.  Out: the function that writes it as IR: whatever function of the files of this folder has its name.
"""

from __future__ import annotations

from collections.abc import Callable
from inspect import isfunction
from typing import Any

from symnet.backends.llvm.math import (
    algebraic,
    complementary_error,
    cube_root,
    digamma_function,
    error_function,
    exponential,
    gamma_function,
    hyperbolic,
    inverse_hyperbolic,
    inverse_trigonometric,
    logarithm,
    power,
    remainder,
    trigonometric,
)
from symnet.backends.llvm.math.integer_power import integer_power
from symnet.loops.op_types import OPS

_FILES = (
    algebraic, complementary_error, cube_root, digamma_function, error_function, exponential, gamma_function,
    hyperbolic, inverse_hyperbolic, inverse_trigonometric, logarithm, power, remainder, trigonometric,
)  # fmt: skip

MATH: dict[str, Callable[..., Any]] = {
    name: function
    for file in _FILES
    for name, function in sorted(vars(file).items())
    if name in OPS and isfunction(function) and function.__module__ == file.__name__
}

INTEGER_MATH: dict[str, Callable[..., Any]] = {"pow": integer_power}
"""The same of integers."""

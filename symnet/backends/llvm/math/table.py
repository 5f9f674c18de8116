"""The table of elementary functions, by the primitive's name.

In: a primitive.  Out: the function that writes it as IR.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from symnet.backends.llvm.math.algebraic import floor, rsqrt, sqrt
from symnet.backends.llvm.math.complementary_error import erfc
from symnet.backends.llvm.math.cube_root import cbrt
from symnet.backends.llvm.math.digamma_function import digamma
from symnet.backends.llvm.math.error_function import erf
from symnet.backends.llvm.math.exponential import exp, expm1, sigmoid
from symnet.backends.llvm.math.gamma_function import gamma, loggamma
from symnet.backends.llvm.math.hyperbolic import cosh, sinh, tanh
from symnet.backends.llvm.math.integer_power import integer_power
from symnet.backends.llvm.math.inverse_hyperbolic import acosh, asinh, atanh
from symnet.backends.llvm.math.inverse_trigonometric import acos, asin, atan, atan2
from symnet.backends.llvm.math.logarithm import log, log1p, softplus, xlogy
from symnet.backends.llvm.math.power import pow
from symnet.backends.llvm.math.remainder import floor_divide, mod
from symnet.backends.llvm.math.trigonometric import cos, sin, tan

MATH: dict[str, Callable[..., Any]] = {
    "acos": acos,
    "acosh": acosh,
    "asin": asin,
    "asinh": asinh,
    "atan": atan,
    "atan2": atan2,
    "atanh": atanh,
    "cbrt": cbrt,
    "cos": cos,
    "cosh": cosh,
    "digamma": digamma,
    "erf": erf,
    "erfc": erfc,
    "exp": exp,
    "expm1": expm1,
    "floor": floor,
    "gamma": gamma,
    "log": log,
    "log1p": log1p,
    "loggamma": loggamma,
    "mod": mod,
    "floor_divide": floor_divide,
    "pow": pow,
    "rsqrt": rsqrt,
    "sigmoid": sigmoid,
    "sin": sin,
    "sinh": sinh,
    "softplus": softplus,
    "sqrt": sqrt,
    "tan": tan,
    "tanh": tanh,
    "xlogy": xlogy,
}

INTEGER_MATH: dict[str, Callable[..., Any]] = {"pow": integer_power}
"""The same of integers."""

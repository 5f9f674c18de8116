"""Elementary functions as LLVM IR: polynomials and a few divisions, never a call.

In: a builder and values of one real type: `float`, `double`, or vectors of them of any width.
Out: straight-line IR at the builder's position (`mod` and the powers of integers have one loop), and the result.

`MATH` is the table.  Every function's docstring bounds its error in ulp, says what its coefficients are and
how they were found; `tests/llvm/test_math.py` holds each to its bound.  Special values are IEEE 754's:
inf, NaN, signed zeros and subnormals go in and come out as they should.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from symnet.llvm.math.algebraic import floor, rsqrt, sqrt
from symnet.llvm.math.complementary_error import erfc
from symnet.llvm.math.cube_root import cbrt
from symnet.llvm.math.digamma_function import digamma
from symnet.llvm.math.error_function import erf
from symnet.llvm.math.exponential import exp, expm1, sigmoid
from symnet.llvm.math.gamma_function import gamma, loggamma
from symnet.llvm.math.hyperbolic import cosh, sinh, tanh
from symnet.llvm.math.integer_power import integer_power
from symnet.llvm.math.inverse_hyperbolic import acosh, asinh, atanh
from symnet.llvm.math.inverse_trigonometric import acos, asin, atan, atan2
from symnet.llvm.math.logarithm import log, log1p, softplus, xlogy
from symnet.llvm.math.power import pow
from symnet.llvm.math.remainder import floor_divide, mod
from symnet.llvm.math.trigonometric import cos, sin, tan

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

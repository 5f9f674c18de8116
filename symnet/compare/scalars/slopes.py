"""The partial derivatives of every primitive, written for numbers of any kind.

In: a system of numbers n, the result y, the operands.  Out: ∂y/∂x for one operand.
The same lines serve floats, arrays of floats and mpmath's numbers; they share nothing with `diff/`, nor with the tape's
pullbacks.  At kinks they choose what symnet chooses (`docs/math-conventions.md`).
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import sympy

from symnet.expr.nodes.primitives import Primitive, functions

Slope = Callable[..., Any]


def _two_over_root_pi(x: Any) -> Any:
    """2/√π in the precision of x."""
    return 2 / mpmath.sqrt(mpmath.pi) if isinstance(x, mpmath.mpf) else 2 / np.sqrt(np.pi)


def _bell(n: Any, x: Any) -> Any:
    return _two_over_root_pi(x) * n.exp(-x * x)


def _by_sympy(primitive: Primitive) -> Slope:
    """The slope by SymPy's derivative of SymPy's function: of primitives that have no line below."""

    @functools.cache
    def slope(module: str) -> Callable[[Any], Any]:
        x = sympy.Symbol("x", real=True)
        assert primitive.sympy is not None
        found: Callable[[Any], Any] = sympy.lambdify(x, sympy.diff(primitive.sympy(x), x), module)
        return found

    return lambda n, y, x: slope("mpmath" if isinstance(x, mpmath.mpf) else "numpy")(x)


# primitive → the slope for each operand
SLOPES: dict[str, tuple[Slope, ...]] = {
    **{p.name: (_by_sympy(p),) for p in functions()},
    "subtract": (lambda n, y, a, b: 1, lambda n, y, a, b: -1),
    "divide": (lambda n, y, a, b: n.divide(1, b), lambda n, y, a, b: -n.divide(y, b)),
    "negative": (lambda n, y, x: -1,),
    "reciprocal": (lambda n, y, x: -y * y,),
    "square": (lambda n, y, x: 2 * x,),
    "sqrt": (lambda n, y, x: n.divide(1, 2 * y),),
    "pow": (
        lambda n, y, a, b: n.choose(b == 0, 0 * y, b * n.pow(a, b - 1)),
        lambda n, y, a, b: n.choose(y == 0, 0 * y, y * n.log(a)),
    ),
    "maximum": (lambda n, y, a, b: n.choose(a >= b, 1, 0), lambda n, y, a, b: n.choose(a >= b, 0, 1)),
    "minimum": (lambda n, y, a, b: n.choose(a <= b, 1, 0), lambda n, y, a, b: n.choose(a <= b, 0, 1)),
    "abs": (lambda n, y, x: n.sign(x),),
    "exp": (lambda n, y, x: y,),
    "log": (lambda n, y, x: n.divide(1, x),),
    "log1p": (lambda n, y, x: n.divide(1, 1 + x),),
    "expm1": (lambda n, y, x: y + 1,),
    "tanh": (lambda n, y, x: (1 - y) * (1 + y),),
    "sigmoid": (lambda n, y, x: y * n.sigmoid(-x),),
    "softplus": (lambda n, y, x: n.sigmoid(x),),
    "sin": (lambda n, y, x: n.cos(x),),
    "cos": (lambda n, y, x: -n.sin(x),),
    "tan": (lambda n, y, x: 1 + y * y,),
    "asin": (lambda n, y, x: n.divide(1, n.sqrt((1 - x) * (1 + x))),),
    "acos": (lambda n, y, x: -n.divide(1, n.sqrt((1 - x) * (1 + x))),),
    "atan": (lambda n, y, x: n.divide(1, 1 + x * x),),
    "sinh": (lambda n, y, x: n.cosh(x),),
    "cosh": (lambda n, y, x: n.sinh(x),),
    "asinh": (lambda n, y, x: n.divide(1, n.sqrt(1 + x * x)),),
    "acosh": (lambda n, y, x: n.divide(1, n.sqrt((x - 1) * (x + 1))),),
    "atanh": (lambda n, y, x: n.divide(1, (1 - x) * (1 + x)),),
    "atan2": (
        lambda n, y, a, b: n.divide(b, a * a + b * b),
        lambda n, y, a, b: -n.divide(a, a * a + b * b),
    ),
    "cbrt": (lambda n, y, x: n.divide(1, 3 * y * y),),
    "erf": (lambda n, y, x: _bell(n, x),),
    "erfc": (lambda n, y, x: -_bell(n, x),),
    "gamma": (lambda n, y, x: y * n.digamma(x),),
    "loggamma": (lambda n, y, x: n.digamma(x),),
    "digamma": (lambda n, y, x: n.trigamma(x),),
    "xlogy": (lambda n, y, a, b: n.log(b), lambda n, y, a, b: n.divide(a, b)),
    "mod": (lambda n, y, a, b: 1, lambda n, y, a, b: -n.floor_divide(a, b)),
}
FLAT = ("sign", "floor", "floor_divide", "lt", "le", "gt", "ge", "eq", "ne")  # zero wherever they have a slope

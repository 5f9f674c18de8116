"""Systems of numbers: machine floats, and mpmath's with any number of digits.

In: nothing.  Out: `machine(dtype)`, `exact()`: primitives by name, on single numbers or, of machine floats, on arrays.
Both follow IEEE: no operation raises; 1/0 is ∞, 0·∞ and what no real number answers are NaN.
The digits of exact numbers are those of `mpmath.workdps` where they are computed.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np
import sympy
from mpmath import mpf

from symnet.compare.tape.elementwise import FORWARD, trigamma
from symnet.expr.nodes.primitives import Primitive, functions


@dataclass(frozen=True)
class Numbers:
    """Numbers of one kind.

    Attributes:
        name: for reports.
        number: a NumPy float, an integer or SymPy's number → one of these.
        functions: primitives by name; `n.exp` is `n.functions["exp"]`.
    """

    name: str
    number: Callable[[Any], Any]
    functions: Mapping[str, Callable[..., Any]]

    def __getattr__(self, name: str) -> Callable[..., Any]:
        try:
            return self.functions[name]
        except KeyError:
            raise AttributeError(name) from None


# --------------------------------------------------------------------------- machine floats

_ARITHMETIC: dict[str, Callable[..., Any]] = {
    "choose": np.where,
    "trigamma": trigamma,
    "reciprocal": lambda x: 1 / x,
}


def machine(dtype: str) -> Numbers:
    """NumPy's floats of a dtype, and arrays of them."""
    kind = np.dtype(dtype).type
    return Numbers(dtype, lambda x: kind(float(x)), FORWARD | _ARITHMETIC)


# --------------------------------------------------------------------------- exact numbers

NAN, INF = mpf("nan"), mpf("inf")


def _of_reals(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A function that is NaN where mpmath's is complex, or refuses a pole."""

    def real(x: Any) -> Any:
        if x != x:
            return NAN
        try:
            value = function(x)
        except (ValueError, ZeroDivisionError, mpmath.libmp.ComplexResult):
            return NAN
        return NAN if isinstance(value, mpmath.mpc) else value

    return real


def _divide(a: Any, b: Any) -> Any:
    if b:
        return a / b
    return NAN if not a or a != a else INF if a > 0 else -INF


def _log(x: Any) -> Any:
    return mpmath.log(x) if x > 0 else -INF if not x else NAN


def _power(x: Any, e: Any) -> Any:
    if not e:
        return mpf(1)
    if not x:
        return INF if e < 0 else mpf(0)
    if x < 0 and e != mpmath.floor(e):
        return NAN
    return x ** (int(e) if abs(e) < 64 and e == int(e) else e)


def _maximum(a: Any, b: Any) -> Any:
    return NAN if a != a or b != b else a if a >= b else b


def _minimum(a: Any, b: Any) -> Any:
    return NAN if a != a or b != b else a if a <= b else b


def _mod(a: Any, b: Any) -> Any:
    return a - b * mpmath.floor(_divide(a, b)) if b else NAN


def _poles(x: Any) -> bool:
    return bool(x <= 0 and x == mpmath.floor(x))


def _loggamma(x: Any) -> Any:
    return INF if _poles(x) else mpmath.loggamma(x) if x > 0 else mpmath.log(abs(mpmath.gamma(x)))


def _cube_root(x: Any) -> Any:
    return mpmath.cbrt(x) if x >= 0 else -mpmath.cbrt(-x)


def _softplus(x: Any) -> Any:
    return max(x, mpf(0)) + mpmath.log1p(mpmath.exp(-abs(x)))


def _by_sympy(primitive: Primitive) -> Callable[[Any], Any]:
    """SymPy's function in mpmath's numbers: of primitives that have no line below."""

    @functools.cache
    def function() -> Callable[[Any], Any]:
        x = sympy.Symbol("x", real=True)
        assert primitive.sympy is not None
        return _of_reals(sympy.lambdify(x, primitive.sympy(x), "mpmath"))

    return lambda x: function()(x)


_EXACT: dict[str, Callable[..., Any]] = {
    **{p.name: _by_sympy(p) for p in functions()},
    "add": lambda *xs: functools.reduce(lambda a, b: a + b, xs),
    "mul": lambda *xs: functools.reduce(lambda a, b: a * b, xs),
    "subtract": lambda a, b: a - b, "divide": _divide, "negative": lambda x: -x, "square": lambda x: x * x,
    "reciprocal": lambda x: _divide(mpf(1), x), "sqrt": _of_reals(mpmath.sqrt), "pow": _power,
    "maximum": _maximum, "minimum": _minimum, "abs": abs, "sign": lambda x: mpf((x > 0) - (x < 0)),
    "choose": lambda condition, a, b: a if condition else b,
    "log": _log, "log1p": lambda x: mpmath.log1p(x) if x > -1 else -INF if x == -1 else NAN,
    "softplus": _softplus, "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)) if x > -INF else mpf(0),
    "xlogy": lambda x, y: x * _log(y) if x else mpf(0), "atan2": mpmath.atan2, "cbrt": _cube_root,
    "gamma": lambda x: NAN if _poles(x) else mpmath.gamma(x), "loggamma": _loggamma,
    "digamma": lambda x: NAN if _poles(x) else mpmath.digamma(x),
    "trigamma": lambda x: NAN if _poles(x) else mpmath.psi(1, x),
    "floor": mpmath.floor, "floor_divide": lambda a, b: mpmath.floor(_divide(a, b)), "mod": _mod,
    **{name: _of_reals(getattr(mpmath, name)) for name in (
        "exp", "expm1", "tanh", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "asinh", "acosh", "atanh",
        "erf", "erfc",
    )},
    "lt": lambda a, b: a < b, "le": lambda a, b: a <= b, "gt": lambda a, b: a > b, "ge": lambda a, b: a >= b,
    "eq": lambda a, b: a == b, "ne": lambda a, b: a != b,
}  # fmt: skip


def _exact_number(x: Any) -> Any:
    if isinstance(x, sympy.Basic):
        return mpf(x._to_mpmath(mpmath.mp.prec)) if x.is_finite else mpf(str(x).replace("oo", "inf"))
    return mpf(int(x)) if isinstance(x, (int, np.integer, np.bool_)) else mpf(float(x))


def exact() -> Numbers:
    """mpmath's numbers, with as many digits as it works with when they are computed."""
    return Numbers("mpmath", _exact_number, _EXACT)

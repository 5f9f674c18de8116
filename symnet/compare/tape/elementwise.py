"""Elementwise operations on the tape.

In: variables that broadcast.  Out: the result, recorded with a pullback per operand.
`PULLS` gives for each primitive the cotangents (g, y, *xs) -> x_bar before the axes of broadcasting are summed away: no
line of it is shared with `diff/`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import sympy

from symnet.compare.counting import as_call
from symnet.compare.tape.analytic import ANALYTIC, is_complex
from symnet.compare.tape.var import Pullback, Tape, TapeValue
from symnet.compare.tape.wide import function, two_over_root_pi
from symnet.expr.nodes.primitives import Primitive, functions
from symnet.expr.nodes.result_dtypes import CASTS

Pull = Callable[..., Any]


def unbroadcast(bar: Any, shape: tuple[int, ...]) -> Any:
    """The cotangent summed over the axes along which an operand of `shape` was repeated."""
    bar = np.asanyarray(bar)
    if bar.shape == shape:
        return bar
    if bar.ndim < len(shape):
        bar = np.broadcast_to(bar, shape)
    extra = bar.ndim - len(shape)
    axes = (*range(extra), *(extra + a for a, n in enumerate(shape) if n == 1 and bar.shape[extra + a] != 1))
    return bar.sum(axes).reshape(shape) if axes else bar


def _logistic(x: Any) -> Any:
    return 0.5 * (1 + np.tanh(0.5 * x))


def _x_log_y(x: Any, y: Any) -> Any:
    return np.where(x == 0, 0, x * np.log(y))


sigmoid, xlogy = as_call(_logistic), as_call(_x_log_y)
erf, erfc, gamma, loggamma, digamma, trigamma = (
    as_call(function(name)) for name in ("erf", "erfc", "gamma", "loggamma", "digamma", "trigamma")
)


def _cast(dtype: str | None) -> Callable[..., Any]:
    return lambda x: x if dtype is None else np.asarray(x).astype(dtype)


FORWARD: dict[str, Callable[..., Any]] = {
    **{p.name: getattr(np, p.numpy) for p in functions() if p.numpy},
    "add": lambda *xs: functools.reduce(np.add, xs),
    "mul": lambda *xs: functools.reduce(np.multiply, xs),
    "subtract": np.subtract, "divide": np.divide, "negative": np.negative, "square": np.square, "sqrt": np.sqrt,
    "reciprocal": lambda x: 1 / x,
    "pow": np.power, "maximum": np.maximum, "minimum": np.minimum, "abs": np.abs, "sigmoid": sigmoid,
    "softplus": lambda x: np.logaddexp(0, x), "atan2": np.arctan2, "xlogy": xlogy, "erf": erf, "erfc": erfc,
    "gamma": gamma, "loggamma": loggamma, "digamma": digamma, "mod": np.mod, "floor_divide": np.floor_divide,
    **{name: _cast(dtype) for name, dtype in CASTS.items()},
    "lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal, "eq": np.equal, "ne": np.not_equal,
    "and": np.logical_and, "or": np.logical_or, "not": np.logical_not, "where": np.where,
}  # fmt: skip


def _by_sympy(primitive: Primitive) -> Pull:
    """The cotangent by SymPy's derivative of SymPy's function: of those that have no line below."""

    @functools.cache
    def slope() -> Callable[[Any], Any]:
        x = sympy.Symbol("x", real=True)
        assert primitive.sympy is not None
        return sympy.lambdify(x, sympy.diff(primitive.sympy(x), x), "numpy")

    return lambda g, y, x: g * slope()(x)


PULLS: dict[str, tuple[Pull, ...]] = {
    **{p.name: (_by_sympy(p),) for p in functions()},
    "subtract": (lambda g, y, a, b: g, lambda g, y, a, b: -g),
    "divide": (lambda g, y, a, b: g / b, lambda g, y, a, b: -g * y / b),
    "negative": (lambda g, y, x: -g,),
    "reciprocal": (lambda g, y, x: -g * y * y,),
    "square": (lambda g, y, x: 2 * g * x,),
    "sqrt": (lambda g, y, x: 0.5 * g / y,),
    "pow": (lambda g, y, a, b: g * b * np.power(a, b - 1), lambda g, y, a, b: np.where(y == 0, 0, g * y * np.log(a))),
    "maximum": (
        lambda g, y, a, b: np.where(np.real(a) >= np.real(b), g, 0),
        lambda g, y, a, b: np.where(np.real(a) >= np.real(b), 0, g),
    ),
    "minimum": (
        lambda g, y, a, b: np.where(np.real(a) <= np.real(b), g, 0),
        lambda g, y, a, b: np.where(np.real(a) <= np.real(b), 0, g),
    ),
    "abs": (lambda g, y, x: g * np.sign(np.real(x)),),
    "exp": (lambda g, y, x: g * y,),
    "log": (lambda g, y, x: g / x,),
    "log1p": (lambda g, y, x: g / (1 + x),),
    "expm1": (lambda g, y, x: g * (y + 1),),
    "tanh": (lambda g, y, x: g * (1 - y * y),),
    "sigmoid": (lambda g, y, x: g * y * (1 - y),),
    "softplus": (lambda g, y, x: g * sigmoid(x),),
    "sin": (lambda g, y, x: g * np.cos(x),),
    "cos": (lambda g, y, x: -g * np.sin(x),),
    "tan": (lambda g, y, x: g * (1 + y * y),),
    "asin": (lambda g, y, x: g / np.sqrt(1 - x * x),),
    "acos": (lambda g, y, x: -g / np.sqrt(1 - x * x),),
    "atan": (lambda g, y, x: g / (1 + x * x),),
    "sinh": (lambda g, y, x: g * np.cosh(x),),
    "cosh": (lambda g, y, x: g * np.sinh(x),),
    "erf": (lambda g, y, x: g * two_over_root_pi(x) * np.exp(-x * x),),
    "asinh": (lambda g, y, x: g / np.sqrt(1 + x * x),),
    "acosh": (lambda g, y, x: g / np.sqrt((x - 1) * (x + 1)),),
    "atanh": (lambda g, y, x: g / ((1 - x) * (1 + x)),),
    "atan2": (lambda g, y, a, b: g * b / (a * a + b * b), lambda g, y, a, b: -g * a / (a * a + b * b)),
    "cbrt": (lambda g, y, x: g / (3 * y * y),),
    "erfc": (lambda g, y, x: -g * two_over_root_pi(x) * np.exp(-x * x),),
    "gamma": (lambda g, y, x: g * y * digamma(x),),
    "loggamma": (lambda g, y, x: g * digamma(x),),
    "digamma": (lambda g, y, x: g * trigamma(x),),
    "xlogy": (lambda g, y, a, b: g * np.log(b), lambda g, y, a, b: g * a / b),
    "mod": (lambda g, y, a, b: g, lambda g, y, a, b: -g * np.floor_divide(np.real(a), np.real(b))),
}

FLAT = (
    "sign",
    "floor",
    "floor_divide",
    "lt",
    "le",
    "gt",
    "ge",
    "eq",
    "ne",
    "and",
    "or",
    "not",
    *CASTS,
)  # zero wherever they have a slope


AS_REAL = ("as_float64", "as_real")


def elementwise(tape: Tape, *xs: TapeValue, op: str, dtype: str) -> TapeValue:
    """`op` applied to the values; `dtype` is that of an indicator, which has none of its own."""
    values = [x.value for x in xs]
    if op == "indicator":
        return tape.record(values[0].astype(dtype))
    if op in AS_REAL and np.asarray(values[0]).dtype.kind in "fc":
        return xs[0]  # it is real already
    forward = ANALYTIC.get(op, FORWARD[op]) if is_complex(*values) else FORWARD[op]
    y = forward(*values)
    if op in FLAT:
        return tape.record(y)
    return tape.record(y, *((x, _pullback(op, k, y, values)) for k, x in enumerate(xs) if x.needs))


def _pullback(op: str, k: int, y: Any, values: list[Any]) -> Pullback:
    shape = np.shape(values[k])
    if op == "add":
        return lambda g: unbroadcast(g, shape)
    if op == "mul":
        others = values[:k] + values[k + 1 :]
        return lambda g: unbroadcast(functools.reduce(np.multiply, others, g), shape)
    if op == "where":
        return lambda g: unbroadcast(np.where(values[0], g, 0) if k == 1 else np.where(values[0], 0, g), shape)
    pull = PULLS[op][k]
    return lambda g: unbroadcast(pull(g, y, *values), shape)

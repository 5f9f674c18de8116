"""Elementwise primitives in NumPy, stable where the plain formula is not.

In: operands that broadcast, in the result's dtype.  Out: the array.
Source: the stable forms of sigmoid and softplus through e^(-|x|): Maechler, "Accurately computing log(1 - exp(-|a|))".
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import sympy

from symnet import dtypes
from symnet.arrays import Array
from symnet.errors import ValueDomainError, explain
from symnet.expr.nodes.constants import number_of, power_of_number
from symnet.expr.nodes.elementwise import Elementwise
from symnet.expr.nodes.graph import topological
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.primitives import PRIMITIVES
from symnet.expr.nodes.result_dtypes import CASTS
from symnet.expr.sympy.functions import function_of
from symnet.reference.context import Context
from symnet.reference.special import digamma, erf, erfc, gamma, loggamma, power
from symnet.reference.sympy_functions import function_value


def _sigmoid(x: Array) -> Any:
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1 / (1 + small), small / (1 + small))


def _softplus(x: Array) -> Any:
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def _sign(x: Array) -> Any:
    return x if x.dtype == "bool" else np.sign(x)


def _xlogy(x: Array, y: Array) -> Any:
    return np.where(x == 0, 0, x * np.log(y))


def _indicator(condition: Array) -> Any:
    return condition.astype(dtypes.DEFAULT_REAL)


MEANING: dict[str, Callable[..., Any]] = {
    "add": lambda *xs: functools.reduce(np.add, xs),
    "mul": lambda *xs: functools.reduce(np.multiply, xs),
    "pow": power, "maximum": np.maximum, "minimum": np.minimum, "abs": np.abs, "sign": _sign, "floor": np.floor,
    "exp": np.exp, "log": np.log, "log1p": np.log1p, "expm1": np.expm1, "tanh": np.tanh, "sigmoid": _sigmoid,
    "softplus": _softplus, "sin": np.sin, "cos": np.cos, "tan": np.tan, "asin": np.arcsin, "acos": np.arccos,
    "atan": np.arctan, "sinh": np.sinh, "cosh": np.cosh, "erf": erf, "xlogy": _xlogy,
    "asinh": np.arcsinh, "acosh": np.arccosh, "atanh": np.arctanh, "atan2": np.arctan2, "cbrt": np.cbrt, "erfc": erfc,
    "gamma": gamma, "loggamma": loggamma, "digamma": digamma, "function": function_value,
    "mod": np.mod, "floor_divide": np.floor_divide, **dict.fromkeys(CASTS, lambda x: x),
    "lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal, "eq": np.equal, "ne": np.not_equal,
    "and": np.logical_and, "or": np.logical_or, "not": np.logical_not, "where": np.where, "indicator": _indicator,
}  # fmt: skip


LONGEST_POWER = 512  # of an exact number that is written out


def elementwise_value(node: Elementwise, values: Sequence[Array], context: Context) -> Array:
    """The primitive applied to operands of the result's dtype (comparisons: of the operands' common dtype)."""
    result = PRIMITIVES[node.op].result
    if node.op == "pow":
        _refuse_reciprocal_of_no_elements(node, values, context)
    if result in ("bool", "weak"):
        args = _compared(node, values, context)
    elif result == "branch":
        args = [values[0], *context.operands(node, values[1:])]
    else:
        args = context.operands(node, values)
    function = function_of(node)
    with np.errstate(all="ignore"):
        found = np.asarray(MEANING[node.op](*args) if function is None else MEANING["function"](function, *args))
    return found if node.dtype or node.rank or np.isfinite(found) else _of_numbers(node, found)


_EXACT = {"add": sympy.Add, "mul": sympy.Mul, "pow": power_of_number}


def _of_numbers(node: Elementwise, found: Array) -> Array:
    """A constant that overflowed on the way, √(2¹⁰²⁴ + 1), from exact numbers; what was found for all else."""
    values: dict[Node, sympy.Expr] = {}
    for part in topological(node):
        value = number_of(part)
        if value is None:
            operands = [values[o] for o in part.operands]
            build = _EXACT.get(getattr(part, "op", ""))
            if build is None or (build is power_of_number and not abs(operands[1]) <= LONGEST_POWER):
                return found
            value = build(*operands)
        if not (value.is_real and value.is_finite):
            return found
        values[part] = value
    return np.asarray(float(values[node]))


def _compared(node: Elementwise, values: Sequence[Array], context: Context) -> list[Any]:
    common = dtypes.promote(*(context.dtype(o) for o in node.operands))
    if common in dtypes.REAL:
        return [context.cast(v, common) for v in values]
    numbers = [number_of(o) for o in node.operands]  # of any size: NumPy compares Python's integers exactly
    if all(n is None or n.is_Integer for n in numbers):
        counts = [v.astype("int64") if v.dtype == "bool" and None in numbers else v for v in values]
        return [v if n is None else int(n) for v, n in zip(counts, numbers, strict=True)]
    return list(values)


def _refuse_reciprocal_of_no_elements(node: Elementwise, values: Sequence[Array], context: Context) -> None:
    base = node.operands[0]
    if base.kind == "size" and values[0] == 0 and np.any(values[1] < 0):
        raise ValueDomainError(
            explain(
                "mean(…)",
                "at least one element",
                f"{base.args[0]} = 0",
                "The mean of nothing is not defined: give data.",
            )
        )

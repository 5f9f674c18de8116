"""Floor 1: the nodes, their shapes and facts, printing, and SymPy at the door.  In: what users write.  Out: graphs.

Its rooms, from the bottom: `nodes/` (the kinds of nodes, and what is made of these), `facts/` (what is known of a
node), `sympy/` and `numpy/` (the doors through which other libraries' expressions and functions come), `printing/`.

A file imports only files below it.  Where `nodes/node.py` and `nodes/constants.py` need one above them (`x + y`,
`str(x)`, `np.exp(x)`, a SymPy scalar as operand) they look it up by name, in the table that is filled here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from symnet.expr.nodes import (
    advanced_indexing,
    contraction,
    elementwise,
    graph,
    movement,
    operators,
    reduction,
    symbols,
)
from symnet.expr.nodes.node import BUILDERS

Builders = dict[str, Callable[..., Any]]

BUILDERS.update(
    {
        # operators
        "add": operators.add,
        "subtract": operators.subtract,
        "multiply": operators.multiply,
        "divide": elementwise.divide,
        "power": elementwise.power,
        "mod": elementwise.mod,
        "floor_divide": elementwise.floor_divide,
        "divmod": elementwise.floor_divide_and_mod,
        "matmul": contraction.matmul,
        "negative": operators.negative,
        "positive": operators.positive,
        "abs": elementwise.absolute,
        "and": operators.logical_and,
        "or": operators.logical_or,
        "xor": operators.logical_xor,
        "not": elementwise.logical_not,
        "less": elementwise.less,
        "less_equal": elementwise.less_equal,
        "greater": elementwise.greater,
        "greater_equal": elementwise.greater_equal,
        "getitem": advanced_indexing.getitem,
        # methods
        "transpose": contraction.transpose,
        "sum": contraction.sum,
        "mean": contraction.mean,
        "max": reduction.max,
        "min": reduction.min,
        "prod": reduction.prod,
        "reshape": movement.reshape,
        "named": symbols.named,
        # SymPy's walkers and pickles
        "xreplace": graph.xreplace,
        "free_symbols": graph.free_symbols,
        "has": graph.has,
        "flatten": graph.flatten,
        "unflatten": graph.unflatten,
    }
)


# --------------------------------------------------------------------------- files that are loaded when first needed


def _running_sums() -> Builders:
    from symnet.expr.nodes.cumulative import cumsum

    return {"cumsum": cumsum}


def _running_products() -> Builders:
    from symnet.expr.nodes.recurrence import cumprod

    return {"cumprod": cumprod}


def _printing() -> Builders:
    from symnet.expr.printing import displayed, latex, latex_in_full, pretty, text

    return {"text": text, "latex": latex, "latex_in_full": latex_in_full, "pretty": pretty, "displayed": displayed}


def _numpy_ufuncs() -> Builders:
    from symnet.expr.numpy.ufuncs import apply_ufunc

    return {"array_ufunc": apply_ufunc}


def _numpy_functions() -> Builders:
    from symnet.expr.numpy.functions import apply_numpy

    return {"array_function": apply_numpy}


def _sympy_scalars() -> Builders:
    from symnet.expr.sympy.scalars import from_scalar

    return {"from_scalar": from_scalar}


BUILDERS.later.update(
    {
        "cumsum": _running_sums,
        "cumprod": _running_products,
        **dict.fromkeys(("text", "latex", "latex_in_full", "pretty", "displayed"), _printing),
        "array_ufunc": _numpy_ufuncs,
        "array_function": _numpy_functions,
        "from_scalar": _sympy_scalars,
    }
)

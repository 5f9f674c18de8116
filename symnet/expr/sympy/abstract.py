"""Abstract functions as SymPy's undefined ones, and their derivatives as SymPy writes them.

In: an `Application` node, and the elements of its operands.  Out: an array of SymPy scalars.  An element of a function
of arrays is a function of its own, h_0, h_1, …, of all elements of all arguments.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import sympy

from symnet.arrays import Array
from symnet.expr.nodes.abstract import Application


def abstract_values(node: Application, *operands: Array) -> Array:
    """The application, or the derivative, element by element."""
    if node.is_elementwise:
        function = np.frompyfunc(lambda *xs: _derivative(node.name, xs, node.orders), len(operands), 1)
        return np.asarray(function(*operands), object)
    values = [x for operand in operands for x in operand.reshape(-1)]
    starts = np.cumsum([0, *(operand.size for operand in operands)])
    out = np.empty(node.shape, object)
    rank = len(node.value_shape)
    for index in itertools.product(*map(range, out.shape)):
        of, rest, places = index[:rank], list(index[rank:]), []
        for k in node.orders:
            inner, rest = rest[: operands[k].ndim], rest[operands[k].ndim :]
            places.append(int(starts[k] + np.ravel_multi_index(inner, operands[k].shape)) if inner else int(starts[k]))
        out[index] = _derivative("_".join([node.name, *map(str, of)]), values, places)
    return out


def _derivative(name: str, values: Sequence[Any], places: Sequence[int]) -> Any:
    """The derivative of a function of that name, by its arguments at some places, at some values."""
    arguments = [sympy.Dummy(f"x{k}") for k in range(len(values))]
    found = sympy.Function(name)(*arguments)
    for k in places:
        found = found.diff(arguments[k])
    return found.subs(dict(zip(arguments, values, strict=True)), simultaneous=True)

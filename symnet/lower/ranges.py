"""Between which numbers the elements of an integer array surely lie: indices that need no check.

In: an integer node.  Out: its lowest and highest value, as expressions of the extents; None where it is not known.
Not handled: what data decide (leaves, sums of data), and the smaller of two expressions that no rule compares.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy
from sympy import Expr, Integer

from symnet.expr.nodes.constants import number_of
from symnet.expr.nodes.extents import product
from symnet.expr.nodes.graph import topological
from symnet.expr.nodes.node import Extent, Node
from symnet.expr.nodes.symbols import TRANSPARENT

Interval = tuple[Expr | None, Expr | None]
UNKNOWN: Interval = (None, None)
_PASSES_ON = TRANSPARENT | {"expand", "reshape", "slice", "take"}


def surely_in_range(indices: Node, extent: Extent) -> bool:
    """Whether every element lies in 0 … extent-1, whatever the data.

    A constant array along a symbolic extent is: the extent is checked at the call (`lower/program.py`).
    """
    if indices.kind == "array" and not isinstance(extent, int):
        return True
    low, high = range_of(indices)
    if low is None or high is None:
        return False
    return bool(low.is_nonnegative and sympy.expand(sympy.sympify(extent) - 1 - high).is_nonnegative)


def range_of(node: Node) -> Interval:
    """The lowest and the highest value."""
    known: dict[Node, Interval] = {}
    for part in topological(node):
        known[part] = _range(part, [known[o] for o in part.operands])
    return known[node]


def _range(node: Node, operands: list[Interval]) -> Interval:
    value = number_of(node)
    if value is not None:
        return (value, value) if value.is_integer else UNKNOWN
    if node.kind in _PASSES_ON or (node.kind == "einsum" and len(operands) == 1 and not node.contracted):
        return operands[0]
    return _RULES.get(node.kind, lambda node, operands: UNKNOWN)(node, operands)


def _array(node: Any, operands: list[Interval]) -> Interval:
    array = node.contents.array
    if not array.size or array.dtype.kind not in "bi":
        return UNKNOWN
    return Integer(int(array.min())), Integer(int(array.max()))


def _reduce(node: Any, operands: list[Interval]) -> Interval:
    if node.op == "argmax":
        return Integer(0), sympy.sympify(product(node.operands[0].shape[a] for a in node.axes)) - 1
    return operands[0] if node.op in ("max", "min") else UNKNOWN


def _elementwise(node: Any, operands: list[Interval]) -> Interval:
    rule = _PRIMITIVES.get(node.op)
    return rule(operands) if rule else UNKNOWN


def _sum(operands: list[Interval]) -> Interval:
    lows, highs = zip(*operands, strict=True)
    return None if None in lows else sympy.Add(*lows), None if None in highs else sympy.Add(*highs)


def _product(operands: list[Interval]) -> Interval:
    """The range of a product of factors that are not negative; beside them one number may be below 0."""
    low: Any = Integer(1)
    high: Any = Integer(1)
    for a, b in operands:
        if a is None or b is None:
            return UNKNOWN
        if a == b and a.is_nonpositive:
            low, high = high * a, low * a
        elif a.is_nonnegative and low.is_nonnegative:
            low, high = low * a, high * b
        else:
            return UNKNOWN
    return low, high


def _smaller(operands: list[Interval]) -> Interval:
    return _least([low for low, _ in operands]), next((h for _, h in operands if h is not None), None)


def _larger(operands: list[Interval]) -> Interval:
    return next((low for low, _ in operands if low is not None), None), _greatest([high for _, high in operands])


def _one_of(operands: list[Interval]) -> Interval:
    return _least([low for low, _ in operands]), _greatest([high for _, high in operands])


def _least(values: list[Expr | None]) -> Expr | None:
    """The one that is surely no larger than any other."""
    known = [v for v in values if v is not None]
    if len(known) < len(values):
        return None
    return next((v for v in known if all(sympy.expand(o - v).is_nonnegative for o in known)), None)


def _greatest(values: list[Expr | None]) -> Expr | None:
    least = _least([None if v is None else -v for v in values])
    return None if least is None else -least


_PRIMITIVES: dict[str, Callable[[list[Interval]], Interval]] = {
    "add": _sum,
    "mul": _product,
    "minimum": _smaller,
    "maximum": _larger,
    "where": lambda operands: _one_of(operands[1:]),
    "indicator": lambda operands: (Integer(0), Integer(1)),
}

_RULES: dict[str, Callable[[Any, list[Interval]], Interval]] = {
    "array": _array,
    "iota": lambda node, operands: (Integer(0), sympy.sympify(node.shape[0]) - 1),
    "size": lambda node, operands: (node.args[0], node.args[0]),
    "reduce": _reduce,
    "elementwise": _elementwise,
    "concat": lambda node, operands: _one_of(operands),
    "place": lambda node, operands: _one_of([*operands, (Integer(0), Integer(0))]),
}

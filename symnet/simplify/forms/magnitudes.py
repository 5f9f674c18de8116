"""How large a value can be, whatever its variables are.

In: a node.  Out: a number that its absolute value does not exceed where it is a number at all, or None.
Values of sin, tanh, σ and their like are bounded, and so are sums and products of such values and of numbers: what is
bounded by a moderate number needs no guard against overflow.
Not handled: bounds that two values have together, as a vector and its norm; what lies deeper than `DEEPEST`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from symnet.expr.nodes.constants import number_of
from symnet.expr.nodes.node import Node
from symnet.simplify.forms.signs import is_positive

DEEPEST = 5
WIDEST = 8  # operands of a sum or product that are looked at
_UNIT = frozenset({"sin", "cos", "tanh", "sigmoid", "erf", "sign", "indicator"})

Magnitude = float | None


def largest(x: Node, depth: int = DEEPEST) -> Magnitude:
    """A bound of |x|; None where none is known."""
    value = number_of(x)
    if value is not None:
        return abs(float(value)) if value.is_finite else None
    if x.kind in ("expand", "slice", "reshape"):
        return largest(x.operands[0], depth)
    if x.kind != "elementwise" or len(x.operands) > WIDEST:
        return None
    name = str(x.args[0])
    if name in _UNIT:
        return 1.0
    if name not in _JOINED or not depth:
        return None
    return _JOINED[name](x, depth - 1)


def _all(values: Sequence[Node], depth: int) -> list[float] | None:
    """The bounds of all values; None where one has none."""
    found = [largest(o, depth) for o in values]
    known = [bound for bound in found if bound is not None]
    return known if len(known) == len(found) else None


def _sum(x: Node, depth: int) -> Magnitude:
    bounds = _all(x.operands, depth)
    return None if bounds is None else math.fsum(bounds)


def _product(x: Node, depth: int) -> Magnitude:
    bounds = _all(x.operands, depth)
    return None if bounds is None else math.prod(bounds)


def _power(x: Node, depth: int) -> Magnitude:
    base, exponent = x.operands
    bound, power = largest(base, depth), number_of(exponent)
    if bound is None or power is None or not is_positive(power) or not power.is_Integer or power > 4:
        return None
    return bound ** int(power)


def _either(x: Node, depth: int) -> Magnitude:
    bounds = _all(x.operands, depth)
    return None if bounds is None else max(bounds)


def _branches(x: Node, depth: int) -> Magnitude:
    bounds = _all(x.operands[1:], depth)
    return None if bounds is None else max(bounds)


_JOINED: dict[str, Callable[[Node, int], Magnitude]] = {
    "add": _sum,
    "mul": _product,
    "pow": _power,
    "abs": _sum,
    "maximum": _either,
    "minimum": _either,
    "where": _branches,
}

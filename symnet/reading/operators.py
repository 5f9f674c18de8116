"""The operators of formulas: how tightly each binds, and what it builds.

In: an operator and its operands, which are nodes or plain numbers of SymPy's.  Out: a node, or an exact number.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy

from symnet.errors import ArgumentError, explain
from symnet.expr.nodes.constants import as_node
from symnet.expr.nodes.elementwise import elementwise
from symnet.expr.nodes.node import Node

LARGEST_POWER = 1024  # bits of a power of plain numbers, beyond which a float64 is infinite


def _arithmetic(op: str) -> Callable[[Any, Any], Any]:
    plain = {"+": sympy.Add, "*": sympy.Mul, "-": lambda a, b: a - b, "/": lambda a, b: a / b}[op]
    nodes = {"+": Node.__add__, "*": Node.__mul__, "-": Node.__sub__, "/": Node.__truediv__}[op]

    def build(a: Any, b: Any) -> Any:
        if isinstance(a, sympy.Expr) and isinstance(b, sympy.Expr) and not (op == "/" and b == 0):
            return plain(a, b)
        return nodes(as_node(a), as_node(b))

    return build


def power(a: Any, b: Any) -> Any:
    """a**b, of numbers exactly."""
    numbers = isinstance(a, sympy.Expr) and isinstance(b, sympy.Expr) and a.is_number and b.is_number
    if numbers and a.is_Rational and b.is_Rational and a != 0:
        bits = abs(b) * max(a.p.bit_length(), a.q.bit_length())
        if bits > LARGEST_POWER:
            mend = "Use smaller numbers."
            raise ArgumentError(explain(f"{a}**{b}", f"a number below 2**{LARGEST_POWER}", "a larger one", mend))
        return a**b
    return as_node(a) ** as_node(b)


def _compare(op: str) -> Callable[[Any, Any], Any]:
    return lambda a, b: elementwise(op, as_node(a), as_node(b))


# operator → (precedence, how it is built)
BINARY: dict[str, tuple[int, Callable[[Any, Any], Any]]] = {
    **{
        s: (1, _compare(op)) for s, op in {"<": "lt", "<=": "le", ">": "gt", ">=": "ge", "==": "eq", "!=": "ne"}.items()
    },
    "|": (2, lambda a, b: as_node(a) | as_node(b)),
    "&": (3, lambda a, b: as_node(a) & as_node(b)),
    "+": (4, _arithmetic("+")),
    "-": (4, _arithmetic("-")),
    "*": (5, _arithmetic("*")),
    "/": (5, _arithmetic("/")),
    "@": (5, lambda a, b: as_node(a) @ as_node(b)),
    "//": (5, lambda a, b: as_node(a) // as_node(b)),
    "%": (5, lambda a, b: as_node(a) % as_node(b)),
}
UNARY: dict[str, Callable[[Any], Any]] = {
    "-": lambda a: -a if isinstance(a, sympy.Expr) else -as_node(a),
    "+": lambda a: a,
    "~": lambda a: ~as_node(a),
}
COMPARISON = 1  # its precedence, the lowest

"""What was meant, where a formula cannot be read as it is: @ for *, maximum for max, exp(x) for e**x.

In: an operator and its operands, or a function and its arguments.  Out: a sentence that is added to an error, or None.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sympy

from symnet.errors import ShapeError
from symnet.expr.nodes.node import Node

_LARGER = {"max": "maximum", "min": "minimum"}
_LONGEST = 40  # characters of an operand that is written out


def of_operands(op: str, a: Any, b: Any) -> str:
    """Two arrays that do not fit, by what was typed, and the product that they have."""
    if not isinstance(a, Node) or not isinstance(b, Node):
        return ""
    left, right = _shown(a, "the left operand"), _shown(b, "the right one")
    said = f"\n    {left} has shape {a.shape}, {right} has shape {b.shape}"
    turned = b.T if b.rank > 1 else b
    meant = next((pair for pair in ((a, b), (turned, a)) if op == "*" and _fits(*pair)), None)
    if meant is None:
        return said
    first, second = (a, b) if meant[0] is a else (b, a)
    turn = ".T" if first is b and turned is not b else ""
    return f"{said}: {_in_product(first)}{turn} @ {_in_product(second)} may be meant, the product of arrays"


def _in_product(node: Node) -> str:
    text = _shown(node, "…")
    return text if text.isidentifier() else f"({text})"


def _fits(a: Node, b: Node) -> bool:
    try:
        return (a @ b).rank >= 0
    except ShapeError:
        return False


def _shown(node: Node, otherwise: str) -> str:
    text = str(node)
    return text if len(text) <= _LONGEST else otherwise


def of_call(name: str, args: Sequence[Any]) -> str | None:
    """`max(0, x)` means `maximum(0, x)`."""
    if name not in _LARGER or len(args) != 2:
        return None
    first, second = args
    scalar = not isinstance(first, Node) or not first.rank
    if isinstance(second, Node) or (isinstance(second, sympy.Expr) and not second.is_Integer) or scalar:
        return f"Write {_LARGER[name]}(a, b) for the {name[:3]}imum of two values; {name}(x) is that of an array."
    return None

"""Integers of the loop language as text, `256*block + i`, and arrays by their shapes, `A: float32[m, 64]`.

In: an `IntExpr`, a `Buffer`.  Out: text for people; `printer.py` writes whole programs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from symnet.loops import integers as ir

# Precedence, loosest first; an operand that binds less tightly than its place asks for gets parentheses.
OR, AND, NOT, COMPARE, SUM, DIVISION, PRODUCT, SIGN, ATOM = range(9)

PrecedentText = tuple[str, int]  # the text and its precedence


def int_text(expr: ir.IntExpr) -> str:
    """An integer expression: `256*block + i`, `ceil(m/256)`, `min(256, m - 256*block)`."""
    return _int(expr)[0]


def buffer_text(buffer: ir.Buffer) -> str:
    """A declaration: `A: float32[m, 64]`, with `= view of B` where it shares memory."""
    view = f" = view of {buffer.view_of}" if buffer.view_of else ""
    return f"{buffer.name}: {buffer.dtype}[{joined(buffer.shape)}]{view}"


def element_text(buffer: ir.Buffer, index: Iterable[ir.IntExpr]) -> str:
    """An element: `A[i, k]`."""
    return f"{buffer.name}[{joined(index)}]"


def joined(exprs: Iterable[ir.IntExpr]) -> str:
    return ", ".join(int_text(expr) for expr in exprs)


def _int(expr: ir.IntExpr) -> PrecedentText:
    return _INT.get(type(expr), unknown)(expr)


def unknown(node: object) -> PrecedentText:
    return f"<{type(node).__name__}>", ATOM


def wrapped(text: PrecedentText, least: int) -> str:
    return text[0] if text[1] >= least else f"({text[0]})"


def _int_const(expr: ir.IntConst) -> PrecedentText:
    return str(expr.value), ATOM if expr.value >= 0 else SIGN


def _int_var(expr: ir.IntVar) -> PrecedentText:
    return expr.name, ATOM


def _negated(expr: ir.IntExpr) -> ir.IntExpr | None:
    """What is subtracted, where adding `expr` reads better as a subtraction."""
    if isinstance(expr, ir.IntConst) and expr.value < 0:
        return ir.IntConst(-expr.value)
    if isinstance(expr, ir.IntMul) and isinstance(expr.right, ir.IntConst) and expr.right.value < 0:
        return ir.int_mul(expr.left, ir.IntConst(-expr.right.value))
    return None


def _int_add(expr: ir.IntAdd) -> PrecedentText:
    first, second = expr.left, expr.right
    if _negated(first) is not None and _negated(second) is None:
        first, second = second, first
    left, taken = wrapped(_int(first), SUM), _negated(second)
    if taken is None:
        return f"{left} + {wrapped(_int(second), SUM)}", SUM
    return f"{left} - {wrapped(_int(taken), PRODUCT)}", SUM


def _int_mul(expr: ir.IntMul) -> PrecedentText:
    first, second = expr.left, expr.right
    if isinstance(second, ir.IntConst):
        first, second = second, first
    return f"{wrapped(_int(first), PRODUCT)}*{wrapped(_int(second), SIGN)}", PRODUCT


def _int_min(expr: ir.IntMin) -> PrecedentText:
    return f"min({joined((expr.left, expr.right))})", ATOM


def _int_floordiv(expr: ir.IntFloorDiv) -> PrecedentText:
    value = expr.value
    if isinstance(value, ir.IntAdd) and value.right == ir.IntConst(expr.divisor - 1):
        return f"ceil({wrapped(_int(value.left), SIGN)}/{expr.divisor})", ATOM
    return f"{wrapped(_int(value), SIGN)}//{expr.divisor}", DIVISION


def _int_mod(expr: ir.IntMod) -> PrecedentText:
    return f"{wrapped(_int(expr.value), SIGN)} % {expr.divisor}", DIVISION


def _int_load(expr: ir.IntLoad) -> PrecedentText:
    return element_text(expr.buffer, expr.index), ATOM


_INT: dict[type, Callable[[Any], PrecedentText]] = {
    ir.IntConst: _int_const,
    ir.IntVar: _int_var,
    ir.IntAdd: _int_add,
    ir.IntMul: _int_mul,
    ir.IntMin: _int_min,
    ir.IntFloorDiv: _int_floordiv,
    ir.IntMod: _int_mod,
    ir.IntLoad: _int_load,
}

"""Integer expressions as C, as Rust, as Python, and back from Python text.

In: `IntExpr`s of a signature.  Out: text that evaluates to the same number, since extents are never negative.

Not handled: integer loads, which no shape contains.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from keyword import iskeyword
from types import MappingProxyType
from typing import Any

from symnet.loops.integers import (
    IntAdd,
    IntConst,
    IntExpr,
    IntFloorDiv,
    IntMin,
    IntMod,
    IntMul,
    IntVar,
    int_floordiv,
    int_min,
    int_mod,
)

Texts = Mapping[type, str]
PLAIN: Texts = {IntConst: "{}", IntAdd: "({} + {})", IntMul: "({} * {})"}
C: Texts = {**PLAIN, IntFloorDiv: "({} / {})", IntMod: "({} % {})", IntMin: "({0} < {1} ? {0} : {1})"}
RUST: Texts = {
    IntConst: "{}i64",
    IntAdd: "{}.saturating_add({})",
    IntMul: "{}.saturating_mul({})",
    IntFloorDiv: "({} / {})",
    IntMod: "({} % {})",
    IntMin: "{}.min({})",
}
PYTHON: Texts = {**PLAIN, IntFloorDiv: "({} // {})", IntMod: "({} % {})", IntMin: "min({}, {})"}


def c_text(expr: IntExpr, names: Mapping[str, str]) -> str:
    """An expression in C over int64_t variables; names: the identifier of each dim."""
    return _write(expr, C, names)


def c_saturated(expr: IntExpr, names: Mapping[str, str], function: str) -> str:
    """An expression in C whose sums and products stop at the ends of int64_t: calls of FUNCTION_plus and
    FUNCTION_times.
    """
    return _write(expr, {**C, IntAdd: f"{function}_plus({{}}, {{}})", IntMul: f"{function}_times({{}}, {{}})"}, names)


SATURATED = """\
/* Sums and products of extents, which end at the ends of int64_t. */
static inline int64_t {name}_plus(int64_t a, int64_t b)
{{
    if (a > 0 ? b > INT64_MAX - a : b < INT64_MIN - a) return a > 0 ? INT64_MAX : INT64_MIN;
    return a + b;
}}

static inline int64_t {name}_times(int64_t a, int64_t b)
{{
    if (a > 0 && b > INT64_MAX / a) return INT64_MAX;
    if (a > 0 && b < INT64_MIN / a) return INT64_MIN;
    return a * b;
}}"""


def c_count(shape: tuple[IntExpr, ...], names: Mapping[str, str]) -> str:
    """The number of elements in C: `m * 3`; 1 for rank 0."""
    texts = [c_text(extent, names) for extent in shape]
    return " * ".join(f"({text})" if " " in text and len(texts) > 1 else text for text in texts) or "1"


def rust_text(expr: IntExpr, names: Mapping[str, str]) -> str:
    """An expression in Rust over i64, whose sums and products stop at its ends."""
    return _write(expr, RUST, names)


def rust_count(shape: tuple[IntExpr, ...], names: Mapping[str, str]) -> str:
    """The number of elements in Rust: `m.saturating_mul(3i64)`."""
    texts = [_inner(extent, RUST, names) for extent in shape]
    return reduce(lambda left, right: f"{left}.saturating_mul({right})", texts)


def python_text(expr: IntExpr, names: Mapping[str, str] = MappingProxyType({})) -> str:
    """An expression in Python over the dims; names: the identifier of each, where it is not its name."""
    return _write(expr, PYTHON, names)


def python_names(dims: Sequence[str]) -> dict[str, str]:
    """An identifier of Python for each dim: `for` is `for_`."""
    found: dict[str, str] = {}
    for dim in dims:
        identifier = dim
        while iskeyword(identifier) or identifier == "min" or identifier in found.values():
            identifier += "_"
        found[dim] = identifier
    return found


def _write(expr: IntExpr, texts: Texts, names: Mapping[str, str]) -> str:
    text = _WRITE[type(expr)](expr, texts, names)
    return text[1:-1] if _is_wrapped(text) else text


def _is_wrapped(text: str) -> bool:
    """Whether one pair of parentheses holds the whole text."""
    depth = 0
    for position, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if depth == 0:
            return letter == ")" and text[0] == "(" and position == len(text) - 1
    return False


def _inner(expr: IntExpr, texts: Texts, names: Mapping[str, str]) -> str:
    return _WRITE[type(expr)](expr, texts, names)


def _number(expr: IntConst, texts: Texts) -> str:
    text = texts[IntConst].format(expr.value)
    return f"({text})" if texts is RUST and expr.value < 0 else text  # whose methods bind tighter than a minus


_WRITE: dict[type, Callable[[Any, Texts, Mapping[str, str]], str]] = {
    IntConst: lambda e, texts, names: _number(e, texts),
    IntVar: lambda e, texts, names: names.get(e.name, e.name),
    IntAdd: lambda e, texts, names: texts[IntAdd].format(_inner(e.left, texts, names), _inner(e.right, texts, names)),
    IntMul: lambda e, texts, names: texts[IntMul].format(_inner(e.left, texts, names), _inner(e.right, texts, names)),
    IntMin: lambda e, texts, names: texts[IntMin].format(_inner(e.left, texts, names), _inner(e.right, texts, names)),
    IntFloorDiv: lambda e, texts, names: texts[IntFloorDiv].format(_inner(e.value, texts, names), e.divisor),
    IntMod: lambda e, texts, names: texts[IntMod].format(_inner(e.value, texts, names), e.divisor),
}

# --------------------------------------------------------------------------- reading


def read(text: str | int) -> IntExpr:
    """What `python_text` wrote."""
    return IntConst(text) if isinstance(text, int) else _read(ast.parse(text, mode="eval").body)


def _read(node: Any) -> IntExpr:
    return _READ[type(node)](node)


def _constant(expr: IntExpr) -> int:
    assert isinstance(expr, IntConst)
    return expr.value


_OPERATORS: dict[type, Callable[[IntExpr, IntExpr], IntExpr]] = {
    ast.Add: lambda left, right: left + right,
    ast.Sub: lambda left, right: left - right,
    ast.Mult: lambda left, right: left * right,
    ast.FloorDiv: lambda left, right: int_floordiv(left, _constant(right)),
    ast.Mod: lambda left, right: int_mod(left, _constant(right)),
}
_READ: dict[type, Callable[[Any], IntExpr]] = {
    ast.Constant: lambda node: IntConst(node.value),
    ast.Name: lambda node: IntVar(node.id),
    ast.UnaryOp: lambda node: _read(node.operand) * -1,
    ast.BinOp: lambda node: _OPERATORS[type(node.op)](_read(node.left), _read(node.right)),
    ast.Call: lambda node: int_min(*map(_read, node.args)),
}

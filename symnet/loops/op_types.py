"""Which dtypes every scalar operation takes and gives.

In: an `Op`.  Out: nothing, or what was expected of it.  Nothing is promoted in the loop language: operands of one
dtype, and casts where they differ.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from symnet import dtypes
from symnet.expr.nodes.primitives import functions
from symnet.loops import ir


@dataclass(frozen=True, slots=True)
class Typing:
    """How many operands, of which class ("number", "real", "bool", "select", "cast"), and the result's dtype."""

    arity: int
    operands: str
    result: str = "same"  # as the operands, or "bool"


_REAL_ARITHMETIC = ("div", "fma", "sqrt", "rsqrt")
_TERNARY, _UNARY = ("fma",), ("neg", "abs", "floor", "sign", "sqrt", "rsqrt")
_BINARY_MATH = ("pow", "xlogy", "atan2")
MATH = (*_BINARY_MATH, *(p.name for p in functions() if p.result == "real"))


def _arithmetic(name: str) -> Typing:
    arity = 3 if name in _TERNARY else 1 if name in _UNARY else 2
    return Typing(arity, "real" if name in _REAL_ARITHMETIC else "number")


TYPING: dict[str, Typing] = {
    **{name: _arithmetic(name) for name in ir.ARITHMETIC},
    **{name: Typing(2, "number", "bool") for name in ir.COMPARISON},
    **{name: Typing(1 if name == "not" else 2, "bool", "bool") for name in ir.LOGICAL},
    **{name: Typing(2 if name in _BINARY_MATH else 1, "real") for name in MATH},
    "pow": Typing(2, "number"),
    "select": Typing(3, "select"),
    "cast": Typing(1, "cast"),
}
OPS = frozenset(TYPING)


def kind(dtype: str) -> str:
    """One of "real", "integer", "bool"; "none" for what is no dtype."""
    kinds = {"real": dtypes.REAL, "integer": dtypes.INTEGER, "bool": ("bool",)}
    return next((name for name, members in kinds.items() if dtype in members), "none")


def mismatch(node: ir.Op) -> str | None:
    """What the operation wants, where its operands or its result are of other dtypes."""
    typing = TYPING[node.name]
    return _RULES[typing.operands](typing, [arg.dtype for arg in node.args], node.dtype)


def _uniform(*kinds: str) -> Callable[[Typing, list[str], str], str | None]:
    def rule(typing: Typing, got: list[str], result: str) -> str | None:
        wanted = "bool" if typing.result == "bool" else got[0]
        if len(set(got)) == 1 and kind(got[0]) in kinds and result == wanted:
            return None
        result_text = "bool" if typing.result == "bool" else "that dtype"
        return f"operands of one dtype ({' or '.join(kinds)}), with a result of {result_text}"

    return rule


def _select(typing: Typing, got: list[str], result: str) -> str | None:
    fits = got[0] == "bool" and got[1] == got[2] == result
    return None if fits else "a bool, then two values of the result's dtype"


def _cast(typing: Typing, got: list[str], result: str) -> str | None:
    return None if result in dtypes.ALL else "a value, to a dtype among " + ", ".join(dtypes.ALL)


_RULES: dict[str, Callable[[Typing, list[str], str], str | None]] = {
    "number": _uniform("integer", "real"),
    "real": _uniform("real"),
    "bool": _uniform("bool"),
    "select": _select,
    "cast": _cast,
}

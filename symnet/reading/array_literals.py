"""Arrays written out in formulas, `array([[1.0, 2.0]], dtype="float32")`, as Python and NumPy read them.

In: the parser at the name `array`.  Out: a constant array.  The numbers are Python's, not SymPy's: 1.0 is no 1 here,
for the array's dtype depends on it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from symnet.errors import ArgumentError
from symnet.expr.nodes.constants import constant
from symnet.expr.nodes.node import Node
from symnet.reading.tokens import Token


class TokenReader(Protocol):
    """What reads the tokens of a formula from left to right: the parser."""

    depth: int

    @property
    def token(self) -> Token: ...

    def sees(self, *texts: str, ahead: int = 0) -> bool: ...

    def take(self) -> Token: ...

    def expect(self, *texts: str) -> Token: ...

    def enter(self, at: int) -> None: ...

    def unexpected(self, expected: str, closing: str = "") -> ArgumentError: ...

    def building(self, at: int, build: Callable[..., Any], *args: Any, **keywords: Any) -> Any: ...


_WORDS: dict[str, Any] = {"True": True, "False": False, "nan": float("nan"), "inf": float("inf")}


def read_array(parser: TokenReader, name: Token) -> Node:
    """`array(list)` or `array(list, dtype="…")`, after its name."""
    parser.expect("(")
    values, dtype = _values(parser), None
    if parser.sees(","):
        parser.take()
        parser.expect("dtype")
        parser.expect("=")
        dtype = parser.take().text.strip("\"'")
    parser.expect(")")
    return parser.building(name.at, constant, values, dtype)


def _values(parser: TokenReader) -> list[Any]:
    """A list of numbers, or of such lists."""
    parser.expect("[")
    found: list[Any] = []
    while not parser.sees("]"):
        parser.enter(parser.token.at)
        found.append(_values(parser) if parser.sees("[") else _number(parser))
        parser.depth -= 1
        if not parser.sees("]"):
            parser.expect(",", "]")
    parser.take()
    return found


def _number(parser: TokenReader) -> Any:
    sign = -1 if parser.sees("-") else 1
    if parser.sees("-", "+"):
        parser.take()
    token = parser.token
    if token.text not in _WORDS and token.kind != "number":
        raise parser.unexpected("a number, or a list of numbers")
    parser.take()
    value = _WORDS[token.text] if token.text in _WORDS else _plain(token.text)
    return sign * value if sign < 0 else value


def _plain(text: str) -> int | float:
    return int(text) if text.isdigit() else float(text)

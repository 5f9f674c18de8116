"""Arrays written out in formulas, `array([[1.0, 2.0]], dtype="float32")`, as Python and NumPy read them.

In: the parser at the name `array`.  Out: a constant array.  The numbers are Python's, not SymPy's: 1.0 is no 1 here,
for the array's dtype depends on it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from symnet.expr.constants import constant
from symnet.expr.node import Node
from symnet.expr.tokens import Token

if TYPE_CHECKING:
    from symnet.expr.parsing import _Parser

_WORDS: dict[str, Any] = {"True": True, "False": False, "nan": float("nan"), "inf": float("inf")}


def read_array(parser: _Parser, name: Token) -> Node:
    """`array(list)` or `array(list, dtype="…")`, after its name."""
    parser.expect("(")
    values, dtype = _values(parser), None
    if parser.sees(","):
        parser.take()
        parser.expect("dtype")
        parser.expect("=")
        dtype = parser.take().text.strip("\"'")
    parser.expect(")")
    return parser.building(name.at, constant, values, dtype)  # type: ignore[no-any-return]


def _values(parser: _Parser) -> list[Any]:
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


def _number(parser: _Parser) -> Any:
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

"""Formulas as tokens: the signs of the grammar, and what is said of those that are not.

In: text.  Out: tokens, the last of which is "the end".  Signs that mean one thing only are read as it: Xᵀ and X' as
X.T, x² as x**2, ≤ as <=, − as -, ⊙ as *.  Others are refused with what to write instead: ^ is a power for some and
xor for Python, · may be * or @.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from symnet.errors import ArgumentError, clipped, explain

_LINE = 100  # characters of a formula in an error

SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
TRANSPOSE = "'"
_SAME = {"ᵀ": TRANSPOSE, "⊤": TRANSPOSE, "≤": "<=", "≥": ">=", "≠": "!=", "−": "-", "⊙": "*", "∘": "*"}
_SPECIAL = "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺ᵀ⊤Σ∑∏√∂∇"
_TOKEN = re.compile(
    r"(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"
    rf"|(?P<name>(?![{_SPECIAL}])[^\W\d](?:(?![{_SPECIAL}])\w)*)"
    r"|(?P<string>\"[^\"\n]*\"|'[^'\n]*')"
    r"|(?P<superscript>[⁰¹²³⁴⁵⁶⁷⁸⁹]+)"
    r"|(?P<sign>\*\*|//|<=|>=|==|!=|[-+*/%@<>&|~()\[\],:;=.ᵀ⊤≤≥≠−⊙∘])"
)
_MEANT = {
    "^": "Write ** for a power, .T for a transpose, inv(A) for an inverse.",
    "·": "Write * or @ for a product.",
    "×": "Write * for a product.",
    "⋅": "Write * or @ for a product.",
    "∑": "Write sum(x), or sum(x, axis=0).",
    "Σ": "Write sum(x), or sum(x, axis=0).",
    "∏": "Write prod(x).",
    "√": "Write sqrt(x).",
    "⁻": "Write x**-1, or inv(A) for a matrix.",
    "∂": "Write the expression; --wrt names the variable.",
    "∇": "Write the expression; --wrt names the variable.",
    "‖": "Write norm(x).",
    "!": "Write != for unequal, gamma(x + 1) for x!.",
    "∫": "Write the integrand: it can be differentiated, not integrated.",
    "\\": "Write NumPy's functions, such as log(x): LaTeX is not read.",
    "$": "Write NumPy's functions, such as log(x): LaTeX is not read.",
    "#": "Leave comments out.",
}
_ENDS_VALUE = frozenset({")", "]", TRANSPOSE})


class Token(NamedTuple):
    """A piece of the text: its kind (number, name, string, superscript, sign, end), itself, and where it begins."""

    kind: str
    text: str
    at: int

    @property
    def shown(self) -> str:
        """The token as an error names it."""
        return self.text if self.kind == "end" else repr(clipped(self.text))

    def ends_value(self) -> bool:
        return self.kind in ("number", "name", "superscript") or self.text in _ENDS_VALUE


def tokenize(text: str) -> list[Token]:
    """The tokens of a formula.

    Raises:
        ArgumentError: a character outside the grammar.
    """
    tokens: list[Token] = []
    at = 0
    while at < len(text):
        if text[at] == "#" and tokens:  # what printed formulas say of their constants
            at = (text.find("\n", at) + 1) or len(text)
            continue
        found = None if _transposes(text, at, tokens) else _TOKEN.match(text, at)
        if found is not None:
            word = found.group()
            tokens.append(Token(str(found.lastgroup), _SAME.get(word, word).translate(SUPERSCRIPTS), at))
        elif text[at] == TRANSPOSE and tokens:
            tokens.append(Token("sign", TRANSPOSE, at))
        elif not text[at].isspace():
            mend = _MEANT.get(text[at], "Write NumPy's operators and function calls.")
            mend = _power_meant(text[at:], tokens) or mend
            raise formula_error(text, at, "a sign of the grammar", repr(text[at]), mend)
        at = found.end() if found else at + 1
    return [*tokens, Token("end", "the end", len(text))]


def _power_meant(rest: str, tokens: list[Token]) -> str:
    """What `x^2`, `X^T`, `A^-1` and `sin^2(x)` are here; nothing of other signs."""
    found = re.match(r"\^\s*\(?\s*(T\b|-?\s*[\w.]+)\)?\s*(\(?\w+\)?)?", rest)
    if found is None or not tokens or not tokens[-1].ends_value():
        return ""
    base, (power, behind) = tokens[-1].text if tokens[-1].kind == "name" else "(…)", found.groups()
    if power == "T":
        return f"Write {base}.T for the transpose."
    if len(base) > 1 and base.isalpha() and behind:
        return f"Write {base}({behind.strip('()')})**{power}."
    if base == "e":
        return f"Write exp({power}) for e to that power."
    inverse = f", or inv({base}) for a matrix" if power == "-1" else ""
    return f"Write {base}**{power}{inverse}."


def _transposes(text: str, at: int, tokens: list[Token]) -> bool:
    """Whether a quotation mark stands right behind a value: X' is X.T."""
    return text[at] == TRANSPOSE and bool(tokens) and not text[at - 1].isspace() and tokens[-1].ends_value()


def formula_error(text: str, at: int, expected: str, got: str, mend: str) -> ArgumentError:
    """An error that points at a place of a formula."""
    return ArgumentError(explain("the formula", expected, got, mend) + pointer(text, at))


def pointer(text: str, at: int) -> str:
    """The formula, and a caret under the place."""
    first = max(0, at - _LINE + 20)
    line = "".join(c if c.isprintable() else " " for c in text[first : first + _LINE])
    return f"\n    {line}\n    {' ' * (at - first)}^"

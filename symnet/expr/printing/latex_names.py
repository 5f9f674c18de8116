r"""Names given in LaTeX, such as `\hat{y}_{i}` or `\boldsymbol\theta`, in MathML.

In: LaTeX.  Out: MathML, or None where it is more than a name.
What is read: letters, digits and Greek letters, subscripts, superscripts and primes, groups, the common accents, fonts
and signs.  Not handled: everything else of LaTeX.
"""

from __future__ import annotations

import re
from functools import lru_cache
from html import escape

from sympy.printing.pretty.pretty_symbology import greek_unicode

from symnet.expr.printing.markup import accented

_ACCENTS = {
    "hat": "^",
    "widehat": "^",
    "bar": "‾",
    "overline": "‾",
    "tilde": "~",
    "widetilde": "~",
    "dot": "˙",
    "ddot": "¨",
    "vec": "→",
    "check": "ˇ",
    "breve": "˘",
}
_FONTS = {
    "mathbf": "bold",
    "boldsymbol": "bold",
    "bm": "bold",
    "mathrm": "normal",
    "mathcal": "script",
    "mathscr": "script",
    "mathbb": "double-struck",
    "mathsf": "sans-serif",
    "mathfrak": "fraktur",
    "mathit": "italic",
}
_WORDS = frozenset({"text", "textrm", "operatorname", "textbf", "textit"})
_SIGNS = {
    "ell": "ℓ", "star": "⋆", "ast": "∗", "prime": "′", "top": "⊤", "dagger": "†", "perp": "⊥", "infty": "∞",
    "nabla": "∇", "partial": "∂", "hbar": "ℏ", "pm": "±", "mp": "∓", "cdot": "·", "times": "×", "parallel": "∥",
    "varepsilon": "ε", "epsilon": "ϵ", "varphi": "φ", "phi": "ϕ", "vartheta": "ϑ", "varrho": "ϱ", "varsigma": "ς",
}  # fmt: skip
_SPACES = frozenset({",", ";", ":", "!", " ", "quad", "qquad", "left", "right", "displaystyle", "limits"})
_TOKEN = re.compile(r"\\([A-Za-z]+|.)|(\d+(?:\.\d+)?)|(\s+)|(.)", re.DOTALL)
_BOLD = {"A": 0x1D400, "a": 0x1D41A, "Α": 0x1D6A8, "α": 0x1D6C2, "0": 0x1D7CE}  # where bold alphabets begin
_DEEPEST = 20


class _Beyond(Exception):
    """LaTeX that is more than a name."""


@lru_cache(maxsize=4096)
def latex_name(latex: str) -> str | None:
    """A name written in LaTeX as MathML; None where it is more than that."""
    try:
        reader = _NameReader([_token(found) for found in _TOKEN.finditer(latex) if not found.group(3)])
        written = reader.row(closing="")
    except _Beyond:
        return None
    return written or None


def _token(found: re.Match[str]) -> tuple[str, str]:
    command, number, _, sign = found.groups()
    return ("command", command) if command else ("number", number) if number else ("sign", sign)


class _NameReader:
    """Reads tokens from left to right."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self.tokens = tokens
        self.position = self.depth = 0

    def row(self, closing: str, font: str = "") -> str:
        """Everything up to a closing brace, or to the end."""
        self.depth += 1
        if self.depth > _DEEPEST:
            raise _Beyond
        pieces = []
        while self.position < len(self.tokens):
            if self.tokens[self.position] == ("sign", "}"):
                break
            pieces.append(self.scripted(font))
        if closing:
            self.take("}")
        elif self.position < len(self.tokens):
            raise _Beyond
        self.depth -= 1
        return pieces[0] if len(pieces) == 1 else f"<mrow>{''.join(pieces)}</mrow>" if pieces else ""

    def take(self, sign: str = "") -> tuple[str, str]:
        if self.position >= len(self.tokens) or (sign and self.tokens[self.position] != ("sign", sign)):
            raise _Beyond
        self.position += 1
        return self.tokens[self.position - 1]

    def scripted(self, font: str) -> str:
        """A letter or group with what stands below and above it."""
        base, below, above = self.atom(font), "", ""
        while self.position < len(self.tokens) and self.tokens[self.position] in _SCRIPTS:
            _, sign = self.take()
            if sign == "'":
                above += "<mo>′</mo>"
            elif sign == "_" and not below:
                below = self.atom(font)
            elif sign == "^":
                above += self.atom(font)
            else:
                raise _Beyond
        if below and above:
            return f"<msubsup>{base}<mrow>{below}</mrow><mrow>{above}</mrow></msubsup>"
        if below:
            return f"<msub>{base}<mrow>{below}</mrow></msub>"
        return f"<msup>{base}<mrow>{above}</mrow></msup>" if above else base

    def atom(self, font: str) -> str:
        kind, text = self.take()
        if kind == "number":
            return f"<mn>{_in_font(text, font)}</mn>"
        if kind == "command":
            return self.command(text, font)
        if text == "{":
            return self.row("}", font) or "<mrow></mrow>"
        if text.isalpha():
            return _identifier(text, font)
        if text in "[]":
            return f'<mo stretchy="false" lspace="0" rspace="0">{text}</mo>'
        if text in "+-*,.()|/=":
            return f"<mo>{escape('−' if text == '-' else text)}</mo>"
        raise _Beyond

    def command(self, name: str, font: str) -> str:
        if name in _ACCENTS:
            return accented(self.atom(font), _ACCENTS[name])
        if name in _FONTS:
            return self.atom(_FONTS[name])
        if name in _WORDS:
            return f"<mi>{escape(self.word())}</mi>"
        if name in _SIGNS:
            return _identifier(_SIGNS[name], font) if _SIGNS[name].isalpha() else f"<mo>{_SIGNS[name]}</mo>"
        if name in greek_unicode:
            return _identifier(greek_unicode[name], font)
        if name in _SPACES:
            return ""
        raise _Beyond

    def word(self) -> str:
        """The letters of a group, as they are."""
        self.take("{")
        letters = ""
        while self.position < len(self.tokens) and self.tokens[self.position] != ("sign", "}"):
            kind, text = self.take()
            if kind == "command":
                raise _Beyond
            letters += text
        self.take("}")
        return letters


_SCRIPTS = frozenset({("sign", "_"), ("sign", "^"), ("sign", "'")})


def _identifier(letter: str, font: str) -> str:
    if font == "normal":
        return f'<mi mathvariant="normal">{escape(letter)}</mi>'
    shown = _in_font(letter, font)
    variant = f' mathvariant="{font}"' if font not in ("", "bold", "italic") else ""
    return f"<mi{variant}>{escape(shown)}</mi>"


def _in_font(text: str, font: str) -> str:
    """Bold letters of the mathematical alphabet: browsers set them without a style sheet."""
    return "".join(map(_bold, text)) if font == "bold" else text


def _bold(letter: str) -> str:
    for first, start in _BOLD.items():
        if 0 <= ord(letter) - ord(first) < (10 if first == "0" else 25 if first in "Αα" else 26):
            return chr(start + ord(letter) - ord(first))
    return letter

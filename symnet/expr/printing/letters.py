r"""Letters beyond ASCII in LaTeX: θ is \theta, ŷ is \hat{y}, so that any LaTeX sets them.

In: a word of a name.  Out: LaTeX for math mode.
Other alphabets stand as text, which needs a LaTeX that has their letters.
"""

from __future__ import annotations

import unicodedata

from sympy.printing.latex import translate

_MARKS = {
    "\u0300": "grave", "\u0301": "acute", "\u0302": "hat", "\u0303": "tilde", "\u0304": "bar", "\u0305": "bar",
    "\u0306": "breve", "\u0307": "dot", "\u0308": "ddot", "\u030a": "mathring", "\u030c": "check", "\u20d7": "vec",
}  # fmt: skip
_LATIN = dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΧο", "ABEZHIKMNOPTXo", strict=True))  # Greek letters that LaTeX has no other sign for
_VARIANTS = {"ς": r"\varsigma", "ϕ": r"\phi", "φ": r"\varphi", "ϑ": r"\vartheta", "ϵ": r"\epsilon", "ε": r"\varepsilon"}


def word_latex(word: str) -> str:
    """A word of a name: SymPy's spelling where it is ASCII."""
    if word.isascii():
        return str(translate(word))
    pieces: list[str] = []
    for character in unicodedata.normalize("NFD", word):
        if character in _MARKS and pieces:
            pieces[-1] = rf"\{_MARKS[character]}{{{pieces[-1]}}}"
        else:
            pieces.append(_letter(character))
    if not all(piece.isascii() for piece in pieces):
        return rf"\text{{{word}}}"
    return (" " if any("\\" in piece for piece in pieces) else "").join(pieces)


def _letter(character: str) -> str:
    if character in _VARIANTS or character in _LATIN:
        return _VARIANTS.get(character) or _LATIN[character]
    name = unicodedata.name(character, "")
    if name.startswith(("GREEK SMALL LETTER ", "GREEK CAPITAL LETTER ")):
        letter = name.rpartition(" ")[2].lower().replace("lamda", "lambda")
        return "\\" + (letter.capitalize() if "CAPITAL" in name else letter)
    return character

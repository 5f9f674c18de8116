"""The elements of MathML: rows, operators, fences, names, numbers.

In: words, numbers, pieces of markup.  Out: markup; every piece is well-formed XML.
`mathml.py` builds formulas from it, and pages set single names and numbers with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from html import escape, unescape
from typing import Any

import sympy
from sympy.printing.conventions import split_super_sub
from sympy.printing.pretty.pretty_symbology import greek_unicode

from symnet.expr.printing.long_numbers import as_power

THIN = '<mspace width="0.1667em"/>'
MINUS = '<mo form="prefix">−</mo>'  # a sign; between terms, op("−")


def math_element(inner: str, block: bool = False) -> str:
    """`<math>` around a piece of MathML."""
    display = ' display="block"' if block else ""
    return f'<math xmlns="http://www.w3.org/1998/Math/MathML"{display}>{row(inner)}</math>'


def row(*pieces: str) -> str:
    """Pieces side by side, as one."""
    return f"<mrow>{''.join(pieces)}</mrow>"


def op(sign: str) -> str:
    """An operator, spaced as the browser knows it."""
    return f"<mo>{escape(sign)}</mo>"


_TALL = ("<mfrac", "<munder", "<mtable", "<msqrt")


def parens(inner: str, left: str = "(", right: str = ")") -> str:
    """Fences as tall as what they hold; browsers set those that may grow with more space, so not all may."""
    grows = "true" if any(piece in inner for piece in _TALL) else "false"
    fences = (f'<mo fence="true" stretchy="{grows}" lspace="0" rspace="0">{sign}</mo>' for sign in (left, right))
    return row(next(fences), inner, next(fences))


def upright(word: str) -> str:
    """A word, or a letter that is no variable."""
    return f'<mi mathvariant="normal">{escape(word)}</mi>' if len(word) == 1 else f"<mi>{escape(word)}</mi>"


def bold(text: str) -> str:
    return f'<mi class="bold">{_bold_digits(text)}</mi>'


def _bold_digits(text: str) -> str:
    """Digits of the mathematical alphabet: bold without a style sheet."""
    return "".join(chr(0x1D7CE + int(c)) if c.isdigit() else c for c in text)


def sup(base: str, above: str) -> str:
    return f"<msup>{row(base)}{row(above)}</msup>"


def sub(base: str, below: str) -> str:
    return f"<msub>{row(base)}{row(below)}</msub>"


TOP = '<mo lspace="0" rspace="0">⊤</mo>'


_ACCENTS = {"bar": "‾", "hat": "^", "tilde": "~", "dot": "˙", "vec": "→"}


@lru_cache(maxsize=4096)
def name_mathml(name: str) -> str:
    """An identifier: Greek letters, digits as subscripts, words upright; `x_bar` is x with a bar."""
    for accent, mark in _ACCENTS.items():
        stem = name.removesuffix(f"_{accent}")
        if stem and stem != name:
            return _accented(stem, mark)
    head, supers, subs = split_super_sub(name)
    written = _letters(head)
    if subs:
        written = f"<msub>{written}{row(*_listed(subs))}</msub>"
    return f"<msup>{written}{row(*_listed(supers))}</msup>" if supers else written


def accented(base: str, mark: str) -> str:
    """A mark over a letter.  A bar stands a little off: as an accent, browsers let it touch the letter; over several
    letters it is a line as long as they are, which browsers do not stretch a mark to.
    """
    if mark == _ACCENTS["bar"] and base.startswith("<mrow>"):
        return f'<mrow style="border-top: 0.06em solid; padding-top: 0.1em">{base}</mrow>'
    accent = "" if mark == _ACCENTS["bar"] else ' accent="true"'
    return f'<mover{accent}>{base}<mo stretchy="false">{mark}</mo></mover>'


def _accented(stem: str, mark: str) -> str:
    """A mark over the letter, its subscripts outside."""
    head, supers, subs = split_super_sub(stem)
    over = accented(_letters(head), mark)
    over = f"<msub>{over}{row(*_listed(subs))}</msub>" if subs else over
    return f"<msup>{over}{row(*_listed(supers))}</msup>" if supers else over


def _listed(names: Iterable[str]) -> list[str]:
    return [f"<mn>{n}</mn>" if n.isdigit() else _letters(n) for n in names]


def _letters(name: str) -> str:
    return f"<mi>{escape(greek_unicode.get(name, name))}</mi>"


def signed(digits: str) -> str:
    return f"{MINUS}<mn>{digits[1:]}</mn>" if digits.startswith("-") else f"<mn>{digits}</mn>"


_ENTITY = re.compile(r"&(?!amp;|lt;|gt;)\w+;")  # XML knows none but these


def exact(value: Any) -> str:
    """A SymPy number or extent: integers, fractions, roots, polynomials in dims."""
    power = as_power(value)
    if power is not None:
        return str(sympy.mathml(power, printer="presentation")).replace("&InvisibleTimes;", "·")
    if value.is_Integer:
        return signed(str(value))
    if value.is_Symbol:
        return name_mathml(value.name)
    return _ENTITY.sub(lambda found: unescape(found[0]), sympy.mathml(value, printer="presentation"))

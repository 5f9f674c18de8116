"""Long formulas in MathML in parts, between which a browser may begin a new line.

In: MathML as `mathml.py` writes it.  Out: its parts, each well-formed by itself; a short formula is one.  Browsers
break no line inside `<math>`, so that each part is to be a `<math>` of its own.  A fraction or a root wider than a part
is written as a quotient or a power of brackets.
Not handled: matrices and cases, which no line break divides.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Sequence

from symnet.expr.printing.line_breaks import FACTOR, NEVER, OPERATION, TERM, Piece, chunks, indent, lines
from symnet.expr.printing.markup import math_element

LONGEST = 20.0  # em of a formula that is one part
SIZE = 15.0  # em of a part, where there are places to break it
_WIDEST = 28.0  # em of a fraction, a root or a power that stays one
_ROW = 32.0  # em of a row of a table

_BEGINS = {
    "+": TERM, "−": TERM, "↦": TERM, "→": TERM, "=": TERM, "⊙": OPERATION, "·": OPERATION, "/": OPERATION,
    "∧": OPERATION, "∨": OPERATION, "←": OPERATION,
}  # fmt: skip
_SMALL = 0.72  # an index beside its letter


LONG = 'class="long"'  # of the element around a formula that may take several lines


def displayed(markup: str) -> str:
    """A formula in the line, set as a display: one `<math>`, or several in a `<span>` where it is long."""
    found = [math_element(f'<mstyle displaystyle="true">{part}</mstyle>') for part in parts(markup)]
    return found[0] if len(found) == 1 else f"<span {LONG}>{'<wbr/>'.join(found)}</span>"


def parts(markup: str) -> list[str]:
    """The parts of a formula, between which a browser may begin a new line."""
    pieces = _long(markup, LONGEST)
    found = chunks(pieces, SIZE)
    return ["".join(_written(piece, part, pieces) for piece in part) for part in found] if pieces else [markup]


def broken(markup: str) -> list[str]:
    """The lines of a formula where nothing else breaks it: in a table."""
    pieces = _long(markup, _ROW)
    found = lines(pieces, _ROW, _ROW)
    rows = ["".join(_written(piece, line, pieces) for piece in line) for line in found] if pieces else [markup]
    margins = ["", *(f'<mspace width="{indent(line[0])}em"/>' for line in found[1:])]
    return [margin + row for margin, row in zip(margins, rows, strict=True)]


def _long(markup: str, room: float) -> list[Piece]:
    """The pieces of a formula that is wider than a place; none of others."""
    if len(re.sub(r"<[^>]*>", "", markup)) < room:  # as many letters, at most
        return []
    root = ET.fromstring(f"<mrow>{markup}</mrow>")
    if width(root) <= room:
        return []
    flattened = _Flattened()
    flattened.add(root, 0)
    return flattened.pieces


class _Flattened:
    """The pieces of a formula, brackets opened."""

    def __init__(self) -> None:
        self.pieces: list[Piece] = []

    def add(self, element: ET.Element, depth: int) -> None:
        """An element, its brackets being at this depth."""
        inner = list(element)
        if element.tag == "mrow" and _is_fenced(inner):
            self._fenced(inner[1:-1], depth, inner[0], _text(inner[-1]))
        elif element.tag in ("mrow", "mstyle") and not element.get("style"):
            for child in inner:
                self.add(child, depth)
        elif element.tag == "msup" and width(element) > _WIDEST and (base := _bracket_of(inner[0])) is not None:
            closing = f"<msup>{_text(base[-1])}{_text(inner[1])}</msup>"
            self._fenced(base[1:-1], depth, base[0], closing, _SMALL * width(inner[1]))
        elif element.tag in ("mfrac", "msqrt") and width(element) > _WIDEST:
            self._opened(element, depth)
        else:
            self._piece(_text(element), width(element), depth, self._begins(element)).height = height(element)

    def _piece(self, text: str, wide: float, depth: int, begins: int) -> Piece:
        self.pieces.append(Piece(text, wide, depth, begins))
        return self.pieces[-1]

    def _begins(self, element: ET.Element) -> int:
        if element.tag == "mspace":
            return NEVER
        if element.tag == "mo" and element.text != "∑":
            infix = element.get("form") != "prefix" and bool(self.pieces)
            return _BEGINS.get(element.text or "", NEVER) if infix else NEVER
        return FACTOR if self.pieces and self.pieces[-1].text.startswith("<mspace") else NEVER

    def _fenced(
        self, inner: Iterable[ET.Element], depth: int, opening: ET.Element, closing: str, more: float = 0
    ) -> None:
        pair = object()
        self._piece(_text(opening), 0.4, depth, self._begins(ET.Element("mrow"))).pair = pair
        for child in inner:
            self.add(child, depth + 1)
        self._piece(closing, 0.4 + more, depth, NEVER).pair = pair

    def _opened(self, element: ET.Element, depth: int) -> None:
        """A fraction as a quotient of brackets, a root as a power of one."""
        opening, closing = (ET.Element("mo", {**_FENCE}) for _ in range(2))
        opening.text, closing.text = "(", ")"
        if element.tag == "msqrt":
            half = "<mrow><mn>1</mn><mo>/</mo><mn>2</mn></mrow>"
            self._fenced(list(element), depth, opening, f"<msup>{_text(closing)}{half}</msup>", 1)
            return
        above, below = list(element)
        self._fenced([above], depth, opening, _text(closing))
        self._piece("<mo>/</mo>", 1.0, depth, OPERATION)
        self._fenced([below], depth, opening, _text(closing))


_FENCE = {"fence": "true", "stretchy": "true", "lspace": "0", "rspace": "0"}


def _is_fenced(inner: Sequence[ET.Element]) -> bool:
    fences = [child for child in inner if child.tag == "mo" and child.get("fence") == "true"]
    return len(inner) > 2 and len(fences) == 2 and inner[0] is fences[0] and inner[-1] is fences[1]


def _bracket_of(element: ET.Element) -> list[ET.Element] | None:
    """The children of a bracket, perhaps in a row of its own."""
    inner = list(element)
    if element.tag == "mrow" and len(inner) == 1:
        return _bracket_of(inner[0])
    return inner if element.tag == "mrow" and _is_fenced(inner) else None


def _text(element: ET.Element) -> str:
    return ET.tostring(element, encoding="unicode")


def _written(piece: Piece, part: Sequence[Piece], all_pieces: Sequence[Piece]) -> str:
    """A piece in its part: an operation that begins it keeps its space, and a bracket its size."""
    text = piece.text
    if piece is part[0] and text.startswith("<mo>"):
        return text.replace("<mo>", '<mo form="infix">', 1)
    if piece.pair is None or sum(p.pair is piece.pair for p in part) == 2:
        return text
    ends = [k for k, p in enumerate(all_pieces) if p.pair is piece.pair]
    tall = max(p.height for p in all_pieces[ends[0] : ends[1] + 1])
    return re.sub(r'stretchy="\w+"', f'stretchy="true" minsize="{tall:.1f}em"', text, count=1)


def height(element: ET.Element) -> float:
    """About how high MathML is drawn, in em."""
    inner = [height(child) for child in element]
    if element.tag in ("mfrac", "mtable"):
        return 0.2 + sum(inner)
    return max(inner, default=1.1) + (0.2 if element.tag in ("msqrt", "msup") else 0)


def width(element: ET.Element) -> float:
    """About how wide MathML is drawn, in em."""
    inner = [width(child) for child in element]
    text = element.text or ""
    if element.tag == "mspace":
        return 0.17
    if element.tag == "mo":
        return 0.4 if element.get("fence") or text in "(),[]" else 1.2
    if element.tag in ("msup", "msub", "msubsup", "munder"):
        return inner[0] + _SMALL * max(inner[1:], default=0)
    if element.tag in ("mfrac", "mtable", "mover"):
        return 0.3 + max(inner, default=0)
    if element.tag == "mtr":
        return sum(inner) + 0.8 * len(inner)
    return sum(inner) + 0.56 * len(text) + (0.9 if element.tag == "msqrt" else 0)

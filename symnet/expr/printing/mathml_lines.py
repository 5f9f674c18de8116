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
from symnet.expr.printing.scrolling import scrolling

LONGEST = 20.0  # em of a formula that stands beside what is said of it
SIZE = 15.0  # em of a part, where there are places to break it
NARROW = 16.0  # em that there is room for on a phone
_WIDEST = 28.0  # em of a fraction or a root that stays one
_ROW = 32.0  # em of a row of a table

_BEGINS = {
    "+": TERM, "−": TERM, "↦": TERM, "→": TERM, "=": TERM, "⊙": OPERATION, "·": OPERATION, "/": OPERATION,
    "∧": OPERATION, "∨": OPERATION, "←": OPERATION,
}  # fmt: skip
_SMALL = 0.72  # an index beside its letter


LONG = 'class="long"'  # of the element around a formula that may take several lines


def displayed(markup: str) -> str:
    """A formula in the line, set as a display: one `<math>`, or several in a `<span>` where it is long.

    Parts that only a phone divides are kept together elsewhere; what nothing divides scrolls in a box of its own.
    """
    found = _divided(markup)
    if len(found) == 1:
        return _kept(found[0])
    kind = LONG if _is_wider(markup, LONGEST) else 'class="parts"'
    return f"<span {kind}>{'<wbr/>'.join(map(_kept, found))}</span>"


def _kept(parts: Sequence[str]) -> str:
    whole = "<wbr/>".join(map(_boxed, parts))
    return whole if len(parts) == 1 else f'<span class="kept">{whole}</span>'


def _boxed(part: str) -> str:
    element = math_element(f'<mstyle displaystyle="true">{part}</mstyle>')
    return scrolling(element, "formula") if _is_wider(part, NARROW) else element


def parts(markup: str) -> list[str]:
    """The parts of a formula, between which a browser may begin a new line."""
    return [part for several in _divided(markup) for part in several]


def _divided(markup: str) -> list[list[str]]:
    """The parts of a formula, those together that only a narrow page parts: at the poor places of a wide one."""
    pieces = _long(markup, SIZE)
    if not pieces:
        return [[markup]]
    found = [chunks(part, SIZE, poorly=True) for part in chunks(pieces, SIZE)]
    return [["".join(_written(piece, part, pieces) for piece in part) for part in several] for several in found]


def broken(markup: str) -> list[str]:
    """The lines of a formula where nothing else breaks it: in a table."""
    pieces = _long(markup, _ROW)
    found = lines(pieces, _ROW, _ROW)
    rows = ["".join(_written(piece, line, pieces) for piece in line) for line in found] if pieces else [markup]
    margins = ["", *(f'<mspace width="{indent(line[0])}em"/>' for line in found[1:])]
    return [margin + row for margin, row in zip(margins, rows, strict=True)]


def _long(markup: str, room: float) -> list[Piece]:
    """The pieces of a formula that is wider than a place; none of others."""
    if not _is_wider(markup, room):
        return []
    flattened = _Flattened()
    flattened.add(ET.fromstring(f"<mrow>{markup}</mrow>"), 0)
    return flattened.pieces


def _is_wider(markup: str, room: float) -> bool:
    few = len(re.sub(r"<[^>]*>", "", markup)) < room / 1.2  # letters, of which none is wider
    return not few and width(ET.fromstring(f"<mrow>{markup}</mrow>")) > room


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
        elif element.tag == "msup" and width(element) > SIZE and (base := _bracket_of(inner[0])) is not None:
            self._fenced(base[1:-1], depth, base[0], _text(base[-1]), inner[1])
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
        self,
        inner: Iterable[ET.Element],
        depth: int,
        opening: ET.Element,
        closing: str,
        power: ET.Element | None = None,
    ) -> None:
        pair, first = object(), len(self.pieces)
        self._piece(_text(opening), 0.4, depth, self._begins(ET.Element("mrow"))).pair = pair
        for child in inner:
            self.add(child, depth + 1)
        tall = max(piece.height for piece in self.pieces[first:])
        raised = "" if power is None else _raised(_text(power), tall)
        more = 0 if power is None else _SMALL * width(power)
        self._piece(closing + raised, 0.4 + more, depth, NEVER).pair = pair

    def _opened(self, element: ET.Element, depth: int) -> None:
        """A fraction as a quotient of brackets, a root as a power of one."""
        opening, closing = (ET.Element("mo", {**_FENCE}) for _ in range(2))
        opening.text, closing.text = "(", ")"
        if element.tag == "msqrt":
            half = ET.fromstring("<mrow><mn>1</mn><mo>/</mo><mn>2</mn></mrow>")
            self._fenced(list(element), depth, opening, _text(closing), half)
            return
        above, below = list(element)
        self._fenced([above], depth, opening, _text(closing))
        self._piece("<mo>/</mo>", 1.0, depth, OPERATION)
        self._fenced([below], depth, opening, _text(closing))


_FENCE = {"fence": "true", "stretchy": "true", "lspace": "0", "rspace": "0"}


def _raised(power: str, tall: float) -> str:
    """An exponent behind a bracket of some em: browsers stretch no bracket that is itself the base."""
    return f'<msup><mspace width="0" height="{tall / 2 + 0.2:.2f}em" depth="{tall / 2 - 0.2:.2f}em"/>{power}</msup>'


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

"""Formulas in two dimensions, as `sympy.pretty` draws them: fractions, superscripts, Xᵀ.

In: a node.  Out: a `prettyForm` (SymPy's picture of characters).  Unicode or ASCII as SymPy is set to.  What has no
drawing of its own is written as in `text.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, NamedTuple

from sympy.printing.pretty.pretty_symbology import line_width, pretty_symbol, pretty_use_unicode
from sympy.printing.pretty.stringpict import prettyForm, stringPict

from symnet.expr.nodes.node import Node
from symnet.expr.printing.forms import ATOM, HADAMARD, MATMUL, OPERATOR, POWER, PRODUCT, RELATION, SUM, Form, FormPart
from symnet.expr.printing.layout import FormWriter, Show, abridge, lay_out, write
from symnet.expr.printing.linalg import is_inverse
from symnet.expr.printing.text import WRITERS as TEXT_WRITERS
from symnet.expr.printing.text import TextPiece, number_text

_SIGNS = {"lt": "<", "gt": ">", "le": "≤", "ge": "≥"}


class PrettyPiece(NamedTuple):
    """A picture and how tightly it binds."""

    picture: prettyForm
    level: int

    def within(self, level: int) -> prettyForm:
        """The picture for a place that needs this level."""
        return self.picture if self.level >= level else _parens(self.picture)


def pretty(node: Node, full: bool = False) -> prettyForm:
    """The formula of a node as a picture of characters.

    Args:
        node: any expression.
        full: draw every shared part, however many; otherwise the middle of a very long list is left out and counted.
    """
    body, definitions = write(lay_out(node, paper=True), WRITERS)
    if not definitions:
        return body.picture
    drawn = [_beside(_word(name.data[0]), prettyForm(" = "), value.picture) for name, value in definitions]
    drawn = abridge(drawn, lambda n: prettyForm(f"({n} more)"), full)
    lines = [*body.picture.picture, "where", *("    " + line for d in drawn for line in d.picture)]
    width = max(map(line_width, lines))
    return prettyForm("\n".join(line + " " * (width - line_width(line)) for line in lines))


def _beside(*pictures: stringPict) -> prettyForm:
    return prettyForm(*stringPict.next(*pictures))


def _joined(separator: str, pictures: list[prettyForm]) -> prettyForm:
    pieces: list[stringPict] = []
    for picture in pictures:
        pieces += [prettyForm(separator), picture] if pieces else [picture]
    return _beside(*pieces)


def _parens(picture: prettyForm) -> prettyForm:
    return prettyForm(*picture.parens())


def _word(name: str) -> prettyForm:
    return prettyForm(pretty_symbol(name))


def _mark(unicode: str, ascii: str) -> str:
    return unicode if pretty_use_unicode() else ascii


# --------------------------------------------------------------------------- the table


def _name(form: Form, show: Show) -> PrettyPiece:
    return PrettyPiece(_word(form.data[0]), ATOM)


def _number(form: Form, show: Show) -> PrettyPiece:
    number = number_text(form.data[0])
    return PrettyPiece(prettyForm(number.text), number.level)


def _same(form: Form, show: Show) -> PrettyPiece:
    return show(form.parts[0])


def _sum(form: Form, show: Show) -> PrettyPiece:
    pieces: list[stringPict] = []
    for sign, part in zip(form.data, form.parts, strict=True):
        lead = " - " if sign < 0 else " + "
        pieces.append(prettyForm(lead if pieces else "-" if sign < 0 else ""))
        pieces.append(show(part).within(OPERATOR if sign < 0 else SUM))
    return PrettyPiece(_beside(*pieces), SUM)


def _product(form: Form, show: Show) -> PrettyPiece:
    sign, count = form.data
    above, below = list(form.parts[:count]), list(form.parts[count:])
    top = _factors(above, show, alone=bool(below)) if above else prettyForm("1")
    if below:
        top = prettyForm(*stringPict.stack(top, stringPict.LINE, _factors(below, show, alone=True)))
    if sign < 0:
        return PrettyPiece(_beside(prettyForm("-"), top), SUM)
    several = sum(p.rank > 0 for p in above) > 1
    return PrettyPiece(top, HADAMARD if several and not below else PRODUCT)


def _factors(parts: list[FormPart], show: Show, alone: bool) -> prettyForm:
    if alone and len(parts) == 1:
        return show(parts[0]).picture
    lonely = sum(bool(p.rank) for p in parts) <= 1
    drawn: list[stringPict] = [show(parts[0]).within(MATMUL if lonely else POWER)]
    for before, part in pairwise(parts):
        both = before.rank and part.rank
        last = part is parts[-1]
        drawn.append(prettyForm(_mark(" ⊙ ", "*") if both else _mark("⋅", "*")))
        drawn.append(show(part).within(MATMUL if lonely and last else POWER))
    return _beside(*drawn)


def _power(form: Form, show: Show) -> PrettyPiece:
    base, exponent = map(show, form.parts)
    below, above = base.within(ATOM), exponent.picture
    top = stringPict(*above.left(" " * below.width()))
    bottom = stringPict(*below.right(" " * above.width()))
    return PrettyPiece(prettyForm(*bottom.above(top)), POWER)


def _root(form: Form, show: Show) -> PrettyPiece:
    inner = show(form.parts[0])
    if not pretty_use_unicode():
        return PrettyPiece(_beside(prettyForm("sqrt"), _parens(inner.picture)), ATOM)
    return PrettyPiece(_beside(prettyForm("√"), inner.within(ATOM)), ATOM)


def _matmul(form: Form, show: Show) -> PrettyPiece:
    first, *rest = form.parts
    lead = _transposed(show(first)) if first.rank == 1 else show(first).within(MATMUL)
    return PrettyPiece(_joined(_mark(" ", " @ "), [lead, *(show(p).within(POWER) for p in rest)]), MATMUL)


def _transpose(form: Form, show: Show) -> PrettyPiece:
    drawing = show(form.parts[0])
    lines = drawing.picture.picture
    if is_inverse(form.parts[0]) and len(lines) == 1 and lines[0].endswith("⁻¹"):
        return PrettyPiece(prettyForm(lines[0].removesuffix("⁻¹") + "⁻ᵀ"), ATOM)
    return PrettyPiece(_transposed(drawing), ATOM)


def _transposed(drawing: PrettyPiece) -> prettyForm:
    return _beside(drawing.within(ATOM), prettyForm(_mark("ᵀ", ".T")))


def _reduce(form: Form, show: Show) -> PrettyPiece:
    op, axes, _ = form.data
    if op == "sum" and axes is None:
        return PrettyPiece(_beside(prettyForm(_mark("Σ ", "sum ")), show(form.parts[0]).within(HADAMARD)), OPERATOR)
    return _as_text(form, show)


def _relation(form: Form, show: Show) -> PrettyPiece:
    sign = _mark(_SIGNS[form.data[0]], {"le": "<=", "ge": ">="}.get(form.data[0], _SIGNS[form.data[0]]))
    return PrettyPiece(_joined(f" {sign} ", [show(part).within(SUM) for part in form.parts]), RELATION)


def _indicator(form: Form, show: Show) -> PrettyPiece:
    return PrettyPiece(_beside(prettyForm("1"), prettyForm(*show(form.parts[0]).picture.parens("[", "]"))), ATOM)


def _identity(form: Form, show: Show) -> PrettyPiece:
    return PrettyPiece(prettyForm("I"), ATOM)


_WORD = {"sigmoid": ("σ", "sigmoid"), "trace": ("tr", "tr")}


def _call(form: Form, show: Show) -> PrettyPiece:
    """A function of expressions; whatever has keywords or lists is written as text."""
    name, keywords = form.data
    if name == "inv":
        return PrettyPiece(_beside(show(form.parts[0]).within(ATOM), prettyForm(_mark("⁻¹", "^-1"))), ATOM)
    if keywords:
        return _as_text(form, show)
    if name == "outer" and pretty_use_unicode():
        a, b = map(show, form.parts)
        return PrettyPiece(_joined(" ", [a.within(POWER), _transposed(b)]), MATMUL)
    args = _joined(", ", [show(part).picture for part in form.parts])
    return PrettyPiece(_beside(prettyForm(_mark(*_WORD.get(name, (name, name)))), _parens(args)), ATOM)


def _function(form: Form, show: Show) -> PrettyPiece:
    args = _joined(", ", [show(part).picture for part in form.parts])
    return PrettyPiece(_beside(prettyForm(form.data[0].title), _parens(args)), ATOM)


def _element(form: Form, show: Show) -> PrettyPiece:
    """x[i, j], and δ[i, j] of the identity matrix."""
    (x,) = form.parts
    is_delta = not isinstance(x, Form) and x.node.kind == "delta"
    picture = prettyForm(_mark("δ", "delta")) if is_delta else show(x).within(ATOM)
    return PrettyPiece(_beside(picture, prettyForm(f"[{', '.join(form.data)}]")), ATOM)


def _as_text(form: Form, show: Show) -> PrettyPiece:
    """The text form around drawn operands: each operand stands where its name would."""
    drawn: list[prettyForm] = []

    def place(part: FormPart) -> Any:
        if isinstance(part, Form) and part.kind in _TEXT_ONLY:
            return TEXT_WRITERS[part.kind](part, place)
        drawing = show(part)
        drawn.append(drawing.picture)
        return TextPiece(_SLOT, drawing.level)

    written = TEXT_WRITERS[form.kind](form, place)
    supply = iter(drawn)
    pieces = [_piece(text, supply) for text in _SLOTS.split(written.text)]
    return PrettyPiece(_beside(*pieces), written.level)


def _piece(text: str, supply: Iterator[prettyForm]) -> prettyForm:
    if _SLOT not in text:
        return prettyForm(text)
    return next(supply) if text == _SLOT else _parens(next(supply))


_SLOT = "\0"
_SLOTS = re.compile(r"(\(\0\)|\0)")  # parentheses around a slot are as tall as what fills it
_AS_TEXT = (
    "spread", "index", "einsum", "indexed", "total", "filled", "ramp", "array", "sequence", "rows",
    "applied", "leibniz",
)  # fmt: skip
_TEXT_ONLY = ("spread", "index", "einsum", "filled", "ramp", "array", "sequence", "reduce")

WRITERS: dict[str, FormWriter] = {
    "name": _name,
    "number": _number,
    "same": _same,
    "sum": _sum,
    "product": _product,
    "power": _power,
    "root": _root,
    "matmul": _matmul,
    "transpose": _transpose,
    "reduce": _reduce,
    "relation": _relation,
    "indicator": _indicator,
    "ones": lambda form, show: PrettyPiece(prettyForm(_mark("𝟏", "1")), ATOM),
    "identity": _identity,
    "element": _element,
    "unit": lambda form, show: PrettyPiece(_word(f"e_{form.data[1]}"), ATOM),
    "call": _call,
    "function": _function,
    **dict.fromkeys(_AS_TEXT, _as_text),
}

"""Formulas as Python text: `(Y - D)/m`, `2*X.T @ (X @ w - y)/m`.

In: a node.  Out: a string that NumPy and symnet would read as the same value, with as few parentheses as the
precedence of Python allows; shared parts follow after `where`.  Not Python: the bracket `1[x >= 0]`.
"""

from __future__ import annotations

import ast
import keyword
import re
from functools import lru_cache
from typing import Any, NamedTuple

import sympy
from sympy.printing.str import sstr

from symnet.expr.nodes.contraction import subscripts_text
from symnet.expr.nodes.node import Node
from symnet.expr.printing.abstract import repeated, superscripts, text_mark
from symnet.expr.printing.constants import array_text, described
from symnet.expr.printing.forms import ATOM, HADAMARD, MATMUL, POWER, PRODUCT, RELATION, SUM, Form, reads_as_decimal
from symnet.expr.printing.layout import FormWriter, Layout, Show, abridge, lay_out, write
from symnet.expr.printing.long_numbers import power_text

_LINE = 100  # characters of a `where` clause on one line
_KEYWORD = re.compile(rf"\b(?:{'|'.join(keyword.kwlist)})\b")
_LONGEST = 4000  # characters of one formula before its middle is left out

_RELATIONS = {"lt": "<", "le": "<=", "gt": ">", "ge": ">="}


class TextPiece(NamedTuple):
    """A piece of text and how tightly it binds."""

    text: str
    level: int

    def within(self, level: int) -> str:
        """The text for a place that needs this level."""
        return self.text if self.level >= level else f"({self.text})"


def text(node: Node, full: bool = False) -> str:
    """The formula of a node.

    Args:
        node: any expression.
        full: write everything, however long; otherwise the middle of very long formulas is left out and counted.
    """
    layout = lay_out(node)
    body, definitions = write(layout, WRITERS)
    lines = [f"{name.data[0]} = {_shorten(value.text, full)}" for name, value in definitions]
    lines = abridge(lines, lambda n: f"… ({n} more definitions) …", full)
    return _with_where(_shorten(body.text, full), lines) + _shapes(layout)


def _shapes(layout: Layout) -> str:
    """The shapes of the constant arrays that stand under a name, as Python's comment."""
    said = abridge([described(name, of) for name, of in layout.constants.items()], lambda n: f"… ({n} more) …", False)
    return f"  # {', '.join(said)}" if said else ""


def _with_where(body: str, lines: list[str]) -> str:
    one_line = f"{body} where {', '.join(lines)}"
    if not lines:
        return body
    return one_line if len(one_line) <= _LINE else "\n".join([body, "where", *(f"    {line}" for line in lines)])


def _shorten(line: str, full: bool) -> str:
    if full or len(line) <= _LONGEST:
        return line
    half = _LONGEST // 2
    return f"{line[:half]} … ({len(line) - 2 * half} more characters) … {line[-half:]}"


# --------------------------------------------------------------------------- the table


def _name(form: Form, show: Show) -> TextPiece:
    return TextPiece(form.data[0], ATOM)


def _number(form: Form, show: Show) -> TextPiece:
    return number_text(form.data[0])


@lru_cache(maxsize=4096)
def number_text(value: Any) -> TextPiece:
    """A SymPy number or an extent in Python's spelling."""
    if value in (sympy.oo, -sympy.oo):
        return TextPiece("inf", ATOM) if value == sympy.oo else TextPiece("-inf", SUM)
    if isinstance(value, sympy.Float) or reads_as_decimal(value):
        return _spelled(repr(float(value)))
    return _spelled(power_text(value) or sstr(value))


def _spelled(written: str) -> TextPiece:
    read = _KEYWORD.sub("n", written)  # an extent may be called so; to find what binds, any name is as good
    return TextPiece(written, _level(ast.parse(read, mode="eval").body))


def _level(tree: ast.expr) -> int:
    if isinstance(tree, ast.BinOp):
        return {ast.Add: SUM, ast.Sub: SUM, ast.Pow: POWER}.get(type(tree.op), PRODUCT)
    return SUM if isinstance(tree, ast.UnaryOp) else ATOM


def _same(form: Form, show: Show) -> TextPiece:
    return show(form.parts[0])


def _sum(form: Form, show: Show) -> TextPiece:
    pieces = [_term(sign, show(part)) for sign, part in zip(form.data, form.parts, strict=True)]
    joined = " ".join(pieces)
    return TextPiece(joined[2:] if joined.startswith("+ ") else "-" + joined[2:], SUM)


def _term(sign: int, term: TextPiece) -> str:
    if sign < 0:
        return "- " + term.within(HADAMARD)
    written = term.within(SUM)
    return f"- {written[1:]}" if written.startswith("-") else f"+ {written}"


def _product(form: Form, show: Show) -> TextPiece:
    sign, count = form.data
    above, below = form.parts[:count], form.parts[count:]
    scalars = all(p.rank == 0 for p in (*above[:-1], *below))
    factors = [show(p) for p in above]
    bare = bool(factors) and scalars and factors[-1].level == MATMUL  # 2*X.T @ y/m
    top = "*".join([f.within(MATMUL if bare and f is factors[-1] else _place(n)) for n, f in enumerate(factors)]) or "1"
    written = ("-" if sign < 0 else "") + top + _divisor([show(p) for p in below])
    arrays = sum(p.rank > 0 for p in form.parts)
    return TextPiece(written, SUM if sign < 0 else MATMUL if bare else HADAMARD if arrays > 1 else PRODUCT)


def _place(position: int) -> int:
    """The level a factor needs: the first one may be a product."""
    return PRODUCT if position == 0 else POWER


def _divisor(factors: list[TextPiece]) -> str:
    if not factors:
        return ""
    if len(factors) == 1:
        return "/" + factors[0].within(POWER)
    return "/(" + "*".join(f.within(POWER) for f in factors) + ")"


def _power(form: Form, show: Show) -> TextPiece:
    base, exponent = map(show, form.parts)
    return TextPiece(f"{base.within(ATOM)}**{exponent.within(ATOM)}", POWER)


def _root(form: Form, show: Show) -> TextPiece:
    return TextPiece(f"sqrt({show(form.parts[0]).text})", ATOM)


def _matmul(form: Form, show: Show) -> TextPiece:
    first, *rest = map(show, form.parts)
    return TextPiece(" @ ".join([first.within(MATMUL), *(x.within(POWER) for x in rest)]), MATMUL)


def _transpose(form: Form, show: Show) -> TextPiece:
    return TextPiece(show(form.parts[0]).within(ATOM) + ".T", ATOM)


def _reduce(form: Form, show: Show, **keywords: Any) -> TextPiece:
    op, axes, _ = form.data
    if axes is not None:
        keywords = {"axis": axes[0] if len(axes) == 1 else axes, **keywords}
    elif op == "argmax" and form.parts[0].rank > 1:
        keywords = {"axis": None}
    return _call(Form("call", form.parts, (op, tuple(keywords.items()))), show)


def _spread(form: Form, show: Show) -> TextPiece:
    items, _ = form.data
    if items == ("keepdims",):
        (reduced,) = form.parts
        assert isinstance(reduced, Form)
        return _reduce(reduced, show, keepdims=True)
    return _index(Form("index", form.parts, items, form.rank), show)


def _index(form: Form, show: Show) -> TextPiece:
    x, *arrays = map(show, form.parts)
    supply = iter(arrays)
    items = ", ".join(next(supply).text if item == "{}" else item for item in form.data)
    return TextPiece(f"{x.within(ATOM)}[{items}]", ATOM)


def _relation(form: Form, show: Show) -> TextPiece:
    a, b = (show(part).within(SUM) for part in form.parts)
    return TextPiece(f"{a} {_RELATIONS[form.data[0]]} {b}", RELATION)


def _indicator(form: Form, show: Show) -> TextPiece:
    return TextPiece(f"1[{show(form.parts[0]).text}]", ATOM)


def _einsum(form: Form, show: Show) -> TextPiece:
    operands = ", ".join(show(part).text for part in form.parts)
    return TextPiece(f'einsum("{subscripts_text(*form.data)}", {operands})', ATOM)


def _element(form: Form, show: Show) -> TextPiece:
    return TextPiece(f"{show(form.parts[0]).within(ATOM)}[{', '.join(form.data)}]", ATOM)


def _indexed(form: Form, show: Show) -> TextPiece:
    return TextPiece(f"[{show(form.parts[0]).text}]_{''.join(form.data)}", ATOM)


def _total(form: Form, show: Show) -> TextPiece:
    op, over = form.data
    return TextPiece(f"{op}_{''.join(over)}({show(form.parts[0]).text})", ATOM)


def _filled(form: Form, show: Show) -> TextPiece:
    value, shape = form.data
    return TextPiece(f"{'ones' if value else 'zeros'}({', '.join(map(_value, shape))})", ATOM)


def _identity(form: Form, show: Show) -> TextPiece:
    return TextPiece(f"eye({_value(form.data[0])})", ATOM)


def _unit(form: Form, show: Show) -> TextPiece:
    extent, place = form.data
    return TextPiece(f"eye({_value(extent)})[{place}]", ATOM)


def _ramp(form: Form, show: Show) -> TextPiece:
    return TextPiece(f"arange({_value(form.data[0])})", ATOM)


def _array(form: Form, show: Show) -> TextPiece:
    return TextPiece(array_text(form.data[0]), ATOM)


def _sequence(form: Form, show: Show) -> TextPiece:
    return TextPiece(f"[{', '.join(show(part).text for part in form.parts)}]", ATOM)


# Keywords that are written without their name, as the last arguments.
_POSITIONAL = ("shape", "widths", "classes", "axes")


def _call(form: Form, show: Show) -> TextPiece:
    name, keywords = form.data
    args = [show(part).text for part in form.parts]
    args += [_value(v) if k in _POSITIONAL else f"{k}={_value(v)}" for k, v in keywords]
    return TextPiece(f"{name}({', '.join(args)})", ATOM)


def _function(form: Form, show: Show) -> TextPiece:
    return _call(Form("call", form.parts, (form.data[0].title, ())), show)


def _rows(form: Form, show: Show) -> TextPiece:
    entries = [show(part).text for part in form.parts]
    width = form.data[-1]
    rows = [f"[{', '.join(entries[k : k + width])}]" for k in range(0, len(entries), width)]
    return TextPiece(rows[0] if len(form.data) == 1 else f"[{', '.join(rows)}]", ATOM)


def _applied(form: Form, show: Show) -> TextPiece:
    name, *args = (show(part).text for part in form.parts)
    before, behind = text_mark(*form.data)
    return TextPiece(f"{before}{name}{behind}({', '.join(args)})", ATOM)


def _leibniz(form: Form, show: Show) -> TextPiece:
    function, *by = form.parts
    above = f"∂{superscripts(len(by))}{show(function).text}"
    below = [f"∂{show(x).text}{superscripts(n)}" for x, n in repeated(by)]
    return TextPiece(f"{above}/{below[0]}" if len(below) == 1 else f"{above}/({' '.join(below)})", HADAMARD)


def _value(value: Any) -> str:
    if isinstance(value, tuple):
        return f"({', '.join(map(_value, value))}{',' if len(value) == 1 else ''})"
    return str(value)


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
    "spread": _spread,
    "index": _index,
    "unit": _unit,
    "relation": _relation,
    "indicator": _indicator,
    "einsum": _einsum,
    "element": _element,
    "indexed": _indexed,
    "total": _total,
    "filled": _filled,
    "ones": lambda form, show: TextPiece("1", ATOM),
    "identity": _identity,
    "ramp": _ramp,
    "array": _array,
    "sequence": _sequence,
    "rows": _rows,
    "call": _call,
    "function": _function,
    "applied": _applied,
    "leibniz": _leibniz,
}

r"""Formulas as LaTeX: `\frac{1}{m}\left(Y - D\right)`.

In: a node.  Out: a string for math mode.  A product of arrays element by element is `\odot`, a matrix product is
juxtaposition, a vector is a column, a sum along the rows of a matrix is `X \mathbf{1}`; other axes stand as subscripts
of the operation.  Shapes fit as on paper: a vector added to every row is `X W + \mathbf{1} b^{\top}` (`paper.py`).
Not distinguished: how arrays of three axes and more are repeated.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import sympy
from sympy.printing.conventions import split_super_sub

from symnet.expr.nodes.constants import exact
from symnet.expr.nodes.node import Node
from symnet.expr.printing.abstract import latex_mark, latex_power, repeated
from symnet.expr.printing.forms import (
    ATOM,
    HADAMARD,
    MATMUL,
    OPERATOR,
    POWER,
    PRODUCT,
    RELATION,
    SUM,
    Form,
    reads_as_decimal,
)
from symnet.expr.printing.indices import IndexMarkup, einsum, element, indexed, total
from symnet.expr.printing.latex_lines import TEXT_WIDTH, broken
from symnet.expr.printing.latex_rows import displayed
from symnet.expr.printing.layout import FormWriter, Show, abridge, lay_out, write
from symnet.expr.printing.letters import word_latex
from symnet.expr.printing.linalg import is_inverse
from symnet.expr.printing.long_numbers import as_power
from symnet.expr.printing.own_names import in_full
from symnet.expr.printing.products import Markup, is_open, product
from symnet.expr.printing.text import number_text

PRODUCTS = Markup(
    one="1",
    minus="-",
    space=" ",
    odot=r" \odot ",
    dot=r" \cdot ",
    fraction=lambda above, below: rf"\frac{{{above}}}{{{below}}}",
    begins_with_digit=lambda text: text[:1].isdigit(),
)
_BESIDE = TEXT_WIDTH - 6  # em of a row that may stand to the right of an equals sign
_TALL = (r"\frac", r"\sum", r"\begin", r"\sqrt", "^")


class Latex(NamedTuple):
    """A piece of LaTeX and how tightly it binds."""

    text: str
    level: int

    def within(self, level: int) -> str:
        """The LaTeX for a place that needs this level."""
        return self.text if self.level >= level else parens(self.text)


def parens(inner: str) -> str:
    """Parentheses as tall as what they hold."""
    return rf"\left({inner}\right)" if any(piece in inner for piece in _TALL) else f"({inner})"


def latex(node: Node, full: bool = False) -> str:
    """The formula of a node in LaTeX; `full`: with every shared part, however many."""
    body, lines = with_definitions(node, full)
    if not lines:
        return body
    rows = [part for line in (body, r"\text{where}", *lines) for part in broken(line, _BESIDE, _BESIDE)]
    aligned = r" \\ & ".join(rows)
    return rf"\begin{{aligned}} & {aligned} \end{{aligned}}"


def latex_in_full(node: Node) -> str:
    """The formula of a node in LaTeX that may stand inside another formula: nothing in it has a name of its own."""
    with in_full():
        return latex(node)


def with_definitions(node: Node, full: bool = False) -> tuple[str, list[str]]:
    """The formula of a node, and what the names in it stand for, a line for each."""
    body, definitions = write(lay_out(node, paper=True), WRITERS)
    lines = [rf"{name_latex(name.data[0])} = {value.text}" for name, value in definitions]
    return str(body.text), abridge(lines, lambda n: rf"\ldots\ (\text{{{n} more}})", full)


@lru_cache(maxsize=4096)
def name_latex(name: str) -> str:
    r"""An identifier: Greek letters, digits as subscripts, words upright: `W1` is W_{1}, `loss` is \mathrm{loss}."""
    head, supers, subs = split_super_sub(name)
    written = word_latex(head)
    if len(written) > 1 and "\\" not in written:
        written = rf"\mathrm{{{written}}}"
    above = f"^{{{' '.join(map(word_latex, supers))}}}" if supers else ""
    below = f"_{{{' '.join(map(word_latex, subs))}}}" if subs else ""
    return f"{written}{below}{above}"


# --------------------------------------------------------------------------- arithmetic


def _name(form: Form, show: Show) -> Latex:
    name, given = form.data
    return Latex(given or name_latex(name), ATOM)


def _number(form: Form, show: Show) -> Latex:
    (value,) = form.data
    plain = number_text(value)
    decimal = isinstance(value, sympy.Float) or reads_as_decimal(value)
    if decimal and "e" in plain.text:
        return Latex(_decimal(plain.text), PRODUCT)
    return Latex(plain.text if decimal else sympy.latex(as_power(value) or value), plain.level)


def _decimal(number: str) -> str:
    digits, _, exponent = number.partition("e")
    return rf"{digits} \cdot 10^{{{int(exponent)}}}"


def _same(form: Form, show: Show) -> Latex:
    return show(form.parts[0])


def _sum(form: Form, show: Show) -> Latex:
    terms = [show(part) for part in form.parts]
    levels = [term.level for term in terms]
    closed = [Latex(parens(t.text), ATOM) if is_open(levels[k : k + 2]) else t for k, t in enumerate(terms)]
    pieces = [_term(sign, term) for sign, term in zip(form.data, closed, strict=True)]
    joined = " ".join(pieces)
    return Latex(joined[2:] if joined.startswith("+ ") else "-" + joined[2:], SUM)


def _term(sign: int, term: Latex) -> str:
    written = term.within(OPERATOR if sign < 0 else SUM)
    if sign < 0:
        return f"- {written}"
    return f"- {written[1:]}" if written.startswith("-") else f"+ {written}"


def _product(form: Form, show: Show) -> Latex:
    r"""Scalars over divisors, then arrays: \frac{2}{m} X^{\top}(X w - y)."""
    return Latex(*product(form, show, PRODUCTS))


def _power(form: Form, show: Show) -> Latex:
    base, exponent = form.parts
    hadamard = r"\odot " if base.rank >= 2 and form.rank >= 2 else ""
    return Latex(f"{show(base).within(ATOM)}^{{{hadamard}{show(exponent).text}}}", POWER)


def _root(form: Form, show: Show) -> Latex:
    return Latex(rf"\sqrt{{{show(form.parts[0]).text}}}", ATOM)


# --------------------------------------------------------------------------- linear algebra


def _matmul(form: Form, show: Show) -> Latex:
    first, *rest = form.parts
    lead = show(first).within(MATMUL)
    if first.rank == 1:
        lead = rf"{show(first).within(ATOM)}^{{\top}}"
    return Latex(" ".join([lead, *(show(p).within(POWER) for p in rest)]), MATMUL)


def _transpose(form: Form, show: Show) -> Latex:
    math = show(form.parts[0])
    if is_inverse(form.parts[0]) and math.text.endswith("^{-1}"):
        return Latex(math.text.removesuffix("^{-1}") + r"^{-\top}", POWER)
    return Latex(rf"{show(form.parts[0]).within(ATOM)}^{{\top}}", POWER)


def _identity(form: Form, show: Show) -> Latex:
    return Latex(rf"I_{{{_extent(form.data[0])}}}", ATOM)


def _filled(form: Form, show: Show) -> Latex:
    value, shape = form.data
    return Latex(rf"\mathbf{{{value}}}_{{{_shape(shape)}}}", ATOM)


def _ramp(form: Form, show: Show) -> Latex:
    return Latex(rf"\left(0, \ldots, {_extent(form.data[0] - 1)}\right)", ATOM)


def _array(form: Form, show: Show) -> Latex:
    """A vector in a row, a matrix in its rows, a stack of matrices in brackets."""
    return Latex(_elements(form.data[0].array), ATOM)


def _elements(x: Any) -> str:
    if x.ndim == 2:
        rows = r" \\ ".join(" & ".join(map(_element, row)) for row in x.tolist())
        return rf"\begin{{bmatrix}} {rows} \end{{bmatrix}}"
    inner = map(_element, x.tolist()) if x.ndim < 2 else map(_elements, x)
    return rf"\left({', '.join(inner)}\right)"


def _element(value: Any) -> str:
    return rf"\mathrm{{{value}}}" if isinstance(value, bool) else str(sympy.latex(exact(value)))


def _extent(extent: Any) -> str:
    return str(sympy.latex(extent))


def _shape(shape: tuple[Any, ...]) -> str:
    return r" \times ".join(map(_extent, shape))


# --------------------------------------------------------------------------- reductions and axes


def _reduce(form: Form, show: Show) -> Latex:
    op, _, _ = form.data
    return _REDUCTIONS.get(op, _reduction)(form, show)


def _reduction(form: Form, show: Show) -> Latex:
    op, axes, _ = form.data
    return Latex(_operator(op) + _axes(axes) + parens(show(form.parts[0]).text), ATOM)


def _axes(axes: Any) -> str:
    return "" if axes is None else f"_{{{', '.join(map(str, axes))}}}"


def _total(form: Form, show: Show) -> Latex:
    _, axes, _ = form.data
    part = form.parts[0]
    if part.rank == 2 and axes is not None:
        rows = axes == (1,)
        matrix = show(part)
        written = matrix.text if rows and matrix.level == MATMUL else matrix.within(POWER if rows else ATOM)
        return Latex(written + (r" \mathbf{1}" if rows else r"^{\top} \mathbf{1}"), MATMUL)
    return Latex(rf"\sum{_axes(axes)} {show(part).within(HADAMARD)}", OPERATOR)


def _mean(form: Form, show: Show) -> Latex:
    _, axes, count = form.data
    total = _total(Form("reduce", form.parts, ("sum", axes, None), form.rank), show)
    return Latex(rf"\frac{{1}}{{{_extent(count)}}} {total.text}", total.level)


_REDUCTIONS: dict[str, Callable[[Form, Show], Latex]] = {"sum": _total, "mean": _mean}


def _spread(form: Form, show: Show) -> Latex:
    """Axes that an array of three or more gains: left to the eye."""
    return show(form.parts[0])


def _index(form: Form, show: Show) -> Latex:
    x, *arrays = map(show, form.parts)
    supply = iter(arrays)
    items = [next(supply).text if item == "{}" else item.replace(":", "{:}").replace("-", "{-}") for item in form.data]
    inner = r",\, ".join(items)
    return Latex(f"{x.within(ATOM)}[{inner}]", ATOM)


# --------------------------------------------------------------------------- logic


_RELATION = {"lt": "<", "le": r"\leq", "gt": ">", "ge": r"\geq"}


def _relation(form: Form, show: Show) -> Latex:
    a, b = (show(part).within(SUM) for part in form.parts)
    return Latex(f"{a} {_RELATION[form.data[0]]} {b}", RELATION)


def _infix(sign: str) -> Callable[[list[Latex]], Latex]:
    return lambda args: Latex(f" {sign} ".join(a.within(SUM) for a in args), RELATION)


def _indicator(form: Form, show: Show) -> Latex:
    return Latex(rf"\mathbf{{1}}[{show(form.parts[0]).text}]", ATOM)


def _cases(args: list[Latex]) -> Latex:
    condition, a, b = (arg.text for arg in args)
    return Latex(rf"\begin{{cases}} {a} & {condition} \\ {b} & \text{{otherwise}} \end{{cases}}", ATOM)


# --------------------------------------------------------------------------- calls

_BACKSLASH = ("exp", "log", "tanh", "sin", "cos", "tan", "sinh", "cosh", "max", "min")
_OPERATOR = {
    "sigmoid": r"\sigma",
    "asin": r"\arcsin",
    "acos": r"\arccos",
    "atan": r"\arctan",
    "asinh": r"\operatorname{arsinh}",
    "acosh": r"\operatorname{arcosh}",
    "atanh": r"\operatorname{artanh}",
    "gamma": r"\Gamma",
    "loggamma": r"\log\Gamma",
    "digamma": r"\psi",
    "log_softmax": r"\log\operatorname{softmax}",
    "trace": r"\operatorname{tr}",
    "argmax": r"\arg\max",
    "maximum": r"\max",
    "minimum": r"\min",
    "broadcast_to": r"\operatorname{broadcast}",
    "one_hot": r"\operatorname{onehot}",
    **{name: rf"\{name}" for name in _BACKSLASH},
}

# Calls that have a notation of their own.
_NOTATION: dict[str, Callable[[list[Latex]], Latex]] = {
    "abs": lambda args: Latex(rf"\left|{args[0].text}\right|", ATOM),
    "cbrt": lambda args: Latex(rf"\sqrt[3]{{{args[0].text}}}", ATOM),
    "floor": lambda args: Latex(rf"\left\lfloor {args[0].text} \right\rfloor", ATOM),
    "floor_divide": lambda args: Latex(rf"\left\lfloor \frac{{{args[0].text}}}{{{args[1].text}}} \right\rfloor", ATOM),
    "mod": lambda args: Latex(rf"{args[0].within(POWER)} \bmod {args[1].within(POWER)}", PRODUCT),
    "outer": lambda args: Latex(rf"{args[0].within(POWER)} {args[1].within(ATOM)}^{{\top}}", MATMUL),
    "inv": lambda args: Latex(rf"{args[0].within(ATOM)}^{{-1}}", POWER),
    "solve": lambda args: Latex(rf"{args[0].within(ATOM)}^{{-1}} {args[1].within(POWER)}", MATMUL),
    "det": lambda args: Latex(rf"\det {args[0].within(ATOM)}", OPERATOR),
    "logdet": lambda args: Latex(rf"\log\left|\det {args[0].within(ATOM)}\right|", OPERATOR),
    "norm": lambda args: Latex(rf"\left\|{args[0].text}\right\|", ATOM),
    "equal": _infix("="),
    "not_equal": _infix(r"\neq"),
    "logical_and": _infix(r"\wedge"),
    "logical_or": _infix(r"\vee"),
    "logical_not": lambda args: Latex(rf"\neg {args[0].within(ATOM)}", POWER),
    "where": _cases,
}


def _operator(name: str) -> str:
    escaped = name.replace("_", r"\_")
    return _OPERATOR.get(name) or rf"\operatorname{{{escaped}}}"


INDICES = IndexMarkup(
    below=lambda text, letters: rf"{text}_{{{''.join(letters)}}}",
    total=lambda letters: rf"\sum_{{{''.join(letters)}}} ",
    operator=_operator,
    bracketed=lambda text: rf"\left[{text}\right]",
    parens=parens,
    delta=r"\delta",
    space=" ",
    has_index=lambda text: "_" in text,
)


def _call(form: Form, show: Show) -> Latex:
    name, keywords = form.data
    args = [show(part) for part in form.parts]
    if name in _NOTATION:
        return _NOTATION[name](args)
    told = [_keyword(*keyword) for k, keyword in enumerate(keywords) if not k or keyword[1] is True]
    subscript = f"_{{{', '.join(told)}}}" if told else ""
    return Latex(_operator(name) + subscript + parens(", ".join(a.text for a in args)), ATOM)


def _function(form: Form, show: Show) -> Latex:
    r"""A function as SymPy writes it, J_{2}\left(x\right), with the operands in the places of the variables."""
    (function,) = form.data
    written = dict(zip(function.application.args, (show(part).text for part in form.parts), strict=True))
    names = {v: written[v] for v in function.variables}
    return Latex(sympy.latex(function.application, symbol_names=names), ATOM)


def _rows(form: Form, show: Show) -> Latex:
    """A vector as a column, a matrix."""
    width = form.data[1] if len(form.data) == 2 else 1
    entries = [show(part).text for part in form.parts]
    if width == 1:
        entries = [displayed(entry, room=_BESIDE - 2) for entry in entries]
    rows = r" \\ ".join(" & ".join(entries[k : k + width]) for k in range(0, len(entries), width))
    return Latex(rf"\begin{{bmatrix}} {rows} \end{{bmatrix}}", ATOM)


def _applied(form: Form, show: Show) -> Latex:
    name, *args = (show(part).text for part in form.parts)
    return Latex(latex_mark(name, *form.data) + parens(", ".join(args)), ATOM)


def _leibniz(form: Form, show: Show) -> Latex:
    function, *by = form.parts
    below = r" \, ".join(rf"\partial {show(x).text}{latex_power(n)}" for x, n in repeated(by))
    return Latex(rf"\frac{{\partial{latex_power(len(by))} {show(function).text}}}{{{below}}}", POWER)


def _keyword(key: str, value: Any) -> str:
    if value is True:
        return rf"\text{{{key}}}"
    return _shape(value) if key == "shape" else _tuple(value)


def _tuple(value: Any) -> str:
    values = value if isinstance(value, tuple) else (value,)
    return ", ".join(f"({_tuple(v)})" if isinstance(v, tuple) else _extent(v) for v in values)


def _sequence(form: Form, show: Show) -> Latex:
    return Latex(", ".join(show(part).text for part in form.parts), RELATION)


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
    "unit": lambda form, show: Latex(f"e_{{{_extent(form.data[1])}}}", ATOM),
    "relation": _relation,
    "indicator": _indicator,
    "einsum": lambda form, show: Latex(*einsum(form, show, INDICES)),
    "element": lambda form, show: Latex(*element(form, show, INDICES)),
    "indexed": lambda form, show: Latex(*indexed(form, show, INDICES)),
    "total": lambda form, show: Latex(*total(form, show, INDICES)),
    "filled": _filled,
    "ones": lambda form, show: Latex(r"\mathbf{1}", ATOM),
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

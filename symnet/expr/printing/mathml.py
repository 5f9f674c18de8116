r"""Formulas as presentation MathML: `<mfrac><mn>1</mn><mi>m</mi></mfrac>`, which browsers draw without any script.

In: a node.  Out: the inside of a `<math>` element (`mathml`); `markup.py` has the element and its pieces.
The notation is that of `latex.py`, writer by writer: a product of arrays element by element is ⊙, a matrix product is
juxtaposition, a vector is a column.  Names are written from their letters: Greek, subscripts, accents (`x_bar`).
A name that the user gave in LaTeX is translated where it is a name (`latex_names.py`); otherwise the name itself is
written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from html import escape
from typing import Any, NamedTuple

import sympy

from symnet.expr.nodes.constants import exact as exactly
from symnet.expr.nodes.node import Node
from symnet.expr.printing.abstract import MOST_PRIMES, repeated
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
from symnet.expr.printing.latex_names import latex_name
from symnet.expr.printing.layout import FormWriter, Show, abridge, lay_out, write
from symnet.expr.printing.markup import (
    MINUS,
    THIN,
    TOP,
    bold,
    exact,
    name_mathml,
    op,
    parens,
    row,
    signed,
    sub,
    sup,
    upright,
)
from symnet.expr.printing.mathml_lines import broken
from symnet.expr.printing.products import Markup, is_open, product
from symnet.expr.printing.text import number_text

PRODUCTS = Markup(
    one="<mn>1</mn>",
    minus=MINUS,
    space=THIN,
    odot=op("⊙"),
    dot=op("·"),
    fraction=lambda above, below: f"<mfrac>{row(above)}{row(below)}</mfrac>",
    begins_with_digit=lambda text: text.startswith("<mn>"),
)


class Mathml(NamedTuple):
    """A piece of MathML and how tightly it binds."""

    text: str
    level: int

    def within(self, level: int) -> str:
        """The MathML for a place that needs this level."""
        return self.text if self.level >= level else parens(self.text)


def mathml(node: Node, full: bool = False) -> str:
    """The formula of a node in MathML, without the `<math>` around it; `full`: with every shared part, however many."""
    body, lines = with_definitions(node, full)
    if not lines:
        return body
    table = [part for line in (body, "<mtext>where</mtext>", *lines) for part in broken(line)]
    return f'<mtable columnalign="left">{"".join(f"<mtr><mtd>{row(line)}</mtd></mtr>" for line in table)}</mtable>'


def with_definitions(node: Node, full: bool = False) -> tuple[str, list[str]]:
    """The formula of a node, and what the names in it stand for, a line for each."""
    body, definitions = write(lay_out(node, paper=True), WRITERS)
    lines = [f"{name_mathml(name.data[0])}{op('=')}{value.text}" for name, value in definitions]
    return str(body.text), abridge(lines, lambda n: f"<mtext>… ({n} more)</mtext>", full)


# --------------------------------------------------------------------------- arithmetic


def _name(form: Form, show: Show) -> Mathml:
    name, given = form.data
    return Mathml((latex_name(given) if given else None) or name_mathml(name), ATOM)


def _number(form: Form, show: Show) -> Mathml:
    (value,) = form.data
    plain = number_text(value)
    decimal = isinstance(value, sympy.Float) or reads_as_decimal(value)
    if not decimal:
        return Mathml(exact(value), plain.level)
    digits, _, exponent = plain.text.partition("e")
    if not exponent:
        return Mathml(signed(digits), plain.level)
    ten = sup("<mn>10</mn>", signed(str(int(exponent))))
    return Mathml(signed(digits) + op("·") + ten, PRODUCT)


def _same(form: Form, show: Show) -> Mathml:
    return show(form.parts[0])


def _sum(form: Form, show: Show) -> Mathml:
    pieces: list[str] = []
    levels = [show(part).level for part in form.parts]
    for k, (sign, part) in enumerate(zip(form.data, form.parts, strict=True)):
        term = show(part)
        if is_open(levels[k : k + 2]):
            term = Mathml(parens(term.text), ATOM)
        if sign < 0:
            pieces.append((op("−") if pieces else MINUS) + term.within(OPERATOR))
        elif pieces and term.text.startswith(MINUS):
            pieces.append(op("−") + term.text.removeprefix(MINUS))
        else:
            pieces.append((op("+") if pieces else "") + term.within(SUM))
    return Mathml("".join(pieces), SUM)


def _product(form: Form, show: Show) -> Mathml:
    """Scalars over divisors, then arrays: (2/m) Xᵀ(X w − y)."""
    return Mathml(*product(form, show, PRODUCTS))


def _power(form: Form, show: Show) -> Mathml:
    base, exponent = form.parts
    hadamard = op("⊙") if base.rank >= 2 and form.rank >= 2 else ""
    return Mathml(sup(show(base).within(ATOM), hadamard + show(exponent).text), POWER)


def _root(form: Form, show: Show) -> Mathml:
    return Mathml(f"<msqrt>{row(show(form.parts[0]).text)}</msqrt>", ATOM)


# --------------------------------------------------------------------------- linear algebra


def _matmul(form: Form, show: Show) -> Mathml:
    first, *rest = form.parts
    lead = show(first).within(MATMUL)
    if first.rank == 1:
        lead = sup(show(first).within(ATOM), TOP)
    return Mathml(THIN.join([lead, *(show(p).within(POWER) for p in rest)]), MATMUL)


def _transpose(form: Form, show: Show) -> Mathml:
    return Mathml(sup(show(form.parts[0]).within(ATOM), TOP), POWER)


def _identity(form: Form, show: Show) -> Mathml:
    return Mathml(sub("<mi>I</mi>", _extent(form.data[0])), ATOM)


def _filled(form: Form, show: Show) -> Mathml:
    value, shape = form.data
    return Mathml(sub(bold(str(value)), _shape(shape)), ATOM)


def _ramp(form: Form, show: Show) -> Mathml:
    return Mathml(
        parens(f"<mn>0</mn>{op(',')}<mi>…</mi>{op(',')}{_extent(sympy.sympify(form.data[0]) - 1)}"),
        ATOM,
    )


def _array(form: Form, show: Show) -> Mathml:
    """A vector in a row, a matrix in its rows, a stack of matrices in parentheses."""
    return Mathml(_elements(form.data[0].array), ATOM)


def _elements(x: Any) -> str:
    if x.ndim == 2:
        rows = ("".join(f"<mtd>{_element(v)}</mtd>" for v in r) for r in x.tolist())
        return parens(f"<mtable>{''.join(f'<mtr>{r}</mtr>' for r in rows)}</mtable>", "[", "]")
    inner = map(_element, x.tolist()) if x.ndim < 2 else map(_elements, x)
    return parens(op(",").join(inner))


def _element(value: Any) -> str:
    return f"<mi>{value}</mi>" if isinstance(value, bool) else exact(exactly(value))


def _extent(extent: Any) -> str:
    return exact(sympy.sympify(extent))


def _shape(shape: tuple[Any, ...]) -> str:
    return op("×").join(map(_extent, shape))


# --------------------------------------------------------------------------- reductions and axes


def _reduce(form: Form, show: Show) -> Mathml:
    return _REDUCTIONS.get(form.data[0], _reduction)(form, show)


def _reduction(form: Form, show: Show) -> Mathml:
    name, axes, _ = form.data
    word = _operator(name) if axes is None else sub(_operator(name), _axes(axes))
    return Mathml(word + parens(show(form.parts[0]).text), ATOM)


def _axes(axes: Any) -> str:
    return op(",").join(f"<mn>{a}</mn>" for a in axes)


def _total(form: Form, show: Show) -> Mathml:
    _, axes, _ = form.data
    part = form.parts[0]
    if part.rank == 2 and axes is not None:
        rows = axes == (1,)
        matrix = show(part)
        written = matrix.text if rows and matrix.level == MATMUL else matrix.within(POWER if rows else ATOM)
        return Mathml((written if rows else sup(written, TOP)) + THIN + bold("1"), MATMUL)
    sign = op("∑") if axes is None else f"<munder>{op('∑')}{row(_axes(axes))}</munder>"
    return Mathml(f"{sign}{show(part).within(HADAMARD)}", OPERATOR)


def _mean(form: Form, show: Show) -> Mathml:
    _, axes, count = form.data
    total = _total(Form("reduce", form.parts, ("sum", axes, None), form.rank), show)
    return Mathml(f"<mfrac><mn>1</mn>{row(_extent(count))}</mfrac>{total.text}", total.level)


_REDUCTIONS: dict[str, Callable[[Form, Show], Mathml]] = {"sum": _total, "mean": _mean}


def _spread(form: Form, show: Show) -> Mathml:
    """Axes that an array of three or more gains: left to the eye."""
    return show(form.parts[0])


def _index(form: Form, show: Show) -> Mathml:
    x, *arrays = map(show, form.parts)
    supply = iter(arrays)
    items = [next(supply).text if item == "{}" else f"<mtext>{escape(item)}</mtext>" for item in form.data]
    return Mathml(x.within(ATOM) + parens(op(",").join(items), "[", "]"), ATOM)


# --------------------------------------------------------------------------- logic

_RELATION = {"lt": "<", "le": "≤", "gt": ">", "ge": "≥"}


def _relation(form: Form, show: Show) -> Mathml:
    a, b = (show(part).within(SUM) for part in form.parts)
    return Mathml(a + op(_RELATION[form.data[0]]) + b, RELATION)


def _infix(sign: str) -> Callable[[list[Mathml]], Mathml]:
    return lambda args: Mathml(op(sign).join(a.within(SUM) for a in args), RELATION)


def _indicator(form: Form, show: Show) -> Mathml:
    return Mathml(bold("1") + parens(show(form.parts[0]).text, "[", "]"), ATOM)


def _cases(args: list[Mathml]) -> Mathml:
    condition, a, b = (arg.text for arg in args)
    lines = [(a, condition), (b, "<mtext>otherwise</mtext>")]
    cells = "".join(f"<mtr><mtd>{row(value)}</mtd><mtd>{row(when)}</mtd></mtr>" for value, when in lines)
    return Mathml(row('<mo stretchy="true">{</mo>', f'<mtable columnalign="left">{cells}</mtable>'), ATOM)


# --------------------------------------------------------------------------- calls

_OPERATOR = {
    "sigmoid": "σ",
    "asin": "arcsin",
    "acos": "arccos",
    "atan": "arctan",
    "asinh": "arsinh",
    "acosh": "arcosh",
    "atanh": "artanh",
    "gamma": "Γ",
    "loggamma": "log Γ",
    "digamma": "ψ",
    "log_softmax": "log softmax",
    "trace": "tr",
    "argmax": "arg max",
    "maximum": "max",
    "minimum": "min",
    "broadcast_to": "broadcast",
    "one_hot": "onehot",
}

# Calls that have a notation of their own.
_NOTATION: dict[str, Callable[[list[Mathml]], Mathml]] = {
    "abs": lambda args: Mathml(parens(args[0].text, "|", "|"), ATOM),
    "norm": lambda args: Mathml(parens(args[0].text, "‖", "‖"), ATOM),
    "floor": lambda args: Mathml(parens(args[0].text, "⌊", "⌋"), ATOM),
    "floor_divide": lambda args: Mathml(
        parens(args[0].within(POWER) + op("/") + args[1].within(POWER), "⌊", "⌋"), ATOM
    ),
    "mod": lambda args: Mathml(args[0].within(POWER) + upright("mod") + args[1].within(POWER), PRODUCT),
    "outer": lambda args: Mathml(args[0].within(POWER) + THIN + sup(args[1].within(ATOM), TOP), MATMUL),
    "equal": _infix("="),
    "not_equal": _infix("≠"),
    "logical_and": _infix("∧"),
    "logical_or": _infix("∨"),
    "logical_not": lambda args: Mathml(op("¬") + args[0].within(ATOM), POWER),
    "where": _cases,
}


def _operator(name: str) -> str:
    return upright(_OPERATOR.get(name, name))


def _letters(letters: Iterable[str]) -> str:
    return row(*(f"<mi>{name}</mi>" for name in letters))


INDICES = IndexMarkup(
    below=lambda text, letters: sub(text, _letters(letters)),
    total=lambda letters: f"<munder>{op('∑')}{_letters(letters)}</munder>",
    operator=_operator,
    bracketed=lambda text: parens(text, "[", "]"),
    parens=parens,
    delta="<mi>δ</mi>",
    space=THIN,
    has_index=lambda text: "msub" in text,
)


def _call(form: Form, show: Show) -> Mathml:
    name, keywords = form.data
    args = [show(part) for part in form.parts]
    if name in _NOTATION:
        return _NOTATION[name](args)
    word = _operator(name)
    for key, value in keywords[:1]:
        word = sub(word, _shape(value) if key == "shape" else _tuple(value))
    return Mathml(word + parens(op(",").join(a.text for a in args)), ATOM)


def _function(form: Form, show: Show) -> Mathml:
    return Mathml(upright(form.data[0].title) + parens(op(",").join(show(part).text for part in form.parts)), ATOM)


def _rows(form: Form, show: Show) -> Mathml:
    """A vector as a column, a matrix."""
    width = form.data[1] if len(form.data) == 2 else 1
    written = [show(part).text for part in form.parts]
    entries = [f"<mtd>{_lines(entry) if width == 1 else row(entry)}</mtd>" for entry in written]
    rows = (f"<mtr>{''.join(entries[k : k + width])}</mtr>" for k in range(0, len(entries), width))
    return Mathml(parens(f"<mtable>{''.join(rows)}</mtable>", "[", "]"), ATOM)


def _lines(entry: str) -> str:
    """An entry of a column, over several lines where it is long."""
    found = broken(entry)
    if len(found) == 1:
        return row(entry)
    return f'<mtable columnalign="left">{"".join(f"<mtr><mtd>{row(line)}</mtd></mtr>" for line in found)}</mtable>'


def _applied(form: Form, show: Show) -> Mathml:
    name, *args = (show(part).text for part in form.parts)
    order, places = form.data
    if places:
        name = "".join(_partial(f"<mn>{k}</mn>", n) for k, n in repeated(places)) + name
    elif order:
        name = sup(name, op("′" * order) if order <= MOST_PRIMES else parens(f"<mn>{order}</mn>"))
    return Mathml(name + parens(op(",").join(args)), ATOM)


def _partial(below: str, order: int) -> str:
    """∂ with a position below it, and above how often."""
    sign = sub(op("∂"), below)
    return sign if order == 1 else f"<msubsup>{op('∂')}{row(below)}<mn>{order}</mn></msubsup>"


def _leibniz(form: Form, show: Show) -> Mathml:
    function, *by = form.parts
    above = _power_of(op("∂"), len(by)) + show(function).text
    below = (op("∂") + _power_of(show(x).text, n) for x, n in repeated(by))
    return Mathml(f"<mfrac>{row(above)}{row(*below)}</mfrac>", POWER)


def _power_of(base: str, n: int) -> str:
    return base if n == 1 else sup(base, f"<mn>{n}</mn>")


def _tuple(value: Any) -> str:
    if not isinstance(value, tuple):
        return _extent(value)
    return op(",").join(parens(_tuple(v)) if isinstance(v, tuple) else _extent(v) for v in value)


def _sequence(form: Form, show: Show) -> Mathml:
    return Mathml(op(",").join(show(part).text for part in form.parts), RELATION)


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
    "unit": lambda form, show: Mathml(sub("<mi>e</mi>", _extent(form.data[1])), ATOM),
    "relation": _relation,
    "indicator": _indicator,
    "einsum": lambda form, show: Mathml(*einsum(form, show, INDICES)),
    "element": lambda form, show: Mathml(*element(form, show, INDICES)),
    "indexed": lambda form, show: Mathml(*indexed(form, show, INDICES)),
    "total": lambda form, show: Mathml(*total(form, show, INDICES)),
    "filled": _filled,
    "ones": lambda form, show: Mathml(bold("1"), ATOM),
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

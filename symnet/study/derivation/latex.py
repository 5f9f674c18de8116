r"""Derivations as LaTeX: one `aligned` environment, or `align*`, which breaks over pages.

In: a `Record`.  Out: a string: values with their local derivatives, routes, cotangents, results; no row is wider than a
text block where there is any place to break it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from symnet.expr.nodes.constants import number_of
from symnet.expr.nodes.node import Node
from symnet.expr.printing.elementwise import sign_of
from symnet.expr.printing.forms import MATMUL, PRODUCT
from symnet.expr.printing.latex import WRITERS, name_latex, with_definitions
from symnet.expr.printing.latex import latex as formula
from symnet.expr.printing.latex_rows import aligned, equation, paged, row
from symnet.expr.printing.layout import lay_out, write
from symnet.expr.printing.own_names import beside
from symnet.study.derivation.lines import chain, ending_lines, step_lines
from symnet.study.derivation.model import BackwardStep, Edge, Ending, LabelledValue, Law, Line, Record, Route
from symnet.study.derivation.text import same_terms


def latex(derivation: Record, pages: bool = False) -> str:
    """A LaTeX environment: `aligned`, for math mode, or with `pages` one that stands in the text and fills pages."""
    rows = [line for stage in derivation.stages for line in (*_again(stage), *_rows(stage))]
    return paged(rows) if pages else aligned(rows, "\n")


def _again(d: Record) -> Iterator[str]:
    """What a second derivative is one of."""
    if d.before is not None:
        slope = _slope(d.first, d.first.root, d.by)
        yield rf"&\text{{The derivative of }} {_label(d, d.root)} = {slope}"


def _rows(d: Record) -> Iterator[str]:
    yield _heading("Values and local derivatives")
    for value in d.defined:
        yield from _value(d, value)
    if d.laws:
        yield _heading("Rules used")
        for law in d.laws:
            yield from row(_law(law))
    if d.routes:
        yield _heading("Multiply along a route, add over routes")
        for variable, routes in d.routes.items():
            yield from _routes(d, variable, routes)
    yield _heading(r"Backward, $\bar{x}$ being $\partial " + _label(d, d.root) + r" / \partial x$")
    for step in d.steps:
        yield from _step(d, step)
    yield _heading("Result")
    for ending in d.endings:
        yield from _ending(d, ending)
    if d.where:
        definitions = r",\quad ".join(f"{formula(v.tag)} = {formula(v.formula)}" for v in d.where)
        yield from row(rf"\text{{where }} {definitions}")


def _heading(words: str) -> str:
    return rf"& \textbf{{{words}}}"


def _label(d: Record, label: str) -> str:
    tag = d.tag(label)
    return name_latex(label) if tag is None else formula(tag)


def _slope(d: Record, y: str, x: str) -> str:
    return rf"\frac{{\partial {_label(d, y)}}}{{\partial {_label(d, x)}}}"


def _value(d: Record, value: LabelledValue) -> Iterator[str]:
    yield from equation(formula(value.tag), formula(value.formula))
    for edge in d.edges_into(value.label):
        if edge.kind != "map":
            yield from row(f"{_slope(d, edge.user, edge.operand)} = {_or_zero(edge.local)}", 2)
            for written, names in _parts(d, edge):
                yield from row(written, 4, names)


def _parts(d: Record, edge: Edge) -> Iterator[tuple[str, str]]:
    for part in edge.parts:
        names = _said(", ".join(f.rule for f in part.factors))
        product = _product([f.node for f in part.factors if f.node is not None])
        if part.term is None:
            yield (f"= {product}" if len(edge.parts) == 1 else rf"{product}\text{{ times, term by term,}}"), names
        else:
            slope, by = _or_zero(part.slope), _label(d, edge.operand)
            equal = "" if slope == product else f" = {slope}"
            yield rf"\frac{{\partial}}{{\partial {by}}}\left({formula(part.term)}\right) = {product}{equal}", names


def _product(factors: Sequence[Node]) -> str:
    minus = len(factors) > 1 and number_of(factors[0]) == -1
    return ("-" if minus else "") + (r" \cdot ".join(within(f, PRODUCT) for f in factors[minus:]) or "1")


def _said(words: str) -> str:
    return rf" \qquad \text{{{words}}}" if words else ""


def _law_slope(law: Law, x: Node) -> str:
    if law.result is not None:
        return rf"\frac{{\partial {formula(law.result)}}}{{\partial {formula(x)}}}"
    of = formula(law.formula)
    return rf"\frac{{\partial}}{{\partial {formula(x)}}} " + (rf"\left({of}\right)" if " " in of else of)


def _law(law: Law) -> str:
    result = "" if law.result is None else f"{formula(law.result)} = {formula(law.formula)}: "
    if law.passes:
        by = r", \quad ".join(f"{formula(leaf)} = {formula(f)}" for leaf, f in law.by)
    else:
        by = r", \quad ".join(f"{_law_slope(law, x)} = {formula(f)}" for x, f in law.by)
    return rf"\text{{{law.name}: }} {result}\quad {by}"


def _routes(d: Record, variable: str, routes: tuple[Route, ...]) -> Iterator[str]:
    for route in routes:
        way = r" \leftarrow ".join(_label(d, label) for label in reversed(route.labels))
        factors = r" \cdot ".join(within(f, PRODUCT) for f in reversed(route.factors))
        product = formula(route.product)
        shown = product if len(route.factors) < 2 or factors == product else f"{factors} = {product}"
        yield from row(rf"{way}:\quad {shown}")
    total = formula(routes[0].product) + "".join(map(_next_term, (r.product for r in routes[1:])))
    written = formula(next(s.written for s in d.steps if s.label == variable))
    yield from equation(_slope(d, d.root, variable), total + ("" if same_terms(total, written) else f" = {written}"))


def _next_term(node: Node) -> str:
    """A term after another one: its sign is the one between them."""
    inner = formula(node)
    signed = inner.startswith("-") and sign_of(node) < 0
    return f" - {inner[1:]}" if signed else f" + {within(node, MATMUL)}"


def within(node: Node, level: int) -> str:
    """The LaTeX of a formula, in parentheses where its place needs them."""
    layout = lay_out(node, paper=True)
    return formula(node) if layout.defines else str(write(layout, WRITERS)[0].within(level))


def _step(d: Record, step: BackwardStep) -> Iterator[str]:
    slopes = " + ".join(r" \, ".join(_slope(d, *pair) for pair in way) for way in chain(d.root, step))
    head = formula(step.bar)
    if slopes:
        yield from equation(head, slopes, _said("chain rule"))
    yield from _lines("" if slopes else head, step_lines(step))


def _lines(head: str, lines: Sequence[Line]) -> Iterator[str]:
    last = ""
    for line in lines:
        written = formula(line.formula)
        if written != last:
            yield from equation(head, written, _reason(line))
        head, last = "", written


def _reason(line: Line) -> str:
    if line.change is None:
        return _said("the formulas above inserted" if line.why == "with" else line.why)
    before, after = map(formula, line.change)
    if line.kind == "insert":
        return rf" \qquad \text{{with }} {before} = {after}"
    return rf" \qquad \text{{{line.why}: }} {before} \to {after}"


def _ending(d: Record, ending: Ending) -> Iterator[str]:
    yield from _lines(_slope(d, d.root, ending.variable), ending_lines(ending))
    with beside(d.labels):
        written, definitions = with_definitions(ending.result)
    if definitions:
        yield from equation("", written, r" \qquad \text{with } " + r", \quad ".join(definitions))


def _or_zero(node: Node | None) -> str:
    return "0" if node is None else formula(node)

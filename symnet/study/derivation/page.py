"""Derivations as a page: HTML with MathML and the graph as inline SVG; no script, nothing fetched.

In: a `Record`.  Out: `page`, a whole document, or `fragment`, the same for a notebook's cell.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from itertools import pairwise

from symnet.expr.nodes.constants import number_of
from symnet.expr.nodes.graph import topological
from symnet.expr.nodes.node import Node
from symnet.expr.printing.elementwise import sign_of
from symnet.expr.printing.forms import MATMUL, PRODUCT
from symnet.expr.printing.latex import latex
from symnet.expr.printing.latex_lines import width
from symnet.expr.printing.layout import lay_out, write
from symnet.expr.printing.markup import MINUS, math_element, name_mathml, op, parens, row, sup
from symnet.expr.printing.mathml import WRITERS, mathml, with_definitions
from symnet.expr.printing.mathml_lines import LONG, displayed
from symnet.expr.printing.own_names import beside
from symnet.expr.printing.scrolling import SCROLLS, scrolling
from symnet.study.derivation.graph import label_mathml, name_slope, svg
from symnet.study.derivation.lines import chain, ending_lines, step_lines
from symnet.study.derivation.model import BackwardStep, Edge, Ending, LabelledValue, Law, Line, Record, Route, SlopePart
from symnet.study.derivation.numbers import numbers_of, on_limits, shown, shown_mathml
from symnet.study.derivation.style import PAGE_STYLE, STYLE
from symnet.study.derivation.text import same_terms

_MOST_HEADS = 4  # results of one stage in the head of a page
_WIDEST_HEAD = 60  # characters of a headline in full size
_LONGEST_LINE = 100  # characters of a result in the head of a page
_WIDEST_LINE = 40.0  # em of it


def page(d: Record) -> str:
    """A self-contained HTML document."""
    return document(f"∂{d.root}/∂{', '.join(d.variables)}", f"<style>{PAGE_STYLE}</style>", fragment(d))


def document(title: str, head: str, body: str) -> str:
    """The frame around a page."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8"/>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1"/>\n'
        f"<title>{escape(title)}</title>\n{head}\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def fragment(d: Record) -> str:
    """The page without its frame."""
    sections = (_again, _graph, _values, _rules, _routes, _backward, _results)
    written = "".join(piece for stage in d.stages for section in sections for piece in section(stage))
    written = "".join(_header(d)) + written
    return f'<style>{STYLE}</style>\n<main class="derivation">\n{written}</main>'


# --------------------------------------------------------------------------- pieces


def slope(d: Record, variable: str) -> str:
    """∂L/∂w in MathML."""
    return name_slope(d, d.root, variable)


def equation(*pieces: str) -> str:
    """Pieces of MathML as one formula in the line, set as a display; a long one may go on in the next line."""
    return displayed("".join(pieces))


def within(node: Node, level: int) -> str:
    """The MathML of a formula, in parentheses where its place needs them."""
    layout = lay_out(node, paper=True)
    return mathml(node) if layout.defines else str(write(layout, WRITERS)[0].within(level))


def formula(node: Node | None) -> str:
    return "<mn>0</mn>" if node is None else mathml(node)


def _number(d: Record, table: str, key: object, beside: Node | None) -> str:
    """`= 28`, where there are numbers and the formula does not read so already."""
    numbers = numbers_of(d)
    if numbers is None or key not in getattr(numbers, table):
        return ""
    sign, array = numbers.shown(table, key)
    return "" if shown(array) == str(beside) else op(sign) + shown_mathml(array)


def _again(d: Record) -> Iterator[str]:
    """The words between a gradient and its own derivative."""
    if d.before is not None:
        gradient = equation(label_mathml(d, d.root), op("="), slope(d.first, d.by))
        said = f"<h2>The derivative of the gradient</h2><p>Now {gradient} is differentiated.</p>"
        yield f'<section class="again">{said}</section>\n'


def _header(d: Record) -> Iterator[str]:
    yield '<header><p class="eyebrow">A derivation, step by step</p>'
    last = [d] if d.before is None else d.stages[1:]  # of a Hessian every row of blocks
    found = [(stage, ending) for stage in last for ending in stage.endings][: _MOST_HEADS if len(last) == 1 else None]
    for stage, ending in found:
        result = headline(stage, ending)
        written, where = named_by_page(stage, result)
        equal = equation(_whole_slope(stage, ending.variable), op("="), written)
        yield f"<h1{'' if where else _size(result)}>{equal}</h1>{where}"
    yield "</header>\n"


def _whole_slope(d: Record, variable: str) -> str:
    """∂L/∂w, or ∂²L/∂w² and ∂²L/∂w∂b where it is the derivative of a gradient."""
    if d.before is None:
        return slope(d, variable)
    two, by = "<mn>2</mn>", label_mathml(d, variable)
    above = sup(op("∂"), two) + label_mathml(d.first, d.first.root)
    below = op("∂") + (sup(by, two) if variable == d.by else label_mathml(d.first, d.by) + op("∂") + by)
    return f"<mfrac>{row(above)}{row(below)}</mfrac>"


def headline(d: Record, ending: Ending) -> Node:
    """The result, or where no line holds it the shortest of its forms over labels; never over cotangents."""
    if _fits(ending.result) or _has_own_names(d, ending.result):
        return ending.result
    bars = {step.bar for step in d.steps}
    forms = [ending.written, *(insertion.after for insertion in ending.insertions)]
    return min((*(f for f in forms if bars.isdisjoint(topological(f))), ending.result), key=lambda f: len(str(f)))


def _fits(result: Node) -> bool:
    """Whether a result fits into a line: by its text, or where that speaks of axes, as it is set."""
    return len(str(result)) <= _LONGEST_LINE or (result.rank > 2 and width(latex(result)) <= _WIDEST_LINE)


def _has_own_names(d: Record, result: Node) -> bool:
    """Whether parts of a result get a name on the page that they have in no value."""
    with beside(d.labels):
        layout = lay_out(result, paper=True)
    return bool(layout.where) and not layout.bound


def named_by_page(d: Record, result: Node) -> tuple[str, str]:
    """A result, and what it has names for by itself: the standard deviation of a layer norm, a softmax."""
    if not _has_own_names(d, result):
        return mathml(result), ""
    with beside(d.labels):
        written, where = with_definitions(result)
    lines = "".join(f"<span>{equation(line)}</span>" for line in where)
    return written, f'<div class="where">where {lines}</div>'


def _size(node: Node) -> str:
    """The size of a headline that would not fit into a line, smaller, as an attribute; entries stand in a column."""
    text = str(node)
    width = max(map(len, text.split(", "))) if text.startswith("[") else len(text)
    return f' style="font-size: {max(1.0, 1.55 * _WIDEST_HEAD / width):.2f}rem"' if width > _WIDEST_HEAD else ""


def _graph(d: Record) -> Iterator[str]:
    picture = svg(d)
    yield "<section><h2>The graph</h2>"
    yield "<p>Values flow down. Each edge carries the derivative of the value below by the value above."
    maps = any(e.kind == "map" for e in d.edges)
    yield " Between whole arrays it carries what is passed back up instead." if maps else ""
    yield f" {on_limits(numbers_of(d))}"
    yield " The values in the middle share a box." if 'class="node folded' in picture else ""
    yield f"</p>{scrolling(picture, 'the graph', 'figure')}{_key(d, maps)}</section>\n"


def _key(d: Record, maps: bool) -> str:
    items = [
        '<span><b class="fwd">blue</b>: ' + ("values, " if d.data is not None else "") + "local derivatives</span>"
    ]
    if maps or d.data is not None:
        root = math_element(label_mathml(d, d.root))
        items.append(f'<span><b class="bwd">rust</b>: derivatives of {root}, passed upward</span>')
    return f'<div class="key">{"".join(items)}</div>'


def _values(d: Record) -> Iterator[str]:
    yield "<section><h2>Values and local derivatives</h2>"
    for value in d.defined:
        yield f'<div class="step value"><div>{_definition(d, value)}</div>'
        yield f'<div class="locals">{_locals(d, value)}</div></div>'
    yield "</section>\n"


def _definition(d: Record, value: LabelledValue) -> str:
    number = _number(d, "values", value.label, value.formula)
    return equation(mathml(value.tag), op("="), mathml(value.formula), number)


def _locals(d: Record, value: LabelledValue) -> str:
    return "".join(_local(d, e) for e in d.edges_into(value.label))


def _local(d: Record, edge: Edge) -> str:
    if edge.kind == "map":
        bar = mathml(next(step.bar for step in d.steps if step.label == edge.user))
        passed = equation(name_slope(d, edge.user, edge.operand), op(":"), bar, op("↦"), formula(edge.passed))
        return f'<div class="back">{passed} <span class="because">{escape(edge.rule)}</span></div>'
    number = _number(d, "locals", (edge.user, edge.operand), edge.local)
    note = ' <span class="hint">element by element</span>' if edge.kind == "elementwise" else ""
    whole = equation(name_slope(d, edge.user, edge.operand), op("="), formula(edge.local), number)
    return f"<div>{whole}{note}{''.join(_part(d, edge, part) for part in edge.parts)}</div>"


def _part(d: Record, edge: Edge, part: SlopePart) -> str:
    """A part of a local derivative: its factors, and the rule of each."""
    product = factors([f.node for f in part.factors if f.node is not None])
    names = escape(", ".join(f.rule for f in part.factors))
    if part.term is None and len(edge.parts) > 1:
        said = f"{equation(product)} times, term by term,"
    elif part.term is None:
        said = equation(op("="), product)
    else:
        slope = formula(part.slope)
        by = f"<mfrac><mo>∂</mo><mrow><mo>∂</mo>{label_mathml(d, edge.operand)}</mrow></mfrac>"
        equal = "" if slope == product else op("=") + slope
        pieces = [equation(by, parens(mathml(part.term))), equation(op("="), product), equal and equation(equal)]
        said = " ".join(filter(None, pieces))  # apart, so that a narrow page may break the line
    return f'<div class="part">{said} <span class="because">{names}</span></div>'


def factors(nodes: Sequence[Node]) -> str:
    """Factors in MathML, side by side, with a sign in front."""
    minus = len(nodes) > 1 and number_of(nodes[0]) == -1
    return (MINUS if minus else "") + (op("·").join(within(f, PRODUCT) for f in nodes[minus:]) or "<mn>1</mn>")


def _rules(d: Record) -> Iterator[str]:
    if not d.laws:
        return
    yield '<section><h2>Rules used</h2><dl class="laws">'
    for law in d.laws:
        yield f"<dt>{escape(law.name)}</dt><dd>{_law(law)}</dd>"
    yield "</dl></section>\n"


def _law(law: Law) -> str:
    head = "" if law.result is None else equation(mathml(law.result), op("="), mathml(law.formula))
    if law.passes:
        pieces = [equation(mathml(leaf), op("="), mathml(f)) for leaf, f in law.by]
        return f'<span>{head}</span> <span class="hint">passes back</span> ' + " ".join(
            f'<span class="back">{p}</span>' for p in pieces
        )
    of = mathml(law.formula if law.result is None else law.result)
    over = f"<mrow><mo>∂</mo>{of}</mrow>" if law.result is not None else "<mo>∂</mo>"
    of = "" if law.result is not None else parens(of)
    slopes = [
        equation(f"<mfrac>{over}<mrow><mo>∂</mo>{mathml(x)}</mrow></mfrac>", of, op("="), mathml(f)) for x, f in law.by
    ]
    return " ".join(f"<span>{s}</span>" for s in (head, *slopes) if s)


def _routes(d: Record) -> Iterator[str]:
    if not d.routes:
        return
    yield "<section><h2>Multiply along a route, add over routes</h2>"
    for variable, routes in d.routes.items():
        plural = "Only one route leads" if len(routes) == 1 else f"{len(routes)} routes lead"
        yield f'<div class="step"><p class="why">{plural} from {_math(d, variable)} to {_math(d, d.root)}.</p>'
        yield f'<div class="lines">{"".join(_route(d, r) for r in routes)}{_total(d, variable, routes)}</div></div>'
    yield "</section>\n"


def _math(d: Record, label: str) -> str:
    return math_element(label_mathml(d, label))


def _route(d: Record, route: Route) -> str:
    way = op("←").join(label_mathml(d, label) for label in reversed(route.labels))
    factors = op("·").join(within(f, PRODUCT) for f in reversed(route.factors))
    product = mathml(route.product)
    equal = product if len(route.factors) < 2 or factors == product else factors + op("=") + product
    slopes = op("·").join(name_slope(d, user, operand) for operand, user in reversed(list(pairwise(route.labels))))
    return f'<div class="lhs">{equation(way)}</div><div class="gives">{equation(slopes, op("="), equal)}</div>'


def _next_term(node: Node) -> str:
    """A term after another one: its sign is the one between them."""
    inner = mathml(node)
    signed = inner.startswith(MINUS) and sign_of(node) < 0
    return op("−") + inner.removeprefix(MINUS) if signed else op("+") + within(node, MATMUL)


def _total(d: Record, variable: str, routes: tuple[Route, ...]) -> str:
    step = next(s for s in d.steps if s.label == variable)
    total = mathml(routes[0].product) + "".join(map(_next_term, (r.product for r in routes[1:])))
    plain = " + ".join(str(r.product) for r in routes)
    written = "" if same_terms(plain, str(step.written)) else op("=") + mathml(step.written)
    number = _number(d, "cotangents", variable, step.written)
    return (
        f'<div class="lhs">{equation(slope(d, variable))}</div><div>{equation(op("="), total, written, number)}</div>'
    )


# --------------------------------------------------------------------------- the backward pass


def _backward(d: Record) -> Iterator[str]:
    bar = math_element(name_mathml("x_bar") + op("=") + slope(d, "x"))
    yield "<section><h2>Backward, one value at a time</h2>"
    yield f"<p>Write {bar}. Every value passes on its own derivative times the local one; what arrives is added.</p>"
    for step in d.steps:
        yield f'<div class="step">{backward_step(d, step)}</div>'
    yield "</section>\n"


def backward_step(d: Record, step: BackwardStep) -> str:
    """One cotangent: the chain rule, what is known inserted, every rewrite, each with its reason."""
    number = _number(d, "cotangents", step.label, step.written)
    return _why(d, step) + written_lines(mathml(step.bar), chained(d, step), step_lines(step), number)


def chained(d: Record, step: BackwardStep) -> str:
    """∂L/∂y · ∂y/∂z, summed over the edges; nothing where the root alone stands above."""
    return op("+").join(op("·").join(name_slope(d, *pair) for pair in way) for way in chain(d.root, step))


def written_lines(head: str, slopes: str, lines: Sequence[Line], number: str = "") -> str:
    """`head = formula` and, below one another, every further `= formula`, each with its reason."""
    rows = [(slopes, "chain rule")] if slopes else []
    for line in lines:
        written = mathml(line.formula)
        if not rows or rows[-1][0] != written:
            rows.append((written, _reason(line)))
    cells = []
    for k, (written, reason) in enumerate(rows):
        left = equation(head) if k == 0 else ""
        whole = equation(op("="), written, number if k == len(rows) - 1 else "")
        because = f'<div class="because">{reason}</div>'
        if LONG in whole + reason or SCROLLS in whole:
            cells.append(f'<div class="lhs bar">{left}</div><div class="both">{whole}{because}</div>')
        else:
            cells.append(f'<div class="lhs bar">{left}</div><div>{whole}</div>{because}')
    return f'<div class="lines reasoned">{"".join(cells)}</div>'


def _reason(line: Line) -> str:
    if line.change is None:
        return "the formulas above inserted" if line.why == "with" else escape(line.why)
    before, after = map(mathml, line.change)
    if line.kind == "insert":
        return f"with {equation(before, op('='), after)}"
    return f"{escape(line.why)} <span>{equation(before, op('→'), after)}</span>"


def _why(d: Record, step: BackwardStep) -> str:
    if step.before is None and not step.edges:
        return f'<p class="why">{_math(d, step.label)} moves nothing above it.</p>'
    if not step.edges:
        return f'<p class="why">The backward pass begins at {_math(d, step.label)}.</p>'
    users = " and ".join(_math(d, e.user) for e in step.edges)
    return f'<p class="why">{_math(d, step.label)} feeds into {users}.</p>'


# --------------------------------------------------------------------------- results


def _results(d: Record) -> Iterator[str]:
    yield "<section><h2>Result</h2>"
    for ending in d.endings:
        yield f'<div class="result">{_ending(d, ending)}</div>'
    if d.where:
        yield f'<div class="where">where {definitions(d.where)}</div>'
    yield "</section>\n<footer>Differentiated as written, by symnet. "
    yield "The result is the very formula that grad gives.</footer>\n"


def _ending(d: Record, ending: Ending) -> str:
    number = _number(d, "cotangents", ending.variable, ending.result)
    return written_lines(slope(d, ending.variable), "", ending_lines(ending), number)


def definitions(values: Iterable[LabelledValue]) -> str:
    """`Y = softmax(Z)`, side by side."""
    return "".join(f"<span>{equation(mathml(v.tag), op('='), mathml(v.formula))}</span>" for v in values)

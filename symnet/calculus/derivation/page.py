"""Derivations as a page: HTML with MathML and the graph as inline SVG; no script, nothing fetched.

In: a `Derivation`.  Out: `page`, a whole document, or `fragment`, the same for a notebook's cell.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape
from itertools import chain, pairwise

from symnet.calculus.derivation.graph import name_slope, svg
from symnet.calculus.derivation.model import Derivation, Edge, Ending, Rewriting, Route, Step, Value
from symnet.calculus.derivation.numbers import shown, shown_mathml
from symnet.calculus.derivation.style import PAGE_STYLE, STYLE
from symnet.calculus.derivation.text import same_terms
from symnet.expr.node import Node
from symnet.expr.printing.forms import MATMUL, PRODUCT
from symnet.expr.printing.layout import lay_out, write
from symnet.expr.printing.markup import math_element, name_mathml, op
from symnet.expr.printing.mathml import WRITERS, mathml


def page(d: Derivation) -> str:
    """A self-contained HTML document."""
    return document(f"∂{d.root}/∂{', '.join(d.variables)}", f"<style>{PAGE_STYLE}</style>", fragment(d))


def document(title: str, head: str, body: str) -> str:
    """The frame around a page."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8"/>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1"/>\n'
        f"<title>{escape(title)}</title>\n{head}\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def fragment(d: Derivation) -> str:
    """The page without its frame."""
    parts = chain(_header(d), _graph(d), _values(d), _routes(d), _backward(d), _results(d))
    return f'<style>{STYLE}</style>\n<main class="derivation">\n{"".join(parts)}</main>'


# --------------------------------------------------------------------------- pieces


def slope(d: Derivation, variable: str) -> str:
    """∂L/∂w in MathML."""
    return name_slope(d.root, variable)


def equation(*pieces: str) -> str:
    """Pieces of MathML as one formula in the line, set as a display."""
    return math_element(f'<mstyle displaystyle="true">{"".join(pieces)}</mstyle>')


def within(node: Node, level: int) -> str:
    """The MathML of a formula, in parentheses where its place needs them."""
    layout = lay_out(node)
    return mathml(node) if layout.bound else str(write(layout, WRITERS)[0].within(level))


def formula(node: Node | None) -> str:
    return "<mn>0</mn>" if node is None else mathml(node)


def _number(d: Derivation, table: str, key: object, beside: Node | None) -> str:
    """`= 28`, where there are numbers and the formula does not read so already."""
    numbers = d.numbers
    if numbers is None or key not in getattr(numbers, table):
        return ""
    array = getattr(numbers, table)[key]
    return "" if shown(array) == str(beside) else op("=") + shown_mathml(array)


def _header(d: Derivation) -> Iterator[str]:
    yield '<header><p class="eyebrow">A derivation, step by step</p>'
    results = [equation(slope(d, e.variable), op("="), mathml(e.result)) for e in d.endings]
    yield from (f"<h1>{result}</h1>" for result in results[:4])
    yield "</header>\n"


def _graph(d: Derivation) -> Iterator[str]:
    picture = svg(d)
    if not picture:
        return
    yield "<section><h2>The graph</h2>"
    yield "<p>Values flow down. Each edge carries the derivative of the value below by the value above."
    maps = any(e.kind == "map" for e in d.edges)
    yield " Between whole arrays it carries what is passed back up instead.</p>" if maps else "</p>"
    yield f"<figure>{picture}</figure>{_key(d, maps)}</section>\n"


def _key(d: Derivation, maps: bool) -> str:
    items = ['<span><b class="fwd">blue</b>: ' + ("values, " if d.numbers else "") + "local derivatives</span>"]
    if maps or d.numbers:
        root = math_element(name_mathml(d.root))
        items.append(f'<span><b class="bwd">rust</b>: derivatives of {root}, passed upward</span>')
    return f'<div class="key">{"".join(items)}</div>'


def _values(d: Derivation) -> Iterator[str]:
    yield "<section><h2>Values and local derivatives</h2>"
    for value in (*d.given, *d.values):
        yield f'<div class="step value"><div>{_definition(d, value)}</div>'
        yield f'<div class="locals">{_locals(d, value)}</div></div>'
    yield "</section>\n"


def _definition(d: Derivation, value: Value) -> str:
    number = _number(d, "values", value.label, value.formula)
    return equation(mathml(value.tag), op("="), mathml(value.formula), number)


def _locals(d: Derivation, value: Value) -> str:
    return "".join(_local(d, e) for e in d.edges_into(value.label))


def _local(d: Derivation, edge: Edge) -> str:
    if edge.kind == "map":
        return ""
    number = _number(d, "locals", (edge.user, edge.operand), edge.local)
    note = ' <span class="hint">element by element</span>' if edge.kind == "elementwise" else ""
    return f"<span>{equation(name_slope(edge.user, edge.operand), op('='), formula(edge.local), number)}{note}</span>"


def _routes(d: Derivation) -> Iterator[str]:
    if not d.routes:
        return
    yield "<section><h2>Multiply along a route, add over routes</h2>"
    for variable, routes in d.routes.items():
        plural = "Only one route leads" if len(routes) == 1 else f"{len(routes)} routes lead"
        yield f'<div class="step"><p class="why">{plural} from {_math(variable)} to {_math(d.root)}.</p>'
        yield f'<div class="lines">{"".join(_route(r) for r in routes)}{_total(d, variable, routes)}</div></div>'
    yield "</section>\n"


def _math(label: str) -> str:
    return math_element(name_mathml(label))


def _route(route: Route) -> str:
    way = op("←").join(name_mathml(label) for label in reversed(route.labels))
    factors = op("·").join(within(f, PRODUCT) for f in reversed(route.factors))
    product = mathml(route.product)
    equal = "" if factors == product else op("=") + product
    slopes = op("·").join(name_slope(user, operand) for operand, user in reversed(list(pairwise(route.labels))))
    return f'<div class="lhs">{equation(way)}</div><div class="gives">{equation(slopes, op("="), factors, equal)}</div>'


def _total(d: Derivation, variable: str, routes: tuple[Route, ...]) -> str:
    step = next(s for s in d.steps if s.label == variable)
    total = op("+").join(within(r.product, MATMUL) if k else mathml(r.product) for k, r in enumerate(routes))
    plain = " + ".join(str(r.product) for r in routes)
    written = "" if same_terms(plain, str(step.written)) else op("=") + mathml(step.written)
    number = _number(d, "cotangents", variable, step.written)
    return (
        f'<div class="lhs">{equation(slope(d, variable))}</div><div>{equation(op("="), total, written, number)}</div>'
    )


# --------------------------------------------------------------------------- the backward pass


def _backward(d: Derivation) -> Iterator[str]:
    bar = math_element(name_mathml("x_bar") + op("=") + slope(d, "x"))
    yield "<section><h2>Backward, one value at a time</h2>"
    yield f"<p>Write {bar}. Every value passes on its own derivative times the local one; what arrives is added.</p>"
    for step in d.steps:
        yield f'<div class="step">{backward_step(d, step)}</div>'
    yield "</section>\n"


def backward_step(d: Derivation, step: Step) -> str:
    """One cotangent: why, by the chain rule, with what is known inserted, simplified."""
    head = f'<div class="lhs bar">{equation(mathml(step.bar))}</div>'
    lines = [formula(step.before)]
    rest = [mathml(n) for n in (step.inserted, step.written)]
    lines += [line for k, line in enumerate(rest) if line not in (lines[0], *rest[:k])]
    number = _number(d, "cotangents", step.label, step.written)
    cells = [
        f"<div>{equation(op('='), line, number if k == len(lines) - 1 else '')}</div>" for k, line in enumerate(lines)
    ]
    rewrites = [f"<div></div>{rewrite(r)}" for r in step.rewrites]
    body = [head, cells[0], *(f"<div></div>{cell}" for cell in cells[1:-1]), *rewrites]
    body += [f"<div></div>{cells[-1]}"] if len(cells) > 1 else []
    return f'{_why(step)}<div class="lines">{"".join(body)}</div>'


def _why(step: Step) -> str:
    if not step.edges:
        return f'<p class="why"><b>{_math(step.label)}</b> The seed: the derivative of a value by itself.</p>'
    reasons = "; ".join(f"from {_math(e.user)}, {escape(e.rule)}" for e in step.edges)
    return f'<p class="why"><b>{_math(step.label)}</b> {reasons}.</p>'


def rewrite(r: Rewriting) -> str:
    """One rewrite by name, before → after."""
    return f'<div class="rewrite"><i>{escape(r.name)}</i>{equation(mathml(r.before), op("→"), mathml(r.after))}</div>'


# --------------------------------------------------------------------------- results


def _results(d: Derivation) -> Iterator[str]:
    yield "<section><h2>Result</h2>"
    for ending in d.endings:
        yield f'<div class="result">{_ending(d, ending)}</div>'
    if d.where:
        yield f'<div class="where">where {definitions(d.where)}</div>'
    yield "</section>\n<footer>Differentiated as written, by symnet. "
    yield "The result is the very formula that grad gives.</footer>\n"


def _ending(d: Derivation, ending: Ending) -> str:
    cells = [f'<div class="lhs">{equation(slope(d, ending.variable))}</div>']
    cells.append(f"<div>{equation(op('='), mathml(ending.written))}</div>")
    last = str(ending.written)
    for insertion in ending.insertions:
        with_ = equation(mathml(insertion.leaf), op("="), mathml(insertion.formula))
        cells.append(f'<div></div><div class="rewrite"><i>with {with_}</i></div>')
        cells += [f"<div></div>{rewrite(r)}" for r in insertion.rewrites]
        cells.append(f"<div></div><div>{equation(op('='), mathml(insertion.after))}</div>")
        last = str(insertion.after)
    if last != str(ending.result):
        cells.append(f"<div></div><div>{equation(op('='), mathml(ending.result))}</div>")
    return f'<div class="lines">{"".join(cells)}</div>'


def definitions(values: Iterable[Value]) -> str:
    """`Y = softmax(Z)`, side by side."""
    return "".join(f"<span>{equation(mathml(v.tag), op('='), mathml(v.formula))}</span>" for v in values)

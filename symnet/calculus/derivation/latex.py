r"""Derivations as LaTeX: one `aligned` environment, which notebooks and papers set alike.

In: a `Derivation`.  Out: a string for math mode: values with their local derivatives, routes, cotangents, results.
"""

from __future__ import annotations

from collections.abc import Iterator

from symnet.calculus.derivation.model import Derivation, Edge, Ending, Rewriting, Route, Step, Value
from symnet.calculus.derivation.text import same_terms
from symnet.expr.node import Node
from symnet.expr.printing.forms import MATMUL, PRODUCT
from symnet.expr.printing.latex import WRITERS
from symnet.expr.printing.latex import latex as formula
from symnet.expr.printing.layout import lay_out, write


def latex(derivation: Derivation) -> str:
    """A LaTeX `aligned` environment."""
    return "\\begin{aligned}\n" + " \\\\\n".join(_rows(derivation)) + "\n\\end{aligned}"


def _rows(d: Derivation) -> Iterator[str]:
    yield _heading("Values and local derivatives")
    for value in (*d.given, *d.values):
        yield _value(d, value)
    if d.routes:
        yield _heading("Multiply along a route, add over routes")
        for variable, routes in d.routes.items():
            yield from _routes(d, variable, routes)
    yield _heading(r"Backward, $\bar{x}$ being $\partial " + _label(d, d.root) + r" / \partial x$")
    for step in d.steps:
        yield from _step(step)
    yield _heading("Result")
    for ending in d.endings:
        yield from _ending(d, ending)
    if d.where:
        definitions = r",\quad ".join(f"{formula(v.tag)} = {formula(v.formula)}" for v in d.where)
        yield rf"&\text{{where }} {definitions}"


def _heading(words: str) -> str:
    return rf"& \textbf{{{words}}}"


def _label(d: Derivation, label: str) -> str:
    tags = {v.label: v.tag for v in (*d.given, *d.values)}
    return formula(tags.get(label, d.inputs.get(label)))  # type: ignore[arg-type]


def _slope(d: Derivation, y: str, x: str) -> str:
    return rf"\frac{{\partial {_label(d, y)}}}{{\partial {_label(d, x)}}}"


def _value(d: Derivation, value: Value) -> str:
    line = f"{formula(value.tag)} &= {formula(value.formula)}"
    local = [e for e in d.edges_into(value.label) if e.kind != "map"]
    return line + "".join(rf" \qquad {_local(d, e)}" for e in local)


def _local(d: Derivation, edge: Edge) -> str:
    return f"{_slope(d, edge.user, edge.operand)} = {_or_zero(edge.local)}"


def _routes(d: Derivation, variable: str, routes: tuple[Route, ...]) -> Iterator[str]:
    for route in routes:
        way = r" \leftarrow ".join(_label(d, label) for label in reversed(route.labels))
        factors = r" \cdot ".join(within(f, PRODUCT) for f in reversed(route.factors))
        product = formula(route.product)
        yield rf"{way} &:\quad {factors}" + ("" if factors == product else f" = {product}")
    total = " + ".join(within(r.product, MATMUL) if k else formula(r.product) for k, r in enumerate(routes))
    written = formula(next(s.written for s in d.steps if s.label == variable))
    yield f"{_slope(d, d.root, variable)} &= {total}" + ("" if same_terms(total, written) else f" = {written}")


def within(node: Node, level: int) -> str:
    """The LaTeX of a formula, in parentheses where its place needs them."""
    layout = lay_out(node)
    return formula(node) if layout.bound else str(write(layout, WRITERS)[0].within(level))


def _step(step: Step) -> Iterator[str]:
    first = _or_zero(step.before)
    yield f"{formula(step.bar)} &= {first}"
    inserted, written = formula(step.inserted), formula(step.written)
    if inserted not in (first, written):
        yield f"&= {inserted}"
    for rewriting in step.rewrites:
        yield _rewriting(rewriting)
    if written != first:
        yield f"&= {written}"


def _rewriting(rewriting: Rewriting) -> str:
    before, after = formula(rewriting.before), formula(rewriting.after)
    return rf"&\qquad \text{{{rewriting.name}: }} {before} \;\to\; {after}"


def _ending(d: Derivation, ending: Ending) -> Iterator[str]:
    last = formula(ending.written)
    yield f"{_slope(d, d.root, ending.variable)} &= {last}"
    for insertion in ending.insertions:
        yield rf"&\qquad \text{{with }} {formula(insertion.leaf)} = {formula(insertion.formula)}\text{{:}}"
        for rewriting in insertion.rewrites:
            yield _rewriting(rewriting)
        last = formula(insertion.after)
        yield f"&= {last}"
    if last != formula(ending.result):
        yield f"&= {formula(ending.result)}"


def _or_zero(node: Node | None) -> str:
    return "0" if node is None else formula(node)

"""Derivations as plain text.

In: a `Derivation`.  Out: a string: the values with the local derivatives on their edges, the routes, the backward
pass with every rewrite, the results.  `x_bar` is the cotangent of x.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from symnet.calculus.derivation.model import Derivation, Edge, Ending, Rewriting, Route, Step, Value
from symnet.calculus.derivation.numbers import shown
from symnet.expr.node import Node
from symnet.expr.printing.forms import MATMUL, PRODUCT
from symnet.expr.printing.layout import lay_out, write
from symnet.expr.printing.text import WRITERS


def text(derivation: Derivation) -> str:
    """Plain text."""
    return "\n".join(_lines(derivation))


def _lines(d: Derivation) -> Iterator[str]:
    yield f"{' and '.join(_slope(d.root, v) for v in d.variables)}, differentiated as written"
    yield from ("", "Values and local derivatives")
    for value in (*d.given, *d.values):
        yield from _indented(_value(d, value))
    if d.routes:
        yield from ("", "Routes: multiply along a route, add over routes")
        for variable, routes in d.routes.items():
            yield from _indented(_routes(d, variable, routes))
    yield from ("", f"Backward: {_reading(d)}")
    for step in d.steps:
        yield from _indented(_step(d, step))
    yield from ("", "Result")
    for ending in d.endings:
        yield from _indented(_ending(d, ending))
    if d.where:
        yield f"  where {', '.join(f'{v.label} = {v.formula}' for v in d.where)}"


def _indented(lines: Iterable[str]) -> Iterator[str]:
    return (f"  {line}" for line in lines)


def _slope(y: str, x: str) -> str:
    return f"∂{y}/∂{x}"


def _reading(d: Derivation) -> str:
    routes = "multiply along a route, add over routes"
    return f"{routes}  (x_bar is {_slope(d.root, 'x')})"


def _at(d: Derivation, table: str, key: Any, formula: Any = None) -> str:
    """` = 28`, where there are numbers and the formula does not read so already."""
    if d.numbers is None or key not in getattr(d.numbers, table):
        return ""
    number = shown(getattr(d.numbers, table)[key])
    return "" if number == str(formula) else f" = {number}"


def _value(d: Derivation, value: Value) -> Iterator[str]:
    yield f"{value.label} = {value.formula}{_at(d, 'values', value.label)}"
    for edge in d.edges_into(value.label):
        yield f"    {_local(edge)}{_at(d, 'locals', (edge.user, edge.operand), edge.local)}"


def _local(edge: Edge) -> str:
    slope = _slope(edge.user, edge.operand)
    if edge.kind == "map":
        return f"{slope}: {edge.rule}"
    element = "    (element by element)" if edge.kind == "elementwise" and edge.local is not None else ""
    return f"{slope} = {_or_zero(edge.local)}{element}"


def _routes(d: Derivation, variable: str, routes: tuple[Route, ...]) -> Iterator[str]:
    ways = [" ← ".join(reversed(r.labels)) for r in routes]
    width = max(map(len, ways))
    for way, route in zip(ways, routes, strict=True):
        factors = " · ".join(within(f, PRODUCT) for f in reversed(route.factors))
        product = str(route.product)
        yield f"{way:{width}}    {factors}" + ("" if factors == product else f" = {product}")
    written = next(s.written for s in d.steps if s.label == variable)
    total = " + ".join(within(r.product, MATMUL) if k else str(r.product) for k, r in enumerate(routes))
    simplified = "" if same_terms(total, str(written)) else f" = {written}"
    yield f"{_slope(d.root, variable)} = {total}{simplified}{_at(d, 'cotangents', variable, written)}"


def same_terms(total: str, written: str) -> bool:
    """Whether two sums differ in the order of their terms at most."""
    return sorted(total.split(" + ")) == sorted(written.split(" + "))


def within(node: Node, level: int) -> str:
    """The text of a formula, in parentheses where its place needs them."""
    layout = lay_out(node)
    return str(node) if layout.bound else str(write(layout, WRITERS)[0].within(level))


def _step(d: Derivation, step: Step) -> Iterator[str]:
    head = str(step.bar)
    rules = "; ".join(f"from {e.user}: {e.rule}" for e in step.edges) or "the seed"
    first = str(_or_zero(step.before))
    inserted, written = str(step.inserted), str(step.written)
    number = _at(d, "cotangents", step.label, step.written)
    blank = " " * len(head)
    equals = [line for line in (inserted, written) if line != first]
    equals = equals[:1] if inserted == written else equals
    yield f"{head} = {first}{'' if equals else number}    ({rules})"
    for k, line in enumerate(equals):
        if k == len(equals) - 1:
            yield from (f"{blank}     {line}" for line in _rewrites(step.rewrites))
        yield f"{blank} = {line}{number if k == len(equals) - 1 else ''}"


def _rewrites(rewrites: Iterable[Rewriting]) -> Iterator[str]:
    return (f"[{r.name}: {r.before} → {r.after}]" for r in rewrites)


def _ending(d: Derivation, ending: Ending) -> Iterator[str]:
    head = _slope(d.root, ending.variable)
    blank = " " * len(head)
    yield f"{head} = {ending.written}"
    shown_last = str(ending.written)
    for insertion in ending.insertions:
        yield f"{blank}     with {insertion.leaf} = {insertion.formula}:"
        yield from (f"{blank}     {line}" for line in _rewrites(insertion.rewrites))
        shown_last = str(insertion.after)
        yield f"{blank} = {shown_last}"
    if shown_last != str(ending.result):
        yield f"{blank} = {ending.result}"


def _or_zero(node: Node | None) -> Any:
    return 0 if node is None else node

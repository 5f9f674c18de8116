"""Derivations as plain text.

In: a `Record`.  Out: a string: the values with the local derivatives on their edges, the routes, the backward
pass with every rewrite, the results.  `x_bar` is the cotangent of x.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from symnet.expr.nodes.constants import number_of
from symnet.expr.nodes.elementwise import is_op
from symnet.expr.nodes.node import Node
from symnet.expr.printing.forms import MATMUL, PRODUCT
from symnet.expr.printing.layout import lay_out, write
from symnet.expr.printing.text import WRITERS
from symnet.study.derivation.lines import chain, ending_lines, step_lines
from symnet.study.derivation.model import BackwardStep, Edge, Ending, LabelledValue, Law, Line, Record, Route
from symnet.study.derivation.numbers import numbers_of, on_limits, shown

WIDTH = 100  # characters, from which on a reason stands below its formula
_INDENT = "  "


def text(derivation: Record, width: int = WIDTH) -> str:
    """Plain text; a reason that would end beyond `width` characters stands below its formula."""
    return "\n\n".join("\n".join(_lines(stage, width - len(_INDENT))) for stage in derivation.stages)


def _lines(d: Record, width: int) -> Iterator[str]:
    yield f"{' and '.join(_slope(d.root, v) for v in d.variables)}{d.title}"
    yield from filter(None, [on_limits(numbers_of(d))])
    yield from ("", "Values and local derivatives")
    for value in d.defined:
        yield from _indented(_value(d, value, width))
    if d.laws:
        yield from ("", "Rules used")
        yield from _indented(_columns([(law.name, _law(law)) for law in d.laws], "", width))
    if d.routes:
        yield from ("", "Routes: multiply along a route, add over routes")
        for variable, routes in d.routes.items():
            yield from _indented(_routes(d, variable, routes))
    yield from ("", f"Backward: {_reading(d)}")
    for step in d.steps:
        yield from _indented(_step(d, step, width))
    yield from ("", "Result")
    for ending in d.endings:
        yield from _indented(_ending(d, ending, width))
    if d.where:
        yield f"  where {', '.join(f'{v.label} = {v.formula}' for v in d.where)}"


def _indented(lines: Iterable[str]) -> Iterator[str]:
    return (f"{_INDENT}{line}" for line in lines)


def _slope(y: str, x: str) -> str:
    return f"∂{y}/∂{x}"


def _reading(d: Record) -> str:
    routes = "multiply along a route, add over routes"
    return f"{routes}  (x_bar is {_slope(d.root, 'x')})"


def _at(d: Record, table: str, key: Any, formula: Any = None) -> str:
    """` = 28`, where there are numbers and the formula does not read so already."""
    numbers = numbers_of(d)
    if numbers is None or key not in getattr(numbers, table):
        return ""
    sign, array = numbers.shown(table, key)
    number = shown(array)
    return "" if number == str(formula) else f" {sign} {number}"


def _value(d: Record, value: LabelledValue, width: int) -> Iterator[str]:
    yield f"{value.label} = {value.formula}{_at(d, 'values', value.label)}"
    for edge in d.edges_into(value.label):
        formula, note = _local(edge)
        number = _at(d, "locals", (edge.user, edge.operand), edge.local)
        yield from _columns([(formula + number, note)], " " * 4, width)
        yield from _columns([*_parts(edge)], " " * 8, width)


def _local(edge: Edge) -> tuple[str, str]:
    slope = _slope(edge.user, edge.operand)
    if edge.kind == "map":
        return f"{slope} passes back {_or_zero(edge.passed)}", f"({edge.rule})"
    element = "(element by element)" if edge.kind == "elementwise" and edge.local is not None else ""
    return f"{slope} = {_or_zero(edge.local)}", element


def _parts(edge: Edge) -> Iterator[tuple[str, str]]:
    """A local derivative, one rule at a time: (factors, their rules)."""
    for part in edge.parts:
        names = ", ".join(f.rule for f in part.factors)
        product = _product([f.node for f in part.factors if f.node is not None])
        if part.term is None:
            yield (f"= {product}" if len(edge.parts) == 1 else f"{product} times, term by term,"), names
        else:
            slope = str(_or_zero(part.slope))
            equal = "" if slope == product else f" = {slope}"
            yield f"∂({part.term})/∂{edge.operand} = {product}{equal}", names


def _product(factors: Sequence[Node]) -> str:
    """Factors side by side, a sign in front."""
    minus = len(factors) > 1 and number_of(factors[0]) == -1
    return ("-" if minus else "") + (" · ".join(within(f, PRODUCT) for f in factors[minus:]) or "1")


def _columns(rows: Sequence[tuple[str, str]], indent: str, most: int) -> Iterator[str]:
    """Formulas, and beside them why; below one another where a formula is too long for that."""
    fitting = [len(left) for left, right in rows if len(indent + left) + len(right) + 4 <= most]
    width = max(fitting, default=0)
    for left, right in rows:
        if not right:
            yield indent + left
        elif len(indent) + len(left) + len(right) + 4 <= most:
            aligned = f"{indent}{left:{width}}    {right}"
            yield aligned if len(aligned) <= most else f"{indent}{left}    {right}"
        else:
            yield f"{indent}{left}"
            yield f"{' ' * len(indent)}        {right}"


def _law(law: Law) -> str:
    if law.passes:
        return f"{law.result} = {law.formula} passes back " + " and ".join(f"{leaf} = {f}" for leaf, f in law.by)
    name = str(law.formula) if law.result is None else str(law.result)
    head = "" if law.result is None else f"{law.result} = {law.formula}: "
    return head + ", ".join(f"{_slope(_bracketed(name), str(leaf))} = {f}" for leaf, f in law.by)


def _bracketed(formula: str) -> str:
    return formula if formula.isidentifier() or re.fullmatch(r"\w+\([^()]*\)", formula) else f"({formula})"


def _routes(d: Record, variable: str, routes: tuple[Route, ...]) -> Iterator[str]:
    ways = [" ← ".join(reversed(r.labels)) for r in routes]
    width = max(map(len, ways))
    for way, route in zip(ways, routes, strict=True):
        factors = " · ".join(within(f, PRODUCT) for f in reversed(route.factors))
        product = str(route.product)
        shown = product if len(route.factors) < 2 or factors == product else f"{factors} = {product}"
        yield f"{way:{width}}    {shown}"
    written = next(s.written for s in d.steps if s.label == variable)
    total = "".join(f" {_signed_term(r.product)}" if k else str(r.product) for k, r in enumerate(routes))
    simplified = "" if same_terms(total, str(written)) else f" = {written}"
    yield f"{_slope(d.root, variable)} = {total}{simplified}{_at(d, 'cotangents', variable, written)}"


def _signed_term(node: Node) -> str:
    """A further term of a sum, with its sign."""
    written = str(node)
    minus = written.startswith("-") and not is_op(node, "add")
    return f"- {written[1:]}" if minus else f"+ {within(node, MATMUL)}"


def same_terms(total: str, written: str) -> bool:
    """Whether two sums differ in the order of their terms at most."""
    return sorted(total.split(" + ")) == sorted(written.split(" + "))


def within(node: Node, level: int) -> str:
    """The text of a formula, in parentheses where its place needs them."""
    layout = lay_out(node)
    return str(node) if layout.defines else str(write(layout, WRITERS)[0].within(level))


def _step(d: Record, step: BackwardStep, width: int) -> Iterator[str]:
    number = _at(d, "cotangents", step.label, step.written)
    slopes = " + ".join(" · ".join(_slope(*pair) for pair in way) for way in chain(d.root, step))
    yield from _lines_of(str(step.bar), slopes, step_lines(step), width, number)


def _lines_of(head: str, slopes: str, lines: Sequence[Line], width: int, number: str = "") -> Iterator[str]:
    """`head = formula    why`, and below one another every further `= formula    why`."""
    rows = [(f"= {slopes}", "chain rule")] if slopes else []
    rows += [(f"= {line.formula}{number if line is lines[-1] else ''}", _reason(line)) for line in lines]
    first, *rest = _columns(rows, " " * (len(head) + 1), width)
    yield head + first[len(head) :]
    yield from rest


def _reason(line: Line) -> str:
    if line.change is None:
        return "the formulas above inserted" if line.why == "with" else line.why
    before, after = line.change
    if line.kind == "insert":
        return f"with {before} = {after}"
    return f"{line.why}: {before} → {after}"


def _ending(d: Record, ending: Ending, width: int) -> Iterator[str]:
    yield from _lines_of(_slope(d.root, ending.variable), "", ending_lines(ending), width)


def _or_zero(node: Node | None) -> Any:
    return 0 if node is None else node

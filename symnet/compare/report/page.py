"""A comparison as a page: HTML with MathML; no script, nothing fetched.

In: a `Comparison`.  Out: `page`, a whole document, or `fragment`, the same for a notebook's cell.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from html import escape
from typing import Any

from symnet.calculus.grad import grad
from symnet.compare.report.numbers import (
    UNDEFINED,
    UNKNOWN,
    count_text,
    error_text,
    numbers_text,
    ratio_text,
    time_text,
    ulp_text,
)
from symnet.compare.report.style import PAGE_STYLE, STYLE
from symnet.compare.report.table import COLUMN, WHAT, absolutes
from symnet.compare.row import Row
from symnet.expr.nodes.graph import topological
from symnet.expr.nodes.node import Node
from symnet.expr.printing.mathml import mathml
from symnet.expr.printing.mathml_lines import displayed
from symnet.expr.printing.scrolling import scrolling

LONGEST = 80  # nodes of a formula that is shown


KEY = {
    "symbolic": "symbolic", "reverse": "reverse mode", "forward": "forward mode", "differences": "differences",
    "given": "given",
}  # fmt: skip


def page(c: Any) -> str:
    """A self-contained HTML document."""
    title = escape(_title(c))
    head = '<meta charset="utf-8"/>\n<meta name="viewport" content="width=device-width, initial-scale=1"/>'
    head += f"\n<title>{title}</title>\n<style>{PAGE_STYLE}</style>"
    return f'<!DOCTYPE html>\n<html lang="en">\n<head>\n{head}\n</head>\n<body>\n{fragment(c)}\n</body>\n</html>\n'


def fragment(c: Any) -> str:
    """The page without its frame."""
    sections = (_header, _table, _charts, _formulas, _parameters, _methods, _conditions)
    written = "".join(piece + "\n" for section in sections for piece in section(c))
    return f'<style>{STYLE}</style>\n<main class="comparison">\n{written}</main>'


def _title(c: Any) -> str:
    what = WHAT[c.of]
    return f"{what[0].upper()}{what[1:]} by {numbers_text(c.parameters)}, {c.dtype}"


def _done(c: Any) -> list[Row]:
    return [row for row in c.rows if not row.failed]


def _header(c: Any) -> Iterator[str]:
    yield f"<h1>{escape(_title(c))}</h1>"
    yield f'<p class="soft">The truth is {escape(c.truth.name)}.</p>'
    for note in [f"truth: {c.truth.note}"] * bool(c.truth.note) + [f"At these data {note}." for note in c.notes]:
        yield f'<p class="wrong">{escape(note)}</p>'


# --------------------------------------------------------------------------- the table


def _table(c: Any) -> Iterator[str]:
    heads = [
        "",
        "value",
        COLUMN[c.of],
        "ulp",
        "arithmetic",
        "multiply-<br/>adds",
        "functions",
        "peak bytes",
        "cold",
        "warm",
    ]
    heads += ["× symnet", "÷ loss:<br/>time", "÷ loss:<br/>operations"]
    table = "<tr>" + "".join(f"<th>{head}</th>" for head in heads) + "</tr>"
    for row in _done(c):
        cells = "".join(f"<td>{cell}</td>" for cell in _cells(c, row))
        table += f'<tr class="{row.family}">{cells}</tr>'
    yield scrolling(f"<table>{table}</table>", "the table of the methods", "div", "wide")
    key = f"{UNKNOWN}: not measured; {UNDEFINED}: the truth is undefined"
    yield f'<p class="soft">Errors are relative, of arrays to the largest element; {key}.</p>'
    families = {row.family: row for row in _done(c)}
    keys = "".join(f'<span class="key">{_dot(row)}{KEY[family]}</span>' for family, row in families.items())
    yield f'<p class="soft">{keys}</p>'


def _cells(c: Any, row: Row) -> list[str]:
    first = c.rows[0].seconds
    slower = None if first is None or row.seconds is None else row.seconds / first
    assert row.times is not None
    spread = f"{time_text(row.times.low)} to {time_text(row.times.high)}"
    return [
        f"{_dot(row)}{escape(row.method)}",
        _error(row.value_error, c.truth.floor),
        _error(row.error, c.truth.floor),
        ulp_text(row.ulp) if c.tells_ulp else UNKNOWN,
        count_text(row.arithmetic),
        count_text(row.multiply_adds),
        count_text(row.functions),
        count_text(row.peak_bytes),
        time_text(row.cold),
        f'<span title="half of {row.times.repeats} calls: {spread}">{time_text(row.seconds)}</span>',
        ratio_text(slower),
        ratio_text(row.ratio),
        ratio_text(row.operations_ratio),
    ]


def _error(error: float | None, floor: float) -> str:
    text = error_text(error, floor)
    return text if error is None or math.isfinite(error) else f'<span class="wrong">{text}</span>'


def _dot(row: Row) -> str:
    return f'<span class="dot" style="background: var(--{row.family})"></span>'


# --------------------------------------------------------------------------- bars


def _charts(c: Any) -> Iterator[str]:
    rows, floor = _done(c), c.truth.floor
    yield '<h2>Side by side</h2><div class="charts">'
    yield _bars("time of a warm call (logarithmic, as all bars)", rows, lambda r: r.seconds, time_text)
    text: Callable[[Any], str] = lambda error: error_text(error, floor)
    yield _bars("relative error of the derivative", rows, lambda r: r.error, text, least=1e-17)
    yield _bars("peak bytes", rows, lambda r: r.peak_bytes, count_text)
    yield _bars("time until the first answer", rows, lambda r: r.cold, time_text)
    yield "</div>"


def _bars(
    title: str,
    rows: Sequence[Row],
    figure: Callable[[Row], float | None],
    text: Callable[[Any], str],
    least: float | None = None,
) -> str:
    """Bars on a logarithmic scale."""
    found = [(row, figure(row)) for row in rows]
    sizes = [v for _, v in found if v is not None and math.isfinite(v) and v > 0]
    bottom = least or min(sizes, default=1.0) / 3
    top = max([*sizes, bottom * 10])
    pieces = []
    for row, value in found:
        share = 0.0 if value is None else 1.0 if not math.isfinite(value) else _share(value, bottom, top)
        bar = f'<div class="bar" style="width: {65 * share:.1f}%; background: var(--{row.family})"></div>'
        pieces.append(f'<div>{escape(row.method)}</div><div class="track">{bar}<span>{text(value)}</span></div>')
    return f'<figure><figcaption>{title}</figcaption><div class="bars">{"".join(pieces)}</div></figure>'


def _share(value: float, bottom: float, top: float) -> float:
    return math.log(max(value, bottom) / bottom) / math.log(top / bottom)


# --------------------------------------------------------------------------- formulas


def _formulas(c: Any) -> Iterator[str]:
    yield "<h2>The formulas</h2><dl>"
    yield f"<dt>the loss</dt><dd>{_formula(c.problem.root)}</dd>"
    for leaf, slope in zip(c.problem.wrt, grad(c.problem.root, list(c.problem.wrt)), strict=True):
        yield f"<dt>∂L/∂{escape(leaf.name)}</dt><dd>{_formula(slope)}</dd>"
    yield "</dl>"


def _formula(node: Node) -> str:
    count = len(topological(node))
    if count > LONGEST:
        return f'<span class="soft">a formula of {count} values, too long to be read here</span>'
    return displayed(mathml(node))


def _parameters(c: Any) -> Iterator[str]:
    rows = _done(c)
    names = c.problem.results
    if len(names) == 1 or len(names) > 60:
        return
    yield "<h2>Relative errors of each</h2>"
    table = "<tr><th></th>" + "".join(f"<th>{escape(name)}</th>" for name in names) + "</tr>"
    for row in rows:
        cells = "".join(f"<td>{_error(a.relative, c.truth.floor)}</td>" for a in row.agreements)
        table += f"<tr><td>{_dot(row)}{escape(row.method)}</td>{cells}</tr>"
    yield scrolling(f"<table>{table}</table>", "the relative errors", "div", "wide")


# --------------------------------------------------------------------------- words


def _methods(c: Any) -> Iterator[str]:
    yield "<h2>The methods</h2><dl>"
    for row in c.rows:
        said = [row.how, *([row.note] if row.note else []), *absolutes(row)]
        text = escape("; ".join(said))
        if row.failed:
            text += f' <span class="wrong">Failed: {escape(row.failed)}</span>'
        yield f"<dt>{_dot(row)}{escape(row.method)}</dt><dd>{text}</dd>"
    yield "</dl>"


FAIR = (
    "One precision and one set of inputs for all; arrays lie where they are used before anything is timed.",
    "Cold: until the first answer, compiling and tracing included; nothing comes from a cache, libraries are loaded "
    "before. Warm: every method is called before it is timed, in turn with the others; a call ends when its results "
    "are ready; the median.",
    "Operations: executed, by one definition, a call of a function apart (docs/math-conventions.md). Peak bytes: the "
    "most that was allocated at once from arguments to results; of JAX what XLA plans, of PyTorch what its profiler "
    "saw.",
    "A method that is faster or more accurate than symnet is shown as such.",
)


def _conditions(c: Any) -> Iterator[str]:
    yield "<h2>How it was measured</h2><ul>"
    for text in (*c.conditions, *FAIR):
        yield f"<li>{escape(text[0].upper() + text[1:])}</li>"
    yield "</ul>"

"""Derivations written out: text, LaTeX, HTML.

In: a `Derivation`.  Out: a string; the same three parts in each: the values with the local derivatives on their
edges, the backward pass, the result.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import sympy

from symnet.expr.node import Node

if TYPE_CHECKING:
    from symnet.calculus.derive import Derivation, Edge, Step


def text(derivation: Derivation) -> str:
    """Plain text."""
    lines = [
        f"d{derivation.root}/d{derivation.variable}, differentiated as written",
        "",
        "Values and local derivatives",
    ]
    for value in derivation.values:
        lines.append(f"  {value.label} = {value.formula}")
        lines += [f"      {_local(e)}" for e in derivation.edges if e.user == value.label]
    lines += ["", "Backward: multiply along a route, add over routes"]
    for step in derivation.steps:
        lines += [f"  {line}" for line in _step_lines(step)]
    return "\n".join([*lines, "", "Result", f"  d{derivation.root}/d{derivation.variable} = {derivation.result}"])


def _local(edge: Edge) -> str:
    what = f"d{edge.user}/d{edge.operand}"
    return f"{what} = {edge.local}" if edge.local is not None else f"{what}: {edge.rule}"


def _step_lines(step: Step) -> list[str]:
    head = f"{step.label}_bar"
    first = f"{head} = {_or_zero(step.before)}"
    rules = ", ".join(f"from {e.user}: {e.rule}" for e in step.edges)
    lines = [f"{first}    ({rules})" if rules else f"{first}    (the seed)"]
    after = str(step.after)
    return lines if after == str(step.before) else [*lines, f"{' ' * len(head)} = {after}"]


def _or_zero(node: Node | None) -> str:
    return "0" if node is None else str(node)


def latex(derivation: Derivation) -> str:
    """A LaTeX `aligned` environment: one line per value, then one per step."""
    rows = [rf"{_label(v.label)} &= {sympy.latex(v.formula)}" for v in derivation.values]
    for step in derivation.steps:
        bar = rf"\bar{{{_label(step.label)}}}"
        before = "0" if step.before is None else sympy.latex(step.before)
        after = sympy.latex(step.after)
        rows.append(rf"{bar} &= {before}" + ("" if after == before else rf" = {after}"))
    ends = rf"\frac{{\partial {_label(derivation.root)}}}{{\partial {_label(derivation.variable)}}}"
    rows.append(rf"{ends} &= {sympy.latex(derivation.result)}")
    return "\\begin{aligned}\n" + " \\\\\n".join(rows) + "\n\\end{aligned}"


def _label(label: str) -> str:
    letter, digits = label.rstrip("0123456789"), label[len(label.rstrip("0123456789")) :]
    return f"{letter}_{{{digits}}}" if digits else letter


def html(derivation: Derivation) -> str:
    """A table: cotangent, as the rules give it, simplified, rules."""
    cells = "".join(
        "<tr>"
        + "".join(
            f"<td>{escape(cell)}</td>"
            for cell in (
                f"{s.label}_bar",
                _or_zero(s.before),
                str(s.after),
                "; ".join(e.rule for e in s.edges) or "the seed",
            )
        )
        + "</tr>"
        for s in derivation.steps
    )
    values = "".join(f"<tr><td>{escape(v.label)}</td><td>{escape(str(v.formula))}</td></tr>" for v in derivation.values)
    head = "<tr><th>cotangent</th><th>from the rules</th><th>simplified</th><th>rules</th></tr>"
    result = f"d{derivation.root}/d{derivation.variable} = {derivation.result}"
    return f"<table>{values}</table><table>{head}{cells}</table><p>{escape(result)}</p>"

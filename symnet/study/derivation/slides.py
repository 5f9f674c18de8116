"""Derivations as slides: forward one value at a time, then one backward step at a time.

In: a `Record`, best with numbers (`at=`).  Out: one self-contained HTML document.  The arrow keys step through
it, by the only script there is, a few lines; without script (and on paper) it is a page to scroll.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from symnet.expr.printing.forms import PRODUCT
from symnet.expr.printing.markup import MINUS, op
from symnet.expr.printing.mathml import mathml
from symnet.expr.printing.scrolling import scrolling
from symnet.study.derivation.graph import Spotlight, label_mathml, name_slope, svg
from symnet.study.derivation.lines import step_lines
from symnet.study.derivation.model import BackwardStep, Edge, LabelledValue, NumbersAtPoint, Record
from symnet.study.derivation.numbers import numbers_of, shown_mathml
from symnet.study.derivation.page import (
    chained,
    definitions,
    document,
    equation,
    formula,
    headline,
    named_by_page,
    slope,
    within,
    written_lines,
)
from symnet.study.derivation.style import PAGE_STYLE, STYLE

SLIDE_STYLE = """
.derivation.slides { max-width: 66rem; padding-top: 1.2rem; }
.slides section {
  padding: 1rem 0 2.4rem; border-bottom: 1px solid var(--line); break-inside: avoid; break-after: page;
}
.slides .head {
  display: flex; justify-content: space-between; align-items: baseline; color: var(--soft); font-size: .86rem;
}
.slides h2 { margin: .2rem 0 .4rem; font-size: 1.3rem; }
.slides .said { font-size: 1.15rem; }
html:has(.stepping) { font-size: clamp(13px, 1.85vmin, 30px); }
.derivation.stepping { max-width: 94vw; padding: 1rem 0 0; height: 100vh; display: flex; flex-direction: column; }
.stepping section.shown { flex: 1 1 auto; min-height: 0; display: flex; flex-direction: column; padding-bottom: 0; }
.stepping .said { flex: 0 0 auto; min-height: 9.5rem; max-height: 52vh; }
.stepping .said.full {
  overflow: hidden auto;
  background:
    linear-gradient(to bottom, var(--paper) 35%, transparent) top / 100% 2.2rem no-repeat local,
    linear-gradient(to top, var(--paper) 35%, transparent) bottom / 100% 2.2rem no-repeat local,
    linear-gradient(to bottom, var(--shade), transparent) top / 100% .8rem no-repeat scroll,
    linear-gradient(to top, var(--shade), transparent) bottom / 100% .8rem no-repeat scroll;
}
.stepping figure { flex: 1 1 0; min-height: 0; margin: .4rem 0; overflow-y: hidden; }
.stepping .graph { display: block; width: 100%; height: 100%; max-width: none; }
.stepping .said .lines { font-size: .92em; }
.stepping .said .because { font-size: .77em; }
.stepping nav { flex: none; padding: .3rem 0 .7rem; }
.slides .said .lines { row-gap: .7rem; }
.slides figure { margin-top: .4rem; }
.stepping section { display: none; border: 0; }
.slides nav { display: none; }
.stepping nav {
  display: flex; gap: .6rem; justify-content: center; align-items: center; color: var(--soft); font-size:
  .86rem;
}
.stepping nav button {
  font: inherit; color: var(--ink); background: var(--card); border: 1px solid var(--faint); border-radius: 6px;
  padding: .25rem .9rem; cursor: pointer;
}
.stepping nav button:disabled { opacity: .35; cursor: default; }
@media (max-width: 40rem) {
  .stepping figure { overflow: auto; text-align: left; }
  .stepping .graph { width: max(100%, calc(.6 * var(--wide))); min-width: 0; height: auto; }
}
@media (max-height: 30rem) and (min-width: 36rem) {
  .stepping section.shown { display: grid; grid-template: auto auto minmax(0, 1fr) / 1fr 1fr; column-gap: 1rem; }
  .stepping .head { grid-column: 1 / -1; }
  .stepping .said { min-height: 0; max-height: none; overflow: hidden auto; }
  .stepping figure { grid-column: 2; grid-row: 2 / span 2; margin: 0; overflow: auto; }
  .stepping .graph { width: max(100%, calc(.6 * var(--wide))); height: auto; }
}
@media print {
  .derivation.stepping { height: auto; display: block; max-width: 66rem; }
  .stepping section, .stepping section.shown { display: block; }
  .stepping .said { max-height: none; overflow: visible; }
  .stepping .graph { height: auto; max-width: 100%; }
  .slides nav { display: none !important; }
}
"""

SCRIPT = """
const main = document.querySelector("main"), slides = [...main.querySelectorAll("section")];
const [back, on] = main.querySelectorAll("nav button");
const clamp = n => Math.min(Math.max(n, 0), slides.length - 1);
let now = clamp((parseInt(location.hash.slice(1)) || 1) - 1);
const wide = box => box.scrollWidth > box.clientWidth + 1;
function fit(said) {
  const least = Math.min(100, Math.max(50, 1200 / parseFloat(getComputedStyle(said.parentNode).fontSize) / 1.15));
  said.classList.remove("full");
  for (let percent = 100; percent > least - 5; percent -= 5) {
    said.style.fontSize = percent < 100 ? 1.15 * percent / 100 + "rem" : "";
    const tall = said.scrollHeight > said.clientHeight + 4;
    if (!tall && !wide(said) && ![...said.querySelectorAll(".scrolls, .lines > div, .where > *")].some(wide)) return;
    said.classList.toggle("full", tall);
  }
}
function show(n) {
  now = clamp(n);
  slides.forEach((slide, k) => slide.classList.toggle("shown", k === now));
  fit(slides[now].querySelector(".said"));
  const lit = slides[now].querySelector("figure .now");
  if (lit) lit.scrollIntoView({block: "nearest", inline: "center"});
  back.disabled = now === 0; on.disabled = now === slides.length - 1;
  history.replaceState(null, "", "#" + (now + 1));
}
const moves = {ArrowRight: 1, ArrowDown: 1, PageDown: 1, " ": 1, ArrowLeft: -1, ArrowUp: -1, PageUp: -1};
addEventListener("keydown", event => {
  const box = event.target.closest?.(".scrolls");
  if (box && wide(box) && /Arrow(Left|Right)/.test(event.key)) return;
  if (event.key === "Home") show(0);
  else if (event.key === "End") show(slides.length - 1);
  else if (event.key in moves) show(now + moves[event.key]);
  else return;
  event.preventDefault();
});
addEventListener("resize", () => show(now));
addEventListener("hashchange", () => show((parseInt(location.hash.slice(1)) || 1) - 1));
back.onclick = () => show(now - 1); on.onclick = () => show(now + 1);
main.classList.add("stepping"); show(now);
"""


@dataclass(frozen=True)
class Slide:
    """A title, what is said (HTML), what the graph shows."""

    part: str
    title: str
    said: str
    known: Spotlight


def slides(d: Record) -> str:
    """The whole document of the slides."""
    deck = [(stage, slide) for stage in d.stages for slide in _deck(stage)]
    sections = "".join(_section(stage, slide, n, len(deck)) for n, (stage, slide) in enumerate(deck, 1))
    nav = '<nav><button type="button">← back</button><span>arrow keys</span><button type="button">on →</button></nav>'
    style = f"<style>{PAGE_STYLE}{STYLE}{SLIDE_STYLE}</style>"
    body = f'<main class="derivation slides">\n{sections}{nav}</main>\n<script>{SCRIPT}</script>'
    return document(f"∂{d.root}/∂{', '.join(d.variables)}, step by step", style, body)


def _section(d: Record, slide: Slide, number: int, count: int) -> str:
    head = f'<div class="head"><span>{slide.part}</span><span>{number} / {count}</span></div>'
    picture = svg(d, slide.known)
    figure = scrolling(picture, "the graph", "figure") if picture else ""
    return f'<section>{head}<h2>{slide.title}</h2><div class="said">{slide.said}</div>{figure}</section>\n'


def _deck(d: Record) -> Iterator[Slide]:
    yield _opening(d)
    values = set(_start(d))
    for value in d.defined:
        values.add(value.label)
        yield _forward(d, value, frozenset(values))
    known: set[str] = set()
    for step in d.steps:
        known.add(step.label)
        yield _backward(d, step, frozenset(values), frozenset(known))
    yield _closing(d, frozenset(values), frozenset(known))


def _start(d: Record) -> list[str]:
    """The labels whose numbers are given: everything that no value of the derivation computes."""
    computed = {v.label for v in d.defined}
    numbers = numbers_of(d)
    names = numbers.values if numbers else d.inputs
    return [name for name in names if name not in computed]


def _math(d: Record, label: str) -> str:
    return equation(label_mathml(d, label))


def _opening(d: Record) -> Slide:
    wanted = ", ".join(equation(slope(d, v)) for v in d.variables)
    said = f"<p>{_math(d, d.root)} is computed from the top down. Wanted: {wanted}.</p>"
    numbers = numbers_of(d)
    if numbers:
        given = (equation(label_mathml(d, n), op("="), shown_mathml(numbers.values[n])) for n in _start(d))
        said += f'<div class="where">at {"".join(f"<span>{g}</span>" for g in given)}</div>'
    return Slide("The graph", _math(d, d.root), said, Spotlight(frozenset(_start(d)), now=frozenset({d.root})))


def _forward(d: Record, value: LabelledValue, values: frozenset[str]) -> Slide:
    numbers = numbers_of(d)
    number = _shown(numbers, "values", value.label) if numbers else ""
    lines = [f"<div>{equation(mathml(value.tag), op('='), mathml(value.formula), number)}</div>"]
    edges = d.edges_into(value.label)
    for edge in edges:
        if edge.kind != "map":
            local = numbers.locals.get((edge.user, edge.operand)) if numbers else None
            at = op("=") + shown_mathml(local) if local is not None and edge.local is not None else ""
            at = "" if at == op("=") + formula(edge.local) else at
            name = name_slope(d, edge.user, edge.operand)
            lines.append(f'<div class="number">{equation(name, op("="), formula(edge.local), at)}</div>')
    said = f'<div class="where" style="font-size:1em">{"".join(lines)}</div>'
    lit = frozenset((e.user, e.operand) for e in edges)
    return Slide(
        "Forward",
        f"The value {_math(d, value.label)}",
        said,
        Spotlight(values, now=frozenset({value.label}), edges=lit),
    )


def _shown(numbers: NumbersAtPoint, table: str, key: str) -> str:
    """= and a number, or → and a limit."""
    sign, array = numbers.shown(table, key)
    return op(sign) + shown_mathml(array)


def _backward(d: Record, step: BackwardStep, values: frozenset[str], known: frozenset[str]) -> Slide:
    lit = frozenset((e.user, e.operand) for e in step.edges)
    seen = Spotlight(values, known, frozenset({step.label}), lit)
    title = f"The derivative by {_math(d, step.label)}"
    head = f'<div class="lhs bar">{equation(slope(d, step.label))}</div>'
    numbers = numbers_of(d)
    if numbers is None:
        said = written_lines(slope(d, step.label), chained(d, step), step_lines(step))
    else:
        lines = [f"<div>{equation(op('='), line)}</div>" for line in _account(d, numbers, step)]
        body = [head, lines[0], *(f"<div></div>{line}" for line in lines[1:])]
        said = f"<div class='lines'>{''.join(body)}</div>"
    return Slide("Backward", title, f"<p>{_reason(d, step)}</p>{said}", seen)


def _reason(d: Record, step: BackwardStep) -> str:
    if step.before is None:
        return "Nothing arrives: the values above do not change with it."
    if not step.edges:
        return "The seed: the derivative of a value by itself."
    if len(step.edges) == 1:
        (edge,) = step.edges
        return f"One edge leads on, to {_math(d, edge.user)}: multiply along it ({edge.rule})."
    users = " and ".join(_math(d, e.user) for e in step.edges)
    return f"{len(step.edges)} edges lead on, to {users}: multiply along each, and add."


def _account(d: Record, numbers: NumbersAtPoint, step: BackwardStep) -> list[str]:
    """The chain rule in formulas, then in numbers."""
    if not step.edges:
        return ["<mn>1</mn>" if step.before is not None else "<mn>0</mn>"]
    parts = [_product(d, e) for e in step.edges if e.passed is not None]
    lines = [op("+").join(parts) or "<mn>0</mn>"]
    _, cotangent = numbers.shown("cotangents", step.label)
    scalar = cotangent.ndim == 0 and all(e.kind == "scalar" for e in step.edges)
    if scalar and ("cotangents", step.label) not in numbers.limits:
        live = [e for e in step.edges if e.local is not None]
        pairs = [(numbers.cotangents[e.user], numbers.locals[e.user, e.operand]) for e in live]
        lines.append(op("+").join(_bracketed(a) + op("·") + _bracketed(b) for a, b in pairs) or "<mn>0</mn>")
    return [*lines, shown_mathml(cotangent)]


def _product(d: Record, edge: Edge) -> str:
    """∂L/∂user · ∂user/∂operand; between whole arrays what is passed back."""
    if edge.kind in ("map", "jacobian") or edge.local is None:
        return formula(edge.passed)
    return slope(d, edge.user) + op("·") + within(edge.local, PRODUCT)


def _bracketed(number: object) -> str:
    written = shown_mathml(number)
    return f"<mo>(</mo>{written}<mo>)</mo>" if written.startswith(MINUS) else written


def _closing(d: Record, values: frozenset[str], known: frozenset[str]) -> Slide:
    lines, numbers = [], numbers_of(d)
    for ending in d.endings:
        number = _shown(numbers, "cotangents", ending.variable) if numbers else ""
        result, named = named_by_page(d, headline(d, ending))
        number = "" if number == op("=") + result else number
        lines.append(f'<div class="lhs">{equation(slope(d, ending.variable))}</div>')
        lines.append(f"<div>{equation(op('='), result, number)}{named}</div>")
    where = f'<div class="where">where {definitions(d.where)}</div>' if d.where else ""
    said = f'<div class="lines">{"".join(lines)}</div>{where}'
    return Slide(
        "Result",
        "All from one backward pass",
        said,
        Spotlight(values, known, frozenset(ending.value for ending in d.endings)),
    )

"""The computation graph of a derivation, drawn: inline SVG with its formulas in MathML.

In: a `Record`, and for slides what is known so far (`Spotlight`).  Out: an `<svg>` element.  Values flow down; every
edge carries its local derivative, or, between whole arrays, what it passes back.
Sizes of formulas are estimated from their text: browsers measure, we do not.  Of a graph with more than 40 boxes the
layers in the middle are one box (`fold.py`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from html import escape

from symnet.expr.nodes.node import Node, kept_on_node
from symnet.expr.nodes.symbols import Tensor, leaves
from symnet.expr.printing.markup import math_element, name_mathml, op
from symnet.expr.printing.mathml import mathml
from symnet.study.derivation.fold import middle
from symnet.study.derivation.layout import Drawing, Link, Point, draw
from symnet.study.derivation.model import Edge, Record
from symnet.study.derivation.numbers import extent_shown, numbers_of, shown_mathml

MOST, KEPT = 40, 24  # boxes that are all drawn; boxes left of a graph that has more
_WIDEST_LABEL = 30  # characters of a formula on an edge; of a longer one the rule's name is written
_LONGEST_WORDS = 600  # characters of a graph in words
FOLDED = "…"  # the label of the box for what is not drawn
_CONSTANTS = 12  # leaves that do not vary are drawn up to this number of boxes


@dataclass(frozen=True)
class Spotlight:
    """What a picture shows besides the graph.

    Attributes:
        values: the labels whose number is shown.
        cotangents: the labels whose derivative is shown.
        now: the labels in the light.
        edges: the edges in the light.
    """

    values: frozenset[str] = frozenset()
    cotangents: frozenset[str] = frozenset()
    now: frozenset[str] = frozenset()
    edges: frozenset[tuple[str, str]] = frozenset()


@dataclass
class Box:
    """One value as it is drawn."""

    label: str
    kind: str  # input, constant, given, value, root, folded
    formula: str  # MathML
    width: float
    height: float
    notes: list[tuple[str, str]] = field(default_factory=list)  # (class, MathML)


def svg(d: Record, known: Spotlight | None = None) -> str:
    """The graph as an `<svg>` element."""
    boxes = _boxes(d, known)
    links = _links(d, boxes)
    hidden = middle(list(boxes), [(str(link.above), str(link.below)) for link, _ in links], MOST, KEPT)
    lit = known or Spotlight()
    if hidden:
        boxes, links, lit = _folded(d, boxes, links, hidden, lit)
    drawing = draw({b.label: (b.width, b.height) for b in boxes.values()}, [link for link, _ in links])
    width, height = drawing.size
    lines = [_line(link, edge, way, lit) for (link, edge), way in zip(links, drawing.ways, strict=True)]
    texts = [_label(link, edge, at, lit) for (link, edge), at in zip(links, drawing.labels, strict=True) if edge]
    drawn = [_drawn(box, drawing, lit) for box in boxes.values()]
    margin = 10
    view = f"{-margin} {-margin} {width + 2 * margin:.0f} {height + 2 * margin:.0f}"
    size = f'width="{width + 2 * margin:.0f}" height="{height + 2 * margin:.0f}"'
    title, said = f"The computation graph of {escape(d.root)}", escape(described(d))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="graph" viewBox="{view}" {size} '
        f'style="--wide: {width + 2 * margin:.0f}px" role="img" aria-label="{title}. {said}">'
        f"<title>{title}</title><desc>{said}</desc>{''.join(lines)}{''.join(texts)}{''.join(drawn)}</svg>"
    )


def described(d: Record) -> str:
    """The graph in words, for those who do not see it: `c = a + b; d = a*c`."""
    said = "; ".join(f"{value.label} = {_written(value.formula)}" for value in d.defined).replace("\n", " ")
    return said if len(said) <= _LONGEST_WORDS else f"{len(d.values)} values, from {', '.join(d.inputs)} to {d.root}"


DrawnLinks = list[tuple[Link, Edge | None]]


def _folded(
    d: Record, boxes: dict[str, Box], links: DrawnLinks, hidden: list[str], lit: Spotlight
) -> tuple[dict[str, Box], DrawnLinks, Spotlight]:
    """The boxes and links, with one box in the place of many; it is in the light when one of them is."""
    inside, first, last = set(hidden), hidden[0], hidden[-1]
    names = label_mathml(d, first) + op(",") + "<mo>…</mo>" + op(",") + label_mathml(d, last)
    folded = Box(FOLDED, "folded", names, 90.0 + 9 * (len(first) + len(last)), 62.0)
    folded.notes.append(("hint", f"<mtext>{len(hidden)} values</mtext>"))
    fresh: dict[str, Box] = {}
    for label, box in boxes.items():
        fresh.setdefault(FOLDED if label in inside else label, folded if label in inside else box)
    kept: dict[tuple[str, str], tuple[Link, Edge | None]] = {}
    for link, edge in links:
        above, below = (FOLDED if end in inside else str(end) for end in (link.above, link.below))
        if above == below:
            continue
        plain = FOLDED in (above, below) or (above, below) in kept
        kept[above, below] = (Link(above, below), None) if plain else (link, edge)
    now = lit.now | ({FOLDED} if lit.now & inside else frozenset())
    order = [label for label in fresh if label != FOLDED]
    place = next((k for k, label in enumerate(order) if (FOLDED, label) in kept), len(order))
    order.insert(max(place, 1 + max((k for k, x in enumerate(order) if (x, FOLDED) in kept), default=-1)), FOLDED)
    return {label: fresh[label] for label in order}, list(kept.values()), replace(lit, now=frozenset(now))


# --------------------------------------------------------------------------- boxes


def _boxes(d: Record, known: Spotlight | None) -> dict[str, Box]:
    """Label → box, operands first."""
    boxes: dict[str, Box] = {}
    for label in d.inputs:
        boxes[label] = _box(d, label, "input", None)
    values = [*d.given, *d.values]
    constants = _constants(d)
    if len(values) + len(boxes) + len(constants) <= _CONSTANTS:
        boxes = {name: _box(d, name, "constant", None) for name in constants} | boxes
    for value in values:
        kind = "root" if value.label == d.root else "given" if value in d.given else "value"
        kind = "input" if value.label in d.inputs else kind
        boxes[value.label] = _box(d, value.label, kind, None if value.is_element else value.formula)
    for box in boxes.values():
        _annotate(box, d, known)
    rank = {step.label: k for k, step in enumerate(reversed(d.steps))}  # operands first, whatever order they came in
    return {label: boxes[label] for label in sorted(boxes, key=lambda label: rank.get(label, -1))}


def _constants(d: Record) -> list[str]:
    """The leaves that no one differentiates by."""
    formulas = [v.formula for v in (*d.given, *d.values)]
    inner = {str(v.tag) for v in (*d.given, *d.values)} | set(d.inputs)
    return [leaf.name for leaf in leaves(*formulas) if leaf.name not in inner]


def _box(d: Record, label: str, kind: str, formula: Node | None) -> Box:
    name = label_mathml(d, label)
    if formula is None:
        return Box(label, kind, name, max(42.0, 20 + 10 * len(label)), 42.0)
    width = max(56.0, 30 + 9.6 * (len(label) + 3 + _length(formula)))
    return Box(label, kind, name + op("=") + _set(formula), width, _height(formula, 44.0, 58.0))


def _height(formula: Node, line: float, fraction: float) -> float:
    """How high a formula is set: a line, a fraction, or the rows of a matrix."""
    rows = _set(formula).count("<mtr>")
    return max(line + 20.0 * (rows - 1) + 6.0 if rows else line, fraction if "mfrac" in _set(formula) else line)


@kept_on_node
def _set(formula: Node) -> str:
    """The MathML of a formula, kept: a deck of slides draws every formula once a slide."""
    return mathml(formula)


@kept_on_node
def _written(formula: Node) -> str:
    return str(formula)


def _length(formula: Node) -> float:
    """Characters of a formula as it is set: without what LaTeX and MathML write as signs."""
    text = _written(formula)
    for long, short in ((" @ ", " "), ("sigmoid", "σ"), ("mean", "1m Σ"), ("sum", "Σ"), (", keepdims=True", "")):
        text = text.replace(long, short)
    for long in (", axis=1", ", axis=0", "**", "*", ".T"):
        text = text.replace(long, " ")
    return len(text)


def _annotate(box: Box, d: Record, known: Spotlight | None) -> None:
    """Numbers under the formula; their place is kept where they are not yet known, so that slides stand still."""
    numbers = numbers_of(d)
    if numbers is None:
        return
    for css, table in (("number", "values"), ("slope", "cotangents")):
        if box.label not in getattr(numbers, table):
            continue
        sign, array = numbers.shown(table, box.label)
        head = name_slope(d, d.root, box.label) + op(sign) if css == "slope" else op(sign) if sign == "→" else ""
        visible = known is None or box.label in (known.values if css == "number" else known.cotangents)
        box.notes.append((css if visible else f"{css} hidden", head + shown_mathml(array)))
        across, down = extent_shown(array)
        box.width = max(box.width, 26 + 8.4 * across + (36 + 8 * len(box.label) if head else 0))
        box.height += max(19.0 * down + 4, 33.0 if head else 0.0)


def label_mathml(d: Record, label: str) -> str:
    """A label in MathML, in the notation that the user gave."""
    tag = d.tag(label)
    return name_mathml(label) if tag is None else _set(tag)


def name_slope(d: Record, y: str, x: str) -> str:
    """∂y/∂x in MathML."""
    top, bottom = (f"<mrow><mo>∂</mo>{label_mathml(d, label)}</mrow>" for label in (y, x))
    return f"<mfrac>{top}{bottom}</mfrac>"


def _drawn(box: Box, drawing: Drawing, lit: Spotlight) -> str:
    x, y = drawing.boxes[box.label]
    w, h = box.width, box.height
    left, top = x - w / 2, y - h / 2
    round_ = 21 if box.kind in ("input", "constant") else 7
    css = " ".join(["node", box.kind, *(["now"] if box.label in lit.now else [])])
    notes = "".join(f'<div class="{kind}">{math_element(inner)}</div>' for kind, inner in box.notes)
    body = f'<div class="formula">{math_element(box.formula)}</div>{notes}'
    return (
        f'<g class="{css}"><rect x="{left:.1f}" y="{top:.1f}" width="{w:.1f}" height="{h:.1f}" rx="{round_}"/>'
        f"{_foreign(left, top, w, h, body)}</g>"
    )


def _foreign(left: float, top: float, width: float, height: float, body: str) -> str:
    return (
        f'<foreignObject x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{height:.1f}">'
        f'<div xmlns="http://www.w3.org/1999/xhtml" class="cell">{body}</div></foreignObject>'
    )


# --------------------------------------------------------------------------- edges


def _links(d: Record, boxes: dict[str, Box]) -> list[tuple[Link, Edge | None]]:
    """Every edge, and for what does not vary a plain link."""
    edges = {(e.user, e.operand): e for e in d.edges}
    links: list[tuple[Link, Edge | None]] = []
    for value in (*d.given, *d.values):
        shown_leaves: Iterable[Tensor] = leaves(value.formula)
        for name in dict.fromkeys(leaf.name for leaf in shown_leaves):
            edge = None if value.is_element else edges.get((value.label, name))
            if name in boxes and name != value.label:
                size = _label_size(edge) if edge else (0.0, 0.0)
                links.append((Link(name, value.label, size, 1.0 if edge else 0.05), edge))
    return links


def _label_size(edge: Edge) -> tuple[float, float]:
    formula = on_edge(edge)
    if formula is None:
        return 16 + 7.0 * len(edge.rule), 24.0
    return max(26.0, 18 + 8.2 * _length(formula)), _height(formula, 26.0, 42.0)


def on_edge(edge: Edge) -> Node | None:
    """The formula an edge carries; None where its rule's name is shorter."""
    formula = edge.passed if edge.kind == "map" else edge.local
    return formula if formula is not None and _length(formula) <= _WIDEST_LABEL else None


def _line(link: Link, edge: Edge | None, way: list[Point], lit: Spotlight) -> str:
    """A smooth line through its points, and the head of an arrow."""
    now = edge is not None and (edge.user, edge.operand) in lit.edges
    css = " ".join(["edge", *([] if edge else ["plain"]), *(["now"] if now else [])])
    (x, y), *rest = way
    path = [f"M{x:.1f} {y:.1f}"]
    for nx, ny in rest:
        middle = (y + ny) / 2
        path.append(f"C{x:.1f} {middle:.1f} {nx:.1f} {middle:.1f} {nx:.1f} {ny:.1f}")
        x, y = nx, ny
    head = f"M{x - 4:.1f} {y - 7:.1f}L{x:.1f} {y:.1f}L{x + 4:.1f} {y - 7:.1f}"
    return f'<path class="{css}" d="{"".join(path)}"/><path class="{css} head" d="{head}"/>'


def _label(link: Link, edge: Edge, at: Point, lit: Spotlight) -> str:
    x, y = at
    w, h = link.label
    formula = on_edge(edge)
    if formula is None:
        body = f'<span class="rule">{escape(edge.rule)}</span>'
    else:
        body = math_element(_set(formula))
    kind = "passes" if edge.kind == "map" else "local"
    now = " now" if (edge.user, edge.operand) in lit.edges else ""
    return f'<g class="label {kind}{now}">{_foreign(x - w / 2, y - h / 2, w, h, f"<div>{body}</div>")}</g>'

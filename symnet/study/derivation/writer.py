"""How the steps of a derivation are found.

In: an opened problem (as written, with barriers).  Out: `Derivation`.
The cotangents are pulled back through the stations, once over labels (short formulas, every rewrite recorded) and
once in full (what `grad` does): the two must meet at the variables, and the definitions inserted there are recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from symnet.calculus.elements import element
from symnet.calculus.entries import by_entries
from symnet.calculus.parts import VariablePart
from symnet.calculus.problem import Problem, project, strip_barriers
from symnet.diff.batching import basis, batch
from symnet.diff.contraction import add_up
from symnet.diff.reverse import pullback
from symnet.expr.nodes.constants import number
from symnet.expr.nodes.expansion import fill
from symnet.expr.nodes.graph import substitute, topological
from symnet.expr.nodes.names import attach
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import Named, Tensor, leaves
from symnet.expr.printing.layout import reads_by_entries
from symnet.simplify.algebra.table import simplify
from symnet.simplify.trace import Step
from symnet.study.derivation.derivation import Derivation
from symnet.study.derivation.edges import edge
from symnet.study.derivation.labels import Labels
from symnet.study.derivation.model import BackwardStep, Edge, Ending, Insertion, LabelledValue, Rewriting
from symnet.study.derivation.rewrites import readable, without_ones
from symnet.study.derivation.routes import find_routes
from symnet.study.derivation.stations import find_stations

_UNFOLDED = 24  # definitions inserted one by one at the end; of more, the result alone is shown
_INSERTED = 20  # a cotangent of at most this many nodes is inserted where it is used; a longer one stays a name


class Writer:
    """Walks the stations backward and writes down every step.

    Args:
        problem: one root, as written; of an array the derivatives are Jacobians.
        lay_out: how a result of shape root.shape + variable.shape is laid out; None: as it is.
    """

    def __init__(self, problem: Problem, lay_out: Callable[[Node], Node] | None = None) -> None:
        self.problem = problem
        self.lay_out = lay_out
        (self.root,) = problem.roots
        self.targets = problem.targets
        self.stations = find_stations(self.root, self.targets, problem.labels)
        order = self.stations.order
        self.labels = Labels([*self.stations.given, *order], leaves(self.root), problem.labels, self.root)
        self.tags = {node: self.labels.tag(node) for node in (*self.stations.given, *order)}
        self.front = self.root.shape  # the axes of the root, which stand before those of every derivative
        self.bars = {node: self.labels.bar(node) for node in order}
        self.formulas = {n: self.stations.formula(n, self.tags.__getitem__) for n in (*self.stations.given, *order)}
        self.cotangents = self.all_cotangents(order)

    def derivation(
        self,
        reached: Sequence[Node],
        results: Sequence[Node],
        result: Any,
        data: Mapping[str, Any] | None,
        layout: str | None = None,
    ) -> Derivation:
        """The whole derivation, from where differentiating as written ends, and what `grad` gives, singly and as the
        variables were given.
        """
        values = [self.value(n) for n in self.stations.order if n not in self.targets]
        between = dict.fromkeys(t for t in self.targets if t.operands)
        given = [self.value(n) for n in (*self.stations.given, *between)]
        steps = self.steps()
        names = [self.labels.of[t] for t in self.targets]
        routes = {} if self.front else find_routes(steps, self.labels.of[self.root], names)
        by_label = {v.label: v for v in (*given, *values)}
        parts = self.problem.parts
        ends = zip(self.targets, parts, reached, results, strict=True)
        endings = [self.ending(t, part, steps, own, r, by_label) for t, part, own, r in ends]
        inputs = {label: strip_barriers([t])[0] for label, t in zip(names, self.targets, strict=True)}
        return Derivation(
            self.labels.of[self.root],
            tuple(ending.variable for ending in endings),
            tuple(values),
            tuple(given),
            inputs,
            tuple(steps),
            routes,
            tuple(endings),
            result,
            data,
            {str(said): said for t, part in zip(self.targets, parts, strict=True) for said in self.said(t, part)},
            layout,
        )

    def said(self, target: Node, part: VariablePart | None) -> list[Node]:
        """A part of a target over the label of the whole, u[0]; nothing for the whole."""
        return [] if part is None else substitute([part.part], {part.whole: self.tags[target]})

    def all_cotangents(self, order: Sequence[Node]) -> dict[Node, Node | None]:
        """The derivative of the root by each station, of shape root.shape + station.shape; None where zero."""
        if not self.front:
            return pullback(self.root, number(1), order)
        seed = self.labels.bar(self.root, front=False)
        linear = pullback(self.root, seed, order)
        present = {node: bar for node in order if (bar := linear[node]) is not None}
        rows = batch(list(present.values()), {seed: basis(self.front)}, self.front)
        return {**dict.fromkeys(order), **dict(zip(present, rows, strict=True))}

    def value(self, node: Node) -> LabelledValue:
        return LabelledValue(self.labels.of[node], self.formulas[node], strip_barriers([node])[0], self.tags[node])

    # ----------------------------------------------------------------------- the backward pass

    def steps(self) -> list[BackwardStep]:
        """One step for each station, from the root down."""
        arrived: dict[Node, list[Edge]] = {node: [] for node in self.stations.order}
        short: dict[Node, Node] = {}  # the bars that are replaced where they occur
        steps: list[BackwardStep] = []
        afters = self.in_full()
        for node in reversed(self.stations.order):
            step = self.step(node, arrived[node], short, afters[node])
            steps.append(step)
            if len(topological(step.written)) <= _INSERTED:
                short[self.bars[node]] = step.written
            for operand in self.stations.inputs(node) if node not in self.targets or node.operands else []:
                if step.before is not None:
                    arrived[operand].append(self.edge(node, operand))
        return steps

    def edge(self, user: Node, operand: Node) -> Edge:
        labels = self.labels.of[user], self.labels.of[operand]
        varying = [self.tags[n] for n in self.stations.inputs(user)]
        plain = self.labels.bar(user, front=False)
        found = edge(labels, self.formulas[user], (self.tags[user], plain), self.tags[operand], varying)
        if not self.front or found.passed is None:
            return found
        wide = batch([p for p in (found.passed, found.product) if p is not None], {plain: self.bars[user]}, self.front)
        passed, *product = simplify(wide)
        return replace(found, passed=passed, product=product[0] if product else None)

    def step(self, node: Node, edges: list[Edge], short: Mapping[Node, Node], after: Node) -> BackwardStep:
        label, bar = self.labels.of[node], self.bars[node]
        if node is self.root:
            one = basis(self.front)
            return BackwardStep(label, bar, (), one, (), one, (), one, one)
        before = add_up([e.passed for e in edges if e.passed is not None])
        if before is None:
            zero = fill(0, (*self.front, *node.shape))
            return BackwardStep(label, bar, tuple(edges), None, (), zero, (), zero, after)
        present = set(topological(before))
        known = tuple((leaf, formula) for leaf, formula in short.items() if leaf in present)
        inserted = without_ones(substitute([before], short)[0])
        trace: list[Step] = []
        (written,) = by_entries(simplify([inserted], trace))
        if reads_by_entries(written):
            rewrites: tuple[Rewriting, ...] = (Rewriting("entry by entry", inserted, written, written),)
        else:
            rewrites = readable(inserted, trace, written)
        mirrored = project(written, node) if node in self.targets else written
        if mirrored is not None and mirrored is not written:
            (halved,) = simplify([mirrored])
            if halved is not written:
                rewrites = (*rewrites, Rewriting("the variable is symmetric", written, halved, halved))
            written = halved
        return BackwardStep(label, bar, tuple(edges), before, known, inserted, rewrites, written, after)

    def in_full(self) -> dict[Node, Node]:
        """Every cotangent in full, simplified, with the user's names."""
        order = self.stations.order
        found = [self.cotangents[n] for n in order]
        cotangents = [fill(0, (*self.front, *n.shape)) if c is None else c for n, c in zip(order, found, strict=True)]
        simple, names = self.named(cotangents)
        return dict(zip(order, attach(simple, names), strict=True))

    def named(self, nodes: Sequence[Node], trace: list[Step] | None = None) -> tuple[list[Node], dict[Node, Named]]:
        """The nodes simplified, and which value has which name in that form."""
        known = list(self.problem.labels)
        simple = strip_barriers(simplify([*nodes, *known], trace))
        labels = list(self.problem.labels.values())
        names = dict(zip(simple[len(nodes) :], labels, strict=True))
        for old, label in zip(strip_barriers(known), labels, strict=True):
            names.setdefault(old, label)
        return simple[: len(nodes)], names

    # ----------------------------------------------------------------------- the end

    def ending(
        self,
        target: Node,
        part: VariablePart | None,
        steps: list[BackwardStep],
        reached: Node,
        result: Node,
        values: Mapping[str, LabelledValue],
    ) -> Ending:
        """How the last cotangent, over labels, becomes the result."""
        label = self.labels.of[target]
        written = next(s.written for s in steps if s.label == label)
        if part is not None:
            (written,) = simplify([element(part.of(written, len(self.front)))])
        if self.lay_out is not None:
            (written,) = simplify([self.lay_out(written)])
        definitions = [(s.bar, s.written) for s in reversed(steps)]
        definitions += [(v.tag, v.formula) for v in reversed(list(values.values()))]
        elements = {v.tag: v.formula for v in values.values() if v.is_element}
        if elements:
            written, *formulas = substitute([written, *(formula for _, formula in definitions)], elements)
            definitions = [(leaf, f) for (leaf, _), f in zip(definitions, formulas, strict=True)]
        return Ending(
            str(next(iter(self.said(target, part)), label)),
            label,
            written,
            tuple(unfold(written, reached, definitions)),
            reached,
            result,
            _where([result, written], values),
        )


def unfold(written: Node, result: Node, definitions: Sequence[tuple[Node, Node]]) -> Iterator[Insertion]:
    """The definitions inserted one by one, until the formula reads as the result."""
    present = [(leaf, formula) for leaf, formula in definitions if not isinstance(formula, Tensor)]
    if len(present) > _UNFOLDED:
        return
    for leaf, formula in present:
        if str(written) == str(result):
            return
        if leaf not in set(topological(written)):
            continue
        trace: list[Step] = []
        (raw,) = substitute([written], {leaf: formula})
        new, own = simplify([raw, formula], trace)
        (folded,) = substitute([new], {own: leaf} if own.operands else {})
        if str(folded) != str(written):
            yield Insertion(leaf, formula, raw, readable(raw, trace, folded), folded)
        written = folded


def _where(formulas: Sequence[Node], values: Mapping[str, LabelledValue]) -> tuple[LabelledValue, ...]:
    """The definitions of the names in some formulas, and of the names in those, first used first."""
    found: dict[str, LabelledValue] = {}
    waiting = [name for formula in formulas for name in _names_in(formula)]
    while waiting:
        name = waiting.pop(0)
        if name in values and name not in found and not values[name].is_element:
            found[name] = values[name]
            waiting += _names_in(values[name].formula)
    return tuple(found.values())


def _names_in(formula: Node) -> list[str]:
    """The names and leaves that a formula shows, left to right."""
    names: list[str] = []
    stack, seen = [formula], set()
    while stack:
        node = stack.pop()
        if node in seen:
            continue
        seen.add(node)
        if isinstance(node, Tensor) or (isinstance(node, Named) and node is not formula):
            names.append(node.name)
        if not isinstance(node, Named) or node is formula:
            stack.extend(reversed(node.operands))
    return names

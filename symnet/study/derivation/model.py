"""A derivation as records: values, edges, routes, steps, rewrites, numbers.

In: what `writer.py` found.  Out: `Record`, which the notations read (`text.py`, `latex.py`, `page.py`, `slides.py`);
`derivation.py` hands it to them.
All formulas but results are over *labels*: leaves that print as the value they stand for, so that each line of a
derivation is as short as on a blackboard.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from symnet.arrays import Array
from symnet.expr.nodes.node import Node


@dataclass(frozen=True)
class LabelledValue:
    """One value of the computation: `label = formula`, over the labels of its operands.

    Attributes:
        tag: the leaf that prints as the label.
        node: the value itself.
    """

    label: str
    formula: Node
    node: Node
    tag: Node

    @property
    def is_element(self) -> bool:
        """Whether the label says it all: an element of a variable, x[2] = x[2]."""
        return str(self.formula) == self.label


@dataclass(frozen=True)
class RuleFactor:
    """One rule on the way from a value down to an operand.

    Attributes:
        rule: its name.
        node: what it multiplies by; None where it passes on what it gets (a sum).
    """

    rule: str
    node: Node | None


@dataclass(frozen=True)
class SlopePart:
    """A part of a local derivative: factors that multiply.

    Attributes:
        term: the term of a sum that they belong to; None for what multiplies all terms.
        factors: from the outermost rule inward.
        slope: their product, simplified; None where it is the edge's own derivative, or zero.
    """

    term: Node | None
    factors: tuple[RuleFactor, ...]
    slope: Node | None


@dataclass(frozen=True)
class Law:
    """A rule of differentiation in general: `formula`, and its derivative by each leaf, or what it passes to each.

    Attributes:
        name: the rule's name.
        result: the leaf that stands for the formula's value, where `by` mentions it or its cotangent.
        by: (leaf, derivative by it), or, where `passes`, (the leaf of its cotangent, formula).
    """

    name: str
    result: Node | None
    formula: Node
    by: tuple[tuple[Node, Node], ...]
    passes: bool


@dataclass(frozen=True)
class Edge:
    """`user` depends on `operand`: the local derivative, and what it passes backward.

    Attributes:
        kind: "scalar", "elementwise", "gradient" (a scalar by an array), "column" (an array by a scalar), "jacobian"
            (a vector by a vector), or "map" (between whole arrays).
        local: ∂user/∂operand: of operand's shape (a column: of user's); a Jacobian's matrix; None for a map, or where
            it is zero.
        passed: the cotangent passed on, a formula in `user`'s cotangent; None when zero.
        rule: the rule's name.
        product: `user`'s cotangent times the Jacobian, where `passed` is a shorter way to write it.
        parts: the local derivative taken apart, one rule at a time.
        laws: the rules in general.
    """

    user: str
    operand: str
    kind: str
    local: Node | None
    passed: Node | None
    rule: str
    product: Node | None = None
    parts: tuple[SlopePart, ...] = ()
    laws: tuple[Law, ...] = ()


@dataclass(frozen=True)
class Rewriting:
    """One rewrite of the simplifier, by name: a part of the formula before and after, and the whole after it."""

    name: str
    before: Node
    after: Node
    whole: Node


@dataclass(frozen=True)
class Line:
    """One line of a derivation: `= formula`, and why.

    Attributes:
        why: words; for an insertion and a rewrite `change` says more.
        change: what was inserted (leaf, formula), or a part before and after; None where the words say it all.
        kind: "chain", "rule", "insert", "rewrite" or "end".
    """

    formula: Node
    why: str
    change: tuple[Node, Node] | None
    kind: str


@dataclass(frozen=True)
class BackwardStep:
    """One step of the backward pass: how the cotangent of one value comes about.

    Attributes:
        label: the value; `bar` is the leaf that prints as its cotangent.
        edges: the edges whose contributions are added.
        before: the chain rule: their sum, in the cotangents of the users; None when zero.
        known: the cotangents of users that are short: (leaf, formula).
        inserted: `before` with these inserted.
        rewrites: how it is simplified.
        written: the simplified cotangent over labels.
        after: the cotangent in full, simplified, with the user's names.
    """

    label: str
    bar: Node
    edges: tuple[Edge, ...]
    before: Node | None
    known: tuple[tuple[Node, Node], ...]
    inserted: Node
    rewrites: tuple[Rewriting, ...]
    written: Node
    after: Node


@dataclass(frozen=True)
class Route:
    """One way from a variable up to the root: its values, the local derivatives between them, their product.

    Between arrays there are no `factors`; `product` is what the route passes back.
    """

    labels: tuple[str, ...]
    factors: tuple[Node, ...]
    product: Node


@dataclass(frozen=True)
class Insertion:
    """A definition inserted into a formula over labels: `leaf = formula`, how it simplifies, what it gives."""

    leaf: Node
    formula: Node
    raw: Node
    rewrites: tuple[Rewriting, ...]
    after: Node


@dataclass(frozen=True)
class Ending:
    """The result for one variable.

    Attributes:
        variable: the label of the variable, or what part of it is differentiated by: `x[2]`.
        value: the label of the value whose cotangent it is, or has as a part.
        written: its last cotangent over labels.
        insertions: how that becomes the result.
        reached: where differentiating as written ends, simplified.
        result: the node that `grad` gives, which simplifies before it differentiates; as a rule the same.
        where: what the labels in `result` (or in `written`) stand for.
    """

    variable: str
    value: str
    written: Node
    insertions: tuple[Insertion, ...]
    reached: Node
    result: Node
    where: tuple[LabelledValue, ...]


@dataclass(frozen=True)
class NumbersAtPoint:
    """The point, by label.

    Attributes:
        values: forward values, inputs among them.
        cotangents: the derivative of the root by each value.
        locals: (user, operand) → the local derivative, where the edge has one.
        passed: (user, operand) → what the edge passes backward.
        limits: (table, label) → what a formula tends to that is undefined at the point as it is written: 0/0, say.
    """

    values: dict[str, Array]
    cotangents: dict[str, Array]
    locals: dict[tuple[str, str], Array]
    passed: dict[tuple[str, str], Array]
    limits: dict[tuple[str, Any], Array] = field(default_factory=dict)

    def shown(self, table: str, key: Any) -> tuple[str, Array]:
        """The sign = and a number, or → and a limit."""
        limit = self.limits.get((table, key))
        return ("=", getattr(self, table)[key]) if limit is None else ("→", limit)


@dataclass(frozen=True, eq=False)
class Record:
    """The steps from a scalar to its gradients.

    Attributes:
        root, variables: the labels of the two ends; of a part of a variable that part, `x[2]`.
        values: the values as written that depend on a variable, operands first.
        given: named values that depend on none.
        inputs: label → node of the variables.
        parts: label → node of the parts of variables that are differentiated by.
        steps: the cotangents, from the root down.
        routes: for each variable the routes to the root, where few; between arrays only where there are several.
        endings: for each variable its result.
        result: the gradient, the very node that `grad` gives; a list or dict of them as the variables were given.
        data: numbers at a point, where they were given.
        layout: in which the results are laid out; None where it is the gradient or the Jacobian.
        before: the derivation that is read before this one: of a Hessian that of the gradient, or of the rows above.
        by: of a Hessian the variable by which the root is a gradient.
    """

    root: str
    variables: tuple[str, ...]
    values: tuple[LabelledValue, ...]
    given: tuple[LabelledValue, ...]
    inputs: dict[str, Node]
    steps: tuple[BackwardStep, ...]
    routes: dict[str, tuple[Route, ...]]
    endings: tuple[Ending, ...]
    result: Any
    data: Mapping[str, Any] | None = None
    parts: dict[str, Node] = field(default_factory=dict)
    layout: str | None = None
    before: Record | None = None
    by: str = ""
    _numbers: list[NumbersAtPoint] = field(default_factory=list, repr=False, compare=False)

    @property
    def stages(self) -> list[Record]:
        """The derivations in the order of reading: of a Hessian that of the gradient, then those of its Jacobians."""
        return [self] if self.before is None else [*self.before.stages, self]

    @property
    def first(self) -> Record:
        """Of a Hessian the derivation of the gradient."""
        return self.stages[0]

    @property
    def title(self) -> str:
        """What is derived, in words: of a second derivative that it is one, and of what; the layout."""
        laid = f" in {self.layout} layout" if self.layout else ""
        again = "" if self.before is None else f", where {self.root} = ∂{self.first.root}/∂{self.by}"
        return f"{laid}{again}, differentiated as written"

    @property
    def variable(self) -> str:
        """The label of the (first) variable."""
        return self.variables[0]

    @property
    def edges(self) -> list[Edge]:
        """Every edge of the graph, in the order of the backward pass."""
        return [edge for step in self.steps for edge in step.edges]

    @property
    def labels(self) -> set[str]:
        """Every name that stands in the derivation."""
        return {value.label for stage in self.stages for value in (*stage.given, *stage.values)} | set(self.inputs)

    def tag(self, label: str) -> Node | None:
        """The leaf that prints as a label; None for a name that is no label."""
        for value in (*self.given, *self.values):
            if value.label == label:
                return value.tag
        return self.inputs.get(label, self.parts.get(label))

    def edges_into(self, user: str) -> list[Edge]:
        """The edges from a value to what it is computed from, in the order of the graph."""
        order = [*self.inputs, *(v.label for v in self.values)]
        return sorted((e for e in self.edges if e.user == user), key=lambda e: order.index(e.operand))

    @property
    def laws(self) -> list[Law]:
        """The rules used, in general, each once, in the order of the backward pass."""
        return list({(law.name, str(law.formula)): law for edge in self.edges for law in edge.laws}.values())

    @property
    def defined(self) -> list[LabelledValue]:
        """The values that have a formula: all but elements of variables."""
        return [value for value in (*self.given, *self.values) if not value.is_element]

    @property
    def where(self) -> list[LabelledValue]:
        """What the names in the results stand for."""
        return list({v.label: v for ending in self.endings for v in ending.where}.values())

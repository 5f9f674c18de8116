"""A derivation as data: values, edges, routes, steps, rewrites.

In: what `writer.py` found.  Out: `Derivation`, whose methods hand it to the notations: `text.py`, `latex.py`,
`page.py` (HTML), `slides.py`.
All formulas but results are over *labels*: leaves that print as the value they stand for, so that each line of a
derivation is as short as on a blackboard.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from symnet.expr.node import Node

if TYPE_CHECKING:
    from symnet.calculus.derivation.numbers import Numbers


@dataclass(frozen=True)
class Value:
    """One value of the computation: `label = formula`, over the labels of its operands.

    Attributes:
        tag: the leaf that prints as the label.
        node: the value itself.
    """

    label: str
    formula: Node
    node: Node
    tag: Node


@dataclass(frozen=True)
class Edge:
    """`user` depends on `operand`: the local derivative, and what it passes backward.

    Attributes:
        kind: "scalar", "elementwise", "gradient" (a scalar by an array), "jacobian" (a vector by a vector), or "map"
            (between whole arrays).
        local: ∂user/∂operand: of operand's shape; a matrix of Jacobian; None for a map, or where it is zero.
        passed: the cotangent passed on, a formula in `user`'s cotangent; None when zero.
        rule: the rule's name.
    """

    user: str
    operand: str
    kind: str
    local: Node | None
    passed: Node | None
    rule: str


@dataclass(frozen=True)
class Rewriting:
    """One rewrite of the simplifier, by name: a part of the formula before and after."""

    name: str
    before: Node
    after: Node


@dataclass(frozen=True)
class Step:
    """The cotangent of one value.

    Attributes:
        label: the value; `bar` is the leaf that prints as its cotangent.
        edges: the edges whose contributions are added.
        before: the chain rule: their sum, in the cotangents of the users; None when zero.
        inserted: the same with those cotangents inserted that are short.
        rewrites: how it is simplified.
        written: the simplified cotangent over labels.
        after: the cotangent in full, simplified, with the user's names.
    """

    label: str
    bar: Node
    edges: tuple[Edge, ...]
    before: Node | None
    inserted: Node
    rewrites: tuple[Rewriting, ...]
    written: Node
    after: Node


@dataclass(frozen=True)
class Route:
    """One way from a variable up to the root: its values, the local derivatives between them, their product."""

    labels: tuple[str, ...]
    factors: tuple[Node, ...]
    product: Node


@dataclass(frozen=True)
class Insertion:
    """A definition inserted into a formula over labels: `leaf = formula`, how it simplifies, what it gives."""

    leaf: Node
    formula: Node
    rewrites: tuple[Rewriting, ...]
    after: Node


@dataclass(frozen=True)
class Ending:
    """The result for one variable.

    Attributes:
        written: its last cotangent over labels.
        insertions: how that becomes the result.
        result: the node that `grad` gives.
        where: what the labels in `result` (or in `written`) stand for.
    """

    variable: str
    written: Node
    insertions: tuple[Insertion, ...]
    result: Node
    where: tuple[Value, ...]


@dataclass(frozen=True, eq=False)
class Derivation:
    """The steps from a scalar to its gradients.  Prints as text; LaTeX and HTML in notebooks.

    Attributes:
        root, variables: the labels of the two ends.
        values: the values as written that depend on a variable, operands first.
        given: named values that depend on none.
        inputs: label → node of the variables.
        steps: the cotangents, from the root down.
        routes: for each variable the routes to the root, where all values are scalars and the routes are few.
        endings: for each variable its result.
        result: the gradient, the very node that `grad` gives; a list or dict of them as the variables were given.
        at: numbers, where they were given.
    """

    root: str
    variables: tuple[str, ...]
    values: tuple[Value, ...]
    given: tuple[Value, ...]
    inputs: dict[str, Node]
    steps: tuple[Step, ...]
    routes: dict[str, tuple[Route, ...]]
    endings: tuple[Ending, ...]
    result: Any
    data: Mapping[str, Any] | None = None
    _numbers: list[Numbers] = field(default_factory=list, repr=False, compare=False)

    @property
    def variable(self) -> str:
        """The label of the (first) variable."""
        return self.variables[0]

    @property
    def edges(self) -> list[Edge]:
        """Every edge of the graph, in the order of the backward pass."""
        return [edge for step in self.steps for edge in step.edges]

    def edges_into(self, user: str) -> list[Edge]:
        """The edges from a value to what it is computed from, in the order of the graph."""
        order = [*self.inputs, *(v.label for v in self.values)]
        return sorted((e for e in self.edges if e.user == user), key=lambda e: order.index(e.operand))

    @property
    def where(self) -> list[Value]:
        """What the names in the results stand for."""
        return list({v.label: v for ending in self.endings for v in ending.where}.values())

    @property
    def numbers(self) -> Numbers | None:
        """The value of everything at the point that `at=` gave."""
        if self.data is None:
            return None
        if not self._numbers:
            from symnet.calculus.derivation.numbers import evaluate_steps

            self._numbers.append(evaluate_steps(self, self.data))
        return self._numbers[0]

    def __str__(self) -> str:
        from symnet.calculus.derivation.text import text

        return text(self)

    __repr__ = __str__

    def latex(self) -> str:
        """The steps as a LaTeX `aligned` environment."""
        from symnet.calculus.derivation.latex import latex

        return latex(self)

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex()}$"

    def html(self) -> str:
        """A self-contained page: the graph drawn, every step in MathML; no script, nothing fetched."""
        from symnet.calculus.derivation.page import page

        return page(self)

    def _repr_html_(self) -> str:
        from symnet.calculus.derivation.page import fragment

        return fragment(self)

    def save(self, path: str | Path) -> Path:
        """Write `html()` to a file."""
        target = Path(path)
        target.write_text(self.html(), encoding="utf-8")
        return target

    def slides(self, path: str | Path | None = None) -> str:
        """A self-contained page that is stepped through with the arrow keys; without script it scrolls.

        Args:
            path: also write it there.
        """
        from symnet.calculus.derivation.slides import slides

        written = slides(self)
        if path is not None:
            Path(path).write_text(written, encoding="utf-8")
        return written

"""Derivations: a gradient with its steps, differentiated as written.

In: a scalar and a variable.  Out: a `Derivation`: the values as written, the local derivative on every edge, the
backward steps in order, and the result, which is the node that `grad` gives.
Nothing is simplified before it is differentiated, so that every step is one that a reader can follow in the formula
he wrote: multiply along a route, add over routes.  How a derivation is written out is `derivation_text.py`.
Not handled yet: arrays by arrays (take `jacobian`), and forward mode.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sympy import Tuple

from symnet import dtypes
from symnet.calculus.grad import gradients, scalar_root
from symnet.calculus.names import attach
from symnet.calculus.problem import Problem, open_problem, strip_barriers
from symnet.calculus.structure import flatten
from symnet.diff import elementwise
from symnet.diff.contraction import add_up
from symnet.diff.reverse import Route
from symnet.diff.tables import apply_vjp
from symnet.errors import ArgumentError, explain
from symnet.expr.assumptions import facts
from symnet.expr.constants import number
from symnet.expr.elementwise import Elementwise
from symnet.expr.extents import shape_arg
from symnet.expr.graph import depends_on, substitute, topological, with_operands
from symnet.expr.node import Node, static_name
from symnet.expr.symbols import LEAF_ASSUMPTIONS, Barrier, Named, Tensor
from symnet.simplify.algebra import simplify

# What the rule of a kind (or of a primitive) is called in a derivation.
RULE_NAMES = {
    "add": "sum rule",
    "mul": "product rule",
    "pow": "power rule",
    "where": "each branch where it was taken",
    "maximum": "the larger operand passes",
    "minimum": "the smaller operand passes",
    "einsum": "contraction: the cotangent takes the operand's place",
    "expand": "a repeated value collects a sum",
    "reshape": "the same elements in their old shape",
    "slice": "zero where nothing was read",
    "place": "the part that was laid in",
    "concat": "each operand its own part",
    "take": "every row collects what read it",
    "logsumexp": "derivative of logsumexp: softmax",
    "max": "the first largest element passes",
    "min": "the first smallest element passes",
    "prod": "the product of the others",
    "barrier": "the variable itself",
}


_CARRIED = frozenset(LEAF_ASSUMPTIONS)


@dataclass(frozen=True)
class Value:
    """One value of the computation: `label = formula`, over the labels of its operands."""

    label: str
    formula: Node
    node: Node


@dataclass(frozen=True)
class Edge:
    """`user` depends on `operand`: the local derivative, and what it passes backward.

    Attributes:
        local: ∂user/∂operand where it is elementwise, None where the map is between whole arrays.
        passed: the cotangent passed on, a formula in `user`'s cotangent; None when zero.
        rule: the rule's name.
    """

    user: str
    operand: str
    local: Node | None
    passed: Node | None
    rule: str


@dataclass(frozen=True)
class Step:
    """The cotangent of one value: what the edges pass to it, their sum as it stands, and simplified."""

    label: str
    edges: tuple[Edge, ...]
    before: Node | None
    after: Node


class Derivation:
    """The steps from a scalar to its gradient.  Prints as text; LaTeX and HTML in notebooks.

    Attributes:
        root, variable: the labels of the two ends.
        values: the values as written that depend on the variable, operands first.
        steps: the cotangents, from the root down.
        result: the gradient, the very node that `grad` gives.
    """

    def __init__(self, root: str, variable: str, values: list[Value], steps: list[Step], result: Node) -> None:
        self.root, self.variable, self.values, self.steps, self.result = root, variable, values, steps, result

    @property
    def edges(self) -> list[Edge]:
        """Every edge of the graph, in the order of the backward pass."""
        return [edge for step in self.steps for edge in step.edges]

    def __str__(self) -> str:
        from symnet.calculus.derivation_text import text

        return text(self)

    __repr__ = __str__

    def latex(self) -> str:
        """The steps as a LaTeX `aligned` environment."""
        from symnet.calculus.derivation_text import latex

        return latex(self)

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex()}$"

    def html(self) -> str:
        """The steps as an HTML table, for pages without LaTeX."""
        from symnet.calculus.derivation_text import html

        return html(self)


def derive(y: Any, x: Any) -> Derivation:
    """The gradient of y by x with every step.

    Args:
        y: rank 0.
        x: a leaf or an intermediate node.

    Returns:
        a `Derivation`: print it, or read its `values`, `edges`, `steps` and `result`.

    Raises:
        ShapeError: y is no scalar.
        ArgumentError: y does not contain x, or x is more than one variable.
        AssumptionError: x is one-hot, a simplex or integer.

    Example:
        >>> import symnet as sn
        >>> a, b = sn.scalar("a"), sn.scalar("b")
        >>> c = (a + b).named("c")
        >>> [step.label for step in sn.derive((a * c).named("d"), a).steps]
        ['d', 'c', 'a']
    """
    call = "derive(y, x)"
    targets, _ = flatten(call, x)
    if len(targets) != 1:
        raise ArgumentError(explain(call, "one variable", f"{len(targets)}", "Derive by one at a time."))
    problem = open_problem(call, [scalar_root(call, y)], targets, as_written=True)
    routes: list[Route] = []
    (gradient,) = gradients(problem, routes)
    (result,) = problem.finish([gradient], [targets[0].shape])
    return _Writer(problem, routes).derivation(result)


class _Writer:
    """Puts labels on values and turns routes into steps."""

    def __init__(self, problem: Problem, routes: list[Route]) -> None:
        self.problem, self.routes = problem, routes
        (self.root,), (self.target,) = problem.roots, problem.targets
        active = depends_on([self.root], [self.target])
        self.order = [node for node in topological(self.root) if node in active]
        self.labels = _labels(self.order, problem.labels, self.root)

    def derivation(self, result: Node) -> Derivation:
        values = [Value(self.labels[node], self.shallow(node), node) for node in self.order if node is not self.target]
        edges = [(route, self.edge(route)) for route in self.routes]
        steps = [self.step(node, [e for r, e in edges if r.operand is node]) for node in reversed(self.order)]
        return Derivation(self.labels[self.root], self.labels[self.target], values, self.simplified(steps), result)

    def shallow(self, node: Node) -> Node:
        """The node over its operands' labels."""
        return with_operands(node, [self.tagged(o) for o in node.operands])

    def tagged(self, node: Node) -> Node:
        """A leaf that prints as the value's label."""
        if node not in self.labels or isinstance(node, Tensor):
            return node
        return self.leaf(self.labels[node], node, _latex_label(self.labels[node]), sorted(facts(node) & _CARRIED))

    def cotangent(self, node: Node) -> Node:
        """A leaf that prints as the cotangent of `node`."""
        label = self.labels[node]
        return self.leaf(f"{label}_bar", node, rf"\bar{{{_latex_label(label) or label}}}")

    def leaf(self, name: str, like: Node, latex: str, assumptions: Iterable[str] = ()) -> Node:
        dtype = static_name(like.dtype or self.root.dtype or dtypes.DEFAULT_REAL)
        held = Tuple(*map(static_name, assumptions))
        return Tensor(static_name(name), shape_arg(like.shape), dtype, held, static_name(latex))

    def edge(self, route: Route) -> Edge:
        node = self.shallow(route.node)
        output = {node: self.tagged(route.node)}
        passed = apply_vjp(node, self.cotangent(route.node), route.position) if route.passed is not None else None
        local = elementwise.slope(node, route.position) if isinstance(node, Elementwise) else None
        shown = [None if n is None else substitute([n], output)[0] for n in (local, passed)]
        return Edge(self.labels[route.node], self.labels[route.operand], shown[0], shown[1], rule_name(route.node))

    def step(self, node: Node, edges: list[Edge]) -> Step:
        if node is self.root:
            return Step(self.labels[node], (), number(1), number(1))
        before = add_up([e.passed for e in edges if e.passed is not None])
        passed = [r.passed for r in self.routes if r.operand is node and r.passed is not None]
        return Step(self.labels[node], tuple(edges), before, _or_zero(add_up(passed)))

    def simplified(self, steps: list[Step]) -> list[Step]:
        """The cotangents in the algebra form, with the user's names."""
        known = list(self.problem.labels)
        simple = strip_barriers(simplify([*(s.after for s in steps), *known]))
        labels = dict(zip(simple[len(steps) :], self.problem.labels.values(), strict=True))
        plain = strip_barriers(known)
        for old, label in zip(plain, self.problem.labels.values(), strict=True):
            labels.setdefault(old, label)
        after = attach(simple[: len(steps)], labels)
        return [Step(s.label, s.edges, s.before, a) for s, a in zip(steps, after, strict=True)]


def rule_name(node: Node) -> str:
    """What the rule of a node is called."""
    key = getattr(node, "op", node.kind)
    return RULE_NAMES.get(key, f"derivative of {key}")


def _labels(order: Iterable[Node], names: Mapping[Node, Named], root: Node) -> dict[Node, str]:
    """A label for every value: the user's name, a leaf's name, or v1, v2, … in order."""
    order = list(order)
    taken = {n.name for n in order if isinstance(n, Tensor)} | {n.name for n in names.values()}
    fresh = (f"v{k}" for k in range(1, 10 * len(order) + 10) if f"v{k}" not in taken)
    labels: dict[Node, str] = {}
    used: set[str] = set()
    for node in order:
        inner = node.operands[0] if isinstance(node, Barrier) else node
        label = names.get(node, names.get(inner))
        if label is not None and label.name not in used:
            labels[node] = label.name
        elif isinstance(node, Tensor):
            labels[node] = node.name
        else:
            labels[node] = "L" if node is root and "L" not in taken else next(fresh)
        used.add(labels[node])
    return labels


def _latex_label(label: str) -> str:
    """v12 → v_{12}; other labels as they are."""
    return f"v_{{{label[1:]}}}" if label[0] == "v" and label[1:].isdigit() else ""


def _or_zero(node: Node | None) -> Node:
    return number(0) if node is None else node

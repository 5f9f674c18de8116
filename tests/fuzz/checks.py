"""What must hold of a random graph: its value, first and second derivatives mean the same however they are come by.

In: a `RandomGraph`.  Out: a count of what was compared; or `Disagreement`, naming the first floor that disagrees.

    reference  →  reverse = forward = differences  →  (reverse over reverse) = (forward over reverse) = differences
    →  differentiated after simplifying  →  algebra form  →  numeric form  →  loops  →  scheduled loops  →  native code

Where the graph as differentiated, unsimplified, is not finite, nothing is compared: a rewrite may extend the domain.
Differences are not compared across a kink, which shows in two step sizes that disagree; such graphs are counted.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from symnet.calculus.hessian import hessian
from symnet.calculus.jacobian import jacobian
from symnet.calculus.products import hvp
from symnet.calculus.structure import Structure
from symnet.diff import pullback, pushforward
from symnet.errors import DTypeError
from symnet.expr.nodes.contraction import contract
from symnet.expr.nodes.elementwise import elementwise
from symnet.expr.nodes.expansion import fill
from symnet.expr.nodes.extents import Dim
from symnet.expr.nodes.graph import topological
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import Tensor, leaves, tensor
from symnet.reference import evaluation
from symnet.reference.context import Context
from tests import chain
from tests.chain import Disagreement
from tests.fuzz.graphs import RandomGraph
from tests.rest import counting_unrest

STEP = 1e-5  # of central differences in float64
EXACT, NEARLY = 1e-9, 2e-5  # relative to the largest number met: of two formulas, and of differences
SINGLE, WILD_SINGLE = 1e-4, 200.0  # the same in float32
WILD = 1e5  # numbers beyond this say that the graph is ill-conditioned: rounding would be mistaken for errors

Arrays = list[np.ndarray]


@dataclass
class Derivatives:
    """A graph with everything that is derived from it, unsimplified, and data for its new leaves.

    Attributes:
        roots: the real roots.
        scalar: Σ ⟨vₖ, rootₖ⟩, the number that is differentiated.
        u: a direction for each target.
        reverse: the cotangent of each target, by reverse mode; `forward` the tangent of each root along u.
        slope: ⟨Jᵀv, u⟩; `hvp_forward` and `hvp_reverse` its derivative, forward over reverse and reverse over reverse.
    """

    graph: RandomGraph
    roots: list[Node]
    targets: list[Tensor]
    scalar: Node
    u: list[Tensor]
    v: list[Tensor]
    data: dict[str, np.ndarray]
    reverse: list[Node]
    forward: list[Node]
    slope: Node
    hvp_forward: list[Node]
    hvp_reverse: list[Node]


def dot(a: Node, b: Node) -> Node:
    """⟨a, b⟩."""
    axes = range(a.rank)
    return contract([axes, axes], [], a, b)


def total(terms: Sequence[Node]) -> Node:
    return terms[0] if len(terms) == 1 else elementwise("add", *terms)


def filled(found: Sequence[Node | None], like: Sequence[Node]) -> list[Node]:
    """Zeros in the place of None."""
    return [fill(0, x.shape) if node is None else node for node, x in zip(found, like, strict=True)]


def derive(graph: RandomGraph) -> Derivatives | None:
    """Both modes, to second order; None where nothing can be differentiated."""
    roots = [r for r in graph.roots if r.dtype == "float64"]
    targets = [t for t in graph.targets if t in set(topological(*roots))]
    if not targets:
        return None
    data = dict(graph.data)
    u = [_like(f"d_{t.name}", t, graph, data) for t in targets]
    v = [_like(f"y{k}_bar", r, graph, data) for k, r in enumerate(roots)]
    scalar = total([dot(a, r) for a, r in zip(v, roots, strict=True)])
    tangents: dict[Node, Node] = dict(zip(targets, u, strict=True))
    one = fill(1, ())
    by_target = pullback(scalar, one, targets)
    reverse = filled([by_target[t] for t in targets], targets)
    forward = filled(pushforward(roots, tangents), roots)
    slope = total([dot(g, a) for g, a in zip(reverse, u, strict=True)])
    again = pullback(slope, one, targets)
    return Derivatives(
        graph, roots, targets, scalar, u, v, data, reverse, forward, slope,
        filled(pushforward(reverse, tangents), targets), filled([again[t] for t in targets], targets),
    )  # fmt: skip


def _like(name: str, x: Node, graph: RandomGraph, data: dict[str, np.ndarray]) -> Tensor:
    """A leaf of x's shape, with data: symmetric where x is a symmetric leaf, for to leave that would mean nothing."""
    leaf = tensor(name, *x.shape)
    values = {Dim(k): v for k, v in graph.dims.items()}
    shape = Context(values).shape(x.shape)
    rng = np.random.default_rng([len(data), *shape])
    data[name] = rng.normal(size=shape)
    if isinstance(x, Tensor) and "symmetric" in x.assumptions:
        data[name] = data[name] + np.swapaxes(data[name], -1, -2)
    return leaf


class Evaluator:
    """The reference on one set of nodes, run for several data."""

    def __init__(self, roots: Sequence[Node], dims: dict[str, int]) -> None:
        self.order = topological(*roots)
        self.context = Context({Dim(k): v for k, v in dims.items()}, "float64")

    def __call__(self, data: dict[str, np.ndarray]) -> dict[Node, np.ndarray]:
        values: dict[Node, np.ndarray] = {}
        with np.errstate(all="ignore"):
            for node in self.order:
                if isinstance(node, Tensor):
                    values[node] = data[node.name]
                else:
                    operands = [values[o] for o in node.operands]
                    values[node] = np.asarray(evaluation._value(node, operands, self.context))
        return values


def check(graph: RandomGraph, compiled: bool = False, single: bool = False) -> Counter[str]:
    """Everything that must hold.

    Args:
        graph: what to check.
        compiled: natively too.
        single: values and gradient in float32 too.

    Returns:
        how many graphs were compared how ("first order", …), and how many were left out and why ("skipped: …").

    Raises:
        Disagreement: naming the floor; "simplify: rest" where every value is right and two rewrites undo each other.
    """
    with counting_unrest() as unrest:
        seen = _checked(graph, compiled, single)
    if unrest:
        raise Disagreement("simplify: rest", unrest[0])
    return seen


def _checked(graph: RandomGraph, compiled: bool, single: bool) -> Counter[str]:
    seen: Counter[str] = Counter(graphs=1)
    d = derive(graph)
    last = "native" if compiled else "loops"
    if d is None:
        seen["nothing to differentiate by"] += 1
        through_the_floors(graph, graph.roots, graph.data, 1.0, last)
        return seen
    everything = [*d.roots, d.scalar, *d.reverse, *d.forward, d.slope, *d.hvp_forward, *d.hvp_reverse]
    evaluate = Evaluator([*everything, *graph.roots], graph.dims)
    values = evaluate(d.data)
    size = magnitude(values)
    if size > WILD:
        seen["skipped: ill-conditioned"] += 1
        return seen
    seen.update(check_modes(d, values, size))
    seen.update(check_differences(d, evaluate, values, size))
    after = second_order_after_simplifying(d)
    compare("hvp", [values[n] for n in d.hvp_forward], Evaluator(after, graph.dims), after, d, size)
    written = check_formulas(d, size, seen)
    through_the_floors(graph, [*graph.roots, *d.reverse, *d.forward, *after, *written], d.data, size, last)
    if single and size < WILD_SINGLE:
        check_single(d, size, last, seen)
    return seen


def check_formulas(d: Derivatives, size: float, seen: Counter[str]) -> list[Node]:
    """The Jacobian of a root and the Hessian of the scalar, by the first target, times its direction.

    Returns:
        both, where they are small enough to be written out.
    """
    t, u, y = d.targets[0], d.u[0], d.roots[-1]
    written: list[Node] = []
    for what, value, formula in (
        ("jacobian", y, jacobian),
        ("hessian", d.reverse[0], lambda _, x: hessian(d.scalar, x)),
    ):
        shape = Context({Dim(k): v for k, v in d.graph.dims.items()}).shape((*value.shape, *t.shape))
        if len(shape) > 4 or int(np.prod(shape)) > 200 or t not in set(topological(value)):
            continue
        (expected,) = filled(pushforward([value], {t: u}), [value])
        whole: Node = formula(value, t)
        axes = range(whole.rank)
        product = contract([axes, axes[value.rank :]], axes[: value.rank], whole, u)
        values = Evaluator([expected, product], d.graph.dims)(d.data)
        wanted, got = values[expected], values[product]
        if what == "hessian" and "symmetric" in t.assumptions:
            wanted = (wanted + np.swapaxes(wanted, -1, -2)) / 2
        agree(f"calculus: {what}", wanted, got, 10 * EXACT * size)
        seen[what] += 1
        written.append(whole)
    return written


def check_single(d: Derivatives, size: float, last: str, seen: Counter[str]) -> None:
    """Values and gradient in float32, unless integers were made float64 before: those are refused beside float32."""
    try:
        through_the_floors(d.graph, [*d.graph.roots, *d.reverse], d.data, size, last, "float32")
        seen["single precision"] += 1
    except DTypeError:
        seen["single precision, refused"] += 1


def magnitude(values: dict[Node, np.ndarray]) -> float:
    """The largest finite number met, at least 1."""
    found = [1.0]
    for x in values.values():
        if x.dtype.kind == "f" and x.size:
            finite = np.abs(x[np.isfinite(x)])
            found.append(float(finite.max(initial=0.0)))
    return max(found)


def agree(floor: str, wanted: np.ndarray, got: np.ndarray, tolerance: float) -> None:
    """Raises: Disagreement, where both are finite and differ."""
    known = np.isfinite(wanted) & np.isfinite(got)
    off = np.abs(np.where(known, wanted, 0.0) - np.where(known, got, 0.0))
    if off.size and off.max() > tolerance:
        raise Disagreement(floor, f"{got} instead of {wanted}")


def check_modes(d: Derivatives, values: dict[Node, np.ndarray], size: float) -> Counter[str]:
    """⟨v, Ju⟩ = ⟨Jᵀv, u⟩, and the two ways to the second derivative."""
    seen: Counter[str] = Counter()
    ahead = sum(float((values[v] * values[y]).sum()) for v, y in zip(d.v, d.forward, strict=True))
    back = values[d.slope]
    seen["modes, first order"] += bool(np.isfinite(ahead) & np.isfinite(back))
    agree("diff: forward mode against reverse", back, np.asarray(ahead), EXACT * size * 10)
    for t, over, twice in zip(d.targets, d.hvp_forward, d.hvp_reverse, strict=True):
        a, b = values[over], values[twice]
        if "symmetric" in t.assumptions:
            a, b = (x + np.swapaxes(x, -1, -2) for x in (a, b))
        seen["modes, second order"] += bool(np.isfinite(a).all() & np.isfinite(b).all())
        agree("diff: reverse over reverse against forward over reverse", a, b, EXACT * size * 10)
    return seen


def check_differences(d: Derivatives, evaluate: Evaluator, values: dict[Node, np.ndarray], size: float) -> Counter[str]:
    """The slope and the derivative of the gradient against central differences, unless there is a kink between."""
    near, far = (central(d, evaluate, step) for step in (STEP, 2 * STEP))
    seen: Counter[str] = Counter()
    orders = {"first order": ([d.scalar], [d.slope]), "second order": (d.reverse, d.hvp_forward)}
    for order, (moved, derived) in orders.items():
        for x, y in zip(moved, derived, strict=True):
            if not np.isfinite(values[y]).all() or not (np.isfinite(near[x]) & np.isfinite(far[x])).all():
                seen["skipped: not finite"] += 1
            elif np.abs(near[x] - far[x]).max(initial=0.0) > NEARLY * size:
                seen["skipped: kink"] += 1
            else:
                seen[f"differences, {order}"] += 1
                agree(f"diff: {order} against differences", near[x], values[y], 5 * NEARLY * size)
    return seen


def central(d: Derivatives, evaluate: Evaluator, step: float) -> dict[Node, np.ndarray]:
    """Central differences of the scalar and of the gradient along u."""
    sides = []
    for sign in (1, -1):
        moved = {t.name: d.data[t.name] + sign * step * d.data[u.name] for t, u in zip(d.targets, d.u, strict=True)}
        sides.append(evaluate({**d.data, **moved}))
    return {x: (sides[0][x] - sides[1][x]) / (2 * step) for x in (d.scalar, *d.reverse)}


def second_order_after_simplifying(d: Derivatives) -> list[Node]:
    """The Hessian-vector product as users get it: simplified before, between and after."""
    targets: Structure = list(d.targets)
    found: list[Node] = hvp(d.scalar, targets, list(d.u))
    return found


def compare(floor: str, wanted: Arrays, evaluate: Evaluator, nodes: list[Node], d: Derivatives, size: float) -> None:
    """Nodes of `calculus`, which projects derivatives by symmetric leaves, against what `diff` gave."""
    values = evaluate(d.data)
    for t, w, node in zip(d.targets, wanted, nodes, strict=True):
        if "symmetric" in t.assumptions:
            w = (w + np.swapaxes(w, -1, -2)) / 2
        agree(f"calculus: {floor}", w, np.broadcast_to(values[node], w.shape), 10 * EXACT * size)


def through_the_floors(
    graph: RandomGraph,
    roots: Sequence[Node],
    data: dict[str, np.ndarray],
    size: float,
    last: str,
    real: str = "float64",
) -> None:
    """The chain of oracles, as far as a floor."""
    found = leaves(*roots)
    used = {leaf.name: data[leaf.name] for leaf in found}
    told = {d.name for leaf in found for n in leaf.shape if isinstance(n, Dim) for d in [n]}
    stages = chain.floors(roots, used, {k: v for k, v in graph.dims.items() if k in told}, real)
    if any(not x.size for x in graph.data.values()):
        stages = _as_of_nothing(stages)
    names = ("reference", "algebra", "numeric", "loops", "schedule", "arithmetic", "native")
    bounds = chain.within((EXACT if real == "float64" else SINGLE) * size)
    chain.check(itertools.islice(stages, names.index(last) + 1), bounds, undefined=None)


def _as_of_nothing(stages: Iterator[tuple[str, Arrays]]) -> Iterator[tuple[str, Arrays]]:
    """The floors of a graph of arrays without elements: on paper Σx/‖x‖ of nothing is 0/0, where as written nothing was
    divided, and the numeric form says 0; so a NaN of the algebra form is not compared.
    """
    wanted: Arrays = []
    for floor, got in stages:
        wanted = wanted or [np.asarray(w) for w in got]
        if floor == "algebra":
            got = [np.where(np.isnan(g), w, g) if w.dtype.kind == "f" else g for w, g in zip(wanted, got, strict=True)]
        yield floor, got

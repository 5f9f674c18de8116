"""How a derivative is checked: both modes against each other and against central differences, to second order.

In: a case and a generator.  Out: nothing, or an AssertionError that names the comparison that failed.
"""

from __future__ import annotations

import numpy as np

from symnet.diff import pullback, pushforward
from symnet.expr.nodes.contraction import contract
from symnet.expr.nodes.elementwise import elementwise
from symnet.expr.nodes.expansion import fill
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import Tensor, tensor
from symnet.reference import evaluate
from tests.cases import Case

STEP = 1e-5  # central differences in float64: error about STEP² and 1e-16/STEP


def dot(a: Node, b: Node) -> Node:
    """⟨a, b⟩."""
    axes = range(a.rank)
    return contract([axes, axes], [], a, b)


def directions(case: Case, rng: np.random.Generator) -> tuple[list[Tensor], list[Tensor], dict[str, np.ndarray]]:
    """A tangent leaf for each target, a cotangent leaf for each root, and all data."""
    data = case.data(rng)
    u = [tensor(f"u{k}", *leaf.shape) for k, leaf in enumerate(case.targets)]
    v = [tensor(f"v{k}", *root.shape) for k, root in enumerate(case.roots)]
    for leaf, like in zip([*u, *v], [*case.targets, *case.roots], strict=True):
        data[leaf.name] = rng.normal(size=evaluate(like, data, leaves=case.leaves).shape)
        if isinstance(like, Tensor) and "symmetric" in like.assumptions:  # to leave the assumption would mean nothing
            data[leaf.name] += data[leaf.name].T
    return u, v, data


def weighted(case: Case, v: list[Tensor]) -> Node:
    """Σ ⟨vₖ, rootₖ⟩: one scalar out of all roots."""
    terms = [dot(a, root) for a, root in zip(v, case.roots, strict=True)]
    return terms[0] if len(terms) == 1 else elementwise("add", *terms)


def check(case: Case, rng: np.random.Generator) -> None:
    """⟨v, Ju⟩ = ⟨Jᵀv, u⟩ = the central difference, and the same for the derivative of Jᵀv."""
    u, v, data = directions(case, rng)
    scalar = weighted(case, v)
    found = pullback(scalar, fill(1, ()), case.targets)
    cotangents = [fill(0, leaf.shape) if found[leaf] is None else found[leaf] for leaf in case.targets]
    slope = _sum([dot(bar, a) for bar, a in zip(cotangents, u, strict=True)])
    tangents = dict(zip(case.targets, u, strict=True))
    _agree("first order", case, slope, pushforward([scalar], tangents)[0], scalar, data)
    _agree("second order", case, None, pushforward([slope], tangents)[0], slope, data)


def _agree(order: str, case: Case, reverse: Node | None, forward: Node | None, value: Node, data: dict) -> None:
    ahead = 0.0 if forward is None else float(evaluate(forward, data, leaves=case.leaves))
    numeric = central_difference(case, value, data)
    scale = 1e-7 * (1 + abs(numeric))
    if reverse is not None:
        back = float(evaluate(reverse, data, leaves=case.leaves))
        assert abs(back - ahead) <= 1e-10 * (1 + abs(back)), f"{case.name}, {order}: reverse {back}, forward {ahead}"
    assert abs(ahead - numeric) <= 20 * scale, f"{case.name}, {order}: forward {ahead}, central difference {numeric}"


def central_difference(case: Case, value: Node, data: dict) -> float:
    """The derivative of `value` along the directions u."""
    sides = []
    for sign in (1, -1):
        moved = {leaf.name: data[leaf.name] + sign * STEP * data[f"u{k}"] for k, leaf in enumerate(case.targets)}
        sides.append(float(evaluate(value, {**data, **moved}, leaves=case.leaves)))
    return (sides[0] - sides[1]) / (2 * STEP)


def _sum(terms: list[Node]) -> Node:
    return terms[0] if len(terms) == 1 else elementwise("add", *terms)

"""Random graphs through every floor, their gradients against central differences, and theirs through every floor."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.calculus.grad import grad
from symnet.expr.node import Node
from symnet.expr.symbols import Tensor, leaves
from symnet.reference import evaluate
from tests import chain
from tests.random_graphs import RandomGraph, random_graph

pytestmark = pytest.mark.filterwarnings("ignore:.*encountered.*:RuntimeWarning")


@pytest.mark.parametrize("seed", range(60))
def test_a_random_graph_has_one_meaning_on_every_floor(seed: int) -> None:
    graph = random_graph(seed)
    chain.check(chain.floors(graph.roots, graph.data, {"m": graph.rows}, "float64"), 1e-8)


def loss_of(graph: RandomGraph) -> Node:
    """A scalar through every root."""
    parts = [sn.sum(root * root) * (k + 1) + sn.sum(sn.sin(root)) for k, root in enumerate(graph.roots)]
    return sum(parts[1:], start=parts[0])


@pytest.mark.parametrize("seed", range(1000, 1060))
def test_the_gradient_of_a_random_graph_is_its_slope(seed: int) -> None:
    graph = random_graph(seed)
    loss = loss_of(graph)
    found = leaves(loss)
    targets = [leaf for leaf in found if leaf.dtype == "float64"]
    if not targets:
        return
    gradients = grad(loss, targets)
    values = evaluate(gradients, graph.data, dtype="float64", leaves=found)
    check_slope(loss, found, targets, values, graph.data, seed)
    if leaves(*gradients):
        dims = {"m": graph.rows}
        data = {name: graph.data[name] for name in (leaf.name for leaf in leaves(*gradients))}
        stages = chain.floors(gradients, data, dims, "float64")
        if any(sn.dim("m") in leaf.shape for leaf in leaves(*gradients)):
            chain.check(stages, 1e-8)


def check_slope(
    loss: Node, found: list[Tensor], targets: list[Tensor], values: Any, data: dict[str, np.ndarray], seed: int
) -> None:
    """The directional derivative against central differences, where two step sizes agree (no kink between)."""
    rng = np.random.default_rng(seed)
    direction = {t.name: rng.normal(size=data[t.name].shape) for t in targets}
    slope = sum(float((v * direction[t.name]).sum()) for t, v in zip(targets, values, strict=True))

    def difference(step: float) -> float:
        ends = []
        for sign in (1, -1):
            moved = data | {n: data[n] + sign * step * v for n, v in direction.items()}
            ends.append(float(evaluate(loss, moved, dtype="float64", leaves=found)))
        return (ends[0] - ends[1]) / (2 * step)

    near, far = difference(1e-6), difference(2e-6)
    scale = 1 + abs(near) + sum(float(np.abs(v).max(initial=0)) for v in values)
    if abs(near - far) < 1e-5 * scale:
        assert abs(near - slope) < 1e-4 * scale

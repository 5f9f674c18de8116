"""Derivatives by leaves and intermediate values together, the root among them, in any order: every notation."""

from __future__ import annotations

from itertools import combinations, permutations
from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.expr.nodes.symbols import leaves
from symnet.reference import evaluate

a, b, x, w, y = (sn.scalar(name) for name in "abxwy")
X, W, t = sn.tensor("X", 3, 4), sn.tensor("W", 4, 2), sn.tensor("t", 3, 2)
c = (a + b).named("c")
d = (a * c).named("d")
z = (w * x + b).named("z")
s = sn.sigmoid(z).named("s")
neuron = (-y * sn.log(s) - (1 - y) * sn.log(1 - s)).named("L")
H = sn.tanh(X @ W).named("H")
square = sn.sum((H - t) ** 2)
plain = sn.exp(a * b)
unnamed = plain * a + sn.sin(plain)

GRAPHS: dict[str, tuple[Any, list[Any]]] = {
    "two routes": (d, [a, b, c, d]),
    "a neuron": (neuron, [w, b, z, s, neuron]),
    "a layer": (square, [W, H, X, t]),
    "values without names": (unnamed, [a, plain, b, unnamed]),
}
CHOICES = [
    (name, chosen)
    for name, (_, nodes) in GRAPHS.items()
    for size in (1, 2, 4)
    for chosen in (permutations if size < 3 else combinations)(range(len(nodes)), size)
]


@pytest.mark.parametrize(("name", "chosen"), CHOICES, ids=str)
def test_every_choice_of_variables_has_steps_a_page_and_slides(name: str, chosen: tuple[int, ...]) -> None:
    root, nodes = GRAPHS[name]
    wrt = [nodes[k] for k in chosen]
    found = sn.derive(root, wrt)
    assert found.result == sn.grad(root, wrt)
    given = [getattr(node, "name", None) for node in wrt]
    for label, wanted in zip(found.variables, given, strict=True):
        assert wanted is None or label == wanted  # each under its own name
    assert len(set(found.variables)) == len(wrt) and {step.label for step in found.steps} >= set(found.variables)
    text = found.text()
    for label in found.variables:
        assert f"∂{found.root}/∂{label}" in text
    assert "<svg" in found.html() and "<svg" in found.slides() and found.latex()


@pytest.mark.parametrize("name", GRAPHS)
def test_the_results_are_right_by_differences(name: str) -> None:
    root, nodes = GRAPHS[name]
    rng = np.random.default_rng(3)
    known = leaves(root)
    data = {leaf.name: rng.uniform(0.2, 0.8, tuple(map(int, leaf.shape))) for leaf in known}
    for leaf, slope in zip(nodes, sn.derive(root, nodes).result, strict=True):
        if leaf not in known:
            continue
        direction = rng.normal(size=data[leaf.name].shape)
        sides = [float(evaluate(root, {**data, leaf.name: data[leaf.name] + h * direction})) for h in (1e-6, -1e-6)]
        got = np.sum(np.asarray(evaluate(slope, data, leaves=known)) * direction)
        assert got == pytest.approx((sides[0] - sides[1]) / 2e-6, rel=1e-6)

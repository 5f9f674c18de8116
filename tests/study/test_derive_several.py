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


@pytest.mark.parametrize(("name", "chosen"), CHOICES, ids=str)
def test_a_derivative_among_others_is_as_short_as_alone(name: str, chosen: tuple[int, ...]) -> None:
    """The barriers around the other variables stand there for their derivatives, not for this one."""
    root, nodes = GRAPHS[name]
    wrt = [nodes[k] for k in chosen]
    for node, among in zip(wrt, sn.grad(root, wrt), strict=True):
        assert sn.flops(among) <= sn.flops(sn.grad(root, node)), (node, among)


def test_the_slope_of_a_neuron_is_short_although_the_slope_by_its_output_is_shown_too() -> None:
    found = sn.derive(neuron, [s, z, w, b]).text()
    assert "∂L/∂z = s - y\n" in found and "∂L/∂s = (1 - y)/(1 - s) - y/s\n" in found
    assert "the definitions inserted" not in found


def test_the_keys_of_a_dict_name_values_that_have_no_name() -> None:
    total = a + b
    found = sn.derive(a * total, {"sum": total, "by a": a, "b": b, "out": a * total}, at={"a": 4, "b": 3})
    assert found.variables == ("sum", "a", "b", "out") and found.root == "out"
    assert [str(slope) for slope in found.result.values()] == ["a", "a + sum", "a", "1"]
    assert "sum = a + b = 7" in found.text() and "v1" not in found.text()


@pytest.mark.parametrize("key", ["a", "c", 7], ids=str)
def test_a_key_that_is_taken_or_no_name_leaves_a_value_as_it_was(key: object) -> None:
    """`a` is a leaf's name, and c another value's."""
    inner = sn.sin(a)
    found = sn.derive(inner * c, {key: inner, "other": c})
    assert found.variables == ("v1", "c") and found.result == sn.grad(inner * c, {key: inner, "other": c})


def test_an_element_of_a_named_value_is_called_by_that_name() -> None:
    u = sn.tanh(sn.tensor("W", 3, 3) @ sn.tensor("x", 3)).named("u", r"\upsilon")
    derivation = sn.derive((u[0] ** 2 + u[1] * u[2]).named("s"), [u[0], u[1]])
    assert derivation.variables == ("u[0]", "u[1]")
    assert "∂s/∂u[0] = 2*u[0]" in str(derivation) and "v1" not in str(derivation)
    assert r"\frac{\partial s}{\partial \upsilon[0]}" in derivation.latex()


def test_a_part_of_a_named_value_is_called_by_that_name() -> None:
    M = (sn.tensor("W", 3, 3) @ sn.tensor("V", 3, 3)).named("M")
    derivation = sn.derive(sn.sum(sn.exp(M)).named("s"), [M[0, 1], M[1]])
    assert derivation.variables == ("M[0, 1]", "M[1]")
    assert "∂s/∂M[1] = exp(M[1])" in str(derivation)


def test_no_sign_goes_and_comes_back_between_two_steps() -> None:
    """The gradients of a network for a softmax: Y - D on every line, never -(D - Y)."""
    m = sn.dim("m")
    X, D = sn.tensor("X", m, 5), sn.labels("D", m, classes=4)
    W1, b1, W2, b2 = sn.tensor("W1", 5, 3), sn.tensor("b1", 3), sn.tensor("W2", 3, 4), sn.tensor("b2", 4)
    Y = sn.softmax(sn.tanh(X @ W1 + b1) @ W2 + b2).named("Y")
    derivation = sn.derive(-sn.sum(D * sn.log(Y)) / m, [W1, b1, W2, b2])
    for written in (str(derivation), derivation.latex()):
        assert "(Y - D)" in written and "D - Y" not in written


def test_a_sum_has_the_same_signs_everywhere_on_a_page() -> None:
    """The gradient of a mixture by a mean: x - mu1 in the density, and as the factor before it."""
    values = sn.tensor("x", sn.dim("n"))
    weights, means = [sn.scalar("pi1"), sn.scalar("pi2")], [sn.scalar("mu1"), sn.scalar("mu2")]
    density = sum(p * sn.exp(-((values - mu) ** 2) / 2) for p, mu in zip(weights, means, strict=True))
    derivation = sn.derive((-sn.sum(sn.log(density))).named("L"), means)
    for written in (str(derivation), derivation.latex(), derivation.html()):
        assert "mu1 - x" not in written and r"\mu_{1} - x" not in written
    assert "x - mu1" in str(derivation) and r"x - \mu_{1}" in derivation.latex()
    assert "mu1 - x" not in str(sn.grad(-sn.sum(sn.log(density)), means[0])), "in one formula too"

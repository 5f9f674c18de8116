"""Derivatives of functions of single elements read as vectors and matrices of what stands in them, and are right."""

from __future__ import annotations

import numpy as np
import pytest

import symnet as sn
from symnet.expr.nodes.node import Node
from symnet.expr.printing import latex, mathml
from symnet.reference import evaluate
from tests.expr.reading import names_of, read_back

x, W, t = sn.tensor("x", 3), sn.tensor("W", 2, 2), sn.scalar("t")
rosenbrock = (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2
turn = sn.stack([sn.stack([sn.cos(t), -sn.sin(t)]), sn.stack([sn.sin(t), sn.cos(t)])])
polar = sn.stack([x[0] * sn.cos(x[1]), x[0] * sn.sin(x[1])])

GOLDEN: list[tuple[Node, str]] = [
    (sn.grad(x[0] ** 2 + x[0] - x[1] * x[0], x), "[2*x[0] + 1 - x[1], -x[0], 0]"),
    (sn.grad((x[0] ** 2 + x[1]) ** 2 + sn.sum(x), x), "[4*x[0]*(x[0]**2 + x[1]) + 1, 2*x[0]**2 + 2*x[1] + 1, 1]"),
    (sn.grad(x[1] + x[2], x), "[0, 1, 1]"),
    (sn.grad(rosenbrock, x), "[400*x[0]*(x[0]**2 - x[1]) + 2*x[0] - 2, 200*(x[1] - x[0]**2), 0]"),
    (sn.hessian(rosenbrock, x), "[[1200*x[0]**2 + 2 - 400*x[1], -400*x[0], 0], [-400*x[0], 200, 0], [0, 0, 0]]"),
    (sn.hessian(x[0] * x[1] * x[2], x), "[[0, x[2], x[1]], [x[2], 0, x[0]], [x[1], x[0], 0]]"),
    (sn.jacobian(sn.stack([x[0] + 2 * x[1], 3 * x[2]]), x), "[[1, 2, 0], [0, 0, 3]]"),
    (sn.jacobian(polar, x), "[[cos(x[1]), -x[0]*sin(x[1]), 0], [sin(x[1]), x[0]*cos(x[1]), 0]]"),
    (sn.jacobian(polar, [x[1], x[0]])[0], "[-x[0]*sin(x[1]), x[0]*cos(x[1])]"),
    (sn.derivative(x[0] * x[1], x), "[[x[1], x[0], 0]]"),
    (sn.derivative(x[0] * x[1], x, layout="denominator"), "[[x[1]], [x[0]], [0]]"),
    (sn.grad(W[0, 0] * W[1, 1] - W[0, 1] * W[1, 0], W), "[[W[1, 1], -W[1, 0]], [-W[0, 1], W[0, 0]]]"),
    (turn, "[[cos(t), -sin(t)], [sin(t), cos(t)]]"),
    (sn.jacobian(turn, t), "[[-sin(t), -cos(t)], [cos(t), -sin(t)]]"),
    (sn.jacobian(turn @ sn.stack([x[0], x[1]]), x), "[[cos(t), -sin(t), 0], [sin(t), cos(t), 0]]"),
    (sn.jacobian(sn.exp(x), x[1]), "[0, exp(x[1]), 0]"),
    # not taken apart: what has arrays in it, and the identity
    (sn.grad(sn.exp(x[0]) + sn.sum(x**2), x), "2*x + [exp(x[0]), 0, 0]"),
    (sn.jacobian(x, x), "eye(3)"),
    (sn.jacobian(2 * x, x), "2*eye(3)"),
    (sn.grad(sn.sum(x**2), x), "2*x"),
]


@pytest.mark.parametrize(("node", "text"), GOLDEN, ids=lambda given: given if isinstance(given, str) else "")
def test_a_derivative_reads_entry_by_entry(node: Node, text: str) -> None:
    assert str(node) == text
    back = read_back(text, names_of(node))
    data = {"x": np.array([0.3, 0.7, -0.4]), "W": np.array([[0.2, 0.5], [-0.3, 0.9]]), "t": 0.6}
    np.testing.assert_allclose(evaluate(back, data, leaves=[x, W, t]), evaluate(node, data, leaves=[x, W, t]))


def test_vectors_of_scalars_are_columns_and_matrices_in_print() -> None:
    column = latex(sn.grad(x[0] ** 2 + x[2], x))
    assert column == r"\begin{bmatrix} 2 x[0] \\ 0 \\ 1 \end{bmatrix}"
    assert latex(sn.jacobian(turn, t)).startswith(r"\begin{bmatrix} -\sin(t) & -\cos(t) \\ ")
    assert mathml(sn.grad(x[0] * x[1], x)).count("<mtr>") == 3


def random_function(rng: np.random.Generator, n: int, leaf: Node) -> Node:
    """A function of some elements of a vector of n."""
    values = [leaf[int(k)] for k in rng.integers(n, size=3)]
    makers = [
        lambda a, b: a * b,
        lambda a, b: a + 2 * b,
        lambda a, b: sn.sin(a) * b,
        lambda a, b: a / (1 + b**2),
        lambda a, b: sn.exp(a - b),
        lambda a, b: sn.tanh(a) ** 2 - b,
    ]
    for _ in range(int(rng.integers(1, 6))):
        a, b = (values[int(k)] for k in rng.integers(len(values), size=2))
        values.append(makers[int(rng.integers(len(makers)))](a, b))
    return values[-1]


@pytest.mark.parametrize("seed", range(40))
def test_random_functions_of_elements_have_derivatives_without_padding_that_are_right(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 6))
    leaf = sn.tensor("p", n)
    f = sn.stack([random_function(rng, n, leaf) for _ in range(int(rng.integers(1, 4)))])
    at = rng.uniform(-0.8, 0.8, n)
    gradient, J, H = sn.grad(f[0], leaf), sn.jacobian(f, leaf), sn.hessian(f[0], leaf)
    for found in (gradient, J, H):
        assert not any(word in str(found) for word in ("pad(", "eye(", "concat(", "stack("))
    step = 1e-6
    moved = [[evaluate(f, {"p": at + h * np.eye(n)[k]}) for h in (step, -step)] for k in range(n)]
    differences = np.array([(up - down) / (2 * step) for up, down in moved]).T
    exact = evaluate(J, {"p": at}, leaves=[leaf])
    np.testing.assert_allclose(exact, differences, atol=1e-8)
    np.testing.assert_allclose(evaluate(gradient, {"p": at}, leaves=[leaf]), exact[0], rtol=1e-10, atol=1e-12)
    slopes = [
        [evaluate(gradient, {"p": at + h * np.eye(n)[k]}, leaves=[leaf]) for h in (step, -step)] for k in range(n)
    ]
    curves = np.array([(up - down) / (2 * step) for up, down in slopes])
    np.testing.assert_allclose(evaluate(H, {"p": at}, leaves=[leaf]), curves, atol=1e-7)
    assert sn.simplify(gradient) is gradient


def test_elements_are_values_of_a_derivation_under_their_own_names() -> None:
    L = rosenbrock.named("L")
    data = {"x": [1.0, 2.0, 3.0]}
    whole, parts = sn.derive(L, x, at=data), sn.derive(L, [x[0], x[1]], at=data)
    assert [step.label for step in whole.steps] == ["L", "v1", "x[1]", "x[0]", "x"]
    assert [step.label for step in parts.steps] == ["L", "v1", "x[1]", "x[0]"] and parts.variables == ("x[0]", "x[1]")
    for found in (whole, parts):
        text = found.text()
        assert "∂v1/∂x[0] = -2*x[0]" in text and "x[0] = x[0]" not in text and "pad(" not in text
        assert (
            "<svg" in found.html() and "<svg" in found.slides() and r"\frac{\partial L}{\partial x[0]}" in found.latex()
        )
    assert "= [2*x[0] - 400*v1*x[0] - 2, 200*v1, 0] = [-400, 200, 0]     entry by entry" in whole.text()
    assert parts.result == sn.grad(L, [x[0], x[1]]) and float(parts.numbers.cotangents["x[1]"]) == 200.0


def test_scalars_that_are_stacked_are_values_of_a_derivation() -> None:
    found = sn.derive(sn.sum(sn.stack([x[0] * x[1], sn.exp(x[1])])).named("L"), x).text()
    assert "L = sum([v1, v2])\n      ∂L/∂v1 = 1\n      ∂L/∂v2 = 1\n" in found


def test_the_head_of_a_page_is_the_result() -> None:
    """However long it is: never the name of a cotangent."""
    L = sum((sn.sin(x[k % 3] * (k + 1)) * sn.exp(x[(k + 1) % 3]) for k in range(9)), sn.constant(0.0)).named("L")
    head = sn.derive(L, x).html().partition("</header>")[0].rpartition("<h1>")[2]
    assert "‾" not in head and "cos" in head

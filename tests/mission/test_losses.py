"""Losses: L1 to L8, with numbers beside the formulas.

Every spelling of softmax against every loss and target is in `tests/simplify/test_losses.py`, as the textbook's
nodes; that each loss is finite and accurate for logits up to ±1000 (L8) is in `tests/stability/test_stable_losses.py`.
"""

from __future__ import annotations

import numpy as np
import pytest

import symnet as sn
from symnet.expr.nodes.constants import size
from symnet.expr.nodes.graph import topological
from symnet.reference import evaluate
from tests.mission.answers import plain

m = sn.dim("m")
z, b = sn.scalar("z"), sn.scalar("b")
d = sn.scalar("d", unit=True)
x, w = sn.tensor("x", 4), sn.tensor("w", 4)
Z, X, W = sn.tensor("Z", m, 3), sn.tensor("X", m, 4), sn.tensor("W", 4, 3)
D = sn.tensor("D", m, 3, one_hot=True)


@pytest.fixture
def data(rng):
    arrays = {"z": rng.normal(), "b": rng.normal(), "d": 1.0, "x": rng.normal(size=4), "w": rng.normal(size=4)}
    return {
        **arrays,
        "Z": rng.normal(size=(5, 3)),
        "X": rng.normal(size=(5, 4)),
        "W": rng.normal(size=(4, 3)),
        "D": np.eye(3)[rng.integers(0, 3, 5)],
    }


def softmax(z: np.ndarray) -> np.ndarray:
    return np.exp(z) / np.exp(z).sum(-1, keepdims=True)


def test_l1_half_squared_error_with_a_linear_output(data):
    y, t = sn.tensor("y", 4), sn.tensor("t", 4)
    assert str(sn.grad(sn.l2(y, t), y)) == "y - t"
    row = sn.derivative(sn.l2(y, t), y)
    assert str(row) == "(y - t)[None, :]" and row is sn.simplify((y - t)[None, :])
    arrays = {"y": data["x"], "t": data["w"]}
    assert evaluate(row, arrays) == pytest.approx((data["x"] - data["w"])[None], rel=1e-15)
    U = sn.tensor("U", 4, 4)
    out = (U @ x).named("z")
    assert sn.grad(sn.l2(out, t), out) is sn.grad(sn.l2(out, t), {"z": out})["z"]
    assert str(sn.grad(sn.l2(out, t), out)) == "z - t"


def test_l2_logistic_regression_with_binary_cross_entropy(data):
    out = (w @ x + b).named("z")
    y = sn.sigmoid(out).named("y")
    loss = sn.binary_cross_entropy(y, d)
    by = {**sn.grad(loss, {"z": out}), **sn.grad(loss, {"w": w, "b": b}), **sn.grad(loss, {"y": y})}
    printed = {"z": "y - d", "w": "(y - d)*x", "b": "y - d", "y": "(1 - d)/(1 - y) - d/y"}
    assert {name: str(node) for name, node in by.items()} == printed
    s = sn.sigmoid(w @ x + b)
    formulas = {"z": s - d, "w": (s - d) * x, "b": s - d, "y": (1 - d) / (1 - s) - d / s}
    assert all(plain(sn.simplify(by[name])) is sn.simplify(formula) for name, formula in formulas.items())
    found = {name: evaluate(node, data) for name, node in by.items()}
    p = 1 / (1 + np.exp(-(data["w"] @ data["x"] + data["b"])))
    assert found["y"] == pytest.approx(-data["d"] / p + (1 - data["d"]) / (1 - p))
    assert found["z"] == found["b"] == pytest.approx(p - data["d"])
    assert found["w"] == pytest.approx((p - data["d"]) * data["x"])


def test_l3_softmax_with_cross_entropy_by_the_logits(data):
    Y = sn.softmax(Z).named("Y")
    for loss in (sn.cross_entropy, sn.kl_div):
        gradient = sn.grad(sn.sum(loss(Y, D)), Z)
        assert str(gradient) == "Y - D" and plain(gradient) is sn.simplify(sn.softmax(Z) - D)
        row = sn.derivative(loss(sn.softmax(Z[0]), D[0]), Z)
        assert row.shape == (3, m)
        assert evaluate(gradient, data) == pytest.approx(softmax(data["Z"]) - data["D"], rel=1e-13, abs=1e-15)


def test_l3_a_target_of_which_nothing_is_known_keeps_its_sum(data):
    T = sn.tensor("D", m, 3)
    gradient = sn.grad(sn.sum(sn.cross_entropy(sn.softmax(Z).named("Y"), T)), Z)
    assert str(gradient) == "Y*sum(D, axis=1, keepdims=True) - D"
    arrays = {**data, "D": data["Z"] ** 2}
    wanted = softmax(data["Z"]) * arrays["D"].sum(1, keepdims=True) - arrays["D"]
    assert evaluate(gradient, arrays) == pytest.approx(wanted, rel=1e-13)


def test_l4_the_divergence_is_the_cross_entropy_less_the_entropy(data):
    P = sn.tensor("P", m, 3, simplex=True)
    Y = sn.softmax(Z)
    entropy = -sn.sum(sn.xlogy(P, P), -1)
    difference = sn.kl_div(Y, P) - (sn.cross_entropy(Y, P) - entropy)
    arrays = {"Z": data["Z"], "P": softmax(data["Z"][::-1])}
    assert evaluate(difference, arrays) == pytest.approx(np.zeros(5), abs=1e-14)
    assert sn.simplify(difference) is sn.simplify(0 * sn.sum(Z, 1))
    assert sn.simplify(sn.kl_div(Y, D)) is sn.simplify(sn.cross_entropy(Y, D))


def test_l5_label_smoothing_by_the_output_and_by_its_logits(data):
    eps = 0.05
    smooth = sn.nn.label_smoothing(D, eps)
    hard = data["D"]
    wanted = hard * (1 - 2 * eps) + (1 - hard) * eps
    assert evaluate(smooth, data) == pytest.approx(wanted, rel=1e-15)
    Y = sn.softmax(Z).named("Y")
    by_y, by_z = sn.grad(sn.sum(sn.cross_entropy(Y, smooth)), [Y, Z])
    assert str(by_y) == "-(0.85*D + 0.05)/Y" and str(by_z) == "Y - 0.85*D - 0.05"
    assert plain(by_z) is sn.simplify(sn.softmax(Z) - smooth)
    p = softmax(data["Z"])
    assert evaluate(by_y, data) == pytest.approx(-wanted / p, rel=1e-13)
    assert evaluate(by_z, data) == pytest.approx(p - wanted, rel=1e-13, abs=1e-15)


def test_l6_two_softmax_outputs_have_the_gradient_of_the_logistic_form(data):
    one = sn.grad(sn.binary_cross_entropy(sn.sigmoid(z), d), z)
    pair, target = sn.concat([z[None], sn.constant(0)[None]]), sn.concat([d[None], (1 - d)[None]])
    two = sn.grad(sn.cross_entropy(sn.softmax(pair), target), z)
    for value in (0.0, 0.3, 1.0):
        arrays = {"z": data["z"], "d": value}
        assert evaluate(two, arrays) == pytest.approx(evaluate(one, arrays), rel=1e-13)


def test_l6_both_gradients_are_the_output_less_the_target(data):
    logits = sn.tensor("u", 2)
    target = sn.concat([d[None], (1 - d)[None]]).named("t")
    pair = sn.softmax(logits).named("y")
    by_pair = sn.grad(sn.cross_entropy(pair, target), logits)
    assert str(by_pair) == "y - t" and plain(by_pair) is sn.simplify(sn.softmax(logits) - plain(target))
    single = sn.grad(sn.binary_cross_entropy(sn.sigmoid(z).named("y"), d), z)
    assert str(single) == "y - d" and plain(single) is sn.simplify(sn.sigmoid(z) - d)
    arrays = {"u": np.array([data["z"], 0.0]), "z": data["z"], "d": 0.3}
    assert evaluate(by_pair, arrays)[0] == pytest.approx(evaluate(single, arrays), rel=1e-13)


def test_l7_the_gradient_of_the_risk_is_the_mean_of_the_gradients(data):
    risk = sn.mean(sn.cross_entropy(sn.softmax(X @ W), D))
    gradient = sn.grad(risk, W)
    assert gradient is sn.simplify(X.T @ (sn.softmax(X @ W) - D) / size(m))
    sample = [evaluate(gradient, {**data, "X": data["X"][k : k + 1], "D": data["D"][k : k + 1]}) for k in range(5)]
    assert evaluate(gradient, data) == pytest.approx(np.mean(sample, axis=0), rel=1e-12)
    batch = {**data, "X": data["X"][:2], "D": data["D"][:2]}
    assert evaluate(gradient, batch) == pytest.approx(np.mean(sample[:2], axis=0), rel=1e-12)


def test_l8_what_is_computed_is_a_formula_that_keeps_its_digits():
    """The same mathematics in another spelling, chosen after differentiation: no digit is lost at large logits."""
    binary = sn.compile(sn.binary_cross_entropy(sn.sigmoid(z), 1), stop_after="numeric")
    assert str(binary) == "softplus(-z)"
    complement = sn.compile(1 - sn.sigmoid(z), stop_after="numeric")
    assert str(complement) == "sigmoid(-z)"
    multi = sn.compile(sn.cross_entropy(sn.softmax(Z), D), stop_after="numeric")
    assert not any(node.kind == "elementwise" and node.op == "log" for node in topological(multi) if node.rank == 2)
    huge = {"Z": np.array([[1000.0, -1000.0, 0.0]]), "D": np.array([[0.0, 1.0, 0.0]])}
    value, slope = sn.value_and_grad(sn.mean(sn.cross_entropy(sn.softmax(Z), D)), Z)(**huge)
    assert value == 2000 and slope.tolist() == [[1, -1, 0]]

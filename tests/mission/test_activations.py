"""Activations and outputs: A1 to A4.  The logic gates (A5) are `examples/logic_gates.py`, run by the tests."""

from __future__ import annotations

import numpy as np
import pytest
import sympy

import symnet as sn
from symnet.reference import evaluate

z = sn.tensor("z", 6)
y = sn.tensor("y", 4)
POINTS = np.array([-2.0, -0.5, 0.0, 0.25, 1.0, 3.0])
SIGMA = 1 / (1 + np.exp(-POINTS))

# activation → (its derivative as printed, and by NumPy)
DERIVATIVES = {
    "sigmoid": (sn.sigmoid, "sigmoid(z)*(1 - sigmoid(z))", SIGMA * (1 - SIGMA)),
    "tanh": (sn.tanh, "1 - tanh(z)**2", 1 - np.tanh(POINTS) ** 2),
    "relu": (sn.relu, "1[z >= 0]", np.where(POINTS >= 0, 1.0, 0.0)),
    "softplus": (sn.softplus, "sigmoid(z)", SIGMA),
    "silu": (sn.silu, "sigmoid(z)*(z*(1 - sigmoid(z)) + 1)", SIGMA * (1 + POINTS * (1 - SIGMA))),
}


@pytest.mark.parametrize("name", DERIVATIVES)
def test_a1_the_derivative_of_an_activation(name):
    function, text, wanted = DERIVATIVES[name]
    derivative = sn.grad(function(z).sum(), z)
    assert str(derivative) == text
    assert evaluate(derivative, {"z": POINTS}) == pytest.approx(wanted, rel=1e-13, abs=1e-15)


@pytest.mark.parametrize(
    ("function", "below"), [(sn.leaky_relu, lambda t: 0.01 + 0 * t), (sn.elu, np.exp)], ids=["leaky_relu", "elu"]
)
def test_a1_the_derivative_of_a_rectifier_that_is_not_flat(function, below):
    apart = np.where(POINTS == 0, 0.5, POINTS)
    wanted = np.where(apart > 0, 1.0, below(np.minimum(apart, 0)))
    assert evaluate(sn.grad(function(z).sum(), z), {"z": apart}) == pytest.approx(wanted, rel=1e-13)


def test_a1_the_derivative_of_gelu():
    from math import erf

    wanted = [(1 + erf(t / np.sqrt(2))) / 2 + t * np.exp(-t * t / 2) / np.sqrt(2 * np.pi) for t in POINTS]
    assert evaluate(sn.grad(sn.gelu(z).sum(), z), {"z": POINTS}) == pytest.approx(wanted, rel=1e-13)


@pytest.mark.parametrize(
    "softmax",
    [sn.softmax, lambda v: sn.exp(v) / sn.exp(v).sum(), lambda v: sn.exp(sn.log_softmax(v))],
    ids=["built in", "exp over its sum", "exp of log-softmax"],
)
def test_a2_the_jacobian_of_softmax_is_diag_y_less_y_y(softmax):
    J = sn.jacobian(softmax(y), y)
    s = sn.softmax(y)
    assert J is sn.simplify(sn.eye(4) * s - sn.outer(s, s))
    data = {"y": np.array([1.0, -2.0, 0.5, 3.0])}
    p = np.exp(data["y"]) / np.exp(data["y"]).sum()
    assert evaluate(J, data) == pytest.approx(np.diag(p) - np.outer(p, p), rel=1e-13)


def test_a3_a_multiplicative_combination_by_its_inputs_and_its_exponents():
    inputs, alpha = sn.tensor("z", 3, positive=True), sn.tensor("alpha", 3, 2)
    combined = sn.exp(sn.log(inputs) @ alpha)  # yᵢ = Πₗ zₗ^αₗᵢ
    spelled = sn.prod(inputs[:, None] ** alpha, axis=0)
    rng = np.random.default_rng(0)
    data = {"z": np.exp(rng.normal(size=3)), "alpha": rng.normal(size=(3, 2))}
    values = np.prod(data["z"][:, None] ** data["alpha"], axis=0)
    for each in (combined, spelled):
        assert evaluate(each, data) == pytest.approx(values, rel=1e-13)
        by_z, by_alpha = evaluate([sn.jacobian(each, inputs), sn.jacobian(each, alpha)], data)
        assert by_z == pytest.approx((values * data["alpha"] / data["z"][:, None]).T, rel=1e-12)
        wanted = np.einsum("i,l,ik->ilk", values, np.log(data["z"]), np.eye(2))
        assert by_alpha == pytest.approx(wanted, rel=1e-12)


def test_a4_any_sympy_function_is_a_neuron_and_compiles():
    t = sympy.Symbol("t")
    bump = sympy.Lambda(t, t * sympy.exp(-(t**2)) + sympy.log(1 + t**2))
    X, w = sn.tensor("X", 5, 3), sn.tensor("w", 3)
    neuron = sn.apply(bump, X @ w)
    gradient = sn.grad(neuron.sum(), w)
    rng = np.random.default_rng(0)
    data = {"X": rng.normal(size=(5, 3)), "w": rng.normal(size=3)}
    u = data["X"] @ data["w"]
    slope = np.exp(-(u**2)) * (1 - 2 * u**2) + 2 * u / (1 + u**2)
    assert evaluate(gradient, data) == pytest.approx(data["X"].T @ slope, rel=1e-12)
    assert sn.compile(gradient)(**data) == pytest.approx(data["X"].T @ slope, rel=1e-12)

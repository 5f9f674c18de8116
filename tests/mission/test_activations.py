"""Activations and outputs: A1 to A5, each as a formula and as numbers.

That XOR is also learned from random weights (A5) is in `examples/logic_gates.py`, which the tests run.
"""

from __future__ import annotations

from collections.abc import Callable
from math import erf

import numpy as np
import pytest
import sympy

import symnet as sn
from symnet.expr.nodes.node import Node
from symnet.reference import evaluate
from tests.mission.answers import Answer, check_formula, check_numbers, plain

z = sn.tensor("z", 6)
y = sn.tensor("y", 4)
POINTS = np.array([-2.0, -0.5, 0.0, 0.25, 1.0, 3.0])
SIGMA = 1 / (1 + np.exp(-POINTS))

LEAVES = [z]
PHI = np.exp(-(POINTS**2) / 2) / np.sqrt(2 * np.pi)
CDF = np.array([(1 + erf(t / np.sqrt(2))) / 2 for t in POINTS])
SOFTPLUS = np.log1p(np.exp(POINTS))


def slope_of(function: Callable[[Node], Node]) -> Callable[[], Node]:
    return lambda: sn.grad(function(z).sum(), z)


A1 = [
    Answer("A1 logistic", slope_of(sn.sigmoid), "sigmoid(z)*(1 - sigmoid(z))", lambda d: SIGMA * (1 - SIGMA)),
    Answer("A1 tanh", slope_of(sn.tanh), "1 - tanh(z)**2", lambda d: 1 - np.tanh(POINTS) ** 2),
    Answer("A1 ReLU", slope_of(sn.relu), "1[z >= 0]", lambda d: np.where(POINTS >= 0, 1.0, 0.0)),
    Answer("A1 softplus", slope_of(sn.softplus), "sigmoid(z)", lambda d: SIGMA),
    Answer(
        "A1 SiLU",
        slope_of(sn.silu),
        "sigmoid(z)*(z*(1 - sigmoid(z)) + 1)",
        lambda d: SIGMA * (1 + POINTS * (1 - SIGMA)),
    ),
    Answer(
        "A1 GELU",
        slope_of(sn.gelu),
        "z*exp(-z**2/2)/sqrt(2*pi) + erf(z/sqrt(2))/2 + 1/2",
        lambda d: CDF + POINTS * PHI,
    ),
    Answer(
        "A1 leaky ReLU", slope_of(sn.leaky_relu), "where(z >= 0, 1, 0.01)", lambda d: np.where(POINTS >= 0, 1, 0.01)
    ),
    Answer(
        "A1 ELU",
        slope_of(sn.elu),
        "where(z >= 0, 1, exp(z))",
        lambda d: np.where(POINTS >= 0, 1, np.exp(np.minimum(POINTS, 0))),
    ),
    Answer(
        "A1 Mish",
        slope_of(lambda t: t * sn.tanh(sn.softplus(t))),
        "z*sigmoid(z)*(1 - tanh(softplus(z))**2) + tanh(softplus(z))",
        lambda d: np.tanh(SOFTPLUS) + POINTS * SIGMA * (1 - np.tanh(SOFTPLUS) ** 2),
    ),
    Answer("A1 log-logistic", slope_of(lambda t: sn.log(sn.sigmoid(t))), "1 - sigmoid(z)", lambda d: 1 - SIGMA),
    Answer("A1 exponential", slope_of(sn.exp), "exp(z)", lambda d: np.exp(POINTS)),
    Answer("A1 sine", slope_of(sn.sin), "cos(z)", lambda d: np.cos(POINTS)),
    Answer("A1 absolute value", slope_of(abs), "sign(z)", lambda d: np.sign(POINTS)),
]


@pytest.mark.parametrize("answer", A1, ids=repr)
def test_a1_the_derivative_of_an_activation_is_written_through_it(answer: Answer):
    check_formula(answer, LEAVES)


@pytest.mark.parametrize("answer", A1, ids=repr)
def test_a1_the_derivative_of_an_activation_has_its_value(answer: Answer):
    check_numbers(answer, {"z": POINTS}, LEAVES)


def test_a1_the_approximate_gelu_is_close_to_the_exact_one():
    exact, close = evaluate([slope_of(sn.gelu)(), slope_of(lambda t: sn.gelu(t, approximate=True))()], {"z": POINTS})
    assert close == pytest.approx(exact, abs=3e-3) and not np.array_equal(close, exact)


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
    y = combined.named("y")
    by_z, by_alpha = sn.jacobian(y, [inputs, alpha])
    assert str(by_z) == "alpha.T*y[:, None]/z" and str(by_alpha) == 'einsum("ik,j->ijk", diag(y), log(z))'
    assert plain(by_z) is sn.simplify(sn.transpose(alpha) * combined[:, None] / inputs)
    assert str(sn.compressed(by_alpha)).splitlines()[1:] == ["  δ[i,k]·log(z)[j]·y[i]"]
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


def test_a4_the_derivative_of_a_neuron_is_a_formula():
    t = sympy.Symbol("t")
    X, w = sn.tensor("X", 5, 3), sn.tensor("w", 3)
    neuron = sn.apply(sympy.Lambda(t, t * sympy.exp(-(t**2))), (X @ w).named("u"))
    gradient = sn.grad(neuron.sum(), w)
    u = X @ w
    assert str(gradient) == "X.T @ ((1 - 2*u**2)*exp(-u**2))"
    assert plain(gradient) is sn.simplify(sn.transpose(X) @ ((1 - 2 * u**2) * sn.exp(-(u**2))))


X1, X2 = np.array([0.0, 0.0, 1.0, 1.0]), np.array([0.0, 1.0, 0.0, 1.0])


def gates() -> tuple[Node, Node, dict[str, Node]]:
    x1, x2 = sn.tensor("x1", 4), sn.tensor("x2", 4)
    either = sn.sigmoid(20 * x1 + 20 * x2 - 10)
    not_both = sn.sigmoid(-20 * x1 - 20 * x2 + 30)
    both = sn.sigmoid(20 * x1 + 20 * x2 - 30)
    exactly_one = sn.sigmoid(20 * either + 20 * not_both - 30)
    return x1, x2, {"OR": either, "NAND": not_both, "AND": both, "XOR": exactly_one}


TRUTH = {"OR": [0, 1, 1, 1], "NAND": [1, 1, 1, 0], "AND": [0, 0, 0, 1], "XOR": [0, 1, 1, 0]}


@pytest.mark.parametrize("gate", TRUTH)
def test_a5_a_gate_with_weights_set_by_hand_has_its_truth_table(gate: str):
    _, _, made = gates()
    outputs = sn.compile(made[gate])(x1=X1, x2=X2)
    assert outputs == pytest.approx(TRUTH[gate], abs=1e-4)
    assert outputs == pytest.approx(evaluate(made[gate], {"x1": X1, "x2": X2}), rel=1e-12)


def test_a5_the_slope_of_a_gate_is_a_formula():
    x1, _, made = gates()
    slope = sn.grad(made["OR"].named("y").sum(), x1)
    assert str(slope) == "20*y*(1 - y)"

"""A4: any differentiable neuron y = f(x₁ … x_N; W), f any SymPy expression, is compiled like a built-in."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sympy

import symnet as sn
from symnet.reference import evaluate

m = sn.dim("m")
X, W, b = sn.tensor("X", m, 3), sn.tensor("W", 3, 2), sn.tensor("b", 2)
t = sympy.Symbol("t")

# a formula as a user might type it, and the built-in that it is
SPELLED: dict[str, tuple[Any, Any]] = {
    "logistic": (1 / (1 + sympy.exp(-t)), sn.sigmoid),
    "tanh": ((sympy.exp(t) - sympy.exp(-t)) / (sympy.exp(t) + sympy.exp(-t)), sn.tanh),
    "relu": (sympy.Max(t, 0), sn.relu),
    "softplus": (sympy.log(1 + sympy.exp(t)), sn.softplus),
    "silu": (t / (1 + sympy.exp(-t)), sn.silu),
    "gelu": (t * (1 + sympy.erf(t / sympy.sqrt(2))) / 2, sn.gelu),
}


def loss(layer: Any) -> Any:
    return sn.mean(sn.sum(layer(X @ W + b) ** 2, axis=1))


@pytest.mark.parametrize("name", SPELLED)
def test_a_layer_of_a_spelled_neuron_is_the_same_program_as_of_the_built_in(name: str) -> None:
    formula, built_in = SPELLED[name]
    spelled = loss(lambda z: sn.apply(sympy.Lambda(t, formula), z))
    programs = [str(sn.value_and_grad(L, [W, b], stop_after="schedule")) for L in (spelled, loss(built_in))]
    assert programs[0] == programs[1]


def test_a_neuron_of_two_inputs_and_its_weights(rng: np.random.Generator) -> None:
    """y = (x₁ - w₁)² + atan2(x₁, x₂)·w₂ + |x₂|^1.5, batched; value and gradient in one pass over the rows."""
    x1, x2, w1, w2 = sympy.symbols("x1 x2 w1 w2", real=True)
    f = sympy.Lambda(
        (x1, x2, w1, w2), (x1 - w1) ** 2 + sympy.atan2(x1, x2) * w2 + sympy.Abs(x2) ** sympy.Rational(3, 2)
    )
    w = sn.tensor("w", 2)
    y = sn.apply(f, X[:, 0], X[:, 1], w[0], w[1])
    L = sn.mean(y)
    gradient = sn.grad(L, w)
    data = {"X": rng.normal(size=(50, 3)), "w": rng.normal(size=2)}
    value, slope = sn.value_and_grad(L, w)(**data)
    np.testing.assert_allclose(value, evaluate(L, data), rtol=1e-13)
    p, q = data["X"][:, 0], data["X"][:, 1]
    np.testing.assert_allclose(slope, [np.mean(2 * (data["w"][0] - p)), np.mean(np.arctan2(p, q))], rtol=1e-12)
    np.testing.assert_allclose(evaluate(gradient, data), slope, rtol=1e-12)


def test_a_piecewise_neuron_leaks_nothing_from_the_branch_not_taken() -> None:
    z = sn.tensor("z", 4)
    f = sympy.Piecewise((sympy.log(t), t > 1), (sympy.sqrt(-t), t < 0), (t**2 - t, True))
    y = sn.apply(sympy.Lambda(t, f), z)
    at = np.array([2.0, -4.0, 0.0, 1.0])
    value, slope = sn.value_and_grad(sn.sum(y), z)(z=at)
    assert value == pytest.approx(np.log(2) + 2)
    np.testing.assert_allclose(slope, [0.5, -0.25, -1, 1])
    np.testing.assert_allclose(sn.compile(sn.jvp(y, z, z))(z=at), slope * at)
    curved = sn.compile(sn.grad(sn.sum(sn.grad(sn.sum(y), z)), z))(z=at)
    np.testing.assert_allclose(curved, [-0.25, -1 / 32, 2, 2])


@pytest.mark.parametrize(
    ("function", "wanted", "slope"),
    [
        (sympy.sec, lambda v: 1 / np.cos(v), lambda v: np.tan(v) / np.cos(v)),
        (sympy.csc, lambda v: 1 / np.sin(v), lambda v: -np.cos(v) / np.sin(v) ** 2),
        (sympy.cot, lambda v: 1 / np.tan(v), lambda v: -1 / np.sin(v) ** 2),
        (sympy.sech, lambda v: 1 / np.cosh(v), lambda v: -np.tanh(v) / np.cosh(v)),
        (sympy.acot, lambda v: np.arctan(1 / v), lambda v: -1 / (1 + v**2)),
        (sympy.acsch, lambda v: np.arcsinh(1 / v), lambda v: -1 / (np.abs(v) * np.sqrt(1 + v**2))),
        (sympy.sinc, lambda v: np.sin(v) / v, lambda v: np.cos(v) / v - np.sin(v) / v**2),
        (sympy.ceiling, np.ceil, lambda v: 0 * v),
        (sympy.frac, lambda v: v - np.floor(v), lambda v: 0 * v + 1),
        (sympy.Heaviside, lambda v: np.heaviside(v, 0.5), lambda v: 0 * v),
        (lambda s: sympy.Mod(s, 3), lambda v: np.mod(v, 3), lambda v: 0 * v + 1),
        (lambda s: sympy.Mod(s, -2), lambda v: np.mod(v, -2), lambda v: 0 * v + 1),
        (lambda s: sympy.real_root(s, 3), np.cbrt, lambda v: np.abs(v) ** (-2 / 3) / 3),
        (
            lambda s: sympy.beta(s + 3, 2),
            lambda v: 1 / ((v + 3) * (v + 4)),
            lambda v: -(2 * v + 7) / ((v + 3) * (v + 4)) ** 2,
        ),
        (lambda s: sympy.binomial(s + 4, 2), lambda v: (v + 4) * (v + 3) / 2, lambda v: v + 3.5),
    ],
)  # fmt: skip
def test_functions_by_their_formulas(function: Any, wanted: Any, slope: Any) -> None:
    z = sn.tensor("z", 6)
    at = np.array([-2.4, -0.7, -0.2, 0.4, 1.3, 2.9])
    y = sn.apply(function, z)
    np.testing.assert_allclose(sn.compile(y)(z=at), wanted(at), rtol=1e-12)
    np.testing.assert_allclose(
        evaluate(sn.jvp(y, z, sn.tensor("v", 6)), {"z": at, "v": np.ones(6)}), slope(at), rtol=1e-11
    )


def test_what_formulas_say_at_their_special_points() -> None:
    z = sn.tensor("z", 3)
    at = np.array([0.0, -1.0, 2.0])
    for function, wanted, slope in (
        (sympy.acot, [np.pi / 2, -np.pi / 4, np.arctan(0.5)], [-1, -0.5, -0.2]),
        (sympy.sinc, [1, np.sin(1), np.sin(2) / 2], [0, np.sin(1) - np.cos(1), np.cos(2) / 2 - np.sin(2) / 4]),
        (sympy.Heaviside, [0.5, 0, 1], [0, 0, 0]),
    ):
        y = sn.apply(function, z)
        np.testing.assert_allclose(sn.compile(y)(z=at), wanted, rtol=1e-14)
        np.testing.assert_allclose(evaluate(sn.grad(sn.sum(y), z), {"z": at}), slope, rtol=1e-13, atol=1e-15)


def test_lambdify_and_from_sympy_take_the_same_functions() -> None:
    a, c = sympy.symbols("a c")
    expr = sympy.loggamma(a) + sympy.polygamma(1, c) * sympy.erfc(a) + sympy.LambertW(c)
    f, g = sn.lambdify([a, c], expr), sympy.lambdify([a, c], expr, "mpmath")
    np.testing.assert_allclose(f(0.4, np.array([1.5, 2.5])), [float(g(0.4, v)) for v in (1.5, 2.5)], rtol=1e-13)
    assert str(sn.from_sympy(sympy.airyai(a) * c)) == "c*airyai(a)"


class Bell(sympy.Function):
    """e^(-t²), with a derivative that is said through itself."""

    def fdiff(self, argindex: int = 1) -> Any:
        return -2 * self.args[0] * self


@pytest.mark.parametrize(
    ("build", "operation"),
    [
        (sn.gamma, " gamma("),
        (sn.cbrt, "cbrt("),
        (sn.tan, "tan("),
        (lambda z: sn.apply(Bell, z, body=lambda s: sympy.exp(-(s**2))), "exp("),
        (lambda z: sn.apply(sympy.LambertW, z), "log1p("),
    ],
)
def test_the_backward_pass_takes_what_the_forward_pass_computed(build: Any, operation: str) -> None:
    z = sn.tensor("z", 5)
    alone = str(sn.compile(sn.sum(build(z)), stop_after="loops"))
    both = str(sn.value_and_grad(sn.sum(build(z)), z, stop_after="loops"))
    assert both.count(operation) == alone.count(operation) > 0


@pytest.mark.parametrize(
    "function", [sympy.gamma, lambda s: sympy.besselj(0, s), sympy.erfinv, lambda s: sympy.Mod(s, 2)]
)
def test_functions_stand_inside_sums_and_on_matrices_of_sympys(function: Any) -> None:
    i, n = sympy.Symbol("i", integer=True), sympy.Symbol("n")
    u, M = sympy.IndexedBase("u", shape=(n,)), sympy.MatrixSymbol("M", 2, 2)
    at = np.array([0.3, 0.5])
    wanted = [float(function(sympy.Float(v, 20)).evalf()) for v in at]
    total = sn.from_sympy(sympy.Sum(function(u[i]) * u[i], (i, 0, n - 1)))
    np.testing.assert_allclose(evaluate(total, {"u": at}), wanted @ at, rtol=1e-13)
    each = sn.from_sympy(M.applyfunc(sympy.Lambda(t, function(t))))
    np.testing.assert_allclose(evaluate(each, {"M": np.array([at, at])}), [wanted, wanted], rtol=1e-13)

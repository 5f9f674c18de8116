"""Quotients by a parameter that stand outside a sum, and powers by a parameter: Σ sin(a·x)/a, (xᵃ - 1)/a at a = 0.

The right values are differences of the formula in mpmath at 120 digits, where a = 0 beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest

import symnet as sn
from symnet.reference import evaluate
from symnet.simplify.algebra.table import simplify
from symnet.simplify.numeric.singularities.joined_sums import under_one_sum

m = sn.dim("m")
x, w, a = sn.tensor("x", m), sn.tensor("w", m), sn.scalar("a")
X, c = sn.tensor("X", m, 2), sn.tensor("c", 2)
POINTS = (0.0, 1e-300, -1e-9, 1e-5, -1e-3, 0.2)
DATA = {"x": np.array([0.5, 1.0, 2.0, 3.0, 1.5]), "w": np.array([0.5, -1.25, 2.0, 0.75, 2.5])}
DATA["X"] = np.stack([DATA["x"], DATA["x"][::-1] + 1], axis=1)
CENTRE = {"Tsallis, CRRA": 1}  # where the parameter is singular, if not at 0

# name → one term, by its datum v, its weight u and the parameter t; f has the functions
TERMS: dict[str, Callable[[Any, Any, Any, Any], Any]] = {
    "Box and Cox": lambda f, v, u, t: (v**t - 1) / t,
    "Box and Cox, shifted": lambda f, v, u, t: ((1 + v) ** t - 1) / t,
    "Box and Cox, squared": lambda f, v, u, t: ((v**t - 1) / t - u) ** 2,
    "Tsallis, CRRA": lambda f, v, u, t: u * (v ** (1 - t) - 1) / (1 - t),
    "a number to a power": lambda f, v, u, t: u * (f.two ** (v * t) - 1) / t,
    "growth": lambda f, v, u, t: u * (f.exp(t * v) - 1) / t,
    "sine": lambda f, v, u, t: f.sin(t * v) / t,
    "curvature": lambda f, v, u, t: (1 - f.cos(t * v)) / t**2,
    "saturation": lambda f, v, u, t: u * f.tanh(t * v) / t,
    "inverse hyperbolic": lambda f, v, u, t: u * f.log(1 + t * v) / t,
}
# name → the whole by a term, and the data of a leaf's columns
WHOLES: dict[str, Callable[[Callable[[Any, Any, Any], Any]], sn.Node]] = {
    "mean": lambda term: sn.mean(term(x, w, a)),
    "columns": lambda term: sn.sum(term(X, w[:, None], c), axis=0),
}


class _Numbers:
    two = mpmath.mpf(2)

    def __getattr__(self, name: str) -> Any:
        return getattr(mpmath, name)


class _Nodes:
    two = 2

    def __getattr__(self, name: str) -> Any:
        return getattr(sn, name)


def _exact(name: str, whole: str, column: int, point: float, order: int) -> mpmath.mpf:
    data = DATA["X"][:, column] if whole == "columns" else DATA["x"]
    pairs = [(mpmath.mpf(float(v)), mpmath.mpf(float(u))) for v, u in zip(data, DATA["w"], strict=True)]

    def total(t: mpmath.mpf) -> mpmath.mpf:
        terms = [TERMS[name](_Numbers(), v, u, t) for v, u in pairs]
        return mpmath.fsum(terms) / (len(pairs) if whole == "mean" else 1)

    with mpmath.workdps(120):
        beside = mpmath.mpf(point) + CENTRE.get(name, 0) + mpmath.mpf(10) ** -41
        return +mpmath.diff(total, beside, order, h=mpmath.mpf(10) ** -25) if order else total(beside)


@pytest.mark.parametrize("whole", WHOLES)
@pytest.mark.parametrize("name", TERMS)
def test_a_parameter_that_divides_a_sum_may_be_zero(name: str, whole: str) -> None:
    by = c if whole == "columns" else a
    nodes = [WHOLES[whole](lambda v, u, t: TERMS[name](_Nodes(), v, u, t))]
    for _ in range(2):
        nodes.append(sn.grad(sn.sum(nodes[-1]), by))
    f = sn.compile(nodes)
    for point in POINTS:
        at = np.float64(point + CENTRE.get(name, 0))
        data = {**DATA, "a": at, "c": np.full(2, at)}
        found = f(**{leaf: data[leaf] for leaf in f.inputs})
        for order, values in enumerate(found):
            for column, value in enumerate(np.atleast_1d(values)):
                exact = _exact(name, whole, column, float(at - CENTRE.get(name, 0)), order)
                assert float(value) == pytest.approx(float(exact), rel=3e-13, abs=1e-24), (point, order)


def test_a_power_of_what_is_not_positive_is_what_it_was() -> None:
    y = (x**a - 1) / a
    found = sn.compile(y)(x=np.array([-8.0, 0.0, 2.0]), a=3.0)
    assert found == pytest.approx([-171, -1 / 3, 7 / 3])
    assert np.isnan(sn.compile(y)(x=np.array([-8.0]), a=0.5)).all()
    assert sn.compile(sn.grad(sn.sum(y), x))(x=np.array([0.0, -1.0]), a=2.0) == pytest.approx([0, -1])


@pytest.mark.parametrize("axis", [0, 2])
def test_an_array_of_exponents_stays_at_its_axes_under_the_sum(axis: int, rng: np.random.Generator) -> None:
    P, E = sn.tensor("P", 4, 3, positive=True), sn.tensor("E", 4, 1)
    T = sn.tensor("T", *((2, 4, 3) if axis == 0 else (4, 3, 2)))
    node = simplify([P**E * sn.sum(sn.exp(T), axis=axis) + P])[0]
    joined = under_one_sum(node)
    assert joined is not None
    data = {"P": rng.uniform(0.5, 2, (4, 3)), "E": rng.normal(size=(4, 1)), "T": rng.normal(size=T.shape)}
    np.testing.assert_allclose(evaluate(joined.total(joined.array), data), evaluate(node, data), rtol=1e-13)


def test_deep_sums_of_products_are_divided(rng: np.random.Generator) -> None:
    x, y = sn.tensor("x"), sn.tensor("y")
    total = sn.sin(x)
    for k in range(600):
        total = (total + 1) * y if k % 2 else (total + x) * sn.cos(y)
    quotient = total / x
    at = {"x": rng.uniform(0.5, 1), "y": rng.uniform(0.5, 1)}
    found = sn.compile([quotient, quotient - 1 / x])(**at)
    exact = evaluate(total, at) / at["x"]
    np.testing.assert_allclose(found, [exact, exact - 1 / at["x"]], rtol=1e-12)

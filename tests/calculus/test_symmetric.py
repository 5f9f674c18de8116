"""Symmetric variables: every operator agrees on the projection, and none depends on how the matrix is written."""

from __future__ import annotations

import numpy as np
import pytest

import symnet as sn
from symnet.reference import evaluate

S, A = sn.tensor("S", 3, 3, symmetric=True), sn.tensor("A", 3, 3)
V, x = sn.tensor("V", 3, 3), sn.tensor("x", 3)
FUNCTIONS = {
    "linear": lambda: S @ x,
    "quadratic": lambda: sn.trace(S @ A @ S),
    "inverse": lambda: sn.inv(S) @ x,
    "log-determinant": lambda: sn.logdet(S),
    "elementwise": lambda: sn.sum(sn.exp(S) * A),
}


@pytest.fixture
def data(rng):
    B = rng.normal(size=(3, 3))
    return {
        "S": B @ B.T + np.eye(3),
        "A": rng.normal(size=(3, 3)),
        "V": rng.normal(size=(3, 3)),
        "x": rng.normal(size=3),
    }


@pytest.mark.parametrize("name", FUNCTIONS)
def test_products_with_the_jacobian_are_those_of_the_jacobian_along_any_matrix(name, data):
    y = FUNCTIONS[name]()
    u = sn.tensor("u", *y.shape)
    data["u"] = np.arange(1.0, 4.0) if y.rank else np.array(2.0)
    J, forward, back = evaluate([sn.jacobian(y, S), sn.jvp(y, S, V), sn.vjp(y, S, u)], data, leaves=[S, A, V, x, u])
    assert np.tensordot(J, data["V"], 2) == pytest.approx(forward, rel=1e-11)
    assert np.tensordot(data["u"], J, y.rank) == pytest.approx(back, rel=1e-11)
    assert back == pytest.approx(back.T, rel=1e-12)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_along_a_symmetric_matrix_it_is_the_slope(name, data):
    y = FUNCTIONS[name]()
    V2 = (data["V"] + data["V"].T) / 2
    slope = evaluate(sn.jvp(y, S, V), {**data, "V": V2})
    sides = [evaluate(y, {**data, "S": data["S"] + h * V2}) for h in (1e-6, -1e-6)]
    assert slope == pytest.approx((sides[0] - sides[1]) / 2e-6, rel=1e-6, abs=1e-8)


@pytest.mark.parametrize("name", ["quadratic", "log-determinant", "elementwise"])
def test_the_hessian_is_symmetric_in_each_pair_of_axes_and_its_products_agree(name, data):
    L = FUNCTIONS[name]()
    H, product = evaluate([sn.hessian(L, S), sn.hvp(L, S, V)], data, leaves=[S, A, V, x])
    for axes in ((1, 0, 2, 3), (0, 1, 3, 2), (2, 3, 0, 1)):
        assert pytest.approx(H.transpose(axes), rel=1e-11, abs=1e-12) == H
    assert np.tensordot(H, data["V"], 2) == pytest.approx(product, rel=1e-11, abs=1e-12)

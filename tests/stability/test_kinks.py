"""Where conventions of parts meet: powers of 0, quotients 0/0 of slopes, smooth functions written with kinks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symnet as sn

DTYPES = ["float32", "float64"]
a, b = sn.scalar("a"), sn.scalar("b")
x, y = sn.tensor("x", 4), sn.tensor("y", 4)
X, Y = sn.tensor("X", 3, 4), sn.tensor("Y", 3, 4)

# a power with an exponent that is no number → (formula, its base, the base's point, exponents' points)
POWERS: dict[str, tuple[Any, Any, dict[str, Any]]] = {
    "by position": (sn.sum(x ** sn.arange(4)), x, {}),
    "by an array": (sn.sum(x**y), x, {"y": [0.0, 1, 2, 3]}),
    "a scalar by an array": (sn.sum(a**y), a, {"y": [0.0, 1, 2, 3]}),
    "by a row": (sn.sum(X**y), X, {"y": [0.0, 1, 2, 3]}),
    "by a scalar, 0": (sn.sum(x**b), x, {"b": 0.0}),
    "by a scalar, 1": (sn.sum(x**b), x, {"b": 1.0}),
    "by a scalar, 2": (sn.sum(x**b), x, {"b": 2.0}),
    "of a scalar": (a**b, a, {"b": 1.0}),
}


def _power_slopes(base: np.ndarray, n: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    first = np.where(n == 0, 0, n * base ** np.where(n == 0, 1, n - 1))
    second = np.where(n * (n - 1) == 0, 0, n * (n - 1) * base ** np.where(n * (n - 1) == 0, 1, n - 2))
    return first, second


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", POWERS)
@pytest.mark.parametrize("at", [0.0, -2.0, 1.5])
def test_slopes_of_powers_are_finite_at_whole_exponents(name: str, at: float, dtype: str) -> None:
    L, leaf, given = POWERS[name]
    point = {leaf.name: np.full(leaf.shape, at)} | {k: np.array(v) for k, v in given.items()}
    n = np.asarray(next(iter(given.values()), np.arange(4.0)), float)
    first, second = np.broadcast_arrays(*_power_slopes(np.full(leaf.shape, at), n))
    if not leaf.rank:
        first, second = first.sum(), second.sum()
    slope = sn.grad(L, leaf)
    along = sn.grad(sn.sum(slope), leaf) if leaf.rank else sn.grad(slope, leaf)
    f = sn.compile([slope, along], dtype=dtype)
    got = f(**{k: point[k].astype(dtype) for k in f.inputs})
    np.testing.assert_allclose(got[0], first, rtol=1e-5)
    np.testing.assert_allclose(got[1], second, rtol=1e-5)


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_slope_by_the_second_argument_is_0_where_the_first_is_0(dtype: str) -> None:
    q, D = sn.tensor("q", 4, positive=True), sn.tensor("D", 4, simplex=True)
    f = sn.value_and_grad(sn.sum(sn.xlogy(x, y)), y, dtype=dtype)
    point = {"x": np.array([0.0, 0, 3, 0], dtype), "y": np.array([0.0, 1, 2, -1], dtype)}
    np.testing.assert_allclose(f(**point)[1], [0, 0, 1.5, 0])
    for loss in (sn.kl_div(q, D), sn.cross_entropy(q, D)):
        g = sn.value_and_grad(loss, q, dtype=dtype)
        p = np.array([0.0, 0.5, 0.25, 0.25], dtype)
        np.testing.assert_allclose(g(q=p, D=p)[1], [0, -1, -1, -1])


def _softplus(z: Any) -> Any:
    return sn.log1p(sn.exp(-abs(z)))


CORNERS: dict[str, Callable[[Any], Any]] = {
    "relu": lambda z: sn.relu(z) + _softplus(z),
    "maximum": lambda z: sn.maximum(z, 0) + _softplus(z),
    "maximum, turned": lambda z: _softplus(z) + sn.maximum(0, z),
    "half of the absolute value": lambda z: (z + abs(z)) / 2 + _softplus(z),
    "where": lambda z: sn.where(z > 0, z, 0) + sn.log(1 + sn.exp(-abs(z))),
    "where, turned": lambda z: sn.where(z < 0, 0, z) + _softplus(z),
    "log of the logistic": lambda z: z - sn.minimum(z, 0) + _softplus(z),
    "negative part": lambda z: z + sn.relu(-z) + _softplus(z),
    "softplus of minus the absolute value": lambda z: sn.relu(z) + sn.softplus(-abs(z)),
    "with logits": lambda z: sn.relu(z) - z * 3 + _softplus(z) + z * 3,
}
CONTEXTS: dict[str, Callable[[Callable[[Any], Any]], tuple[Any, Any]]] = {
    "a scalar": lambda f: (f(a), a),
    "an array": lambda f: (sn.sum(f(x)), x),
    "an expression": lambda f: (sn.sum(f(2 * x - x)), x),
    "an element": lambda f: (f(x[1]) + sn.sum(x[2:]) / 2 + x[0] / 2, x),
    "a matrix, by rows": lambda f: (sn.sum(sn.sum(f(X), axis=1)), X),
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("context", CONTEXTS)
@pytest.mark.parametrize("name", CORNERS)
def test_softplus_written_with_a_kink_has_the_slope_of_softplus(name: str, context: str, dtype: str) -> None:
    L, leaf = CONTEXTS[context](CORNERS[name])
    f = sn.value_and_grad(L, leaf, dtype=dtype)
    np.testing.assert_allclose(f(**{leaf.name: np.zeros(leaf.shape, dtype)})[1], np.full(leaf.shape, 0.5), rtol=1e-6)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("sign", [1, -1])
def test_logaddexp_written_with_a_kink_has_its_slopes(sign: int, dtype: str) -> None:
    for u, v in ((a, b), (x, y), (x - y, y), (X, y)):
        rounded = sn.log1p(sn.exp(-abs(u - v)))
        L = sn.sum(sn.maximum(u, v) + rounded if sign == 1 else sn.minimum(u, v) - rounded)
        leaves = [leaf for leaf in (a, b, x, y, X) if leaf.name in sn.compile(L).inputs]
        zero = {leaf.name: np.zeros(leaf.shape, dtype) for leaf in leaves}
        smooth = sn.sum(sn.log(sn.exp(sign * u) + sn.exp(sign * v)) * sign)
        got, want = (sn.value_and_grad(e, leaves, dtype=dtype)(**zero)[1] for e in (L, smooth))
        for g, w in zip(got, want, strict=True):
            np.testing.assert_allclose(g, w, rtol=1e-6)


@pytest.mark.parametrize("dtype", DTYPES)
def test_log_cosh_by_the_absolute_value_is_smooth(dtype: str) -> None:
    L = sn.sum(abs(x) + sn.log1p(sn.exp(-2 * abs(x))))
    f = sn.compile(sn.grad(sn.sum(sn.grad(L, x)), x), dtype=dtype)
    np.testing.assert_allclose(f(x=np.zeros(4, dtype)), np.ones(4), rtol=1e-6)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("at", [0.5, 5.0, 9.0, 19.5, 40.0])
def test_the_slope_of_coth_keeps_its_digits(at: float, dtype: str) -> None:
    slope = sn.compile(sn.grad(1 / sn.tanh(a), a), dtype=dtype)(a=np.dtype(dtype).type(at))
    np.testing.assert_allclose(slope, -1 / np.sinh(np.float64(at)) ** 2, rtol=1e-5 if dtype == "float32" else 1e-14)

"""Σ w - Σ w·f(x), where f is near 1: the weights may be an array, a matrix, two factors, or the rows of an index.

The right values are sums of w·(1 - f(x)) in mpmath.
"""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

import symnet as sn
from symnet.expr.nodes.contraction import contract
from symnet.expr.nodes.indexing import taken_rows

N = 6
x, w, u = sn.tensor("x", N), sn.tensor("w", N), sn.tensor("u", N)
A, i = sn.tensor("A", 3, N), sn.tensor("i", N, dtype="int64")
POINTS = {
    "sigmoid": (sn.sigmoid, lambda t: 1 / (1 + mpmath.exp(-t)), [40, 60, 35, 80, 45, 50]),
    "tanh": (sn.tanh, mpmath.tanh, [20, 25, 18, 30, 22, 40]),
    "exp": (sn.exp, mpmath.exp, [1e-20, 3e-17, -2e-18, 1e-30, 5e-19, 7e-25]),
    "cos": (sn.cos, mpmath.cos, [1e-10, 3e-9, 2e-12, 1e-9, 5e-10, 7e-11]),
    "erf": (sn.erf, mpmath.erf, [5, 6, 5.5, 7, 6.5, 5.2]),
}
DATA = {
    "w": np.array([0.5, 2, 1, 3, 0.25, 1.5]),
    "u": np.array([1, 0.5, 2, 1, 3, 0.75]),
    "A": np.arange(1.0, 19).reshape(3, N) / 7,
    "i": np.array([0, 2, 2, 1, 0, 0]),
}
ROWS = np.eye(4)[DATA["i"]].T
# name → Σ w and Σ w·y as expressions, and w as a matrix whose rows are the results
WEIGHTS = {
    "an array": (sn.sum(w), lambda y: sn.sum(w * y), DATA["w"][None]),
    "a matrix": (sn.sum(A, axis=1), lambda y: A @ y, DATA["A"]),
    "two factors": (sn.sum(w * u), lambda y: contract([(0,), (0,), (0,)], (), w, u, y), (DATA["w"] * DATA["u"])[None]),
    "an index": (sn.sum(taken_rows(i, 4), axis=0), lambda y: taken_rows(i, 4).T @ y, ROWS),
    "an index and an array": (taken_rows(i, 4).T @ w, lambda y: taken_rows(i, 4).T @ (w * y), ROWS * DATA["w"]),
}
SPELLINGS = {
    "the difference": lambda ones, of, y: ones - of(y),
    "turned": lambda ones, of, y: of(y) - ones,
    "a multiple": lambda ones, of, y: ones / 3 - of(y) / 3,
    "among others": lambda ones, of, y: 2 * (ones - of(y)) + 0 * ones,
    "of the rest": lambda ones, of, y: ones - of(1 - (1 - y)),
}
SCALES = {"the difference": 1, "turned": -1, "a multiple": mpmath.mpf(1) / 3, "among others": 2, "of the rest": 1}


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("name", POINTS)
def test_digits_are_kept(name, weights, spelling):
    of_nodes, exact, points = POINTS[name]
    ones, of, matrix = WEIGHTS[weights]
    y = SPELLINGS[spelling](ones, of, of_nodes(x))
    got = np.atleast_1d(_value(y, points))
    with mpmath.workdps(60):
        each = [1 - exact(mpmath.mpf(p)) for p in map(float, points)]
        wanted = [
            SCALES[spelling] * sum(mpmath.mpf(float(c)) * e for c, e in zip(row, each, strict=True)) for row in matrix
        ]
        for found, right in zip(got, wanted, strict=True):
            assert abs(mpmath.mpf(float(found)) - right) <= 1e-14 * abs(right) * 2 + mpmath.mpf(10) ** -320


def _value(y, points):
    f = sn.compile(y)
    given = {"x": np.array(points, float), **DATA}
    return f(**{leaf: given[leaf] for leaf in (each.name for each in f.signature.inputs)})


INDICES = {"taken": lambda t: sn.take(t, i), "all": lambda t: t}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("turn", ["none", "folded", "turned", "reversed"])
@pytest.mark.parametrize("how", INDICES)
@pytest.mark.parametrize("spelling", ["softplus", "by hand", "logaddexp"])
def test_the_slope_of_log_sum_exp_of_two_is_never_0(spelling, how, turn, dtype):
    """a + softplus(b - a) by a, b far above: exp(a - b), which 1 - σ(b - a) has lost."""
    a, b, c = (sn.tensor(name, N) for name in ("a", "b", "c"))
    moves = {
        "none": lambda t: t,
        "folded": lambda t: sn.reshape(t, (2, 3)),
        "turned": lambda t: sn.reshape(t, (2, 3)).T,
        "reversed": lambda t: t[::-1],
    }

    def move(t):
        return INDICES[how](moves[turn](t)) if how == "all" or turn in ("none", "reversed") else moves[turn](t)

    first, apart = move(a), move(b - a)
    if spelling == "softplus":
        y = first + sn.softplus(apart)
    elif spelling == "by hand":
        y = first + sn.log(1 + sn.exp(apart))
    else:
        y = sn.logaddexp(first, first + apart)
    hidden = turn == "reversed" and how == "taken"  # by a mask that is added up by index and reversed
    guarded = y if hidden else sn.where(move(c) > 0, sn.where(move(c) > -1, y, 1), 0)
    f = sn.compile(sn.grad(sn.sum(guarded), a), dtype=dtype)
    away = np.array([30.0, 35, 40, 45, 50, 60]) if dtype == "float64" else np.array([20.0, 25, 30, 35, 40, 45])
    given = {"a": np.zeros(N), "b": away, "c": np.ones(N), "i": DATA["i"]}
    got = f(**{leaf.name: given[leaf.name].astype(leaf.dtype) for leaf in f.signature.inputs})
    counts = np.bincount(DATA["i"], minlength=N) if how == "taken" and turn in ("none", "reversed") else np.ones(N)
    counts = counts[::-1] if turn == "reversed" else counts
    np.testing.assert_allclose(got, counts * np.exp(-away), rtol=1e-13 if dtype == "float64" else 2e-6, atol=0)

"""Roots, norms and logarithms at 0, and what `where` leaves out: finite, with the slopes that the conventions say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symnet as sn

n = sn.dim("n")
x, y = sn.tensor("x", 4), sn.tensor("y", 4)
W, A, b = sn.tensor("W", 4, 4), sn.tensor("A", 3, 4), sn.tensor("b", 3)
V = sn.tensor("V", n, 4)
ZEROS = {"x": np.zeros(4), "y": np.zeros(4), "b": np.zeros(3), "V": np.zeros((2, 4))}
MATRICES = {"W": np.arange(16.0).reshape(4, 4), "A": np.ones((3, 4))}

NORMS: dict[str, tuple[Any, Any]] = {
    "norm": (sn.norm(x), x),
    "of a difference": (sn.norm(x - y), x),
    "spread over a sum": (sn.norm(x - W @ x), x),
    "by the matrix": (sn.norm(x - W @ x), W),
    "of an affine map": (sn.norm(A @ x - b), x),
    "of three terms": (sn.norm(W @ x + y - x), x),
    "of a multiple": (sn.norm(x - 2 * W @ x), x),
    "of a product": (sn.norm(x * y - x), x),
    "through a function": (sn.norm(A @ sn.tanh(x) - b), x),
    "of what is centred": (sn.norm(x - sn.sum(x) / 4), x),
    "sum of two": (sn.norm(x - y) + sn.norm(x), x),
    "product of two": (sn.norm(x - y) * sn.norm(x), x),
    "of rows": (sn.sum(sn.norm(V, axis=1)), V),
    "of rows, kept": (sn.sum(V * sn.norm(V, axis=1, keepdims=True)), V),
    "of order 3": (sn.norm(x, ord=3), x),
    "hypotenuse": (sn.sum(sn.sqrt(x**2 + y**2)), x),
    "weighted": (sn.sqrt(sn.sum(2 * x**2)), x),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", NORMS)
def test_the_slope_of_a_norm_is_0_at_0_however_far_it_is_spread(name: str, dtype: str) -> None:
    L, leaf = NORMS[name]
    f = sn.value_and_grad(L, leaf, dtype=dtype)
    value, slope = f(**{k: v.astype(dtype) for k, v in (ZEROS | MATRICES).items() if k in f.inputs})
    assert value == 0
    assert np.array_equal(slope, np.zeros_like(slope))


def test_the_slope_of_a_norm_is_0_where_the_difference_is_0_and_its_parts_are_not() -> None:
    for matrix in (np.eye(4), np.diag([1.0, 1, 1, 1])[[1, 0, 2, 3]]):
        point = np.array([3.0, 3.0, 1.0, -2.0])
        _, slope = sn.value_and_grad(sn.norm(x - W @ x), x)(x=point, W=matrix)
        assert np.array_equal(slope, np.zeros(4))


def test_one_row_of_zeros_leaves_the_other_rows_as_they_are() -> None:
    rows = np.array([[0.0, 0, 0, 0], [3, 0, 4, 0]])
    slope = sn.value_and_grad(sn.sum(sn.norm(V, axis=1)), V)(V=rows)[1]
    np.testing.assert_allclose(slope, [[0, 0, 0, 0], [0.6, 0, 0.8, 0]], rtol=1e-15)
    unit = sn.compile(V / sn.norm(V, axis=1, keepdims=True))(V=rows)
    np.testing.assert_allclose(unit, [[0, 0, 0, 0], [0.6, 0, 0.8, 0]], rtol=1e-15)


def test_the_reciprocal_of_a_norm_stays_infinite_at_0() -> None:
    assert sn.compile(1 / sn.norm(x))(x=np.zeros(4)) == np.inf
    slope = sn.value_and_grad(sn.sum(sn.sqrt(x)), x)(x=np.zeros(4))[1]
    assert np.array_equal(slope, np.full(4, np.inf))


@pytest.mark.parametrize("L", [sn.sum(y * sn.sqrt(x)), sn.sum(sn.sqrt(x * y**2)), sn.sum(sn.sqrt(sn.relu(x - y)))])
def test_a_root_at_0_passes_on_a_slope_of_0_as_0(L: Any) -> None:
    below = {"x": np.array([0.0, 0, 4, 1]), "y": np.array([0.0, 0, 1, 2])}
    for leaf in (x, y):
        slope = sn.value_and_grad(L, leaf)(**below)[1]
        assert not np.isnan(slope).any()


GUARDED: dict[str, Any] = {
    "log": sn.where(x > 0, sn.log(x), 0),
    "x log x": sn.where(x > 0, x * sn.log(x), 0),
    "root": sn.where(x > 0, sn.sqrt(x), 0),
    "reciprocal": sn.where(sn.not_equal(x, 0), 1 / x, 0),
    "sine": sn.where(abs(x) > 1e-3, sn.sin(x) / x, 1),
    "power": sn.where(x > 0, x**y, 0),
    "arcsine": sn.where(abs(x) < 1, sn.asin(x), 0),
    "exponential": sn.where(x < 50, sn.exp(x), x),
    "nested": sn.where(x > 0, sn.where(x < 1, sn.log(1 - x), sn.log(x)), sn.log(-x + 1)),
    "direction": sn.where(sn.norm(x) > 0, x / sn.norm(x), 0),
    "a function of the choice": sn.exp(sn.where(x > 0, sn.log(x), -1)),
    "behind a factor": y * sn.where(x > 0, sn.log(x), 0) * sn.sum(y),
}
POINTS = [np.zeros(4), np.array([-1.0, 0, 1, 1e-30]), np.array([1000.0, -1000, 0.5, 0])]


@pytest.mark.parametrize("name", GUARDED)
def test_the_branch_not_taken_leaks_nothing_to_second_order(name: str) -> None:
    first = sn.grad(sn.sum(GUARDED[name]), x)
    f = sn.compile([GUARDED[name], first, sn.grad(sn.sum(first * (1 + y)), x)])
    for point in POINTS:
        for value in f(**{k: v for k, v in {"x": point, "y": np.ones(4)}.items() if k in f.inputs}):
            assert not np.isnan(value).any(), point

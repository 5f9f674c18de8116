"""What a mask takes out of a diagonal leaves no trace, however large it is: 1 - eye(n), in every spelling."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symnet as sn

Mask = Callable[[Any, Any, Any], Any]
MASKS: dict[str, Mask] = {  # of x, with NumPy's or symnet's functions and the extent
    "x*(1 - eye)": lambda f, x, n: x * (1 - f.eye(n)),
    "(1 - eye)*x": lambda f, x, n: (1 - f.eye(n)) * x,
    "-x*(eye - 1)": lambda f, x, n: -x * (f.eye(n) - 1),
    "x - x*eye": lambda f, x, n: x - x * f.eye(n),
    "x - diag(diag)": lambda f, x, n: x - f.diag(f.diag(x)),
    "2*x*(0.5 - eye/2)": lambda f, x, n: 2 * x * (0.5 - f.eye(n) / 2),
}
USES: dict[str, Callable[[Any, Any, Any], Any]] = {  # of what is left, and a vector
    "sum": lambda f, x, w: f.sum(x),
    "sums of rows": lambda f, x, w: f.sum(x, axis=1),
    "sums of columns": lambda f, x, w: f.sum(x, axis=0),
    "product": lambda f, x, w: x @ w,
    "form": lambda f, x, w: w @ x @ w,
    "log of sums": lambda f, x, w: f.log(f.sum(x, axis=1)),
    "shares": lambda f, x, w: x / f.sum(x),
    "mean": lambda f, x, w: f.mean(x * w),
}


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("mask", MASKS)
def test_a_large_diagonal_leaves_no_trace(mask: str, use: str, dtype: str, known: bool) -> None:
    size = 5
    n = size if known else sn.dim("n")
    x, w = sn.tensor("x", n, n), sn.tensor("w", n)
    formula = lambda f, a, v, extent: USES[use](f, MASKS[mask](f, a, extent), v)
    root = formula(sn, x, w, n)
    step = sn.value_and_grad(sn.sum(root * root), [x], dtype=dtype)
    rng = np.random.default_rng(0)
    a, v = rng.uniform(0.5, 1, (size, size)).astype(dtype), rng.uniform(0.5, 1, size).astype(dtype)
    given = {"x": a, "w": v}
    hollow = a * (1 - np.eye(size, dtype=dtype))
    wanted = (USES[use](np, hollow.astype(float), v.astype(float)) ** 2).sum()
    near = 1e-5 if dtype == "float32" else 1e-12
    slopes = step(**{k: given[k] for k in step.inputs})[1][0]
    for large in (1.0, 1e9, 1e30):
        given["x"] = hollow + large * np.eye(size, dtype=dtype)
        value, (found,) = step(**{k: given[k] for k in step.inputs})
        np.testing.assert_allclose(value, wanted, rtol=near)
        np.testing.assert_allclose(found, slopes, rtol=near, atol=near * np.abs(slopes).max())


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_pairs_that_meet_themselves(dtype: str) -> None:
    """Potentials and similarities of pairs: what each would have with itself is beyond all others."""
    m = sn.dim("m")
    X, rng = sn.tensor("X", m, 3), np.random.default_rng(1)
    x = rng.standard_normal((6, 3)).astype(dtype)
    apart = 1 - np.eye(6)
    squares = ((x[:, None].astype(float) - x[None]) ** 2).sum(-1)
    pairs = sn.sum((X[:, None] - X[None]) ** 2, axis=2)
    near = 1e-4 if dtype == "float32" else 1e-11
    potential = sn.compile(sn.sum((1 - sn.eye(m)) / (pairs + 1e-9) ** 3), dtype=dtype)
    np.testing.assert_allclose(potential(X=x), (apart / (squares + 1e-9) ** 3).sum(), rtol=near)
    likeness = sn.compile(sn.sum(sn.log(sn.sum(sn.exp(X @ X.T) * (1 - sn.eye(m)), axis=1))), dtype=dtype)
    wanted = np.log((np.exp(x.astype(float) @ x.T) * apart).sum(1)).sum()
    np.testing.assert_allclose(likeness(X=x), wanted, rtol=near)

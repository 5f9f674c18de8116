"""f(s)/g(s) that is 0/0 where s is 0, s a sum of powers, at numbers whose powers vanish before they do: the limit.

Members: every quotient of functions below, of every sum of powers, as written, under a guard by hand, and moved.
"""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

import symnet as sn

X = sn.tensor("X", 2, 3)
ROW = np.array([0.6, 0.1, 0.8])
SUMS = {
    "squares": lambda f, x: f.sum(x * x, axis=1),
    "two squares": lambda f, x: x[:, 0] ** 2 + x[:, 1] ** 2,
    "mean of squares": lambda f, x: f.mean(x**2, axis=1),
    "cubes": lambda f, x: f.sum(abs(x) ** 3, axis=1),
    "fourth powers": lambda f, x: f.sum(x**4, axis=1),
    "sixth powers": lambda f, x: f.sum(x**6, axis=1),
}
# f(s)/s, the limit at 0
QUOTIENTS = {
    "log1p": (lambda s: sn.log1p(s) / s, 1.0),
    "expm1": (lambda s: (1 - sn.exp(-s)) / s, 1.0),
    "sin": (lambda s: sn.sin(3 * s) / s, 3.0),
    "root": (lambda s: (sn.sqrt(1 + s) - 1) / s, 0.5),
    "two functions": (lambda s: sn.sin(s) / sn.sinh(s), 1.0),
    "nothing": (lambda s: sn.sin(s) ** 2 / s, 0.0),
}
SCALES = {
    "float64": (0, 1e-320, 1e-200, 1e-160, 1e-120, 1e-105, 1e-80),
    "float32": (0, 1e-44, 1e-22, 1e-19, 1e-12, 1e-9),
}


@pytest.mark.parametrize("dtype", SCALES)
@pytest.mark.parametrize("step", [1, -1])
@pytest.mark.parametrize(("powers", "name"), list(product(SUMS, QUOTIENTS)))
def test_the_limit_stands_where_powers_vanish(powers, name, step, dtype):
    quotient, limit = QUOTIENTS[name]
    f = sn.compile(quotient(SUMS[powers](sn, X))[::step], dtype=dtype)
    for scale in SCALES[dtype]:
        data = (np.array([ROW, ROW[::-1]]) * scale).astype(dtype)
        with np.errstate(under="ignore"):
            size = float(SUMS[powers](np, data.astype(float)).max())
        tolerance = 4 * np.finfo(dtype).eps + 10 * size
        np.testing.assert_allclose(f(X=data), limit, rtol=tolerance, atol=tolerance * (limit == 0), err_msg=f"{scale}")


@pytest.mark.parametrize("dtype", SCALES)
@pytest.mark.parametrize("powers", SUMS)
def test_a_guard_by_hand_is_one_for_all_that_vanishes(powers, dtype):
    s = SUMS[powers](sn, X)
    f = sn.compile(sn.where(sn.equal(s, 0), 1, sn.log1p(s) / s), dtype=dtype)
    for scale in SCALES[dtype]:
        data = (np.array([ROW, ROW[::-1]]) * scale).astype(dtype)
        np.testing.assert_allclose(f(X=data), 1, rtol=2e-6)


@pytest.mark.parametrize("powers", SUMS)
def test_beyond_the_limit_the_function_is_as_it_was(powers, rng):
    data = rng.standard_normal((2, 3))
    s = SUMS[powers](np, data)
    f = sn.compile(sn.log1p(SUMS[powers](sn, X)) / SUMS[powers](sn, X))
    np.testing.assert_allclose(f(X=data), np.log1p(s) / s, rtol=1e-14)
    assert np.isnan(f(X=np.full((2, 3), np.nan))).all()

"""Differences below a sum or a mean keep their digits, as they do by themselves; against mpmath."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest

import symnet as sn
from symnet.reference import evaluate

m = sn.dim("m")
# name → (the difference, its exact value, where it is small)
DIFFERENCES: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any], tuple[float, ...]]] = {
    "one less a logistic": (lambda x: 1 - sn.sigmoid(x), lambda x: 1 / (1 + mpmath.exp(x)), (50.0, 45.0, 60.0)),
    "an exponential less one": (lambda x: sn.exp(x) - 1, mpmath.expm1, (1e-20, 3e-9, -2e-12)),
    "one less an exponential": (lambda x: 1 - sn.exp(-x), lambda x: -mpmath.expm1(-x), (1e-20, 3e-9, 2e-12)),
    "one less a cosine": (lambda x: 1 - sn.cos(x), lambda x: 2 * mpmath.sin(x / 2) ** 2, (1e-9, 3e-5, 2e-7)),
    "one and a tangent": (lambda x: 1 + sn.tanh(x), lambda x: 2 / (1 + mpmath.exp(-2 * x)), (-30.0, -25.0, -40.0)),
    "a root less one": (
        lambda x: sn.sqrt(1 + x * x) - 1,
        lambda x: x * x / (mpmath.sqrt(1 + x * x) + 1),
        (1e-9, 3e-5, 2e-7),
    ),
    "one less an error function": (lambda x: 1 - sn.erf(x), mpmath.erfc, (7.0, 8.0, 6.5)),
}
# name → (what stands around the difference, what becomes of the exact sum of three elements)
AROUND: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "sum": (sn.sum, lambda s: s),
    "mean": (sn.mean, lambda s: s / 3),
    "minus twice the sum": (lambda d: -2 * sn.sum(d), lambda s: -2 * s),
    "a third of the mean": (lambda d: sn.mean(d) / 3, lambda s: s / 9),
    "of rows": (lambda d: sn.sum(sn.stack([d, d], axis=1), axis=0)[1], lambda s: s),
}


@pytest.mark.parametrize("extent", [3, m], ids=["known", "symbolic"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("name", DIFFERENCES)
def test_a_difference_below_a_sum_keeps_its_digits(name: str, around: str, dtype: str, extent: Any) -> None:
    difference, exact, points = DIFFERENCES[name]
    wrap, value = AROUND[around]
    formula = wrap(difference(sn.tensor("x", extent, dtype=dtype)))
    at = np.array(points, dtype)
    with mpmath.workdps(60):
        want = float(value(sum(exact(mpmath.mpf(float(x))) for x in at)))
    if dtype == "float32" and abs(want) < 1e-30:
        pytest.skip("smaller than a normal number")
    got = sn.compile(formula)(x=at)
    np.testing.assert_allclose(float(got), want, rtol=32 * np.finfo(dtype).eps)
    assert evaluate(formula, {"x": at}) is not None


def test_a_constant_stays_outside_where_nothing_cancels() -> None:
    x = sn.tensor("x", m)
    assert str(sn.compile(sn.sum(x - 1), stop_after="numeric")) == "sum(x) - m"
    assert str(sn.compile(3 - sn.mean(sn.sigmoid(x)), stop_after="numeric")) == "3 - mean(sigmoid(x))"

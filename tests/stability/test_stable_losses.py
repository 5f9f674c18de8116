"""MISSION L8: every loss is finite for logits up to ±1000 and right to a few ulp, whatever spelling the user chose.

Values are compared with mpmath at 60 digits; gradients to a few ulp of the largest derivative.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest

import symnet as sn

mpmath.mp.dps = 60
CLASSES = 5
m = sn.dim("m")
Z, D = sn.tensor("Z", m, CLASSES), sn.tensor("D", m, CLASSES, simplex=True)
z, d = sn.tensor("z", m), sn.tensor("d", m, unit=True)
SOFTMAX: dict[str, Callable[[Any], Any]] = {
    "softmax": sn.softmax,
    "exp over its sum": lambda Z: sn.exp(Z) / sn.sum(sn.exp(Z), axis=1, keepdims=True),
    "exp of log softmax": lambda Z: sn.exp(sn.log_softmax(Z)),
}
LOSS: dict[str, Callable[[Any], Any]] = {
    "cross entropy": lambda Y: sn.cross_entropy(Y, D),
    "divergence": lambda Y: sn.kl_div(Y, D),
    "written out": lambda Y: -sn.sum(D * sn.log(Y), axis=1),
}
LOGISTIC: dict[str, Callable[[Any], Any]] = {
    "sigmoid": lambda z: sn.binary_cross_entropy(sn.sigmoid(z), d),
    "from logits": lambda z: sn.binary_cross_entropy(z, d, from_logits=True),
    "written out": lambda z: -(d * sn.log(sn.sigmoid(z)) + (1 - d) * sn.log(1 - sn.sigmoid(z))),
}


def logits(rng: np.random.Generator, shape: tuple[int, ...], dtype: str) -> np.ndarray:
    """Small, moderate and huge ones, and rows whose largest stands alone."""
    scales = rng.choice([1e-3, 1.0, 30.0, 1000.0], size=(shape[0],) + (1,) * (len(shape) - 1))
    values = rng.uniform(-1, 1, shape) * scales
    values[0] = np.linspace(-1000, 1000, values[0].size).reshape(values[0].shape)
    return values.astype(dtype)


def exact_softmax(row: np.ndarray) -> list[Any]:
    powers = [mpmath.exp(mpmath.mpf(float(v))) for v in row]
    return [p / mpmath.fsum(powers) for p in powers]


def ulps(got: np.ndarray, exact: np.ndarray, scale: np.ndarray) -> float:
    """The largest error in units in the last place of `scale`."""
    unit = np.spacing(np.abs(scale).astype(got.dtype)).astype(object)
    errors = [
        abs(mpmath.mpf(float(g)) - e) / mpmath.mpf(float(u))
        for g, e, u in zip(got.ravel(), exact.ravel(), unit.ravel(), strict=True)
    ]
    return float(max(errors))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("loss", LOSS)
@pytest.mark.parametrize("spelling", SOFTMAX)
def test_softmax_losses(spelling: str, loss: str, dtype: str, rng: np.random.Generator) -> None:
    per_sample = LOSS[loss](SOFTMAX[spelling](Z))
    f = sn.compile([per_sample, sn.grad(sn.sum(per_sample), Z)], dtype=dtype)
    data = {"Z": logits(rng, (12, CLASSES), dtype), "D": np.eye(CLASSES)[rng.integers(0, CLASSES, 12)].astype(dtype)}
    value, slope = f(**data)
    assert np.all(np.isfinite(value)) and np.all(np.isfinite(slope))
    Y = np.array([exact_softmax(row) for row in data["Z"]], dtype=object)
    wanted = np.array([-mpmath.log(y[int(t)]) for y, t in zip(Y, data["D"].argmax(1), strict=True)], dtype=object)
    largest = np.maximum(np.abs(data["Z"]).max(1), 1.0)  # z - logsumexp(z) cannot be better than z itself
    assert ulps(value, wanted, np.maximum(np.abs(wanted.astype(float)), largest)) <= 4
    assert ulps(slope, Y - data["D"].astype(float), np.ones_like(slope)) <= 4


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("spelling", LOGISTIC)
def test_logistic_losses(spelling: str, dtype: str, rng: np.random.Generator) -> None:
    per_sample = LOGISTIC[spelling](z)
    f = sn.compile([per_sample, sn.grad(sn.sum(per_sample), z)], dtype=dtype)
    data = {"z": logits(rng, (40,), dtype), "d": rng.integers(0, 2, 40).astype(dtype)}
    value, slope = f(**data)
    assert np.all(np.isfinite(value)) and np.all(np.isfinite(slope))
    exact_z = [mpmath.mpf(float(v)) * (1 if t == 0 else -1) for v, t in zip(data["z"], data["d"], strict=True)]
    wanted = np.array([mpmath.log1p(mpmath.exp(v)) for v in exact_z], dtype=object)
    assert ulps(value, wanted, wanted.astype(float)) <= 4
    exact_slope = np.array(
        [1 / (1 + mpmath.exp(-mpmath.mpf(float(v)))) - float(t) for v, t in zip(data["z"], data["d"], strict=True)],
        dtype=object,
    )
    assert ulps(slope, exact_slope, np.ones_like(slope)) <= 4


def test_squared_error_is_finite(rng: np.random.Generator) -> None:
    T = sn.tensor("T", m, CLASSES)
    data = {"Z": logits(rng, (12, CLASSES), "float32"), "T": rng.normal(size=(12, CLASSES)).astype("f4")}
    value, slope = sn.value_and_grad(sn.sum(sn.l2(Z, T)), Z, dtype="float32")(**data)
    difference = data["Z"].astype("f8") - data["T"]
    np.testing.assert_allclose(value, 0.5 * (difference**2).sum(), rtol=1e-6)
    np.testing.assert_allclose(slope, difference, rtol=1e-6, atol=1e-4)

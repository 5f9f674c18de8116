"""All classes of a softmax at once, and mixtures: value and slope at data where one class or component holds all.

Every composition is compared with its exact value (`test_log_domain.py` has the check), in both dtypes.
"""

from __future__ import annotations

import numpy as np
import pytest

import symnet as sn
from tests.stability.test_log_domain import check, exact, raw_gradient

z, mu, s, w = (sn.tensor(name, 4) for name in ("z", "mu", "s", "w"))
Z = sn.tensor("Z", 2, 4)
t = sn.scalar("t")

LOGITS = {
    "alone": [800.0, 0.0, 1.0, -3.0],
    "far alone": [2e3, -2e3, 0.0, 5.0],
    "two at the top": [700.0, 700.0, -700.0, 1.0],
    "all equal": [0.0, 0.0, 0.0, 0.0],
    "moderate": [1.0, 2.0, 3.0, 4.0],
    "close at the top": [1e3, 999.0, -np.inf, 0.0],
    "forty apart": [-1.0, 40.0, 0.0, 3.0],
}
COMPLEMENTS = {
    "log(1 - p)": sn.log(1 - sn.softmax(z)),
    "log1p(-p)": sn.log1p(-sn.softmax(z)),
    "backwards": sn.log((1 - sn.softmax(z))[::-1]),
    "some": sn.log(1 - sn.softmax(z)[1:3]),
    "of a row": sn.log(1 - sn.softmax(sn.stack([z, 2 * z]))[0]),
    "less an own term": sn.log(1 - sn.softmax(z)) - sn.log_softmax(z),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("logits", [name for name in LOGITS if name != "close at the top"])
@pytest.mark.parametrize("name", COMPLEMENTS)
def test_the_complement_of_every_class_has_its_logarithm_and_its_slope(name: str, logits: str, dtype: str) -> None:
    check(COMPLEMENTS[name], z, {"z": LOGITS[logits]}, dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", LOGITS)
def test_a_loss_of_wrong_classes_is_finite(name: str, dtype: str) -> None:
    data = {"z": np.array(LOGITS[name], dtype), "w": np.array([0.5, 0, 1, 2], dtype)}
    loss = -sn.sum(w * sn.log(1 - sn.softmax(z)))
    value, slope = sn.value_and_grad(loss, z, dtype=dtype)(**data)
    curvature = sn.compile(sn.hessian(loss, z), dtype=dtype)(**data)
    assert np.isfinite(value)
    assert np.isfinite(slope).all()
    assert np.isfinite(curvature).all()


SCALED_BY_EXP = sn.log(sn.sum(sn.softmax(w) * sn.exp(-(((t - mu) / sn.exp(s)) ** 2) / 2) / sn.exp(s)))
TWO_COMPONENTS = sn.log(0.3 * sn.exp(-((t - 1) ** 2)) + 0.7 * sn.exp(-((t + mu[1]) ** 2) / 3))
WAITING = sn.log(sn.sum(w * mu * sn.exp(-mu * t)))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("at", [0.25, 30.0, -300.0, 1e3])
def test_the_slope_of_a_mixture_by_its_scales_is_finite_far_from_every_component(at: float, dtype: str) -> None:
    data = {"t": at, "mu": np.arange(4.0), "s": np.linspace(-1, 1, 4), "w": np.linspace(-1, 1, 4)}
    given = {k: np.asarray(v, dtype) for k, v in data.items()}
    slope = sn.compile(sn.grad(SCALED_BY_EXP, s), dtype=dtype)(**given)
    r = ((at - data["mu"]) / np.exp(data["s"])) ** 2
    a = data["w"] - r / 2 - data["s"]
    share = np.exp(a - a.max()) / np.exp(a - a.max()).sum()
    assert np.allclose(slope, share * (r - 1), rtol=1e-3 if dtype == "float32" else 1e-10, atol=1e-30)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("at", [0.25, 30.0, -300.0, 1e3])
@pytest.mark.parametrize("leaf", [t, mu])
def test_two_components_have_their_value_slope_and_second_derivative(leaf: sn.Tensor, at: float, dtype: str) -> None:
    """The second derivative is a difference of terms of the size of the slope's square."""
    data = {"t": at, "mu": [0.0, 2.0, 0.0, 1.0]}
    check(TWO_COMPONENTS, leaf, data, dtype)
    given = {k: np.asarray(v, dtype) for k, v in data.items()}
    slope = sn.sum(sn.grad(TWO_COMPONENTS, leaf))
    first, second = sn.compile([slope, sn.grad(slope, leaf)], dtype=dtype)(**given)
    wanted = exact(raw_gradient(sn.sum(raw_gradient(TWO_COMPONENTS, leaf)), leaf), given).astype(float)
    assert np.abs(second - wanted).max() <= 16 * np.finfo(dtype).eps * max(np.abs(wanted).max(), first**2)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("leaf", [w, mu, t])
def test_a_component_without_a_rate_has_no_slope(leaf: sn.Tensor, dtype: str) -> None:
    """Its exponential lies above those that count, and its weight and slope are 0."""
    data = {
        "t": 1000.0,
        "mu": [1.0, 2.0, 0.0, 4.0] if leaf is w else [1.0, 2.0, 3.0, 4.0],
        "w": [0.5, 0.25, 0.125, 0.125],
    }
    check(WAITING, leaf, data, dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("logits", ["forty apart", "moderate", "all equal", "two at the top"])
def test_the_impurity_of_a_softmax_keeps_its_digits_where_one_class_holds_all(logits: str, dtype: str) -> None:
    impurity = 1 - sn.sum(sn.softmax(z) ** 2)
    given = {"z": np.asarray(LOGITS[logits], dtype)}
    results = sn.compile([impurity, sn.grad(impurity, z)], dtype=dtype)(**given)
    for got, raw in zip(results, (impurity, raw_gradient(impurity, z)), strict=True):
        wanted = exact(raw, given).astype(float)
        least = max(np.finfo(dtype).eps * np.abs(wanted).max(), 1e6 * float(np.finfo(dtype).tiny))
        np.testing.assert_allclose(got, wanted, rtol=100 * np.finfo(dtype).eps, atol=least)


@pytest.mark.parametrize("pair", ["atanh tanh", "asinh sinh", "acosh cosh", "sinh asinh", "tan atan", "sin asin"])
def test_a_function_of_its_inverse_keeps_digits_and_range(pair: str) -> None:
    outer, inner = (getattr(sn, name) for name in pair.split())
    x = sn.tensor("x", 3)
    formula = sn.sum(outer(inner(x)))
    at = np.array([0.5, -0.25, 0.75 if pair == "sin asin" else 900.0])
    value, slope = sn.compile([formula, sn.grad(formula, x)], inputs=[x])(x=at)
    wanted = np.abs(at) if pair == "acosh cosh" else at
    assert value == wanted.sum()
    assert slope.tolist() == (np.sign(at) if pair == "acosh cosh" else np.ones(3)).tolist()


X = sn.tensor("X", 3, 3)
PAIRS = {
    "by an identity": -sn.log(sn.sum(sn.exp(X) * np.eye(3), axis=1) / sn.sum(sn.exp(X), axis=1)),
    "by a diagonal": -sn.log(sn.einsum("ii->i", sn.softmax(X))),
    "both ways": -sn.log(sn.einsum("ii->i", sn.softmax(X) * sn.softmax(X, axis=0))),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", PAIRS)
def test_a_loss_of_matching_pairs_is_finite_however_far_they_are(name: str, dtype: str) -> None:
    """The contrastive loss of pairs, whose logits stand on the diagonal."""
    check(PAIRS[name], X, {"X": [[-1000.0, 0.0, 3.0], [0.0, 1.0, 2.0], [5.0, 5.0, 900.0]]}, dtype)


def test_the_gradient_of_a_loss_of_matching_pairs_reads_as_that_of_classes() -> None:
    assert str(sn.grad(sn.mean(PAIRS["by a diagonal"]), X)) == "(softmax(X) - eye(3))/3"

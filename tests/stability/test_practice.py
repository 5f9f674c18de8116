"""Losses as they are written in practice, where a probability under or beside a logarithm is 0: masked and weighted
log-sum-exps, risk sets, focal losses, ordered and censored responses.

Each is compared with its exact value (`exact.py`), or with the same formula of tails, and so is its gradient.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
import sympy

import symnet as sn
from tests.stability.test_log_domain import check

v, w, t, q = (sn.tensor(name, 5) for name in ("v", "w", "t", "q"))
M = sn.tensor("M", 5, 5)
p = sn.sigmoid(v)
FAR = np.array([-1000.0, -40, 0.3, 30, 1000])
DATA = {
    "v": FAR,
    "w": FAR[::-1],
    "t": np.array([0.0, 1, 0, 1, 1]),
    "q": np.array([1.0, 0, 2, 0.5, 0]),
    "M": np.triu(np.ones((5, 5))),
}
RISK = np.triu(np.ones((5, 5))) > 0
CROSS_ENTROPY = -t * sn.log(p) - (1 - t) * sn.log(1 - p)
LOSSES: dict[str, Any] = {
    # sums of exponentials with weights that may be 0, with masks, and with factors beside the sum
    "weighted": sn.log(sn.sum(q * sn.exp(v))),
    "weighted mean": sn.log(sn.sum(q * sn.exp(v)) / sn.sum(q)),
    "half of it": sn.log(sn.tensor("h", positive=True) * sn.sum(q * sn.exp(v))),
    "a ratio of sums": sn.log(sn.sum(q * sn.exp(v)) / sn.sum(sn.exp(w))),
    "masked": sn.log(sn.sum(sn.where(t > 0, sn.exp(v), 0))),
    "masked mean": sn.log(sn.sum(sn.where(t > 0, sn.exp(v), 0)) / sn.sum(t)),
    "masked by a factor": sn.log(sn.sum(t * sn.exp(v))),
    "a reciprocal": sn.sum(q / (2 + sn.exp(-v))) + sn.sum(sn.exp(v) / (1 + 2 * sn.exp(v))),
    "risk sets by a matrix": sn.sum(q * (v - sn.log(M @ sn.exp(v)))),
    "risk sets by a constant": sn.sum(q * (v - sn.log(RISK.astype(float) @ sn.exp(v)))),
    "risk sets by einsum": sn.sum(q * (v - sn.log(sn.einsum("ij,j->i", M, sn.exp(v))))),
    "risk sets by a choice": sn.sum(q * (v - sn.log(sn.sum(sn.where(RISK, sn.exp(v)[None, :], 0), axis=1)))),
    "attention by a factor": sn.sum(t * sn.exp(v) * q) / sn.sum(t * sn.exp(v)),
    "attention by a choice": sn.sum(sn.where(t > 0, sn.exp(v), 0) * q) / sn.sum(sn.where(t > 0, sn.exp(v), 0)),
    "attention of each": sn.exp(v) * t / sn.sum(t * sn.exp(v)) * q,
    "a mixture of two": -sn.log(t * p + (1 - t) * (1 - p)),
    # what multiplies a quotient must be taken into it
    "focal": -t * (1 - p) ** 2 * sn.log(p) - (1 - t) * p**2 * sn.log(1 - p),
    "focal by a square": -((t - p) ** 2) * (t * sn.log(p) + (1 - t) * sn.log(1 - p)),
    "focal by the loss": (1 - sn.exp(-CROSS_ENTROPY)) ** 2 * CROSS_ENTROPY,
    # rates: 1 - exp(-exp(x)) is exp(x) where that is small
    "complementary log-log": t * sn.log(1 - sn.exp(-sn.exp(v / 25))) - (1 - t) * sn.exp(v / 25),
    # ordered responses
    "between two cuts": sn.log(sn.sigmoid(1.5 - v) - sn.sigmoid(0.5 - v)),
    "between, with a scale": sn.log(sn.sigmoid((v + 0.5) * 1.5) - sn.sigmoid((v - 0.5) * 1.5)),
    "between, the other way": sn.log(sn.sigmoid(v + 1) + sn.sigmoid(1 - v) - 1),
    "between, by tanh": sn.log(sn.tanh(v + 1) - sn.tanh(v)),
    "between, by sums of tanh": sn.log(sn.tanh(v + 1) + sn.tanh(1 - v)),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_of_practice_is_finite_and_right_with_its_gradient(name: str, dtype: str) -> None:
    check(LOSSES[name], v, {**DATA, "h": 0.5}, dtype)


# --------------------------------------------------------------------------- the normal distribution

ROOT = sympy.sqrt(2)
CUTS = np.array([-30.0, -9, 0.3, 8, 30])


def _phi(x: Any) -> Any:
    return (1 + sn.erf(x / ROOT)) / 2


def _exact_tail(x: Any) -> Any:
    return mpmath.erfc(mpmath.mpf(float(x)) / mpmath.sqrt(2)) / 2


def _bell(x: Any) -> Any:
    return mpmath.exp(-(mpmath.mpf(float(x)) ** 2) / 2) / mpmath.sqrt(2 * mpmath.pi)


def _interval(a: Any, b: Any) -> tuple[Any, Any]:
    """log(Φ(b) - Φ(a)), and its slope where both move together."""
    share = _exact_tail(a) - _exact_tail(b) if a + b > 0 else _exact_tail(-b) - _exact_tail(-a)
    return mpmath.log(share), (_bell(b) - _bell(a)) / share


def _response(x: Any, label: Any) -> tuple[Any, Any]:
    """The probit cross-entropy and its slope."""
    sign = 1 if label else -1
    return -mpmath.log(_exact_tail(-sign * x)), -sign * _bell(x) / _exact_tail(-sign * x)


INTERVALS: dict[str, Callable[[], Any]] = {
    "of Φ": lambda: sn.log(_phi(v + 1) - _phi(v)),
    "of erf": lambda: sn.log(sn.erf((v + 1) / ROOT) - sn.erf(v / ROOT)) - np.log(2),
    "of erfc": lambda: sn.log(sn.erfc(v / ROOT) / 2 - sn.erfc((v + 1) / ROOT) / 2),
    "of one less": lambda: sn.log((1 - _phi(v)) - (1 - _phi(v + 1))),
}
RESPONSES: dict[str, Callable[[], Any]] = {
    "by Φ": lambda: -t * sn.log(_phi(v)) - (1 - t) * sn.log(1 - _phi(v)),
    "by erfc": lambda: -t * sn.log(sn.erfc(-v / ROOT) / 2) - (1 - t) * sn.log(sn.erfc(v / ROOT) / 2),
    "by one erfc": lambda: -t * sn.log(sn.erfc(-v / ROOT) / 2) - (1 - t) * sn.log(1 - sn.erfc(-v / ROOT) / 2),
    "by the other": lambda: -t * sn.log(1 - 0.5 * sn.erfc(v / ROOT)) - (1 - t) * sn.log(sn.erfc(v / ROOT) / 2),
    "by the sign": lambda: -sn.log(_phi((2 * t - 1) * v)),
}


def _compared(loss: Any, expected: list[tuple[Any, Any]], dtype: str) -> None:
    f = sn.compile([loss, sn.grad(sn.sum(loss), v)], dtype=dtype)
    data = {"v": CUTS.astype(dtype), "t": np.array([1, 0, 1, 0, 0], dtype)}
    eps = float(np.finfo(dtype).eps)
    for got, wanted in zip(f(**{k: data[k] for k in f.inputs}), zip(*expected, strict=True), strict=True):
        for g, e in zip(got, wanted, strict=True):
            assert abs(float(g) - float(e)) <= 1000 * eps * max(1, abs(float(e))), (g, e, dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", INTERVALS)
def test_the_probability_of_an_interval_has_its_logarithm(name: str, dtype: str) -> None:
    with mpmath.workprec(1500):
        x = CUTS.astype(dtype).astype(float)
        _compared(INTERVALS[name](), [_interval(a, a + 1) for a in x], dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", RESPONSES)
def test_a_probit_response_is_finite_with_its_gradient(name: str, dtype: str) -> None:
    with mpmath.workprec(1500):
        x = CUTS.astype(dtype).astype(float)
        _compared(RESPONSES[name](), [_response(*each) for each in zip(x, [1, 0, 1, 0, 0], strict=True)], dtype)


def test_a_number_beside_an_exponential_is_not_rounded_with_its_exponent() -> None:
    x = sn.scalar("x")
    f = sn.compile([e := sn.exp(x) / (1 + 2 * sn.exp(x)), sn.grad(e, x)])
    assert [tuple(map(float, f(x=at))) for at in (1e50, 1e17, -1e50)] == [(0.5, 0), (0.5, 0), (0, 0)]


def test_an_open_interval_reaches_to_infinity() -> None:
    a, b = sn.tensor("a", 3), sn.tensor("b", 3)
    data = {"a": np.array([-np.inf, 20, -1]), "b": np.array([-20, np.inf, np.inf])}
    value, (slope, other) = sn.value_and_grad(sn.sum(sn.log(_phi(b) - _phi(a))), [a, b])(**data)
    with mpmath.workprec(500):
        tail, middle = _exact_tail(20), 1 - _exact_tail(1)
        hazard = _bell(20) / tail
        np.testing.assert_allclose(float(value), float(2 * mpmath.log(tail) + mpmath.log(middle)), rtol=1e-12)
        np.testing.assert_allclose(slope, [0, -float(hazard), -float(_bell(1) / middle)], rtol=1e-11)
        np.testing.assert_allclose(other, [float(hazard), 0, 0], rtol=1e-11)

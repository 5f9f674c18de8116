"""Scans: values against sums to many digits, whatever the order of the data; memory and work linear in the length."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

import symnet as sn
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.running import running_logsumexp, scaled_sum
from symnet.reference import evaluate
from tests.chain import floors

n = sn.dim("n")
x, b, X, B = sn.tensor("x", n), sn.tensor("b", n), sn.tensor("X", n, 5), sn.tensor("B", n, 5)
ORDERS = {
    "random": lambda rng, k: rng.normal(size=k) * 10,
    "rising": lambda rng, k: np.sort(rng.normal(size=k) * 10),
    "rising slowly": lambda rng, k: np.arange(k) * 1e-3,
    "falling": lambda rng, k: -np.sort(rng.normal(size=k) * 10),
    "far apart": lambda rng, k: rng.choice([-1000.0, 0.0, 300.0, 301.0, 1000.0], k),
    "equal": lambda rng, k: np.full(k, 0.7),
    "below the range": lambda rng, k: np.full(k, -5000.0),
    "a late giant": lambda rng, k: np.concatenate([rng.normal(size=k - 1), [700.0]]),
}
SPECIAL = {
    "nothing yet": ([-np.inf, -np.inf, 1.0, 2.0], [-np.inf, -np.inf, 1.0, 2.0 + np.log1p(np.exp(-1.0))]),
    "infinite": ([1.0, np.inf, 2.0, np.inf], [1.0, np.inf, np.inf, np.inf]),
    "NaN": ([1.0, np.nan, 2.0], [1.0, np.nan, np.nan]),
    "one": ([3.0], [3.0]),
    "none": ([], []),
}


def exact(values: np.ndarray) -> np.ndarray:
    """The running log-sum-exp in 60 digits."""
    with mpmath.workdps(60):
        total, found = mpmath.mpf(0), []
        for value in values:
            total += mpmath.exp(mpmath.mpf(float(value)))
            found.append(float(mpmath.log(total)))
    return np.array(found)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("order", ORDERS)
def test_a_running_log_sum_exp_is_right_to_an_ulp_or_two(order: str, dtype: str, rng: np.random.Generator) -> None:
    data = ORDERS[order](rng, 3000).astype(dtype)
    f = sn.compile(sn.log(sn.cumsum(sn.exp(x))), dtype=dtype)
    want = exact(data)
    scale = np.maximum(np.abs(want), np.maximum.accumulate(np.abs(data)))  # of r and log1p(t), which are added
    scale = np.where(scale > 0, scale, 1)
    assert np.max(np.abs(f(x=data) - want) / scale) < 2.5 * np.finfo(dtype).eps


@pytest.mark.parametrize("name", SPECIAL)
def test_infinities_and_nan_pass_as_in_the_sum(name: str) -> None:
    data, want = (np.array(values) for values in SPECIAL[name])
    f = sn.compile(sn.log(sn.cumsum(sn.exp(x))))
    np.testing.assert_allclose(f(x=data), want, rtol=1e-15)


c, C = running_logsumexp(x, 0), running_logsumexp(X, 1)
SCANS: dict[str, Node] = {
    "log-sum-exp": running_logsumexp(x, 0),
    "log-sum-exp from the end": running_logsumexp(x, 0, reverse=True),
    "log-sum-exp of rows": running_logsumexp(X, 1),
    "log-sum-exp of columns": running_logsumexp(X, 0, reverse=True),
    "sum": scaled_sum(x, b, c, 0),
    "sum from the end": scaled_sum(-c, b, -x, 0, reverse=True),
    "sum of rows": scaled_sum(X, B, C, 1),
    "sum of columns": scaled_sum(-running_logsumexp(X, 0), B, -X, 0, reverse=True),
    "beside others": sn.exp(X - C) * sn.sum(scaled_sum(X, B, C, 1)),
}


@pytest.mark.parametrize("name", SCANS)
@pytest.mark.parametrize("count", [0, 1, 7, 300])
def test_every_floor_computes_a_scan_alike(name: str, count: int, rng: np.random.Generator) -> None:
    root = SCANS[name]
    leaves = sn.expr.nodes.symbols.leaves(root)
    data = {leaf.name: rng.normal(size=[count if m == n else 5 for m in leaf.shape]) for leaf in leaves}
    (want,) = evaluate([root], data)
    for floor, (got,) in floors([root], data, {"n": count}, "float64"):
        np.testing.assert_allclose(got, want, rtol=1e-13, atol=1e-13, err_msg=floor)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("order", ORDERS)
def test_slopes_of_a_running_log_sum_exp_have_their_digits(order: str, dtype: str, rng: np.random.Generator) -> None:
    """Σ over k ≥ j of w[k]·exp(x[j] - c[k]), whose terms are positive, against 60 digits."""
    data = ORDERS[order](rng, 400).astype(dtype)
    weights = rng.uniform(0.5, 2, size=400).astype(dtype)
    L = b @ sn.log(sn.cumsum(sn.exp(x)))
    got = sn.compile(sn.grad(L, x), dtype=dtype)(x=data, b=weights)
    with mpmath.workdps(60):
        powers = [mpmath.exp(mpmath.mpf(float(v))) for v in data]
        sums = [mpmath.fsum(powers[: k + 1]) for k in range(len(data))]
        tail, want = mpmath.mpf(0), []
        for power, total, weight in zip(powers[::-1], sums[::-1], weights[::-1], strict=True):
            tail += mpmath.mpf(float(weight)) / total
            want.append(float(power * tail))
    size = 4 + np.max(np.abs(data))  # an exponential of x - c has so many times the error of x and c
    eps, tiny = np.finfo(dtype).eps, 100 * np.finfo(dtype).tiny
    np.testing.assert_allclose(got, want[::-1], rtol=2 * eps * size, atol=tiny)


def test_a_partial_likelihood_takes_work_and_memory_in_its_length() -> None:
    """Cox's: before these were nodes, 32 doublings wrote 784 bytes a row and did 876 operations."""
    Z, w = sn.tensor("Z", n, 8), sn.tensor("w", 8)
    loss = -sn.mean(Z @ w - sn.log(sn.cumsum(sn.exp(Z @ w))))
    f = sn.value_and_grad(loss, w)
    assert f.workspace_bytes(n=100_000) < 50 * 100_000
    assert f.flops.subs(n, 1000) < 100 * 1000
    assert len(f.object_code) < 40_000

"""Quadratic functions of arrays of any size: the point's formula, its value and its kind, on instances too."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.errors import ArgumentError
from symnet.reference.evaluation import evaluate

m, n, k = sn.dim("m"), sn.dim("n"), sn.dim("k")
A, b, B = sn.tensor("A", n, n, symmetric=True), sn.tensor("b", n), sn.tensor("B", n, n)
X, y, w, r = sn.tensor("X", m, n), sn.tensor("y", m), sn.tensor("w", n), sn.tensor("r", m, positive=True)
W, Y, V = sn.tensor("W", n, k), sn.tensor("Y", m, k), sn.tensor("V", k, m)
Q, R = sn.tensor("Q", k, k), sn.tensor("R", n, k)
c, s = sn.scalar("c", positive=True), sn.scalar("s")

# f, the array, the point as it is printed, the verdict
CASES: dict[str, tuple[Any, Any, str, str]] = {
    "a quadratic form": (w @ A @ w / 2 - b @ w, w, "inv(A) @ b", "undecided (it depends on parameters)"),
    "one that is not symmetric": (
        w @ B @ w / 2 - b @ w,
        w,
        "2*inv(B + B.T) @ b",
        "undecided (it depends on parameters)",
    ),
    "least squares": (sn.sum((X @ w - y) ** 2), w, "inv(X.T @ X) @ X.T @ y", "minimum"),
    "their mean": (sn.mean((X @ w - y) ** 2), w, "inv(X.T @ X) @ X.T @ y", "minimum"),
    "ridge": (sn.sum((X @ w - y) ** 2) + c * w @ w, w, "inv(X.T @ X + c*eye(n)) @ X.T @ y", "minimum"),
    "a factor of any sign": (sn.sum((X @ w - y) ** 2) + s * w @ w, w, "", "undecided (it depends on parameters)"),
    "weighted": (sn.sum(r * (X @ w - y) ** 2), w, "", "minimum"),
    "a mean": (sn.sum((X - w) ** 2), w, "mean(X, axis=0)", "minimum"),
    "a maximum": (b @ w - sn.sum((X @ w) ** 2) / 2, w, "inv(X.T @ X) @ b", "maximum"),
    "several right sides": (sn.sum((X @ W - Y) ** 2), W, "inv(X.T @ X) @ X.T @ Y", "minimum"),
    "transposed": (sn.sum((W.T @ X.T - V) ** 2), W, "inv(X.T @ X) @ X.T @ V.T", "minimum"),
    "from the right": (sn.sum((W @ Q - R) ** 2) + c * sn.sum(W * W), W, "", "minimum"),
}


@pytest.mark.parametrize("name", CASES)
def test_the_point_is_a_formula(name: str) -> None:
    f, x, text, verdict = CASES[name]
    (point,) = sn.critical_points(f, x)
    assert point.verdict == verdict
    if text:
        assert str(point.at[x]) == text
    assert str(point).startswith(f"{x.name} = {point.at[x]}: {verdict}, value ")


@pytest.mark.parametrize("name", CASES)
def test_there_the_gradient_is_zero_and_the_value_is_the_functions(name: str, rng: np.random.Generator) -> None:
    f, x, _, verdict = CASES[name]
    (point,) = sn.critical_points(f, x)
    sizes = {"m": 7, "n": 3, "k": 2}
    given = {
        leaf.name: np.abs(rng.normal(size=[sizes[str(e)] for e in leaf.shape])) + 0.5
        for leaf in sn_leaves(f)
        if leaf != x
    }
    if "A" in given:
        given["A"] = given["A"] + given["A"].T
    at = evaluate(point.at[x], given)
    np.testing.assert_allclose(evaluate(sn.grad(f, x), {**given, x.name: at}), 0, atol=1e-9)
    value = evaluate(f, {**given, x.name: at})
    np.testing.assert_allclose(evaluate(point.value, given), value, rtol=1e-9)
    if verdict in ("minimum", "maximum"):
        others = [evaluate(f, {**given, x.name: at + 0.1 * rng.normal(size=at.shape)}) for _ in range(5)]
        assert all(o > value for o in others) if verdict == "minimum" else all(o < value for o in others)


def sn_leaves(f: Any) -> list[Any]:
    from symnet.expr.nodes.symbols import leaves

    return list(leaves(f))


@pytest.mark.parametrize(
    ("f", "wrt"),
    [
        (sn.sum(sn.exp(X @ w)), w),
        (sn.sum((X @ w) ** 4), w),
        (sn.logdet(A), A),
        (sn.sum((B @ W @ Q + W) ** 2), W),
        (sn.sum((X @ w - y) ** 2) + sn.sum((b - y[:1]) ** 2), [w, b]),
    ],
)
def test_what_has_no_such_formula_is_refused(f: Any, wrt: Any) -> None:
    with pytest.raises(ArgumentError, match="critical_points"):
        sn.critical_points(f, wrt)


# --------------------------------------------------------------------------- where points are real

u, v, a = sn.scalar("u"), sn.scalar("v"), sn.scalar("a")


def test_a_family_says_where_it_is_real() -> None:
    found = sn.critical_points((u * u + v * v - 1) ** 2, [u, v])
    assert sum("-1 <= u and u <= 1" in str(point) for point in found) == 2


def test_a_point_says_for_which_parameters_it_is_one() -> None:
    high, low = sorted(sn.critical_points(u**3 - 3 * a * u, u), key=lambda p: p.verdict)
    assert (high.verdict, low.verdict) == ("maximum", "minimum")
    assert all("with a > 0" in str(point) for point in (high, low))


@pytest.mark.parametrize("seconds", [0.02, 0.1, 0.4, 0.8, 1.5])
def test_time_may_be_over_anywhere(seconds: float) -> None:
    """What SymPy is doing when its time is over makes no difference: the points are found by numbers."""
    found = sn.critical_points((u**2 + v - 11) ** 2 + (u + v**2 - 7) ** 2, [u, v], seconds=seconds)
    assert len(found) == 9

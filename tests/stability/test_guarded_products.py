"""Weights beside cotangents that `where` left 0: nothing leaks into a derivative, and no row waits for another."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symnet as sn

M, WIDTH = sn.dim("m"), 5
CHOICES: dict[str, Any] = {
    "positive part": lambda z: sn.where(z > 0, z, 0),
    "square": lambda z: sn.where(z >= 0, z * z, 0),
    "negative part": lambda z: sn.where(z < 0, z, 0),
    "root": lambda z: sn.where(z > 0, sn.sqrt(z), 0),
    "band": lambda z: sn.where((z > 0) & (z < 8), z, 0),
}


def network(choice: str, layers: int, rows: Any = M, bias: bool = False) -> tuple[sn.Node, list[sn.Node]]:
    """Layers of choices, and the leaves to differentiate by."""
    h = x = sn.tensor("x", rows, WIDTH)
    weights = [sn.tensor(f"W{k}", WIDTH, WIDTH) for k in range(layers)]
    b = sn.tensor("b", WIDTH)
    for W in weights:
        h = CHOICES[choice](h @ W + b if bias else h @ W)
    return sn.sum(h**2), [x, *weights]


def values(rows: int, layers: int, dtype: str = "float64") -> dict[str, np.ndarray]:
    rng = np.random.default_rng(rows)
    given = {"x": rng.uniform(0.1, 1, (rows, WIDTH)), "b": rng.normal(size=WIDTH) / 10}
    given |= {f"W{k}": rng.normal(size=(WIDTH, WIDTH)) for k in range(layers)}
    return {name: a.astype(dtype) for name, a in given.items()}


def gradients(L: sn.Node, leaves: list[sn.Node], given: dict[str, np.ndarray], **options: Any) -> list[np.ndarray]:
    f = sn.value_and_grad(L, leaves, **options)
    with np.errstate(all="ignore"):
        return list(f(**{name: given[name] for name in f.inputs})[1])


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("choice", CHOICES)
def test_one_sweep_computes_a_network_of_choices(choice: str, layers: int) -> None:
    L, leaves = network(choice, layers)
    sweeps = [g for g in sn.value_and_grad(L, leaves, stop_after="schedule").groups if "m" in str(g.repeat)]
    assert sum(any(s.name.startswith("rows") for s in g.phases) for g in sweeps) == 1
    f = sn.value_and_grad(L, leaves)
    assert f.workspace_bytes(m=1000) == f.workspace_bytes(m=1_000_000)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("rows", [M, 9], ids=["symbolic", "known"])
@pytest.mark.parametrize("choice", CHOICES)
def test_a_column_that_no_row_takes_reaches_no_derivative(choice: str, rows: Any, bad: float) -> None:
    """The mask is data; the last column of the second weights is no number, and masked everywhere."""
    x, V, W = sn.tensor("x", rows, WIDTH), sn.tensor("V", WIDTH, WIDTH), sn.tensor("W", WIDTH, WIDTH)
    c = sn.tensor("c", rows, WIDTH)
    L = sn.sum(sn.where(c > 0, CHOICES[choice](x @ V) @ W, 0) ** 2)
    rng = np.random.default_rng(3)
    given = {"x": rng.uniform(0.1, 1, (9, WIDTH)), "c": rng.normal(size=(9, WIDTH))}
    given |= {name: rng.normal(size=(WIDTH, WIDTH)) for name in "VW"}
    given["c"][:, -1] = -1
    right = gradients(L, [x, V, W], given)
    given["W"] = np.where(np.arange(WIDTH) == WIDTH - 1, bad, given["W"])
    for found, usual in zip(gradients(L, [x, V, W], given), right, strict=True):
        np.testing.assert_allclose(found, usual, rtol=1e-13)


@pytest.mark.parametrize("bad", [np.nan, -np.inf])
@pytest.mark.parametrize("layers", [2, 3])
def test_a_unit_that_is_no_number_is_one_that_is_off(layers: int, bad: float) -> None:
    """where(z > 0, z, 0) takes 0 for NaN, so derivatives are those of a network whose unit is off."""
    L, leaves = network("positive part", layers)
    given = values(12, layers)
    given["W1"][:, 2] = -1.0
    right = gradients(L, leaves, given)
    given["W1"][:, 2] = bad
    for leaf, found, usual in zip(leaves, gradients(L, leaves, given), right, strict=True):
        np.testing.assert_allclose(found, usual, rtol=1e-13, err_msg=str(leaf))


def test_rows_that_take_a_column_do_not_spoil_those_that_do_not() -> None:
    x, W, c = sn.tensor("x", M, 3), sn.tensor("W", 3, 3), sn.tensor("c", M, 3)
    L = sn.sum(sn.where(c > 0, x @ W, 0))
    given = {"x": np.ones((4, 3)), "W": np.eye(3), "c": np.ones((4, 3))}
    given["W"][0, 2] = np.inf
    given["c"][1:, 2] = -1
    (found,) = gradients(L, [x], given)
    np.testing.assert_array_equal(found, [[np.inf, 1, 1], [1, 1, 0], [1, 1, 0], [1, 1, 0]])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("rows", [1, 16, 300])
@pytest.mark.parametrize("choice", CHOICES)
def test_finite_weights_give_what_numpy_gives(choice: str, rows: int, dtype: str) -> None:
    L, leaves = network(choice, 2, bias=True)
    given = values(rows, 2, dtype)
    found = gradients(L, leaves, given, dtype=dtype)
    point = {k: v.astype("float64") for k, v in given.items()}
    f = sn.compile(L)
    rng = np.random.default_rng(0)
    for leaf, slope in zip(leaves, found, strict=True):
        v = rng.normal(size=slope.shape)
        ends = [f(**point | {leaf.name: point[leaf.name] + s * v}) for s in (1e-7, -1e-7)]  # type: ignore[attr-defined]
        np.testing.assert_allclose(np.sum(slope * v), (ends[0] - ends[1]) / 2e-7, rtol=2e-3, atol=1e-3)

"""Symmetric sums: which are computed by halves; every element is right, symmetric, and read after it is made."""

from __future__ import annotations

import numpy as np
import pytest

import symnet as sn
from symnet.schedule.halved import LEAST, VECTORS
from symnet.schedule.program import schedule

m = sn.dim("m")
SIZES = (7, 50, 129)
FORMULAS = {
    "columns": lambda X, s, y: X.T @ X,
    "rows": lambda X, s, y: X @ X.T,
    "weighted": lambda X, s, y: (X * s[:, None]).T @ X,
    "ridge": lambda X, s, y: X.T @ X / X.shape[0] + 3 * sn.eye(X.shape[1]),
    "outer epilogue": lambda X, s, y: X.T @ X - sn.outer(y, y) * 2,
    "one-sided epilogue": lambda X, s, y: X.T @ X + y,
    "weights by a function": lambda X, s, y: X.T @ (sn.sigmoid(s)[:, None] * X),
    "not symmetric": lambda X, s, y: X.T @ sn.tanh(X),
    "update": lambda X, s, y: sn.tensor("W", X.shape[1], X.shape[1]) - X.T @ X / 4,
}
SYMMETRIC = {"columns", "rows", "weighted", "ridge", "weights by a function"}
HALVED = set(FORMULAS) - {"not symmetric", "update"}


def made(name: str, rows, columns, dtype: str, **options):
    X, s, y = sn.tensor("X", rows, columns), sn.tensor("s", rows), sn.tensor("y", columns)
    return sn.compile(FORMULAS[name](X, s, y), dtype=dtype, **options)


def truth(name: str, X: np.ndarray, s: np.ndarray, y: np.ndarray) -> np.ndarray:
    plain = {
        "columns": lambda: X.T @ X,
        "rows": lambda: X @ X.T,
        "weighted": lambda: (X.T * s) @ X,
        "ridge": lambda: X.T @ X / len(X) + 3 * np.eye(X.shape[1]),
        "outer epilogue": lambda: X.T @ X - 2 * np.outer(y, y),
        "one-sided epilogue": lambda: X.T @ X + y,
        "weights by a function": lambda: (X.T / (1 + np.exp(-s))) @ X,
        "not symmetric": lambda: X.T @ np.tanh(X),
        "update": lambda: 0 - X.T @ X / 4,
    }
    return plain[name]()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", FORMULAS)
@pytest.mark.parametrize("kind", ["known", "rows", "both"])
def test_values_of_every_size(rng, name, dtype, kind):
    """Few rows and many, several superblocks, sizes that fill no vector, block or tile; one thread and three."""
    n = sn.dim("n")
    symbolic = None if kind == "known" else made(name, m, n, dtype) if kind == "both" else None
    for columns in (50,) if kind == "known" else SIZES if kind == "both" else (50, 100):
        if kind == "rows":
            symbolic = made(name, m, columns, dtype)
        for rows in (1, 5, 300, 1100) if name != "rows" else (1, 60, 130):
            if kind == "known" and rows not in (60, 300):
                continue
            function = symbolic if symbolic is not None else made(name, rows, columns, dtype)
            data = {"X": rng.normal(size=(rows, columns)), "s": rng.normal(size=rows), "y": rng.normal(size=columns)}
            data["W"] = np.zeros((columns, columns))
            given = {leaf.name: data[leaf.name].astype(dtype) for leaf in function.stages.leaves}
            wanted = truth(name, data["X"], data["s"], data["y"])
            found = function(**given)
            bound = (2e-5 if dtype == "float32" else 1e-13) * (1 + np.abs(wanted).max())
            assert np.abs(found - wanted).max() <= bound, (rows, columns)
            if name in SYMMETRIC and "_half" in str(function.loops):
                np.testing.assert_array_equal(found, found.T)


@pytest.mark.parametrize("name", FORMULAS)
def test_which_sums_are_halved(name):
    text = str(made(name, 300, 100, "float32", stop_after="schedule"))
    assert ("_half" in text) == (name in HALVED)


def test_short_axes_are_computed_whole():
    for target, lanes in (("x86-64-v4", 16), ("x86-64", 4), ("armv7-linux-gnueabi", 1)):
        least = max(VECTORS * lanes, LEAST)
        for columns, is_halved in ((least - 1, False), (least, True)):
            text = str(made("columns", 300, columns, "float32", target=target, stop_after="schedule"))
            assert ("_half" in text) == is_halved, (target, columns)


def test_columns_of_an_extent_known_in_the_call_are_halved_where_masked_loads_are_cheap():
    n = sn.dim("n")
    for name in sorted(FORMULAS):
        for target, masks in (("x86-64-v4", True), ("x86-64-v3", False)):
            text = str(made(name, m, n, "float32", target=target, stop_after="schedule"))
            assert ("_half" in text) == (masks and name in HALVED - {"rows"}), (name, target)


def test_a_small_workspace_has_no_room_for_halves():
    stages = made("columns", 20, 64, "float32").stages
    assert stages.lowered is not None and stages.target is not None
    assert "_half" in str(stages.program) and "_half" not in str(schedule(stages.lowered, stages.target, most_rows=1))


def test_an_update_is_computed_in_place():
    W, X = sn.tensor("W", 100, 100), sn.tensor("X", m, 100)
    sn.compile({"W_next": W - X.T @ X / 4}, dtype="float64", donate={"W": "W_next"})


def test_about_half_of_the_work_is_left_out():
    whole = 2 * 2000 * 512 * 512
    assert 0.5 * whole <= made("columns", 2000, 512, "float32").flops <= 0.6 * whole


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_nothing_is_read_that_no_tile_has_stored(rng, dtype, monkeypatch):
    """The loops as they are scheduled, run over memory that holds NaN before (`loops/memory.py`)."""
    from symnet.loops.interpreter import run

    for target in ("x86-64", "x86-64-v4"):
        for columns in (50, 64):
            program = made("columns", 40, columns, dtype, target=target, stop_after="schedule")
            X = rng.normal(size=(40, columns)).astype(dtype)
            (found,) = run(program, {"X": X}).values()
            assert np.isfinite(found).all() and np.allclose(found, X.T @ X, rtol=1e-4, atol=1e-4)

"""Short rows as lanes: the values of rows one by one, wherever they stand, and nothing is read beside arrays."""

from __future__ import annotations

import numpy as np
import pytest

import symnet as sn
from symnet.schedule import across
from tests.fuzz.guarded import guarded

WIDTHS = (1, 2, 3, 7, 8, 9, 15, 16, 17, 40)
ROWS = (1, 5, 8, 16, 19, 300)
KINDS = {
    "max": (lambda x: sn.max(x, axis=1), lambda x: x.max(axis=1)),
    "argmax": (lambda x: sn.argmax(x, axis=1), lambda x: x.argmax(axis=1)),
    "argmin": (lambda x: sn.argmin(x, axis=1), lambda x: x.argmin(axis=1)),
    "sum": (lambda x: 3 * sn.sum(x * x, axis=1), lambda x: 3 * (x * x).sum(axis=1)),
    "softmax": (lambda x: sn.softmax(x, axis=1), lambda x: np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)),
    "of the last of three": (lambda x: sn.sum(sn.stack([x, 2 * x]), axis=2), lambda x: np.stack([x, 2 * x]).sum(2)),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("is_known", [False, True])
def test_rows_of_any_width(rng, kind, dtype, is_known):
    formula, truth = KINDS[kind]
    made = None
    for width in WIDTHS:
        if is_known or made is None:
            made = sn.compile(formula(sn.tensor("x", sn.dim("m"), width if is_known else sn.dim("n"))), dtype=dtype)
        for rows in ROWS:
            x = rng.normal(size=(rows, width)).astype(dtype)
            near = 1e-5 if dtype == "float32" else 1e-13
            for at_end in (True, False):
                found = made(x=guarded(x, at_end))
                np.testing.assert_allclose(
                    found, truth(x.astype(float)), rtol=near, atol=near, err_msg=f"{rows}×{width}"
                )
            order = rng.permutation(rows)
            if kind != "of the last of three":
                np.testing.assert_array_equal(made(x=x[order]), found[order])


@pytest.mark.parametrize("n", [7, sn.dim("n")])
def test_lanes_are_rows_where_masked_loads_are_cheap(n):
    x = sn.tensor("x", sn.dim("m"), n)
    for target, count in (("x86-64-v4", 1), ("x86-64-v3", 0)):
        program = sn.compile(sn.max(x, axis=1), dtype="float32", target=target, stop_after="schedule")
        assert str(program).count("_rows: float32[1, 16]") >= count
        assert count or "_rows" not in str(program)


def test_nan_and_ties_are_numpys(rng):
    made = sn.compile(sn.argmax(sn.tensor("x", sn.dim("m"), 6), axis=1), dtype="float64")
    x = rng.integers(0, 3, size=(50, 6)).astype(float)
    x[7, 4], x[20, :], x[30, [1, 3]] = np.nan, -np.inf, np.nan
    np.testing.assert_array_equal(made(x=x), x.argmax(axis=1))
    largest = sn.compile(sn.max(sn.tensor("x", sn.dim("m"), 6), axis=1), dtype="float64")(x=x)
    np.testing.assert_array_equal(largest, x.max(axis=1))


def test_integers_and_numbers_of_other_sizes(rng):
    x = rng.integers(-(2**40), 2**40, size=(37, 5))
    for dtype in ("int32", "int64"):
        given = x.astype(dtype)
        made = sn.compile(sn.max(sn.tensor("x", sn.dim("m"), sn.dim("n"), dtype=dtype), axis=1))
        np.testing.assert_array_equal(made(x=guarded(given)), given.max(axis=1))
    for width in (9, 16):  # whose indices are wider than they: a row beyond the last is not read
        given = x[:6, [0, 1, 2, 3, 4] * 4][:, :width].astype("int32")
        made = sn.compile(sn.argmax(sn.tensor("x", sn.dim("m"), width, dtype="int32"), axis=1))
        np.testing.assert_array_equal(made(x=guarded(given)), given.argmax(axis=1))
    mixed = sn.sum(sn.tensor("x", sn.dim("m"), 5, dtype="int32") * sn.tensor("y", sn.dim("m"), 5), axis=1)
    y, small = rng.normal(size=(37, 5)), (x % 100).astype("int32")
    made = sn.compile(mixed, dtype="float64")
    np.testing.assert_allclose(made(x=guarded(small), y=guarded(y)), (small * y).sum(axis=1), rtol=1e-12)


def test_short_and_long_rows_agree(monkeypatch, rng):
    x = sn.tensor("x", sn.dim("m"), sn.dim("n"))
    lanes = sn.compile(sn.sum(x, axis=1), dtype="float64")
    monkeypatch.setenv("SYMNET_CACHE", "0")
    monkeypatch.setattr(across, "rows_as_lanes", lambda *_: None)
    long = sn.compile(sn.sum(x, axis=1), dtype="float64")
    for width in WIDTHS:
        given = rng.normal(size=(33, width))
        np.testing.assert_allclose(lanes(x=given), long(x=given), rtol=1e-13, atol=1e-14)

"""The first index of a maximum, of short rows and of those that are cut into pieces."""

from __future__ import annotations

import numpy as np
import pytest

import symnet as sn
from symnet.lower.argmax import FEW, LONG_PIECE, PIECE
from tests.fuzz.guarded import guarded

SIZES = (1, 7, FEW * PIECE - 1, FEW * PIECE, FEW * PIECE + 1, 1000, FEW * LONG_PIECE - 1, FEW * LONG_PIECE + 5, 20_000)


def rows(rng: np.random.Generator, size: int, dtype: str) -> list[np.ndarray]:
    """Ties, one maximum at either end, at the edges of pieces, NaN and infinities."""
    low = rng.integers(0, 3, size=size).astype(dtype)
    found = [low, np.zeros(size, dtype)]
    places = {0, size - 1, size // 2, *(p + k for p in range(0, size, 9 * PIECE) for k in (-1, 0, 1))}
    for place in sorted(p for p in places if 0 <= p < size):
        one = low.copy()
        one[place] = 9
        found.append(one)
        if dtype.startswith("float"):
            nan = low.copy()
            nan[place:] = [np.nan, *low[place + 1 :]]
            found.append(nan)
    if dtype.startswith("float"):
        found.append(np.full(size, -np.inf, dtype))
    return found


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "bool"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("is_known", [True, False])
def test_the_first_maximum_of_one_row(rng, dtype, size, is_known):
    kind = {} if dtype.startswith("float") else {"dtype": dtype}
    x = sn.tensor("x", size if is_known else sn.dim("n"), **kind)
    made = sn.compile(sn.argmax(x), dtype=dtype if not kind else "float64")
    for row in rows(rng, size, dtype):
        assert made(x=row) == np.argmax(row)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("shape", [(3, 700, 2), (700, 3, 5), (2, 3, 1300)])
def test_of_every_axis_of_an_array(rng, shape, axis):
    x = rng.integers(0, 40, size=shape).astype("float32")
    for first in (shape[0], sn.dim("m")):
        made = sn.compile(sn.argmax(sn.tensor("x", first, *shape[1:]), axis=axis), dtype="float32")
        np.testing.assert_array_equal(made(x=x), np.argmax(x, axis))


def test_of_what_is_computed_for_a_batch(rng):
    """Labels of a network, the row of a batch with the largest value, and both beside each other."""
    m = sn.dim("m")
    X, W = sn.tensor("X", m, 6), sn.tensor("W", 6, 1100)
    scores = sn.tanh(X @ W)
    made = sn.compile([sn.argmax(scores, axis=1), sn.argmax(sn.sum(scores, axis=1)), sn.argmax(X[:, 2])])
    for count in (1, 5, 900):
        x, w = rng.normal(size=(count, 6)), rng.normal(size=(6, 1100))
        labels, row, other = made(X=x, W=w)
        truth = np.tanh(x @ w)
        np.testing.assert_array_equal(labels, np.argmax(truth, 1))
        assert row == np.argmax(truth.sum(1)) and other == np.argmax(x[:, 2])


def test_a_long_row_is_read_once():
    program = str(sn.compile(sn.argmax(sn.tensor("x", 100_000)), dtype="float32", stop_after="loops"))
    assert program.count("for i in 2048:") == 2 and "in 100000:" not in program and program.count("= x[") == 2


WIDTHS = (1, 3, 8, 9, 16, 23, 24, 25, 33, 47, 48, 49, 96, 101, 1000)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64", "bool"])
@pytest.mark.parametrize("is_known", [True, False])
def test_the_first_maximum_of_each_of_several_rows(rng, dtype, is_known):
    """Ties, NaN, infinities, one row at a time and several short ones at once; nothing is read beside the array."""
    kind = {} if dtype.startswith("float") else {"dtype": dtype}
    made = None
    for width in WIDTHS:
        if is_known or made is None:
            x = sn.tensor("x", sn.dim("m"), width if is_known else sn.dim("n"), **kind)
            made = sn.compile(sn.argmax(x, axis=1), dtype=dtype if not kind else "float64")
        found = rows(rng, width, dtype)
        if dtype.startswith("float"):
            twice = found[0].copy()
            twice[[width // 2, width - 1]] = np.nan
            found += [twice, np.where(found[0] > 1, np.inf, -np.inf).astype(dtype)]
        array = np.stack(found)
        for at_end in (True, False):
            np.testing.assert_array_equal(made(x=guarded(array, at_end)), array.argmax(axis=1), err_msg=str(width))


def test_rows_are_read_once():
    """The elements of a row are loaded in one loop, and again where a NaN was met."""
    program = sn.compile(sn.argmax(sn.tensor("x", 50, 1000), axis=1), dtype="float64", stop_after="schedule")
    assert str(program).count("= x[") == 3  # whole tiles, the rest, the search for a NaN

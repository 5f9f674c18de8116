"""Slices that walk backwards or by steps: whole vectors are loaded and stored, and lanes taken from them."""

from __future__ import annotations

import numpy as np
import pytest

import symnet as sn

SLICES = {
    "backwards": (slice(None), slice(None, None, -1)),
    "backwards from the last but one": (slice(None), slice(-2, 0, -1)),
    "every second": (slice(None), slice(None, None, 2)),
    "every second but the first": (slice(None), slice(1, None, 2)),
    "every third": (slice(None), slice(None, None, 3)),
    "every second backwards": (slice(None), slice(None, None, -2)),
    "rows backwards": (slice(None, None, -1), slice(None)),
}
WIDTHS = (1, 2, 3, 7, 16, 17, 31, 33, 64, 101)
DTYPES = ("float32", "float64", "int32", "bool")


def array(rng: np.random.Generator, dtype: str, *shape: int) -> np.ndarray:
    return rng.integers(0, 2 if dtype == "bool" else 1000, shape).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", SLICES)
def test_a_slice_is_numpys(name: str, dtype: str, rng: np.random.Generator) -> None:
    for width in WIDTHS:
        X = sn.tensor("X", 3, width, dtype=dtype)
        x = array(rng, dtype, 3, width)
        got = sn.compile(X[SLICES[name]])(X=x)
        np.testing.assert_array_equal(got, x[SLICES[name]])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("width", WIDTHS)
def test_a_symbolic_extent_backwards_is_numpys(width: int, dtype: str, rng: np.random.Generator) -> None:
    f = sn.compile(sn.tensor("X", 3, sn.dim("n"), dtype=dtype)[:, ::-1])
    x = array(rng, dtype, 3, width)
    np.testing.assert_array_equal(f(X=x), x[:, ::-1])


@pytest.mark.parametrize("name", ["backwards", "every second", "every second but the first"])
def test_gradients_go_back_to_where_elements_came_from(name: str, rng: np.random.Generator) -> None:
    for width in WIDTHS[1:]:
        X = sn.tensor("X", 3, width)
        weight = rng.normal(size=np.zeros((3, width))[SLICES[name]].shape)
        x = rng.normal(size=(3, width))
        got = sn.compile(sn.grad(sn.sum(X[SLICES[name]] ** 2 * weight), X))(X=x)
        wanted = np.zeros((3, width))
        wanted[SLICES[name]] = 2 * weight * x[SLICES[name]]
        np.testing.assert_allclose(got, wanted, rtol=1e-15)


def test_elements_backwards_and_by_twos_are_not_gathered() -> None:
    X = sn.tensor("X", 4, 64)
    for slices in (np.s_[:, ::-1], np.s_[:, ::2]):
        text = sn.compile(X[slices] * 2, stop_after="llvm")
        assert "shufflevector" in text
        assert "gather" not in text

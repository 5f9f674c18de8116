"""Powers by numbers, which are products, and by arrays of exponents: how many digits they have."""

from __future__ import annotations

import numpy as np
import pytest

import symnet as sn


def ulps(got: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Errors in units of the last place of the dtype of `got`."""
    spacing = np.spacing(np.abs(wanted).astype(got.dtype)).astype(np.longdouble)
    return np.asarray(np.abs(got.astype(np.longdouble) - wanted) / spacing)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_power_is_right_to_as_many_ulp_as_its_exponent_by_an_array_to_one_and_a_half(
    dtype: str, rng: np.random.Generator
) -> None:
    x, y = sn.tensor("x", sn.dim("m"), dtype=dtype), sn.tensor("y", sn.dim("m"), dtype=dtype)
    numbers = np.concatenate([rng.uniform(0.5, 2, 4000), -rng.uniform(0.5, 2, 4000)]).astype(dtype)
    exponents = (3, 4, 5, 7, 12, 15, 31, 33, 63, 64, 65)
    by_number = sn.compile([x**n for n in exponents])(x=numbers)
    by_array = sn.compile(x**y)
    for n, got in zip(exponents, by_number, strict=True):
        wanted = numbers.astype(np.longdouble) ** n
        assert ulps(got, wanted).max() <= n
        assert ulps(by_array(x=numbers, y=np.full_like(numbers, n)), wanted).max() <= 1.5

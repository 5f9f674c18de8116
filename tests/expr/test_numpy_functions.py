"""NumPy's functions and scalars beside nodes: taken where symnet has the same, refused with a remedy elsewhere."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.errors import ArgumentError

x = sn.tensor("x", 3)


@pytest.mark.parametrize(
    ("numpy_function", "symnet_function"),
    [
        (np.exp, sn.exp),
        (np.log, sn.log),
        (np.tanh, sn.tanh),
        (np.arctan, sn.atan),
        (np.sqrt, sn.sqrt),
        (np.abs, sn.abs),
        (np.arcsinh, sn.asinh),
        (np.cbrt, sn.cbrt),
    ],
)
def test_a_function_of_numpy_is_that_of_symnet(numpy_function: Any, symnet_function: Any) -> None:
    assert numpy_function(x) is symnet_function(x)


def test_scalars_of_numpy_stand_on_either_side() -> None:
    assert np.float64(2) * x is 2 * x
    assert np.int64(3) - x is 3 - x
    assert (np.float32(2) < x) is (x > 2)
    assert np.maximum(x, 0) is sn.relu(x)


def test_arrays_of_numpy_are_refused_with_a_remedy() -> None:
    with pytest.raises(ArgumentError, match=r"got ndarray of shape \(3,\)\. Arrays are given at the call"):
        np.ones(3) * x


def test_functions_that_symnet_lacks_are_refused_by_name() -> None:
    with pytest.raises(ArgumentError, match=r"np\.exp2\(…\): expected a function that symnet knows too; got exp2"):
        np.exp2(x)
    with pytest.raises(ArgumentError, match=r"np\.add\.reduce"):
        np.add.reduce(x)

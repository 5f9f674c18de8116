"""Arguments of another dtype: accepted exactly where the wanted dtype holds every number, refused everywhere else."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.errors import DTypeError, SymnetError

WANTED = ("float64", "float32", "int64", "int32", "bool")
GIVEN = (
    "bool",
    "int8",
    "uint8",
    "int16",
    "uint16",
    "int32",
    "uint32",
    "int64",
    "uint64",
    "float16",
    "float32",
    "float64",
)
NUMBERS: dict[str, list[float]] = {
    "small": [0, 1, 1, 0], "whole": [3, 100, 7, 0], "fractions": [0.5, 0.25, -1.5, 0], "signed": [-3, 5, -1, 0],
    "beyond float32": [2**24 + 1, 1, 0, 0], "beyond float64": [2**53 + 1, 1, 0, 0], "edge": [2**53, -(2**53), 0, 0],
    "even beyond float64": [2**60, 2**61, 0, 0], "tenths": [0.1, 0.2, 0.3, 0.4],
    "infinite": [np.inf, -np.inf, 0, 0],
}  # fmt: skip


def identity(dtype: str) -> Any:
    x = sn.tensor("x", sn.dim("n"), dtype=dtype)
    return sn.compile(sn.where(x, x, x) if dtype == "bool" else sn.maximum(x, x))


FUNCTIONS = {dtype: identity(dtype) for dtype in WANTED}


def holds(dtype: str, array: Any) -> bool:
    """Whether a dtype is wide enough for an array: by kind and, of integers among reals, number by number."""
    if np.can_cast(array.dtype, dtype, "safe"):
        return True
    if array.dtype.kind not in "iu" or np.dtype(dtype).kind != "f":
        return False
    return all(Fraction(float(np.dtype(dtype).type(int(v)))) == int(v) for v in array)


def arrays() -> list[Any]:
    found = []
    for name, numbers in NUMBERS.items():
        for given in GIVEN:
            with np.errstate(all="ignore"):
                try:
                    array = np.array([np.dtype(given).type(v) for v in numbers])
                except (OverflowError, ValueError):
                    continue
            found.append(pytest.param(array, id=f"{name} {given}"))
    return found


@pytest.mark.parametrize("array", arrays())
@pytest.mark.parametrize("wanted", WANTED)
def test_an_array_is_converted_exactly_or_refused(wanted: str, array: Any) -> None:
    f = FUNCTIONS[wanted]
    for given in (array, np.repeat(array, 2)[::2], array.astype(array.dtype.newbyteorder()), list(array)):
        if holds(wanted, array):
            result = f(x=given)
            assert result.dtype == wanted
            assert [float(r) for r in result] == [float(v) for v in array]
        else:
            with pytest.raises(DTypeError, match=f"dtype {wanted}|a NumPy array"):
                f(x=given)


@pytest.mark.parametrize("wanted", WANTED)
@pytest.mark.parametrize(
    "numbers", [[1, 0], [True, False], [1.5, 2], [0.1, -3], [2**40, 1], [], [1e300], [2**70]], ids=str
)
def test_lists_are_as_weak_as_single_numbers(wanted: str, numbers: list[Any]) -> None:
    kinds = {"f": (int, float), "i": (int,), "b": (bool,)}[np.dtype(wanted).kind]
    fits = all(isinstance(v, kinds) for v in numbers)
    with np.errstate(over="ignore"):
        try:
            expected = np.array(numbers, wanted) if fits else None
        except OverflowError:
            expected = None
    if expected is None or np.isinf(expected.astype(float)).any():
        with pytest.raises(SymnetError, match="expected a NumPy array"):
            FUNCTIONS[wanted](x=numbers)
    else:
        for given in (numbers, tuple(numbers)):
            np.testing.assert_array_equal(FUNCTIONS[wanted](x=given), expected)


def test_a_matrix_of_lists_and_arrays_is_a_matrix() -> None:
    f = sn.compile(sn.tensor("A", 2, 3) * 2)
    for given in ([[1, 2, 3], [4.5, 5, 6]], [np.array([1, 2, 3], "float32"), np.array([4.5, 5, 6], "float32")]):
        np.testing.assert_array_equal(f(A=given), 2 * np.array([[1, 2, 3], [4.5, 5, 6]]))
    with pytest.raises(SymnetError, match="expected a NumPy array"):
        f(A=[[1, 2, 3], [4, 5]])


def test_bind_keeps_references_and_converts_nothing() -> None:
    with pytest.raises(DTypeError, match="dtype float64"):
        FUNCTIONS["float64"].bind(x=np.ones(3, "float32"))


@pytest.mark.parametrize("number", [True, np.float32(0.5), np.int64(3), np.bool_(True), 2])
def test_scalars_are_widened_too(number: Any) -> None:
    assert sn.compile(sn.scalar("a") * 2)(a=number) == 2 * float(number)

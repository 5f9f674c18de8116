"""Errors beside the truth: relative to the largest element, in ulp of each; NaN, ∞ and zero are what they are."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from symnet.compare.agreement import Agreement, TrueArray, agreement, worst


def beside(found: list[float], truth: list[float], dtype: str = "float64", **more: Any) -> Agreement:
    high = np.array(truth)
    return agreement("w", np.array(found, dtype), TrueArray(high, np.zeros_like(high)), dtype, **more)


def test_an_error_is_relative_to_the_largest_element() -> None:
    found = beside([1.0, 2.5], [1.0, 2.0])
    assert (found.relative, found.absolute, found.ulp) == (0.25, 0.5, 0.5 / np.spacing(2.0))


def test_an_error_in_ulp_is_that_of_each_element_in_its_precision() -> None:
    six_off = beside([1.0, 1e-30 + 6 * np.spacing(1e-30)], [1.0, 1e-30])
    assert six_off.relative < 1e-40 and six_off.ulp == 6
    assert beside([1 + 2**-23], [1.0], "float32").ulp == 1


def test_the_low_part_of_the_truth_counts() -> None:
    truth = TrueArray(np.array([1.0]), np.array([2.0**-54]))
    assert agreement("w", np.array([1.0]), truth, "float64").ulp == 0.25


def test_a_nan_is_an_error_and_no_sign_of_what_was_left_out() -> None:
    assert math.isnan(beside([math.nan, 1.0], [3.0, 1.0]).relative)
    left_out = beside([math.nan, 1.0], [3.0, 1.0], computed=np.array([False, True]))
    assert (left_out.relative, left_out.compared, left_out.size) == (0, 1, 2)


def test_an_infinity_is_an_error_unless_the_truth_rounds_to_it() -> None:
    assert beside([math.inf], [3.0]).relative == math.inf
    assert beside([math.inf], [1e300], "float32").relative == 0
    assert beside([1e38], [1e300], "float32").relative == math.inf
    assert beside([-math.inf], [math.inf]).relative == math.inf


def test_where_the_truth_is_zero_an_error_is_infinite_and_none_is_none() -> None:
    assert beside([0.0], [0.0]).relative == 0 and beside([1e-9], [0.0]).relative == math.inf
    assert beside([1e-9], [0.0]).absolute == 1e-9


def test_an_array_that_is_zero_is_measured_by_the_largest_of_all() -> None:
    found = beside([1e-9], [0.0], largest=100.0)
    assert found.zero and found.relative == 1e-9 / 100 and found.ulp == math.inf
    assert not beside([1e-9], [1.0], largest=100.0).zero


def test_where_nothing_is_true_nothing_is_compared() -> None:
    found = beside([1.0, 2.0], [math.nan, 2.0])
    assert (found.relative, found.undefined, found.compared) == (0, 1, 1)


def test_the_worst_is_nan_where_there_is_one() -> None:
    assert worst([1.0, 3.0]) == 3 and math.isnan(worst([math.nan, 3.0])) and worst([]) == 0

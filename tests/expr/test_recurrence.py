"""Products so far and linear recurrences: what they refuse, in words that mend."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import symnet as sn

v, w, A = sn.tensor("v", 3), sn.tensor("w", 3, dtype="float32"), sn.tensor("A", 2, 3)
REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "two axes": (lambda: sn.cumprod(A, axis=(0, 1)), r"expected an int as axis; got axis=\(0, 1\)"),
    "two axes of a sum": (lambda: sn.cumsum(A, axis=(0, 1)), r"expected an int as axis; got axis=\(0, 1\)"),
    "a fraction of an axis": (lambda: sn.linear_recurrence(v, v, axis=1.0), r"expected an int as axis; got axis=1.0"),
    "no axis": (lambda: sn.linear_recurrence(v, v, axis=None), r"expected an int as axis; got axis=None"),
    "an axis that there is not": (lambda: sn.cumprod(v, 1), r"axes from -1 to 0; got axis 1"),
    "two real dtypes": (lambda: sn.linear_recurrence(v, w), r"real operands of one dtype; got float32 and float64"),
    "two scalars": (lambda: sn.linear_recurrence(1.0, 2.0), r"rank 1 or more; got two scalars"),
    "shapes that do not fit": (lambda: sn.linear_recurrence(v, sn.tensor("u", 4)), r"equal extents, or 1, at axis -1"),
    "a word for a direction": (lambda: sn.cumprod(v, reverse="yes"), r"True or False for reverse; got reverse='yes'"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_refusal_says_what_was_expected_and_what_came(name: str) -> None:
    call, message = REFUSED[name]
    with pytest.raises((TypeError, ValueError), match=message):
        call()

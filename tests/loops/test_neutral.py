"""A neutral number leaves every element as it is."""

import numpy as np
import pytest

from symnet.loops.neutral import LIMITS, neutral
from symnet.loops.scalar_ops import COMBINE


@pytest.mark.parametrize("dtype", LIMITS)
@pytest.mark.parametrize("combine", COMBINE)
def test_nothing_changes_by_what_is_neutral(combine, dtype):
    elements = np.array([*LIMITS[dtype], 0, 1], dtype)
    start = np.array(neutral(combine, dtype), dtype)
    assert start[()] == neutral(combine, dtype)
    np.testing.assert_array_equal(COMBINE[combine](elements, start), elements, strict=True)

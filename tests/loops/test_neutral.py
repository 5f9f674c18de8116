"""A neutral number leaves every element as it is."""

import numpy as np
import pytest

from symnet.loops.arithmetic import REFERENCE, of_machine
from symnet.loops.neutral import LIMITS, neutral
from symnet.loops.operands import COMBINED_BY


@pytest.mark.parametrize("dtype", LIMITS)
@pytest.mark.parametrize("combine", COMBINED_BY)
def test_nothing_changes_by_what_is_neutral(combine, dtype):
    elements = np.array([*LIMITS[dtype], 0, 1], dtype)
    start = np.array(neutral(combine, dtype), dtype)
    assert start[()] == neutral(combine, dtype)
    for arithmetic in (REFERENCE, of_machine(fused=True)):
        np.testing.assert_array_equal(arithmetic.combine(combine, elements, start), elements, strict=True)

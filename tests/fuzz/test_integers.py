"""A slice of the generator of integers, and the generator's own teeth."""

import numpy as np
import pytest

from symnet.lower import elementwise as lower_elementwise
from symnet.reference import elementwise as reference_elementwise
from tests.fuzz.integers import DTYPES, EDGES, NUMBERS, OPERATIONS, session


@pytest.mark.parametrize("seed", range(0, 400, 40))
def test_integers_are_numpys_bit_for_bit(seed: int) -> None:
    counts, wrong = session(seed, 600, most=12)
    assert not wrong and counts["expressions"] == 12


def test_every_operation_is_drawn_and_every_edge_is_there() -> None:
    counts, _ = session_of_arrays(200)
    assert set(OPERATIONS) <= set(counts)
    for dtype in ("int32", "int64"):
        limits = np.iinfo(dtype)
        assert {limits.min, limits.max, 0, -1} <= set(EDGES[dtype])
        assert {limits.max + 1, limits.min, 2**70} <= set(map(int, NUMBERS))
    assert set(EDGES) == set(DTYPES)


def session_of_arrays(most: int):
    """The draws of many seeds, with nothing compiled."""
    from collections import Counter

    from tests.fuzz.integers import Attempt

    counts: Counter[str] = Counter()
    for seed in range(most):
        attempt = Attempt(np.random.default_rng(seed), 2, 2)
        attempt.value(3)
        counts.update(attempt.used)
    return counts, []


def test_a_sum_that_does_not_wrap_is_caught(monkeypatch) -> None:
    right = reference_elementwise.MEANING["add"]
    monkeypatch.setitem(reference_elementwise.MEANING, "add", lambda *xs: right(*(x.astype(float) for x in xs)))
    assert session(0, 600, most=40)[1]


def test_a_comparison_in_a_narrow_dtype_is_caught(monkeypatch) -> None:
    monkeypatch.setattr(lower_elementwise, "_compared_in", lambda dtype, op, node: (dtype, None))
    assert session(130, 600, most=60)[1]

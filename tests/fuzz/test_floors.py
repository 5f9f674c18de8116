"""Random graphs through every floor, with their first and second derivatives (`checks.py` says what must hold).

A failure names its seed and shows the smallest graph that hypothesis found; `python -m tests.fuzz --seed N` runs the
batch again, and `python -m tests.fuzz --minutes 60 --compile` runs batches for an hour.
"""

from __future__ import annotations

from collections import Counter

import pytest

from tests.fuzz.batch import Batch
from tests.fuzz.checks import check
from tests.fuzz.graphs import RandomGraph

BATCHES, GRAPHS = 4, 45  # through the reference and the loops as they are lowered: 180 graphs
COMPILED_BATCHES, COMPILED_GRAPHS = 2, 25  # and 50 through the schedule and native code too
RARE = 0.05  # of the graphs may be left out of a comparison


@pytest.mark.parametrize("seed", range(BATCHES))
def test_a_random_graph_has_one_value_and_one_derivative(seed: int) -> None:
    assert_enough(Batch(seed, GRAPHS).run(), GRAPHS)


@pytest.mark.parametrize("seed", range(100, 100 + COMPILED_BATCHES))
def test_a_random_graph_means_the_same_in_native_code(seed: int) -> None:
    assert_enough(Batch(seed, COMPILED_GRAPHS, compiled).run(), COMPILED_GRAPHS)


def compiled(graph: RandomGraph) -> Counter[str]:
    return check(graph, compiled=True)


def assert_enough(counts: Counter[str], number: int) -> None:
    """Nearly every graph was compared in every way."""
    assert counts["graphs"] >= number
    skipped = sum(n for what, n in counts.items() if what.startswith("skipped"))
    assert skipped <= RARE * number, counts
    whole = counts["nothing to differentiate by"]  # graphs of whole numbers and truth values alone
    assert whole <= 0.4 * number, counts
    for way in ("modes, first order", "modes, second order", "differences, first order", "differences, second order"):
        assert counts[way] >= 0.7 * (number - whole), counts

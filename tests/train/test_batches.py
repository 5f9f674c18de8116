"""Mini-batches and splits: every sample once, in an order that the seed decides."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from symnet.train.batches import Batches, split


def batches(count: int, size: int | None, seed: int = 0, **options: bool) -> Batches:
    data = {"X": np.arange(2.0 * count).reshape(count, 2), "t": np.arange(count), "scale": np.ones(3)}
    return Batches(data, {"X": 0, "t": 0}, count, size, np.random.default_rng(seed), **options)


@given(count=st.integers(1, 40), size=st.integers(1, 50), epochs=st.integers(1, 3))
def test_every_sample_comes_once_in_an_epoch(count: int, size: int, epochs: int) -> None:
    made = batches(count, size)
    for _ in range(epochs):
        seen = []
        for n in made.epoch():
            buffers = made.buffers[n]
            assert len(buffers["t"]) == n
            np.testing.assert_array_equal(buffers["X"], np.stack([2.0 * buffers["t"], 2.0 * buffers["t"] + 1], 1))
            seen += buffers["t"].tolist()
        assert sorted(seen) == list(range(count))


def test_the_last_batch_is_smaller_and_kept() -> None:
    assert batches(10, 4).sizes == (4, 4, 2)


def test_the_last_batch_is_left_out_on_request() -> None:
    assert batches(10, 4, drop_last=True).sizes == (4, 4)


@pytest.mark.parametrize("size", [None, 10, 99])
def test_a_full_batch_is_the_data_itself(size: int | None) -> None:
    made = batches(10, size)
    assert list(made.epoch()) == [10]
    assert made.buffers[10]["X"] is made.data["X"]


def test_arrays_without_samples_are_shared() -> None:
    made = batches(10, 4)
    assert made.buffers[4]["scale"] is made.buffers[2]["scale"] is made.data["scale"]


def orders(made: Batches, epochs: int) -> list[list[int]]:
    return [[t for n in made.epoch() for t in made.buffers[n]["t"].tolist()] for _ in range(epochs)]


def test_the_order_follows_the_seed_and_changes_with_the_epoch() -> None:
    first, again, other = orders(batches(20, 6), 2), orders(batches(20, 6), 2), orders(batches(20, 6, seed=1), 2)
    assert first == again
    assert first[0] != first[1]
    assert first != other


def test_without_shuffling_the_order_is_that_of_the_data() -> None:
    assert orders(batches(7, 3, shuffle=False), 2) == [list(range(7))] * 2


def test_samples_may_lie_along_any_axis() -> None:
    data = {"A": np.arange(12.0).reshape(2, 6)}
    made = Batches(data, {"A": 1}, 6, 4, np.random.default_rng(0), shuffle=False)
    found = [made.buffers[n]["A"].copy() for n in made.epoch()]
    np.testing.assert_array_equal(np.concatenate(found, 1), data["A"])
    assert all(made.buffers[n]["A"].flags.c_contiguous for n in made.buffers)


def test_a_split_is_disjoint_and_complete() -> None:
    data = {"t": np.arange(10), "scale": np.ones(2)}
    training, held_out = split(data, {"t": 0}, 10, 3, np.random.default_rng(0))
    assert len(held_out["t"]) == 3
    assert sorted([*training["t"], *held_out["t"]]) == list(range(10))
    assert training["scale"] is data["scale"]

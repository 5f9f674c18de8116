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
    assert sum(made.sizes) == count
    for _ in range(epochs):
        order = made.order()
        assert order.dtype == np.int64
        assert sorted(order.tolist()) == ([] if made.whole else list(range(count)))


def test_buffers_have_the_samples_of_their_size_in_the_place_of_all() -> None:
    made = batches(10, 4)
    assert {n: (b["X"].shape, b["t"].shape, b["scale"].shape) for n, b in made.buffers.items()} == {
        4: ((4, 2), (4,), (3,)),
        2: ((2, 2), (2,), (3,)),
    }


def test_the_last_batch_is_smaller_and_kept() -> None:
    assert batches(10, 4).sizes == (4, 4, 2)


def test_the_last_batch_is_left_out_on_request() -> None:
    assert batches(10, 4, drop_last=True).sizes == (4, 4)


@pytest.mark.parametrize("size", [None, 10, 99])
def test_a_full_batch_is_the_data_itself(size: int | None) -> None:
    made = batches(10, size)
    assert made.sizes == (10,)
    assert made.buffers[10]["X"] is made.data["X"]


def test_arrays_without_samples_are_shared() -> None:
    made = batches(10, 4)
    assert made.buffers[4]["scale"] is made.buffers[2]["scale"] is made.data["scale"]


def orders(made: Batches, epochs: int) -> list[list[int]]:
    return [made.order().tolist() for _ in range(epochs)]


def test_the_order_follows_the_seed_and_changes_with_the_epoch() -> None:
    first, again, other = orders(batches(20, 6), 2), orders(batches(20, 6), 2), orders(batches(20, 6, seed=1), 2)
    assert first == again
    assert first[0] != first[1]
    assert first != other


def test_without_shuffling_the_order_is_that_of_the_data() -> None:
    assert orders(batches(7, 3, shuffle=False), 2) == [list(range(7))] * 2


def test_samples_may_lie_along_any_axis() -> None:
    made = Batches({"A": np.arange(12.0).reshape(2, 6)}, {"A": 1}, 6, 4, np.random.default_rng(0), shuffle=False)
    assert {n: b["A"].shape for n, b in made.buffers.items()} == {4: (2, 4), 2: (2, 2)}
    assert all(made.buffers[n]["A"].flags.c_contiguous for n in made.buffers)


def test_a_split_is_disjoint_and_complete() -> None:
    data = {"t": np.arange(10), "scale": np.ones(2)}
    training, held_out = split(data, {"t": 0}, 10, 3, np.random.default_rng(0))
    assert len(held_out["t"]) == 3
    assert sorted([*training["t"], *held_out["t"]]) == list(range(10))
    assert training["scale"] is data["scale"]

"""Superblocks: no longer than the batch, of fewer rows where a row is long, and small enough for a cache."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.loops.ir import Program
from symnet.loops.limits import limit
from symnet.reference import evaluate
from symnet.schedule.reuse import reused
from symnet.schedule.superblock import CACHE, FEW, FEW_CACHE, FEWEST, SUPERBLOCK

m = sn.dim("m")


def network(width: int, depth: int) -> tuple[Any, list[Any]]:
    """A residual network's loss and its parameters."""
    h: Any = sn.tensor("X", m, width)
    weights = [sn.tensor(f"W{k}", width, width) for k in range(depth)]
    for W in weights:
        h = h + sn.tanh(h @ W)
    return sn.sum(h * h), weights


def gradient(width: int, depth: int) -> list[Any]:
    loss, weights = network(width, depth)
    return [loss, *sn.grad(loss, weights)]


def rows(roots: list[Any]) -> int:
    """The rows of a superblock."""
    program: Program = sn.compile(roots, stop_after="schedule")
    memory = [b for b in program.workspace if b.view_of is None]
    found = {limit(b.shape[b.batch_axis]) for b in memory if b.batch_axis is not None}
    (count,) = found
    assert count is not None
    return count


def test_short_rows_have_the_longest_superblock_and_long_ones_the_shortest() -> None:
    found = [rows(gradient(width, 8)) for width in (8, 64, 512, 4096)]
    assert found == sorted(found, reverse=True)
    assert (found[0], found[-1]) == (SUPERBLOCK, FEWEST)


def row_bytes(program: Program) -> int:
    """Of the streamed buffers, for one row."""
    found = 0
    for buffer in program.workspace:
        if buffer.name in program.streamed and buffer.view_of is None:
            extents = [limit(n) for axis, n in enumerate(buffer.shape) if axis != buffer.batch_axis]
            found += 8 * int(np.prod([n or 0 for n in extents]))
    return found


@pytest.mark.parametrize("width", [16, 48, 128, 300])
def test_a_superblock_fills_a_cache_and_no_more(width: int) -> None:
    roots = gradient(width, 6)
    program = reused(sn.compile(roots, stop_after="schedule"))
    count = rows(roots)
    sums = sum(8 * int(np.prod([limit(n) or 0 for n in b.shape])) for b in program.outputs)
    cache = max(CACHE, min(sums, FEW_CACHE))  # rows may be as large as the sums that each superblock reads and writes
    assert count == FEWEST or count * row_bytes(program) <= FEW_CACHE
    assert count <= FEW or count * row_bytes(program) <= cache
    assert count == SUPERBLOCK or 2 * count * row_bytes(program) > cache


def test_a_row_of_a_long_chain_needs_no_more_than_that_of_a_short_one() -> None:
    def steps(number: int) -> Any:
        x: Any = sn.tensor("X", m, 32)
        for k in range(number):
            x = sn.tanh(x @ sn.tensor(f"W{k % 2}", 32, 32))
        return x

    few, many = (sn.compile(sn.sum(steps(n))).workspace_bytes(m=10_000) for n in (4, 24))
    assert few == many


@pytest.mark.parametrize("width", [16, 300])
def test_blocks_are_no_longer_than_the_batch(width: int) -> None:
    loss, _ = network(width, 4)
    f = sn.compile(loss)
    one, more, most, beyond = (f.workspace_bytes(m=n) for n in (1, 8, 256, 100_000))
    assert one <= 16 * 8 * width < more < most == beyond or width == 300


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 40, 64, 65])
@pytest.mark.parametrize("threads", [1, 2])
def test_values_are_right_whatever_the_rows(count: int, threads: int, rng: np.random.Generator) -> None:
    """A row of several hundred kilobytes, of matrices: units of few rows, memory shared inside a unit."""
    X, W, V = sn.tensor("X", m, 24, 200), sn.tensor("W", 200, 150), sn.tensor("V", 24, 24)
    H = sn.tanh(X @ W)
    H = sn.tanh(H + sn.einsum("ij,bjk->bik", V, H))
    loss = sn.sum(sn.softmax(H @ W.T) * X)
    roots = [loss, *sn.grad(loss, [W, V]), H]
    assert rows(roots) < 64
    data = {
        "X": rng.normal(size=(count, 24, 200)),
        "W": rng.normal(size=(200, 150)) / 9,
        "V": rng.normal(size=(24, 24)),
    }
    for got, want in zip(sn.compile(roots, threads=threads)(**data), evaluate(roots, data), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-9)


def test_any_number_of_threads_gives_the_same_bits(rng: np.random.Generator) -> None:
    loss, weights = network(300, 6)
    roots = [loss, *sn.grad(loss, weights)]
    data = {"X": rng.normal(size=(75, 300)), **{W.name: rng.normal(size=(300, 300)) / 20 for W in weights}}
    one, two, three = (sn.compile(roots, threads=n)(**data) for n in (1, 2, 3))
    for a, b, c in zip(one, two, three, strict=True):
        assert np.array_equal(a, b) and np.array_equal(b, c)

"""Streaming: what each nest is to the batch, and how sweeps are cut."""

from __future__ import annotations

import numpy as np
import pytest

import symnet as sn
from symnet.expr.nodes.contraction import mean
from symnet.expr.nodes.contraction import sum as total
from symnet.expr.nodes.elementwise import sqrt, tanh
from symnet.expr.nodes.extents import dim
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import leaves, tensor
from symnet.loops import interpreter
from symnet.lower.axes import MOST_SHIFT
from symnet.lower.program import Lowered, lower
from symnet.reference import evaluate
from symnet.schedule.access import base_name, read_names, stores
from symnet.schedule.stream import classify, is_streamed, plan

m = dim("m")
X, W = tensor("X", m, 4), tensor("W", 4, 3)


def lowered(*roots: Node) -> Lowered:
    return lower("f", list(roots), [f"out{k}" for k in range(len(roots))], leaves(*roots), "float64")


def kinds(*roots: Node) -> list[str]:
    return [classify(nest) for nest in lowered(*roots).nests]


def test_rows_sums_and_free_values_are_told_apart() -> None:
    H = tanh(X @ W)
    assert kinds(H) == ["row"]
    assert kinds(total(H, 0))[-1] == "reduce"
    assert kinds(W.T @ W) == ["free"]


def test_rows_against_rows_and_rows_that_are_far_away_are_mixed() -> None:
    H = tanh(X @ W)
    assert kinds(X @ X.T) == ["mixed"]
    assert kinds(H[::-1] * H) == ["row", "mixed"]
    assert kinds(H[MOST_SHIFT + 1 :] * 2) == ["row", "mixed"]
    assert kinds(H[MOST_SHIFT:] * 2) == kinds(sn.pad(H * 2, [(1, 0), (0, 0)]))[:2] == ["row", "row"]


def test_a_gradient_takes_one_pass() -> None:
    H = tanh(X @ W)
    assert len(plan(lowered(total(H), X.T @ (1 - H * H)).nests).sweeps) == 1


def test_a_row_that_needs_a_finished_sum_starts_a_second_pass() -> None:
    centred = X - mean(X, 0)
    found = plan(lowered(total(centred * centred, 0)).nests)
    assert [len(p.reduces) for p in found.sweeps] == [1, 1]


def test_a_row_value_of_an_earlier_pass_is_computed_again() -> None:
    H = tanh(X @ W)
    scaled = H / sqrt(total(H * H))
    found = plan(lowered(scaled).nests)
    assert [len(p.rows) for p in found.sweeps] == [1, 2]
    assert found.whole == frozenset()


def test_what_a_mixed_nest_reads_is_stored_whole() -> None:
    H = tanh(X @ W)
    nests = lowered(H @ H.T)
    assert plan(nests.nests).whole == {n.name for n in nests.workspace}


# --------------------------------------------------------------------------- buffers that are filled in steps


def joined(a: Node) -> Node:
    """Every row elsewhere, in two parts; the slope of each part is laid among zeros of its own."""
    return sn.concat([a[2:], a[:2]])


def padded(a: Node) -> Node:
    return sn.pad(a[1:], [(1, 0), *[(0, 0)] * (a.rank - 1)]) + sn.pad(a[:-1], [(0, 1), *[(0, 0)] * (a.rank - 1)])


U = tensor("U", 2, m)
MOVES = {"joined": joined, "padded": padded, "backwards": lambda a: a[::-1], "as it is": lambda a: a}
FUNCTIONS = {"softplus": sn.softplus, "tanh": tanh, "square": lambda a: a * a, "sine": sn.sin}
ROWS = {
    "one of two": lambda: (U, U[1]),
    "a column": lambda: (X, X[:, 2]),
    "rows": lambda: (X, X),
    "rows of weights": lambda: (X, X @ W),
}


@pytest.mark.parametrize("seed", range(40))
def test_whatever_is_filled_in_steps_is_read_when_it_is_full(seed: int) -> None:
    """The interpreter, whose buffers begin with poison, against the reference: values, slopes, second derivatives."""
    rng = np.random.default_rng(seed)
    leaf, rows = ROWS[rng.choice(list(ROWS))]()
    for _ in range(rng.integers(1, 4)):
        rows = MOVES[rng.choice(list(MOVES))](FUNCTIONS[rng.choice(list(FUNCTIONS))](rows))
    roots = [rows, sn.grad(sn.sum(rows), leaf)]
    roots.append(sn.grad(sn.sum(tanh(roots[1])), leaf))
    program = sn.compile(roots, stop_after="schedule")
    count = int(rng.choice([3, 8, 300]))
    data = {x.name: rng.normal(size=[count if n == m else n for n in x.shape]) for x in leaves(*roots)}
    found = interpreter.run(program, data, dims={"m": count}, check=False)
    for output, want in zip(program.outputs, evaluate(roots, data), strict=True):
        np.testing.assert_allclose(found[output.name], want, rtol=1e-9, atol=1e-12)


def test_a_sweep_holds_no_row_that_it_does_not_use() -> None:
    value = joined(sn.softplus(U[1]))
    nests = lowered(value, sn.grad(sn.sum(value), U))
    found = plan(nests.nests, nests.workspace)
    assert len(found.sweeps) > 1
    for sweep in found.sweeps:
        read = frozenset[str]().union(*(read_names(nest) for nest in sweep.nests))
        for nest in sweep.rows:
            assert any(not is_streamed(s.buffer, found.whole) or base_name(s.buffer) in read for s in stores(nest))

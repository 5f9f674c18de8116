"""Streaming: what each nest is to the batch, and how passes are cut."""

from __future__ import annotations

from symnet.expr.contraction import mean
from symnet.expr.contraction import sum as total
from symnet.expr.elementwise import sqrt, tanh
from symnet.expr.extents import dim
from symnet.expr.node import Node
from symnet.expr.symbols import leaves, tensor
from symnet.lower.program import Lowered, lower
from symnet.schedule.stream import classify, plan

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


def test_rows_against_rows_and_slices_of_the_batch_are_mixed() -> None:
    assert kinds(X @ X.T) == ["mixed"]
    assert kinds(X[1:] * 2) == ["mixed"]
    assert lowered(X @ X.T).mixed == ("out0: einsum",)


def test_a_gradient_takes_one_pass() -> None:
    H = tanh(X @ W)
    assert len(plan(lowered(total(H), X.T @ (1 - H * H)).nests).passes) == 1


def test_a_row_that_needs_a_finished_sum_starts_a_second_pass() -> None:
    centred = X - mean(X, 0)
    found = plan(lowered(total(centred * centred, 0)).nests)
    assert [len(p.reduces) for p in found.passes] == [1, 1]


def test_a_row_value_of_an_earlier_pass_is_computed_again() -> None:
    H = tanh(X @ W)
    scaled = H / sqrt(total(H * H))
    found = plan(lowered(scaled).nests)
    assert [len(p.rows) for p in found.passes] == [1, 2]
    assert found.whole == frozenset()


def test_what_a_mixed_nest_reads_is_stored_whole() -> None:
    H = tanh(X @ W)
    nests = lowered(H @ H.T)
    assert plan(nests.nests).whole == {n.name for n in nests.workspace}

"""Lowering: what is stored, what is fused, what a call must satisfy; and its golden texts."""

from __future__ import annotations

from pathlib import Path

import pytest

from symnet.expr.nodes.contraction import einsum, mean
from symnet.expr.nodes.contraction import sum as total
from symnet.expr.nodes.elementwise import exp, tanh
from symnet.expr.nodes.extents import dim
from symnet.expr.nodes.graph import topological
from symnet.expr.nodes.indexing import labels, take
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.reduction import argmax
from symnet.expr.nodes.reduction import max as largest
from symnet.expr.nodes.symbols import leaves, tensor
from symnet.loops.printer import to_text
from symnet.loops.verifier import verify
from symnet.lower.program import Lowered, lower, naive_program
from symnet.lower.storage import decide
from symnet.simplify.machine.contraction import binarize
from tests.golden import check_golden

HERE = Path(__file__).parent / "golden"
m = dim("m")
X, W, b = tensor("X", m, 4), tensor("W", 4, 3), tensor("b", 3)
E = exp(X - largest(X, 1, keepdims=True))


def lowered(*roots: Node) -> Lowered:
    return lower("f", list(roots), [f"out{k}" for k in range(len(roots))], leaves(*roots), "float64", roots)


GOLDEN = {
    "layer": [tanh(X @ W + b)],
    "softmax_by_hand": [
        exp(X - largest(X, 1, keepdims=True)) / exp(X - largest(X, 1, keepdims=True)).sum(1, keepdims=True)
    ],
    "column_mean": [mean(X, 0)],
    "argmax": [argmax(X)],
    "embedding": [take(W, tensor("t", m, dtype="int64"))],
}


@pytest.mark.parametrize("name", GOLDEN)
def test_naive_loops_read_as_they_did(name: str) -> None:
    program = naive_program(lowered(*GOLDEN[name]))
    verify(program)
    check_golden(HERE / f"{name}.txt", to_text(program))


def test_a_layer_is_one_nest_with_its_activation_fused() -> None:
    assert len(lowered(tanh(X @ W + b)).nests) == 1


def test_a_value_that_two_loops_share_is_stored_once() -> None:
    H = tanh(X @ W)
    storage = decide([total(H, 0), total(H * H, 0)])
    assert H in storage.order


def test_a_cheap_value_that_two_loops_share_is_computed_twice() -> None:
    shifted = X + 1
    assert shifted not in decide([total(shifted, 0), largest(shifted, 0)]).order


def test_one_hot_labels_are_never_stored() -> None:
    D = labels("t", m, classes=3)
    loss = total(D * (X @ W))
    assert D not in decide([loss]).order
    found = lowered(loss)
    assert [b.name for b in found.signature.index_checks] == ["t"]


def test_three_factors_become_two_products_in_the_cheaper_order() -> None:
    A, B, v = tensor("A", 50, 60), tensor("B", 60, 70), tensor("v", 70)
    (root,) = binarize([einsum("ij,jk,k->i", A, B, v)])
    inner = [n for n in topological(root) if n.kind == "einsum" and n is not root]
    assert [n.shape for n in inner] == [(60,)]


def test_a_mean_requires_an_element_and_a_slice_stays_inside() -> None:
    signature = lowered(mean(X[1:]) * 1.0).signature
    assert {(r.at_least, r.reason) for r in signature.requirements} == {
        (1, "mean over 4*m - 4"),
        (1, "slice of an axis of extent m"),
    }


def test_an_input_that_simplified_away_is_marked_unused() -> None:
    found = lower("f", [X * 2], ["out"], leaves(X, b), "float64", [X * 2 + 0 * b[0]])
    assert found.signature.unused == {"b"}

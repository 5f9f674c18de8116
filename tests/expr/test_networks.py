"""Products of products: one key for all brackets, different keys for what differs."""

from __future__ import annotations

import numpy as np
import pytest

import symnet as sn
from symnet.expr.facts.networks import MOST, flattened, network_key
from symnet.expr.nodes.contraction import contract, einsum
from symnet.expr.nodes.node import Node
from symnet.reference import evaluate

n = sn.dim("n")
A, B, C, E = (sn.tensor(name, n, n) for name in "ABCE")
S = sn.tensor("S", n, n, symmetric=True)
x = sn.tensor("x", n)


def even(operand: Node) -> bool:
    return operand is S


def key(node: Node):
    return network_key(node, even)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((A @ B) @ C, A @ (B @ C)),
        (((A @ B) @ C) @ E, A @ ((B @ C) @ E)),
        ((A @ B) @ C, einsum("ij,jk,kl->il", A, B, C)),
        (A.T @ (S @ B), (S @ A).T @ B),
        (A @ A @ A, A @ (A @ A)),
        ((A @ S) @ x, A @ (x @ S)),
    ],
)
def test_brackets_and_transposes_of_symmetric_matrices_change_no_key(one, other):
    assert one is not other
    assert key(one) == key(other) is not None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (A @ B @ C, A @ C @ B),
        (A @ B @ C, (A @ B @ C).T),
        (A @ B @ C, A @ B.T @ C),
        (A @ B @ C, A @ B @ E),
        (A.T @ A @ A, A @ A.T @ A),
        (A @ S @ B, B @ S @ A),
    ],
)
def test_different_products_have_different_keys(one, other):
    assert key(one) != key(other)


def test_indices_that_cannot_be_told_apart_give_no_key():
    assert key(contract([[0, 1], [1, 2], [2, 0]], [], A, A, A)) is None


def test_what_is_flattened_computes_the_same(rng):
    node = (A @ (B @ C)).T @ einsum("ij,kj->ik", S, E @ x[:, None] * x)
    terms = flattened(node)
    assert len(terms) > len(node.operands)
    again = contract([indices for _, indices in terms], node.output, *(o for o, _ in terms))
    data = {leaf.name: rng.normal(size=(3,) * leaf.rank) for leaf in (A, B, C, E, S, x)}
    data["S"] = data["S"] + data["S"].T
    np.testing.assert_allclose(evaluate(again, data), evaluate(node, data))


def test_a_long_product_is_opened_so_far():
    chain = A
    for _ in range(3 * MOST):
        chain = chain @ B
    assert len(flattened(chain)) <= MOST

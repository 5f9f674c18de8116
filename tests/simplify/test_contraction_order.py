"""Contraction order: where a cheaper one exists, no m×m matrix and no array of rank 3 or 4 is ever made."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import sympy

import symnet as sn
from symnet.expr.nodes.extents import product
from symnet.expr.nodes.graph import topological
from symnet.expr.nodes.node import Node
from symnet.reference import evaluate
from symnet.simplify.algebra.table import simplify
from symnet.simplify.cost import operation_count
from symnet.simplify.machine.arrangement import arrange
from symnet.simplify.numeric.passes import numeric

m, n, k = sn.dim("m"), sn.dim("n"), sn.dim("k")
F, G, E, S = sn.tensor("F", m, k), sn.tensor("G", n, k), sn.tensor("E", m, k), sn.tensor("S", n, n)
A, B = sn.tensor("A", m, n), sn.tensor("B", n, m)
X, Y = sn.tensor("X", m, n), sn.tensor("Y", m, n)
v, x, y, s, t = sn.tensor("v", m), sn.tensor("x", m), sn.tensor("y", m), sn.tensor("s", n), sn.tensor("t", n)
Q = sn.tensor("Q", m, m)
N, M = sn.tensor("N", m, 8), sn.tensor("M", 8, m)  # a known extent is taken to be smaller than a symbolic one
ones = sn.constant(1)


def diag(vector: Node) -> Node:
    return sn.eye(vector.shape[0]) * vector


# trap → (expression, operations it may take, largest array beside the leaves)
TRAPS: dict[str, tuple[Callable[[], Node], sympy.Expr, sympy.Expr]] = {
    "diag(v) A": (lambda: diag(v) @ A, m * n, m * n),
    "A diag(s)": (lambda: A @ diag(s), m * n, m * n),
    "diag(v) A diag(s)": (lambda: diag(v) @ A @ diag(s), 2 * m * n, m * n),
    "tr(A B)": (lambda: sn.trace(A @ B), 2 * m * n, m * n),
    "tr(A Bᵀ)": (lambda: sn.trace(X @ Y.T), 2 * m * n, m * n),
    "tr(A Bᵀ) as a sum": (lambda: (sn.eye(m) * (X @ Y.T)).sum(), 2 * m * n, m * n),
    "the diagonal of A B": (lambda: sn.einsum("ii->i", A @ B), 2 * m * n, m * n),
    "1ᵀ A 1": (lambda: (A @ sn.broadcast_to(ones, (n,))).sum(), m * n, m),
    "1ᵀ A B 1": (lambda: (A @ B).sum(), 2 * m * n + 2 * n, m + n),
    "1ᵀ A B": (lambda: (A @ B).sum(0), 3 * m * n, m + n),
    "(X diag(s) Xᵀ) v": (lambda: X @ diag(s) @ X.T @ v, 5 * m * n + n, m * n),
    "((X diag(s)) Xᵀ) v, bracketed": (lambda: ((X * s) @ X.T) @ v, 5 * m * n + n, m * n),
    "x xᵀ y": (lambda: sn.outer(x, x) @ y, 3 * m, m),
    "x xᵀ y zᵀ v": (lambda: sn.outer(x, y) @ sn.outer(v, x) @ y, 6 * m, m),
    "A (x sᵀ)": (lambda: B @ sn.outer(x, t), 2 * m * n + 2 * n * n, n * n),
    "quadratic form of a Gram matrix, bracketed": (lambda: v @ (A @ (A.T @ v)), 4 * m * n + 2 * m, m + n),
    "quadratic form of a Gram matrix": (lambda: v @ (A @ A.T) @ v, 4 * m * n + 2 * m, m + n),
    "gradient of a quadratic form of a Gram matrix": (
        lambda: sn.grad(v @ (A @ A.T) @ v, A),
        5 * m * n,
        m * n,
    ),
    "Hessian-vector product of logistic regression": (
        lambda: sn.hvp(sn.binary_cross_entropy(sn.sigmoid(A @ s), 0 * v).sum(), s, t),
        8 * m * n,
        m + n,
    ),
    "product with a Jacobian of softmax": (
        lambda: sn.jacobian(sn.softmax(x), x) @ y,
        16 * m + 8,
        m,
    ),
    "Hessian-vector product of least squares": (lambda: sn.hvp(((A @ s - v) ** 2).sum() / 2, s, t), 4 * m * n, m + n),
    "Hessian-vector product of a matrix factorisation": (
        lambda: sn.hvp(((X - F @ G.T) ** 2).sum() / 2, F, E),
        4 * m * k * n,
        m * n,
    ),
    "Kronecker product times a vector, as a matrix": (
        lambda: sn.einsum("ij,kl,jl->ik", Q, S, X),
        2 * m * m * n + 2 * m * n * n,
        m * n,
    ),
    "squared norms of the gradients of samples": (
        lambda: ((X[:, :, None] * Y[:, None, :]) ** 2).sum((1, 2)),
        5 * m * n,
        m * n,
    ),
    "(I + u vᵀ) x": (lambda: (sn.eye(m) + sn.outer(v, y)) @ x, 4 * m, m),
    "the diagonal of A B as a matrix times a vector": (lambda: diag(sn.einsum("ii->i", A @ B)) @ x, 3 * m * n, m * n),
    "tr(A B C D)": (lambda: sn.trace(N @ M @ N @ M), 272 * m, 8 * m),
}
TYPICAL = {m: 100, n: 30, k: 5}


def computed(trap: str) -> list[Node]:
    """What is computed, after simplification and ordering, in order."""
    expression = TRAPS[trap][0]()
    return topological(*arrange(numeric(simplify([expression]))))


def at(extent) -> int:
    return int(sympy.sympify(extent).subs(TYPICAL))


@pytest.mark.parametrize("trap", TRAPS)
def test_no_intermediate_is_larger_than_it_must_be(trap):
    _, _, largest = TRAPS[trap]
    made = [node for node in computed(trap) if node.operands]
    sizes = {str(node): at(product(node.shape)) for node in made}
    assert all(node.rank <= 2 for node in made)
    assert max(sizes.values()) <= at(largest), sizes


@pytest.mark.parametrize("trap", TRAPS)
def test_the_operations_are_those_of_the_cheapest_order(trap):
    assert at(operation_count(computed(trap)[-1:])) <= at(TRAPS[trap][1])


@pytest.mark.parametrize("trap", TRAPS)
def test_the_order_changes_no_value(trap):
    expression = TRAPS[trap][0]()
    shapes = {
        "N": (5, 8),
        "M": (8, 5),
        "F": (5, 2),
        "G": (3, 2),
        "E": (5, 2),
        "S": (3, 3),
        "A": (5, 3),
        "B": (3, 5),
        "X": (5, 3),
        "Y": (5, 3),
        "Q": (5, 5),
        "s": 3,
        "t": 3,
    }
    rng = np.random.default_rng(0)
    data = {name: rng.normal(size=shapes.get(name, 5)) for name in "ABEFGMNSXYQvxyst"}
    ordered = computed(trap)[-1]
    leaves = [A, B, X, v]
    before, after = evaluate(expression, data, leaves=leaves), evaluate(ordered, data, leaves=leaves)
    assert after == pytest.approx(before, rel=1e-12, abs=1e-12)

"""What finite sums of exponentials cost on ordinary data: operations of value and gradient, counted, not timed.

Each model's bound is 1.2 times what the formula costs computed as it is written, without any largest exponent, unless
it says otherwise.  One exponential too many for every row exceeds it, or a largest exponent that nothing needs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sympy

import symnet as sn
from symnet.expr.nodes.elementwise import is_op
from symnet.expr.nodes.graph import topological
from symnet.expr.nodes.node import Node
from tests.stability.test_log_domain import check

STEPS = 6
m = sn.dim("m")
x, mu, ls, w = sn.tensor("x", m, 4), sn.tensor("mu", 8, 4), sn.tensor("ls", 8, 4), sn.tensor("w", 8)
X, E = sn.tensor("X", m, 8), sn.tensor("E", m, STEPS, 8)
a, e = sn.tensor("a", 8), sn.tensor("e", STEPS, 8)
P, T = sn.tensor("P", 8, 8, positive=True), sn.tensor("T", 8, 8)
S, M = sn.tensor("S", m, 16), sn.tensor("M", m, 16)
Model = tuple[Node, list[Node]]


def _densities() -> tuple[Node, Node]:
    """Weights times densities of a mixture of Gaussians with learned variances, and squared distances."""
    squares = sn.sum(((x[:, None, :] - mu[None]) * sn.exp(-ls)[None]) ** 2, axis=2)
    return sn.softmax(w) * sn.exp(-squares / 2 - sn.sum(ls, axis=1)), squares


def _mixture() -> Model:
    return -sn.mean(sn.log(sn.sum(_densities()[0], axis=1))), [w, mu, ls]


def _mixture_by_variances() -> Model:
    variances = sn.exp(ls)
    squares = sn.sum((x[:, None, :] - mu[None]) ** 2 / variances[None], axis=2)
    densities = sn.softmax(w) * sn.exp(-squares / 2) / sn.sqrt(sn.prod(variances, axis=1))
    return -sn.mean(sn.log(sn.sum(densities, axis=1))), [w, mu, ls]


def _shares_of_mixture() -> Model:
    densities, squares = _densities()
    shares = densities / sn.sum(densities, axis=1, keepdims=True)
    return sn.mean(sn.sum(shares * squares, axis=1)), [w, mu, ls]


def _forward_by_logarithms(matrix: Node, of: list[Node]) -> Model:
    u = X
    for t in range(STEPS):
        u = sn.log(sn.exp(u) @ matrix) + E[:, t]
    return sn.mean(sn.logsumexp(u, axis=1)), of


def _forward_by_probabilities(start: Node, matrix: Node, of: list[Node]) -> Model:
    u = start
    for t in range(STEPS):
        u = (u @ matrix) * sn.exp(E[:, t])
    return sn.mean(sn.log(sn.sum(u, axis=1))), of


def _one_sequence(matrix: Node, of: Node) -> Model:
    u: Any = a
    for t in range(STEPS):
        u = sn.log(sn.exp(u) @ matrix) + e[t]
    return sn.logsumexp(u), [a, of, e]


def _one_sequence_by_probabilities() -> Model:
    u = sn.exp(a)
    for t in range(STEPS):
        u = (u @ P) * sn.exp(e[t])
    return sn.log(sn.sum(u)), [a, P, e]


def _masked_attention() -> Model:
    powers = sn.exp(S) * M
    return sn.sum((powers / sn.sum(powers, axis=1, keepdims=True)) ** 2), [S]


def _contrast() -> Model:
    return -sn.sum(sn.log(sn.sum(M * sn.exp(S), axis=1) / sn.sum(sn.exp(S), axis=1))), [S]


def _product_of_experts() -> Model:
    one, other = sn.tensor("one", m, 8), sn.tensor("other", m, 8)
    shares = sn.softmax(one) * sn.softmax(other)
    return -sn.mean(sn.log(sn.sum(shares / sn.sum(shares, axis=1, keepdims=True) * X, axis=1))), [one, other]


def _matrices_made_doubly_stochastic() -> Model:
    C = sn.tensor("C", 8, 10)
    u = sn.exp(-C)
    for _ in range(3):
        u = u / sn.sum(u, axis=1, keepdims=True)
        u = u / sn.sum(u, axis=0, keepdims=True)
    return sn.sum(u * C), [C]


MODELS: dict[str, tuple[Callable[[], Model], int, int]] = {  # operations for each row, and besides
    "a mixture with learned variances": (_mixture, 655, 608),
    "a mixture by variances": (_mixture_by_variances, 655, 570),
    "shares of a mixture": (_shares_of_mixture, 655, 694),
    "forward by logarithms": (lambda: _forward_by_logarithms(P, [P]), 2977, 462),
    "forward with a learned matrix of logarithms": (lambda: _forward_by_logarithms(sn.exp(T), [T]), 2977, 1200),
    "forward by probabilities": (lambda: _forward_by_probabilities(sn.exp(X), P, [P]), 3249, 462),
    "forward by probabilities, a learned matrix of logarithms": (
        lambda: _forward_by_probabilities(sn.exp(X), sn.exp(T), [T]),
        3249,
        1200,
    ),
    "forward from softmax": (lambda: _forward_by_probabilities(sn.softmax(X), sn.softmax(T), [T]), 3364, 2250),
    "one sequence by probabilities": (_one_sequence_by_probabilities, 0, 4338),
    "one sequence (every step has its own logarithm)": (lambda: _one_sequence(P, P), 0, 3900),
    "one sequence, both operands exponentials (as logsumexp)": (lambda: _one_sequence(sn.exp(T), T), 0, 7050),
    "attention with a mask as a factor": (_masked_attention, 503, 0),
    "a contrast": (_contrast, 556, 1),
    "products of experts": (_product_of_experts, 1058, 1),
    "matrices made doubly stochastic": (_matrices_made_doubly_stochastic, 0, 8840),
}


@pytest.mark.parametrize("name", MODELS)
def test_a_model_of_exponentials_costs_little_more_than_its_formula(name: str) -> None:
    build, row, once = MODELS[name]
    count = sympy.Poly(sn.flops(*_numeric(*build())), m)
    found = [int(count.coeff_monomial(power)) for power in (m, 1)]
    assert count.degree() < 2
    assert found[0] <= row, (found, row)
    assert found[1] <= once, (found, once)


@pytest.mark.parametrize("name", ["a mixture with learned variances", "a mixture by variances", "shares of a mixture"])
def test_a_mixture_has_its_exponentials_once_for_a_row_and_a_component(name: str) -> None:
    powers = [n for n in topological(*_numeric(*MODELS[name][0]())) if is_op(n, "exp") and m in n.free_symbols]
    assert all(n.rank < 3 for n in topological(*_numeric(*MODELS[name][0]())) if is_op(n, "exp"))
    assert len(powers) <= 2


def test_the_steps_of_a_sequence_have_one_exponential_each() -> None:
    for build in ("forward by logarithms", "forward by probabilities"):
        powers = [n for n in topological(*_numeric(*MODELS[build][0]())) if is_op(n, "exp") and n.rank == 2]
        assert len(powers) == STEPS + 1, build


def _numeric(loss: Node, parameters: list[Node]) -> list[Node]:
    return list(sn.value_and_grad(loss, parameters, stop_after="numeric"))


# --------------------------------------------------------------------------- and they stay finite

Y, F = sn.tensor("Y", 3, 2), sn.tensor("F", 3, 3, 2)
Q = sn.tensor("Q", 2, 2, positive=True)
B = sn.tensor("B", 3, 2)


def _rows_by_logarithms() -> Node:
    u = Y
    for t in range(3):
        u = sn.log(sn.exp(u) @ Q) + F[:, t]
    return sn.logsumexp(u, axis=1)


def _rows_by_probabilities() -> Node:
    u = sn.exp(Y)
    for t in range(3):
        u = (u @ Q) * sn.exp(F[:, t])
    return sn.log(sn.sum(u, axis=1))


_shares = sn.softmax(B[0]) * sn.exp(Y)
BATCHES = {
    "logarithm of a product of matrices": lambda: sn.log(sn.exp(Y) @ Q),
    "a product from the left": lambda: sn.log(Q @ sn.exp(Y).T),
    "steps by logarithms": _rows_by_logarithms,
    "steps by probabilities": _rows_by_probabilities,
    "a product of matrices over a sum": lambda: (sn.exp(Y) @ Q) / sn.sum(sn.exp(Y), axis=1, keepdims=True),
    "one beside a product": lambda: sn.log(1 + sn.sum(sn.exp(Y) @ Q, axis=1)),
    "shares with weights of their own": lambda: sn.sum(_shares * Y, axis=1) / sn.sum(_shares, axis=1),
    "shares over the rows": lambda: sn.sum(_shares / sn.sum(_shares, axis=1, keepdims=True) * F[:, 0], axis=0),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("scale", [1, 1000, -1000])
@pytest.mark.parametrize("name", BATCHES)
def test_rows_of_exponentials_are_finite_with_their_derivatives(name: str, scale: float, dtype: str) -> None:
    rng = np.random.default_rng(5)
    shapes: dict[str, tuple[int, ...]] = {"Y": (3, 2), "F": (3, 3, 2), "B": (3, 2)}
    data: dict[str, Any] = {n: np.round(scale * rng.normal(size=s), 3) for n, s in shapes.items()}
    data["Q"] = rng.uniform(0.1, 1, (2, 2))
    formula = BATCHES[name]()
    for leaf in (Y, Q, B):
        if leaf in formula.free_symbols:
            check(formula, leaf, data, dtype, second=leaf is Y and dtype == "float64", least=1.0)

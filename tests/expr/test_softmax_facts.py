"""Softmaxes as the graph spells them: their terms opened in the exponent, and as responsibilities of mixtures."""

from __future__ import annotations

from itertools import product

import pytest

import symnet as sn
from symnet.expr.facts.softmax import read_softmax, softmax_axes, terms_of
from symnet.expr.nodes.elementwise import elementwise
from symnet.expr.nodes.node import Node

n, k, d = sn.dim("n"), sn.dim("k"), sn.dim("d")
a, b = sn.tensor("a", k), sn.tensor("b", k)


def exponential(x: Node, *terms: Node) -> Node:
    """e^(Σ terms - logsumexp x)."""
    return elementwise("exp", elementwise("add", *terms, elementwise("mul", -1, sn.logsumexp(x))))


HALF = elementwise("mul", sn.constant(-0.5), elementwise("add", a, b))


@pytest.mark.parametrize(
    ("x", "terms"),
    [(a, (a,)), (a + b, (a, b)), (HALF, terms_of(HALF)), (HALF, terms_of(HALF)[::-1])],
)
def test_the_exponent_may_have_the_terms_of_a_multiple_of_a_sum(x: Node, terms: tuple[Node, ...]):
    node = exponential(x, *terms)
    total = read_softmax(node)
    assert total is not None and total.operands == (x,)
    assert softmax_axes(node) == ([] if x is HALF else [(0,)])
    assert str(node).startswith("softmax(")


@pytest.mark.parametrize(
    "node",
    [
        exponential(a, b),
        exponential(elementwise("add", a, a), a),
        exponential(a + b, a),
        exponential(HALF, a, b),
        exponential(HALF, terms_of(HALF)[0]),
    ],
)
def test_other_exponents_are_no_softmax(node: Node):
    assert softmax_axes(node) == []
    assert read_softmax(node) is None


X, M, S = sn.tensor("X", n, d), sn.tensor("M", k, d), sn.tensor("S", k, d, positive=True)
s, weights, Q = sn.tensor("s", k, positive=True), sn.tensor("w", k, positive=True), sn.tensor("Q", d, d, symmetric=True)
GAP = X[:, None, :] - M
EXPONENTS = {
    "isotropic": -sn.sum(GAP**2, axis=2) / (2 * s**2) - d * sn.log(s),
    "diagonal": -sn.sum(GAP**2 / S, axis=2) / 2 - sn.sum(sn.log(S), axis=1) / 2,
    "full": -sn.einsum("nkd,de,nke->nk", GAP, sn.inv(Q), GAP) / 2 - sn.logdet(Q) / 2,
}
LIKELIHOODS = {
    "log w": lambda q: sn.logsumexp(sn.log(weights) + q, axis=1),
    "log_softmax": lambda q: sn.logsumexp(sn.log_softmax(a) + q, axis=1),
    "none": lambda q: sn.logsumexp(q, axis=1),
    "inside": lambda q: sn.log(sn.sum(sn.exp(a + q), axis=1)),
}


@pytest.mark.parametrize(("exponent", "likelihood"), [*product(EXPONENTS, LIKELIHOODS)])
def test_responsibilities_of_a_mixture_read_as_softmax(exponent: str, likelihood: str):
    loss = -sn.sum(LIKELIHOODS[likelihood](EXPONENTS[exponent]))
    for by in (M, X, S if exponent == "diagonal" else s if exponent == "isotropic" else X):
        written = str(sn.grad(loss, by))
        assert "softmax(" in written
        assert "logsumexp" not in written and "exp(" not in written, written

"""Facts: what is known of an expression, from its leaves upward."""

from __future__ import annotations

import pytest
import sympy

from symnet.expr.facts.assumptions import VOCABULARY, facts, known
from symnet.expr.nodes.constants import identity, iota, number, size
from symnet.expr.nodes.contraction import einsum, matmul, sum, transpose
from symnet.expr.nodes.elementwise import exp, indicator, maximum, minimum, sigmoid, softplus, tanh, where
from symnet.expr.nodes.expansion import expand
from symnet.expr.nodes.extents import dim
from symnet.expr.nodes.indexing import labels, take
from symnet.expr.nodes.movement import concat, pad, reshape
from symnet.expr.nodes.reduction import log_softmax, logsumexp, max, softmax
from symnet.expr.nodes.symbols import Barrier, tensor

m = dim("m")
Z = tensor("Z", m, 10)
P = tensor("P", m, 10, positive=True)
x = tensor("x", 4)


def test_the_assumptions_of_a_leaf_are_facts_with_what_they_imply():
    assert facts(tensor("D", m, 10, one_hot=True)) == {"one_hot", "simplex", "unit", "nonnegative", "integer"}
    assert facts(P) == {"positive", "nonnegative", "nonzero"}
    assert facts(Z) == frozenset()


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        (exp(Z), {"positive"}),
        (sigmoid(Z), {"open_unit", "positive"}),
        (1 - sigmoid(Z), {"open_unit"}),
        (sigmoid(Z) * (1 - sigmoid(Z)), {"open_unit"}),
        (softmax(Z), {"positive", "unit", "simplex"}),
        (exp(Z) / sum(exp(Z), 1, keepdims=True), {"positive", "simplex"}),
        (exp(Z) / expand(sum(exp(Z), 1), (m, 10), (0,)), {"positive", "simplex"}),
        (exp(log_softmax(Z + 1)), {"simplex"}),
        (softplus(Z), {"positive"}),
        (maximum(Z, 0), {"nonnegative"}),
        (maximum(Z, 1), {"positive"}),
        (minimum(P, 1), {"positive"}),
        (Z**2, {"nonnegative"}),
        (P**-1, {"positive"}),
        (abs(Z), {"nonnegative"}),
        (tanh(P), {"open_unit"}),
        (where(Z > 0, P, 1), {"positive"}),
        (indicator(Z > 0), {"unit", "integer"}),
        (sum(P, 1), {"positive"}),
        (matmul(P, transpose(P)), {"positive", "symmetric"}),
        (matmul(transpose(Z), Z), {"symmetric"}),
        (logsumexp(P, 1), {"positive"}),
        (max(P, 1), {"positive"}),
        (labels("t", m, classes=10), {"one_hot", "simplex", "unit", "integer"}),
        (size(m), {"nonnegative", "positive", "nonzero", "integer"}),
        (identity(3), {"one_hot", "symmetric"}),
        (iota(4), {"integer", "nonnegative"}),
        (number(sympy.Rational(1, 2)), {"open_unit"}),
        (pad(P, [(1, 1), (0, 0)]), {"nonnegative"}),
        (reshape(P, 10 * m), {"positive"}),
        (concat([softmax(Z), softmax(Z)], 0), {"simplex"}),
        (softmax(Z)[1:], {"simplex"}),
        (take(softmax(Z), tensor("i", 3, dtype="int64")), {"simplex"}),
        (sympy.Rational(1, 100) + sympy.Rational(9, 10) * labels("t", m, classes=10), {"simplex", "positive"}),
        (softmax(Z).named("Y"), {"simplex"}),
        (Barrier(softmax(Z)), {"positive", "unit"}),
    ],
)
def test_facts_follow_from_the_operation(node, expected):
    assert known(node, *expected), facts(node)
    assert facts(node) <= set(VOCABULARY)


def test_a_free_value_is_not_tied_to_others():
    assert not known(Barrier(softmax(Z)), "simplex")  # else the derivative of sum(Y) by Y would be zero


@pytest.mark.parametrize(
    ("node", "absent"),
    [
        (softmax(Z, axis=0), "simplex"),
        (exp(Z) / sum(exp(Z), 0, keepdims=True), "simplex"),
        (pad(P, [(1, 1), (0, 0)]), "positive"),
        (softmax(Z)[:, 1:], "simplex"),
        (concat([softmax(Z), softmax(Z)], 1), "simplex"),
        (transpose(softmax(Z)), "simplex"),
        (sum(softmax(Z), 1), "unit"),
        (tanh(Z), "unit"),
        (x**3, "nonnegative"),
        (2 - sigmoid(Z), "unit"),
        (matmul(transpose(Z), P), "symmetric"),
        (einsum("ij,kl->ikjl", Z, Z), "symmetric"),
        (1 - softmax(Z), "simplex"),
    ],
)
def test_a_fact_that_does_not_hold_is_not_claimed(node, absent):
    assert not known(node, absent)


def test_facts_of_a_long_chain_need_no_recursion():
    y = P
    for _ in range(10_000):
        y = y + P
    assert known(y, "positive")

"""Expressions on which two rewrites once undid each other: each comes to rest now, in a form that keeps the value.

Every example is what was left of a random graph's derivative when no part of it could be taken away any more.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from symnet.expr.nodes.constants import identity
from symnet.expr.nodes.contraction import contract, einsum, mean
from symnet.expr.nodes.contraction import sum as total
from symnet.expr.nodes.elementwise import exp
from symnet.expr.nodes.expansion import expand
from symnet.expr.nodes.extents import dim
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.reduction import logsumexp, softmax
from symnet.expr.nodes.symbols import tensor
from symnet.simplify.algebra.table import TABLE, simplify
from symnet.simplify.engine import Normalizer
from tests.golden import check_golden
from tests.simplify.checking import disagreement

m = dim("m")
a, b, s, t = (tensor(name) for name in "abst")
v, w, z = tensor("v", m), tensor("w", m), tensor("z", 3)
A, B, C, K, M = (tensor(name, m, m) for name in "ABCKM")
U, W = tensor("U", m, m, m), tensor("W", m, m, m)
thin, row = tensor("T", 3, 1, 3), tensor("r", 1, 3)


def middle(x: Node) -> Node:
    """x[:, 0, :] of an axis of extent 1."""
    return contract([[0, 1, 2]], [0, 2], x)


def columns(u: Node) -> Node:
    """u[:, None] of an (m, m) array."""
    return expand(u, (m, m), (0,))


def _share_of_shares() -> Node:
    """A product with an element of p beside a column of shares and sums over all columns."""
    p, S, element = tensor("p", 2), tensor("S", 3, 2), contract([[0]], [], tensor("p", 2)[:1])
    parts = p * exp(S)
    totals = contract([[0, 1]], [0], parts)
    return element * totals * exp(S[:, 0]) * (parts / expand(totals, (3, 2), (0,)))[:, 0]


def _slope_of_a_divergence() -> Node:
    """Of one class: shares less 1, times a difference of logarithms with a sum that is kept as a column."""
    x, c = tensor("X", m, 2), tensor("C", m, 1)
    away = x[:, :1] + (logsumexp(c, 1) - logsumexp(x, 1))[:, None] - c
    return softmax(c) * away - away


RESTLESS: dict[str, list[Node]] = {
    # `collect_like_terms` gathered one of two scalars with a term, and the other once they stood in another order
    "of several scalars a term takes the sum of its own elements": [
        s * v + 3 * total(w) ** 2 + 2 * s - total(v) * (s + mean(v)) - (s + mean(v)) * v,
    ],
    # `compute_before_moving` took z into the selection, `take_unsummed_factors_out_of_contraction` out of it
    "a factor does not enter a move whose dropped axes it has not": [
        z * middle(thin * exp(row)),
        -2 * z * middle(thin * exp(row)),
        a * z * middle(thin * exp(row)) * middle(exp(thin)),
        z * middle(exp(thin)),
        _share_of_shares(),
    ],
    # `meet_through_movement` saw a log-softmax, which `collect_like_terms` had closed again
    "what has met already is not made to meet": [_slope_of_a_divergence()],
    # `collect_powers` took the sign out of the sum, `distribute_number_over_sum` back into it
    "a sum that is negative once its terms are gathered has its sign in front": [
        (-s * A - t * (M - B - C - K)) / 2,
        -3 * (s * A - t * (B - C)),
        (-s * (B - A) - t * (K - C)) / 2,
    ],
    # `collect_like_terms` opened the sum that is repeated, `factor_common_factors` closed it
    "a sum that is repeated stands in its factors": [
        A + B - m * columns(a * v + w),
        A + B - columns(m * s * v + m * t * w / 4),
        A + columns(s**2 * v + s * w),
        A + B - (s * t * v + s * w),
    ],
    # `collect_like_terms` gathered behind s a sum whose repeated part had not taken the sign with it
    "a sign taken out of a sum is taken out of what it repeats": [
        A + B - s * (C + K + columns(v + w)),
        A + B - m * columns(s * (v + w) + t * v),
    ],
    # `contract_delta_term_apart` took it out of the sum, `contract_sum_of_operands` back in, as the delta did not go
    "a delta that is summed goes, wherever it is a factor": [
        total(exp(A) * einsum("jkl,kl,ll->jkl", W, identity(m), C) + U, 1),
    ],
    # the same two, as the delta stood in a contraction that sums something, and did not go
    "a delta in a sum of its own does not take a term out of another sum": [
        einsum(
            "ijkl,km,nl->ijmn",
            einsum("ij,jk,kl,l,li,ll,lm->jklm", A, B, A, v, K, M, identity(m)) + tensor("V", m, m, m, m),
            A,
            A,
        ),
    ],
    # `gather_terms_into_their_sum` closed A + B, `multiply_out_delta` opened it
    "what is multiplied by a delta is not gathered": [
        identity(m) * (A + B) + A + B,
    ],
}
CASES = [(story, node) for story, nodes in RESTLESS.items() for node in nodes]


@pytest.mark.parametrize(("story", "node"), CASES)
def test_rewriting_comes_to_rest_in_a_fixed_point_of_the_same_value(story, node):
    normalizer = Normalizer(TABLE)
    (form,) = normalizer([node])
    assert normalizer.unsettled == [], story
    assert simplify([form])[0] is form is simplify([node])[0]
    assert disagreement(node, form, seed=5) == ""


def test_where_they_come_to_rest_reads_as_the_golden_text_says():
    lines = []
    for story, nodes in RESTLESS.items():
        lines += [story, *(f"    {node}  →  {simplify([node])[0]}" for node in nodes)]
    check_golden(Path(__file__).parent / "golden" / "rest.txt", "\n".join(lines) + "\n")

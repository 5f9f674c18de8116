"""Why a fact holds: what it follows from, found by taking one thing after the other from the operands."""

from __future__ import annotations

import pytest

import symnet as sn
from symnet.expr.facts.assumptions import VOCABULARY, facts
from symnet.expr.facts.evidence import SENTENCES, Fact, evidence

x = sn.tensor("x", 4)
p, q = sn.tensor("p", 4, positive=True), sn.tensor("q", 4, nonnegative=True)
u, k = sn.tensor("u", 4, unit=True), sn.tensor("k", 4, integer=True)
D, S = sn.tensor("D", 3, 4, one_hot=True), sn.tensor("S", 4, 4, symmetric=True)
REASONS = {
    "declared": (p, "positive", "p is positive"),
    "implied by what was declared": (p, "nonnegative", "p is not negative"),
    "by form": (sn.exp(x), "positive", "exp(x) is positive"),
    "a sum": (p + q, "positive", "p + q is positive (for p is positive and q is not negative)"),
    "a square": (x**2, "nonnegative", "x**2 is not negative"),
    "a root": (sn.sqrt(p), "positive", "sqrt(p) is positive (for p is positive)"),
    "two levels": (
        abs(k) * u,
        "nonnegative",
        "u*abs(k) is not negative (for abs(k) is not negative and u is not negative)",
    ),
    "a complement": (1 - u, "unit", "1 - u lies in [0, 1] (for u lies in [0, 1])"),
    "a product of matrices": (S @ S, "symmetric", "S @ S is symmetric (for S is symmetric)"),
    "rows": (D[:2], "one_hot", "D[:2] is one-hot (for D is one-hot)"),
}


@pytest.mark.parametrize("name", REASONS)
def test_a_fact_says_what_it_follows_from(name: str) -> None:
    node, fact, sentence = REASONS[name]
    assert str(evidence(node, fact)) == sentence


def test_what_is_named_is_needed() -> None:
    """Without any one of the premises the fact is not known."""
    found = evidence(p * q + u, "nonnegative")
    assert [str(reason) for reason in found.because] == [
        "p*q is not negative (for p is not negative and q is not negative)",
        "u is not negative",
    ]
    assert "nonnegative" not in facts(x * q + u) | facts(p * q + x)


def test_reasons_end_some_levels_below() -> None:
    node = p
    for _ in range(200):
        node = sn.tanh(node)
    levels, fact = 0, evidence(node, "positive")
    while fact.because:
        levels, (fact,) = levels + 1, fact.because
    assert 0 < levels < 10


def test_there_is_a_sentence_for_every_fact() -> None:
    assert SENTENCES.keys() == VOCABULARY.keys()
    assert str(Fact("unit", x)) == "x lies in [0, 1]"

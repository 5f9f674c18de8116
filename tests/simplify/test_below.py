"""What a rewrite says must stand below a node: where that is not there it does not fire."""

from __future__ import annotations

from dataclasses import replace

import pytest

import symnet as sn
from symnet.expr.nodes.topics import bit_of
from symnet.simplify.algebra.table import ALGEBRA, simplify
from symnet.simplify.engine import Normalizer, Table, keeps_dtype
from symnet.simplify.numeric.passes import numeric
from tests.fuzz.graphs import seeded
from tests.simplify.examples import EXAMPLES, NUMERIC

x, y = sn.tensor("x", 3), sn.tensor("y", 3)


@pytest.fixture
def wrong(monkeypatch):
    """The rewrites that fired where something is missing that they say they need; all of them are tried."""
    found = []

    def fired(self, node):
        for rewrite in self.rewrites:
            if rewrite.on and node.topic not in rewrite.on:
                continue
            new = rewrite.apply(node)
            if new is not None and new is not node and keeps_dtype(node, new):
                found.extend([f"{rewrite.name}: {node}"] * (not rewrite.holds(node.topics)))
                return rewrite, node, new
        return None

    monkeypatch.setattr(Table, "_fired", fired)
    monkeypatch.setattr(Table, "concerns", lambda self, topics: True)
    return found


@pytest.mark.parametrize("name", [*EXAMPLES, *NUMERIC])
def test_on_its_examples(name, wrong):
    for node in (*EXAMPLES.get(name, ()), *NUMERIC.get(name, ())):
        numeric(simplify([node]))
    assert wrong == []


@pytest.mark.parametrize("seed", range(700, 760))
def test_on_random_graphs(seed, wrong):
    graph = seeded(seed)
    numeric(simplify(graph.roots))
    assert wrong == []


def test_what_is_said_wrongly_is_caught(wrong):
    spoilt = [replace(r, below=("tanh",)) if r.name == "log_of_exponential" else r for r in ALGEBRA]
    Normalizer(Table(spoilt))([sn.log(sn.exp(x))])
    assert [each.split(":")[0] for each in wrong] == ["log_of_exponential"]


@pytest.mark.parametrize(
    "below, fires", [((), True), (("exp",), True), (("tanh|exp",), True), (("exp", "tanh"), False)]
)
def test_all_is_needed_and_a_bar_is_or(below, fires):
    rewrites = [replace(r, below=below) for r in ALGEBRA if r.name == "log_of_exponential"]
    (result,) = Normalizer(Table(rewrites))([sn.log(sn.exp(x))])
    assert (result is x) is fires


def test_topics_are_those_of_all_below():
    def named(node):
        return {topic for topic in ("exp", "mul", "tanh", "tensor", "where") if node.topics & bit_of(topic)}

    assert named(x) == {"tensor"}
    assert named(sn.exp(x) * y) == {"exp", "mul", "tensor"}
    assert named(sn.tanh(sn.exp(x) * y)) == {"exp", "mul", "tanh", "tensor"}

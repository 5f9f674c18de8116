"""Simplification does not depend on the order of operands, and ends: over every published identity and every case."""

from __future__ import annotations

import random

import pytest

import symnet as sn
from symnet.expr.nodes.contraction import Einsum, contract
from symnet.expr.nodes.graph import topological, with_operands
from symnet.expr.nodes.node import Node
from symnet.simplify.algebra.table import TABLE, without_names
from symnet.simplify.engine import Normalizer
from tests.cases import CASES, Case
from tests.identities.identity import Identity
from tests.identities.test_identities import IDENTITIES

COMMUTATIVE = ("add", "mul")


def permuted(root: Node, seed: int) -> Node:
    """The same value with the operands of every sum, product and contraction in a random order."""
    rng = random.Random(seed)
    new: dict[Node, Node] = {}
    for node in topological(root):
        operands = [new[o] for o in node.operands]
        if isinstance(node, Einsum):
            order = rng.sample(range(len(operands)), len(operands))
            new[node] = contract([node.inputs[k] for k in order], node.output, *(operands[k] for k in order))
            continue
        if node.kind == "elementwise" and str(node.args[0]) in COMMUTATIVE:
            rng.shuffle(operands)
        new[node] = with_operands(node, operands)
    return new[root]


@pytest.mark.parametrize("row", IDENTITIES, ids=repr)
def test_the_result_does_not_depend_on_the_order_of_operands(row: Identity):
    for form in (row.ours(), row.published()):
        simple = sn.simplify(form)
        assert all(sn.simplify(permuted(form, seed)) is simple for seed in (0, 1, 2)), form


@pytest.mark.parametrize("row", IDENTITIES, ids=repr)
def test_rewriting_ends_and_is_idempotent(row: Identity):
    normalizer = Normalizer(TABLE)
    results = normalizer(without_names([row.ours(), row.published()]))
    assert normalizer.unsettled == []
    assert Normalizer(TABLE)(results) == results


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_nor_does_that_of_a_case(case: Case):
    for root in case.roots:
        simple = sn.simplify(root)
        assert all(sn.simplify(permuted(root, seed)) is simple for seed in (0, 1, 2)), root
        assert sn.simplify(simple) is simple


def test_a_permutation_changes_the_graph_and_not_the_value():
    x, y = sn.tensor("x", 3), sn.tensor("y", 3)
    forms = {permuted(x + y * x, seed) for seed in range(20)}
    assert len(forms) == 4

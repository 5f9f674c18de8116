"""The numeric passes walk a graph in order where nodes stay; they give what the general walk gives, step by step."""

from __future__ import annotations

import pytest

import symnet as sn
from symnet.expr.nodes.node import Node
from symnet.simplify.algebra.table import simplify
from symnet.simplify.engine import Normalizer
from symnet.simplify.numeric.passes import numeric
from symnet.simplify.trace import Step
from tests.cases import CASES
from tests.fuzz.graphs import seeded


def both(roots: list[Node]) -> list[tuple[list[Node], list[Step]]]:
    """(numeric form, steps) in order, and by the general walk alone."""
    found = []
    algebra = simplify(roots)
    for alone in (False, True):
        with pytest.MonkeyPatch.context() as patch:
            if alone:
                patch.setattr(Normalizer, "_in_order", lambda self, roots: None)
            steps: list[Step] = []
            found.append((numeric(algebra, steps), steps))
    return found


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_case_has_one_numeric_form_and_one_story(case) -> None:  # type: ignore[no-untyped-def]
    first, second = both(list(case.roots))
    assert first == second


@pytest.mark.parametrize("seed", range(500, 560))
def test_a_random_graph_has_one_numeric_form_and_one_story(seed: int) -> None:
    first, second = both(list(seeded(seed).roots))
    assert first == second


def test_a_gradient_has_one_numeric_form_and_one_story() -> None:
    X, D, W = sn.tensor("X", sn.dim("m"), 8), sn.tensor("D", sn.dim("m"), 4, one_hot=True), sn.tensor("W", 8, 4)
    loss = sn.mean(sn.cross_entropy(sn.softmax(X @ W), D))
    first, second = both([loss, sn.grad(loss, W)])
    assert first == second and first[1]

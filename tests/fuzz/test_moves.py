"""A slice of the generator of moved matrices, and its teeth."""

from __future__ import annotations

import pytest

from symnet.expr.nodes.contraction import Einsum
from symnet.expr.nodes.node import Node
from symnet.simplify.forms.factors import split_power
from symnet.simplify.numeric import shifted_squares
from tests.fuzz.moves import session


@pytest.mark.parametrize("seed", range(0, 300, 60))
def test_what_is_moved_is_not_taken_for_what_it_is_moved_from(seed: int) -> None:
    counts, wrong = session(seed, 600, most=60)
    assert not wrong and counts["values"] > 20


def test_a_transposition_that_is_lost_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once a transposition was read as an outer product, of one array."""

    def lost(x: Node) -> Node:
        turned = isinstance(x, Einsum) and len(x.operands) == 1 and x.inputs[0] == x.output[::-1]
        return x.operands[0] if turned and x.rank == 2 else x

    monkeypatch.setattr(shifted_squares, "split_power", lambda factor: split_power(lost(factor)))
    _, wrong = session(500, 600, most=12)
    assert any("the value is" in story for story in wrong)

"""A slice of the generator of moved matrices, and its teeth."""

from __future__ import annotations

import pytest

from symnet.expr.nodes.contraction import Einsum
from symnet.expr.nodes.graph import with_operands
from symnet.expr.nodes.node import Node
from symnet.simplify.numeric import quotients_by_squares
from tests.fuzz.moves import session


@pytest.mark.parametrize("seed", range(0, 300, 60))
def test_what_is_moved_is_not_taken_for_what_it_is_moved_from(seed: int) -> None:
    counts, wrong = session(seed, 600, most=60)
    assert not wrong and counts["values"] > 20


def test_a_transposition_that_is_lost_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once a transposition was read as an outer product, of one array."""

    def scaled(factor: Node, parts: tuple[Node, ...], scale: Node, count: int) -> Node:
        new = [scale * part if k < count else part for k, part in enumerate(parts)]
        return with_operands(factor, new) if len(new) > 1 else new[0] if count else factor

    def is_outer(x: Node) -> bool:
        return isinstance(x, Einsum) and sum(map(len, x.inputs)) == len(x.output)

    monkeypatch.setattr(quotients_by_squares, "_is_outer", is_outer)
    monkeypatch.setattr(quotients_by_squares, "_scaled_parts", scaled)
    _, wrong = session(500, 600, most=12)
    assert any("the value is" in story for story in wrong)

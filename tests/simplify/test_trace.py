"""Traces: every step says which rewrite fired, where, on what it saw, and by what right."""

from __future__ import annotations

import pytest

from symnet.expr.nodes.constants import number
from symnet.expr.nodes.contraction import sum as total
from symnet.expr.nodes.elementwise import elementwise, exp, log, sigmoid, sqrt
from symnet.expr.nodes.movement import concat
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.reduction import softmax
from symnet.expr.nodes.symbols import tensor
from symnet.simplify.algebra.table import simplify
from symnet.simplify.numeric.passes import numeric
from symnet.simplify.rewrite import FINITE, Rewrite
from symnet.simplify.trace import Step
from tests.simplify.checking import wrong_steps
from tests.simplify.firing import EVERY, firings

x, w, Z = tensor("x", 4), tensor("w", 3), tensor("Z", 3, 4)
p, q = tensor("p", 4, positive=True), tensor("q", 4, nonnegative=True)
D = tensor("D", 3, 4, one_hot=True)


def steps(node: Node) -> list[Step]:
    trace: list[Step] = []
    numeric(simplify([node], trace), trace)
    return trace


@pytest.mark.parametrize(
    ("node", "name", "sentences"),
    [
        (abs(p), "drop_abs_of_nonnegative", ["p is not negative"]),
        (
            abs(p + q),
            "drop_abs_of_nonnegative",
            ["p + q is not negative (for p is not negative and q is not negative)"],
        ),
        (sqrt(p * q), "collect_powers", ["p is not negative", "q is not negative"]),
        (total(softmax(Z), 1), "total_of_distribution_is_one", ["softmax(Z) sums to one"]),
        (total(D, 1), "total_of_distribution_is_one", ["D sums to one"]),
        (log(total(D * exp(Z), 1)), "log_of_chosen_element", ["D is one-hot", "exp(Z) is positive"]),
        (sigmoid(-x), "complement_sigmoid_of_negative", []),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_step_says_what_it_rests_on(node: Node, name: str, sentences: list[str]) -> None:
    first = next(step for step in steps(node) if step.name == name)
    assert sorted(map(str, first.facts)) == sorted(sentences)


@pytest.mark.parametrize("rewrite", [r for r in EVERY if set(r.needs) - {FINITE}], ids=lambda r: r.name)
def test_every_need_of_a_rewrite_is_what_some_step_rests_on(rewrite: Rewrite) -> None:
    fired = (Step(f.rewrite, f.before, f.after, f.before, f.after) for f in firings()[rewrite.name])
    missing = set(rewrite.needs) - {FINITE}
    while missing:
        missing -= {fact.name for fact in next(fired).facts}


def test_a_fact_that_holds_and_is_not_asked_for_is_no_ground() -> None:
    def turn(node: Node) -> Node:
        return elementwise("mul", number(-1), node.operands[0])

    rewrite = Rewrite(turn, ("abs",), needs=("positive",), domain="equal", role="shorter")
    assert Step(rewrite, abs(p), -p, abs(p), -p).facts == ()


def test_what_a_rewrite_saw_may_be_a_piece_of_what_stands_there() -> None:
    """What is joined is looked at piece by piece: √(x² + 1) - x keeps its digits beside other numbers."""
    trace = steps(sqrt(concat([x**2, w]) + 1) - concat([x, w]))
    (piece,) = [step for step in trace if step.before is not step.place]
    assert piece.name == "root_less_its_neighbour" and str(piece.before) == "sqrt(x**2 + 1) - x"
    assert piece.place.shape == piece.result.shape == (7,) and piece.after.shape == (4,)
    assert piece.domain == piece.rewrite.domain == "equal"
    assert wrong_steps([piece]) == []

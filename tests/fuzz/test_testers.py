"""The testers tested: one wrong line on any floor is found among the graphs that run in CI, and named."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial

import pytest

from symnet.diff import elementwise as diff_elementwise
from symnet.diff import tables
from symnet.expr.nodes.elementwise import elementwise
from symnet.expr.nodes.graph import topological
from symnet.expr.nodes.node import Node
from symnet.lower import elementwise as lower_elementwise
from symnet.simplify.algebra import table as algebra
from symnet.simplify.engine import Table
from symnet.simplify.numeric import passes as numeric
from symnet.simplify.rewrite import Rewrite
from tests.fuzz.batch import Batch, Failure
from tests.fuzz.checks import check
from tests.fuzz.graphs import RandomGraph

BATCHES, GRAPHS = 8, 90  # until one shows what is wrong: sinh stands in one of hundreds

Patch = Callable[[pytest.MonkeyPatch], None]


def wrong_derivative(patch: pytest.MonkeyPatch) -> None:
    """∂ tanh = 1 - t: right at 0 only."""
    patch.setitem(diff_elementwise.PARTIALS, "tanh", (lambda y, x: 1 - y,))


def wrong_vjp(patch: pytest.MonkeyPatch) -> None:
    """A solution's cotangent is that of the transposed equation, forgotten here."""
    true = tables.VJP["reshape"]
    patch.setitem(tables.VJP, "reshape", lambda node, y_bar, k: 2 * true(node, y_bar, k))  # type: ignore[operator]


def wrong_second_derivative(patch: pytest.MonkeyPatch) -> None:
    """∂ sin = cos, but ∂ cos = sin: only the second order of a sine sees it."""
    patch.setitem(diff_elementwise.PARTIALS, "cos", (lambda y, x: elementwise("sin", x),))


def corrupted_rewrite(patch: pytest.MonkeyPatch) -> None:
    """max(x, 0) → x."""

    def forget_the_maximum(node: Node) -> Node | None:
        return node.operands[0] if node.operands[0].shape == node.shape else None

    wrong = Rewrite(forget_the_maximum, ("maximum",), domain="equal", role="shorter")
    patch.setattr(algebra, "TABLE", Table((wrong, *algebra.ALGEBRA), algebra.TABLE.opening))


def a_pair_that_undoes_itself(patch: pytest.MonkeyPatch) -> None:
    """tan(x) → -tan(-x), beside the rewrite that takes the sign out again: right everywhere, and never at rest."""

    def put_a_sign_in(node: Node) -> Node | None:
        return -elementwise("tan", -node.operands[0])

    restless = Rewrite(put_a_sign_in, ("tan",), domain="equal", role="shorter")
    patch.setattr(algebra, "TABLE", Table((restless, *algebra.ALGEBRA), algebra.TABLE.opening))


def corrupted_numeric_form(patch: pytest.MonkeyPatch) -> None:
    """cos(x) → sin(x) in the numeric form alone."""

    def turn(node: Node) -> Node | None:
        return elementwise("sin", node.operands[0])

    table = Table((Rewrite(turn, ("cos",), domain="equal", role="stable"),))
    patch.setattr(numeric, "_RUN", (*numeric._RUN, numeric.TablePass(table)))


def wrong_lowering(patch: pytest.MonkeyPatch) -> None:
    """sinh is lowered as tanh."""
    patch.setitem(lower_elementwise._EMIT, "sinh", lower_elementwise._direct("tanh"))


WRONG: dict[str, tuple[Patch, str, str]] = {  # where it stands, and of which floor it is
    "a wrong derivative": (wrong_derivative, "tanh", "diff"),
    "a wrong vjp": (wrong_vjp, "reshape", "diff"),
    "a wrong second derivative": (wrong_second_derivative, "sin", "diff"),
    "a corrupted rewrite": (corrupted_rewrite, "maximum", "algebra|calculus"),
    "a pair that undoes itself": (a_pair_that_undoes_itself, "tan", "simplify: rest"),
    "a corrupted numeric form": (corrupted_numeric_form, "cos", "numeric"),
    "a wrong lowering": (wrong_lowering, "sinh", "loops"),
}


def check_where(stands: str, graph: RandomGraph) -> Counter[str]:
    """What could not show it is not checked, for that takes the time."""
    nodes = topological(*graph.roots)
    return check(graph) if any(stands in (node.kind, getattr(node, "op", "")) for node in nodes) else Counter()


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_caught_and_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    patch, stands, floor = WRONG[name]
    patch(monkeypatch)
    with pytest.raises(Failure, match=rf"the floor '({floor})") as caught:
        for seed in range(BATCHES):
            Batch(seed, GRAPHS, partial(check_where, stands)).run()
    assert caught.value.source.count("\nn") <= 25, "the graph that shows it was not shrunk"

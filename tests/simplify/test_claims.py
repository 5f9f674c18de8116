"""What every rewrite says of itself is true: its needs, its domain and its role, on instances drawn from its examples.

`needs`: on data that satisfy the assumptions both sides are equal; a fact less, and the rewrite does not fire, or does
something that is right without it; and what it says it needs is what it asks for, no more and no less.
`domain`: where both sides say "equal", neither has a value where the other has none; "extends" is seen to.
`role`: what is "shorter" never takes more operations, what is "exposing" does on some example.
`SYMNET_CLAIM_TRIALS=100 pytest tests/simplify/test_claims.py` looks at more data of more examples.
"""

from __future__ import annotations

import os
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace

import pytest

from symnet.expr.facts.evidence import implying
from symnet.expr.nodes.elementwise import elementwise
from symnet.expr.nodes.graph import topological
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.result_dtypes import COUNTED
from symnet.expr.nodes.symbols import tensor
from symnet.simplify.cost import operation_count
from symnet.simplify.engine import Normalizer, Table
from symnet.simplify.rewrite import FINITE, Claims, Rewrite
from tests.simplify.claims import Verdict, parted
from tests.simplify.doubts import Doubt, doubts
from tests.simplify.firing import EVERY, Firing, firings, firings_of
from tests.simplify.graphs import Grower

TRIALS = int(os.environ.get("SYMNET_CLAIM_TRIALS", "8"))
MOST = max(5, TRIALS // 4)  # examples of a rewrite whose values are compared
MOST_DOUBTED = 20  # examples of a rewrite from which facts are taken
PATIENCE = 400  # data tried until something happens that is said to happen
LARGEST = 25  # nodes of a formula in a random graph
EXTENT = 64  # of a symbolic axis, when operations are compared

BY_NAME = {rewrite.name: rewrite for rewrite in EVERY}
EXTENDING = [name for name, rewrite in BY_NAME.items() if rewrite.domain == "extends"]
FOR_FINITE = [name for name, rewrite in BY_NAME.items() if FINITE in rewrite.needs]
OF_NODES = [name for name, rewrite in BY_NAME.items() if isinstance(rewrite, Rewrite)]
MEASURED = [name for name in OF_NODES if BY_NAME[name].role in ("shorter", "exposing")]


def _seed(name: str) -> int:
    return zlib.crc32(name.encode())


# --------------------------------------------------------------------------- values and domain


def false_values(claims: Claims, instances: Iterable[Firing], trials: int) -> Iterator[str]:
    """Where the new node has not the value that it is said to have."""
    for firing in instances:
        verdict = parted(firing.before, firing.after, _seed(claims.name), trials)
        beyond = verdict.differs_beyond if FINITE not in claims.needs else ""
        extends = verdict.extends if claims.domain == "equal" else ""
        yield from filter(None, [verdict.differs, beyond, extends])


def seen(claims: Claims, instances: Iterable[Firing], what: str) -> str:
    """A story of what is said to happen: `what` names a field of `Verdict`."""
    instances = list(instances)
    for seed in range(PATIENCE // 20):
        for firing in instances:
            verdict: Verdict = parted(firing.before, firing.after, _seed(claims.name) + seed, 20)
            if story := getattr(verdict, what):
                return str(story)
    return ""


@pytest.mark.parametrize("name", BY_NAME)
def test_both_sides_have_the_values_that_are_claimed(name: str) -> None:
    assert firings()[name]
    assert list(false_values(BY_NAME[name], firings()[name][:MOST], TRIALS)) == []


@pytest.mark.parametrize("seed", range(3 * TRIALS))
def test_they_have_them_in_random_graphs_too(seed: int) -> None:
    for firing in firings_of(Grower(seed).grow(6 + seed % 8)):
        inside = topological(firing.before)
        if len(inside) <= LARGEST and not any(node.dtype in COUNTED for node in inside):
            assert list(false_values(firing.rewrite, [firing], TRIALS // 2)) == []


@pytest.mark.parametrize("name", EXTENDING)
def test_what_is_said_to_extend_the_domain_does(name: str) -> None:
    assert seen(BY_NAME[name], firings()[name], "extends")


@pytest.mark.parametrize("name", FOR_FINITE)
def test_what_is_said_to_need_finite_values_does(name: str) -> None:
    assert seen(BY_NAME[name], firings()[name], "differs_beyond")


# --------------------------------------------------------------------------- needs


def needed(claims: Claims, instances: Iterable[Firing], trials: int) -> set[str]:
    """The facts without which it does not fire; of those that imply one another, the strongest."""
    found = set()
    for firing in instances:
        by_part: dict[Node, set[str]] = defaultdict(set)
        for doubt in doubts(firing):
            if doubt.is_needed(_seed(claims.name), trials):
                by_part[doubt.part].add(doubt.fact)
        found |= {fact for facts in by_part.values() for fact in facts if not implying(fact) & facts}
    return found


def wrong_without(claims: Claims, instances: Iterable[Firing], trials: int) -> Iterator[str]:
    """Where it fires without a fact that it needs, and gives something wrong."""
    for firing in instances:
        for doubt in doubts(firing):
            if doubt.got is not None and doubt.fact in claims.needs:
                yield from filter(None, [_wrong(doubt, _seed(claims.name), trials)])


def _wrong(doubt: Doubt, seed: int, trials: int) -> str:
    assert doubt.got is not None
    return parted(doubt.before, doubt.got, seed, trials).differs


@pytest.mark.parametrize("name", OF_NODES)
def test_it_needs_what_it_asks_for(name: str) -> None:
    assert needed(BY_NAME[name], firings()[name][:MOST_DOUBTED], TRIALS) == set(BY_NAME[name].needs) - {FINITE}


@pytest.mark.parametrize("name", [name for name in OF_NODES if set(BY_NAME[name].needs) - {FINITE}])
def test_without_a_fact_it_does_nothing_wrong(name: str) -> None:
    assert list(wrong_without(BY_NAME[name], firings()[name][:MOST_DOUBTED], TRIALS)) == []


# --------------------------------------------------------------------------- role


def changes(instances: Iterable[Firing]) -> list[tuple[float, int]]:
    """By how much operations and nodes become more."""
    return [
        (_operations(f.after) - _operations(f.before), len(topological(f.after)) - len(topological(f.before)))
        for f in instances
    ]


def _operations(node: Node) -> float:
    count = operation_count([node])
    return float(count.subs(dict.fromkeys(count.free_symbols, EXTENT)))


@pytest.mark.parametrize("name", MEASURED)
def test_the_role_says_whether_it_becomes_shorter(name: str) -> None:
    more = changes(firings()[name])
    if BY_NAME[name].role == "shorter":
        assert all(operations <= 0 for operations, _ in more), more
        assert any(operations < 0 or nodes <= 0 for operations, nodes in more), more
    else:
        assert any(operations > 0 or nodes > 0 for operations, nodes in more), more


# --------------------------------------------------------------------------- a wrong claim is caught


def claimed(name: str, **other: object) -> tuple[Claims, list[Firing]]:
    """A rewrite with another claim."""
    return replace(BY_NAME[name], **other), firings()[name]  # type: ignore[arg-type]


def test_a_domain_that_is_extended_in_silence_is_caught() -> None:
    wrong, instances = claimed("collect_powers_of_absolute_value", domain="equal")
    assert any(story.startswith("x/abs(x) is nan") for story in false_values(wrong, instances, 40))


def test_a_domain_that_is_not_extended_is_caught() -> None:
    wrong, instances = claimed("log_of_exponential", domain="extends")
    assert not seen(wrong, instances, "extends")


def test_finite_values_that_are_needed_in_silence_are_caught() -> None:
    wrong, instances = claimed("multiply_out_delta", needs=())
    assert any("x*(eye(4) - S)" in story for story in false_values(wrong, instances, 40))


def test_finite_values_that_are_not_needed_are_caught() -> None:
    wrong, instances = claimed("log_of_exponential", needs=(FINITE,))
    assert not seen(wrong, instances, "differs_beyond")


def test_another_value_is_caught() -> None:
    (firing, *_) = firings()["log_of_exponential"]
    wrong = replace(firing, after=elementwise("mul", -1, firing.after))
    assert list(false_values(BY_NAME["log_of_exponential"], [wrong], 8))


def forget_the_sign(node: Node) -> Node | None:
    """|x| → x.  Condition: none, which is wrong."""
    return node.operands[0]


def test_a_rewrite_that_does_not_ask_is_caught() -> None:
    (firing, *_) = firings()["drop_abs_of_nonnegative"]
    wrong = Rewrite(forget_the_sign, ("abs",), needs=("nonnegative",), domain="equal", role="shorter")
    instances = [replace(firing, rewrite=wrong)]
    assert needed(wrong, instances, 8) == set()
    assert any(story.startswith("abs(part) is ") for story in wrong_without(wrong, instances, 8))


def test_needs_that_are_not_said_or_not_asked_for_are_caught() -> None:
    for name, needs in (("sign_of_positive_is_one", ("nonnegative",)), ("log_of_exponential", ("positive",))):
        wrong, instances = claimed(name, needs=needs)
        assert needed(wrong, instances, 8) != set(wrong.needs)


def forget_to_transpose(node: Node) -> Node | None:
    """x.T → x.  Condition: none, which is wrong."""
    return node.operands[0] if node.rank == 2 else None


def test_a_rewrite_that_changes_a_shape_is_stopped() -> None:
    wrong = Rewrite(forget_to_transpose, ("einsum",), domain="equal", role="shorter")
    with pytest.raises(AssertionError, match=r"\(4, 3\), \(3, 4\)"):
        Normalizer(Table([wrong]))([tensor("X", 3, 4).T])

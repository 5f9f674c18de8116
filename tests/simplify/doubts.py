"""What a rewrite does where one fact is taken from it: for the check of what it says it needs.

In: where a rewrite fired.  Out: `doubts`, the same formula with a leaf in the place of a part about which something was
known, once with all of it and once with one fact less.
A fact is taken with those that imply it: what is no longer nonnegative is not positive either.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from symnet.expr.facts.assumptions import facts
from symnet.expr.facts.evidence import can_stand_in, implying, stand_in, with_part
from symnet.expr.nodes.graph import topological
from symnet.expr.nodes.node import Node
from symnet.simplify.engine import keeps_dtype
from symnet.simplify.rewrite import Rewrite
from tests.simplify.claims import parted
from tests.simplify.firing import Firing

LARGEST = 40  # nodes of a formula that is looked at


@dataclass(frozen=True)
class Doubt:
    """A formula in which a fact no longer holds.

    fact: what was taken.  part: of what.
    before: the formula without it.  given: what the rewrite gave with it.  got: what it gives now.
    """

    fact: str
    part: Node
    before: Node
    given: Node
    got: Node | None

    def is_needed(self, seed: int, trials: int) -> bool:
        """Whether the rewrite rests on the fact: it fires no more, or gives something else, and had better."""
        if self.got is self.given:
            return False
        return self.got is None or bool(parted(self.before, self.given, seed, trials).differs)


def doubts(firing: Firing) -> Iterator[Doubt]:
    """Every fact of every part of a formula taken away in turn, where the rewrite fires on a leaf that has them all."""
    assert isinstance(firing.rewrite, Rewrite)
    inside = topological(firing.before)
    if len(inside) > LARGEST:
        return
    for part in inside:
        if part is not firing.before and can_stand_in(part):
            yield from _doubts_of(firing.rewrite, firing.before, part)


def _doubts_of(rewrite: Rewrite, formula: Node, part: Node) -> Iterator[Doubt]:
    held = facts(part)
    leaf = stand_in(part, held)
    after = _applied(rewrite, with_part(formula, part, leaf))
    if after is not None:
        for fact in sorted(held):
            bare = stand_in(part, held - {fact} - implying(fact))
            before = with_part(formula, part, bare)
            yield Doubt(fact, part, before, with_part(after, leaf, bare), _applied(rewrite, before))


def _applied(rewrite: Rewrite, node: Node) -> Node | None:
    new = rewrite.apply(node)
    return None if new is None or new is node or not keeps_dtype(node, new) else new

"""What a rewrite does where one fact is taken from it: for the check of what it says it needs.

In: where a rewrite fired.  Out: `doubts`, the same formula with a leaf in the place of a part about which something was
known, once with all of it and once with one fact less.
A fact is taken with those that imply it: what is no longer nonnegative is not positive either.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from symnet import dtypes
from symnet.errors import AssumptionError
from symnet.expr.facts.assumptions import IMPLIES, facts
from symnet.expr.nodes.graph import substitute, topological
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import tensor
from symnet.simplify.engine import keeps_dtype
from symnet.simplify.rewrite import Rewrite
from tests.simplify.claims import parted
from tests.simplify.firing import Firing

PART = "part"  # the name of the leaf
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
        if part is firing.before or part.kind in ("number", "size") or not dtypes.is_real(part.dtype or "float64"):
            continue
        yield from _doubts_of(firing.rewrite, firing.before, part)


def _doubts_of(rewrite: Rewrite, formula: Node, part: Node) -> Iterator[Doubt]:
    held = facts(part)
    leaf = _leaf(part, held)
    whole = None if leaf is None else _with(formula, part, leaf)
    after = None if whole is None else _applied(rewrite, whole)
    if leaf is None or after is None:
        return
    for fact in sorted(held):
        bare = _leaf(part, held - {fact} - implying(fact))
        if bare is not None:
            before = _with(formula, part, bare)
            yield Doubt(fact, part, before, _with(after, leaf, bare), _applied(rewrite, before))


def implying(fact: str) -> set[str]:
    """The facts that imply it."""
    return {name for name, implied in IMPLIES.items() if fact in implied}


def _leaf(part: Node, known: frozenset[str]) -> Node | None:
    """A leaf of the same shape of which the facts are known; None where no leaf may carry them."""
    try:
        return tensor(PART, *part.shape, **dict.fromkeys(sorted(known), True))
    except AssumptionError:
        return None


def _with(formula: Node, part: Node, leaf: Node) -> Node:
    return substitute([formula], {part: leaf})[0]


def _applied(rewrite: Rewrite, node: Node) -> Node | None:
    new = rewrite.apply(node)
    return None if new is None or new is node or not keeps_dtype(node, new) else new

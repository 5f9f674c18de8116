"""Why a fact holds: the facts of operands that it follows from, down to what leaves were declared to be.

In: a node and the name of a fact that holds of it.  Out: a `Fact`, with the facts that it follows from; `rested_on`,
the same of anything that holds of a formula.
They are found by trying: a part of the formula gives way to a leaf of which as much is known, then to one of which one
thing less is known; where the fact is lost, it rests on that.
Not handled: a fact that each of two parts would give by itself, and reasons more than `DEEPEST` levels below: both are
taken for facts by form alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sympy import Tuple

from symnet import dtypes
from symnet.expr.facts.assumptions import IMPLIES, Facts, facts
from symnet.expr.nodes.extents import shape_arg
from symnet.expr.nodes.graph import substitute
from symnet.expr.nodes.node import Node, static_name
from symnet.expr.nodes.symbols import Tensor

DEEPEST = 6  # levels of reasons
MOST = 64  # parts of a formula that are looked at
SENTENCES = {
    "positive": "{} is positive",
    "nonnegative": "{} is not negative",
    "nonzero": "{} is not 0",
    "unit": "{} lies in [0, 1]",
    "open_unit": "{} lies in (0, 1)",
    "integer": "{} is whole",
    "one_hot": "{} is one-hot",
    "simplex": "{} sums to one",
    "symmetric": "{} is symmetric",
}


@dataclass(frozen=True)
class Fact:
    """Something known of a node.

    because: what it follows from, of operands; nothing where the node was declared so, or is so by its form alone.
    """

    name: str
    node: Node
    because: tuple[Fact, ...] = ()

    def __str__(self) -> str:
        sentence = SENTENCES[self.name].format(self.node)
        reasons = " and ".join(map(str, self.because))
        return f"{sentence} (for {reasons})" if reasons else sentence


def evidence(node: Node, name: str, levels: int = DEEPEST) -> Fact:
    """A fact that holds of a node, with what it follows from.

    Example:
        >>> import symnet as sn
        >>> p, q = sn.tensor("p", 3, positive=True), sn.tensor("q", 3, nonnegative=True)
        >>> print(evidence(p + q, "positive"))
        p + q is positive (for p is positive and q is not negative)
    """
    assert name in facts(node), (name, node)
    if not levels:
        return Fact(name, node)
    premises = rested_on(node, lambda part, leaf: name in facts(with_part(node, part, leaf)))
    return Fact(name, node, tuple(evidence(part, premise, levels - 1) for part, premise in premises))


# --------------------------------------------------------------------------- one fact less


def rested_on(formula: Node, holds: Callable[[Node, Node], bool]) -> Iterator[tuple[Node, str]]:
    """The facts of parts of a formula that something rests on, the largest parts first; it looks inside the others.

    holds: whether it is so where a leaf takes the place of a part.
    """
    waiting, seen = list(reversed(formula.operands)), set[Node]()
    while waiting and len(seen) < MOST:
        part = waiting.pop()
        if part in seen:
            continue
        seen.add(part)
        lost = _lost_without(part, holds)
        yield from ((part, name) for name in lost)
        if not lost:
            waiting.extend(reversed(part.operands))


def _lost_without(part: Node, holds: Callable[[Node, Node], bool]) -> list[str]:
    """The facts of one part: it holds of a leaf that has them all, and not of one without; of facts that imply one
    another the strongest.
    """
    known = facts(part)
    if not known or not can_stand_in(part) or not holds(part, stand_in(part, known)):
        return []
    lost = {name for name in known if not holds(part, stand_in(part, known - {name} - implying(name)))}
    return [name for name in sorted(lost) if not implying(name) & lost]


def with_part(formula: Node, part: Node, leaf: Node) -> Node:
    """The formula with a leaf in the place of a part, wherever that stands."""
    return substitute([formula], {part: leaf})[0]


def implying(name: str) -> frozenset[str]:
    """The facts that imply one."""
    return frozenset(stronger for stronger, implied in IMPLIES.items() if name in implied)


def can_stand_in(part: Node) -> bool:
    """Whether a leaf may take the place of a part: one that is real, and no number."""
    return part.kind not in ("number", "size") and dtypes.is_real(part.dtype or dtypes.DEFAULT_REAL)


def stand_in(part: Node, known: Facts) -> Node:
    """A leaf of the shape of a part, of which some facts are known."""
    names = Tuple(*map(static_name, sorted(known)))
    dtype = static_name(part.dtype or dtypes.DEFAULT_REAL)
    return Tensor(static_name("part"), shape_arg(part.shape), dtype, names, static_name(""))

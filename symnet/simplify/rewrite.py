"""Rewrites as data: what each is tried on, which facts it needs, what it does to the domain, and what it is for.

In: functions from a node to a new node, or from roots to roots.  Out: `Rewrite` and `GraphRewrite`, the records that
the tables are made of.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from typing import Any, Literal, get_args

from symnet.expr.facts.assumptions import VOCABULARY
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.topics import bits_of

Apply = Callable[[Any], Node | None]  # a rewrite of one kind of node says so in its own annotation
Pass = Callable[..., list[Node]]  # of all roots at once
Domain = Literal["equal", "extends"]
Role = Literal["shorter", "exposing", "spelling", "stable"]

DOMAINS: dict[str, str] = {
    "equal": "the new node has a value where the old one has, and nowhere else",
    "extends": "it may also have a value where the old one has none: x - x becomes 0, at x = ∞ too",
}
ROLES: dict[str, str] = {
    "shorter": "a law that leaves fewer operations, or as many",
    "exposing": "a law that may be longer by itself: it brings like terms together, or out what others cancel",
    "spelling": "one order or spelling out of several that are equal: a reader sees nothing happen",
    "stable": "digits, range, or a value at a pole are kept: it is for arithmetic, not for readers",
}
FINITE = "finite"
NEEDS: dict[str, str] = {
    **VOCABULARY,
    FINITE: "every value in the formula is finite; this alone is not asked for: beyond it a value may be lost",
}
assert set(DOMAINS) == set(get_args(Domain)) and set(ROLES) == set(get_args(Role))


@dataclass(frozen=True)
class Claims:
    """A named function, and what is claimed of it in words of `NEEDS`, `DOMAINS` and `ROLES`.

    needs: facts without which it, or a case of it, would be wrong: it asks for them, all but `finite`.
    """

    apply: Callable[..., Any]
    _: KW_ONLY
    needs: tuple[str, ...] = ()
    domain: Domain
    role: Role

    @property
    def name(self) -> str:
        return self.apply.__name__

    @property
    def meaning(self) -> str:
        """before → after, condition, reason: the docstring."""
        return (self.apply.__doc__ or "").strip()


@dataclass(frozen=True)
class Rewrite(Claims):
    """A rewrite of one node: `apply(node)` gives the new node, or None where it does not fire.

    on: the kinds ("einsum") and primitives ("mul") it is tried on; empty for every node.
    below: topics that must all be there, at the node or anywhere below it, or it does not fire; "sin|cos" is either.
    """

    apply: Apply
    on: tuple[str, ...] = ()
    below: tuple[str, ...] = ()

    def needed_bits(self) -> list[int]:
        """The topics that must stand below, as bits: of each number at least one."""
        return [bits_of(some.split("|")) for some in self.below]

    def holds(self, topics: int) -> bool:
        """Whether all is there that it needs below a node."""
        return all(topics & bits for bits in self.needed_bits())


@dataclass(frozen=True)
class GraphRewrite(Claims):
    """A rewrite of a whole graph, for what depends on who uses a value: `apply(roots)` gives the new roots."""

    apply: Pass

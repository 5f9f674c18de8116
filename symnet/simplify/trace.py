"""One line of a trace: which rewrite fired, where, and by what right.

In: what the engine did.  Out: `Step`s; `Step.facts`, what the rewrite rested on there, with the evidence.
The facts are found when they are asked for: a part of the formula gives way to a leaf of which one thing less is known,
and where the rewrite then does something else, it rested on that.
Not handled: what the rewrites of a whole graph rest on.
"""

from __future__ import annotations

from dataclasses import dataclass

from symnet.expr.facts.assumptions import facts
from symnet.expr.facts.evidence import Fact, evidence, rested_on, stand_in, with_part
from symnet.expr.nodes.node import Node
from symnet.simplify.rewrite import Claims, Domain, Rewrite


@dataclass(frozen=True)
class Step:
    """A rewrite that fired.

    place, result: the node of the graph, and what stands there now.
    before, after: what the rewrite saw and gave: the same, or another spelling of the node, or a piece of it.
    """

    rewrite: Claims
    place: Node
    result: Node
    before: Node
    after: Node

    @property
    def name(self) -> str:
        return self.rewrite.name

    @property
    def domain(self) -> Domain:
        return self.rewrite.domain

    @property
    def facts(self) -> tuple[Fact, ...]:
        """What the rewrite rested on here: of the facts that it needs, those without which it would not have fired.

        Example:
            >>> import symnet as sn
            >>> from symnet.simplify.algebra.table import simplify
            >>> steps = []
            >>> simplify([sn.log(sn.tensor("p", 3, positive=True) ** 2)], steps)
            [2*log(p)]
            >>> print(*steps[0].facts)
            p is positive
        """
        if not isinstance(self.rewrite, Rewrite) or not self.rewrite.needs:
            return ()
        found = rested_on(self.before, self._fires_alike)
        return tuple(evidence(part, name) for part, name in found if name in self.rewrite.needs)

    def _fires_alike(self, part: Node, leaf: Node) -> bool:
        """Whether the rewrite gives the same with a leaf in the place of a part as with one that is all the part is."""
        whole = stand_in(part, facts(part))
        given = self.rewrite.apply(with_part(self.before, part, whole))
        got = self.rewrite.apply(with_part(self.before, part, leaf))
        return given is not None and got is with_part(given, whole, leaf)

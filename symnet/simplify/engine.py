"""The engine of both normal forms: rewrites dispatched by node kind, applied bottom-up until none fires.

In: roots and an ordered tuple of `Rewrite`s.  Out: the roots in normal form.
A rewrite sees one node whose operands are in normal form, and never its users: the normal form of a node does not
depend on where it stands, so normal forms are fixed points (`simplify(simplify(x)) is simplify(x)`) and every
distinct node is visited once.  Nothing recurses: a rewritten node is pushed again and its own operands come first.
"""

from __future__ import annotations

import operator
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from symnet import dtypes
from symnet.errors import UnsettledWarning, explain
from symnet.expr.nodes.extents import same_shape
from symnet.expr.nodes.graph import topological, with_operands
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.topics import bits_of
from symnet.simplify.rewrite import Rewrite
from symnet.simplify.trace import Step

Fired = tuple[Rewrite, Node, Node]  # what fired, on what, and what it gave


def _no_other_spelling(node: Node) -> tuple[Node, ...]:
    """No spelling of a node but itself."""
    return ()


def _whole(node: Node) -> None:
    """No pieces: a node that is not taken apart."""
    return


# A node that is rewritten this often in a row shows a measure that does not fall: our own mistake.  Of one with many
# operands, which may go one by one, a rewrite counts less.
MAX_REWRITES_IN_A_ROW = 200
WIDE = 16  # operands


def keeps_dtype(node: Node, new: Node) -> bool:
    """Whether the new node is real where the old one was, or of the same integer dtype: otherwise whatever uses it
    would compute in another dtype.  What takes the dtype of its users must not have one of its own afterwards.
    """
    if new.dtype == node.dtype:
        return True
    return node.dtype is not None and dtypes.is_real(new.dtype) and dtypes.is_real(node.dtype)


@dataclass
class Table:
    """Rewrites by topic, in their order; `opening` is tried on a node before its operands are settled.

    lasting: whether nodes remember that they are in this normal form, so that no later graph visits them again.
    spellings: other spellings of a node, in which a rewrite may fire where none does as it stands.
    apart: the pieces that a node is joined from, and what joins them; a rewrite may fire in one of them.
    """

    rewrites: Sequence[Rewrite]
    opening: Rewrite | None = None
    lasting: bool = False
    spellings: Callable[[Node], Iterable[Node]] = _no_other_spelling
    apart: Callable[[Node], tuple[list[Node], Callable[[list[Node]], Node]] | None] = _whole
    _on: dict[str, list[tuple[Rewrite, list[int]]]] = field(default_factory=dict)  # with what each needs below
    _by_topics: dict[str, dict[int, tuple[Rewrite, ...]]] = field(default_factory=dict)

    def of(self, node: Node) -> tuple[Rewrite, ...]:
        """The rewrites that may fire on a node, by its topic and those below it."""
        by_topics = self._by_topics.get(node.topic)
        if by_topics is None:
            by_topics = self._by_topics.setdefault(node.topic, {})
        found = by_topics.get(node.topics)
        if found is None:
            found = by_topics[node.topics] = self._among(node.topic, node.topics)
        return found

    def _among(self, topic: str, topics: int) -> tuple[Rewrite, ...]:
        if topic not in self._on:
            self._on[topic] = [(r, r.needed_bits()) for r in self.rewrites if not r.on or topic in r.on]
        return tuple(r for r, needed in self._on[topic] if all(topics & bits for bits in needed))

    def concerns(self, topics: int) -> bool:
        """Whether it may rewrite a graph that has nodes of these topics alone."""
        every = self.rewrites if self.opening is None else (*self.rewrites, self.opening)
        return any((not r.on or topics & bits_of(r.on)) and r.holds(topics) for r in every)

    def step(self, node: Node) -> tuple[Node, list[Fired]] | None:
        """What the first rewrite that fires makes of a node, and how: in its pieces several may fire."""
        if not self.of(node):
            return None
        fired = self._fired_in_some_spelling(node)
        return (fired[2], [fired]) if fired is not None else self._fired_in_pieces(node)

    def _fired_in_some_spelling(self, node: Node) -> Fired | None:
        fired = self._fired(node)
        if fired is None:
            others = map(self._fired, self.spellings(node))
            fired = next((other for other in others if other is not None), None)
        return fired

    def _fired_in_pieces(self, node: Node) -> tuple[Node, list[Fired]] | None:
        pieces, join = self.apart(node) or ((), None)
        fired = [self._fired_in_some_spelling(piece) for piece in pieces]
        if join is None or not any(fired):
            return None
        whole = join([p if f is None else f[2] for p, f in zip(pieces, fired, strict=True)])
        return whole, [f for f in fired if f is not None]

    def _fired(self, node: Node) -> Fired | None:
        for rewrite in self.of(node):
            new = rewrite.apply(node)
            if new is not None and new is not node and keeps_dtype(node, new):
                return rewrite, node, new
        return None


class Normalizer:
    """Normal forms under one table, remembered for as long as the object lives."""

    def __init__(self, table: Table, trace: list[Step] | None = None) -> None:
        self.table = table
        self.trace = trace
        self.visits = 0
        self.unsettled: list[Node] = []  # where rewriting was stopped
        self._done: dict[Node, Node] = {}
        self._forward: dict[Node, Node] = {}
        self._age: dict[Node, float] = {}
        self._met: set[Node] = set()

    def __call__(self, roots: Iterable[Node]) -> list[Node]:
        """The normal forms of the roots.

        Warns:
            UnsettledWarning: two rewrites undo each other; that is a mistake of ours, and an error in tests.
        """
        before, roots = len(self.unsettled), list(roots)
        if self.table.opening is None and not self.table.lasting:
            self._in_order(roots)
        results = [self._normal(root) for root in roots]
        for node in self.unsettled[before:]:
            warnings.warn(_story(node), UnsettledWarning, stacklevel=3)
        return results

    def _in_order(self, roots: Sequence[Node]) -> None:
        """The normal forms of all nodes below some, operands first: most of them stay, and cost little here."""
        table, done = self.table, self._done
        same: set[int] = set()  # the identities of what stays; the list holds all of them
        for node in topological(*roots):
            known = done.get(node)
            if known is None:
                if same.issuperset(map(id, node.operands)):
                    self.visits += 1
                    fired = table.step(node)
                    if fired is None:
                        done[node] = node
                        same.add(id(node))
                        continue
                    self._rewrite(node, *fired)
                known = self._normal(node)
            if known is node:
                same.add(id(node))

    def _normal(self, root: Node) -> Node:
        done, forward, opening, stack = self._done, self._forward, self.table.opening, [root]
        entered: set[Node] = set()
        while stack:
            node = stack[-1]
            if node in done:
                stack.pop()
            elif node._normal is self.table:
                done[stack.pop()] = node
            elif node in forward:
                target = forward[node]
                if target in done:
                    done[node] = done[target]
                    stack.pop()
                else:
                    if node in entered:
                        self._settle(node)
                        continue
                    entered.add(node)
                    stack.append(target)
            else:
                if opening is not None and self._opens(node, opening):
                    continue
                waiting = [o for o in node.operands if o not in done]
                if waiting:
                    stack.extend(reversed(waiting))
                else:
                    self._advance(node)
        return done[root]

    def _advance(self, node: Node) -> None:
        """One step for a node whose operands are settled: rebuild it over them, or rewrite it, or declare it done."""
        self.visits += 1
        operands = [self._done[o] for o in node.operands]
        if any(map(operator.is_not, operands, node.operands)):
            self._send(node, with_operands(node, operands))
            return
        fired = self.table.step(node)
        if fired is None:
            self._done[node] = node
            if self.table.lasting:
                node._normal = self.table
            return
        self._rewrite(node, *fired)

    def _opens(self, node: Node, opening: Rewrite) -> bool:
        """Try the rewrite that comes before the operands, once for each node."""
        if node in self._met:
            return False
        self._met.add(node)
        opened = opening.apply(node)
        if opened is not None:
            self._rewrite(node, opened, [(opening, node, opened)])
        return opened is not None

    def _rewrite(self, node: Node, new: Node, fired: list[Fired]) -> None:
        if self.trace is not None:
            self.trace.extend(Step(rewrite, node, new, before, after) for rewrite, before, after in fired)
        self._send(node, new)

    def _settle(self, node: Node) -> None:
        """Stop where two rewrites undo each other: the node as it stands has the right value, if not the best form."""
        self.unsettled.append(node)
        self._done[node] = node

    def _send(self, node: Node, new: Node) -> None:
        age = self._age.get(node, 0) + min(1.0, WIDE / max(len(node.operands), 1))
        if age >= MAX_REWRITES_IN_A_ROW:
            self._settle(node)
            return
        assert same_shape(new.shape, node.shape), (node.topic, node.shape, new.shape)
        self._forward[node] = new
        self._age[new] = max(age, self._age.get(new, 0))


def _story(node: Node) -> str:
    return explain(
        "simplify(…)",
        "a form that no rewrite changes any more",
        f"rewrites that undo each other at {node}, which stays as it stands",
        "The value is right, the form is not the normal one.  Report the expression, please.",
    )

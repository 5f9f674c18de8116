"""The engine of both normal forms: rewrites dispatched by node kind, applied bottom-up until none fires.

In: roots and an ordered tuple of `Rewrite`s.  Out: the roots in normal form.
A rewrite sees one node whose operands are in normal form, and never its users: the normal form of a node does not
depend on where it stands, so normal forms are fixed points (`simplify(simplify(x)) is simplify(x)`) and every
distinct node is visited once.  Nothing recurses: a rewritten node is pushed again and its own operands come first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from symnet import dtypes
from symnet.expr.nodes.elementwise import Elementwise
from symnet.expr.nodes.graph import with_operands
from symnet.expr.nodes.node import Node

Apply = Callable[[Any], Node | None]  # a rewrite of one kind of node says so in its own annotation
Step = tuple[str, Node, Node]  # (rewrite, before, after)


def _open_nothing(node: Node) -> Node | None:
    """No rewrite before the operands are settled."""
    return None


def _no_other_spelling(node: Node) -> tuple[Node, ...]:
    """A node is looked at as it stands."""
    return ()


def _whole(node: Node) -> None:
    """A node is not taken apart."""
    return


# A node that is rewritten this often in a row shows a measure that does not fall: our own mistake.
MAX_REWRITES_IN_A_ROW = 200


@dataclass(frozen=True)
class Rewrite:
    """One named rewrite: `apply(node)` gives the new node, or None where it does not fire.

    on: the kinds ("einsum") and primitives ("mul") it is tried on; empty for every node.
    """

    apply: Apply
    on: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.apply.__name__

    @property
    def meaning(self) -> str:
        """before → after, condition, reason: the docstring."""
        return (self.apply.__doc__ or "").strip()


def topic(node: Node) -> str:
    """What a node is dispatched by: its primitive, or its kind."""
    return node.op if isinstance(node, Elementwise) else node.kind


def keeps_dtype(node: Node, new: Node) -> bool:
    """Whether a value is real, or of one integer dtype, as it was: else what uses it would compute in another."""
    return new.dtype == node.dtype or (dtypes.is_real(new.dtype) and dtypes.is_real(node.dtype))


@dataclass
class Table:
    """Rewrites by topic, in their order; `opening` is tried on a node before its operands are settled.

    lasting: whether nodes remember that they are in this normal form, so that no later graph visits them again.
    spellings: other spellings of a node, in which a rewrite may fire where none does as it stands.
    apart: the pieces that a node is joined from, and what joins them; a rewrite may fire in one of them.
    """

    rewrites: Sequence[Rewrite]
    opening: Apply = _open_nothing
    lasting: bool = False
    spellings: Callable[[Node], Iterable[Node]] = _no_other_spelling
    apart: Callable[[Node], tuple[list[Node], Callable[[list[Node]], Node]] | None] = _whole
    _by_topic: dict[str, tuple[Rewrite, ...]] = field(default_factory=dict)

    def of(self, node: Node) -> tuple[Rewrite, ...]:
        name = topic(node)
        found = self._by_topic.get(name)
        if found is None:
            found = tuple(r for r in self.rewrites if not r.on or name in r.on)
            self._by_topic[name] = found
        return found

    def step(self, node: Node) -> tuple[str, Node] | None:
        """The first rewrite that fires, and its result."""
        if not self.of(node):
            return None
        fired = self._fired_in_some_spelling(node)
        return fired if fired is not None else self._fired_in_a_piece(node)

    def _fired_in_some_spelling(self, node: Node) -> tuple[str, Node] | None:
        fired = self._fired(node)
        if fired is None:
            others = map(self._fired, self.spellings(node))
            fired = next((other for other in others if other is not None), None)
        return fired

    def _fired_in_a_piece(self, node: Node) -> tuple[str, Node] | None:
        pieces, join = self.apart(node) or ((), None)
        fired = [self._fired_in_some_spelling(piece) for piece in pieces]
        first = next((f for f in fired if f is not None), None)
        if first is None or join is None:
            return None
        return first[0], join([p if f is None else f[1] for p, f in zip(pieces, fired, strict=True)])

    def _fired(self, node: Node) -> tuple[str, Node] | None:
        for rewrite in self.of(node):
            new = rewrite.apply(node)
            if new is not None and new is not node and keeps_dtype(node, new):
                return rewrite.name, new
        return None


class Normalizer:
    """Normal forms under one table, remembered for as long as the object lives."""

    def __init__(self, table: Table, trace: list[Step] | None = None) -> None:
        self.table = table
        self.trace = trace
        self.visits = 0
        self.unsettled: list[Node] = []  # where rewriting was stopped; tests demand that there are none
        self._done: dict[Node, Node] = {}
        self._forward: dict[Node, Node] = {}
        self._age: dict[Node, int] = {}
        self._met: set[Node] = set()

    def __call__(self, roots: Iterable[Node]) -> list[Node]:
        return [self._normal(root) for root in roots]

    def _normal(self, root: Node) -> Node:
        done, forward, stack = self._done, self._forward, [root]
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
                waiting = [o for o in node.operands if o not in done]
                if self._opens(node):
                    continue
                if waiting:
                    stack.extend(reversed(waiting))
                else:
                    self._advance(node)
        return done[root]

    def _advance(self, node: Node) -> None:
        """One step for a node whose operands are settled: rebuild it over them, or rewrite it, or declare it done."""
        self.visits += 1
        rebuilt = with_operands(node, (self._done[o] for o in node.operands))
        if rebuilt is not node:
            self._send(node, rebuilt)
            return
        fired = self.table.step(node)
        if fired is None:
            self._done[node] = node
            if self.table.lasting:
                node._normal = self.table
            return
        self._rewrite(node, *fired)

    def _opens(self, node: Node) -> bool:
        """Try the rewrite that comes before the operands, once for each node."""
        if node in self._met:
            return False
        self._met.add(node)
        opened = self.table.opening(node)
        if opened is not None:
            self._rewrite(node, self.table.opening.__name__, opened)
        return opened is not None

    def _rewrite(self, node: Node, name: str, new: Node) -> None:
        if self.trace is not None:
            self.trace.append((name, node, new))
        self._send(node, new)

    def _settle(self, node: Node) -> None:
        """Stop where two rewrites undo each other: the node as it stands has the right value, if not the best form."""
        self.unsettled.append(node)
        self._done[node] = node

    def _send(self, node: Node, new: Node) -> None:
        age = self._age.get(node, 0) + 1
        if age >= MAX_REWRITES_IN_A_ROW:
            self._settle(node)
            return
        assert new.shape == node.shape or len(new.shape) == len(node.shape), (topic(node), node.shape, new.shape)
        self._forward[node] = new
        self._age[new] = max(age, self._age.get(new, 0))

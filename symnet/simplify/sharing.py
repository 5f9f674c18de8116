"""Sharing put back: partial sums and products that the algebra form had opened.

In: roots in the algebra form, where `h2 = h1 + f(h1)` reads `x + f(x) + f(h1)`.  Out: the same, with `h1` in its
place wherever it is computed anyway; and a transposed product of matrices as the transpose of the product.
It looks at all roots together, so it belongs to the numeric form: the algebra form of a node depends on that alone.
Every replacement lowers the operation count, and each operand is looked at a bounded number of times.
Not handled: partial sums that no node of the graph is.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from symnet.expr.nodes.constants import number_of
from symnet.expr.nodes.contraction import Einsum, Indices, contract
from symnet.expr.nodes.elementwise import elementwise, is_op
from symnet.expr.nodes.graph import topological, with_operands
from symnet.expr.nodes.node import Node

MOST_CANDIDATES = 16  # partial sums tried for each operand
MOST_OPERANDS = 128  # longer sums are left alone


@dataclass(frozen=True)
class Recipe:
    """How to make a node again: the nodes it needs, and what is made of their new forms."""

    needs: tuple[Node, ...]
    make: Callable[[list[Node]], Node]


def share(roots: Iterable[Node]) -> list[Node]:
    """The roots with partial sums, partial products and transposed contractions shared."""
    roots = list(roots)
    nodes = topological(*roots)
    recipes = {**_partial_sums(nodes, "add"), **_partial_sums(nodes, "mul"), **_transposed_contractions(nodes)}
    return _remade(roots, recipes) if recipes else roots


def _remade(roots: list[Node], recipes: dict[Node, Recipe]) -> list[Node]:
    """Every node by its recipe, or over its operands: what is needed first comes first."""
    new: dict[Node, Node] = {}
    stack = list(reversed(roots))
    while stack:
        node = stack[-1]
        recipe = recipes.get(node)
        needs = recipe.needs if recipe else node.operands
        missing = [n for n in needs if n not in new]
        if missing:
            stack.extend(missing)
            continue
        stack.pop()
        ready = [new[n] for n in needs]
        new.setdefault(node, recipe.make(ready) if recipe else with_operands(node, ready))
    return [new[root] for root in roots]


# --------------------------------------------------------------------------- sums and products


@dataclass
class _Candidates:
    """Sums by the operand of theirs that the fewest sums have: whoever contains a sum contains that operand."""

    uses: Counter[Node]
    by_operand: dict[Node, list[tuple[Node, frozenset[Node]]]] = field(default_factory=lambda: defaultdict(list))

    def add(self, total: Node) -> None:
        rarest = min(total.operands, key=lambda o: (self.uses[o], o.digest))
        self.by_operand[rarest].append((total, frozenset(total.operands)))

    def inside(self, total: Node, operands: set[Node]) -> Node | None:
        """The longest other sum of the same shape all of whose operands are among these."""
        best: Node | None = None
        for operand in total.operands:
            for other, parts in self.by_operand.get(operand, [])[-MOST_CANDIDATES:]:
                longer = best is None or len(other.operands) > len(best.operands)
                if longer and parts <= operands and other is not total and other.shape == total.shape:
                    best = other
        return best


def _partial_sums(nodes: list[Node], op: str) -> dict[Node, Recipe]:
    sums = [n for n in nodes if is_op(n, op) and len(set(n.operands)) == len(n.operands) <= MOST_OPERANDS]
    sums = [n for n in sums if not _is_negation(n)]  # a sum subtracts it; a product would have to compute it
    sums.sort(key=lambda n: len(n.operands))
    candidates = _Candidates(Counter(o for total in sums for o in total.operands))
    recipes: dict[Node, Recipe] = {}
    for total in sums:
        parts = _parts(total, candidates) if len(total.operands) > 2 else []
        if parts:
            recipes[total] = Recipe(tuple(parts), lambda ready: elementwise(op, *ready))
        candidates.add(total)
    return recipes


def _is_negation(node: Node) -> bool:
    return is_op(node, "mul") and len(node.operands) == 2 and number_of(node.operands[0]) == -1


def _parts(total: Node, candidates: _Candidates) -> list[Node]:
    """The operands of a sum, some of them replaced by sums that stand elsewhere; empty when there are none."""
    left = set(total.operands)
    found: list[Node] = []
    while (inside := candidates.inside(total, left)) is not None:
        found.append(inside)
        left -= set(inside.operands)
    rest = [o for o in total.operands if o in left]
    return [*found, *rest] if found and len(found) + len(rest) > 1 else []


# --------------------------------------------------------------------------- contractions


def _transposed_contractions(nodes: list[Node]) -> dict[Node, Recipe]:
    """Contractions that differ from an earlier one in the order of their axes only."""
    first: dict[object, tuple[Einsum, tuple[object, ...]]] = {}
    recipes: dict[Node, Recipe] = {}
    for node in nodes:
        if not isinstance(node, Einsum) or not node.contracted or node.rank < 2:
            continue
        key, axes = _without_order(node)
        base, order = first.setdefault(key, (node, axes))
        if base is not node:
            recipes[node] = Recipe((base,), _transposition(order, axes))
    return recipes


def _without_order(node: Einsum) -> tuple[object, tuple[object, ...]]:
    """What a contraction computes, whatever the order of its axes; and its axes in that naming."""
    parts = sorted(zip(node.operands, node.inputs, strict=True), key=lambda part: (part[0].digest, part[1]))
    names: dict[int, int] = {}
    for _, indices in parts:
        for index in indices:
            names.setdefault(index, len(names))
    key = tuple((operand, tuple(names[i] for i in indices)) for operand, indices in parts)
    axes = tuple(names[i] for i in node.output)
    return (key, frozenset(axes)), axes


def _transposition(given: tuple[object, ...], wanted: tuple[object, ...]) -> Callable[[list[Node]], Node]:
    numbers = {axis: n for n, axis in enumerate(given)}
    source: Indices = tuple(range(len(given)))
    target = tuple(numbers[axis] for axis in wanted)
    return lambda ready: ready[0] if target == source else contract([source], target, ready[0])

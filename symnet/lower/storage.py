"""Which values get a buffer, and which are computed in place.

In: the roots of a numeric-form graph.  Out: the stored nodes in order, and for each the reduction that is fused
into its loop (*anchor*), if any, with the condition under which that is read, if a `where` takes it as a branch.

Stored are: leaves and roots; results of contractions and reductions (unless fused into the one value that uses
them); what Reshape, Place, Concat and Take need as arrays; elementwise operands that a contraction reads many
times; and values that several loops share, when computing them twice costs more than a load.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import sympy

from symnet.expr.nodes.constants import number_of
from symnet.expr.nodes.contraction import Einsum
from symnet.expr.nodes.elementwise import is_op
from symnet.expr.nodes.extents import TYPICAL, product, same_shape
from symnet.expr.nodes.graph import consumers, topological
from symnet.expr.nodes.node import Node
from symnet.loops.ir import COMPARISON
from symnet.lower.elementwise import is_costly
from symnet.lower.indexing import use_of
from symnet.lower.ranges import surely_in_range
from symnet.lower.scatter import read_once
from symnet.simplify.machine.kinds import is_reduction, scattered, source

COMPUTED = frozenset({"number", "size", "one_hot", "delta", "iota"})
MOST_IN_PLACE = 16  # values that are looked at for what an element costs
SHARED_OPERATIONS = 3  # a shared value of at least this many operations is stored
MOST_LINKS = 2  # functions, one inside the other, that a loop computes without storing one
LEAST_ELEMENTS = 256  # of an array worth loops of its own


RARE = 20  # binary exponents: x < 2**-20 and 2**20 < x are taken to be exceptions


@dataclass(frozen=True)
class Storage:
    """Which values are stored, and what is computed in their loops.

    Attributes:
        order: stored nodes (leaves and views included), operands first.
        anchors: stored elementwise node → the contraction or reduction computed in the same loop.
        taken: such a reduction → the exceptional condition, of its shape or a scalar, where it is read at all.
    """

    order: tuple[Node, ...]
    anchors: dict[Node, Node]
    taken: dict[Node, Node]


def decide(roots: Iterable[Node]) -> Storage:
    roots = list(roots)
    order = topological(*roots)
    users = consumers(*roots)
    stored = _obliged(roots, order)
    _store_shared(order, users, stored)
    _store_links(order, stored)
    anchors = _anchors(order, users, stored, set(roots))
    taken = {n: found for n in order if is_reduction(n) and (found := _taken(n, users[n])) is not None}
    choices = {users[n][0] for n in taken.keys() - set(anchors.values())}
    if choices:  # each is a loop that can leave its reduction out
        stored |= choices
        anchors = _anchors(order, users, stored, set(roots))
    fused = set(anchors.values())
    taken = {n: condition for n, condition in taken.items() if n in fused}
    return Storage(tuple(n for n in order if n in stored and n not in fused), anchors, taken)


def _taken(node: Node, users: Iterable[Node]) -> Node | None:
    """The condition under which a node is a branch of `where`, if it is nothing else and this is an exception."""
    if scattered(node) is not None:
        return None
    found = {_condition(node, user) for user in users}
    return found.pop() if len(found) == 1 else None


def _condition(node: Node, user: Node) -> Node | None:
    if not is_op(user, "where") or [o is node for o in user.operands] != [False, True, False]:
        return None
    condition = user.operands[0]
    aligned = not condition.rank or same_shape(condition.shape, node.shape)
    return condition if aligned and is_exceptional(condition) else None


def is_exceptional(condition: Node) -> bool:
    """Whether a condition asks for numbers beyond a wide range, or for NaN (x ≠ x)."""
    if is_op(condition, "or", "and"):
        return (all if is_op(condition, "or") else any)(map(is_exceptional, condition.operands))
    if not is_op(condition, "lt", "ne"):
        return False
    a, b = condition.operands
    small, large = number_of(b), number_of(a)
    if is_op(condition, "ne"):
        return a is b
    tiny = small is not None and bool(0 < small <= sympy.Integer(2) ** -RARE)
    return tiny or (large is not None and bool(large >= 2**RARE))


def _obliged(roots: list[Node], order: list[Node]) -> set[Node]:
    stored = set(roots)
    for node in order:
        if node.kind in (
            "tensor",
            "array",
            "reshape",
            "place",
            "concat",
            "cumsum",
            "cumprod",
            "linear_recurrence",
            "running_logsumexp",
            "scaled_sum",
            "solve",
            "determinant",
        ) or is_reduction(node):
            stored.add(node)
        stored.update(_ARRAYS_OF.get(node.kind, _no_arrays)(node))
    return stored


def _no_arrays(node: Node) -> list[Node]:
    return []


def _einsum_arrays(node: Node) -> list[Node]:
    """What a contraction reads many times; constants and one-hot rows are computed where they are read."""
    assert isinstance(node, Einsum)
    reread = map(source, _reread(node)) if len(node.operands) > 1 else ()
    return [*(x for x in reread if x.kind not in COMPUTED), *_unchecked_rows(node)]


def _unchecked_rows(node: Einsum) -> list[Node]:
    """The indices of a sum by index, if no checked copy stands for them."""
    place = scattered(node)
    if place is None:
        return []
    indices, extent, _ = use_of(node.operands[place])
    return [indices] if surely_in_range(indices, extent) else []


def _costly_arrays(node: Node) -> list[Node]:
    """Costly operands that repeat along an axis; of scalars those that wait for a reduction anyway."""
    return [o for o in node.operands if not same_shape(o.shape, node.shape) and _is_costly_once(o)]


def _is_costly_once(node: Node) -> bool:
    """Whether an element costs more than a few cycles to compute in place."""
    inside, stack = {node}, [node]
    while stack and len(inside) <= MOST_IN_PLACE:
        fresh = [o for o in stack.pop().operands if o.kind == "elementwise" and o not in inside]
        fresh = [o for o in fresh if same_shape(o.shape, node.shape)]
        inside.update(fresh)
        stack.extend(fresh)
    waits = bool(node.rank) or any(is_reduction(o) for each in inside for o in each.operands)
    return node.kind == "elementwise" and waits and any(map(is_costly, inside))


def _take_arrays(node: Any) -> list[Node]:
    """What is taken from, and indices that no checked copy stands for."""
    x, indices = node.operands
    kept = [indices] if surely_in_range(indices, x.shape[node.axis]) else []
    return [*kept, *(each for each in [source(x)] if each.kind not in COMPUTED)]


_ARRAYS_OF: dict[str, Callable[[Node], list[Node]]] = {
    "reshape": lambda node: [node.operands[0]],
    "take": _take_arrays,
    "einsum": _einsum_arrays,
    "elementwise": _costly_arrays,
    "expand": _costly_arrays,
}


def _reread(node: Einsum) -> list[Node]:
    """Operands whose elements are read more than once."""
    place = scattered(node)
    everything = set(node.extents) if place is None else read_once(node, place)
    return [o for indices, o in zip(node.inputs, node.operands, strict=True) if set(indices) != everything]


def _store_shared(order: list[Node], users: dict[Node, list[Node]], stored: set[Node]) -> None:
    """Store what several loops would compute again, users first, so that each decision sees the loops above it.

    Of a comparison the operands are stored: it takes less to compare than to store a byte for each and read it.
    """
    loops: dict[Node, frozenset[Node]] = {}
    weight = _weights(order, stored)
    for node in reversed(order):
        owners: set[Node] = set()
        for user in users[node]:
            owners |= {user} if user in stored else loops[user]
        heavy = weight[node] >= SHARED_OPERATIONS or is_costly(node) or any(map(is_reduction, node.operands))
        kept = node.kind == "elementwise" and node.rank and not is_op(node, *COMPARISON)
        if heavy and node not in stored and len(owners) > 1 and kept:
            stored.add(node)
        loops[node] = frozenset(list(owners)[:2]) if len(owners) > 2 else frozenset(owners)


def _store_links(order: list[Node], stored: set[Node]) -> None:
    """Store what a function is computed of where `MOST_LINKS` more, one inside the other, would stand in its loop.

    An element waits for one function after the other, and a processor looks at no more than some hundreds of
    instructions at once: those of one element, where they are that many.
    """
    links: dict[Node, int] = {}
    for node in order:
        inside = max((links[o] for o in node.operands if o not in stored), default=0)
        if node.kind != "elementwise" or not is_costly(node):
            links[node] = inside if node.kind == "elementwise" else 0
            continue
        if inside >= MOST_LINKS and _is_long(node):
            deep = {
                o
                for o in node.operands
                if o not in stored and links[o] >= MOST_LINKS and same_shape(o.shape, node.shape)
            }
            stored |= deep
            inside = 0
        links[node] = inside + 1


def _is_long(node: Node) -> bool:
    """Whether there are so many elements that loops of their own cost nothing beside them."""
    elements = product(node.shape)
    return not isinstance(elements, int) or elements >= LEAST_ELEMENTS


def _weights(order: list[Node], stored: set[Node]) -> dict[Node, int]:
    """Operations to compute an element in place (capped)."""
    weight: dict[Node, int] = {}
    for node in order:
        inside = 0 if node in stored else sum(weight[o] for o in node.operands)
        weight[node] = min(inside + (node.kind == "elementwise"), 64)
    return weight


def _anchors(order: list[Node], users: dict[Node, list[Node]], stored: set[Node], roots: set[Node]) -> dict[Node, Node]:
    anchors: dict[Node, Node] = {}
    for node in order:
        if node in stored and node.kind == "elementwise":
            found = [c for c in _candidates(node, users, stored) if c not in roots]
            if found:
                anchors[node] = max(found, key=_work)
    return anchors


def _candidates(root: Node, users: dict[Node, list[Node]], stored: set[Node]) -> list[Node]:
    """Reductions that `root` reads at its own index, and that nobody else reads."""
    region = {root}
    stack = [root]
    found: list[Node] = []
    while stack:
        for operand in stack.pop().operands:
            if operand in region or not same_shape(operand.shape, root.shape):
                continue
            if is_reduction(operand) and _is_fusable(operand):
                found.append(operand)
            elif operand not in stored and operand.kind == "elementwise":
                region.add(operand)
                stack.append(operand)
    return [f for f in dict.fromkeys(found) if _feeds_only(f, root, region, users)]


def _feeds_only(node: Node, root: Node, region: set[Node], users: dict[Node, list[Node]]) -> bool:
    """Whether every way up from a node leads to `root` through values computed in its loop."""
    stack, seen = [node], {node, root}
    while stack:
        for user in users[stack.pop()]:
            if user not in region:
                return False
            if user not in seen:
                seen.add(user)
                stack.append(user)
    return True


def _is_fusable(node: Node) -> bool:
    return not (node.kind == "reduce" and node.op == "argmax")


def _work(node: Node) -> float:
    """Multiplications of a reduction, a symbolic extent counted as TYPICAL."""
    extents = node.extents.values() if isinstance(node, Einsum) else node.operands[0].shape
    return float(product(e if isinstance(e, int) else TYPICAL for e in extents))

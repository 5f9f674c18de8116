"""Scalar factors moved from large results into the small values they come from.

before: dW = (Xᵀ G)·c,  db = colsum(G)·c          (every gradient is scaled after its last row)
after:  G′ = G·c;  dW = Xᵀ G′,  db = colsum(G′)    (one small value is scaled, and the sums need no second pass)

In: numeric-form roots.  Out: the same values up to rounding.  c is a product of numbers and extents.  The change is
kept only where no contraction is computed a second time for it.
"""

from __future__ import annotations

from collections.abc import Iterable

from symnet.expr.nodes.constants import number_of
from symnet.expr.nodes.contraction import Einsum
from symnet.expr.nodes.elementwise import elementwise, is_op
from symnet.expr.nodes.graph import consumers, rebuild, topological, with_operands
from symnet.expr.nodes.node import Node
from symnet.simplify.machine.contraction import elements
from symnet.simplify.machine.kinds import is_reduction, scattered, source

Scale = tuple[Node, ...]


def push_scales(roots: Iterable[Node]) -> list[Node]:
    """(X @ G)·c → X @ (G·c): scalar factors of contractions, moved into an operand where that is smaller."""
    roots = list(roots)
    users = consumers(*roots)
    subtracted = {n for n in users if is_op(n, "mul") and users[n] and all(is_op(u, "add") for u in users[n])}
    places = _all_places(roots)
    worthwhile = {found for n in users if (found := _gain(n, n in subtracted, places)) is not None}
    pushed = rebuild(roots, _Pusher(worthwhile, places))
    return pushed if _contractions(pushed) <= _contractions(roots) else roots


def _contractions(roots: list[Node]) -> int:
    return sum(1 for node in topological(*roots) if is_reduction(node))


def _gain(node: Node, subtracted: bool, places: dict[Node, Node]) -> tuple[Node, Scale] | None:
    """(what to scale, the scale), where that is smaller than the product itself; a sign that only sums take costs
    nothing.
    """
    split = _split(node)
    if split is None:
        return None
    scale, rest = split
    if subtracted and len(scale) == 1 and number_of(scale[0]) == -1:
        return None
    place = places[rest]
    return (place, scale) if elements(place) < elements(node) else None


def _split(node: Node) -> tuple[Scale, Node] | None:
    """(the scale, the contraction) of a product of a scale and one contraction that can pass it on."""
    if not is_op(node, "mul"):
        return None
    scale = tuple(o for o in node.operands if _is_free_scalar(o))
    rest = [o for o in node.operands if o not in scale]
    if not scale or len(rest) != 1 or not isinstance(rest[0], Einsum) or _operand(rest[0], {}) is None:
        return None
    return scale, rest[0]


class _Pusher:
    """Rewrites products of a scale and a contraction; remembers what was scaled by what."""

    def __init__(self, worthwhile: set[tuple[Node, Scale]], places: dict[Node, Node]) -> None:
        self._worthwhile, self._places = worthwhile, places
        self._known: dict[tuple[Node, Scale], Node] = {}

    def __call__(self, node: Node) -> Node:
        split = _split(node)
        if split is None or (_place(split[1], self._places), split[0]) not in self._worthwhile:
            return node
        return self.scaled(split[1], split[0])

    def scaled(self, node: Node, scale: Scale) -> Node:
        """`scale · node`, the scale at the bottom of the chain that `_operand` follows."""
        chain: list[tuple[Node, int]] = []
        while (node, scale) not in self._known and (position := _operand(node, self._places)) is not None:
            chain.append((node, position))
            node = node.operands[position]
        if (node, scale) not in self._known:
            self._known[node, scale] = elementwise("mul", *scale, node)
        result = self._known[node, scale]
        for above, position in reversed(chain):
            operands = list(above.operands)
            operands[position] = result
            result = self._known[above, scale] = with_operands(above, operands)
        return result


def _all_places(roots: list[Node]) -> dict[Node, Node]:
    """Where the scale of every value would end up."""
    places: dict[Node, Node] = {}
    for node in topological(*roots):
        position = _operand(node, places)
        places[node] = node if position is None else places[node.operands[position]]
    return places


def _place(node: Node, places: dict[Node, Node]) -> Node:
    """The same of one value, which may have been made since; `places` remembers it for every node on the way."""
    chain = []
    while node not in places and (position := _operand(node, places)) is not None:
        chain.append(node)
        node = node.operands[position]
    end = places.setdefault(node, node)
    places.update(dict.fromkeys(chain, end))
    return end


def _operand(node: Node, places: dict[Node, Node]) -> int | None:
    """The operand to scale instead of a linear node: of a contraction, a computed one, whose scale meets the fewest
    elements at its own place; of a product, a contraction.

    Of a sum by index, which reads each element once, any but the one-hot rows.
    """
    if isinstance(node, Einsum):
        kinds = {"elementwise", "einsum"} if scattered(node) is None else {"elementwise", "einsum", "take", "tensor"}
        computed = [k for k, o in enumerate(node.operands) if source(o).kind in kinds and o.rank]
        rooms = {k: elements(places.get(node.operands[k], node.operands[k])) for k in computed}
        return min(computed, key=lambda k: (rooms[k], elements(node.operands[k]))) if computed else None
    if is_op(node, "mul"):
        linear = [k for k, o in enumerate(node.operands) if isinstance(o, Einsum) and o.contracted]
        return linear[0] if len(linear) == 1 else None
    return None


def _is_free_scalar(node: Node) -> bool:
    """Whether a node is a number, an extent, or a power of one."""
    if node.rank:
        return False
    if is_op(node, "pow"):
        return node.operands[0].kind == "size" and number_of(node.operands[1]) is not None
    return node.kind in ("number", "size")

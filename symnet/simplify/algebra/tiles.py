"""What is laid side by side among zeros, joined: pad(x, (0, 2)) + pad(y, (3, 0)) → concat(x, y).

In: a sum in normal form, such as the slope by an array whose parts were used apart.  Out: the same sum with those of
its terms that cover an axis, each place once, in one.  What is joined meets what stands beside it: among zeros the
number 1 is not seen to be 1 everywhere.
Not handled: parts along two axes; every other element.
"""

from __future__ import annotations

from symnet.expr.nodes.elementwise import elementwise, operands_of
from symnet.expr.nodes.extents import same_extent
from symnet.expr.nodes.graph import with_operands
from symnet.expr.nodes.movement import Place, broadcast_to, concat
from symnet.expr.nodes.node import Node
from symnet.simplify.rewrite import Rewrite

MOST = 8  # parts


def join_what_is_laid_side_by_side(total: Node) -> Node | None:
    """pad(x, (0, 2)) + s·pad(y, (3, 0)) → concat(x, s·y).

    Condition: the parts cover an axis, each place of it once.
    """
    tiles = [tile for term in total.operands if (tile := _tile(term, total)) is not None]
    for axis in range(total.rank) if len(tiles) > 1 else ():
        row = _row([tile for tile in tiles if _lies_along(tile[1], axis)], axis)
        if row:
            rest = [o for o in total.operands if all(o is not term for term, _, _ in row)]
            joined = concat([part for _, _, part in row], axis)
            return broadcast_to(elementwise("add", joined, *rest) if rest else joined, total.shape)
    return None


Tile = tuple[Node, Place, Node]  # a term, what is laid in it, and that with the term's factors


def _tile(term: Node, total: Node) -> Tile | None:
    """The term as a multiple of something laid among zeros."""
    factors = operands_of("mul", term)
    laid = [f for f in factors if isinstance(f, Place)]
    if len(laid) != 1 or laid[0].shape != total.shape or any(f.rank for f in factors if f is not laid[0]):
        return None
    (place,) = laid
    x = place.operands[0]
    part = x if term is place else with_operands(term, [x if f is place else f for f in factors])
    return term, place, part


def _lies_along(place: Place, axis: int) -> bool:
    """Whether a part is whole but for one axis, and stands in one piece along that."""
    x, others = place.operands[0], [a for a in range(place.rank) if a != axis]
    whole = all(place.starts[a] == 0 and same_extent(x.shape[a], place.shape[a]) for a in others)
    return whole and all(step == 1 for step in place.steps)


def _row(tiles: list[Tile], axis: int) -> list[Tile]:
    """Those of the tiles that stand one after another from the first place to the last; none where they do not."""
    row: list[Tile] = []
    end, whole = 0, tiles[0][1].shape[axis] if tiles else 0
    while len(row) < MOST and not same_extent(end, whole):
        following = [t for t in tiles if same_extent(t[1].starts[axis], end) and t not in row]
        if len(following) != 1:
            return []
        row += following
        end = end + following[0][1].operands[0].shape[axis]
    return row if same_extent(end, whole) and len(row) > 1 else []


TILES = (Rewrite(join_what_is_laid_side_by_side, ("add",), domain="extends", role="shorter"),)

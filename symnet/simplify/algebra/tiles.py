"""What is laid side by side among zeros, joined: pad(x, (0, 2)) + pad(y, (3, 0)) → concat(x, y).

In: a sum in normal form, such as the slope by an array whose parts were used apart, or conditions of which one holds.
Out: the same with those of its terms that stand one after another along an axis in one.  What is joined meets what
stands beside it: among zeros the number 1 is not seen to be 1 everywhere.
Not handled: parts along two axes; every other element.
"""

from __future__ import annotations

from functools import partial, reduce

from symnet.expr.nodes.elementwise import elementwise, is_op, operands_of
from symnet.expr.nodes.extents import same_extent
from symnet.expr.nodes.graph import with_operands
from symnet.expr.nodes.movement import Place, broadcast_to, concat
from symnet.expr.nodes.node import Extent, Node
from symnet.simplify.rewrite import Rewrite

MOST = 8  # parts
Tile = tuple[Node, Place, Node]  # a term, what is laid in it, and that with the term's factors


def join_what_is_laid_side_by_side(node: Node) -> Node | None:
    """pad(x, (0, 2)) + s·pad(y, (3, 0)) → concat(x, s·y), and so for conditions, pad(p, (0, 2)) or pad(q, (3, 0)).

    Condition: the parts stand one after another along an axis.  Where they do not reach its ends, zeros are laid around
    what is joined.
    """
    terms = _terms(node)
    tiles = [tile for term in terms if (tile := _tile(term, node)) is not None]
    for axis in range(node.rank) if len(tiles) > 1 else ():
        row = _row([tile for tile in tiles if _lies_along(tile[1], axis)], axis)
        if row:
            rest = [o for o in terms if all(o is not term for term, _, _ in row)]
            together = partial(elementwise, str(node.args[0]))
            return broadcast_to(reduce(together, rest, _joined(row, axis)), node.shape)
    return None


def _terms(node: Node) -> list[Node]:
    """The terms of a sum; the conditions of which one holds, p, q and r of (p or q) or r."""
    if not is_op(node, "or"):
        return list(node.operands)
    return [term for o in node.operands for term in (_terms(o) if is_op(o, "or") else [o])]


def _joined(row: list[Tile], axis: int) -> Node:
    """What stands in a row, as one array, zeros laid around it where it does not fill the axis."""
    first, joined = row[0][1], concat([part for _, _, part in row], axis)
    if same_extent(joined.shape[axis], first.shape[axis]):
        return joined
    return Place(joined, *first.args[1:])


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
    """Some of the tiles that stand one after another, as many as do; none where it is open which of two comes next."""
    starts = [_start(tile, axis) for tile in tiles]
    ends = [_end(tile, axis) for tile in tiles]
    for k, first in enumerate(tiles):
        if any(same_extent(end, starts[k]) for end in ends):
            continue
        row = [first]
        while len(row) < MOST:
            following = [t for t, start in zip(tiles, starts, strict=True) if same_extent(start, _end(row[-1], axis))]
            if len(following) != 1 or following[0] in row:
                break
            row += following
        if len(row) > 1:
            return row
    return []


def _end(tile: Tile, axis: int) -> Extent:
    return _start(tile, axis) + tile[1].operands[0].shape[axis]


def _start(tile: Tile, axis: int) -> Extent:
    return tile[1].starts[axis]


TILES = (Rewrite(join_what_is_laid_side_by_side, ("add", "or"), below=("place",), domain="extends", role="shorter"),)

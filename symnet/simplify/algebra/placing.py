"""Rewrites of what is laid among zeros: pad(pad(x)) → pad(x).

In: a `place` node whose operand is in normal form.  Out: fewer moves, laid forwards.
"""

from __future__ import annotations

from symnet.expr.nodes.constants import Number, number
from symnet.expr.nodes.expansion import Expand, expand
from symnet.expr.nodes.extents import ints_arg, same_shape, shape_arg
from symnet.expr.nodes.movement import Place, Slice
from symnet.expr.nodes.node import Node
from symnet.simplify.forms.broadcast import cover
from symnet.simplify.rewrite import Rewrite


def place_zeros(node: Place) -> Node | None:
    """place(0) → 0.  Always."""
    return cover(number(0), (), node.shape) if is_zero(node.operands[0]) else None


def is_zero(x: Node) -> bool:
    """Whether a node is the number 0, repeated or not."""
    while isinstance(x, Expand):
        x = x.operands[0]
    return isinstance(x, Number) and bool(x.value == 0)


def place_at_once(node: Place) -> Node | None:
    """pad(pad(x)) → pad(x), also where new axes of extent 1 stand between the two: pad(pad(x)[None, :]).  Always."""
    inner = node.operands[0]
    if isinstance(inner, Expand) and all(inner.shape[a] == 1 for a in inner.new_axes):
        inner = laid_after_repeating(inner)
    if not isinstance(inner, Place):
        return None
    starts = tuple(a + s * b for a, b, s in zip(node.starts, inner.starts, node.steps, strict=True))
    steps = tuple(a * b for a, b in zip(inner.steps, node.steps, strict=True))
    return Place(inner.operands[0], shape_arg(node.shape), shape_arg(starts), ints_arg(steps))


def laid_after_repeating(x: Node) -> Node:
    """expand(pad(x)) as pad(expand(x)); other nodes as they are."""
    placed = x.operands[0] if isinstance(x, Expand) else x
    if not isinstance(x, Expand) or not isinstance(placed, Place):
        return x
    at = {a: k for k, a in enumerate(x.axes)}
    sizes, starts, steps = (
        tuple(part[at[a]] if a in at else idle[a] for a in range(x.rank))
        for part, idle in (
            (placed.operands[0].shape, x.shape),
            (placed.starts, (0,) * x.rank),
            (placed.steps, (1,) * x.rank),
        )
    )
    return Place(expand(placed.operands[0], sizes, x.axes), shape_arg(x.shape), shape_arg(starts), ints_arg(steps))


def place_before_repeating(node: Place) -> Node | None:
    """pad(expand(x)) → expand(pad(x)).  Condition: x is repeated along an axis that has no zeros beside it."""
    inner = node.operands[0]
    if not isinstance(inner, Expand):
        return None
    whole = [
        a for a in inner.new_axes if node.steps[a] == 1 and same_shape(inner.shape[a : a + 1], node.shape[a : a + 1])
    ]
    if not whole:
        return None
    kept = tuple(a for a in range(node.rank) if a not in whole)
    x = expand(inner.operands[0], tuple(inner.shape[a] for a in kept), tuple(kept.index(a) for a in inner.axes))
    shape, starts, steps = (tuple(part[a] for a in kept) for part in (node.shape, node.starts, node.steps))
    return expand(Place(x, shape_arg(shape), shape_arg(starts), ints_arg(steps)), node.shape, kept)


def place_what_was_turned(node: Place) -> Node | None:
    """x laid backwards among zeros → pad(x[::-1]).  Always."""
    if all(s > 0 for s in node.steps):
        return None
    (x,) = node.operands
    last = [n - 1 if s < 0 else 0 for n, s in zip(x.shape, node.steps, strict=True)]
    signs = ints_arg(tuple(1 if s > 0 else -1 for s in node.steps))
    turned = Slice(x, shape_arg(tuple(last)), shape_arg(x.shape), signs)
    starts = tuple(a + s * k for a, s, k in zip(node.starts, node.steps, last, strict=True))
    return Place(turned, shape_arg(node.shape), shape_arg(starts), ints_arg(tuple(map(abs, node.steps))))


PLACINGS = (
    Rewrite(place_zeros, ("place",), domain="equal", role="shorter"),
    Rewrite(place_at_once, ("place",), domain="equal", role="spelling"),
    Rewrite(place_before_repeating, ("place",), domain="equal", role="spelling"),
    Rewrite(place_what_was_turned, ("place",), domain="equal", role="spelling"),
)

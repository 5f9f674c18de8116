"""Derivative rules of the reductions.

`PARTIALS` gives, for y = reduce(x), the array ∂y/∂x of x's shape: then x_bar = y_bar (repeated) · ∂y/∂x, and
y_dot = Σ ∂y/∂x · x_dot.
Conventions: max and min send everything to the first extreme element.  The product's partials are y/x where x is
known to be nonzero, and products of the other elements otherwise, right at zeros: of those before an element and of
those behind it, each a cumulative product, in 3 n operations.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from symnet.diff.clipping import KeptWhere, clipped
from symnet.diff.elementwise import times
from symnet.diff.rules import ZERO, Declared, Maybe, find
from symnet.diff.support import Where, carried, chosen
from symnet.expr.facts.assumptions import known
from symnet.expr.nodes.contraction import contract, transpose
from symnet.expr.nodes.elementwise import divide, elementwise, exp, greater, negative
from symnet.expr.nodes.expansion import fill
from symnet.expr.nodes.extents import ints_arg, product
from symnet.expr.nodes.indexing import one_hot
from symnet.expr.nodes.movement import reshape
from symnet.expr.nodes.node import Node, Shape, static_name
from symnet.expr.nodes.recurrence import multiply_up
from symnet.expr.nodes.reduction import Reduce, along, reduce

FILE = "symnet/diff/reduction.py"


def logsumexp_partial(node: Reduce) -> Node:
    """softmax(x) = exp(x - lse x), reusing the output."""
    x = node.operands[0]
    return exp(elementwise("add", x, negative(along(x, node, node.axes))))


def max_partial(node: Reduce) -> Node:
    """An array that is 1 at the first largest element of each row, and 0 elsewhere."""
    return _one_hot_of_largest(node.operands[0], node.axes)


def min_partial(node: Reduce) -> Node:
    """An array that is 1 at the first smallest element of each row, and 0 elsewhere."""
    return _one_hot_of_largest(negative(node.operands[0]), node.axes)


def prod_partial(node: Reduce) -> Node:
    """The product of the *other* elements: y/x where no x is 0."""
    x = node.operands[0]
    if known(x, "nonzero"):
        return divide(along(x, node, node.axes), x)
    if len(node.axes) == 1:
        return _product_of_others(x, node.axes[0])
    line = _axes_to_one(x, node.axes)
    return _one_to_axes(_product_of_others(line, line.rank - 1), x, node.axes)


def _product_of_others(x: Node, axis: int) -> Node:
    """What stands before an element along an axis, times what stands behind it."""
    n = x.shape[axis]
    if n == 1:
        return fill(1, x.shape)
    if n == 2:
        return x[(*[slice(None)] * axis, slice(None, None, -1))]
    before, behind = (multiply_up(x, axis, reverse, exclusive=True) for reverse in (False, True))
    return times(before, behind)


PARTIALS: dict[str, Callable[[Reduce], Node] | Declared] = {
    "logsumexp": logsumexp_partial,
    "max": max_partial,
    "min": min_partial,
    "prod": prod_partial,
    "argmax": ZERO,
}


def reduce_partial(node: Reduce) -> Maybe:
    """∂y/∂x of x's shape; None when zero."""
    entry = find(PARTIALS, node.op, node, "PARTIALS", FILE)
    return None if entry is ZERO else entry(node)


def _one_hot_of_largest(x: Node, axes: tuple[int, ...]) -> Node:
    line = _axes_to_one(x, axes)
    return _one_to_axes(one_hot(reduce("argmax", line, -1), line.shape[-1]), x, axes)


def _axes_to_one(x: Node, axes: tuple[int, ...]) -> Node:
    """The reduced axes at the end, as one axis."""
    kept = [a for a in range(x.rank) if a not in axes]
    moved = transpose(x, *kept, *axes)
    return reshape(moved, (*(x.shape[a] for a in kept), product(x.shape[a] for a in axes)))


def _one_to_axes(line: Node, x: Node, axes: tuple[int, ...]) -> Node:
    """The inverse of `_axes_to_one`."""
    order = [a for a in range(x.rank) if a not in axes] + list(axes)
    moved = reshape(line, tuple(x.shape[a] for a in order))
    return transpose(moved, *(order.index(a) for a in range(x.rank)))


# --------------------------------------------------------------------------- rules


def reduce_vjp(node: Reduce, y_bar: Node, k: int) -> Maybe:
    """x_bar = y_bar, repeated along the reduced axes, times ∂y/∂x."""
    return reduce_guarded(node, y_bar, None, k)


def reduce_guarded(node: Reduce, y_bar: Node, support: Where, k: int) -> Maybe:
    """As `reduce_vjp`, chosen where y_bar is not 0."""
    slope = reduce_partial(node)
    if slope is None:
        return None
    return chosen(reduce_support(node, support, k), times(along(node.operands[0], y_bar, node.axes), slope))


def reduce_support(node: Reduce, support: Where, k: int) -> Where:
    """The support of the result, repeated along the reduced axes."""
    x = node.operands[0]
    kept = [a for a in range(x.rank) if a not in node.axes]
    return carried(support, dict(enumerate(kept)), x.shape)


def kept_of_row(node: Reduce) -> KeptWhere | None:
    """Where the largest (or smallest) element of a row stands: a change of it alone reaches the result.  None for other
    reductions.
    """
    if node.op not in ("max", "min"):
        return None
    slope = reduce_partial(node)
    assert slope is not None
    return greater(slope, 0), True


def reduce_jvp(node: Reduce, x_dots: Sequence[Maybe]) -> Maybe:
    """y_dot = Σ over the reduced axes of ∂y/∂x · x_dot."""
    slope = None if x_dots[0] is None else reduce_partial(node)
    if slope is None or x_dots[0] is None:
        return None
    axes = range(node.operands[0].rank)
    x_dot = clipped(kept_of_row(node), x_dots[0], x_dots[0])
    return contract([axes, axes], [a for a in axes if a not in node.axes], slope, x_dot)


def reduce_batch(node: Reduce, batched: Sequence[Maybe], batch: Shape) -> Node:
    assert batched[0] is not None
    return Reduce(static_name(node.op), batched[0], ints_arg(tuple(len(batch) + a for a in node.axes)))

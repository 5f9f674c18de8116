"""Rewrites of cumulative sums.

In: a `cumsum` node whose operand is in normal form.  Out: one of a smaller operand, or none.
"""

from __future__ import annotations

from symnet.expr.nodes.constants import iota, number, number_of, size
from symnet.expr.nodes.cumulative import CumulativeSum, cumulate
from symnet.expr.nodes.elementwise import elementwise, is_op, negative
from symnet.expr.nodes.expansion import Expand, expand
from symnet.expr.nodes.extents import same_extent
from symnet.expr.nodes.graph import with_operands
from symnet.expr.nodes.movement import Place, Slice
from symnet.expr.nodes.node import Node
from symnet.simplify.rewrite import Rewrite


def sum_nothing_up(node: CumulativeSum) -> Node | None:
    """cumsum of zeros → zeros; along an axis of extent 1 → x.  Always."""
    x = node.operands[0]
    zeros = isinstance(x, Expand) and number_of(x.operands[0]) == 0
    return x if node.dtype == x.dtype and (zeros or node.shape[node.axis] == 1) else None


def take_scalars_out_of_cumsum(node: CumulativeSum) -> Node | None:
    """cumsum(s·x) → s·cumsum(x).  Condition: s is of rank 0."""
    x = node.operands[0]
    if not is_op(x, "mul"):
        return None
    scalars = [o for o in x.operands if not o.rank]
    rest = [o for o in x.operands if o.rank]
    body = rest[0] if len(rest) == 1 else elementwise("mul", *rest) if rest else None
    if not scalars or body is None or body.shape != x.shape:
        return None
    return elementwise("mul", *scalars, cumulate(body, node.axis, node.reverse))


def repeat_after_cumulating(node: CumulativeSum) -> Node | None:
    """cumsum(expand(x)) → expand(cumsum(x)); of equal elements along the axis: k + 1 times them, n - k from the end.

    Condition: the operand repeats along some axis.
    """
    x = node.operands[0]
    if not isinstance(x, Expand) or node.dtype != x.dtype:
        return None
    core = x.operands[0]
    if node.axis in x.axes:
        return expand(cumulate(core, x.axes.index(node.axis), node.reverse), node.shape, x.axes)
    n = node.shape[node.axis]
    steps = iota(n)
    count = elementwise("add", size(n), negative(steps)) if node.reverse else elementwise("add", steps, number(1))
    return elementwise("mul", x, expand(count, node.shape, (node.axis,)))


def cumulate_before_reversing(node: CumulativeSum) -> Node | None:
    """cumsum(x[::-1]) → the sums of x from the end, backwards.  Condition: the whole axis is reversed, nothing cut."""
    x = node.operands[0]
    if not isinstance(x, Slice) or x.steps[node.axis] != -1 or node.dtype != x.dtype:
        return None
    inner, start = x.operands[0], x.starts[node.axis]
    n = inner.shape[node.axis]
    if not same_extent(n, x.shape[node.axis]) or not same_extent(start, n - 1):
        return None
    return with_operands(x, [cumulate(inner, node.axis, not node.reverse)])


def cumulate_before_placing(node: CumulativeSum) -> Node | None:
    """cumsum(pad(x, …), axis=1) → pad(cumsum(x, axis=1), …).  Condition: zeros lie along other axes alone."""
    x = node.operands[0]
    if not isinstance(x, Place) or node.dtype != x.dtype:
        return None
    (inner,) = x.operands
    if x.steps[node.axis] != 1 or not same_extent(inner.shape[node.axis], x.shape[node.axis]):
        return None
    return with_operands(x, [cumulate(inner, node.axis, node.reverse)])


CUMULATIVE = (
    Rewrite(cumulate_before_reversing, ("cumsum",), domain="equal", role="spelling"),
    Rewrite(cumulate_before_placing, ("cumsum",), domain="equal", role="shorter"),
    Rewrite(sum_nothing_up, ("cumsum",), domain="equal", role="shorter"),
    Rewrite(take_scalars_out_of_cumsum, ("cumsum",), domain="extends", role="spelling"),
    Rewrite(repeat_after_cumulating, ("cumsum",), domain="equal", role="spelling"),
)

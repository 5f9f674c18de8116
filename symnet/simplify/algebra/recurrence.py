"""Rewrites of linear recurrences and cumulative products.

In: a node of one of these kinds whose operands are in normal form.  Out: one of smaller operands, or none.
"""

from __future__ import annotations

from sympy import Integer

from symnet.expr.nodes.constants import number, number_of
from symnet.expr.nodes.cumulative import cumulate
from symnet.expr.nodes.elementwise import elementwise, is_op
from symnet.expr.nodes.expansion import Expand, expand, fill
from symnet.expr.nodes.extents import same_extent
from symnet.expr.nodes.graph import with_operands
from symnet.expr.nodes.movement import Slice
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.recurrence import CumulativeProduct, LinearRecurrence, Recurrence
from symnet.simplify.rewrite import Rewrite


def multiply_nothing_up(node: CumulativeProduct) -> Node | None:
    """cumprod(x) → x for zeros, for ones, and along an axis of extent 1; exclusive → ones for the last two.  Always."""
    (x,) = node.operands
    held = _held(x)
    if held == 1 or (node.exclusive and node.shape[node.axis] == 1):
        return fill(number(1), node.shape)
    return x if node.dtype == x.dtype and not node.exclusive and (held == 0 or node.shape[node.axis] == 1) else None


def recur_without_steps(node: LinearRecurrence) -> Node | None:
    """linear_recurrence(a, b) → b for a of zeros, or along an axis of extent 1; → zeros for b of zeros.  Always.

    Exclusive it is zeros along an axis of extent 1.
    """
    a, b = node.operands
    is_single = node.shape[node.axis] == 1
    if _held(b) == 0 or (node.exclusive and is_single):
        return fill(number(0), node.shape)
    return b if node.dtype == b.dtype and not node.exclusive and (is_single or _held(a) == 0) else None


def recurrence_of_ones_is_cumsum(node: LinearRecurrence) -> Node | None:
    """linear_recurrence(ones, b) → cumsum(b).  Condition: not exclusive."""
    a, b = node.operands
    if _held(a) != 1 or node.exclusive or node.dtype != b.dtype:
        return None
    return cumulate(b, node.axis, node.reverse)


def take_scalars_out_of_recurrence(node: LinearRecurrence) -> Node | None:
    """linear_recurrence(a, s·b) → s·linear_recurrence(a, b).

    Condition: s is of rank 0; a number where it is exclusive, for that begins with 0 even if s is infinite.
    """
    a, b = node.operands
    if not is_op(b, "mul"):
        return None
    scalars = [o for o in b.operands if not o.rank and (not node.exclusive or number_of(o) is not None)]
    rest = [o for o in b.operands if o not in scalars]
    body = rest[0] if len(rest) == 1 else elementwise("mul", *rest) if rest else None
    if not scalars or body is None or body.shape != b.shape:
        return None
    return elementwise("mul", *scalars, with_operands(node, [a, body]))


def repeat_after_recurring(node: Recurrence) -> Node | None:
    """cumprod(expand(x)) → expand(cumprod(x)), and so for a recurrence of two arrays that repeat along an axis.

    Condition: this is another axis than that of the recurrence.
    """
    repeated = [o for o in node.operands if isinstance(o, Expand) and o.dtype == node.dtype]
    kept = tuple(sorted({a for o in repeated for a in o.axes} | {node.axis}))
    if len(repeated) < len(node.operands) or len(kept) == node.rank:
        return None
    shape = tuple(node.shape[a] for a in kept)
    inner = [expand(o.operands[0], shape, tuple(kept.index(a) for a in o.axes)) for o in repeated]
    return expand(type(node)(Integer(kept.index(node.axis)), *node.args[1:3], *inner), node.shape, kept)


def recur_before_reversing(node: Recurrence) -> Node | None:
    """cumprod(x[::-1]) → the products of x from the end, backwards; and so for a recurrence of two reversed arrays.

    Condition: the whole axis is reversed, nothing cut.
    """
    last = node.operands[-1]
    if not isinstance(last, Slice) or not _is_reversed(last, node.axis) or node.dtype != last.dtype:
        return None
    inner = [_turned(o, last, node.axis) for o in node.operands]
    if any(o is None for o in inner):
        return None
    axis, reverse, exclusive = node.args[:3]
    return with_operands(last, [type(node)(axis, 1 - reverse, exclusive, *inner)])


def _turned(x: Node, like: Slice, axis: int) -> Node | None:
    """What was cut and reversed as `like` was; an array of equal elements is the same backwards."""
    whole = like.operands[0]
    if isinstance(x, Slice) and x.args[1:] == like.args[1:] and x.operands[0].shape == whole.shape:
        return x.operands[0]
    return fill(x.operands[0], whole.shape) if isinstance(x, Expand) and not x.operands[0].rank else None


def _is_reversed(x: Slice, axis: int) -> bool:
    """Whether a slice turns an axis around, whole."""
    n = x.operands[0].shape[axis]
    return x.steps[axis] == -1 and same_extent(n, x.shape[axis]) and same_extent(x.starts[axis], n - 1)


def _held(x: Node) -> object:
    """The number that all elements are; None for other arrays."""
    return number_of(x.operands[0]) if isinstance(x, Expand) else None


RECURRENCES = (
    Rewrite(recur_before_reversing, ("cumprod", "linear_recurrence"), domain="equal", role="spelling"),
    Rewrite(multiply_nothing_up, ("cumprod",), domain="equal", role="shorter"),
    Rewrite(recur_without_steps, ("linear_recurrence",), domain="extends", role="shorter"),
    Rewrite(recurrence_of_ones_is_cumsum, ("linear_recurrence",), domain="equal", role="shorter"),
    Rewrite(take_scalars_out_of_recurrence, ("linear_recurrence",), domain="extends", role="spelling"),
    Rewrite(repeat_after_recurring, ("cumprod", "linear_recurrence"), domain="equal", role="spelling"),
)

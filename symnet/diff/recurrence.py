"""Derivative rules of linear recurrences and cumulative products.

With e[k] the value before step k, the exclusive recurrence, r[k] = a[k]·e[k] + b[k] and e[k + 1] = r[k]:

    r_dot = the same recurrence of b_dot + a_dot·e
    b_bar[k] = s[k], a_bar[k] = s[k]·e[k], where s[k] collects what reaches r[k]: s[k] = r_bar[k] + a[k + 1]·s[k + 1]

s is r_bar + the exclusive recurrence of a·r_bar from the other end; of an exclusive recurrence, whose result is e, it
is that of e_bar.  A cumulative product is the recurrence without b that starts at 1.  Nothing is divided by an element.
"""

from __future__ import annotations

from collections.abc import Sequence

from symnet.diff.contraction import add_up
from symnet.diff.elementwise import times
from symnet.diff.rules import Maybe
from symnet.diff.support import Where, chosen, summed_support, varying
from symnet.expr.nodes.cumulative import cumulate
from symnet.expr.nodes.elementwise import elementwise, negative
from symnet.expr.nodes.expansion import expand
from symnet.expr.nodes.node import Node, Shape
from symnet.expr.nodes.recurrence import CumulativeProduct, LinearRecurrence, Recurrence, multiply_up, recur


def scan_vjp(node: Recurrence, y_bar: Node, k: int) -> Maybe:
    """s of b; s·e of a, or of the factors of a product."""
    return scan_guarded(node, y_bar, None, k)


def scan_guarded(node: Recurrence, y_bar: Node, support: Where, k: int) -> Maybe:
    """As `scan_vjp`, with factors of 0 where nothing of y_bar comes from further on."""
    here = scan_support(node, support, k)
    factor = chosen(here, node.operands[0])
    sent = y_bar if node.exclusive else times(factor, y_bar)
    collected = recur(factor, sent, node.axis, not node.reverse, exclusive=True)
    if not node.exclusive:
        collected = elementwise("add", y_bar, collected)
    return collected if k == 1 else chosen(here, times(collected, value_before(node)))


def value_before(node: Recurrence) -> Node:
    """The value before every step."""
    if node.exclusive:
        return node
    if isinstance(node, CumulativeProduct):
        return multiply_up(node.operands[0], node.axis, node.reverse, exclusive=True)
    a, b = node.operands
    return recur(a, b, node.axis, node.reverse, exclusive=True)


def scan_support(node: Recurrence, support: Where, k: int) -> Where:
    """An element counts where its own value does or one further on, of an exclusive scan one further on."""
    if support is None or node.axis not in varying(support):
        return support

    def collected(held: Node) -> Node:
        total = cumulate(held, node.axis, not node.reverse)
        return elementwise("add", total, negative(held)) if node.exclusive else total

    return summed_support(support, collected, node.shape)


def cumprod_jvp(node: CumulativeProduct, x_dots: Sequence[Maybe]) -> Maybe:
    """The recurrence with the elements as factors that adds x_dot·e in every step."""
    (x_dot,) = x_dots
    if x_dot is None:
        return None
    return recur(node.operands[0], times(x_dot, value_before(node)), node.axis, node.reverse, node.exclusive)


def linear_recurrence_jvp(node: LinearRecurrence, x_dots: Sequence[Maybe]) -> Maybe:
    """The same recurrence of b_dot + a_dot·e."""
    a_dot, b_dot = x_dots
    terms = [] if b_dot is None else [b_dot]
    if a_dot is not None:
        terms.append(times(a_dot, value_before(node)))
    added = add_up(terms)
    return None if added is None else recur(node.operands[0], added, node.axis, node.reverse, node.exclusive)


def cumprod_batch(node: CumulativeProduct, batched: Sequence[Maybe], batch: Shape) -> Node:
    """The products along the same axis, which stands behind the extra ones."""
    assert batched[0] is not None, node
    return multiply_up(batched[0], node.axis + len(batch), node.reverse, node.exclusive)


def linear_recurrence_batch(node: LinearRecurrence, batched: Sequence[Maybe], batch: Shape) -> Node:
    """The recurrence along the same axis; an operand without the extra axes repeats along them."""
    shape = (*batch, *node.shape)
    axes = tuple(range(len(batch), len(shape)))
    a, b = (expand(x, shape, axes) if found is None else found for x, found in zip(node.operands, batched, strict=True))
    return recur(a, b, node.axis + len(batch), node.reverse, node.exclusive)

"""Products beside a cotangent that `where` left 0: a pass of the numeric form.

Differentiation sets an operand to 0 where all that it meets is 0 (`diff/support.py`), for there it may be infinite or
NaN.  For the weights of a layer that asks of every column whether any row takes it: a sum over all rows before the
first product.  Here the product is made with the weights as they are, and made again, element by element, where it is
NaN.

In: products in the algebra form.  Out: the same values, finite or not; fewer NaN where rows take a column in part.
Not handled: supports of several alternatives, products over axes of symbolic extent; these ask as before.
"""

from __future__ import annotations

from symnet.expr.nodes.constants import number, number_of
from symnet.expr.nodes.contraction import Einsum, contract
from symnet.expr.nodes.elementwise import elementwise, is_op, where
from symnet.expr.nodes.movement import broadcast_to
from symnet.expr.nodes.node import Node
from symnet.simplify.forms.broadcast import cover
from symnet.simplify.rewrite import Rewrite


def multiply_before_asking(node: Einsum) -> Node | None:
    """where(t, g, 0) @ where(any t, w, 0) → P = where(t, g, 0) @ w, where P is NaN: Σ where(t, g·w, 0); [t] so too.

    Condition: "any" runs over axes of the result, so that the product is made and looked at row by row.
    """
    if len(node.operands) != 2 or any(not isinstance(node.extents[i], int) for i in node.contracted):
        return None
    for k in (0, 1):
        masked, guarded = node.operands[k], node.operands[1 - k]
        asked = _asked(guarded)
        if asked is None or not _is_zero_outside(masked, asked[0]):
            continue
        rows, column = node.inputs[k], node.inputs[1 - k]
        (kept,) = asked[1].output
        along = rows[kept]
        if along != column[-1] or along not in node.contracted or not set(rows) - {along} <= set(node.output):
            continue
        operands = [masked, guarded.operands[1]]
        plain = contract([rows, column], node.output, *operands)
        again = _term_by_term(node, rows, column, masked, guarded.operands[1])
        return where(elementwise("ne", plain, plain), again, plain)
    return None


def _asked(guarded: Node) -> tuple[Node, Einsum] | None:
    """(t, the count) of where(count of t along the last axis > 0, w, 0)."""
    if not is_op(guarded, "where") or number_of(guarded.operands[2]) != 0:
        return None
    condition, w, _ = guarded.operands
    if not is_op(condition, "gt") or number_of(condition.operands[1]) != 0 or condition.rank != 1:
        return None
    count = condition.operands[0]
    if not isinstance(count, Einsum) or len(count.operands) != 1 or w.rank < 1 or w.shape[-1:] != count.shape:
        return None
    (inside,) = count.operands
    return (
        (inside.operands[0], count)
        if is_op(inside, "indicator") and count.inputs[0] == tuple(range(inside.rank))
        else None
    )


def _is_zero_outside(masked: Node, condition: Node) -> bool:
    """Whether a value is where(t, g, 0) or [t]."""
    chosen = is_op(masked, "indicator") or (is_op(masked, "where") and number_of(masked.operands[2]) == 0)
    return chosen and masked.operands[0] is condition


def _term_by_term(node: Einsum, rows: tuple[int, ...], column: tuple[int, ...], masked: Node, w: Node) -> Node:
    """Σ where(t, g·w, 0), each product chosen before it is added."""
    everything = tuple(dict.fromkeys((*node.output, *node.contracted)))
    shape = tuple(node.extents[i] for i in everything)

    def spread(x: Node, indices: tuple[int, ...]) -> Node:
        order = tuple(i for i in everything if i in indices)
        turned = contract([indices], order, x) if order != indices else x
        return cover(turned, tuple(everything.index(i) for i in order), shape)

    condition, g = masked.operands[0], masked.operands[1] if is_op(masked, "where") else number(1)
    g = broadcast_to(g, masked.shape)
    products = where(spread(condition, rows), elementwise("mul", spread(g, rows), spread(w, column)), 0)
    return contract([everything], node.output, products)


GUARDED_PRODUCTS = (Rewrite(multiply_before_asking, ("einsum",), below=("where",), domain="extends", role="stable"),)

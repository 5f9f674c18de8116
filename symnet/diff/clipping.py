"""Slopes that are infinite where a value was clipped: max(log x, -100) at x = 0.

`maximum`, `minimum`, the largest of a row and the product with a mask [c] send 0 to what they leave out, by a product
with 0 or 1.  As everywhere 0·∞ is NaN, so below them a cotangent has a second, narrower support (`support.py`): where
it was left out.  Only slopes that are infinite at finite places (`is_steep`) are guarded by it, so that networks of
rectifiers, sums and products stay as they are; a contraction ends it.

In: a node and an operand's position; a tangent.  Out: where that operand is kept; whether a guard is needed.
Not handled: an operand that is NaN, or infinite in a product with a mask: the value is NaN then, as NumPy's.
"""

from __future__ import annotations

from symnet.expr.facts.assumptions import known
from symnet.expr.facts.softmax import softmax_axes
from symnet.expr.nodes.constants import number_of
from symnet.expr.nodes.elementwise import elementwise, is_op, where
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.primitives import PRIMITIVES
from symnet.expr.sympy.whole import formula_of

_LOOKED_THROUGH = 64  # nodes of a value that are searched for an infinite part; beyond, it counts as finite
_STEEP = ("pow", "atan2", "xlogy", "function", *(p.name for p in PRIMITIVES.values() if p.steep))
_BOUNDED = ("indicator", *(p.name for p in PRIMITIVES.values() if p.bounded))
KeptWhere = tuple[Node, bool]  # a condition, and whether an operand is kept where it holds


def kept(node: Node, k: int) -> KeptWhere | None:
    """Where an elementwise operation passes on what it sends to operand k; None for everywhere."""
    if is_op(node, "maximum", "minimum"):
        return elementwise("ge" if is_op(node, "maximum") else "le", *node.operands), k == 0
    if is_op(node, "mul"):
        masks = [m for j, x in enumerate(node.operands) if j != k and (m := _mask(x)) is not None]
        return masks[0] if masks else None
    return None


def _mask(factor: Node) -> KeptWhere | None:
    """c of [c] and of where(c, x, 0); the complement of c of where(c, 0, x)."""
    if is_op(factor, "indicator"):
        return factor.operands[0], True
    if is_op(factor, "where"):
        condition, a, b = factor.operands
        if number_of(b) == 0:
            return condition, True
        if number_of(a) == 0:
            return condition, False
    return None


def is_steep(node: Node, k: int) -> bool:
    """Whether ∂y/∂xₖ may be infinite where the operands are finite, or a factor beside xₖ may be infinite."""
    if is_op(node, "mul"):
        return any(may_be_infinite(x) for j, x in enumerate(node.operands) if j != k)
    if node.kind == "reduce":
        return bool(node.op == "prod")
    return _is_steep_function(node)


def _is_steep_function(node: Node) -> bool:
    if not is_op(node, *_STEEP) or softmax_axes(node) or formula_of(node) is not None:
        return False
    if not is_op(node, "pow"):
        return True
    base, exponent = node.operands
    value = number_of(exponent)
    return value is None or not ((value.is_positive and value.is_integer) or known(base, "positive"))


def may_be_infinite(x: Node) -> bool:
    """Whether a value is made by a function that is infinite somewhere, within what is looked through."""
    stack, seen = [x], {x}
    while stack and len(seen) <= _LOOKED_THROUGH:
        each = stack.pop()
        if _is_steep_function(each):
            return True
        if not is_op(each, *_BOUNDED) and each.dtype != "bool" and not softmax_axes(each):
            fresh = [o for o in each.operands if o not in seen]
            seen.update(fresh)
            stack.extend(fresh)
    return False


def clipped(place: KeptWhere | None, x_dot: Node, y_dot: Node) -> Node:
    """A tangent through an operation that keeps an operand at a place: chosen there, if x_dot may be infinite."""
    if place is None or not may_be_infinite(x_dot):
        return y_dot
    condition, holds = place
    return where(condition, y_dot, 0) if holds else where(condition, 0, y_dot)

"""Norms at zero: a pass of the numeric form.

In: products in the algebra form.  Out: the same, with the slope x/‖x‖ of a norm 0 where x is 0, however it was spelled.
Not handled: a slope whose x has been spread over the terms of a sum; there 0·∞ is NaN, as it is written.
"""

from __future__ import annotations

import sympy

from symnet.expr.constants import number_of
from symnet.expr.contraction import Einsum
from symnet.expr.elementwise import equal, is_op, where
from symnet.expr.graph import with_operands
from symnet.expr.movement import Expand
from symnet.expr.node import Node
from symnet.simplify.coefficients import opposite
from symnet.simplify.engine import Rewrite


def slope_of_norm_at_zero(node: Node) -> Node | None:
    """x·(Σx²)^(-1/2) → x·where(Σx² = 0, 0, (Σx²)^(-1/2)): the slope of a norm is 0 where x is 0.

    Condition: another factor is x, or a sum of products with it; the original is 0·∞ there.
    """
    for place, factor in enumerate(node.operands):
        root = factor.operands[0] if isinstance(factor, Expand) else factor
        x = _under_reciprocal_norm(root)
        if x is None or not any(_vanishes_with(o, x) for o in node.operands if o is not factor):
            continue
        guarded = where(equal(root.operands[0], 0), 0, root)
        new = with_operands(factor, [guarded]) if isinstance(factor, Expand) else guarded
        return with_operands(node, [*node.operands[:place], new, *node.operands[place + 1 :]])
    return None


def _under_reciprocal_norm(root: Node) -> Node | None:
    """x of (Σx²)^(-1/2)."""
    if not is_op(root, "pow") or number_of(root.operands[1]) != -sympy.S.Half:
        return None
    squares = root.operands[0]
    if not isinstance(squares, Einsum) or len(squares.operands) > 1 or not is_op(squares.operands[0], "pow"):
        return None
    x, exponent = squares.operands[0].operands
    return x if number_of(exponent) == 2 else None


_DEEPEST = 6  # how far below a product its factor x is looked for


def _vanishes_with(node: Node, x: Node, depth: int = _DEEPEST) -> bool:
    """Whether a factor is 0 where all of x is 0."""
    if node is x or opposite(node) is x:
        return True
    if not depth:
        return False
    if isinstance(node, Einsum) or is_op(node, "mul"):
        return any(_vanishes_with(o, x, depth - 1) for o in node.operands)
    if is_op(node, "add") or node.kind in ("expand", "reshape", "slice", "place"):
        return all(_vanishes_with(o, x, depth - 1) for o in node.operands)
    return False


NORMS = (Rewrite(slope_of_norm_at_zero, ("mul",)),)

"""Masks that are written with identity matrices: c·(1 - δ), which is exactly 0 on a diagonal.

In: a sum.  Out: whether it is one.  A product with it is not multiplied out, and Σⱼ (1 - δ[i, j])·x[i, j] is no
difference of a sum and a diagonal: what the mask takes out may be large, or infinite, and would take the rest with it.
"""

from __future__ import annotations

from symnet.expr.nodes.constants import number_of
from symnet.expr.nodes.elementwise import is_op
from symnet.expr.nodes.node import Node
from symnet.simplify.forms.coefficients import split_coefficient

__all__ = ["is_off_diagonal"]


def is_off_diagonal(node: Node) -> bool:
    """Whether a sum is a number less the same multiple of an identity matrix."""
    if not is_op(node, "add") or len(node.operands) != 2:
        return False
    numbers = [value for o in node.operands if (value := number_of(o)) is not None]
    others = [split_coefficient(o) for o in node.operands if number_of(o) is None]
    if len(numbers) != 1 or len(others) != 1:
        return False
    ((value, factors),) = others
    core = factors[0] if len(factors) == 1 else None
    if core is not None and core.kind == "expand":
        core = core.operands[0]
    return core is not None and core.kind == "delta" and value == -numbers[0]

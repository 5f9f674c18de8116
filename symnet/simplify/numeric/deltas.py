"""Deltas that a result keeps: a pass of the numeric form.

In: products and contractions with a δ[i, j] whose indices both stay, as in the diagonal that a Hessian of a sum has.
Out: a choice, x where i = j and 0 elsewhere: 0·∞ and 0·NaN of the product would stand beside an infinite second
derivative.
A mask 1 - δ beside other factors is the opposite choice.
Not handled: a δ under an index that is summed over (the algebra removes it), an identity matrix by itself.
"""

from __future__ import annotations

from symnet.expr.nodes.constants import Delta, iota, number, number_of
from symnet.expr.nodes.contraction import Einsum, contract
from symnet.expr.nodes.elementwise import elementwise, equal, where
from symnet.expr.nodes.expansion import expand
from symnet.expr.nodes.node import Node
from symnet.simplify.forms.masks import is_off_diagonal
from symnet.simplify.rewrite import Rewrite


def delta_beside_factors_is_a_choice(node: Node) -> Node | None:
    """x[i, j]·δ[i, j] → where(i = j, x[i, j], 0).  Condition: some other factor is no number."""
    deltas = [o for o in node.operands if isinstance(o, Delta)]
    rest = [o for o in node.operands if not isinstance(o, Delta)]
    if not deltas or all(number_of(o) is not None for o in rest):
        return None
    (n, _), axes = deltas[0].shape, (node.rank - 2, node.rank - 1)
    condition = equal(*(expand(iota(n), node.shape, (a,)) for a in axes))
    return where(condition, rest[0] if len(rest) == 1 else elementwise("mul", *rest), 0)


def mask_beside_factors_is_a_choice(node: Node) -> Node | None:
    """x[i, j]·c·(1 - δ[i, j]) → where(i = j, 0, c·x[i, j]).  Condition: some other factor is no number."""
    masks = [o for o in node.operands if o.rank == 2 and is_off_diagonal(o)]
    rest = [o for o in node.operands if o is not masks[0]] if masks else []
    if not any(number_of(o) is None for o in rest) or len(rest) + 1 < len(node.operands):
        return None
    (value,) = (v for o in masks[0].operands if (v := number_of(o)) is not None)
    (n, _), axes = masks[0].shape, (node.rank - 2, node.rank - 1)
    condition = equal(*(expand(iota(n), node.shape, (a,)) for a in axes))
    scaled = rest if value == 1 else [number(value), *rest]
    return where(condition, 0, scaled[0] if len(scaled) == 1 else elementwise("mul", *scaled))


def kept_delta_is_a_choice(node: Einsum) -> Node | None:
    """x[i]·δ[i, j] → where(i = j, x[i], 0), also among several operands and deltas.

    Condition: i and j are different indices of the result, and some operand is no delta.
    """
    pairs = [
        indices
        for indices, o in zip(node.inputs, node.operands, strict=True)
        if isinstance(o, Delta) and len(set(indices) & set(node.output)) == 2
    ]
    rest = [
        (indices, o)
        for indices, o in zip(node.inputs, node.operands, strict=True)
        if not (isinstance(o, Delta) and indices in pairs)
    ]
    if not pairs or not rest:
        return None
    used = {i for indices, _ in rest for i in indices}
    output = tuple(i for i in node.output if i in used)
    value: Node = contract([indices for indices, _ in rest], output, *(o for _, o in rest))
    whole = expand(value, node.shape, tuple(node.output.index(i) for i in output))
    condition = None
    for pair in pairs:
        i, j = (expand(iota(node.extents[k]), node.shape, (node.output.index(k),)) for k in pair)
        condition = equal(i, j) if condition is None else elementwise("and", condition, equal(i, j))
    return where(condition, whole, 0)


DELTAS = (
    Rewrite(delta_beside_factors_is_a_choice, ("mul",), below=("delta",), domain="extends", role="stable"),
    Rewrite(mask_beside_factors_is_a_choice, ("mul",), below=("delta",), domain="extends", role="stable"),
    Rewrite(kept_delta_is_a_choice, ("einsum",), below=("delta",), domain="extends", role="stable"),
)

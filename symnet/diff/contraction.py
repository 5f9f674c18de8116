"""Derivative rules of contraction.

An einsum is linear in each operand, so the cotangent of one is the same einsum, in which the result's cotangent has the
operand's place, and operand and result have exchanged their indices.  C = A B is ij,jk->ik; so

    A_bar = C_bar Bᵀ  is  ik,jk->ij      B_bar = Aᵀ C_bar  is  ij,ik->jk

Source: M. Giles, "Collected matrix derivative results for forward and reverse mode AD", 2008, section 2.
"""

from __future__ import annotations

from collections.abc import Sequence

from symnet.diff.rules import Maybe
from symnet.diff.support import Where, carried, chosen, masked, varying
from symnet.expr.nodes.constants import identity
from symnet.expr.nodes.contraction import Einsum, contract
from symnet.expr.nodes.elementwise import elementwise
from symnet.expr.nodes.expansion import expand, keep_axes
from symnet.expr.nodes.extents import same_shape
from symnet.expr.nodes.node import Node, Shape


def contract_and_expand(
    inputs: Sequence[Sequence[int]], output: Sequence[int], shape: Shape, operands: Sequence[Node]
) -> Node:
    """`contract`, where an output index may stand in no operand: the result, of this shape, repeats along it.

    With inputs [[0]], output [0, 1] and shape (3, 4), a vector of 3 becomes 4 equal columns.
    """
    present = {i for indices in inputs for i in indices}
    places = tuple(a for a, i in enumerate(output) if i in present)
    kept = [output[a] for a in places]
    if len(operands) == 1 and list(inputs[0]) == kept:
        core = operands[0]
    else:
        core = contract(inputs, kept, *operands)
    return expand(core, shape, places)


def unbroadcast(y_bar: Node, shape: Shape) -> Node:
    """Sum a cotangent over the axes along which an operand of `shape` was broadcast."""
    if y_bar.shape is shape or same_shape(y_bar.shape, shape):
        return y_bar
    first = y_bar.rank - len(shape)
    stretched = [a for a, n in enumerate(shape) if n == 1 and y_bar.shape[first + a] != 1]
    gone = {*range(first), *(first + a for a in stretched)}
    total = contract([range(y_bar.rank)], [a for a in range(y_bar.rank) if a not in gone], y_bar)
    return keep_axes(total, tuple(stretched)) if stretched else total


def add_up(terms: Sequence[Node]) -> Maybe:
    """The sum of contributions, as one n-ary addition."""
    if not terms:
        return None
    return terms[0] if len(terms) == 1 else elementwise("add", *terms)


def einsum_vjp(node: Einsum, y_bar: Node, k: int) -> Maybe:
    """The contraction with y_bar in the place of operand k.

    An index that neither the result nor another operand has was summed: along it the cotangent repeats (`Expand`).  One
    that the operand has twice is renamed at its second place, and a delta ties the two: of a diagonal, ii->i, the
    cotangent is i,ij->ij of y_bar and δ.
    """
    inputs: list[tuple[int, ...]] = list(node.inputs)
    operands = [y_bar if j == k else x for j, x in enumerate(node.operands)]
    mine = inputs[k]
    inputs[k] = node.output
    fresh = max((i for indices in node.inputs for i in indices), default=0) + 1
    target: list[int] = []
    for axis, index in enumerate(mine):
        if index in target:
            inputs.append((index, fresh))
            operands.append(identity(node.operands[k].shape[axis]))
            index, fresh = fresh, fresh + 1
        target.append(index)
    return contract_and_expand(inputs, target, node.operands[k].shape, operands)


def einsum_guarded(node: Einsum, y_bar: Node, support: Where, k: int) -> Maybe:
    """`einsum_vjp` where y_bar is 0 outside its support (`support.py`): 0 times an infinite operand must not give NaN.

    Where the support varies along axes of operand k alone, the result is masked: x_bar = y_bar Wᵀ by a mask of rows.
    (To mask W, one would have to ask whether any row is in the support, which is a sum over rows.)  Elsewhere the other
    operands are set to 0 wherever all of y_bar that they meet is 0: in W_bar = xᵀ y_bar the rows of x.
    """
    if support is not None and varying(support) <= _places(node, k).keys():
        x_bar = einsum_vjp(node, y_bar, k)
        return None if x_bar is None else chosen(einsum_support(node, support, k), x_bar)
    operands = list(node.operands)
    for j, x in enumerate(operands):
        if j != k:
            operands[j] = masked(support, x, _places(node, j))
    return einsum_vjp(contract(node.inputs, node.output, *operands), y_bar, k)


def einsum_support(node: Einsum, support: Where, k: int) -> Where:
    """Where the cotangent of operand k may be other than 0."""
    return carried(support, _places(node, k), node.operands[k].shape)


def _places(node: Einsum, k: int) -> dict[int, int]:
    """Axis of the result → axis of operand k with the same index."""
    return {a: node.inputs[k].index(i) for a, i in enumerate(node.output) if i in node.inputs[k]}


def einsum_jvp(node: Einsum, x_dots: Sequence[Maybe]) -> Maybe:
    """The product rule: Σₖ the contraction with x_dot in the place of operand k."""
    terms: list[Node] = []
    for k, x_dot in enumerate(x_dots):
        if x_dot is not None:
            operands = (x_dot if j == k else x for j, x in enumerate(node.operands))
            terms.append(contract(node.inputs, node.output, *operands))
    return add_up(terms)


def einsum_batch(node: Einsum, batched: Sequence[Maybe], batch: Shape) -> Node:
    """The node with extra axes of extents `batch` in front; `batched` has the operands that have them, None for others.

    ij,jk->ik whose second operand has one extra axis becomes ij,bjk->bik.
    """
    first = max((i for indices in node.inputs for i in indices), default=0) + 1
    extra = tuple(range(first, first + len(batch)))
    inputs = [i if b is None else extra + i for i, b in zip(node.inputs, batched, strict=True)]
    operands = [x if b is None else b for x, b in zip(node.operands, batched, strict=True)]
    return contract(inputs, extra + node.output, *operands)

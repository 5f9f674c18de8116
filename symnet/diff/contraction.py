"""Derivative rules of contraction.

Linear in each operand, so the cotangent of one is the einsum with the result's cotangent in its place:
C = A B gives A_bar = C_bar Bᵀ and B_bar = Aᵀ C_bar.
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
    """`contract`, where an output index may stand in no operand: the result repeats along it."""
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

    An index that only this operand has was summed: its cotangent repeats (`Expand`).  An index that it has twice
    (a diagonal, a trace) comes back through a delta.
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
    """As `einsum_vjp`, the other operands being set to 0 at indices at which y_bar is 0.

    Where the support depends only on axes that the operand has, the result is masked, and not the other operands: a
    mask of rows asks nothing of the weights, and no sum over rows stands between the two products of a layer.
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
    """Extra indices at the front of the batched operands and of the result."""
    first = max((i for indices in node.inputs for i in indices), default=0) + 1
    extra = tuple(range(first, first + len(batch)))
    inputs = [i if b is None else extra + i for i, b in zip(node.inputs, batched, strict=True)]
    operands = [x if b is None else b for x, b in zip(node.operands, batched, strict=True)]
    return contract(inputs, extra + node.output, *operands)

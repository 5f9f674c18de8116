"""Contractions with a vector that has one element other than zero: a choice, no sum.

In: an `einsum` node whose operands are in normal form.  Out: the contraction of what is chosen.
Such vectors are the derivatives of elements: y = A x, ∂y[1]/∂x = Aᵀ e₁ = A[1].
Not handled: windows of more than one element, which are cheap as they are beside others.
"""

from __future__ import annotations

from collections.abc import Callable

from sympy import Integer

from symnet.expr.nodes.contraction import Einsum, contract
from symnet.expr.nodes.elementwise import elementwise, is_op
from symnet.expr.nodes.extents import ints_arg, same_extent, shape_arg
from symnet.expr.nodes.indexing import OneHot, Take
from symnet.expr.nodes.movement import Place, Slice, drop_axes
from symnet.expr.nodes.node import Node
from symnet.simplify.rewrite import Rewrite

Picked = Callable[[Node, int], Node]  # an operand and one of its axes → the operand without that axis


def choose_instead_of_summing_zeros(node: Einsum) -> Node | None:
    """pad(s, ((1, 2),)) @ A → s·A[1].  Condition: one element is placed along an axis that is summed with another
    operand's.
    """
    for k, operand in enumerate(node.operands):
        axes = [a for a in range(operand.rank) if isinstance(operand, Place) and _is_alone(operand, a)]
        for axis in axes:
            index = node.inputs[k][axis]
            if _is_met(node, k, index):
                return _without(node, k, index, _unplaced(operand, axis), _window(operand, axis))
    return None


def take_instead_of_summing_one_hot(node: Einsum) -> Node | None:
    """one_hot(j, n) @ A → take(A, j), Σ one_hot(j, n)·x → take(x, j), where one_hot(j, n) came of taking.  Condition: j
    is one index, and the classes are summed.
    """
    for k, operand in enumerate(node.operands):
        if operand.rank != 1 or node.inputs[k][0] in node.output:
            continue
        (index,) = node.inputs[k]
        factors = list(operand.operands) if is_op(operand, "mul") else [operand]
        row = next((f for f in factors if isinstance(f, OneHot) and f.wraps and f.rank == 1), None)
        others = [f for f in factors if f is not row]
        if row is not None and (others or _is_met(node, k, index)) and _is_once(node, index):
            pick = _taken(row.operands[0])
            left = [pick(f, 0) if f.rank else f for f in others]
            return _without(node, k, index, _product(left) if left else None, pick)
    return None


def _product(factors: list[Node]) -> Node:
    return factors[0] if len(factors) == 1 else elementwise("mul", *factors)


def _is_once(node: Einsum, index: int) -> bool:
    """Whether no operand has an index twice."""
    return all(indices.count(index) < 2 for indices in node.inputs)


def _is_alone(operand: Place, axis: int) -> bool:
    (x,) = operand.operands
    return same_extent(x.shape[axis], 1) and not same_extent(operand.shape[axis], 1)


def _is_met(node: Einsum, k: int, index: int) -> bool:
    """Whether an index of operand k is summed, and every other operand has it once at most, one of them has it."""
    counts = [indices.count(index) for indices in node.inputs]
    others = [*counts[:k], *counts[k + 1 :]]
    return index not in node.output and counts[k] == 1 and max(others, default=0) == 1


def _unplaced(operand: Place, axis: int) -> Node:
    """The operand without an axis along which it has one element among zeros."""
    (x,) = operand.operands
    left = [a for a in range(operand.rank) if a != axis]
    x = drop_axes(x, [axis])
    shape, starts = (shape_arg(tuple(of[a] for a in left)) for of in (operand.shape, operand.starts))
    return Place(x, shape, starts, ints_arg(tuple(operand.steps[a] for a in left))) if left else x


def _window(operand: Place, axis: int) -> Picked:
    """An operand at the only place, without the axis."""
    start = operand.starts[axis]

    def pick(x: Node, a: int) -> Node:
        starts = tuple(start if b == a else 0 for b in range(x.rank))
        sizes = tuple(1 if b == a else n for b, n in enumerate(x.shape))
        return drop_axes(Slice(x, shape_arg(starts), shape_arg(sizes), ints_arg((1,) * x.rank)), [a])

    return pick


def _taken(index: Node) -> Picked:
    """An operand at an index, without the axis."""
    return lambda x, axis: Take(x, index, Integer(axis))


def _without(node: Einsum, k: int, index: int, left: Node | None, pick: Picked) -> Node:
    """The contraction without an index: of the operands that have it an element, of operand k what is left."""
    parts: list[tuple[tuple[int, ...], Node]] = []
    for j, (indices, operand) in enumerate(zip(node.inputs, node.operands, strict=True)):
        rest = tuple(i for i in indices if i != index)
        if j == k:
            parts += [] if left is None else [(rest, left)]
        else:
            parts.append((rest, pick(operand, indices.index(index)) if index in indices else operand))
    return contract([indices for indices, _ in parts], node.output, *(operand for _, operand in parts))


UNIT_VECTORS: tuple[Rewrite, ...] = (
    Rewrite(choose_instead_of_summing_zeros, ("einsum",), below=("place",), domain="extends", role="shorter"),
    Rewrite(take_instead_of_summing_one_hot, ("einsum",), below=("one_hot",), domain="extends", role="shorter"),
)

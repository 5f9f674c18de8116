"""Derivative rules of linear algebra, for each matrix of a stack.

    X = A⁻¹B:       dX = A⁻¹(dB - dA X),        B_bar = A⁻ᵀ X_bar,  A_bar = -B_bar Xᵀ
    det A:          d = det(A)·tr(A⁻¹ dA),      A_bar = y_bar·det(A)·A⁻ᵀ
    log|det A|:     d = tr(A⁻¹ dA),             A_bar = y_bar·A⁻ᵀ

Source: M. Giles, "Collected matrix derivative results for forward and reverse mode AD", 2008, sections 2.2 and 2.3.
"""

from __future__ import annotations

from collections.abc import Sequence

from symnet.diff.contraction import add_up
from symnet.diff.elementwise import times
from symnet.diff.rules import Maybe
from symnet.diff.support import Where, carried, chosen, masked
from symnet.expr.nodes.contraction import contract
from symnet.expr.nodes.elementwise import negative
from symnet.expr.nodes.expansion import expand
from symnet.expr.nodes.linalg import Determinant, Solve, identities, inv, matrix_transpose, solve_for_many
from symnet.expr.nodes.node import Node, Shape


def solve_vjp(node: Solve, y_bar: Node, k: int) -> Maybe:
    """B_bar = A⁻ᵀ X_bar; A_bar = -B_bar Xᵀ, summed over the columns; of an inverse -Xᵀ X_bar Xᵀ."""
    return solve_guarded(node, y_bar, None, k)


def solve_guarded(node: Solve, y_bar: Node, support: Where, k: int) -> Maybe:
    """As `solve_vjp`, with I for a matrix of the stack, and 0 for its solutions, where its whole cotangent is 0."""
    stack = node.stack
    solution = masked(support, node, {a: a for a in stack})
    i, j, p, q = range(node.rank, node.rank + 4)
    if k == 0 and node.is_inverse:
        product = [(*stack, j, i), (*stack, j, p), (*stack, q, p)]
        return negative(contract(product, (*stack, i, q), solution, y_bar, solution))
    matrix = chosen(solve_support(node, support, 0), node.matrix, identities(node.matrix.shape))
    right_bar = Solve(matrix_transpose(matrix), y_bar)
    if k == 1:
        return right_bar
    columns = [[*stack, i, *node.columns], [*stack, j, *node.columns]]
    return negative(contract(columns, [*stack, i, j], right_bar, solution))


def solve_support(node: Solve, support: Where, k: int) -> Where:
    """The matrices of the stack of which any result is supported."""
    return carried(support, {a: a for a in node.stack}, node.operands[k].shape)


def solve_jvp(node: Solve, x_dots: Sequence[Maybe]) -> Maybe:
    """A⁻¹(B_dot - A_dot X); of an inverse -X A_dot X."""
    matrix_dot, right_dot = x_dots
    stack = node.stack
    i, j, p, q = range(node.rank, node.rank + 4)
    if node.is_inverse and matrix_dot is not None:
        product = [(*stack, i, j), (*stack, j, p), (*stack, p, q)]
        return negative(contract(product, (*stack, i, q), node, matrix_dot, node))
    terms = [] if right_dot is None else [right_dot]
    if matrix_dot is not None:
        product = [(*stack, i, j), (*stack, j, *node.columns)]
        terms.append(negative(contract(product, [*stack, i, *node.columns], matrix_dot, node)))
    total = add_up(terms)
    return None if total is None else Solve(node.matrix, total)


def solve_batch(node: Solve, batched: Sequence[Maybe], batch: Shape) -> Node:
    """The equations for every place along the extra axes: as more matrices where A has these axes, otherwise as more
    right-hand sides, which stand behind the rows while solving.
    """
    matrix, right = batched
    if matrix is None:
        assert right is not None, node
        return solve_for_many(node.matrix, right, len(batch))
    if right is None:
        shape = (*batch, *node.operands[1].shape)
        right = expand(node.operands[1], shape, tuple(range(len(batch), len(shape))))
    return Solve(matrix, right)


def determinant_vjp(node: Determinant, y_bar: Node, k: int) -> Maybe:
    """y_bar·A⁻ᵀ, times det A for the determinant."""
    return determinant_guarded(node, y_bar, None, k)


def determinant_guarded(node: Determinant, y_bar: Node, support: Where, k: int) -> Maybe:
    """As `determinant_vjp`, chosen where y_bar is not 0; elsewhere I is inverted in the place of the matrix."""
    here = determinant_support(node, support, k)
    inverse = inv(chosen(here, node.operands[0], identities(node.operands[0].shape)))
    scales = [y_bar, node] if node.op == "det" else [y_bar]
    if node.rank:
        scales = [expand(times(*scales), inverse.shape, tuple(range(node.rank)))]
    return chosen(here, times(*scales, matrix_transpose(inverse)))


def determinant_support(node: Determinant, support: Where, k: int) -> Where:
    return carried(support, {a: a for a in range(node.rank)}, node.operands[0].shape)


def determinant_jvp(node: Determinant, x_dots: Sequence[Maybe]) -> Maybe:
    """tr(A⁻¹ A_dot), times det A for the determinant."""
    if x_dots[0] is None:
        return None
    stack, i, j = range(node.rank), node.rank, node.rank + 1
    slope = contract([[*stack, i, j], [*stack, j, i]], stack, inv(node.operands[0]), x_dots[0])
    return times(node, slope) if node.op == "det" else slope


def determinant_batch(node: Determinant, batched: Sequence[Maybe], batch: Shape) -> Node:
    """The determinants of more matrices: the extra axes stand in front of the stack."""
    assert batched[0] is not None, node
    return Determinant(node.args[0], batched[0])

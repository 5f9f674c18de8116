"""Derivative rules of linear algebra.

    X = A⁻¹B:       dX = A⁻¹(dB - dA X),        B_bar = A⁻ᵀ X_bar,  A_bar = -B_bar Xᵀ
    det A:          d = det(A)·tr(A⁻¹ dA),      A_bar = y_bar·det(A)·A⁻ᵀ
    log|det A|:     d = tr(A⁻¹ dA),             A_bar = y_bar·A⁻ᵀ

Source: M. Giles, "Collected matrix derivative results for forward and reverse mode AD", 2008, sections 2.2 and 2.3.
Not handled: extra axes of the matrix itself, which would be a stack of matrices (derivatives never need them).
"""

from __future__ import annotations

from collections.abc import Sequence

from symnet.diff.contraction import add_up
from symnet.diff.elementwise import times
from symnet.diff.rules import Maybe
from symnet.errors import MissingRuleError, explain
from symnet.expr.contraction import contract, transpose
from symnet.expr.elementwise import negative
from symnet.expr.linalg import Determinant, Solve, inv
from symnet.expr.node import Node, Shape


def solve_vjp(node: Solve, y_bar: Node, k: int) -> Maybe:
    """B_bar = A⁻ᵀ X_bar; A_bar = -B_bar Xᵀ, summed over the columns; of an inverse -Xᵀ X_bar Xᵀ."""
    if k == 0 and node.is_inverse:
        return negative(contract([(1, 0), (1, 2), (3, 2)], (0, 3), node, y_bar, node))
    right_bar = Solve(transpose(node.matrix), y_bar)
    if k == 1:
        return right_bar
    columns = range(2, node.rank + 1)
    return negative(contract([[0, *columns], [1, *columns]], [0, 1], right_bar, node))


def solve_jvp(node: Solve, x_dots: Sequence[Maybe]) -> Maybe:
    """A⁻¹(B_dot - A_dot X); of an inverse -X A_dot X."""
    matrix_dot, right_dot = x_dots
    if node.is_inverse and matrix_dot is not None:
        return negative(contract([(0, 1), (1, 2), (2, 3)], (0, 3), node, matrix_dot, node))
    terms = [] if right_dot is None else [right_dot]
    if matrix_dot is not None:
        columns = range(2, node.rank + 1)
        terms.append(negative(contract([[0, 1], [1, *columns]], [0, *columns], matrix_dot, node)))
    total = add_up(terms)
    return None if total is None else Solve(node.matrix, total)


def solve_batch(node: Solve, batched: Sequence[Maybe], batch: Shape) -> Node:
    """More right-hand sides: the extra axes stand behind the rows while solving."""
    right = batched[1]
    if batched[0] is not None or right is None:
        raise _stack_of_matrices(node, batch)
    front = len(batch)
    rows_first = transpose(right, front, *range(front), *range(front + 1, right.rank))
    return transpose(Solve(node.matrix, rows_first), *range(1, front + 1), 0, *range(front + 1, right.rank))


def determinant_vjp(node: Determinant, y_bar: Node, k: int) -> Maybe:
    """y_bar·A⁻ᵀ, times det A for the determinant."""
    slope = transpose(inv(node.operands[0]))
    return times(y_bar, node, slope) if node.op == "det" else times(y_bar, slope)


def determinant_jvp(node: Determinant, x_dots: Sequence[Maybe]) -> Maybe:
    """tr(A⁻¹ A_dot), times det A for the determinant."""
    if x_dots[0] is None:
        return None
    slope = contract([[0, 1], [1, 0]], [], inv(node.operands[0]), x_dots[0])
    return times(node, slope) if node.op == "det" else slope


def determinant_batch(node: Determinant, batched: Sequence[Maybe], batch: Shape) -> Node:
    raise _stack_of_matrices(node, batch)


def _stack_of_matrices(node: Node, batch: Shape) -> MissingRuleError:
    got = f"extra axes {batch} of the matrix of a {node.kind} node"
    return MissingRuleError(explain("batch(…)", "one matrix", got, "Write the stack out, one matrix at a time."))

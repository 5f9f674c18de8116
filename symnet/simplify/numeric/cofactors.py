"""Cofactors instead of determinants times inverses: a pass of the numeric form.

In: products in the algebra form, in which the derivative of det A is det A·A⁻ᵀ.  Out: the cofactors of A, which exist
for singular matrices too, where A is small and of known size.
The cofactor of an element is, up to its sign, the determinant of A without its row and column; of three rows the cross
product of the other two, sign and all, where rows and columns are counted around.
Not handled: matrices of more than `MOST` rows, for which so many determinants would cost too much, or of a symbolic
extent; sums of inverses of several matrices.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from symnet.arrays import Array
from symnet.expr.nodes.constants import constant, number, number_of
from symnet.expr.nodes.contraction import Einsum
from symnet.expr.nodes.contraction import sum as total
from symnet.expr.nodes.elementwise import Elementwise, elementwise, is_op, power
from symnet.expr.nodes.graph import topological, with_operands
from symnet.expr.nodes.indexing import take
from symnet.expr.nodes.linalg import Determinant, Solve, matrix_transpose
from symnet.expr.nodes.movement import broadcast_to
from symnet.expr.nodes.node import Node
from symnet.simplify.algebra.linalg import is_inverse
from symnet.simplify.rewrite import Rewrite

MOST = 4  # rows
_LINEAR = frozenset({"slice", "expand", "reshape", "place"})  # in their first operand


def cofactors_instead_of_inverses(node: Elementwise) -> Node | None:
    """det A·A⁻ᵀ → the cofactors of A, det A·A⁻¹[i, j] too: they exist where A is singular.

    Condition: A has a known number of rows, at most four.
    """
    for place, operand in enumerate(node.operands):
        determinant = _determinant(operand)
        if determinant is None or determinant.operands[0].shape[-1] not in range(1, MOST + 1):
            continue
        for other, factor in enumerate(node.operands):
            adjoined = _with_adjugate(factor, determinant.operands[0]) if other != place else None
            if adjoined is not None:
                rest = [o for k, o in enumerate(node.operands) if k not in (place, other)]
                return _product([adjoined, *_less_one(operand), *rest], node)
    return None


def _determinant(operand: Node) -> Determinant | None:
    """The det A of a factor (det A)ᵖ, p = 1, 2, …, which may be repeated."""
    inner = operand.operands[0] if operand.kind == "expand" else operand
    if is_op(inner, "pow"):
        exponent = number_of(inner.operands[1])
        inner = inner.operands[0] if exponent is not None and exponent == int(exponent) >= 1 else inner
    return inner if isinstance(inner, Determinant) and inner.op == "det" else None


def _less_one(operand: Node) -> list[Node]:
    """(det A)ᵖ⁻¹ of a factor (det A)ᵖ; nothing of det A."""
    inner = operand.operands[0] if operand.kind == "expand" else operand
    if not is_op(inner, "pow"):
        return []
    base, exponent = inner.operands[0], number_of(inner.operands[1])
    assert exponent is not None
    lower = exponent - 1
    less = [] if lower == 0 else [base if lower == 1 else power(base, number(lower))]
    return [with_operands(operand, less) if operand.kind == "expand" else o for o in less]


def _product(factors: Sequence[Node], node: Node) -> Node:
    product = elementwise("mul", *factors) if len(factors) > 1 else factors[0]
    return broadcast_to(product, node.shape)


def _with_adjugate(node: Node, matrix: Node) -> Node | None:
    """A node with adj A in the place of A⁻¹, where that is a factor of all of it; None elsewhere."""
    if is_inverse(node):
        assert isinstance(node, Solve)
        return matrix_transpose(cofactors(matrix)) if node.matrix is matrix else None
    if is_op(node, "add"):
        parts = [_with_adjugate(o, matrix) for o in node.operands]
        whole = [part for part in parts if part is not None]
        return with_operands(node, whole) if len(whole) == len(parts) else None
    if not (isinstance(node, Einsum) or is_op(node, "mul") or node.kind in _LINEAR):
        return None
    for k, operand in enumerate(node.operands):
        part = _with_adjugate(operand, matrix)
        if part is not None and not any(_inverts(o, matrix) for j, o in enumerate(node.operands) if j != k):
            return with_operands(node, [part if j == k else o for j, o in enumerate(node.operands)])
    return None


def _inverts(node: Node, matrix: Node) -> bool:
    """Whether the inverse of a matrix stands in it."""
    return any(is_inverse(inner) and inner.operands[0] is matrix for inner in topological(node))


def cofactors(matrix: Node) -> Node:
    """The cofactors of every matrix of a stack, of at most `MOST` rows."""
    n = int(matrix.shape[-1])
    if n == 1:
        return broadcast_to(number(1), matrix.shape)
    if n == 2:
        return matrix[..., ::-1, ::-1] * _signs(matrix, 2, 2)
    if n == 3:
        return _turned(matrix, 1, 1) * _turned(matrix, 2, 2) - _turned(matrix, 1, 2) * _turned(matrix, 2, 1)
    return _of_four_rows(matrix)


def _of_four_rows(matrix: Node) -> Node:
    """With rows in pairs, 0 and 1, 2 and 3: expanded by the other row of the pair, over minors of the other pair."""
    pairs = [(c, d) for d in range(4) for c in range(d)]
    rest = [[c for c in range(4) if c != j] for j in range(4)]  # the columns without j
    others = [[pairs.index((a, b)), pairs.index((c, b)), pairs.index((c, a))] for c, a, b in map(tuple, rest)]
    first, second = (_columns(_rows(matrix, rows), np.array(pairs).T[0]) for rows in ([2, 2, 0, 0], [3, 3, 1, 1]))
    crossed = [_columns(_rows(matrix, rows), np.array(pairs).T[1]) for rows in ([3, 3, 1, 1], [2, 2, 0, 0])]
    minors = first * crossed[0] - second * crossed[1]  # of the other pair of rows, (…, 4, 6)
    partners = _columns(_rows(matrix, [1, 0, 3, 2]), np.array(rest))
    return total(partners * _columns(minors, np.array(others)) * _signs(matrix, 4, 4, 3), axis=-1)


def _rows(matrix: Node, rows: list[int]) -> Node:
    return take(matrix, np.array(rows), matrix.rank - 2)


def _columns(matrix: Node, columns: Array) -> Node:
    return take(matrix, columns, matrix.rank - 1)


def _signs(matrix: Node, *shape: int) -> Node:
    """-1 to the sum of the indices."""
    return constant((-1.0) ** np.sum(np.indices(shape), axis=0), dtype=str(matrix.dtype))


def _turned(matrix: Node, rows: int, columns: int) -> Node:
    """A[(i + rows) mod 3, (j + columns) mod 3]."""
    around = np.arange(3)
    return _columns(_rows(matrix, list(np.roll(around, -rows))), np.roll(around, -columns))


COFACTORS = (
    Rewrite(cofactors_instead_of_inverses, ("mul",), below=("determinant", "solve"), domain="extends", role="stable"),
)

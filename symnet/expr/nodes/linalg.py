"""Linear algebra of square matrices and of stacks of them: solving, inverses, determinants, powers.

In: a square matrix, of concrete or symbolic extent; the axes in front of the last two make a stack of matrices, as in
NumPy.  Out: two kinds of node,

    Solve(A, B)            the X with A X = B; the inverse is Solve(A, I)
    Determinant(op, A)     op is det, or logdet = log|det A|

and sugar: `inv` and `matrix_power` are made of these and of contractions.
Conventions: det of a 0 × 0 matrix is 1; of a singular matrix det is 0 and logdet is -inf, while solving is an error at
the call (`SingularMatrixError`), wherever in the stack the matrix stands.
Not handled: least squares, eigenvalues, singular values.
"""

from __future__ import annotations

import functools
import numbers
from typing import Any

from sympy.core.symbol import Str

from symnet.errors import ArgumentError, ShapeError, explain
from symnet.expr.nodes.constants import as_node, identity
from symnet.expr.nodes.contraction import contract, transpose
from symnet.expr.nodes.expansion import Expand, expand
from symnet.expr.nodes.extents import broadcast_shapes, same_extent, same_shape
from symnet.expr.nodes.movement import broadcast_to
from symnet.expr.nodes.node import Node, Shape, static_name
from symnet.expr.nodes.operand_dtypes import check_one_real
from symnet.expr.nodes.result_dtypes import real_dtype

DETERMINANTS = ("det", "logdet")
WRITTEN_OUT = 8  # factors of a power; the gradient of more grows with their square


class Solve(Node):
    """X with Σⱼ A[…, i, j]·X[…, j, :] = B[…, i, :]: args are (A, B).

    A: (*stack, n, n).  B and X: (*stack, n, *columns), with any number of column axes.
    """

    __slots__ = ()
    kind = "solve"

    @classmethod
    def _derive(cls, matrix: Node, right: Node) -> tuple[Shape, str | None]:
        assert matrix.rank >= 2 and same_extent(*matrix.shape[-2:]), matrix.shape
        assert same_shape(matrix.shape[:-1], right.shape[: matrix.rank - 1]), (matrix.shape, right.shape)
        check_one_real("solve(A, B)", (matrix, right))
        return right.shape, real_dtype(matrix, right)

    @property
    def matrix(self) -> Node:
        return self.operands[0]

    @property
    def stack(self) -> tuple[int, ...]:
        """The axes in front: which matrix."""
        return tuple(range(self.matrix.rank - 2))

    @property
    def columns(self) -> tuple[int, ...]:
        """The axes behind the rows: which right-hand side."""
        return tuple(range(self.matrix.rank - 1, self.rank))

    @property
    def is_inverse(self) -> bool:
        """Whether the right-hand side is the identity matrix, or a stack of it."""
        right = self.operands[1]
        if isinstance(right, Expand) and right.axes == (self.rank - 2, self.rank - 1):
            right = right.operands[0]
        return right.kind == "delta" and self.rank == self.matrix.rank


class Determinant(Node):
    """det A or log|det A| of every matrix of a stack: args are (op, A); A: (*stack, n, n), the result (*stack,)."""

    __slots__ = ()
    kind = "determinant"

    @classmethod
    def _derive(cls, op: Str, matrix: Node) -> tuple[Shape, str | None]:
        assert op.name in DETERMINANTS and matrix.rank >= 2 and same_extent(*matrix.shape[-2:]), (op, matrix.shape)
        return matrix.shape[:-2], real_dtype(matrix)

    @property
    def op(self) -> str:
        return str(self.args[0].name)


def identities(shape: Shape) -> Node:
    """The identity matrix for each of a stack: (*stack, n, n)."""
    return expand(identity(shape[-1]), shape, (len(shape) - 2, len(shape) - 1))


def matrix_transpose(x: Node) -> Node:
    """The last two axes exchanged."""
    return transpose(x, *range(x.rank - 2), x.rank - 1, x.rank - 2)


def _square(call: str, x: Any) -> Node:
    """A square matrix, or a stack of them.

    Raises:
        ShapeError: for a rank below 2, or two extents.
    """
    node = as_node(x)
    if node.rank < 2 or not same_extent(*node.shape[-2:]):
        expected = "a square matrix" if node.rank < 3 else "square matrices in the last two axes"
        raise ShapeError(explain(call, expected, f"shape {node.shape}", "Only a square matrix has one."))
    return node


def solve(A: Any, B: Any) -> Node:
    """The X with A X = B, by elimination with partial pivoting; no inverse is formed.

    Args:
        A: (…, n, n).
        B: (n,) for one vector, otherwise (…, n, k); the axes in front broadcast, as in NumPy.

    Returns:
        a node of shape (…, n) or (…, n, k).  At the call a singular A raises `SingularMatrixError`.

    Raises:
        ShapeError: A is not square, B has another number of rows, or the stacks do not broadcast.

    Example:
        >>> import symnet as sn
        >>> A, b = sn.tensor("A", 3, 3), sn.tensor("b", 3)
        >>> sn.grad(b @ sn.solve(A, b), b)
        (inv(A) + inv(A).T) @ b
    """
    A, B = _square("solve(A, B)", A), as_node(B)
    n = A.shape[-1]
    if not B.rank or not same_extent(n, B.shape[0 if B.rank == 1 else -2]):
        expected = f"right-hand sides of {n} rows, a vector or a matrix"
        mend = "Did you mean solve(A, B.T)?" if B.rank == 2 and same_extent(n, B.shape[1]) else "Reshape it."
        if B.rank > 1 and same_extent(n, B.shape[-1]) and not same_extent(n, B.shape[-2]) and B.rank == A.rank - 1:
            mend = "For one vector for each matrix, give them as columns: solve(A, B.reshape(…, n, 1))."
        raise ShapeError(explain("solve(A, B)", expected, f"shape {B.shape} beside A of shape {A.shape}", mend))
    if B.rank == 1:
        return Solve(A, broadcast_to(B, A.shape[:-1]))
    return _solve_stacks(A, B)


def _solve_stacks(A: Node, B: Node) -> Node:
    """Stacks broadcast; the axes that only B has become columns, so that each matrix is eliminated once."""
    stack = broadcast_shapes("solve(A, B)", A.shape[:-2], B.shape[:-2])
    many = len(stack) - (A.rank - 2)
    matrices = broadcast_to(A, (*stack[many:], *A.shape[-2:]))
    if not many:
        return Solve(matrices, broadcast_to(B, (*stack, *B.shape[-2:])))
    right = broadcast_to(B, (*B.shape[:many], *stack[many:], *B.shape[-2:]))
    return solve_for_many(matrices, right, many)


def solve_for_many(matrices: Node, right: Node, many: int) -> Node:
    """A⁻¹B where B has `many` axes in front of the stack: they stand behind the rows while solving."""
    rows = matrices.rank - 1
    front, shared, rest = range(many), range(many, many + rows), range(many + rows, right.rank)
    solved = Solve(matrices, transpose(right, *shared, *front, *rest))
    return transpose(solved, *range(rows, rows + many), *range(rows), *range(rows + many, right.rank))


def inv(A: Any) -> Node:
    """A⁻¹; its derivative along D is -A⁻¹ D A⁻¹.

    Where the inverse multiplies something, equations are solved instead: no inverse is formed.

    Args:
        A: (…, n, n).  At the call a singular A raises `SingularMatrixError`.

    Example:
        >>> import symnet as sn
        >>> X, a, b = sn.tensor("X", 3, 3), sn.tensor("a", 3), sn.tensor("b", 3)
        >>> sn.grad(a @ sn.inv(X) @ b, X)
        -outer(inv(X).T @ a, inv(X) @ b)
    """
    A = _square("inv(A)", A)
    return Solve(A, identities(A.shape))


def det(A: Any) -> Node:
    """det A; its derivative is det(A)·A⁻ᵀ, which a singular A does not have.

    Args:
        A: (…, n, n).

    Returns:
        a node of shape (…).
    """
    return Determinant(static_name("det"), _square("det(A)", A))


def logdet(A: Any) -> Node:
    """log|det A|, -inf for a singular A; its derivative is A⁻ᵀ.

    Args:
        A: (…, n, n).

    Returns:
        a node of shape (…).

    Example:
        >>> import symnet as sn
        >>> X = sn.tensor("X", sn.dim("n"), sn.dim("n"))
        >>> sn.grad(sn.logdet(X), X)
        inv(X).T
    """
    return Determinant(static_name("logdet"), _square("logdet(A)", A))


def matrix_power(A: Any, n: int) -> Node:
    """A·A·…·A, n times; the inverse's power for a negative n, the identity for 0.

    Up to `WRITTEN_OUT` factors are one contraction, which reads and simplifies as a product; a longer power is squared
    again and again, A¹³ = A·(A²)²·((A²)²)², so that it and its derivatives take O(log n) products.

    Args:
        A: (…, k, k).
        n: a Python int.

    Raises:
        ArgumentError: n is no integer.
    """
    A = _square("matrix_power(A, n)", A)
    if not isinstance(n, numbers.Integral):
        mend = "Roots and other functions of matrices are not handled."
        raise ArgumentError(explain(f"matrix_power(A, {n!r})", "an int", repr(n), mend))
    if n == 0:
        return identities(A.shape)
    base, count = (A if n > 0 else inv(A)), abs(int(n))
    return _product([base] * count) if count <= WRITTEN_OUT else _by_squaring(base, count)


def _by_squaring(square: Node, n: int) -> Node:
    """Source: D. Knuth, "The Art of Computer Programming", volume 2, 3rd edition 1997, section 4.6.3, algorithm A."""
    factors: list[Node] = []
    while True:
        if n & 1:
            factors.append(square)
        n >>= 1
        if not n:
            return functools.reduce(lambda product, factor: _product([product, factor]), factors)
        square = _product([square, square])


def _product(factors: list[Node]) -> Node:
    """The product of square matrices, or of stacks of them, as one contraction."""
    count = len(factors)
    stack = range(count + 1, count + factors[0].rank - 1)
    indices = [(*stack, k, k + 1) for k in range(count)]
    return contract(indices, (*stack, 0, count), *factors) if count > 1 else factors[0]

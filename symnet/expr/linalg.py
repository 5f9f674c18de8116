"""Linear algebra of square matrices: solving, inverses, determinants, powers; and norms.

In: a square matrix, of concrete or symbolic extent.  Out: two kinds of node,

    Solve(A, B)            the X with A X = B; the inverse is Solve(A, I)
    Determinant(op, A)     op is det, or logdet = log|det A|

and sugar: `inv`, `matrix_power` and `norm` are made of these, of contractions and of elementwise functions.
Conventions: det of a 0 × 0 matrix is 1; of a singular matrix det is 0 and logdet is -inf, while solving is an error at
the call (`SingularMatrixError`).  The derivative of a norm at 0 is 0.
Not handled: stacks of matrices, least squares, spectral and nuclear norms.
"""

from __future__ import annotations

import numbers
from collections.abc import Callable
from typing import Any

import sympy
from sympy.core.symbol import Str

from symnet import dtypes
from symnet.errors import ArgumentError, ShapeError, explain
from symnet.expr.constants import as_node, identity
from symnet.expr.contraction import contract
from symnet.expr.contraction import sum as total
from symnet.expr.elementwise import absolute, check_one_real, power, sqrt
from symnet.expr.extents import normalize_axes, same_extent
from symnet.expr.movement import keep_axes
from symnet.expr.node import Node, Shape, static_name
from symnet.expr.reduction import max as largest
from symnet.expr.reduction import min as smallest

DETERMINANTS = ("det", "logdet")


def _real(*operands: Node) -> str | None:
    dtype = dtypes.promote(*(o.dtype for o in operands))
    return dtype if dtype is None or dtype in dtypes.REAL else dtypes.DEFAULT_REAL


class Solve(Node):
    """X with Σⱼ A[i, j]·X[j, …] = B[i, …]: args are (A, B); B of rank 1 or more, X of B's shape."""

    __slots__ = ()
    kind = "solve"

    @classmethod
    def _derive(cls, matrix: Node, right: Node) -> tuple[Shape, str | None]:
        assert matrix.rank == 2 and same_extent(*matrix.shape) and right.rank, (matrix.shape, right.shape)
        assert same_extent(matrix.shape[1], right.shape[0]), (matrix.shape, right.shape)
        check_one_real("solve(A, B)", (matrix, right))
        return right.shape, _real(matrix, right)

    @property
    def matrix(self) -> Node:
        return self.operands[0]

    @property
    def is_inverse(self) -> bool:
        """Whether the right-hand side is the identity matrix."""
        return self.operands[1].kind == "delta"


class Determinant(Node):
    """det A or log|det A|: args are (op, A)."""

    __slots__ = ()
    kind = "determinant"

    @classmethod
    def _derive(cls, op: Str, matrix: Node) -> tuple[Shape, str | None]:
        assert op.name in DETERMINANTS and matrix.rank == 2 and same_extent(*matrix.shape), (op, matrix.shape)
        return (), _real(matrix)

    @property
    def op(self) -> str:
        return str(self.args[0].name)


def _square(call: str, x: Any) -> Node:
    """A square matrix.

    Raises:
        ShapeError: for another rank, or two extents.
    """
    node = as_node(x)
    if node.rank != 2 or not same_extent(*node.shape):
        mend = "Take one matrix of the stack at a time." if node.rank > 2 else "Only a square matrix has one."
        raise ShapeError(explain(call, "a square matrix", f"shape {node.shape}", mend))
    return node


def solve(A: Any, B: Any) -> Node:
    """The X with A X = B, by elimination with partial pivoting; no inverse is formed.

    Args:
        A: (n, n).
        B: (n,) or (n, k).

    Returns:
        a node of B's shape.  At the call a singular A raises `SingularMatrixError`.

    Raises:
        ShapeError: A is not square, or B has another number of rows.

    Example:
        >>> import symnet as sn
        >>> A, b = sn.tensor("A", 3, 3), sn.tensor("b", 3)
        >>> sn.grad(b @ sn.solve(A, b), b)
        (inv(A) + inv(A).T) @ b
    """
    A, B = _square("solve(A, B)", A), as_node(B)
    if not 1 <= B.rank <= 2 or not same_extent(A.shape[1], B.shape[0]):
        expected = f"right-hand sides of {A.shape[0]} rows, a vector or a matrix"
        mend = "Did you mean solve(A, B.T)?" if B.rank == 2 and same_extent(A.shape[1], B.shape[1]) else "Reshape it."
        raise ShapeError(explain("solve(A, B)", expected, f"shape {B.shape} beside A of shape {A.shape}", mend))
    return Solve(A, B)


def inv(A: Any) -> Node:
    """A⁻¹; its derivative along D is -A⁻¹ D A⁻¹.

    Where the inverse multiplies something, equations are solved instead: no inverse is formed.

    Args:
        A: (n, n).  At the call a singular A raises `SingularMatrixError`.

    Example:
        >>> import symnet as sn
        >>> X, a, b = sn.tensor("X", 3, 3), sn.tensor("a", 3), sn.tensor("b", 3)
        >>> sn.grad(a @ sn.inv(X) @ b, X)
        -outer(inv(X).T @ a, inv(X) @ b)
    """
    A = _square("inv(A)", A)
    return Solve(A, identity(A.shape[0]))


def det(A: Any) -> Node:
    """det A; its derivative is det(A)·A⁻ᵀ, which a singular A does not have.

    Args:
        A: (n, n).
    """
    return Determinant(static_name("det"), _square("det(A)", A))


def logdet(A: Any) -> Node:
    """log|det A|, -inf for a singular A; its derivative is A⁻ᵀ.

    Args:
        A: (n, n).

    Example:
        >>> import symnet as sn
        >>> X = sn.tensor("X", sn.dim("n"), sn.dim("n"))
        >>> sn.grad(sn.logdet(X), X)
        inv(X).T
    """
    return Determinant(static_name("logdet"), _square("logdet(A)", A))


def matrix_power(A: Any, n: int) -> Node:
    """A·A·…·A, n times; the inverse's power for a negative n, the identity for 0.

    Args:
        A: (k, k).
        n: a Python int.

    Raises:
        ArgumentError: n is no integer.
    """
    A = _square("matrix_power(A, n)", A)
    if not isinstance(n, numbers.Integral):
        mend = "Roots and other functions of matrices are not handled."
        raise ArgumentError(explain(f"matrix_power(A, {n!r})", "an int", repr(n), mend))
    if n == 0:
        return identity(A.shape[0])
    base, count = (A if n > 0 else inv(A)), abs(int(n))
    return base if count == 1 else contract([(k, k + 1) for k in range(count)], (0, count), *[base] * count)


# --------------------------------------------------------------------------- norms


def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Node:
    """A norm with NumPy's meaning: √Σx² unless `ord` says otherwise.  Its derivative at 0 is 0.

    Args:
        x: any shape.
        ord: of a vector 1, 2, inf, -inf, 0 < p; of a matrix None or "fro", 1 (largest column sum), inf (row sum).
        axis: an int (vectors along it), two ints (matrices in them), or None for all of x.
        keepdims: keep the axes with extent 1.

    Raises:
        ArgumentError: a norm that is not handled, such as the spectral one.

    Example:
        >>> import symnet as sn
        >>> x = sn.tensor("x", 5)
        >>> sn.grad(sn.norm(x), x)
        x/norm(x)
    """
    x = as_node(x)
    axes = normalize_axes(f"norm(…, axis={axis!r})", axis, x.rank)
    if ord is None or (ord == "fro" and len(axes) == 2) or (len(axes) == 1 and ord == 2):
        return sqrt(total(power(x, 2), axes, keepdims))
    if len(axes) == 2:
        return _matrix_norm(x, ord, axes, keepdims)
    if len(axes) != 1 or isinstance(ord, str) or not (ord > 0 or ord == -sympy.oo):
        raise _no_such_norm(ord, axes)
    if ord in (float("inf"), sympy.oo):
        return largest(absolute(x), axes, keepdims)
    if ord in (float("-inf"), -sympy.oo):
        return smallest(absolute(x), axes, keepdims)
    if ord == 1:
        return total(absolute(x), axes, keepdims)
    return power(total(power(absolute(x), ord), axes, keepdims), sympy.Integer(1) / sympy.nsimplify(ord))


def _matrix_norm(x: Node, ord: Any, axes: tuple[int, ...], keepdims: bool) -> Node:
    """The largest sum of absolute values along columns (1) or rows (inf)."""
    summed: dict[Any, tuple[int, Callable[..., Node]]] = {
        1: (axes[0], largest),
        -1: (axes[0], smallest),
        float("inf"): (axes[1], largest),
        float("-inf"): (axes[1], smallest),
    }
    if ord not in summed:
        raise _no_such_norm(ord, axes)
    along, extreme = summed[ord]
    (other,) = (a for a in axes if a != along)
    value = extreme(total(absolute(x), along), other - (other > along))
    return keep_axes(value, axes) if keepdims else value


def _no_such_norm(ord: Any, axes: tuple[int, ...]) -> ArgumentError:
    what = {0: "a scalar", 1: "vectors", 2: "matrices"}.get(len(axes), f"arrays of rank {len(axes)}")
    known = {1: "1, 2, inf, -inf or a positive power", 2: 'None, "fro", 1, -1, inf or -inf'}.get(len(axes), "None")
    mend = "Name the axis of the vectors with axis=." if len(axes) != 1 else "Choose one of these."
    return ArgumentError(explain(f"norm(x, ord={ord!r})", f"{known} for {what}", repr(ord), mend))

"""Linear algebra in NumPy.

In: square matrices, or stacks of them.  Out: `numpy.linalg`'s solutions and determinants.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from symnet.arrays import Array
from symnet.errors import SingularMatrixError, explain
from symnet.expr.nodes.linalg import Determinant, Solve
from symnet.reference.context import Context


def solve_value(node: Solve, values: Sequence[Array], context: Context) -> Array:
    matrix, right = context.operands(node, values)
    stack = matrix.ndim - 1
    columns = right.reshape(*right.shape[:stack], int(np.prod(right.shape[stack:], dtype=int)))
    try:
        return np.asarray(np.linalg.solve(matrix, columns)).reshape(right.shape)
    except np.linalg.LinAlgError:
        mend = "Check the data; a sum such as A + 1e-6*eye(n) is never that close to singular."
        got = f"a singular one of shape {matrix.shape[-2:]}"
        if matrix.ndim > 2:
            got += f" at {_first_singular(matrix)} of the stack"
        raise SingularMatrixError(explain("solve(A, B)", "a matrix that can be inverted", got, mend)) from None


def _first_singular(stack: Array) -> str:
    """The index of the first matrix that LAPACK refuses."""
    for which in np.ndindex(stack.shape[:-2]):
        try:
            np.linalg.inv(stack[which])
        except np.linalg.LinAlgError:
            return f"[{', '.join(map(str, which))}]"
    raise AssertionError("no matrix of the stack is singular")


def determinant_value(node: Determinant, values: Sequence[Array], context: Context) -> Array:
    (matrix,) = context.operands(node, values)
    with np.errstate(all="ignore"):
        if node.op == "logdet":
            return np.asarray(np.linalg.slogdet(matrix)[1], matrix.dtype)
        return np.asarray(np.linalg.det(matrix), matrix.dtype)

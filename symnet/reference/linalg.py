"""Linear algebra in NumPy.

In: square matrices.  Out: `numpy.linalg`'s solutions and determinants.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from symnet.errors import SingularMatrixError, explain
from symnet.expr.linalg import Determinant, Solve
from symnet.reference.context import Array, Context


def solve_value(node: Solve, values: Sequence[Array], context: Context) -> Array:
    matrix, right = context.operands(node, values)
    columns = right.reshape(right.shape[0], int(np.prod(right.shape[1:], dtype=int)))
    try:
        return np.asarray(np.linalg.solve(matrix, columns)).reshape(right.shape)
    except np.linalg.LinAlgError:
        mend = "Check the data; a sum such as A + 1e-6*eye(n) is never that close to singular."
        raise SingularMatrixError(
            explain("solve(A, B)", "a matrix that can be inverted", f"a singular one of shape {matrix.shape}", mend)
        ) from None


def determinant_value(node: Determinant, values: Sequence[Array], context: Context) -> Array:
    (matrix,) = context.operands(node, values)
    with np.errstate(all="ignore"):
        if node.op == "logdet":
            return np.asarray(np.linalg.slogdet(matrix)[1], matrix.dtype)
        return np.asarray(np.linalg.det(matrix), matrix.dtype)

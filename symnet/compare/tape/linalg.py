"""Linear algebra on the tape: LAPACK through NumPy, the inverse kept for the way back.

In: variables that hold square matrices.  Out: the result, recorded.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symnet.compare.tape.var import Tape, Var


def _flat(x: Any) -> Any:
    """Right-hand sides as the columns of a matrix."""
    return np.reshape(x, (np.shape(x)[0], int(np.prod(np.shape(x)[1:], dtype=int))))


def solve(tape: Tape, matrix: Var, right: Var) -> Var:
    x = np.reshape(np.linalg.solve(matrix.value, _flat(right.value)), np.shape(right.value))

    def back(g: Any) -> Any:
        return np.reshape(np.linalg.solve(matrix.value.T, _flat(g)), np.shape(x))

    return tape.record(x, (matrix, lambda g: -_flat(back(g)) @ _flat(x).T), (right, back))


def determinant(tape: Tape, matrix: Var, *, op: str) -> Var:
    y = np.asanyarray(np.linalg.det(matrix.value) if op == "det" else np.linalg.slogdet(matrix.value)[1])
    scale = y if op == "det" else 1.0
    return tape.record(y, (matrix, lambda g: g * scale * np.linalg.inv(matrix.value).T))

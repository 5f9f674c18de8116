"""Linear algebra on the tape: LAPACK through NumPy, the inverse kept for the way back.

In: variables that hold square matrices, or stacks of them.  Out: the result, recorded.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symnet.compare.tape.var import Tape, TapeValue


def _flat(x: Any, matrix: Any) -> Any:
    """Right-hand sides as the columns of a matrix, for each of the stack."""
    rows = np.shape(x)[: np.ndim(matrix) - 1]
    return np.reshape(x, (*rows, int(np.prod(np.shape(x)[len(rows) :], dtype=int))))


def _turned(x: Any) -> Any:
    return np.swapaxes(x, -1, -2)


def solve(tape: Tape, matrix: TapeValue, right: TapeValue) -> TapeValue:
    a = matrix.value
    x = np.reshape(np.linalg.solve(a, _flat(right.value, a)), np.shape(right.value))

    def back(g: Any) -> Any:
        return np.reshape(np.linalg.solve(_turned(a), _flat(g, a)), np.shape(x))

    return tape.record(x, (matrix, lambda g: -_flat(back(g), a) @ _turned(_flat(x, a))), (right, back))


def determinant(tape: Tape, matrix: TapeValue, *, op: str) -> TapeValue:
    y = np.asanyarray(np.linalg.det(matrix.value) if op == "det" else np.linalg.slogdet(matrix.value)[1])
    scale = y if op == "det" else np.ones_like(y)

    def back(g: Any) -> Any:
        return (g * scale)[..., None, None] * _turned(np.linalg.inv(matrix.value))

    return tape.record(y, (matrix, back))

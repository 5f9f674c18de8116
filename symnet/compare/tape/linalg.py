"""Linear algebra on the tape: LAPACK through NumPy, the inverse kept for the way back.

In: variables that hold square matrices, or stacks of them.  Out: the result, recorded.
The determinant has a derivative everywhere, det·A⁻ᵀ where A can be inverted and the cofactors in any case; solutions
and log |det| have none where A is singular, and are NaN there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from symnet.compare.tape.analytic import is_complex
from symnet.compare.tape.var import Tape, TapeValue


def flat(x: Any, matrix: Any) -> Any:
    """Right-hand sides as the columns of a matrix, for each of the stack."""
    rows = np.shape(x)[: np.ndim(matrix) - 1]
    return np.reshape(x, (*rows, int(np.prod(np.shape(x)[len(rows) :], dtype=int))))


def turned(x: Any) -> Any:
    return np.swapaxes(x, -1, -2)


def or_nan(function: Callable[..., Any], matrix: Any, *right: Any) -> Any:
    """A solution, NaN where LAPACK finds a matrix of the stack singular; in float64 at least, as LAPACK has no more."""
    extended = np.asarray(matrix).dtype == np.longdouble
    given = [np.asarray(x, float) if extended else x for x in (matrix, *right)]
    try:
        return function(*given)
    except np.linalg.LinAlgError:
        if np.ndim(matrix) == 2:
            return np.full_like(given[-1], np.nan)
        return np.stack([or_nan(function, *each) for each in zip(*given, strict=True)])


def solve(tape: Tape, matrix: TapeValue, right: TapeValue) -> TapeValue:
    a = matrix.value
    x = np.reshape(or_nan(np.linalg.solve, a, flat(right.value, a)), np.shape(right.value))

    def back(g: Any) -> Any:
        return np.reshape(or_nan(np.linalg.solve, turned(a), flat(g, a)), np.shape(x))

    return tape.record(x, (matrix, lambda g: -flat(back(g), a) @ turned(flat(x, a))), (right, back))


def cofactors(matrix: Any, determinant: Any) -> Any:
    """det(A)·A⁻ᵀ where A can be inverted, the cofactors in any case."""
    try:
        return determinant[..., None, None] * turned(np.linalg.inv(matrix))
    except np.linalg.LinAlgError:
        return _by_singular_values(matrix)


def _by_singular_values(matrix: Any) -> Any:
    """Of A = U·Σ·V: det U·det V·U·Σ′·V, where σ′_k is the product of the singular values without σ_k."""
    u, s, v = np.linalg.svd(matrix)
    others = np.stack([np.delete(s, k, -1).prod(-1) for k in range(s.shape[-1])], -1)
    sign = np.linalg.det(u) * np.linalg.det(v)
    return sign[..., None, None] * ((u * others[..., None, :]) @ v)


def _log_size(matrix: Any) -> Any:
    """log |det|, continued to complex numbers near the real axis."""
    sign, size = np.linalg.slogdet(matrix)
    return size + 1j * np.angle(sign * np.sign(sign.real)) if is_complex(matrix) else size


def determinant(tape: Tape, matrix: TapeValue, *, op: str) -> TapeValue:
    a = matrix.value
    extended = np.asarray(a).dtype == np.longdouble
    held = np.asarray(a, float) if extended else a
    y = np.asanyarray(np.linalg.det(held) if op == "det" else _log_size(held))

    def back(g: Any) -> Any:
        return g[..., None, None] * (cofactors(held, y) if op == "det" else turned(or_nan(np.linalg.inv, held)))

    return tape.record(y, (matrix, back))

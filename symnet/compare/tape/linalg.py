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


def _flat(x: Any, matrix: Any) -> Any:
    """Right-hand sides as the columns of a matrix, for each of the stack."""
    rows = np.shape(x)[: np.ndim(matrix) - 1]
    return np.reshape(x, (*rows, int(np.prod(np.shape(x)[len(rows) :], dtype=int))))


def _turned(x: Any) -> Any:
    return np.swapaxes(x, -1, -2)


def _or_nan(function: Callable[..., Any], matrix: Any, *right: Any) -> Any:
    """A solution, NaN where LAPACK finds a matrix of the stack singular; in float64 at least, as LAPACK has no more."""
    extended = np.asarray(matrix).dtype == np.longdouble
    given = [np.asarray(x, float) if extended else x for x in (matrix, *right)]
    try:
        return function(*given)
    except np.linalg.LinAlgError:
        if np.ndim(matrix) == 2:
            return np.full_like(given[-1], np.nan)
        return np.stack([_or_nan(function, *each) for each in zip(*given, strict=True)])


def solve(tape: Tape, matrix: TapeValue, right: TapeValue) -> TapeValue:
    a = matrix.value
    x = np.reshape(_or_nan(np.linalg.solve, a, _flat(right.value, a)), np.shape(right.value))

    def back(g: Any) -> Any:
        return np.reshape(_or_nan(np.linalg.solve, _turned(a), _flat(g, a)), np.shape(x))

    return tape.record(x, (matrix, lambda g: -_flat(back(g), a) @ _turned(_flat(x, a))), (right, back))


def _cofactors(matrix: Any) -> Any:
    """det(A)·A⁻ᵀ, from singular values: Σ over k of the product of all others, σ_k left out."""
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
        if op == "logdet":
            return g[..., None, None] * _turned(_or_nan(np.linalg.inv, held))
        try:
            return (g * y)[..., None, None] * _turned(np.linalg.inv(held))
        except np.linalg.LinAlgError:
            return g[..., None, None] * _cofactors(held)

    return tape.record(y, (matrix, back))

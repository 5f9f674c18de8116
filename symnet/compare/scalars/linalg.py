"""Linear algebra over single numbers: elimination with pivots, as on paper.

In: a tape, and square matrices of objects or stacks of them.  Out: solutions and determinants, each operation recorded.
A determinant whose elimination meets a column of zeros is computed without divisions, so that its derivative, the
cofactors, is not lost.
Source: R. Bird, "A simple division-free algorithm for computing determinants", Inf. Process. Lett. 111, 2011.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from symnet.compare.scalars.operations import boxed, lifted
from symnet.compare.scalars.recorded import ScalarTape, plain_number


def solve(tape: ScalarTape, matrix: Any, right: Any) -> Any:
    matrix, right = lifted(tape, matrix), lifted(tape, right)
    stack = matrix.shape[:-2]
    columns = right.reshape(*stack, matrix.shape[-1], int(np.prod(right.shape[len(stack) + 1 :], dtype=int)))
    found = np.empty(columns.shape, dtype=object)
    for place in np.ndindex(stack):
        found[place] = _solution(tape, matrix[place], columns[place])
    return found.reshape(right.shape)


def _solution(tape: ScalarTape, matrix: Any, columns: Any) -> Any:
    n = len(matrix)
    rows, _ = _eliminated(tape, np.concatenate([matrix, columns], 1), n)
    x = np.empty(columns.shape, dtype=object)
    for i in reversed(range(n)):
        for k in range(columns.shape[1]):
            known = [(rows[i, j], x[j, k]) for j in range(i + 1, n)]
            rest = tape.apply("subtract", rows[i, n + k], tape.sum_of_products(known)) if known else rows[i, n + k]
            x[i, k] = tape.apply("divide", rest, rows[i, i])
    return x


def _eliminated(tape: ScalarTape, rows: Any, n: int) -> tuple[Any, int]:
    """The upper triangle, and the sign of the exchanges."""
    rows, sign = rows.copy(), 1
    for k in range(n):
        best = max(range(k, n), key=lambda i: abs(plain_number(rows[i, k])))
        if best != k:
            rows[[k, best]], sign = rows[[best, k]], -sign
        for i in range(k + 1, n):
            factor = tape.apply("divide", rows[i, k], rows[k, k])
            for j in range(k + 1, rows.shape[1]):
                rows[i, j] = tape.apply("subtract", rows[i, j], tape.apply("mul", factor, rows[k, j]))
    return rows, sign


def determinant(tape: ScalarTape, matrix: Any, *, op: str) -> Any:
    matrix = lifted(tape, matrix)
    found = np.empty(matrix.shape[:-2], dtype=object)
    for place in np.ndindex(found.shape):
        found[place] = (_determinant if op == "det" else _log_size)(tape, matrix[place])
    return boxed(found)


def _determinant(tape: ScalarTape, matrix: Any) -> Any:
    rows, sign = _eliminated(tape, matrix, len(matrix))
    pivots = list(np.diagonal(rows))
    if not all(plain_number(p) and plain_number(p) == plain_number(p) for p in pivots):
        return _without_divisions(tape, matrix)
    return functools.reduce(functools.partial(tape.apply, "mul"), pivots, tape.numbers.number(sign))


def _log_size(tape: ScalarTape, matrix: Any) -> Any:
    pivots = np.diagonal(_eliminated(tape, matrix, len(matrix))[0])
    logs = [tape.apply("log", tape.apply("abs", p)) for p in pivots]
    return functools.reduce(functools.partial(tape.apply, "add"), logs, tape.numbers.number(0))


def _without_divisions(tape: ScalarTape, a: Any) -> Any:
    """±X[0, 0] of X ← μ(X)·A, n - 1 times; μ: what is above the diagonal, and on it minus the sum of what is below."""
    n, x = len(a), a
    for _ in range(n - 1):
        upper: Any = np.full((n, n), boxed(tape.numbers.number(0)), dtype=object)
        for i in range(n):
            upper[i, i + 1 :] = x[i, i + 1 :]
            below = [(x[j, j],) for j in range(i + 1, n)]
            upper[i, i] = tape.apply("negative", tape.sum_of_products(below)) if below else upper[i, i]
        x = np.array([[tape.sum_of_products(list(zip(r, c, strict=True))) for c in a.T] for r in upper], dtype=object)
    return x[0, 0] if n % 2 else tape.apply("negative", x[0, 0])

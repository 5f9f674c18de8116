"""Linear algebra that goes back to SymPy holds wherever the node does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sympy

import symnet as sn

# Regular, with zeros where elimination in the order of the rows would divide.
REGULAR = [
    [[0, 1], [1, 0]],
    [[0, 2], [3, 4]],
    [[0, 0, 1], [1, 0, 0], [0, 1, 0]],
    [[1, 1, 0], [1, 1, 1], [0, 1, 0]],
    [[0, 0, 0, 2], [0, 0, 1, 0], [0, 3, 0, 0], [1, 0, 0, 0]],
]


def _at(expr: Any, matrix: Any) -> np.ndarray:
    place = {
        sympy.Symbol(f"Q_{i}_{j}", real=True): value for i, row in enumerate(matrix) for j, value in enumerate(row)
    }
    return np.vectorize(lambda e: float(e.xreplace(place)), otypes=[float])(expr)


@pytest.mark.parametrize("matrix", REGULAR)
def test_an_inverse_and_a_solution_hold_for_every_regular_matrix(matrix: Any) -> None:
    n = len(matrix)
    Q = sn.tensor("Q", n, n)
    inverse = np.linalg.inv(matrix)
    np.testing.assert_allclose(_at(sn.to_sympy(sn.inv(Q)), matrix), inverse, atol=1e-15)
    right = sn.to_sympy(sn.solve(Q, sn.tensor("b", n)))
    sides = {sympy.Symbol(f"b_{k}", real=True): k + 1 for k in range(n)}
    solution = _at([e.xreplace(sides) for e in right], matrix)
    np.testing.assert_allclose(solution, inverse @ np.arange(1, n + 1), atol=1e-15)
    assert abs(float(_at(sn.to_sympy(sn.det(Q)), matrix)) - np.linalg.det(matrix)) < 1e-14


def test_an_inverse_of_numbers_is_of_numbers() -> None:
    x = sn.tensor("x", 2)
    solved = sn.to_sympy(sn.solve(sn.constant(2) * sn.from_sympy(sympy.Matrix([[0, 1], [2, 0]])), x))
    assert str(list(solved)) == "[x_1/4, x_0/2]"

"""Derivatives of determinants of small matrices: the cofactors, which singular matrices have too."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sympy

import symnet as sn
from symnet.errors import SingularMatrixError
from symnet.simplify.numeric.cofactors import MOST

RANKS = [(n, rank) for n in range(1, MOST + 1) for rank in range(n + 1)]


def of_rank(n: int, rank: int, seed: int) -> np.ndarray:
    """A matrix of integers, so that what is singular is singular exactly."""
    rng = np.random.default_rng(seed)
    while True:
        found = (rng.integers(-3, 4, (n, rank)) @ rng.integers(-3, 4, (rank, n))).astype("float64")
        if np.linalg.matrix_rank(found) == rank:
            return found


def cofactors(matrix: np.ndarray) -> np.ndarray:
    """Exactly."""
    exact = sympy.Matrix(matrix.astype(int).tolist())
    return np.array(exact.cofactor_matrix().tolist(), dtype="float64") if len(matrix) > 1 else np.ones((1, 1))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(("n", "rank"), RANKS)
def test_the_gradient_of_a_determinant_is_the_cofactors_whatever_the_rank(n: int, rank: int, dtype: str) -> None:
    A = sn.tensor("A", n, n)
    f = sn.value_and_grad(sn.det(A), [A], dtype=dtype)
    for seed in range(3):
        data = of_rank(n, rank, seed)
        value, (slope,) = f(A=data.astype(dtype))
        tolerance = 30 * np.finfo(dtype).eps * max(1.0, np.abs(data).max()) ** (n - 1) * n
        np.testing.assert_allclose(slope, cofactors(data), rtol=0, atol=tolerance)
        assert abs(value - np.linalg.det(data)) <= tolerance * n * max(1.0, np.abs(data).max())
        assert slope.dtype == dtype


A3, s, x = sn.tensor("A", 3, 3), sn.scalar("s"), sn.tensor("x", 3)
THROUGH: dict[str, tuple[Any, Any, Any]] = {  # what is differentiated, by what, and its derivative at a singular A
    "a square": (sn.det(A3) ** 2, A3, lambda c, A, x: 0 * c),
    "a factor": (5 * sn.det(A3), A3, lambda c, A, x: 5 * c),
    "a function": (sn.exp(sn.det(A3)), A3, lambda c, A, x: c),
    "a sum": (sn.det(A3) + x @ A3 @ x, A3, lambda c, A, x: c + np.outer(x, x)),
    "a transpose": (sn.det(A3.T), A3, lambda c, A, x: c),
    "an element": (sn.det(A3), A3[0, 2], lambda c, A, x: c[0, 2]),
    "a vector in it": (sn.det(A3 + sn.outer(x, x) - sn.outer(x, x)), A3, lambda c, A, x: c),
}


@pytest.mark.parametrize("name", THROUGH)
def test_cofactors_are_found_in_what_the_chain_rule_makes_of_them(name: str) -> None:
    L, by, wanted = THROUGH[name]
    f = sn.compile(sn.grad(L, by))
    for rank in (1, 2):
        data = {"A": of_rank(3, rank, 5), "x": np.array([1.0, -2.0, 0.5])}
        found = f(**{k: data[k] for k in f.inputs})
        np.testing.assert_allclose(found, wanted(cofactors(data["A"]), **data), atol=1e-12)


def test_every_matrix_of_a_stack_has_its_own() -> None:
    B = sn.tensor("B", sn.dim("m"), 3, 3)
    data = np.stack([of_rank(3, rank, 7) for rank in (3, 2, 1, 0, 2)])
    found = sn.compile(sn.grad(sn.sum(sn.det(B)), B))(B=data)
    np.testing.assert_allclose(found, np.stack([cofactors(each) for each in data]), atol=1e-12)


def test_a_matrix_that_is_nearly_singular_keeps_its_digits() -> None:
    """det A·A⁻ᵀ loses them with the condition of A, 1e16 here; cofactors do not."""
    A = np.array([[1.0, 2.0, 3.0], [2.0, 4.0, 6.0 + 1e-15], [1.0, 0.0, 1.0]])
    found = sn.compile(sn.grad(sn.det(A3), A3))(A=A)
    exact = sympy.Matrix([[sympy.Rational(v) for v in row] for row in A.tolist()]).cofactor_matrix()
    np.testing.assert_allclose(found, np.array(exact.tolist(), dtype="float64"), atol=1e-14)


@pytest.mark.parametrize("A", [sn.tensor("A", MOST + 1, MOST + 1), sn.tensor("A", sn.dim("n"), sn.dim("n"))])
def test_larger_matrices_are_refused_where_they_are_singular(A: Any) -> None:
    with pytest.raises(SingularMatrixError, match="can be inverted; got a singular one"):
        sn.compile(sn.grad(sn.det(A), A))(A=np.diag([1.0] * MOST + [0.0]))


@pytest.mark.parametrize("rank", [0, 1, 2, 3])
@pytest.mark.parametrize("n", [2, 3, 4])
def test_a_derivation_at_a_singular_matrix_shows_the_cofactors(n: int, rank: int) -> None:
    if rank >= n:
        pytest.skip("it is regular")
    A, data = sn.tensor("A", n, n), np.triu(np.arange(1.0, n * n + 1).reshape(n, n)) * (np.arange(n) < rank)[:, None]
    found = sn.derive(sn.det(A).named("L"), A, at={"A": data})
    np.testing.assert_allclose(found.numbers.limits["cotangents", "A"], cofactors(data), rtol=1e-4, atol=1e-4)
    assert "→ marks a limit" in found.text() and "undefined" in found.text()
    with pytest.raises(SingularMatrixError):
        sn.derive(sn.trace(sn.inv(A)).named("L"), A, at={"A": data}).text()

"""Quotients of quadratic forms: their critical points are eigenvectors, as an equation or in numbers."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
import sympy

import symnet as sn
from symnet.expr.sympy.to_sympy import symbols_of
from symnet.reference import evaluate

n, m = sn.dim("n"), sn.dim("m")
A, B, X = sn.tensor("A", n, n, symmetric=True), sn.tensor("B", n, n), sn.tensor("X", m, n)
x, w = sn.tensor("x", n), sn.scalar("λ")

EQUATIONS: list[tuple[Any, str]] = [
    (x @ A @ x / (x @ x), "A @ x = λ*x"),
    (sn.sum(x * (A @ x)) / sn.sum(x**2), "A @ x = λ*x"),
    (x @ B @ x / sn.norm(x) ** 2, "(B + B.T) @ x/2 = λ*x"),
    (sn.sum((X @ x) ** 2) / (x @ x), "X.T @ X @ x = λ*x"),
    (x @ A @ x / (x @ B.T @ B @ x), "A @ x = λ*B.T @ B @ x"),
    (w * (x @ A @ x) / (x @ x), "λ*A @ x = mu*x"),
]


@pytest.mark.parametrize(("f", "equation"), EQUATIONS, ids=[e for _, e in EQUATIONS])
def test_of_any_size_the_points_are_eigenvectors(f: Any, equation: str) -> None:
    found = sn.critical_points(f, x)
    (point,) = found
    assert found.complete and str(point).startswith(f"every x other than 0 with {equation}: minimum at the smallest")


def test_an_eigenvector_fulfils_the_equation_and_bends_as_the_formula_says(rng: np.random.Generator) -> None:
    f = x @ A @ x / (x @ B.T @ B @ x)
    (point,) = sn.critical_points(f, x)
    a, b = (rng.standard_normal((4, 4)) for _ in range(2))
    a = a + a.T
    values, vectors = np.linalg.eig(np.linalg.solve(b.T @ b, a))
    for value, vector in zip(values.real, vectors.real.T, strict=True):
        data = {"A": a, "B": b, "x": vector, point.value.name: value}
        left, right = (evaluate(side, data) for side in point.equation)
        np.testing.assert_allclose(left, right, rtol=1e-8, atol=1e-8)
        np.testing.assert_allclose(evaluate(sn.grad(f, x), data), 0, atol=1e-7)
        np.testing.assert_allclose(evaluate(sn.hessian(f, x), data), evaluate(point.hessian, data), atol=1e-6)


@pytest.mark.parametrize("f", [x @ A @ x / (1 + x @ x), (x @ A @ x) ** 2 / (x @ x), x @ A @ x / sn.norm(x)])
def test_other_quotients_are_none(f: Any) -> None:
    with pytest.raises(sn.ArgumentError, match="expected known extents"):
        sn.critical_points(f, x)


def matrices(size: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A symmetric matrix of whole numbers, and a factor of the other form: the identity, or any."""
    rng = np.random.default_rng(seed)
    a = rng.integers(-3, 4, (size, size)).astype(float)
    return a + a.T, np.eye(size) if seed % 2 else rng.standard_normal((size, size)) + 3 * np.eye(size)


SPECIAL = {
    "equal": (np.ones((3, 3)), np.eye(3)),
    "a multiple of one": (2 * np.eye(3), np.eye(3)),
    "diagonal": (np.diag([1.0, 2.0, 3.0]), np.eye(3)),
    "roots": (np.array([[2.0, 1.0, 0.0], [1.0, 3.0, 1.0], [0.0, 1.0, 4.0]]), np.eye(3)),
}
NUMBERS = SPECIAL | {f"{k} by {k}, seed {s}": matrices(k, s) for k in (2, 3, 4, 6) for s in range(4)}


@pytest.mark.parametrize("numeric", [False, True])
@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_have_a_family_for_each_eigenvalue(name: str, numeric: bool, rng: np.random.Generator) -> None:
    a, factor = NUMBERS[name]
    y = sn.tensor("y", len(a))
    f = y @ sn.constant(a) @ y / sn.sum((sn.constant(factor) @ y) ** 2)
    begun = time.monotonic()
    found = sn.critical_points(f, y, numeric=numeric)
    assert found.complete and not found.note and time.monotonic() - begun < 10
    inside = np.linalg.inv(factor).T @ a @ np.linalg.inv(factor)
    wanted = np.unique(np.linalg.eigvalsh((inside + inside.T) / 2).round(8))
    np.testing.assert_allclose([float(p.value) for p in found], wanted, atol=1e-7)
    if len(wanted) > 1:
        assert [p.verdict for p in found][:: len(wanted) - 1] == ["minimum (not strict)", "maximum (not strict)"]
        assert {p.verdict for p in found[1 : len(wanted) - 1]} <= {"saddle"}
    symbols = list(symbols_of(y))
    for point in found:
        free = {s: sympy.Float(rng.standard_normal()) for s in symbols}
        at = np.array([float(sympy.sympify(point.at[s]).subs(free)) for s in symbols])
        np.testing.assert_allclose(evaluate(sn.grad(f, y), {"y": at}), 0, atol=1e-8 * (1 + 1 / np.linalg.norm(at)))
        bend = np.array(point.hessian.subs(free).evalf().tolist(), dtype=float)
        exact = evaluate(sn.hessian(f, y), {"y": at})
        np.testing.assert_allclose(bend, exact, atol=1e-6 * (1 + np.abs(exact).max()))
        spread = [float(e.subs(free)) for e in point.eigenvalues]
        np.testing.assert_allclose(spread, np.linalg.eigvalsh(exact), atol=1e-6 * (1 + np.abs(exact).max()))


def test_numbers_that_are_no_roots_of_quadratics_are_found_in_floating_point() -> None:
    y = sn.tensor("y", 3)
    found = sn.critical_points(y @ sn.constant(np.array([[1.0, 2, 0], [2, 0, 1], [0, 1, 5]])) @ y / (y @ y), y)
    assert len(found) == 3 and all(p.residual is not None and p.residual < 1e-12 for p in found)
    assert "y[0] ≈" in str(found) and "≈ any" not in str(found)


def test_parameters_in_a_matrix_of_known_size_leave_the_equation() -> None:
    y, M = sn.tensor("y", 2), sn.tensor("M", 2, 2, symmetric=True)
    assert str(sn.critical_points(y @ M @ y / (y @ y), y)).startswith("every y other than 0 with M @ y = λ*y")

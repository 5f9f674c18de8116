"""Linear algebra: shapes and refusals, the rows of the matrix-calculus tables, and the corners."""

from __future__ import annotations

import numpy as np
import pytest
import sympy

import symnet as sn
from symnet.expr.facts.assumptions import known
from symnet.expr.nodes.node import Node
from symnet.reference import evaluate
from symnet.simplify.cost import operation_count

n, m = sn.dim("n"), sn.dim("m")
X, A, B = (sn.tensor(name, n, n) for name in "XAB")
a, b, x = (sn.tensor(name, n) for name in "abx")
S = sn.tensor("S", n, n, symmetric=True)
D = sn.tensor("D", m, n)

# --------------------------------------------------------------------------- formulas

TABLE = [
    (sn.logdet(X), X, "inv(X).T", r"X^{-\top}"),
    (sn.det(X), X, "det(X)*inv(X).T", r"X^{-\top} \det X"),
    (sn.det(A @ X @ B), X, "det(A)*det(B)*det(X)*inv(X).T", None),
    (sn.det(sn.inv(X)), X, "-inv(X).T/det(X)", r"-\frac{1}{\det X} X^{-\top}"),
    (sn.logdet(A @ X @ B), X, "inv(X).T", r"X^{-\top}"),
    (sn.logdet(sn.inv(X)), X, "-inv(X).T", r"-X^{-\top}"),
    (sn.log(abs(sn.det(X))), X, "inv(X).T", None),
    (sn.logdet(D.T @ D), D, "2*D @ inv(D.T @ D)", None),
    (sn.logdet(X.T @ A @ X), X, "2*inv(X).T", r"2 X^{-\top}"),
    (sn.trace(sn.inv(X)), X, "-inv(X).T @ inv(X).T", None),
    (sn.trace(sn.inv(X) @ A), X, "-inv(X).T @ A.T @ inv(X).T", r"-X^{-\top} A^{\top} X^{-\top}"),
    (a @ sn.inv(X) @ b, X, "-outer(inv(X).T @ a, inv(X) @ b)", None),
    (a @ sn.solve(X, b), b, "inv(X).T @ a", r"X^{-\top} a"),
    (sn.trace(sn.matrix_power(X, 2)), X, "2*X.T", None),
    (sn.trace(sn.matrix_power(X, 4)), X, "4*X.T @ X.T @ X.T", None),
    (sn.trace(sn.matrix_power(X, -2)), X, "-2*inv(X).T @ inv(X).T @ inv(X).T", None),
    (a @ sn.matrix_power(X, 3) @ b, X, None, None),
    (sn.norm(x), x, "x/norm(x)", r"\frac{1}{\left\|x\right\|} x"),
    (sn.norm(x - a), x, "(x - a)/norm(x - a)", None),
    (sn.norm(x) ** 2, x, "2*x", "2 x"),
    (sn.norm(X), X, "X/norm(X)", None),
    (sn.norm(x, 1), x, "sign(x)", None),
    (sn.logdet(S), S, "inv(S)", "S^{-1}"),
    (x @ sn.inv(S) @ x, x, "2*inv(S) @ x", "2 S^{-1} x"),
    (x @ sn.inv(S) @ x, S, "-outer(inv(S) @ x, inv(S) @ x)", None),
]


@pytest.mark.parametrize(("y", "by", "text", "latex"), TABLE, ids=lambda v: str(v) if isinstance(v, Node) else "")
def test_a_row_of_the_tables_reads_as_published(y: Node, by: Node, text: str | None, latex: str | None) -> None:
    gradient = sn.grad(y, by)
    assert text is None or str(gradient) == text
    assert latex is None or sympy.latex(gradient) == latex


@pytest.mark.parametrize(("y", "by"), [row[:2] for row in TABLE], ids=lambda v: str(v))
def test_a_row_of_the_tables_agrees_with_central_differences(y: Node, by: Node, rng: np.random.Generator) -> None:
    data = {leaf: rng.normal(size=3) for leaf in "abx"} | {"D": rng.normal(size=(5, 3))}
    data |= {leaf: rng.normal(size=(3, 3)) + 3 * np.eye(3) for leaf in "XAB"}
    data["S"] = data["A"] + data["A"].T
    step = rng.normal(size=data[by.name].shape)
    if by is S:
        step = step + step.T
    ahead, back = (evaluate(y, {**data, by.name: data[by.name] + h * step}) for h in (1e-6, -1e-6))
    slope = float(np.sum(evaluate(sn.grad(y, by), data) * step))
    assert slope == pytest.approx(float(ahead - back) / 2e-6, rel=1e-6, abs=1e-6)


def test_the_derivative_of_an_inverse_is_minus_itself_twice() -> None:
    V = sn.tensor("V", n, n)
    assert str(sn.jvp(sn.inv(X), {X: V})) == "-inv(X) @ V @ inv(X)"


def test_pictures_and_text() -> None:
    assert sympy.pretty(sn.inv(X)) == "X⁻¹" and sympy.pretty(sn.inv(X).T) == "X⁻ᵀ"
    assert sympy.latex(sn.logdet(X)) == r"\log\left|\det X\right|"
    assert sympy.latex(sn.solve(X, b)) == "X^{-1} b"
    assert str(sn.norm(D, axis=1)) == "norm(D, axis=1)"
    assert sympy.latex(sn.inv(A + X)) == r"(A + X)^{-1}"


def test_the_jacobian_of_an_inverse_has_its_values(rng: np.random.Generator) -> None:
    data = {"X": rng.normal(size=(3, 3))}
    inverse = np.linalg.inv(data["X"])
    found = evaluate(sn.jacobian(sn.inv(X), X), data)
    assert np.allclose(found, -np.einsum("ik,lj->ijkl", inverse, inverse))


def test_the_hessian_of_logdet_has_its_values(rng: np.random.Generator) -> None:
    data = {"X": rng.normal(size=(3, 3))}
    inverse = np.linalg.inv(data["X"])
    found = evaluate(sn.hessian(sn.logdet(X), X), data)
    assert np.allclose(found, -np.einsum("li,jk->ijkl", inverse, inverse))


def test_the_inverse_of_a_symmetric_matrix_is_symmetric() -> None:
    assert known(sn.inv(S), "symmetric") and not known(sn.inv(X), "symmetric")
    assert sn.simplify(sn.inv(S).T) is sn.simplify(sn.inv(S))


def test_the_gradient_by_a_symmetric_matrix_is_symmetric(rng: np.random.Generator) -> None:
    data = {"A": rng.normal(size=(3, 3)), "S": np.eye(3) * 4 + 1.0}
    gradient = evaluate(sn.grad(sn.trace(sn.inv(S) @ A), S), data)
    inverse = np.linalg.inv(data["S"])
    one_sided = -inverse @ data["A"].T @ inverse
    assert np.allclose(gradient, (one_sided + one_sided.T) / 2)


def test_solving_and_eliminating_is_counted_once() -> None:
    counted = operation_count([sn.solve(X, b), sn.logdet(X)])
    assert sympy.expand(counted - (sympy.Rational(2, 3) * n**3 + 2 * n**2)) == 0


# --------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: sn.inv(D), r"inv\(A\): expected a square matrix; got shape \(m, n\)"),
        (lambda: sn.det(x), r"det\(A\): expected a square matrix; got shape \(n,\)"),
        (lambda: sn.logdet(sn.tensor("T", 2, 4, 3)), r"expected square matrices in the last two .*\(2, 4, 3\)"),
        (lambda: sn.trace(sn.tensor("T", 2, 4, 3)), r"trace\(x\): expected a square matrix; got shape \(2, 4, 3\)"),
        (
            lambda: sn.solve(sn.tensor("T", 5, 3, 3), sn.tensor("u", 5, 3)),
            r"shape \(5, 3\) beside A of shape \(5, 3, 3\)\. For one vector for each matrix, give them as columns",
        ),
        (lambda: sn.solve(sn.tensor("T", 5, 3, 3), sn.tensor("U", 4, 3, 2)), r"solve\(A, B\): .*5.*4"),
        (lambda: sn.solve(X, D), r"right-hand sides of n rows.*got shape \(m, n\).*Did you mean solve\(A, B.T\)\?"),
        (lambda: sn.solve(X, sn.tensor("y", 4)), r"got shape \(4,\) beside A of shape \(n, n\)"),
        (lambda: sn.matrix_power(X, 0.5), r"matrix_power\(A, 0.5\): expected an int; got 0.5"),
        (
            lambda: sn.norm(X, 2),
            r"norm\(x, ord=2\): expected None, \"fro\".* for matrices; got 2, the largest singular value\. There is no",
        ),
        (lambda: sn.norm(X, "nuc"), r"got 'nuc', Σ of singular values"),
        (lambda: sn.norm(x, "fro"), r"norm\(x, ord='fro'\): expected a real number for vectors; got 'fro'"),
        (lambda: sn.norm(x, sympy.Symbol("p")), r"norm\(x, ord=p\).*got p"),
        (lambda: sn.norm(X, 3), r"norm\(x, ord=3\): .* for matrices; got 3"),
        (lambda: sn.norm(sn.tensor("T", 2, 3, 4), 1), r"for arrays of rank 3; got 1. Name the axis of the vectors"),
    ],
)
def test_what_is_not_handled_is_refused(build, message: str) -> None:
    with pytest.raises((sn.ShapeError, sn.ArgumentError), match=message):
        build()


# --------------------------------------------------------------------------- numbers


@pytest.mark.parametrize("p", [None, 0, 1, 2, 3, 0.5, -1, -2, np.inf, -np.inf, sympy.oo, sympy.Rational(5, 2)])
def test_norms_of_vectors_are_numpys(p, rng: np.random.Generator) -> None:
    data = {"D": rng.normal(size=(4, 3))}
    f = sn.compile(sn.norm(D, p, axis=1))
    data["D"][0, 0] = 0.0 if p in (0, 1, 2, None) else 1.0
    assert np.allclose(f(**data), np.linalg.norm(data["D"], p if p is None else float(p), axis=1))


@pytest.mark.parametrize("p", [None, "fro", 1, -1, np.inf, -np.inf])
@pytest.mark.parametrize("keepdims", [False, True])
def test_norms_of_matrices_are_numpys(p, keepdims: bool, rng: np.random.Generator) -> None:
    data = {"D": rng.normal(size=(4, 3))}
    found = evaluate(sn.norm(D, p, keepdims=keepdims), data)
    assert np.allclose(found, np.linalg.norm(data["D"], p, keepdims=keepdims))
    stack = sn.tensor("T", 2, 4, 3)
    T = rng.normal(size=(2, 4, 3))
    for axis in ((1, 2), (2, 1), (0, 1), (-1, 0)):
        found = evaluate(sn.norm(stack, p, axis=axis, keepdims=keepdims), {"T": T})
        assert np.allclose(found, np.linalg.norm(T, p, axis=axis, keepdims=keepdims)), axis


@pytest.mark.parametrize("power", [-3, -1, 0, 1, 2, 5])
def test_powers_are_numpys(power: int, rng: np.random.Generator) -> None:
    data = {"X": rng.normal(size=(4, 4))}
    found = sn.compile([sn.matrix_power(X, power), X])(**data)[0]
    assert np.allclose(found, np.linalg.matrix_power(data["X"], power))


@pytest.mark.parametrize(
    ("y", "by"),
    [
        (sn.norm(x), x),
        (sn.sqrt(x @ x), x),
        (sn.norm(X @ x), X),
        (sn.sum(sn.norm(D, axis=1)), D),
        (sn.norm(X), X),
    ],
    ids=str,
)
def test_the_slope_of_a_norm_at_zero_is_zero(y: Node, by: Node) -> None:
    f = sn.value_and_grad(y, by)
    shapes = {"x": 3, "X": (3, 3), "D": (4, 3)}
    value, slope = f(**{name: np.zeros(shapes[name]) for name in f.inputs})
    assert value == 0 and not slope.any()
    broken = f(**{name: np.full(shapes[name], np.nan) for name in f.inputs})[1]
    assert np.isnan(broken).all()

"""Identities of determinants, inverses, solutions of equations and norms."""

from __future__ import annotations

from collections.abc import Callable

import symnet as sn
from symnet.expr.nodes.constants import size
from symnet.expr.nodes.node import Node
from tests.identities.identity import Identity, m, n

COOKBOOK_DETERMINANTS = "Petersen and Pedersen, The Matrix Cookbook, 2.1 (determinants)"
COOKBOOK_INVERSES = "Petersen and Pedersen, The Matrix Cookbook, 2.2 (inverses)"
COOKBOOK_NORMS = "Petersen and Pedersen, The Matrix Cookbook, 2.6 and 2.7 (norms)"
COOKBOOK_GAUSSIANS = "Petersen and Pedersen, The Matrix Cookbook, 8.1 (Gaussians)"
MAGNUS = "Magnus and Neudecker, Matrix Differential Calculus, chapters 8 and 9"
BOYD = "Boyd and Vandenberghe, Convex Optimization, 9.5"
BISHOP_RIDGE = "Bishop, Pattern Recognition and Machine Learning, 3.1.4 and 4.3.3"

a, b, c, x, w = (sn.tensor(name, n) for name in "abcxw")
t = sn.tensor("t", m)
d = sn.tensor("d", m, positive=True)
lam = sn.scalar("lam", positive=True)
A, B, X, V = (sn.tensor(name, n, n) for name in "ABXV")
S = sn.tensor("S", n, n, symmetric=True)
R = sn.tensor("R", m, n)


def inv(matrix: Node) -> Node:
    return sn.inv(matrix)


def one_sample() -> Node:
    """The negative log-likelihood of x, normal around c with covariance S, up to a constant."""
    return sn.logdet(S) / 2 + (x - c) @ sn.solve(S, x - c) / 2


def many_samples() -> Node:
    """That of the rows of R."""
    return size(m) * sn.logdet(S) / 2 + sn.trace(sn.solve(S, (R - c).T @ (R - c))) / 2


def ridge() -> Node:
    return ((R @ w - t) ** 2).sum() / 2 + lam * (w @ w) / 2


def gram() -> Node:
    """The matrix of the normal equations of ridge regression."""
    return R.T @ R + lam * sn.eye(n)


def newton_step(loss: Callable[[], Node]) -> Callable[[], Node]:
    """w less the Hessian's inverse times the gradient."""
    return lambda: sn.simplify(w - sn.solve(sn.hessian(loss(), w), sn.grad(loss(), w)))


LINEAR_ALGEBRA = [
    # determinants
    Identity("determinant", COOKBOOK_DETERMINANTS, lambda: sn.grad(sn.det(X), X), lambda: sn.det(X) * inv(X).T),
    Identity("log-determinant", COOKBOOK_DETERMINANTS, lambda: sn.grad(sn.logdet(X), X), lambda: inv(X).T),
    Identity("log-determinant, symmetric", COOKBOOK_DETERMINANTS, lambda: sn.grad(sn.logdet(S), S), lambda: inv(S)),
    Identity(
        "determinant of a product of three",
        COOKBOOK_DETERMINANTS,
        lambda: sn.grad(sn.det(A @ X @ B), X),
        lambda: sn.det(A @ X @ B) * inv(X).T,
    ),
    Identity(
        "determinant of a power",
        COOKBOOK_DETERMINANTS,
        lambda: sn.grad(sn.det(sn.matrix_power(X, 3)), X),
        lambda: 3 * sn.det(sn.matrix_power(X, 3)) * inv(X).T,
    ),
    Identity(
        "determinant of a quadratic form",
        COOKBOOK_DETERMINANTS,
        lambda: sn.grad(sn.det(X.T @ A @ X), X),
        lambda: 2 * sn.det(X.T @ A @ X) * inv(X).T,
    ),
    Identity(
        "determinant of the inverse",
        COOKBOOK_DETERMINANTS,
        lambda: sn.grad(sn.det(inv(X)), X),
        lambda: -sn.det(inv(X)) * inv(X).T,
    ),
    Identity(
        "log-determinant of the Gram matrix",
        COOKBOOK_DETERMINANTS,
        lambda: sn.grad(sn.logdet(R.T @ R), R),
        lambda: 2 * R @ inv(R.T @ R),
    ),
    Identity(
        "differential of the determinant",
        MAGNUS,
        lambda: sn.jvp(sn.det(X), {X: V}),
        lambda: sn.det(X) * sn.trace(inv(X) @ V),
    ),
    Identity(
        "Hessian of the log-determinant",
        MAGNUS,
        lambda: sn.hessian(sn.logdet(X), X),
        lambda: -sn.einsum("li,jk->ijkl", inv(X), inv(X)),
    ),
    # inverses
    Identity("differential of the inverse", MAGNUS, lambda: sn.jvp(inv(X), {X: V}), lambda: -inv(X) @ V @ inv(X)),
    Identity(
        "Jacobian of the inverse",
        COOKBOOK_INVERSES,
        lambda: sn.jacobian(inv(X), X),
        lambda: -sn.einsum("ik,lj->ijkl", inv(X), inv(X)),
    ),
    Identity(
        "bilinear form of the inverse",
        COOKBOOK_INVERSES,
        lambda: sn.grad(a @ inv(X) @ b, X),
        lambda: -inv(X).T @ sn.outer(a, b) @ inv(X).T,
    ),
    Identity(
        "trace of the inverse times a matrix",
        COOKBOOK_INVERSES,
        lambda: sn.grad(sn.trace(inv(X) @ A), X),
        lambda: -inv(X).T @ A.T @ inv(X).T,
    ),
    Identity(
        "trace of the inverse between two matrices",
        COOKBOOK_INVERSES,
        lambda: sn.grad(sn.trace(A @ inv(X) @ B), X),
        lambda: -(inv(X) @ B @ A @ inv(X)).T,
    ),
    Identity(
        "trace of the inverse of a sum",
        COOKBOOK_INVERSES,
        lambda: sn.grad(sn.trace(inv(X + A)), X),
        lambda: -(inv(X + A) @ inv(X + A)).T,
    ),
    # norms
    Identity("Euclidean norm", COOKBOOK_NORMS, lambda: sn.grad(sn.norm(x), x), lambda: x / sn.norm(x)),
    Identity("Frobenius norm", COOKBOOK_NORMS, lambda: sn.grad(sn.norm(R), R), lambda: R / sn.norm(R)),
    Identity(
        "norm of an affine residual",
        COOKBOOK_NORMS,
        lambda: sn.grad(sn.norm(R @ x - t), x),
        lambda: R.T @ (R @ x - t) / sn.norm(R @ x - t),
    ),
    Identity(
        "p-norm",
        COOKBOOK_NORMS,
        lambda: sn.grad(sn.norm(x, 3), x),
        lambda: x * abs(x) / sn.norm(x, 3) ** 2,
    ),
    # Gaussians, with a covariance
    Identity(
        "Gaussian likelihood by the mean",
        COOKBOOK_GAUSSIANS,
        lambda: sn.grad(one_sample(), c),
        lambda: -inv(S) @ (x - c),
    ),
    Identity(
        "Gaussian likelihood by the covariance",
        COOKBOOK_GAUSSIANS,
        lambda: sn.grad(one_sample(), S),
        lambda: (inv(S) - sn.outer(inv(S) @ (x - c), inv(S) @ (x - c))) / 2,
    ),
    Identity(
        "Gaussian likelihood of a sample by the mean",
        COOKBOOK_GAUSSIANS,
        lambda: sn.grad(many_samples(), c),
        lambda: -inv(S) @ (R - c).sum(0),
    ),
    Identity(
        "Gaussian likelihood of a sample by the covariance",
        COOKBOOK_GAUSSIANS,
        lambda: sn.grad(many_samples(), S),
        lambda: (size(m) * inv(S) - inv(S) @ (R - c).T @ (R - c) @ inv(S)) / 2,
    ),
    # ridge regression in closed form
    Identity(
        "a Newton step gives the ridge solution",
        BISHOP_RIDGE,
        lambda: sn.simplify(w - sn.solve(sn.hessian(ridge(), w), sn.grad(ridge(), w))),
        lambda: inv(gram()) @ (R.T @ t),
        prints="inv(R.T @ R + lam*eye(n)) @ R.T @ t",
    ),
    Identity(
        "a Newton step gives the solution of least squares",
        BISHOP_RIDGE,
        newton_step(lambda: ((R @ w - t) ** 2).sum()),
        lambda: inv(R.T @ R) @ (R.T @ t),
        prints="inv(R.T @ R) @ R.T @ t",
    ),
    Identity(
        "a Newton step gives the solution of weighted least squares",
        BISHOP_RIDGE,
        newton_step(lambda: (d * (R @ w - t) ** 2).sum() / 2),
        lambda: inv(R.T @ sn.diag(d) @ R) @ (R.T @ (d * t)),
        prints="inv(R.T @ diag(d) @ R) @ R.T @ (d*t)",
    ),
    Identity(
        "a Newton step gives the stationary point of a quadratic function",
        BOYD,
        newton_step(lambda: w @ S @ w / 2 - b @ w),
        lambda: inv(S) @ b,
        prints="inv(S) @ b",
    ),
    Identity(
        "a Newton step gives the stationary point of a quadratic function of any matrix",
        BOYD,
        newton_step(lambda: w @ A @ w / 2 - b @ w),
        lambda: 2 * (inv(A + A.T) @ b),
        prints="2*inv(A + A.T) @ b",
    ),
    Identity(
        "the projection on columns is one",
        COOKBOOK_INVERSES,
        lambda: sn.simplify((R @ inv(R.T @ R) @ R.T) @ (R @ inv(R.T @ R) @ R.T)),
        lambda: R @ inv(R.T @ R) @ R.T,
        prints="R @ inv(R.T @ R) @ R.T",
    ),
    Identity(
        "least squares of what is in the columns",
        COOKBOOK_INVERSES,
        lambda: sn.simplify(sn.solve(R.T @ R, R.T @ (R @ w))),
        lambda: w,
        prints="w",
    ),
    Identity(
        "ridge solution by the targets",
        BISHOP_RIDGE,
        lambda: sn.jacobian(sn.solve(gram(), R.T @ t), t),
        lambda: inv(gram()) @ R.T,
    ),
    Identity(
        "ridge solution by the penalty",
        BISHOP_RIDGE,
        lambda: sn.jacobian(sn.solve(gram(), R.T @ t), lam),
        lambda: -inv(gram()) @ sn.solve(gram(), R.T @ t),
    ),
]

"""Identities of vectors and matrices: forms, traces, norms, Jacobians and Hessians."""

from __future__ import annotations

import symnet as sn
from symnet.expr.nodes.node import Node
from tests.identities.identity import Identity, m, n, p, q

COOKBOOK_FORMS = "Petersen and Pedersen, The Matrix Cookbook, 2.4 (matrices, vectors and scalar forms)"
COOKBOOK_TRACES = "Petersen and Pedersen, The Matrix Cookbook, 2.5 (traces)"
COOKBOOK_NORMS = "Petersen and Pedersen, The Matrix Cookbook, 2.6 and 2.7 (norms)"
MAGNUS = "Magnus and Neudecker, Matrix Differential Calculus, chapter 9"
NOTES = "Parr and Howard, The Matrix Calculus You Need for Deep Learning"

a, b, c, x, y = (sn.tensor(name, n) for name in "abcxy")
u, v = sn.tensor("u", m), sn.tensor("v", m)
w = sn.tensor("w", n)
s = sn.scalar("s")
A, B, C, X, Y = (sn.tensor(name, n, n) for name in "ABCXY")
S = sn.tensor("S", n, n, symmetric=True)
R = sn.tensor("R", m, n)  # rectangular
E, F = sn.tensor("E", p, m), sn.tensor("F", n, q)  # E R F is (p, q)
H, K = sn.tensor("H", m, m), sn.tensor("K", n, n)
M = sn.tensor("M", m, n)
W = sn.tensor("W", m, m, symmetric=True)


def trace(matrix: Node) -> Node:
    return sn.trace(matrix)


def diag(vector: Node) -> Node:
    return sn.eye(vector.shape[0]) * vector


MATRICES = [
    # linear and quadratic forms
    Identity("linear form", COOKBOOK_FORMS, lambda: sn.grad(x @ a, x), lambda: a),
    Identity("bilinear form by the matrix", COOKBOOK_FORMS, lambda: sn.grad(u @ R @ x, R), lambda: sn.outer(u, x)),
    Identity("bilinear form of the transpose", COOKBOOK_FORMS, lambda: sn.grad(x @ R.T @ u, R), lambda: sn.outer(u, x)),
    Identity("square form by the matrix", COOKBOOK_FORMS, lambda: sn.grad(a @ X @ a, X), lambda: sn.outer(a, a)),
    Identity("bilinear form by the vector", COOKBOOK_FORMS, lambda: sn.grad(u @ R @ x, x), lambda: R.T @ u),
    Identity("quadratic form", COOKBOOK_FORMS, lambda: sn.grad(x @ A @ x, x), lambda: (A + A.T) @ x),
    Identity("symmetric quadratic form", COOKBOOK_FORMS, lambda: sn.grad(x @ S @ x, x), lambda: 2 * S @ x),
    Identity("Hessian of a quadratic form", COOKBOOK_FORMS, lambda: sn.hessian(x @ A @ x, x), lambda: A + A.T),
    Identity("Hessian of a symmetric quadratic form", COOKBOOK_FORMS, lambda: sn.hessian(x @ S @ x, x), lambda: 2 * S),
    Identity(
        "quadratic form in a product",
        COOKBOOK_FORMS,
        lambda: sn.grad(a @ R.T @ R @ b, R),
        lambda: R @ (sn.outer(a, b) + sn.outer(b, a)),
    ),
    Identity(
        "weighted form in a product",
        COOKBOOK_FORMS,
        lambda: sn.grad(a @ R.T @ H @ R @ b, R),
        lambda: sn.outer(H.T @ (R @ a), b) + sn.outer(H @ (R @ b), a),
    ),
    Identity(
        "quadratic form of an affine function by the matrix",
        COOKBOOK_FORMS,
        lambda: sn.grad((R @ b + u) @ H @ (R @ b + u), R),
        lambda: sn.outer((H + H.T) @ (R @ b + u), b),
    ),
    Identity(
        "product of two affine functions",
        COOKBOOK_FORMS,
        lambda: sn.grad((R @ x + u) @ H @ (M @ x + v), x),
        lambda: R.T @ (H @ (M @ x + v)) + M.T @ (H.T @ (R @ x + u)),
    ),
    Identity(
        "weighted least squares by the coefficients",
        COOKBOOK_FORMS,
        lambda: sn.grad((u - R @ x) @ W @ (u - R @ x), x),
        lambda: -2 * R.T @ (W @ (u - R @ x)),
    ),
    Identity(
        "weighted least squares by the data",
        COOKBOOK_FORMS,
        lambda: sn.grad((u - R @ x) @ W @ (u - R @ x), u),
        lambda: 2 * W @ (u - R @ x),
    ),
    Identity(
        "weighted least squares by the design",
        COOKBOOK_FORMS,
        lambda: sn.grad((u - R @ x) @ W @ (u - R @ x), R),
        lambda: -2 * sn.outer(W @ (u - R @ x), x),
    ),
    Identity(
        "sum of all products of elements",
        COOKBOOK_FORMS,
        lambda: sn.grad((R @ sn.einsum("ij->j", R)).sum(), R),
        lambda: 2 * sn.einsum("ij->j", R) + 0 * R,
    ),
    # traces
    Identity("trace", COOKBOOK_TRACES, lambda: sn.grad(trace(X), X), lambda: sn.eye(n)),
    Identity("trace of a product", COOKBOOK_TRACES, lambda: sn.grad(trace(X @ A), X), lambda: A.T),
    Identity("trace of a product with the transpose", COOKBOOK_TRACES, lambda: sn.grad(trace(R.T @ M), R), lambda: M),
    Identity(
        "trace of a product of three",
        COOKBOOK_TRACES,
        lambda: sn.grad(trace(A @ X @ B), X),
        lambda: A.T @ B.T,
    ),
    Identity(
        "trace of a product of three, transposed",
        COOKBOOK_TRACES,
        lambda: sn.grad(trace(A @ X.T @ B), X),
        lambda: B @ A,
    ),
    Identity("trace of a square", COOKBOOK_TRACES, lambda: sn.grad(trace(X @ X), X), lambda: 2 * X.T),
    Identity(
        "trace of a square times a matrix",
        COOKBOOK_TRACES,
        lambda: sn.grad(trace(X @ X @ B), X),
        lambda: (X @ B + B @ X).T,
    ),
    Identity("trace of a cube", COOKBOOK_TRACES, lambda: sn.grad(trace(X @ X @ X), X), lambda: 3 * (X @ X).T),
    Identity(
        "trace of a quadratic form",
        COOKBOOK_TRACES,
        lambda: sn.grad(trace(R.T @ H @ R), R),
        lambda: (H + H.T) @ R,
    ),
    Identity(
        "trace of a quadratic form on the right",
        COOKBOOK_TRACES,
        lambda: sn.grad(trace(R @ K @ R.T), R),
        lambda: R @ (K + K.T),
    ),
    Identity(
        "trace of a weighted quadratic form",
        COOKBOOK_TRACES,
        lambda: sn.grad(trace(R.T @ H @ R @ K), R),
        lambda: H @ R @ K + H.T @ R @ K.T,
    ),
    Identity(
        "trace of two appearances",
        COOKBOOK_TRACES,
        lambda: sn.grad(trace(A @ X @ B @ X), X),
        lambda: A.T @ X.T @ B.T + B.T @ X.T @ A.T,
    ),
    Identity(
        "trace of a form with constant factors",
        COOKBOOK_TRACES,
        lambda: sn.grad(trace(A @ X @ B @ X.T @ C), X),
        lambda: A.T @ C.T @ X @ B.T + C @ A @ X @ B,
    ),
    Identity(
        "squared residual of a product of three",
        COOKBOOK_TRACES,
        lambda: sn.grad(trace((E @ R @ F) @ (E @ R @ F).T), R),
        lambda: 2 * (E.T @ ((E @ R @ F) @ F.T)),
    ),
    Identity("trace of the Gram matrix", COOKBOOK_TRACES, lambda: sn.grad(trace(R.T @ R), R), lambda: 2 * R),
    # norms
    Identity("squared norm", COOKBOOK_NORMS, lambda: sn.grad((x * x).sum(), x), lambda: 2 * x),
    Identity("squared Frobenius norm", COOKBOOK_NORMS, lambda: sn.grad((R**2).sum(), R), lambda: 2 * R),
    Identity(
        "distance to a point",
        COOKBOOK_NORMS,
        lambda: sn.grad(sn.sqrt(((x - a) ** 2).sum()), x),
        lambda: (x - a) / sn.sqrt(((x - a) ** 2).sum()),
    ),
    Identity(
        "Jacobian of a unit vector",
        COOKBOOK_NORMS,
        lambda: sn.jacobian(x / sn.sqrt((x * x).sum()), x),
        lambda: (sn.eye(n) - sn.outer(x, x) / (x * x).sum()) / sn.sqrt((x * x).sum()),
    ),
    Identity(
        "Hessian of the norm",
        COOKBOOK_NORMS,
        lambda: sn.hessian(sn.sqrt((x * x).sum()), x),
        lambda: (sn.eye(n) - sn.outer(x, x) / (x * x).sum()) / sn.sqrt((x * x).sum()),
    ),
    Identity(
        "squared distance of an affine image",
        COOKBOOK_NORMS,
        lambda: sn.grad(((R @ x - u) ** 2).sum(), x),
        lambda: 2 * R.T @ (R @ x - u),
    ),
    Identity(
        "Rayleigh quotient",
        MAGNUS,
        lambda: sn.grad((x @ S @ x) / (x @ x), x),
        lambda: 2 * (S @ x - (x @ S @ x) / (x @ x) * x) / (x @ x),
    ),
    Identity(
        "cosine of two vectors",
        NOTES,
        lambda: sn.grad((x @ a) / (sn.sqrt(x @ x) * sn.sqrt(a @ a)), x),
        lambda: (a - (x @ a) / (x @ x) * x) / (sn.sqrt(x @ x) * sn.sqrt(a @ a)),
    ),
    # Jacobians
    Identity("Jacobian of a sum", NOTES, lambda: sn.jacobian(x + w, x), lambda: sn.eye(n)),
    Identity("Jacobian of an elementwise product", NOTES, lambda: sn.jacobian(x * w, x), lambda: diag(w)),
    Identity(
        "Jacobian of an elementwise quotient",
        NOTES,
        lambda: sn.jacobian(w / x, x),
        lambda: diag(-w / x**2),
    ),
    Identity("Jacobian of a scaled vector", NOTES, lambda: sn.jacobian(s * x, s), lambda: x),
    Identity("Jacobian of an affine function", NOTES, lambda: sn.jacobian(R @ x + u, x), lambda: R),
    Identity("Jacobian of a chain of matrices", NOTES, lambda: sn.jacobian(E @ R @ x, x), lambda: E @ R),
    Identity(
        "Jacobian of a layer",
        NOTES,
        lambda: sn.jacobian(sn.tanh(R @ x + u), x),
        lambda: (1 - sn.tanh(R @ x + u) ** 2)[:, None] * R,
    ),
    Identity(
        "product rule for a scalar times a vector",
        MAGNUS,
        lambda: sn.jacobian((x @ a) * x, x),
        lambda: (x @ a) * sn.eye(n) + sn.outer(x, a),
    ),
    Identity(
        "Jacobian of a matrix product by the matrix",
        MAGNUS,
        lambda: sn.jacobian(R @ x, R),
        lambda: sn.einsum("ij,k->ijk", sn.eye(m), x),
    ),
    Identity(
        "differential of the square",
        MAGNUS,
        lambda: sn.jvp(X @ X, {X: Y}),
        lambda: Y @ X + X @ Y,
    ),
    Identity(
        "differential of the Gram matrix",
        MAGNUS,
        lambda: sn.jvp(R.T @ R, {R: M}),
        lambda: M.T @ R + R.T @ M,
    ),
    Identity(
        "Hessian-vector product of a quadratic form",
        MAGNUS,
        lambda: sn.hvp(x @ A @ x, x, y),
        lambda: (A + A.T) @ y,
    ),
    Identity(
        "Hessian of a power of a quadratic form",
        MAGNUS,
        lambda: sn.hessian((x @ S @ x) ** 2, x),
        lambda: 4 * (x @ S @ x) * S + 8 * sn.outer(S @ x, S @ x),
    ),
]

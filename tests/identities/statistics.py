"""Identities of statistics, subspaces, graphs and kernels."""

from __future__ import annotations

import symnet as sn
from symnet.expr.nodes.constants import size
from symnet.expr.nodes.node import Node
from tests.identities.identity import Identity, m, n, p, q

COOKBOOK_GAUSSIANS = "Petersen and Pedersen, The Matrix Cookbook, 8 (Gaussians)"
COOKBOOK_TRACES = "Petersen and Pedersen, The Matrix Cookbook, 2.5 (traces)"
COOKBOOK_INVERSES = "Petersen and Pedersen, The Matrix Cookbook, 2.2 and 3.2 (inverses)"
COOKBOOK_DETERMINANTS = "Petersen and Pedersen, The Matrix Cookbook, 2.1 (determinants)"
BISHOP_LINEAR = "Bishop, Pattern Recognition and Machine Learning, chapter 4.3"
BISHOP_MIXTURES = "Bishop, Pattern Recognition and Machine Learning, chapter 9.2"
BISHOP_LATENT = "Bishop, Pattern Recognition and Machine Learning, chapter 12.2"
BISHOP_KERNELS = "Bishop, Pattern Recognition and Machine Learning, chapter 6.1"
FISHER = "Fukunaga, Introduction to Statistical Pattern Recognition, chapter 10"
STIEFEL = "Edelman, Arias and Smith, The Geometry of Algorithms with Orthogonality Constraints, 1998, section 2"
AMARI = "Amari, Natural Gradient Works Efficiently in Learning, 1998, section 4"
COUNTS = "Hilbe, Negative Binomial Regression, chapter 8"
GLM = "McCullagh and Nelder, Generalized Linear Models, section 2.5"
LAPLACIAN = "von Luxburg, A Tutorial on Spectral Clustering, 2007, section 3"
VARIATION = "Rudin, Osher and Fatemi, Nonlinear Total Variation, 1992"
SOFT = "Parikh and Boyd, Proximal Algorithms, 2014, section 6.5.2"
GOLUB = "Golub and Van Loan, Matrix Computations, 2.1.4 and 5.3"

a, b, c, g, x, w = (sn.tensor(name, n) for name in "abcgxw")
t, y, z, u, v = (sn.tensor(name, m) for name in "tyzuv")
counts, d = sn.tensor("k", m, positive=True), sn.tensor("d", m, unit=True)
A, B, X, Y = (sn.tensor(name, n, n) for name in "ABXY")
S, T = sn.tensor("S", n, n, symmetric=True), sn.tensor("T", n, n, symmetric=True)
P, L = sn.tensor("P", n, n, symmetric=True), sn.tensor("L", m, m, symmetric=True)
R, U, M = sn.tensor("R", m, n), sn.tensor("U", n, q), sn.tensor("M", m, p)
H, C = sn.tensor("H", m, m, symmetric=True), sn.tensor("C", p, n)
lam, r, s = sn.scalar("lam", positive=True), sn.scalar("r", positive=True), sn.scalar("s")


def inv(matrix: Node) -> Node:
    return sn.inv(matrix)


def share_of(logits: Node) -> Node:
    """Responsibilities: what each component has of each sample."""
    return sn.softmax(logits)


def covariance() -> Node:
    """The covariance of probabilistic principal components: W Wᵀ + λI."""
    return U @ U.T + lam * sn.eye(n)


def projected() -> Node:
    """The coordinates of the least squares fit."""
    return inv(R.T @ R) @ (R.T @ t)


STATISTICS = [
    # Gaussians
    Identity(
        "Gaussian log-likelihood of samples by the mean",
        COOKBOOK_GAUSSIANS,
        lambda: sn.grad(-(((R - c) @ P) * (R - c)).sum() / 2, c),
        lambda: P @ (R - c).sum(0),
    ),
    Identity(
        "Gaussian log-likelihood of samples by the precision",
        COOKBOOK_GAUSSIANS,
        lambda: sn.grad(size(m) * sn.logdet(P) / 2 - (((R - c) @ P) * (R - c)).sum() / 2, P),
        lambda: (size(m) * inv(P) - (R - c).T @ (R - c)) / 2,
    ),
    Identity(
        "Mahalanobis distance by the covariance",
        COOKBOOK_GAUSSIANS,
        lambda: sn.grad((x - c) @ inv(S) @ (x - c), S),
        lambda: -sn.outer(inv(S) @ (x - c), inv(S) @ (x - c)),
    ),
    Identity(
        "Mahalanobis distance by the point",
        COOKBOOK_GAUSSIANS,
        lambda: sn.grad((x - c) @ inv(S) @ (x - c), x),
        lambda: 2 * inv(S) @ (x - c),
    ),
    Identity(
        "divergence of Gaussians by the mean",
        COOKBOOK_GAUSSIANS,
        lambda: sn.grad((sn.trace(inv(T) @ S) + (c - a) @ inv(T) @ (c - a) - sn.logdet(S) + sn.logdet(T)) / 2, a),
        lambda: inv(T) @ (a - c),
    ),
    Identity(
        "divergence of Gaussians by the covariance",
        COOKBOOK_GAUSSIANS,
        lambda: sn.grad((sn.trace(inv(T) @ S) + (c - a) @ inv(T) @ (c - a) - sn.logdet(S) + sn.logdet(T)) / 2, S),
        lambda: (inv(T) - inv(S)) / 2,
    ),
    Identity(
        "factor analysis by the loadings",
        BISHOP_LATENT,
        lambda: sn.grad((sn.logdet(covariance()) + sn.trace(inv(covariance()) @ S)) / 2, U),
        lambda: (inv(covariance()) - inv(covariance()) @ S @ inv(covariance())) @ U,
    ),
    # mixtures
    Identity(
        "mixture log-likelihood by the log-densities",
        BISHOP_MIXTURES,
        lambda: sn.grad(sn.logsumexp(M, axis=1).sum(), M),
        lambda: share_of(M),
    ),
    Identity(
        "mixture of spherical Gaussians by the means",
        BISHOP_MIXTURES,
        lambda: sn.grad(sn.logsumexp(R @ C.T - (C**2).sum(1) / 2, axis=1).sum(), C),
        lambda: share_of(R @ C.T - (C**2).sum(1) / 2).T @ R - share_of(R @ C.T - (C**2).sum(1) / 2).sum(0)[:, None] * C,
    ),
    # generalized linear models
    Identity(
        "Fisher information of a softmax",
        AMARI,
        lambda: sn.simplify(
            sn.einsum(
                "k,ki,kj->ij",
                sn.softmax(x),
                sn.jacobian(sn.log_softmax(x), x),
                sn.jacobian(sn.log_softmax(x), x),
            )
        ),
        lambda: sn.eye(n) * sn.softmax(x) - sn.outer(sn.softmax(x), sn.softmax(x)),
    ),
    Identity(
        "negative binomial regression",
        COUNTS,
        lambda: sn.grad(((counts + r) * sn.log(r + sn.exp(R @ w)) - counts * (R @ w)).sum(), w),
        lambda: R.T @ ((counts + r) * (sn.exp(R @ w) / (r + sn.exp(R @ w))) - counts),
    ),
    Identity(
        "weighted least squares by the weights of samples",
        GLM,
        lambda: sn.grad((d * (R @ w - t) ** 2).sum(), d),
        lambda: (R @ w - t) ** 2,
    ),
    Identity(
        "Hessian of weighted least squares",
        GLM,
        lambda: sn.hessian((d * (R @ w - t) ** 2).sum() / 2, w),
        lambda: R.T @ (d[:, None] * R),
    ),
    Identity(
        "Hessian of penalised logistic regression",
        BISHOP_LINEAR,
        lambda: sn.hessian(sn.binary_cross_entropy(sn.sigmoid(R @ w), d).sum() + lam * (w @ w) / 2, w),
        lambda: R.T @ ((sn.sigmoid(R @ w) * (1 - sn.sigmoid(R @ w)))[:, None] * R) + lam * sn.eye(n),
    ),
    Identity(
        "gamma regression with a logarithmic link",
        GLM,
        lambda: sn.grad((counts * sn.exp(-(R @ w)) + R @ w).sum(), w),
        lambda: R.T @ (1 - counts * sn.exp(-(R @ w))),
    ),
    # kernels
    Identity(
        "kernel ridge regression by its coefficients",
        BISHOP_KERNELS,
        lambda: sn.grad(((H @ v - t) ** 2).sum() / 2 + lam * (v @ H @ v) / 2, v),
        lambda: H @ (H @ v - t + lam * v),
        longer_by="H v stands in two terms with different scalar factors, which are not gathered before H",
    ),
    Identity(
        "kernel ridge regression by the targets",
        BISHOP_KERNELS,
        lambda: sn.jacobian(u @ sn.solve(H + lam * sn.eye(m), t), t),
        lambda: inv(H + lam * sn.eye(m)) @ u,
    ),
    # subspaces
    Identity(
        "Rayleigh quotient of two matrices",
        FISHER,
        lambda: sn.grad((x @ S @ x) / (x @ T @ x), x),
        lambda: 2 * (S @ x - (x @ S @ x) / (x @ T @ x) * (T @ x)) / (x @ T @ x),
    ),
    Identity(
        "ratio of traces",
        FISHER,
        lambda: sn.grad(sn.trace(U.T @ S @ U) / sn.trace(U.T @ T @ U), U),
        lambda: 2 * (S @ U - sn.trace(U.T @ S @ U) / sn.trace(U.T @ T @ U) * (T @ U)) / sn.trace(U.T @ T @ U),
    ),
    Identity(
        "trace on the Stiefel manifold",
        STIEFEL,
        lambda: sn.grad(sn.trace(U.T @ S @ U @ sn.tensor("N", q, q, symmetric=True)), U),
        lambda: 2 * S @ U @ sn.tensor("N", q, q, symmetric=True),
    ),
    Identity(
        "distance from orthogonality",
        STIEFEL,
        lambda: sn.grad(((U.T @ U - sn.eye(q)) ** 2).sum() / 4, U),
        lambda: U @ (U.T @ U - sn.eye(q)),
        longer_by="the identity leaves the sum in the product, where it would cost less",
    ),
    Identity(
        "reconstruction by principal components",
        BISHOP_LATENT,
        lambda: sn.grad(-((R @ U) ** 2).sum() / 2, U),
        lambda: -(R.T @ (R @ U)),
    ),
    Identity(
        "the projection of the targets is linear in them",
        GOLUB,
        lambda: sn.jacobian(R @ projected(), t),
        lambda: R @ inv(R.T @ R) @ R.T,
    ),
    Identity(
        "norm of a product",
        COOKBOOK_TRACES,
        lambda: sn.grad(((R @ X) ** 2).sum() / 2, X),
        lambda: R.T @ (R @ X),
    ),
    Identity(
        "trace of a power",
        COOKBOOK_TRACES,
        lambda: sn.grad(sn.trace(X @ X @ X @ X), X),
        lambda: 4 * (X @ X @ X).T,
    ),
    # inverses and determinants
    Identity(
        "bilinear form of the inverse of a sum",
        COOKBOOK_INVERSES,
        lambda: sn.grad(a @ inv(A + X) @ b, X),
        lambda: -sn.outer(inv(A + X).T @ a, inv(A + X) @ b),
    ),
    Identity(
        "quadratic form of a matrix updated by one row",
        COOKBOOK_INVERSES,
        lambda: sn.grad(a @ (S + sn.outer(x, x)) @ a, x),
        lambda: 2 * (a @ x) * a,
    ),
    Identity(
        "log-determinant of a congruence",
        COOKBOOK_DETERMINANTS,
        lambda: sn.grad(sn.logdet(U.T @ S @ U), U),
        lambda: 2 * S @ U @ inv(U.T @ S @ U),
    ),
    Identity(
        "fourth power of a determinant",
        COOKBOOK_DETERMINANTS,
        lambda: sn.grad(sn.det(X) ** 4, X),
        lambda: 4 * sn.det(X) ** 4 * inv(X).T,
    ),
    # graphs and signals
    Identity(
        "quadratic form of a graph Laplacian",
        LAPLACIAN,
        lambda: sn.grad((v * H.sum(1)) @ v - v @ H @ v, v),
        lambda: 2 * (H.sum(1) * v - H @ v),
    ),
    Identity(
        "smooth total variation",
        VARIATION,
        lambda: sn.grad(sn.sqrt((R @ x) ** 2 + lam).sum(), x),
        lambda: R.T @ ((R @ x) / sn.sqrt((R @ x) ** 2 + lam)),
    ),
    Identity(
        "derivative of soft thresholding",
        SOFT,
        lambda: sn.grad((sn.sign(y) * sn.relu(abs(y) - lam)).sum(), y),
        lambda: sn.where(abs(y) - lam >= 0, 1, 0) * sn.sign(y) ** 2,
    ),
    Identity(
        "cosines of all pairs of rows",
        GOLUB,
        lambda: sn.vjp((R / sn.norm(R, axis=1, keepdims=True)) @ C.T, C, M),
        lambda: M.T @ (R / sn.norm(R, axis=1, keepdims=True)),
    ),
]

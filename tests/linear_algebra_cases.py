"""The shared case list, its linear algebra: matrices, stacks of them, norms."""

from __future__ import annotations

import numpy as np

from symnet.expr.nodes.constants import identity
from symnet.expr.nodes.contraction import mean, trace
from symnet.expr.nodes.elementwise import exp
from symnet.expr.nodes.linalg import det, inv, logdet, matrix_power, solve
from symnet.expr.nodes.norms import norm
from symnet.expr.nodes.symbols import tensor
from tests.cases import A, Array, X, case, constant, m, n, positive, s, s1, x

BADLY_SCALED = [[1e-20, 2, 0, 1], [1, 1, 3, 0], [1e10, 0, 1, 2e10], [0, 1e-8, 1, 1]]


def regular(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """A matrix away from singular ones, whose elimination swaps rows."""
    return rng.permutation(rng.normal(size=shape) / 3 + 2 * np.eye(shape[-1]), axis=-2)


def definite(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    half = rng.normal(size=shape)
    return half @ half.T + np.eye(shape[0])


R, C4, v4 = tensor("R", 4, 4), tensor("C", 4, 3), tensor("v", 4)
Rn, vn = tensor("R", n, n), tensor("v", n)
Y4 = tensor("Y", 4, 4, symmetric=True)
R3, v3 = tensor("R3", 3, 3), tensor("v3", 3)
case("inverse", lambda: inv(R), "R", R=regular)
case("inverse of symbolic extent", lambda: inv(Rn) @ vn, "R v", dims={"n": 5}, R=regular)
case("solve for columns", lambda: solve(R, C4), "R C", R=regular)
case("solve for a vector", lambda: solve(R, v4), "R v", R=regular)
case("solve with the transpose", lambda: [solve(R.T, C4), v4 @ inv(R)], "R C v", R=regular)
case("solve for a symbolic number of columns", lambda: inv(R) @ X.T, "R X", R=regular)
case("determinant", lambda: det(R), "R", R=regular)
case("log of a determinant", lambda: logdet(R), "R", R=regular)
case("one elimination for all", lambda: [det(R), logdet(R), v4 @ solve(R, v4), trace(inv(R) @ R.T)], "R v", R=regular)
case("linear algebra of one number", lambda: [inv(s1), det(s1), solve(s1, s1 @ s1)], "s1", s1=positive)
case("linear algebra of nothing", lambda: [det(Rn), logdet(Rn), solve(Rn, vn)], "R v", "det is 1", dims={"n": 0})
case("log of a determinant of XᵀX", lambda: logdet(X.T @ X), "X", "streams, then eliminates", dims={"m": 9})
case("Mahalanobis distance", lambda: ((X @ inv(Y4)) * X).sum(1), "X Y", "rows stream past one inverse", Y=definite)
case("matrix of the batch", lambda: logdet(X @ X.T + identity(m)), "X", "mixes the rows of the batch")
case("Gaussian log-likelihood", lambda: logdet(Y4) + mean(((X @ inv(Y4)) * X).sum(1)), "X Y", Y=definite)
Rm, Cm, Rk = tensor("Rm", m, 3, 3), tensor("Cm", m, 3, 2), tensor("Rk", 2, 1, 3, 3)
case("stack of inverses", lambda: [inv(Rm), trace(Rm)], "Rm", "a matrix for each row of the batch", Rm=regular)
case("stack of determinants", lambda: [det(Rm), logdet(Rm)], "Rm", dims={"m": 19}, Rm=regular)
case("stack of equations", lambda: [solve(Rm, Cm), solve(Rm, v3)], "Rm Cm v3", Rm=regular)
case("stacks that broadcast", lambda: [solve(Rk, Cm), (inv(R3) @ Cm).sum()], "Rk Cm R3", Rk=regular, R3=regular)
case("stack of powers", lambda: [matrix_power(Rk, -2), norm(Rk, 1, (-2, -1))], "Rk", Rk=regular)
case("powers of a matrix", lambda: [matrix_power(R, 3), matrix_power(R, -2)], "R", R=regular)
case("trace of a power", lambda: trace(matrix_power(R, 4)), "R", R=regular)
case("elimination that swaps badly scaled rows", lambda: solve(R, v4), "v", R=constant(BADLY_SCALED))
case(
    "elimination of computed values",
    lambda: [logdet(exp(R) + identity(4) * 3), inv(R * s) @ v4],
    "R s v",
    R=regular,
    s=positive,
)
case("norms", lambda: [norm(x), norm(A, axis=1), norm(A), norm(x, 1), norm(x, float("inf"))], "x A")
case("norms of matrices", lambda: [norm(A, 1), norm(A, float("inf")), norm(A, "fro", keepdims=True)], "A")

"""A mixture of Gaussians with full covariances: the negative log-likelihood by weights, means and Cholesky factors.

Source: Šrajer, Kukelova and Fitzgibbon, "A benchmark of selected algorithmic differentiation tools", 2018.
"""

import numpy as np

import symnet as sn

K, d = 5, 4
n = sn.dim("n")
X = sn.tensor("X", n, d)
a, M = sn.tensor("a", K), sn.tensor("M", K, d)  # logits of the weights, means
s, R = sn.tensor("s", K, d), sn.tensor("R", K, d, d)  # logarithms of the diagonals, what is below them

Q = sn.einsum("kd,de->kde", sn.exp(s), sn.eye(d)) + sn.tril(R, -1)  # inverse Cholesky factors
Z = sn.einsum("kde,nke->nkd", Q, X[:, None, :] - M)
terms = a + sn.sum(s, axis=1) - sn.sum(Z**2, axis=2) / 2
L = -(sn.mean(sn.logsumexp(terms, axis=1)) - sn.logsumexp(a))

params = [a, M, s, R]
rng = np.random.default_rng(0)
data = {X: rng.normal(size=(200, d)), a: rng.normal(size=K), M: rng.normal(size=(K, d))}
data |= {s: 0.3 * rng.normal(size=(K, d)), R: rng.normal(size=(K, d, d))}

if __name__ == "__main__":
    print(sn.compare(L, params, data, against="tape, differences, jax"))

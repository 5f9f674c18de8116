"""Logistic regression to second order: the Hessian Xᵀ·diag(y(1 - y))·X of the log-likelihood."""

import numpy as np

import symnet as sn

m, features = sn.dim("m"), 12
X, t, w = sn.tensor("X", m, features), sn.tensor("t", m), sn.tensor("w", features)
L = sn.sum(sn.softplus(X @ w) - t * (X @ w))

params, of = [w], "hessian"
rng = np.random.default_rng(0)
data = {X: rng.normal(size=(100, features)), t: rng.integers(0, 2, 100).astype(float), w: rng.normal(size=features)}

if __name__ == "__main__":
    print(sn.compare(L, params, data, of=of, against="tape, jax"))

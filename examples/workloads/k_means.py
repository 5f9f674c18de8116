"""Newton's method for k-means: the Hessian of the distances to the nearest of 4 centres is diagonal."""

import numpy as np

import symnet as sn

K, d = 4, 3
n = sn.dim("n")
X, C = sn.tensor("X", n, d), sn.tensor("C", K, d)
L = sn.sum(sn.min(sn.sum((X[:, None, :] - C) ** 2, axis=2), axis=1))

params, of = [C], "hessian"
rng = np.random.default_rng(0)
data = {X: rng.normal(size=(100, d)), C: rng.normal(size=(K, d))}

if __name__ == "__main__":
    found = sn.compare(L, params, data, of=of, against="tape, jax")
    print(found)
    step = sn.compile([sn.grad(L, C), sn.hessian(L, C)])
    slope, bend = step(X=data[X], C=data[C])
    moved = data[C] - slope / np.einsum("kdkd->kd", bend)
    nearest = np.argmin(((data[X][:, None] - data[C]) ** 2).sum(2), axis=1)
    means = np.array([data[X][nearest == k].mean(0) for k in range(K)])
    print(f"a Newton step ends at the means of the clusters, up to {np.abs(moved - means).max():.0e}")
    assert np.allclose(moved, means)

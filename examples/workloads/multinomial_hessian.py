"""Softmax regression to second order: the Hessian of the cross-entropy by a matrix of weights, an array of rank 4."""

import numpy as np

import symnet as sn

m, features, classes = sn.dim("m"), 5, 4
X, W = sn.tensor("X", m, features), sn.tensor("W", features, classes)
D = sn.tensor("D", m, classes, one_hot=True)
L = sn.sum(sn.cross_entropy(sn.softmax(X @ W), D))

params, of = [W], "hessian"
rng = np.random.default_rng(0)
data = {X: rng.normal(size=(60, features)), W: rng.normal(size=(features, classes))}
data |= {D: np.eye(classes)[rng.integers(0, classes, 60)]}

if __name__ == "__main__":
    print(sn.compare(L, params, data, of=of, against="tape, jax"))

"""The Hessian of a network times a vector, which costs a few gradients, however many parameters there are."""

import numpy as np

import symnet as sn

m = sn.dim("m")
X, t = sn.tensor("X", m, 20), sn.labels("t", m, classes=5)
Z, params = sn.nn.mlp(X, [32, 32, 5])
L = sn.mean(sn.cross_entropy(sn.softmax(Z), t))

of = "hvp"
rng = np.random.default_rng(0)
data = {"X": rng.normal(size=(50, 20)), "t": rng.integers(0, 5, 50), **sn.nn.init(params, seed=0)}

if __name__ == "__main__":
    print(sn.compare(L, params, data, of=of, against="tape, product differences, jax"))

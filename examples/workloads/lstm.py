"""A long short-term memory of 16 cells over 12 steps, unrolled: the gradient through time."""

import numpy as np

import symnet as sn

STEPS, INPUTS, CELLS = 12, 8, 16
m = sn.dim("m")
X = sn.tensor("X", STEPS, m, INPUTS)
T = sn.tensor("T", m, CELLS)
W, b = sn.tensor("W", INPUTS + CELLS, 4 * CELLS), sn.tensor("b", 4 * CELLS)
h, c = sn.tensor("h", m, CELLS), sn.tensor("c", m, CELLS)

hidden, cell = h, c
for t in range(STEPS):
    z = sn.concat([X[t], hidden], axis=1) @ W + b
    i, g, o, f = (z[:, CELLS * k : CELLS * (k + 1)] for k in range(4))
    cell = sn.sigmoid(f) * cell + sn.sigmoid(i) * sn.tanh(g)
    hidden = sn.sigmoid(o) * sn.tanh(cell)
L = sn.mean((hidden - T) ** 2)

params = [W, b]
rng = np.random.default_rng(0)
data = {X: rng.normal(size=(STEPS, 10, INPUTS)), T: rng.normal(size=(10, CELLS))}
data |= {h: np.zeros((10, CELLS)), c: np.zeros((10, CELLS))}
data |= {W: 0.3 * rng.normal(size=(INPUTS + CELLS, 4 * CELLS)), b: np.zeros(4 * CELLS)}

if __name__ == "__main__":
    print(sn.compare(L, params, data, against="tape, differences, jax"))

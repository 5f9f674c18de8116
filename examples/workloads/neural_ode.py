"""A neural differential equation u′ = W₂ᵀ·tanh(W₁ᵀu + b₁) + b₂, ten steps of Runge and Kutta, fitted at the end."""

import numpy as np

import symnet as sn

STEPS, STATES, UNITS, h = 10, 3, 16, 0.1
m = sn.dim("m")
U, T = sn.tensor("U", m, STATES), sn.tensor("T", m, STATES)
W1, b1 = sn.tensor("W1", STATES, UNITS), sn.tensor("b1", UNITS)
W2, b2 = sn.tensor("W2", UNITS, STATES), sn.tensor("b2", STATES)


def slope(u):
    return sn.tanh(u @ W1 + b1) @ W2 + b2


u = U
for _ in range(STEPS):
    k1 = slope(u)
    k2 = slope(u + h / 2 * k1)
    k3 = slope(u + h / 2 * k2)
    k4 = slope(u + h * k3)
    u = u + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
L = sn.mean((u - T) ** 2)

params = [W1, b1, W2, b2]
rng = np.random.default_rng(0)
data = {U: rng.normal(size=(15, STATES)), T: rng.normal(size=(15, STATES))}
data |= {W1: rng.normal(size=(STATES, UNITS)), b1: rng.normal(size=UNITS)}
data |= {W2: 0.3 * rng.normal(size=(UNITS, STATES)), b2: np.zeros(STATES)}

if __name__ == "__main__":
    print(sn.compare(L, params, data, against="tape, differences, jax"))

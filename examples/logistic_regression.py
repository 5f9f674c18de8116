"""Logistic regression: the loss, the derivatives that textbooks print, and a fitted model.

With y = σ(wᵀx + b) and -d·log y - (1-d)·log(1-y), the derivative by z = wᵀx + b is y - d.  No rule says so: it follows
from the chain rule and cancellation.
"""

import numpy as np

import symnet as sn

m = sn.dim("m")
X = sn.tensor("X", m, 2)
d = sn.tensor("d", m)
w, b = sn.tensor("w", 2), sn.scalar("b")

z = (X @ w + b).named("z")
y = sn.sigmoid(z).named("y")
loss = sn.sum(sn.binary_cross_entropy(y, d))

print("∂L/∂y =", sn.grad(loss, y))
print("∂L/∂z =", sn.grad(loss, z))
print("∂L/∂w =", sn.grad(loss, w))
print("∂L/∂b =", sn.grad(loss, b))

# points on two sides of the line 2·x₁ - x₂ + 1/2 = 0, a few of them on the wrong one
rng = np.random.default_rng(0)
points = rng.normal(size=(500, 2))
side = 1.0 * (points @ [2.0, -1.0] + 0.5 + 0.3 * rng.logistic(size=500) > 0)

risk = sn.mean(sn.binary_cross_entropy(y, d))
run = sn.fit(risk, sn.nn.init([w, b]), {X: points, d: side}, optimizer=sn.SGD(2.0), epochs=500, progress=False)
fitted = run.params
slope = fitted["w"] / -fitted["w"][1]
print(f"\nafter {run.history.epochs} epochs: risk {run.history.loss[0]:.4f} -> {run.history.loss[-1]:.4f}")
print(
    f"line  {slope[0]:.2f}·x1 {slope[1]:+.2f}·x2 {fitted['b'] / -fitted['w'][1]:+.2f} = 0   (true: 2.00, -1.00, +0.50)"
)
right = (sn.compile(y)(X=points, **fitted) > 0.5) == (side > 0.5)
print(f"accuracy {right.mean():.1%}")
assert right.mean() > 0.9 and abs(slope[0] - 2) < 0.2

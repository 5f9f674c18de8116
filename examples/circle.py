"""Learn a circle: which points lie outside of it tells its centre and radius.

z = (x₁ - w₁)² + (x₂ - w₂)² - w₀² is negative inside; y = σ(z) is the probability of lying outside.  Full-batch
gradient descent on the cross-entropy recovers w.  (The model has no scale: a radius of 3 or more keeps its bias small.)
"""

import numpy as np

import symnet as sn

m = sn.dim("m")
x1, x2, d = sn.tensor("x1", m), sn.tensor("x2", m), sn.tensor("d", m)
w = w0, w1, w2 = sn.scalar("w0"), sn.scalar("w1"), sn.scalar("w2")

z = ((x1 - w1) ** 2 + (x2 - w2) ** 2 - w0**2).named("z")
loss = sn.mean(sn.binary_cross_entropy(sn.sigmoid(z).named("y"), d))
print("loss   =", loss)
for parameter, slope in zip(w, sn.grad(loss, w), strict=True):
    print(f"∂/∂{parameter}  = {slope}")

radius, centre = 3.0, np.array([1.0, -0.5])
points = np.random.default_rng(0).uniform(-6, 6, (4000, 2))
outside = 1.0 * (np.linalg.norm(points - centre, axis=1) > radius)

run = sn.fit(
    loss,
    {w0: 1.0, w1: 0.0, w2: 0.0},
    {x1: points[:, 0], x2: points[:, 1], d: outside},
    optimizer=sn.SGD(0.02),
    epochs=20_000,
    stop=sn.Stop(gradient_norm=1e-4),
    progress=False,
)
found = [float(run.params[name]) for name in ("w0", "w1", "w2")]
print(f"\n{run.history.steps} steps in {run.seconds:.2f} s, stopped by {run.stopped_by}")
print(f"radius {found[0]:.3f} (true {radius}), centre ({found[1]:.3f}, {found[2]:.3f}) (true {centre[0]}, {centre[1]})")
assert np.allclose(found, [radius, *centre], atol=0.05)

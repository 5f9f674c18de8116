"""The two-layer ReLU regressor: N = 64, D_in = 1000, H = 100, D_out = 10, float32, squared error, 500 steps.

The example with which frameworks introduce themselves.  A run by hand in NumPy, float64, checks the loss curve: to
1e-4 relative while the loss is above 1e-6 of its start (below that it is rounding noise).
"""

import numpy as np

import symnet as sn

N, D_in, H, D_out, STEPS, RATE = 64, 1000, 100, 10, 500, 1e-6

x, y = sn.tensor("x", N, D_in), sn.tensor("y", N, D_out)
w1, w2 = sn.tensor("w1", D_in, H), sn.tensor("w2", H, D_out)
loss = sn.sum((sn.relu(x @ w1) @ w2 - y) ** 2)
print("loss  =", loss)
print("∂/∂w2 =", sn.grad(loss, w2))

rng = np.random.default_rng(0)
data = {"x": rng.normal(size=(N, D_in)), "y": rng.normal(size=(N, D_out))}
start = {"w1": rng.normal(size=(D_in, H)), "w2": rng.normal(size=(H, D_out))}
run = sn.fit(loss, start, data, optimizer=sn.SGD(RATE), epochs=STEPS, dtype="float32", progress=False)


def by_hand(x, y, w1, w2):
    """The same in NumPy, float64."""
    losses = []
    for _ in range(STEPS):
        h = x @ w1
        r = np.maximum(h, 0)
        error = r @ w2 - y
        losses.append(np.sum(error**2))
        w1_bar = x.T @ ((2 * error @ w2.T) * (h >= 0))
        w1, w2 = w1 - RATE * w1_bar, w2 - RATE * (r.T @ (2 * error))
    return np.array(losses)


curve, truth = np.array(run.history.step_loss), by_hand(**data, **start)
compared = truth > 1e-6 * truth[0]
difference = np.abs(curve / truth - 1)[compared].max()
print(f"\n{STEPS} steps in {run.seconds:.2f} s: {1e6 * run.seconds / STEPS:.0f} µs a step")
print(f"loss {curve[0]:.4g} -> {curve[-1]:.4g}; float64 by hand {truth[0]:.4g} -> {truth[-1]:.4g}")
print(f"largest relative difference over {compared.sum()} steps: {difference:.1e}")
assert difference < 1e-4

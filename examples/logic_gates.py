"""Logic gates as neurons: by hand-set weights, and XOR learned from its truth table.

One logistic neuron is a gate that a line can draw: OR, AND, NAND.  XOR is no such gate, but AND(OR, NAND) is XOR; and
four hidden tanh units find a solution of their own.
"""

import numpy as np

import symnet as sn

TABLE = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], "float64")
x1, x2 = sn.tensor("x1", 4), sn.tensor("x2", 4)


def OR(a, b):
    return sn.sigmoid(20 * a + 20 * b - 10)


def AND(a, b):
    return sn.sigmoid(20 * a + 20 * b - 30)


def NAND(a, b):
    return sn.sigmoid(-20 * a - 20 * b + 30)


GATES = {"OR": OR(x1, x2), "AND": AND(x1, x2), "NAND": NAND(x1, x2), "XOR": AND(OR(x1, x2), NAND(x1, x2))}

print("x1 x2  " + "  ".join(f"{name:>4}" for name in GATES))
columns = sn.compile(list(GATES.values()))(x1=TABLE[:, 0].copy(), x2=TABLE[:, 1].copy())
for row, values in zip(TABLE, zip(*columns, strict=True), strict=True):
    print(f" {row[0]:.0f}  {row[1]:.0f}  " + "  ".join(f"{value:4.0f}" for value in values))

# XOR learned: four samples, four hidden tanh units, one logistic output
X, d = sn.tensor("X", sn.dim("m"), 2), sn.tensor("d", sn.dim("m"), 1)
y, params = sn.nn.mlp(X, [4, 1], activation=sn.tanh, output=sn.sigmoid)
loss = sn.mean(sn.binary_cross_entropy(y, d))
target = np.array([[0.0], [1.0], [1.0], [0.0]])
start = sn.nn.init(params, seed=1, scheme="normal")
run = sn.fit(loss, start, {X: TABLE, d: target}, optimizer=sn.SGD(1.0), epochs=2000, progress=False)
learned = sn.compile(y)(X=TABLE, **run.params)
print(f"\nXOR learned: loss {run.history.loss[0]:.3f} -> {run.history.loss[-1]:.5f} in {run.history.epochs} steps")
for row, value in zip(TABLE, learned, strict=True):
    print(f" {row[0]:.0f}  {row[1]:.0f}  {value[0]:.3f}")
assert (learned.round() == target).all()

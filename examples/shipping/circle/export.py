"""Writes the functions with which `main.c` learns a circle:  python export.py build"""

import sys
from pathlib import Path

import symnet as sn

folder = Path(sys.argv[1] if len(sys.argv) > 1 else "build")
m = sn.dim("m")
X, y = sn.tensor("X", m, 2), sn.tensor("y", m)
W1, b1, W2, b2 = sn.tensor("W1", 2, 16), sn.tensor("b1", 16), sn.tensor("W2", 16), sn.scalar("b2")
inside = sn.sigmoid(sn.tanh(X @ W1 + b1) @ W2 + b2)
loss = sn.mean(sn.binary_cross_entropy(inside, y))

learn = sn.train_step(loss, [W1, b1, W2, b2], sn.Adam(), dtype="float32", name="learn")
predict = sn.compile(inside.named("inside"), inputs=[X, W1, b1, W2, b2], dtype="float32", name="predict")
for function in (learn, predict):
    for path in function.export(folder / function.name, files=["o", "h", "c"], overwrite=True).paths:
        print(path)

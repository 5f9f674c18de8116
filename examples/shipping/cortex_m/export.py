"""Writes a network the size of one that hears a wake word, its weights in flash:  python export.py build

250 features, two hidden layers of 24, two answers: 6 650 weights.  A model that was trained would bring its own.
"""

import sys
from itertools import pairwise
from pathlib import Path

import numpy as np

import symnet as sn

folder = Path(sys.argv[1] if len(sys.argv) > 1 else "build")
rng = np.random.default_rng(0)
layers = [250, 24, 24, 2]
x = sn.tensor("x", layers[0])
value, weights = x, {}
for k, (before, after) in enumerate(pairwise(layers), 1):
    W, b = sn.tensor(f"W{k}", before, after), sn.tensor(f"b{k}", after)
    weights |= {f"W{k}": rng.standard_normal((before, after)) / before**0.5, f"b{k}": np.zeros(after)}
    value = value @ W + b
    value = sn.relu(value) if k < len(layers) - 1 else sn.softmax(value)

f = sn.compile(value.named("answer"), dtype="float32", name="wake_word")
constants = {name: array.astype("float32") for name, array in weights.items()}
exported = f.export(
    folder / "wake_word", target="cortex-m4", files=["o", "h"], constants=constants, max_workspace=4096, overwrite=True
)
for path in exported.paths:
    print(path)

given = np.arange(250, dtype="float32") % 7 / 7
print("answers here:", *(f"{p:.6f}" for p in f(x=given, **constants)))

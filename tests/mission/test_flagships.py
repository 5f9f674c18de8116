"""The models of `tests/benchmarks/flagships.py`: loss and gradients are compiled, and are those of the reference.

What is timed there now and then must be right, and must compile, at any time.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

import symnet as sn
from symnet.reference import evaluate

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "benchmarks"))
try:
    from flagship_models import MODELS, OURS, m
finally:
    sys.path.pop(0)

ROWS = 6  # of a batch
LARGER = ("digits 256", "digits 1797", "mixture 64x100", "gpt-nano", "attention 2x256x64", "conv 5x5")  # as others here


@pytest.mark.parametrize("name", [name for name in MODELS if name not in LARGER])
def test_loss_and_gradients_are_those_of_the_reference(name: str) -> None:
    model = MODELS[name]()
    leaves, arrays = model.leaves(), model.arrays()
    for each, shape in (model.data | model.params).items():
        arrays[each] = arrays[each][tuple(slice(ROWS) if extent is m else slice(None) for extent in shape)]
    loss, params = model.loss(OURS, leaves), [leaves[each] for each in model.params]
    value, gradients = sn.value_and_grad(loss, params, dtype=model.dtype)(**arrays)
    wanted = evaluate([loss, *sn.grad(loss, params)], arrays, leaves=list(leaves.values()))
    for got, exact in zip((value, *gradients), wanted, strict=True):
        near = 1e-3 if model.dtype == "float32" else 1e-9
        np.testing.assert_allclose(got, exact, rtol=near, atol=near * np.max(np.abs(exact)))

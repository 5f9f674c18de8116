"""Scheduled programs run with their units in several orders, and held against the reference."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

import symnet as sn
from symnet.loops import interpreter
from symnet.loops.ir import Program
from symnet.reference.evaluation import evaluate


def check_every_order(found: Program, forms: Sequence[sn.Node], rows: int, tolerance: float) -> None:
    """Random data of so many rows: the same bits in any order of the units, and the values of the formulas."""
    rng = np.random.default_rng(rows)
    data = {b.name: rng.normal(size=[getattr(n, "value", rows) for n in b.shape]) for b in found.inputs}
    runs = [
        interpreter.run(found, data, dims=dict.fromkeys(found.dims, rows), unit_order=k)
        for k in ("forward", "reversed", 3)
    ]
    for output, form in zip(found.outputs, forms, strict=True):
        first = runs[0][output.name]
        for other in runs[1:]:
            np.testing.assert_array_equal(other[output.name], first)
        np.testing.assert_allclose(first, evaluate(form, data), rtol=tolerance, atol=tolerance)

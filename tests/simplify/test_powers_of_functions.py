"""Random products of powers of functions keep their values under `simplify`: at points of both signs, powers of every
kind, wherever the product has a value as it is written.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.expr.nodes.node import Node
from symnet.reference import evaluate

x = sn.tensor("x", 12)
POINTS = np.array([-7.5, -2.25, -1.0, -0.5, -0.0625, 0.0625, 0.5, 0.75, 1.0, 1.5, 2.25, 7.5])
RELATED: tuple[tuple[Callable[[Any], Node], ...], ...] = (
    (sn.sinh, sn.cosh, sn.tanh, lambda x: 1 + sn.cosh(x), lambda x: 1 - sn.tanh(x)),
    (sn.sin, sn.cos, sn.tan, lambda x: 1 + sn.cos(x)),
    (sn.exp, sn.sigmoid, sn.expm1, lambda x: 1 + sn.exp(x), lambda x: 1 - sn.sigmoid(x), lambda x: sn.exp(-x)),
    (lambda x: sn.exp(x) - sn.exp(-x), lambda x: sn.exp(x) + sn.exp(-x), sn.tanh, sn.exp),
    (lambda x: x, abs, sn.sign, lambda x: x**2, lambda x: x * sn.exp(x), lambda x: sn.maximum(x, 0.25)),
    (lambda x: 1 + x**2, lambda x: sn.sqrt(1 + x**2), lambda x: x, lambda x: 1 - x, lambda x: x + 2),
    (sn.log, lambda x: sn.log(abs(x)), lambda x: x, lambda x: sn.softplus(x), lambda x: sn.exp(-x)),
)
EXPONENTS = (-2, -1.5, -1, -0.5, 1 / 3, 0.5, 1, 1.5, 2, 3)


def _product(seed: int) -> Node:
    rng = np.random.default_rng(seed)
    one = RELATED[int(rng.integers(len(RELATED)))]
    others = [f for functions in RELATED for f in functions]
    factors = []
    for _ in range(int(rng.integers(2, 4))):
        choices = one if rng.integers(4) else others
        function = choices[int(rng.integers(len(choices)))]
        factors.append(function(x) ** EXPONENTS[int(rng.integers(len(EXPONENTS)))])
    whole = factors[0]
    for factor in factors[1:]:
        whole = whole * factor
    return whole ** EXPONENTS[int(rng.integers(len(EXPONENTS)))] if rng.integers(3) == 0 else whole


@pytest.mark.parametrize("seeds", range(0, 600, 50))
def test_a_product_of_powers_keeps_its_values(seeds: int) -> None:
    for seed in range(seeds, seeds + 50):
        formula = _product(seed)
        with np.errstate(all="ignore"):
            wanted = evaluate(formula, {"x": POINTS})
            got = evaluate(sn.simplify(formula), {"x": POINTS})
        holds = np.isfinite(wanted)
        np.testing.assert_allclose(got[holds], wanted[holds], rtol=1e-9, atol=1e-290, err_msg=f"seed {seed}: {formula}")

"""Differential equations in logarithms: positive states and rates by exp, steps by polynomials, the loss by log.

The degree in the exponentials doubles with every step: the largest exponent of all terms soon says nothing of the sum.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symnet as sn

p = sn.tensor("p", 6)
Maker = Any


def last_state(np_: Maker, logs: Any, seed: int, steps: int) -> Any:
    """A state after some steps of a quadratic differential equation, by Euler or by the midpoint."""
    rng = np.random.default_rng(seed)
    a, b, c, d, x, y = (np_.exp(logs[k]) for k in range(6))
    inner, h = (0.05, 0.1) if seed % 2 else (0.0, 0.08)
    quadratic = bool(rng.integers(2))

    def slope(x: Any, y: Any) -> tuple[Any, Any]:
        return a * x - b * x * (x if quadratic else y), d * x * y - c * y

    for _ in range(steps):
        u, v = slope(x, y)
        if inner:
            u, v = slope(x + inner * u, y + inner * v)
        x, y = x + h * u, y + h * v
    return x


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("seed", range(4))
def test_logarithms_of_many_steps_have_value_and_slope(seed: int, dtype: str) -> None:
    logs = (np.random.default_rng(seed).normal(size=6) * 0.3).astype(dtype)
    steps = (10, 6)[seed % 2]
    value, slope = sn.value_and_grad(sn.log(last_state(sn, p, seed, steps)), p, dtype=dtype)(p=logs)
    wide = logs.astype(float)
    bound = 1e-12 if dtype == "float64" else 1e-4
    np.testing.assert_allclose(value, np.log(last_state(np, wide, seed, steps)), rtol=bound, atol=bound)
    moved = wide + 1e-30j * np.eye(6)
    exact = [np.log(last_state(np, row, seed, steps)).imag / 1e-30 for row in moved]
    np.testing.assert_allclose(slope, exact, rtol=10 * bound, atol=10 * bound)

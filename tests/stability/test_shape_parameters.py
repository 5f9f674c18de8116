"""Distributions and motions at the value of a parameter at which others are their limit: ξ = 0, 1/ν = 0, a rate of 0.

The right values are differences of the formula in mpmath at 150 digits (1600 beside 1e-200), where ξ = 0 beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest

import symnet as sn

POINTS = (0.0, 1e-200, -1e-20, 1e-9, -1e-5, 1e-3, 0.05, 0.4)
Y, MU, SCALE = 1.3, 0.2, 0.8

# what the data stand in the formula as
ARGUMENTS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "y": lambda y, mu, s: y,
    "(y - mu)/s": lambda y, mu, s: (y - mu) / s,
}
# name → the formula by the functions f, the shape k, and the argument z
FORMULAS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "Pareto": lambda f, k, z: (1 + 1 / k) * f.log(1 + k * z),
    "Pareto, density": lambda f, k, z: (1 + k * z) ** (-1 / k - 1),
    "Pareto, survival": lambda f, k, z: (1 + k * z) ** (-1 / k),
    "Pareto, quantile": lambda f, k, z: ((1 + z) ** (-k) - 1) / k,
    "extreme values": lambda f, k, z: (1 + 1 / k) * f.log(1 + k * z) + (1 + k * z) ** (-1 / k),
    "Student": lambda f, k, z: (1 / k + 1) / 2 * f.log(1 + k * z**2),
    "inverse of Box and Cox": lambda f, k, z: (1 + k * z) ** (1 / k),
    "Box and Cox": lambda f, k, z: (z**k - 1) / k,
    "Box and Cox by exp": lambda f, k, z: (f.exp(k * f.log(z)) - 1) / k,
    "Yeo and Johnson": lambda f, k, z: ((1 + z) ** k - 1) / k,
    "exponential, truncated": lambda f, k, z: k * f.exp(-k * z) / (1 - f.exp(-k)),
    "flux through a membrane": lambda f, k, z: k * (z - 2 * f.exp(-k)) / (1 - f.exp(-k)),
    "two quotients": lambda f, k, z: k / (f.exp(k) - 1) + z * k / (1 - f.exp(-k)),
    "arc": lambda f, k, z: (f.sin(z + k) - f.sin(z)) / k + z * (f.cos(z) - f.cos(z + k)) / k,
    "arc at a rate": lambda f, k, z: z * (f.sin(z + k / 2) - f.sin(z)) / k,
    "arc, accelerated": lambda f, k, z: (f.sin(z + k) - f.sin(z) - k * f.cos(z)) / k**2,
    "exponential from a start": lambda f, k, z: (f.exp(z + k) - f.exp(z)) / k,
    "Gompertz": lambda f, k, z: (f.exp(k * z) - 1) / k - k * z,
}


def _exact(formula: Callable[[Any, Any, Any], Any], argument: Callable[[Any, Any, Any], Any], at: float) -> list[float]:
    """The value and two derivatives by the shape."""
    tiny = 0 < abs(at) < 1e-30
    with mpmath.workdps(1600 if tiny else 150):
        h, z = mpmath.mpf(10) ** (-230 if tiny else -30), argument(*map(mpmath.mpf, (Y, MU, SCALE)))
        far, near, close, wide = (formula(mpmath, mpmath.mpf(at) + n * h / 2, z) for n in (-2, -1, 1, 2))
        return [
            float((near + close) / 2),
            float((close - near) / h),
            float((far + wide - near - close) / (h**2 * 3 / 4)),
        ]


@pytest.mark.parametrize("argument", ARGUMENTS)
@pytest.mark.parametrize("name", FORMULAS)
def test_values_and_derivatives_are_exact_at_the_limit_and_beside_it(name: str, argument: str) -> None:
    m = sn.dim("m")
    k, y, mu, s, d = (sn.tensor(n, m) for n in ("k", "y", "mu", "s", "d"))
    value = FORMULAS[name](sn, k, ARGUMENTS[argument](y, mu, s))
    run = sn.compile([value, sn.grad(sn.sum(value), k), sn.hvp(sn.sum(value), k, d)])
    apart = sn.compile(sn.hvp(sn.sum(value), k, d))
    ones = np.ones(len(POINTS))
    data = {"k": np.array(POINTS), "y": Y * ones, "mu": MU * ones, "s": SCALE * ones, "d": ones}
    found = [*run(**{n: data[n] for n in run.inputs}), apart(**{n: data[n] for n in apart.inputs})]
    for place, at in enumerate(POINTS):
        exact = _exact(FORMULAS[name], ARGUMENTS[argument], at)
        got = [float(x[place]) for x in found]
        assert got == pytest.approx([*exact, exact[2]], rel=2e-11, abs=1e-13), at

"""sinc and spherical Bessel functions, and their derivatives to third order, against mpmath."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
import sympy

import symnet as sn
from symnet.reference import evaluate

AT = np.array([0.0, 1e-300, 1e-8, -1e-4, 0.3, -1.0, 1.9, 2.1, -2.9, 3.1, 3.9, 4.1, 17.0, -60.0])


def _spherical(n: int, x: float) -> mpmath.mpf:
    with mpmath.workdps(60):
        if x == 0:
            return mpmath.mpf(n == 0)
        size, half = abs(mpmath.mpf(x)), mpmath.mpf(1) / 2
        return mpmath.sign(x) ** n * mpmath.sqrt(mpmath.pi / (2 * size)) * mpmath.besselj(n + half, size)


def _sinc_slope(order: int, x: float) -> float:
    """By j′ₙ = (n·jₙ₋₁ - (n + 1)·jₙ₊₁)/(2n + 1)."""
    weights: dict[int, mpmath.mpf] = {0: mpmath.mpf(1)}
    with mpmath.workdps(60):
        for _ in range(order):
            found: dict[int, mpmath.mpf] = {}
            for n, weight in weights.items():
                for m, factor in ((n - 1, n), (n + 1, -(n + 1))):
                    if factor:
                        found[m] = found.get(m, mpmath.mpf(0)) + weight * factor / (2 * n + 1)
            weights = found
        return float(mpmath.fsum(weight * _spherical(n, x) for n, weight in weights.items()))


@pytest.mark.parametrize("order", [0, 1, 2, 3])
def test_sinc_has_its_digits_near_zero_to_third_order(order: int) -> None:
    x = sn.tensor("x", len(AT))
    y = sn.apply(sympy.sinc, x)
    for _ in range(order):
        y = sn.grad(sn.sum(y), x)
    wanted = [_sinc_slope(order, v) for v in AT]
    for got in (sn.compile(y)(x=AT), evaluate(y, {"x": AT})):
        np.testing.assert_allclose(got, wanted, rtol=1e-14, atol=2e-16)
    nearest = sn.compile(y)(x=AT)[:4]
    np.testing.assert_allclose(nearest, wanted[:4], rtol=1e-14)


@pytest.mark.parametrize("n", [0, 1, 5, 12])
def test_spherical_bessel_functions_are_compiled(n: int) -> None:
    at = np.array([1e-3, 0.7, n + 0.9, n + 1.1, -n - 3.0, 40.0])
    x = sn.tensor("x", len(at))
    got = sn.compile(sn.apply(lambda t: sympy.jn(n, t), x))(x=at)
    np.testing.assert_allclose(got, [float(_spherical(n, v)) for v in at], rtol=1e-12)


def test_an_order_that_is_too_high_has_no_body() -> None:
    with pytest.raises(sn.MissingRuleError, match=r"compiling jn\(21, x\)"):
        sn.compile(sn.apply(lambda t: sympy.jn(21, t), sn.tensor("x", 2)))

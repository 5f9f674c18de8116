"""Functions of a multiple of what divides, and of its opposite: (1 - exp(-(a + b)))/(a + b), log(sinh(3·x)/(3·x)).

Members: every quotient below of every sum and difference, as written and as a slope; logarithms by factors of which
1/factor is no binary fraction.
"""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

import symnet as sn

a, b, x = sn.scalar("a"), sn.scalar("b"), sn.scalar("x")
SUMS = {
    "a + b": (1, 1),
    "a - b": (1, -1),
    "b - a": (-1, 1),
    "a + 2*b": (1, 2),
    "-2*a - 4*b": (-2, -4),
    "a/2 - b": (0.5, -1),
}
# of s: the value at 0, and the slope there
QUOTIENTS = {
    "1 - exp(-s)": (lambda s: (1 - sn.exp(-s)) / s, 1, -0.5),
    "exp(2*s) - 1": (lambda s: (sn.exp(2 * s) - 1) / s, 2, 2),
    "sin(-s/2)": (lambda s: sn.sin(-s / 2) / s, -0.5, 0),
    "tanh(2*s)": (lambda s: sn.tanh(2 * s) / s, 2, 0),
    "Bernoulli": (lambda s: s / (1 - sn.exp(-s)), 1, 0.5),
    "difference of poles": (lambda s: 1 / s - 1 / (sn.exp(s) - 1), 0.5, -1 / 12),
}


@pytest.mark.parametrize(("name", "quotient"), list(product(SUMS, QUOTIENTS)))
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_multiple_of_the_divisor_meets_it(name, quotient, dtype):
    p, q = SUMS[name]
    made, value, slope = QUOTIENTS[quotient]
    y = made((a if p == 1 else p * a) + (b if q == 1 else q * b))
    f = sn.compile([y, sn.grad(y, a), sn.grad(y, b)], dtype=dtype)
    for at in (0.0, 1e-30, -1e-12, 1.0):
        given = {"a": np.array(at * q, dtype), "b": np.array(-at * p, dtype)}  # both multiples are exact: s is 0
        np.testing.assert_allclose(f(**given), [value, p * slope, q * slope], rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("factor", [2, 3, 5, 7, 12, 0.3])
@pytest.mark.parametrize("name", ["sin", "sinh", "tanh", "atan"])
def test_the_logarithm_of_a_quotient_near_one_keeps_its_digits(name, factor):
    curve = {"sin": -1 / 6, "sinh": 1 / 6, "tanh": -1 / 3, "atan": -1 / 3}[name]
    f = sn.compile(sn.log(getattr(sn, name)(factor * x) / (factor * x)))
    assert f(x=0.0) == 0
    for at in (1e-100, 1e-20, 1e-9):
        np.testing.assert_allclose(f(x=at), curve * (factor * at) ** 2, rtol=1e-14)

"""Quotients by even powers of a difference of exponentials: +∞ at equal operands, never −∞, and right beside the pole.

Members: every split of exponentials beside (exp(a) - exp(b))ᵏ, either order, also against 1, moved and in float32.
"""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import sympy

import symnet as sn

x, y = sn.tensor("x", 6), sn.tensor("y", 6)
POINTS = (np.array([0.0, 1.0, -2.5, 1.0, 3.0, -0.0]), np.array([0.0, 1.0, -2.5, 1.25, -1.0, 0.0]))
SPLITS = list(product(range(4), range(3), (2, 3, 4)))


def quotient(p, q, k, turned=False):
    a, b = sn.exp(x), sn.exp(y)
    return a**p * b**q / ((b - a) if turned else (a - b)) ** k


def exact(p, q, k, turned, at):
    a, b = (sympy.exp(sympy.Rational(float(v))) for v in at)
    return float(sympy.N(a**p * b**q / ((b - a) if turned else (a - b)) ** k, 30))


@pytest.mark.parametrize(("p", "q", "k"), SPLITS)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_an_even_power_has_no_negative_infinity(p, q, k, dtype):
    given = {"x": POINTS[0].astype(dtype), "y": POINTS[1].astype(dtype)}
    for turned in (False, True):
        value = np.asarray(sn.compile(quotient(p, q, k, turned), dtype=dtype)(**given))
        equal = POINTS[0] == POINTS[1]
        assert np.all(np.isinf(value[equal]))
        assert k % 2 or np.all(value[equal] > 0), value
        want = [exact(p, q, k, turned, at) for at in zip(*POINTS, strict=True) if at[0] != at[1]]
        np.testing.assert_allclose(value[~equal], want, rtol=1e-12 if dtype == "float64" else 2e-5)


@pytest.mark.parametrize(("p", "k"), list(product(range(1, 5), (2, 4))))
def test_against_one(p, k):
    value = sn.compile(sn.exp(x) ** p / (sn.exp(x) - 1) ** k)(x=POINTS[0])
    assert np.array_equal(value == np.inf, POINTS[0] == 0), value
    turned = sn.compile(sn.exp(-p * x) / (1 - sn.exp(x)) ** k)(x=POINTS[0])
    assert np.array_equal(turned == np.inf, POINTS[0] == 0), turned


@pytest.mark.parametrize("context", ["backwards", "masked", "joined"])
def test_in_a_context(context):
    whole = quotient(1, 1, 2)
    value = {
        "backwards": lambda: whole[::-1],
        "masked": lambda: sn.where(x > -100, whole, 0),
        "joined": lambda: sn.concat([whole, x]),
    }[context]()
    result = np.asarray(sn.compile(value)(x=POINTS[0], y=POINTS[1]))
    assert np.sum(result == np.inf) == 4 and not np.any(result == -np.inf)


def test_where_an_exponential_overflows():
    f = sn.compile(quotient(1, 0, 2))
    given = {"x": np.array([700.0, 800, -800, 400, 1, 0]), "y": np.array([699.0, 0, 0, -400, 0, 800])}
    want = [np.exp(-700.0) / (1 - np.exp(-1)) ** 2, 0, 0, np.exp(-400.0), np.e / (np.e - 1) ** 2, 0]
    np.testing.assert_allclose(f(**given), want, rtol=1e-13)
    pair = sn.compile(quotient(1, 1, 2))
    want = [1 / (2 * np.sinh(0.5)) ** 2, 0, 0, 0, 1 / (2 * np.sinh(0.5)) ** 2, 0]
    np.testing.assert_allclose(pair(**given), want, rtol=1e-13, atol=1e-300)

"""A root less what is close to it: every spelling against numbers of 60 digits, over the range and both signs."""

from __future__ import annotations

from fractions import Fraction

import mpmath
import numpy as np
import pytest

import symnet as sn

x, y, s = sn.tensor("x", 8), sn.tensor("y", 8), sn.scalar("s")
WIDE = np.array([1e9, -1e9, 1e-9, -1e-5, 3.0, 1e150, -1e150, 0.5])
LARGE = np.array([1e9, 2.0, 1e5, 3e7, 1.5, 1e150, 1e15, 1.0])
POSITIVE = np.array([1e9, 1e-9, 3.0, 1e16, 1e300, 0.0, 0.5, 1e-300])
SMALL = np.array([1e-9, -1e-9, 1e-5, 0.5, -0.75, 1e-16, 1.0, 1e-3])

MEMBERS = {
    "√(x² + 1) - x": (lambda r, x: r(x * x + 1) - x, WIDE),
    "x + √(x² + 1)": (lambda r, x: x + r(x * x + 1), WIDE),
    "x - √(x² - 1)": (lambda r, x: x - r(x * x - 1), LARGE),
    "√(x + 1) - √x": (lambda r, x: r(x + 1) - r(x), POSITIVE),
    "√x - √(x + 1)": (lambda r, x: r(x) - r(x + 1), POSITIVE),
    "3√(x + 2) - 3√(x + 1)": (lambda r, x: 3 * r(x + 2) - 3 * r(x + 1), POSITIVE),
    "√(1 + x) - 1": (lambda r, x: r(1 + x) - 1, POSITIVE),
    "√(1 + x) - 1, small": (lambda r, x: r(1 + x) - 1, SMALL),
    "1 - √(1 - x²)": (lambda r, x: 1 - r(1 - x * x), SMALL),
    "√(1 + x²) - 1": (lambda r, x: r(1 + x * x) - 1, np.delete(WIDE, 0).repeat(2)[:8]),
    "√(9 + x) - 3": (lambda r, x: r(9 + x) - 3, SMALL),
    "√(4x² + 1) - 2x": (lambda r, x: r(4 * x * x + 1) - 2 * x, WIDE),
    "quadratic": (lambda r, x: (-x + r(x * x - 4 * 2 * 0.01)) / (2 * 2), np.where(abs(WIDE) < 0.4, 5, WIDE)),
    "1/(√(x + 1) - √x)": (lambda r, x: 1 / (r(x + 1) - r(x)), POSITIVE),
}


def exact(f, value):
    with mpmath.workdps(1000):
        return f(mpmath.sqrt, mpmath.mpf(Fraction(float(value)).numerator) / Fraction(float(value)).denominator)


def assert_close(got, f, points, ulps, dtype):
    tiny, eps = np.finfo(dtype).tiny, np.finfo(dtype).eps
    for value, at in zip(got, points, strict=True):
        want = exact(f, at)
        assert abs(mpmath.mpf(float(value)) - want) <= ulps * eps * abs(want) + tiny, (at, value, want)


@pytest.mark.parametrize("name", MEMBERS)
@pytest.mark.parametrize("context", ["plain", "backwards", "joined"])
def test_a_root_less_its_neighbour(name, context):
    f, points = MEMBERS[name]
    whole = f(sn.sqrt, x)
    if context == "plain":
        got = sn.compile(whole)(x=points)
    elif context == "backwards":
        got = sn.compile(whole[::-1])(x=points)[::-1]
    else:
        got = sn.compile(sn.concat([x, whole]))(x=points)[8:]
    assert_close(got, f, points, 4, np.float64)


@pytest.mark.parametrize("name", ["√(x² + 1) - x", "√(x + 1) - √x", "1 - √(1 - x²)"])
def test_in_single_precision(name):
    f, points = MEMBERS[name]
    points = np.where(abs(points) > 1e15, 1e15, points).astype(np.float32)
    assert_close(sn.compile(f(sn.sqrt, x), dtype="float32")(x=points), f, points, 4, np.float32)


def test_two_variables():
    f = sn.compile(sn.sqrt(x + y) - sn.sqrt(x))
    np.testing.assert_allclose(f(x=np.full(8, 1e16), y=np.full(8, 3.0)), 1.5e-8, rtol=1e-15)
    f = sn.compile(sn.sqrt(x**2 + s) - x)
    np.testing.assert_allclose(f(x=np.full(8, 1e9), s=4.0), 2e-9, rtol=1e-15)
    assert np.array_equal(f(x=np.full(8, -1e9), s=4.0), np.full(8, 2e9))


def test_what_does_not_cancel_stays():
    assert "where" not in sn.simplify(sn.sqrt(x + 1) + sn.sqrt(x)).__str__()
    value = sn.compile(sn.sqrt(1 + x * x) - 1)(x=np.full(8, 1e200))
    np.testing.assert_allclose(value, 1e200, rtol=1e-15)

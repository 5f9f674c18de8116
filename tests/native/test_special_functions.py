"""The special functions end to end: compiled values and derivatives against mpmath, in units of the last place.

The bounds are those of docs/sympy.md, measured with and without fused multiply-add.  A derivative has the error of the
formula it is: Γ·ψ that of three operations more than Γ.
"""

from __future__ import annotations

from typing import Any

import mpmath as mp
import numpy as np
import pytest
import sympy
import sympy.codegen.cfunctions

import symnet as sn
from tests.elementary.test_accuracy import ulps

x, y = sn.tensor("x", sn.dim("m")), sn.tensor("y", sn.dim("m"))
KIND = {"float32": "float", "float64": "double"}


def _uniform(low: float, high: float) -> Any:
    return lambda rng: rng.uniform(low, high, 300)


def _powers(low: float, high: float, sign: int = 1) -> Any:
    return lambda rng: sign * 2.0 ** rng.uniform(low, high, 150)


def _near(point: float, low: float, high: float) -> Any:
    return lambda rng: point + rng.choice([-1, 1], 150) * 2.0 ** rng.uniform(low, high, 150)


def _below_one(rng: np.random.Generator) -> Any:
    return 1 - 2.0 ** rng.uniform(-23, -1, 150)


def _polygamma(n: int) -> Any:
    return lambda t: sympy.polygamma(n, t)


# name → the function here, mpmath's and its derivative, where, and bounds in ulp: value f32, f64, derivative f32, f64
FUNCTIONS: dict[str, tuple[Any, Any, Any, tuple[Any, ...], tuple[float, ...]]] = {
    "asinh": (
        sympy.asinh,
        mp.asinh,
        lambda v: 1 / mp.sqrt(1 + v * v),
        (_uniform(-9, 9), _powers(-40, 60)),
        (2, 2, 2, 2),
    ),
    "acosh": (
        sympy.acosh,
        mp.acosh,
        lambda v: 1 / mp.sqrt(v * v - 1),
        (_uniform(1.01, 9), _powers(0.1, 60), lambda rng: 1 + 2.0 ** rng.uniform(-20, 0, 150)),
        (2, 2, 3, 3),
    ),
    "atanh": (
        sympy.atanh,
        mp.atanh,
        lambda v: 1 / (1 - v * v),
        (_uniform(-1, 1), _powers(-40, -1), _below_one),
        (2, 2, 2, 2),
    ),
    "erfc": (
        sympy.erfc,
        mp.erfc,
        lambda v: -2 / mp.sqrt(mp.pi) * mp.exp(-v * v),
        (_uniform(-3, 3), _powers(-40, 1)),
        (3, 3, 7, 7),
    ),
    "gamma": (
        sympy.gamma,
        mp.gamma,
        lambda v: mp.gamma(v) * mp.psi(0, v),
        (_uniform(0.01, 30), _powers(-20, 4)),
        (1, 3.5, 2, 6),
    ),
    "loggamma": (
        sympy.loggamma,
        mp.loggamma,
        lambda v: mp.psi(0, v),
        (_uniform(0, 30), _near(1, -30, -2), _near(2, -30, -2)),
        (1, 3, 1, 4),
    ),
    "digamma": (
        sympy.digamma,
        lambda v: mp.psi(0, v),
        lambda v: mp.psi(1, v),
        (_uniform(0, 30), _powers(-20, 20)),
        (1, 4, 6, 6),
    ),
    "trigamma": (
        _polygamma(1),
        lambda v: mp.psi(1, v),
        lambda v: mp.psi(2, v),
        (_uniform(0, 30), _powers(-10, 10)),
        (5, 5, 5, 5),
    ),
    "tetragamma": (
        _polygamma(2),
        lambda v: mp.psi(2, v),
        lambda v: mp.psi(3, v),
        (_uniform(0, 30), _powers(-9, 9)),
        (5, 5, 5, 5),
    ),
    "erfinv": (
        sympy.erfinv,
        mp.erfinv,
        lambda v: mp.sqrt(mp.pi) / 2 * mp.exp(mp.erfinv(v) ** 2),
        (_uniform(-0.999, 0.999), _powers(-40, -1)),
        (3, 3, 6, 6),
    ),
    "LambertW": (
        sympy.LambertW,
        lambda v: mp.lambertw(v).real,
        lambda v: mp.lambertw(v).real / (v * (1 + mp.lambertw(v).real)),
        (_uniform(-0.25, 20), _powers(-30, 60), _powers(-30, -3, -1)),
        (3, 3, 5, 5),
    ),
    "cbrt": (
        lambda t: sympy.codegen.cfunctions.Cbrt(t),
        lambda v: mp.sign(v) * mp.cbrt(abs(v)),
        lambda v: 1 / (3 * mp.cbrt(abs(v)) ** 2),
        (_uniform(-9, 9), _powers(-60, 60)),
        (1, 1, 3, 3),
    ),
}


def points(name: str, dtype: str) -> Any:
    rng = np.random.default_rng(11)
    with np.errstate(over="ignore"):
        found = np.concatenate([draw(rng) for draw in FUNCTIONS[name][3]]).astype(dtype)
    edges = {"atanh": abs(found) < 1, "acosh": found > 1, "LambertW": found != 0}
    return found[edges.get(name, np.isfinite(found)) & np.isfinite(found)]


def worst(got: Any, want: list[Any], dtype: str) -> tuple[float, int]:
    errors = [ulps(g, w, KIND[dtype]) for g, w in zip(got.tolist(), want, strict=True)]
    return max(errors), int(np.argmax(errors))


@pytest.mark.parametrize("dtype", KIND)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_value_and_the_derivative_are_right_to_a_few_units_of_the_last_place(name: str, dtype: str) -> None:
    function, value, slope, _, bounds = FUNCTIONS[name]
    at = points(name, dtype)
    node = sn.apply(function, x)
    found = sn.compile([node, sn.grad(sn.sum(node), x)], dtype=dtype)(x=at)
    with mp.workprec(160):
        exact = [mp.mpf(float(v)) for v in at]
        for got, meaning, limits in zip(found, (value, slope), (bounds[:2], bounds[2:]), strict=True):
            error, k = worst(got, [meaning(v) for v in exact], dtype)
            assert error <= limits[dtype == "float64"], f"{name} at {at[k]!r}: {error:.2f} ulp, {got[k]!r}"


@pytest.mark.parametrize("dtype", KIND)
def test_the_angle_of_a_point_and_its_derivatives(dtype: str, rng: np.random.Generator) -> None:
    a, b = rng.normal(size=(2, 400)).astype(dtype)
    node = sn.apply(sympy.atan2, y, x)
    found = sn.compile([node, *sn.grad(sn.sum(node), [y, x])], dtype=dtype)(x=a, y=b)
    with mp.workprec(160):
        exact = [(mp.mpf(float(p)), mp.mpf(float(q))) for p, q in zip(a, b, strict=True)]
        wanted = (
            [mp.atan2(q, p) for p, q in exact],
            [p / (p * p + q * q) for p, q in exact],
            [-q / (p * p + q * q) for p, q in exact],
        )
        for got, want, limit in zip(found, wanted, (3, 3, 3), strict=True):
            assert worst(got, want, dtype)[0] <= limit


def test_left_of_zero_polygamma_functions_are_reflected(rng: np.random.Generator) -> None:
    at = -rng.uniform(0, 8, 200)
    for n in (1, 2, 3):
        got = sn.compile(sn.apply(_polygamma(n), x))(x=at)
        with mp.workprec(160):
            want = [mp.psi(n, mp.mpf(float(v))) for v in at]
        np.testing.assert_allclose(got, np.array(want, float), rtol=2e-14, atol=2e-13)


def test_an_order_without_a_series_is_refused() -> None:
    with pytest.raises(sn.MissingRuleError, match=r"compiling polygamma\(25, x\).*got polygamma"):
        sn.compile(sn.apply(_polygamma(25), x))

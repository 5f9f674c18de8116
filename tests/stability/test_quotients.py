"""Quotients whose parts leave the range, or are close to what stands beside them, where the whole is a number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest

import symnet as sn

a, b = sn.scalar("a"), sn.scalar("b")
GAMMAS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "beta": lambda f, a, b: f.gamma(a) * f.gamma(b) / f.gamma(a + b),
    "one over beta": lambda f, a, b: f.gamma(a + b) / (f.gamma(a) * f.gamma(b)),
    "binomial": lambda f, a, b: f.gamma(a + b + 1) / (f.gamma(b + 1) * f.gamma(a + 1)),
    "weighted ratio": lambda f, a, b: b * f.gamma(a + 1) / f.gamma(a),
    "logarithm": lambda f, a, b: f.log(f.gamma(a + b) / (f.gamma(a) * f.gamma(b))),
    "logarithm of one": lambda f, a, b: f.log(3 * f.gamma(a)) * b,
}
CLOSE: dict[str, Callable[[Any, Any], Any]] = {
    "square": lambda a, b: 1 - a**2 / (a**2 + 1),
    "saturation": lambda a, b: a / (a + b) - 1,
    "multiple": lambda a, b: 2 * b - 2 * a * b / (a + 3),
    "among others": lambda a, b: b + 1 - 1 / (1 + a) - b,
    "three terms": lambda a, b: 1 - (a + b) / (a + b + 2),
}


@pytest.mark.parametrize("point", [(3.0, 2.0), (90.0, 60.0), (200.0, 150.0), (700.0, 12.0)])
@pytest.mark.parametrize("name", GAMMAS)
def test_products_of_gamma_functions_are_finite_where_the_whole_is(name: str, point: tuple[float, float]) -> None:
    formula = GAMMAS[name]
    value, slope = sn.value_and_grad(formula(sn, a, b), a)(a=point[0], b=point[1])
    with mpmath.workdps(60):
        p, q = map(mpmath.mpf, point)
        wanted = float(formula(mpmath, p, q)), float(mpmath.diff(lambda t: formula(mpmath, t, q), p))
    assert value == pytest.approx(wanted[0], rel=1e-12, abs=0)
    assert slope == pytest.approx(wanted[1], rel=3e-11, abs=0)


@pytest.mark.parametrize("point", [(1e200, 3.0), (1e12, 0.5), (1e-9, 7.0), (2.0, 1e-12)])
@pytest.mark.parametrize("name", CLOSE)
def test_a_quotient_keeps_the_digits_of_its_distance_from_what_it_is_close_to(
    name: str, point: tuple[float, float]
) -> None:
    formula = CLOSE[name]
    found = sn.compile(formula(a, b), inputs=[a, b])(*point)
    with mpmath.workdps(500):
        wanted = float(formula(*map(mpmath.mpf, point)))
    assert found == pytest.approx(wanted, rel=1e-15, abs=0)


def test_an_infinite_divisor_leaves_what_stands_beside_it() -> None:
    assert sn.compile(1 - 1 / (1 + a))(a=np.inf) == 1
    assert sn.compile(a / (a + b) - 1)(a=1.0, b=np.inf) == -1

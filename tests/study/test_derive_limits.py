"""Derivations at points where the formula as written is 0/0: limits are told from values, and from conventions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symnet as sn

x, y, v = sn.scalar("x"), sn.scalar("y"), sn.tensor("v", 2)

REMOVABLE: list[tuple[Any, dict[str, Any], float, float]] = [  # with the limits of the value and of the slope
    (sn.sin(x) / x, {"x": 0.0}, 1.0, 0.0),
    ((sn.exp(x) - 1) / x, {"x": 0.0}, 1.0, 0.5),
    (sn.log(1 + x) / x, {"x": 0.0}, 1.0, -0.5),
    ((1 - sn.cos(x)) / x**2, {"x": 0.0}, 0.5, 0.0),
    (sn.tanh(3 * x) / x, {"x": 0.0}, 3.0, 0.0),
    ((x**2 - 1) / (x - 1), {"x": 1.0}, 2.0, 1.0),
    ((x**3 - 8) / (x - 2), {"x": 2.0}, 12.0, 6.0),
]


@pytest.mark.parametrize(("L", "at", "value", "slope"), REMOVABLE, ids=lambda part: str(part)[:30])
def test_at_a_removable_point_the_limits_are_named(L: Any, at: dict[str, Any], value: float, slope: float) -> None:
    found = sn.derive(L.named("L"), x, at=at)
    signs = {key: array for key, array in found.numbers.limits.items() if key in (("values", "L"), ("cotangents", "x"))}
    assert signs["values", "L"] == pytest.approx(value, abs=1e-5)
    assert signs["cotangents", "x"] == pytest.approx(slope, abs=1e-4)
    text = found.text()
    assert f"→ {value:g}" in text and "→ marks a limit" in text and "nan\n" not in text and "-0\n" not in text
    compiled = float(sn.compile(L)(**at))
    assert ("Compiled code gives nan for L." in text) == np.isnan(compiled)
    for page in (found.html(), found.slides()):
        assert "<mo>→</mo>" in page and "<mn>nan</mn>" not in page
    assert "→ marks a limit" in found.html()


@pytest.mark.parametrize(
    ("L", "at"),
    [
        (sn.norm(v), {"v": [0.0, 0.0]}),  # the gradient 0 is a convention
        (sn.abs(x) / x, {"x": 0.0}),  # the sides differ
        (sn.sin(x) / x, {"x": 0.5}),
        (x / (x**2 + y**2), {"x": 0.0, "y": 0.0}),
        (sn.sum(v * sn.constant(np.array([1.0, np.nan]))), {"v": [1.0, 2.0]}),
    ],
    ids=lambda part: str(part)[:30],
)
def test_what_tends_to_nothing_is_no_limit(L: Any, at: dict[str, Any]) -> None:
    found = sn.derive(L.named("L"), at=at)
    assert not found.numbers.limits and "→ marks a limit" not in found.text()


def test_an_undefined_number_is_called_so() -> None:
    text = sn.derive((sn.abs(x) / x).named("L"), x, at={"x": 0.0}).text()
    assert "L = v1/x = undefined" in text

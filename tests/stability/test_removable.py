"""Removable singularities: values and slopes to second order on both sides of 0 and at it, in many contexts.

The right values are those of the formula in mpmath, at 60 digits and more where terms cancel to many orders.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest

import symnet as sn
from symnet.simplify.algebra.table import simplify
from symnet.simplify.numeric.passes import numeric

m = sn.dim("m")
x, g, t = sn.tensor("x", m), sn.tensor("g", m), sn.scalar("t")
c = sn.tensor("c", m, dtype="bool")
POINTS = np.array([1e-300, -1e-20, 1e-9, -1e-6, 1e-4, -1e-3, 0.03, -0.3, 0.6])
ORDERS = range(3)

# name → (the formula, the same in mpmath, its limit at 0).  One formula serves both: `f` has the functions.
FORMULAS: dict[str, tuple[Callable[[Any, Any], Any], float]] = {
    "(exp x - 1)/x": (lambda f, x: (f.exp(x) - 1) / x, 1),
    "sin x/x": (lambda f, x: f.sin(x) / x, 1),
    "log(1 + x)/x": (lambda f, x: f.log(1 + x) / x, 1),
    "(1 - cos x)/x^2": (lambda f, x: (1 - f.cos(x)) / x**2, 0.5),
    "x/tanh x": (lambda f, x: x / f.tanh(x), 1),
    "tanh x/x": (lambda f, x: f.tanh(x) / x, 1),
    "x/sin x": (lambda f, x: x / f.sin(x), 1),
    "x/(exp x - 1)": (lambda f, x: x / (f.exp(x) - 1), 1),
    "(exp x - 1 - x)/x^2": (lambda f, x: (f.exp(x) - 1 - x) / x**2, 0.5),
    "(x - sin x)/x^3": (lambda f, x: (x - f.sin(x)) / x**3, 1 / 6),
    "(sin x - x cos x)/x^2": (lambda f, x: (f.sin(x) - x * f.cos(x)) / x**2, 0),
    "1/x - 1/sin x": (lambda f, x: 1 / x - 1 / f.sin(x), 0),
    "coth x - 1/x": (lambda f, x: f.cosh(x) / f.sinh(x) - 1 / x, 0),
    "1/(exp x - 1) - 1/x": (lambda f, x: 1 / (f.exp(x) - 1) - 1 / x, -0.5),
    "1/x^2 - 1/sin^2 x": (lambda f, x: 1 / x**2 - 1 / f.sin(x) ** 2, -1 / 3),
    "(sin x/x)^2": (lambda f, x: (f.sin(x) / x) ** 2, 1),
    "log(sinh x/x)": (lambda f, x: f.log(f.sinh(x) / x), 0),
    "log((exp x - 1)/x)": (lambda f, x: f.log((f.exp(x) - 1) / x), 0),
    "atan x/x": (lambda f, x: f.atan(x) / x, 1),
    "(sqrt(1 + x) - 1)/x": (lambda f, x: (f.sqrt(1 + x) - 1) / x, 0.5),
    "exp x - 1 - x": (lambda f, x: f.exp(x) - 1 - x, 0),
    "x - log(1 + x)": (lambda f, x: x - f.log(1 + x), 0),
    "(1 + x) log(1 + x) - x": (lambda f, x: (1 + x) * f.log(1 + x) - x, 0),
    "(1 - exp(-x))/x - exp(-x)": (lambda f, x: (1 - f.exp(-x)) / x - f.exp(-x), 0),
    "x^2 exp x/(exp x - 1)^2": (lambda f, x: x**2 * f.exp(x) / (f.exp(x) - 1) ** 2, 1),
    "(tan x - x)/x^3": (lambda f, x: (f.tan(x) - x) / x**3, 1 / 3),
    "((1 + x)^(3/2) - 1)/x": (lambda f, x: ((1 + x) ** (f.half * 3) - 1) / x, 1.5),
    "erf(x)/x": (lambda f, x: f.erf(x) / x, 2 / np.sqrt(np.pi)),
}


class _Numbers:
    """mpmath's functions under the names used above."""

    half = mpmath.mpf(1) / 2

    def __getattr__(self, name: str) -> Any:
        return getattr(mpmath, name)


class NodeFunctions:
    """symnet's."""

    half = 0.5

    def __getattr__(self, name: str) -> Any:
        return getattr(sn, name)


def _exact(formula: Callable[[Any, Any], Any], point: float, order: int) -> mpmath.mpf:
    """A derivative of the formula at a point, by differences of numbers with thousands of bits."""
    with mpmath.workdps(2500 if abs(point) < 1e-30 else 250):
        step = abs(mpmath.mpf(point)) * mpmath.mpf(10) ** -30
        return +mpmath.diff(lambda u: formula(_Numbers(), u), mpmath.mpf(point), order, h=step)


def _errors(found: Any, wanted: list[mpmath.mpf], eps: float) -> list[float]:
    sizes = [max(abs(w), mpmath.mpf(2) ** -1000) for w in wanted]
    return [float(abs(mpmath.mpf(float(f)) - w) / s / eps) for f, w, s in zip(found, wanted, sizes, strict=True)]


def _derived(y: sn.Node, leaf: sn.Node) -> list[sn.Node]:
    nodes = [y]
    for _ in ORDERS[1:]:
        nodes.append(sn.grad(sn.sum(nodes[-1]), leaf))
    return nodes


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", FORMULAS)
def test_values_and_slopes_have_their_digits_near_zero(name: str, dtype: str) -> None:
    formula, _ = FORMULAS[name]
    points = POINTS[3:] if dtype == "float32" else POINTS
    points = points.astype(dtype)
    found = sn.compile(_derived(formula(NodeFunctions(), x), x), dtype=dtype)(x=points)
    for order in ORDERS:
        wanted = [_exact(formula, float(p), order) for p in points]
        worst = max(_errors(found[order], wanted, float(np.finfo(dtype).eps)))
        assert worst < (300 if order == 2 else 40), (order, worst, found[order])


@pytest.mark.parametrize("name", FORMULAS)
def test_at_zero_stands_the_limit_and_at_both_sides_of_it_what_belongs_there(name: str) -> None:
    formula, limit = FORMULAS[name]
    value, first, second = sn.compile(_derived(formula(NodeFunctions(), x), x))(x=np.array([0.0, 1e-40]))
    assert value[0] == pytest.approx(limit, rel=1e-15, abs=0)
    for each in (value, first, second):
        assert each[0] == pytest.approx(each[1], rel=1e-15, abs=1e-35)


WEIGHTS, SCALE, CHOSEN = np.array([0.5, -1.25, 2.0, 0.75, -2.5]), 0.75, np.array([True, True, False, True, True])
Numbers = list[mpmath.mpf]
# name → (an expression of x, what it is of numbers); f is the formula
CONTEXTS: dict[str, tuple[Callable[[Any], sn.Node], Callable[[Any, Numbers], Any]]] = {
    "of a multiple": (lambda f: sn.sum(f(3 * x)), lambda f, u: sum(f(3 * v) for v in u)),
    "of a product": (lambda f: sn.sum(f(t * x)), lambda f, u: sum(f(SCALE * v) for v in u)),
    "of a square": (lambda f: sn.sum(f(x**2)), lambda f, u: sum(f(v**2) for v in u)),
    "weighted": (lambda f: g @ f(x), lambda f, u: sum(w * f(v) for w, v in zip(WEIGHTS, u, strict=True))),
    "beside others": (
        lambda f: sn.sum(g * f(x) + sn.cos(x)),
        lambda f, u: sum(w * f(v) + mpmath.cos(v) for w, v in zip(WEIGHTS, u, strict=True)),
    ),
    "chosen": (
        lambda f: sn.sum(sn.where(c, f(x), x)),
        lambda f, u: sum(f(v) if yes else v for yes, v in zip(CHOSEN, u, strict=True)),
    ),
    "moved": (lambda f: f(x)[::-1] @ g, lambda f, u: sum(w * f(v) for w, v in zip(WEIGHTS, u[::-1], strict=True))),
    "squared": (lambda f: sn.sum(f(x) ** 2), lambda f, u: sum(f(v) ** 2 for v in u)),
    "inside a function": (lambda f: sn.sum(sn.tanh(f(x))), lambda f, u: sum(mpmath.tanh(f(v)) for v in u)),
    "of a length": (lambda f: f(sn.norm(x)), lambda f, u: f(mpmath.sqrt(sum(v**2 for v in u)))),
    "in rows": (
        lambda f: sn.sum(f(x[:, None]) * g),
        lambda f, u: sum(f(v) for v in u) * sum(mpmath.mpf(float(w)) for w in WEIGHTS),
    ),
}


@pytest.mark.parametrize("name", ["(exp x - 1)/x", "sin x/x", "(1 - cos x)/x^2", "1/x - 1/sin x", "exp x - 1 - x"])
@pytest.mark.parametrize("context", CONTEXTS)
def test_slopes_keep_their_digits_in_contexts(name: str, context: str) -> None:
    formula, _ = FORMULAS[name]
    expression, of_numbers = CONTEXTS[context]
    slope = sn.compile(sn.grad(expression(lambda u: formula(NodeFunctions(), u)), x))
    used = {name: v for name, v in {"g": WEIGHTS, "t": SCALE, "c": CHOSEN}.items() if name in slope.inputs}
    near = np.array([1e-5, -2e-7, 3e-9, 1e-12, -1e-6])
    found = slope(x=near, **used)
    with mpmath.workdps(200):
        wanted, step = [], mpmath.mpf(10) ** -40
        for k in range(len(near)):
            sides = [[mpmath.mpf(v) + sign * step * (j == k) for j, v in enumerate(near)] for sign in (1, -1)]
            above, below = (of_numbers(lambda u: formula(_Numbers(), u), side) for side in sides)
            wanted.append((above - below) / (2 * step))
        assert max(_errors(found, wanted, float(np.finfo(float).eps))) < 40, (found, wanted)
    assert np.isfinite(slope(x=np.zeros(5), **used)).all()


def test_a_user_who_guards_by_hand_gets_the_digits_that_the_guard_leaves_out() -> None:
    y = sn.where(abs(x) < 1e-6, 1 - x**2 / 6, sn.sin(x) / x)
    slope = sn.compile(sn.grad(sn.sum(y), x))(x=np.array([1e-9, 1e-5, 1e-3, 1.0]))
    assert slope == pytest.approx([-1e-9 / 3, -1e-5 / 3, -3.333333e-4, np.cos(1.0) - np.sin(1.0)], rel=1e-6)
    assert slope[1] == pytest.approx(-1e-5 / 3 + 1e-15 / 30, rel=1e-15)


def test_a_condition_that_changes_near_zero_bounds_the_polynomial() -> None:
    """Beyond 0.1 stands another function, at 0.05 one number: no polynomial may reach there."""
    y = sn.where(x > 0.1, x**3, (x - sn.sin(x)) / x**3) + sn.where(sn.equal(x, 0.05), 7, (sn.tan(x) - x) / x**2)
    found = sn.compile(y)(x=np.array([0.05, 0.11, 0.09, 1e-8]))
    at = np.array([0.05, 0.11, 0.09, 1e-8])
    with mpmath.workdps(60):
        wanted = [
            float((u**3 if u > 0.1 else (u - mpmath.sin(u)) / u**3) + (7 if p == 0.05 else (mpmath.tan(u) - u) / u**2))
            for p in at
            for u in [mpmath.mpf(p)]
        ]
    assert found == pytest.approx(wanted, rel=1e-14)


@pytest.mark.parametrize(
    "formula",
    [sn.exp(x) - 1, sn.tanh(x) + x, 1 / (1 + sn.exp(-x)) - g, sn.sin(x) * g + sn.cos(x), sn.log(1 + x) + sn.log(g),
     sn.exp(-(x**2)) / (1 + x**2), sn.log(sn.cosh(x)), sn.softmax(x) - g],
)  # fmt: skip
def test_nothing_is_added_where_nothing_cancels(formula: sn.Node) -> None:
    steps: list[Any] = []
    numeric(simplify([formula, sn.grad(sn.sum(formula), x)]), steps)
    assert "limits_of_removable_singularities" not in {step.name for step in steps}

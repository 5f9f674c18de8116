"""Critical points of functions with kinks: at kinks both sides are compared, flat intervals are found whole."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sympy

import symnet as sn
from symnet.errors import ArgumentError
from symnet.expr.sympy.to_sympy import to_sympy
from symnet.reference import evaluate

u, v = sn.scalar("u"), sn.scalar("v")
p, a = sn.scalar("p", positive=True), sn.scalar("a")
U, V = sympy.symbols("u v", real=True)
oo = sympy.oo
LOWEST, HIGHEST, FLAT = "minimum (not strict)", "maximum (not strict)", "constant"

AT_POINTS: list[tuple[Any, list[tuple[Any, str, Any]]]] = [
    (abs(u), [(0, "minimum", (-1, 1))]),
    (abs(u) ** 3, [(0, "minimum", (0, 0))]),
    (sn.sign(u) * u, [(0, "minimum", (-1, 1))]),
    (abs(u) + u**2, [(0, "minimum", (-1, 1))]),
    (u**2 - 2 * abs(u), [(-1, "minimum", None), (0, "maximum", (2, -2)), (1, "minimum", None)]),
    (u * abs(u), [(0, "neither minimum nor maximum", (0, 0))]),
    (sn.maximum(u, -u), [(0, "minimum", (-1, 1))]),
    (sn.minimum(u, 2 - u), [(1, "maximum", (1, -1))]),
    (-abs(u**2 - 1), [(-1, "maximum", (2, -2)), (0, "minimum", None), (1, "maximum", (2, -2))]),
    ((u**2) ** sympy.Rational(1, 3), [(0, "minimum", (-oo, oo))]),
    (sn.where(u > 1, u**2, 2 - u), [(1, "minimum", (-1, 2))]),
    (abs(p - 2), [(2, "minimum", (-1, 1))]),
]


@pytest.mark.parametrize(("f", "expected"), AT_POINTS, ids=str)
def test_at_a_kink_both_sides_are_compared(f: Any, expected: Any) -> None:
    (x,) = (leaf for leaf in (u, p) if str(leaf) in str(f))
    found = sn.critical_points(f, x)
    assert [(*c.at.values(), c.verdict, c.slopes) for c in found] == expected
    assert found.complete and not found.note
    for c in found:
        at = float(next(iter(c.at.values())))
        here, low, high = (float(evaluate(f, {str(x): np.array(at + h)})) for h in (0, -1e-3, 1e-3))
        below = {"minimum": here < min(low, high), "maximum": here > max(low, high)}
        assert below.get(c.verdict, low < here < high)


FLATS: list[tuple[Any, list[tuple[Any, str]]]] = [
    (sn.relu(u), [(U <= 0, LOWEST)]),
    (sn.relu(u) ** 2, [(U <= 0, LOWEST)]),
    (sn.maximum(u**2, 1), [((U >= -1) & (U <= 1), LOWEST)]),
    (sn.minimum(u, 1), [(U >= 1, HIGHEST)]),
    (sn.relu(u - 1) + sn.relu(-u), [((U >= 0) & (U <= 1), LOWEST)]),
    (sn.relu(u - 1) - sn.relu(-u), [((U > 0) & (U < 1), FLAT)]),
    (sn.relu(u) * sn.relu(u - 1), [(U <= 1, LOWEST)]),
]


@pytest.mark.parametrize(("f", "expected"), FLATS, ids=str)
def test_an_interval_of_slope_zero_is_found_whole(f: Any, expected: Any) -> None:
    found = sn.critical_points(f, u)
    assert [(c.where, c.verdict) for c in found if c.where != sympy.true] == expected
    assert found.complete and "any u with u" in str(found)


def test_a_jump_is_neither_smooth_nor_constant() -> None:
    step = sn.critical_points(sn.sign(u), u)
    assert {(c.where, c.verdict, c.value) for c in step} == {
        (U < 0, FLAT, -1),
        (U > 0, FLAT, 1),
        (sympy.true, "neither minimum nor maximum", 0),
    }


def test_a_staircase_is_piecewise_constant_and_what_is_added_to_it_is_compared_at_the_jump() -> None:
    found = sn.critical_points(sn.floor(u), u)
    assert [c.verdict for c in found] == ["piecewise constant"] and not found.complete
    assert "the slope is zero wherever it does not jump" in found.note
    found = sn.critical_points(u**2 + sn.floor(u), u)
    assert [(c.at[U], c.verdict) for c in found] == [(0, "neither minimum nor maximum")]
    assert "minima and maxima at jumps may be missing" in found.note
    (point,) = sn.critical_points(u**2 - u + sn.floor(u), u)
    assert point.at[U] == sympy.Rational(1, 2) and point.verdict == "minimum"


def test_what_repeats_without_end_says_so() -> None:
    found = sn.critical_points(sn.sin(abs(u)), u)
    assert not found.complete and "there are further points: u = π/2 + 2kπ and u = 3π/2 + 2kπ" in found.note
    assert (0, "minimum") in [(c.at[U], c.verdict) for c in found]


MEETING: list[tuple[Any, list[str]]] = [
    (u**2 + abs(v), ["u = 0, v = 0: minimum, value 0; a kink along v = 0, with 0 among the subgradients"]),
    (abs(u) + abs(v), ["u = 0, v = 0: minimum, value 0; a kink along u = 0 and v = 0, "]),
    (abs(u) - abs(v), ["u = 0, v = 0: saddle"]),
    (u**2 - abs(v), ["u = 0, v = 0: saddle"]),
    (-abs(u - v) - u**2, ["u = 0, v = 0: maximum"]),
    (u**3 - 3 * u + abs(v), ["u = -1, v = 0: saddle, value 2", "u = 1, v = 0: minimum, value -2"]),
    (sn.maximum(u, v) + u**2 + v**2, ["u = -1/4, v = -1/4: minimum, value -1/8"]),
    (sn.maximum(u, v), []),
    (abs(u * v), ["u = 0, any v: minimum (not strict)", "any u, v = 0: minimum (not strict)"]),
    (sn.relu(u) + v**2, ["u = 0, v = 0: undecided", "any u, v = 0 with u < 0: minimum (not strict), value 0"]),
    (abs(u - 1) + abs(u + 1) + v**2, ["any u, v = 0 with -1 < u and u < 1: minimum (not strict), value 2"]),
]


@pytest.mark.parametrize(("f", "expected"), MEETING, ids=lambda v: str(v)[:40])
def test_where_kinks_of_several_variables_meet_the_subgradients_decide(f: Any, expected: list[str]) -> None:
    found = [str(point) for point in sn.critical_points(f, [u, v])]
    assert len(found) >= len(expected) and (found or not expected)
    assert all(any(shown.startswith(each) for shown in found) for each in expected), found


w = sn.tensor("w", 2)
TIPS: list[tuple[Any, Any, str]] = [
    (sn.norm(w), w, "w[0] = 0, w[1] = 0: minimum, value 0; a kink along w[0]**2 + w[1]**2 = 0"),
    (2 - sn.sqrt(u**2 + 3 * v**2), [u, v], "u = 0, v = 0: maximum, value 2"),
    (sn.sqrt((u - 1) ** 2 + (v + 2) ** 2) + u / 2, [u, v], "u = 1, v = -2: minimum, value 1/2"),
    (sn.sqrt(u**2 + v**2) + 2 * u, [u, v], ""),  # it falls to the left
    (sn.norm(sn.tensor("z", 5)) + 1.01 * sn.tensor("z", 5)[3], sn.tensor("z", 5), ""),  # in a narrow cone
    (
        sn.norm(sn.tensor("z", 3)) + sn.tensor("z", 3)[1] * 0.99,
        sn.tensor("z", 3),
        "z[0] = 0, z[1] = 0, z[2] = 0: minimum",
    ),
    (sn.sqrt(u**2 + v**2 + 1), [u, v], "u = 0, v = 0: minimum, value 1; eigenvalues"),
]


@pytest.mark.parametrize(("f", "wrt", "expected"), TIPS, ids=lambda v: str(v)[:40])
def test_where_a_norm_is_zero_every_direction_is_asked(f: Any, wrt: Any, expected: str) -> None:
    found = [str(point) for point in sn.critical_points(f, wrt)]
    assert [shown[: len(expected)] for shown in found] == ([expected] if expected else [])


@pytest.mark.parametrize("seed", range(30))
def test_verdicts_at_kinks_are_what_the_values_around_them_say(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b, c, d, e, g = (int(n) for n in rng.integers(-3, 4, 6))
    f = a * u**2 + b * v**2 + c * u * v + d * u + e * abs(u - 1) + g * abs(u + v)
    expr = sympy.lambdify((U, V), to_sympy(f))
    around = 1e-4 * np.stack([np.cos(t := np.linspace(0, 2 * np.pi, 721)), np.sin(t)])
    for point in sn.critical_points(f, [u, v]):
        if point.at[U].free_symbols or point.at[V].free_symbols:
            continue
        x, y = float(point.at[U]), float(point.at[V])
        rises = expr(x + around[0], y + around[1]) - expr(x, y)
        if point.verdict == "minimum":
            assert (rises > 0).all(), (f, point)
        elif point.verdict == "maximum":
            assert (rises < 0).all(), (f, point)
        elif point.verdict == "saddle":
            assert (rises > 0).any() and (rises < 0).any(), (f, point)


@pytest.mark.parametrize("seed", range(30))
def test_no_minimum_at_a_kink_is_missed(seed: int) -> None:
    """Of a convex function there is one minimum: where the subgradients say, and a search finds none that is lower."""
    rng = np.random.default_rng(seed)
    a, b, d, e, g, h = (int(n) for n in rng.integers(1, 5, 6))
    f = a * u**2 + b * v**2 - d * u + e * abs(u - 1) + g * abs(u + v) + h * abs(v - 2)
    points = list(sn.critical_points(f, [u, v]))
    expr = sympy.lambdify((U, V), to_sympy(f))
    grid = np.meshgrid(np.linspace(-4, 4, 401), np.linspace(-4, 4, 401))
    assert len(points) == 1 and points[0].verdict.startswith(("minimum", "undecided"))
    assert float(points[0].value) <= expr(*grid).min() + 1e-12


def test_a_kink_where_a_parameter_is_is_refused_or_undecided() -> None:
    with pytest.raises(ArgumentError, match=r"got the parameters a\. Write numbers in the place of a"):
        sn.critical_points(abs(u - a), u)
    found = sn.critical_points(abs(u) * u**2 + a * u**2, u)
    assert not found.complete and "kinks and whole regions" in found.note
    assert [c.verdict for c in found if c.at[U] == 0] == ["undecided (it is not smooth there)"]


def test_floating_point_says_that_kinks_may_be_missing() -> None:
    found = sn.critical_points(sn.relu(u) + sn.exp(u) - 2 * u, u, numeric=True)
    assert "whole regions of slope zero may be missing" in found.note


def test_a_family_leaves_out_where_the_function_is_not_defined() -> None:
    found = sn.critical_points((u**2 + 2 * v**2) / (u**2 + v**2), [u, v])
    assert {str(c.where) for c in found} == {"Ne(u, 0)", "Ne(v, 0)"}
    assert "u = 0, any v with v != 0" in str(found)

"""Critical points of functions with kinks: at kinks both sides are compared, flat intervals are found whole."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sympy

import symnet as sn
from symnet.errors import ArgumentError
from symnet.reference import evaluate

u, v = sn.scalar("u"), sn.scalar("v")
p, a = sn.scalar("p", positive=True), sn.scalar("a")
U = sympy.Symbol("u", real=True)
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
    assert not found.complete and "there are further points" in found.note
    assert (0, "minimum") in [(c.at[U], c.verdict) for c in found]


@pytest.mark.parametrize("f", [abs(u) + v**2, abs(u) + abs(v), sn.relu(u) + v**2, sn.maximum(u, v) + u**2 + v**2])
def test_kinks_in_several_variables_are_left_undecided_and_the_note_says_what_may_be_missing(f: Any) -> None:
    found = sn.critical_points(f, [u, v])
    assert not found.complete and "whole regions of slope zero may be missing" in found.note
    assert "undecided" in str(found) or "no critical points found" in str(found)


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

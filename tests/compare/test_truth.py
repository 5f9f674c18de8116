"""The truth: as many digits as it takes, slopes where the chain rule has none, wide floats where it must be."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
import pytest

import symnet as sn
from symnet.compare import truth as truths
from symnet.compare.problem import problem_of
from symnet.compare.scalars.slopes import SLOPES
from symnet.compare.truth import exact_truth, truth_of, wide_truth

x, v, A = sn.scalar("x"), sn.tensor("v", 3), sn.tensor("A", 3, 3)


def problem(form: Any, wrt: Any, data: dict[str, Any], of: str = "gradient", dtype: str = "float64") -> Any:
    return problem_of(form, wrt, data, dtype, of)


def test_digits_are_doubled_until_they_stand_still() -> None:
    """(1 + x) - 1 over x loses 60 digits where x is 1e-60: 40 and 80 digits disagree."""
    found = exact_truth(problem(((1 + x) - 1) / x * x, x, {"x": 1e-60}))
    assert found.arrays[0].high == 1 and "mpmath with 160 digits" in found.name and not found.note


def test_the_low_part_is_what_a_float_cannot_hold() -> None:
    found = exact_truth(problem(sn.exp(x), x, {"x": 1.0}))
    with mpmath.workdps(40):
        assert float(mpmath.e - mpmath.mpf(float(found.value.high))) == found.value.low != 0


def test_a_slope_that_the_chain_rule_cannot_tell_is_taken_from_both_sides() -> None:
    smooth = exact_truth(problem(sn.sqrt(x**4), x, {"x": 0.0}))
    kink = exact_truth(problem(sn.sqrt(x**2), x, {"x": 0.0}))
    assert smooth.arrays[0].high == 0 and np.isnan(kink.arrays[0].high)
    said = sn.compare(sn.norm(v), v, {"v": np.zeros(3)}, repeats=1)
    assert "the expression as written has no derivative at 3 coordinates" in " ".join(said.notes)


def test_second_derivatives_are_exact() -> None:
    at = np.array([0.1, 0.2, 0.3])
    form = sn.sum(sn.exp(v)) * v[0]
    e = np.exp(at)
    expected = np.diag(e * at[0]) + np.outer(e, [1, 0, 0]) + np.outer([1, 0, 0], e)
    hessian = exact_truth(problem(form, v, {"v": at}, "hessian")).arrays[0]
    np.testing.assert_allclose(hessian.high, expected, rtol=1e-15)
    whole = problem(form, v, {"v": at}, "hvp")
    product = exact_truth(whole).arrays[0]
    np.testing.assert_allclose(product.high, expected @ whole.vectors[0], rtol=1e-14)
    assert np.abs(product.low).max() > 0


def test_second_derivatives_across_a_kink_are_left_out() -> None:
    """That of relu(a)·exp(b) by a and b is one thing on one side of a = 0 and another on the other side."""
    form = sn.relu(v[0]) * sn.exp(v[1]) + v[2] ** 2
    truth = exact_truth(problem(form, v, {"v": [0.0, 0.5, 1.0]}, "hessian"))
    undefined = np.isnan(truth.arrays[0].high)
    assert undefined.tolist() == [[True, True, False], [True, False, False], [False, False, False]]
    assert truth.arrays[0].high[2, 2] == 2
    found = sn.compare(form, v, {"v": [0.0, 0.5, 1.0]}, of="hessian", repeats=1)
    assert found["symnet"].error < 1e-14 and "no derivative at 3 coordinates" in " ".join(found.notes)


def test_an_exact_zero_stays_one() -> None:
    assert exact_truth(problem(sn.sin(x) ** 2 + sn.cos(x) ** 2, x, {"x": 0.7})).arrays[0].high == 0


@pytest.mark.parametrize("of", ["gradient", "hvp", "hessian"])
def test_wide_floats_agree_with_exact_numbers(of: str, rng: np.random.Generator) -> None:
    whole = problem(
        sn.sum(sn.tanh(A @ A)) + sn.logsumexp(v), [A, v], {"A": rng.normal(size=(3, 3)), "v": [1, 2, 3]}, of
    )
    wide, true = wide_truth(whole), exact_truth(whole)
    for ours, theirs in zip(wide.arrays, true.arrays, strict=True):
        np.testing.assert_allclose(ours.high, theirs.high, rtol=1e-14, atol=1e-16)
    if np.finfo(np.longdouble).nmant > 60:
        assert "floats of 64 bits" in wide.name and wide.floor < 1e-17


def test_large_problems_are_computed_in_wide_floats(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = problem(sn.sum(sn.exp(v)), v, {"v": [1, 2, 3]})
    assert "mpmath" in truth_of(whole).name
    monkeypatch.setattr(truths, "AFFORDABLE", 1)
    assert "tape" in truth_of(whole).name
    assert "tape in float64" in truth_of(problem(sn.det(A), A, {"A": np.eye(3)})).name


@pytest.mark.parametrize("name", ["erf", "erfc", "gamma", "loggamma", "digamma"])
def test_functions_that_numpy_lacks_are_wide_too(name: str) -> None:
    whole = problem(sn.sum(getattr(sn, name)(v)), v, {"v": [0.3, 1.7, 2.5]})
    wide, true = wide_truth(whole), exact_truth(whole)
    for ours, theirs in zip((wide.value, *wide.arrays), (true.value, *true.arrays), strict=True):
        assert np.abs((ours.high - theirs.high) + (ours.low - theirs.low)).max() < 1e-18 + 1e-19 * wide.floor
        if np.finfo(np.longdouble).nmant > 60:
            assert np.abs(ours.low).max() > 0


def test_what_is_nothing_but_roundings_is_zero() -> None:
    """A softmax does not change where its operand is shifted: the derivative by the shift is zero, not 1e-19."""
    shift = sn.scalar("shift")
    loss = sn.sum(sn.softmax(sn.sin(v * 3) + shift) * sn.constant([1.0, 2.0, 4.0]))
    found = wide_truth(problem(loss, [v, shift], {"v": [0.3, 1.7, 2.5], "shift": 0.7}))
    assert found.arrays[1].high == 0 and np.abs(found.arrays[0].high).min() > 1e-3 and found.floor < 1e-17


def test_a_wrong_slope_does_not_become_the_truth(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SLOPES, "tanh", (lambda n, y, x: 1 - y,))
    with pytest.raises(AssertionError, match="the tape of scalars and differences with many digits disagree"):
        exact_truth(problem(sn.sum(sn.tanh(v)), v, {"v": [0.1, 0.2, 0.3]}))

"""Recurrences of any depth: values and slopes keep the digits that the steps have, one after the other."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

import symnet as sn
from tests.recurrences import STEPS, slope, unrolled

x = sn.scalar("x")
v = sn.tensor("v", 3)
DEPTHS = (3, 8, 14, 32)
START = 0.3125
KEEPS = 16  # the error, in that of the same steps done by hand in the same dtype
FLOOR = 64  # ulp: steps by hand may be lucky


def _errors(found: float, by_hand: float, right: mpmath.mpf) -> tuple[float, float]:
    return float(abs(mpmath.mpf(found) - right)), float(abs(mpmath.mpf(by_hand) - right))


def _assert_keeps_digits(found: float, by_hand: float, right: mpmath.mpf, dtype: str) -> None:
    mine, theirs = _errors(found, by_hand, right)
    smallest = float(np.finfo(dtype).smallest_normal)
    bound = KEEPS * theirs + FLOOR * float(np.finfo(dtype).eps) * float(abs(right)) + smallest
    assert mine <= bound, (found, by_hand, float(right))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", STEPS)
def test_values_and_slopes_are_those_of_the_steps_done_one_by_one(name: str, dtype: str) -> None:
    step = STEPS[name]
    one = np.dtype(dtype).type(START)
    for depth in DEPTHS:
        value, g = sn.value_and_grad(unrolled(step, depth, x), x, dtype=dtype)(x=one)
        by_hand = slope(step, depth, one, np)
        with mpmath.workdps(60):
            right = slope(step, depth, mpmath.mpf(START), mpmath)
            _assert_keeps_digits(float(value), float(by_hand[0]), right[0], dtype)
            _assert_keeps_digits(float(g), float(by_hand[1]), right[1], dtype)


@pytest.mark.parametrize("name", STEPS)
def test_in_arrays_and_by_forward_mode_slopes_are_the_same(name: str) -> None:
    step, depth = STEPS[name], 20
    start = np.array([START, 0.25, 0.4375])
    g = sn.compile(sn.grad(sn.sum(unrolled(step, depth, v)), v))(v=start)
    forward = sn.compile(sn.jvp(unrolled(step, depth, x), x, sn.scalar("x_dot")))
    for s, found in zip(start, g, strict=True):
        by_hand = slope(step, depth, np.float64(s), np)[1]
        with mpmath.workdps(60):
            right = slope(step, depth, mpmath.mpf(float(s)), mpmath)[1]
            _assert_keeps_digits(float(found), float(by_hand), right, "float64")
            _assert_keeps_digits(float(forward(x=s, x_dot=np.float64(1))), float(by_hand), right, "float64")


@pytest.mark.parametrize("name", STEPS)
def test_second_derivatives_of_deep_recurrences_are_right(name: str) -> None:
    step, depth = STEPS[name], 14
    found = float(sn.compile(sn.grad(sn.grad(unrolled(step, depth, x), x), x))(x=np.float64(START)))
    with mpmath.workdps(60):
        right = mpmath.diff(lambda t: slope(step, depth, t, mpmath)[1], mpmath.mpf(START))
        assert abs(found - right) <= 1e-11 * max(abs(right), abs(slope(step, depth, mpmath.mpf(START), mpmath)[1]))


def test_the_witness_ten_eleven_and_twenty_levels_of_a_sine_and_a_square() -> None:
    with mpmath.workdps(400):
        t, d = mpmath.mpf(0.3), mpmath.mpf(1)
        for depth in range(1, 12):
            t, d = mpmath.sin(t) + t * t / 2, d * (mpmath.cos(t) + t)
            if depth in (8, 10, 11):
                y = x
                for _ in range(depth):
                    y = sn.sin(y) + y * y / 2
                value, g = sn.value_and_grad(y, x)(x=np.float64(0.3))
                np.testing.assert_allclose([float(value), float(g)], [float(t), float(d)], rtol=1e-13)

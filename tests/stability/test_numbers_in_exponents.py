"""Numbers as exponents: a mask of -10000 as a start, a blank or a state that cannot be, in recursions of logarithms.

The law: where every exponent is shifted by the same number, the value is shifted by it, and no derivative changes.
"""

from __future__ import annotations

import numpy as np
import pytest
import sympy

import symnet as sn
from symnet.expr.nodes.node import Node
from symnet.simplify.forms.exponential_numbers import log_of_number, split_number

SHIFTS = (-10000, -10000.5, -12345.678, -123.456, 2500, 87654.321)
z = sn.tensor("z", 3)


def some_logarithm(rng: np.random.Generator, shift: float, depth: int) -> Node:
    """A log-sum-exp of log-sum-exps over z, each exponent shifted, some of them numbers alone."""
    if depth == 0:
        number = sn.zeros(3) + int(rng.integers(-2, 3)) + shift
        joined = sn.concat([z[:1] + shift, sn.zeros(2) + shift])
        return [number, joined, z + shift, int(rng.integers(2, 4)) * z + shift, sn.log_softmax(z) + shift][
            rng.integers(5)
        ]
    a, b = (some_logarithm(rng, shift, depth - 1) for _ in range(2))
    both = sn.logaddexp(a, b) if rng.random() < 0.7 else sn.logsumexp(sn.stack([a, b], axis=1), axis=1)
    if rng.random() < 0.4:
        return sn.concat([both[1:], both[:1]])
    return both + z if rng.random() < 0.4 else both


@pytest.mark.parametrize("seed", range(12))
def test_numbers_that_leave_the_range_cancel(seed: int) -> None:
    data = np.random.default_rng(seed).normal(size=3)
    plain = sn.sum(some_logarithm(np.random.default_rng(seed), 0, 3) * np.array([1.0, -0.5, 2.0]))
    value, slope = sn.value_and_grad(plain, z)(z=data)
    for shift in np.random.default_rng(seed).choice(SHIFTS, 2, replace=False):
        shift = int(shift) if shift == int(shift) else float(shift)
        shifted = sn.sum(some_logarithm(np.random.default_rng(seed), shift, 3) * np.array([1.0, -0.5, 2.0]))
        far, same = sn.value_and_grad(shifted, z)(z=data)
        np.testing.assert_allclose(far - 2.5 * shift, value, rtol=0, atol=1e-14 * abs(shift) * 20)
        np.testing.assert_allclose(same, slope, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("mask", [-200, -1000.25, -1e30])
def test_a_blank_that_cannot_come_twice_keeps_the_slope_of_the_rest(mask: float, dtype: str) -> None:
    emissions = sn.tensor("e", 4, 5)
    between = np.array([mask, mask, 0.0, mask, mask])
    state = sn.concat([emissions[0, :2], sn.zeros(3) + mask])
    for t in range(1, 4):
        once = sn.concat([sn.zeros(1) + mask, state[:-1]])
        twice = sn.concat([sn.zeros(2) + mask, state[:-2]]) + between
        state = sn.logaddexp(sn.logaddexp(state, once), twice) + emissions[t]
    slope = sn.value_and_grad(sn.logaddexp(state[4], state[3]), emissions, dtype=dtype)
    shares = slope(e=np.random.default_rng(0).normal(size=(4, 5)).astype(dtype))[1]
    np.testing.assert_allclose(shares.sum(axis=1), np.ones(4), rtol=1e-5)  # how probable each state is at each time


@pytest.mark.parametrize("exponent", [sympy.Integer(-10000), sympy.Float(-12345.678, 17), sympy.Float("1e30", 17)])
@pytest.mark.parametrize("factor", [1, -3, sympy.Rational(2, 7)])
def test_a_number_is_taken_apart_into_what_it_was_made_of(exponent: sympy.Expr, factor: sympy.Expr) -> None:
    moderate, found = split_number(factor * sympy.exp(exponent))
    if factor == 1:
        assert (moderate, found) == (1, exponent)
        assert log_of_number(sympy.exp(exponent)) == exponent
    assert abs(float(found + sympy.log(abs(moderate)) - exponent - sympy.log(abs(factor)))) <= 1e-15 * abs(exponent)
    assert (moderate < 0) == (factor < 0)

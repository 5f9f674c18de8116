"""Numbers of too many digits: long powers are not worked out, and what float64 cannot hold is infinite."""

import numpy as np
import pytest
from sympy import Rational

import symnet as sn
from symnet.reference import evaluate

a, v, f = sn.scalar("a"), sn.tensor("v", 3), sn.tensor("f", 3, dtype="float32")
SEVEN, MANY = sn.constant(7), 10**9


@pytest.mark.parametrize(
    "node",
    [
        a * SEVEN ** sn.constant(Rational(MANY, 3)), a * SEVEN**MANY, a * 7 ** sn.constant(MANY + 1),
        a * sn.prod(sn.ones(MANY) * 7), a * sn.prod(sn.broadcast_to(SEVEN, (1000, 1000, 1000))),
        a * sn.constant(Rational(3, 7)) ** -MANY,
    ],
)  # fmt: skip
def test_a_power_of_too_many_digits_stays_a_power(node) -> None:
    assert sn.compile(node)(a=2.0) == np.inf == sn.compile(sn.grad(node, a))()


def test_vanishing_powers_are_zero() -> None:
    assert sn.compile(a * sn.constant(Rational(7, 3)) ** sn.constant(Rational(-MANY, 7)))(a=2.0) == 0.0
    assert sn.compile(a * SEVEN**-MANY)(a=2.0) == 0.0


@pytest.mark.parametrize("large", [10**308, 2**1024 - 2**970 - 1, 2**1024 - 2**970, 2**1024, 10**400, -(10**400)])
@pytest.mark.parametrize(
    "build",
    [
        lambda c: a + c, lambda c: v * c, lambda c: sn.minimum(v, c), lambda c: v < c, lambda c: v / c, lambda c: f * c,
        lambda c: sn.where(v > 0, c, v),
    ],
)  # fmt: skip
def test_whole_numbers_beyond_float64_are_infinite(build, large: int) -> None:
    node = build(large)
    data = {leaf.name: np.ones(leaf.shape, leaf.dtype) for leaf in sn.expr.symbols.leaves(node)}
    with np.errstate(over="ignore"):
        wanted = evaluate(node, data)
    np.testing.assert_allclose(sn.compile(node)(**data), wanted, rtol=1e-15)

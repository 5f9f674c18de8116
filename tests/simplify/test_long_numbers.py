"""Numbers of too many digits: long powers are not worked out, and what float64 cannot hold is infinite."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sympy
from sympy import Integer, Rational

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


LARGE, NEARLY = 7**2000, 7**1999
DATA = {"v": np.array([1.0, -2.5, 3.0]), "f": np.array([1.0, -2.5, 3.0], "float32"), "a": 0.75}
BROUGHT_BACK = {
    "multiplied and divided": (LARGE * v / NEARLY, lambda d: 7 * d["v"]),
    "divided and multiplied": (v / NEARLY * LARGE, lambda d: 7 * d["v"]),
    "negative": (-LARGE * v / NEARLY, lambda d: -7 * d["v"]),
    "by a fraction": (v * Integer(LARGE) * Rational(1, NEARLY), lambda d: 7 * d["v"]),
    "divided twice": ((v / Integer(LARGE)) / Rational(1, LARGE), lambda d: d["v"]),
    "below the line": (LARGE / (v / NEARLY) / Integer(7) ** 3999, lambda d: 1 / d["v"]),
    "around a sum": (sn.sum(LARGE * v) / NEARLY, lambda d: 7 * d["v"].sum()),
    "a sum": ((LARGE * v + LARGE) / NEARLY, lambda d: 7 * d["v"] + 7),
    "around a product of matrices": ((LARGE * sn.outer(v, v)) @ v / NEARLY, lambda d: 7 * d["v"] * (d["v"] @ d["v"])),
    "with a function": (sn.exp(v) * LARGE / NEARLY, lambda d: 7 * np.exp(d["v"])),
    "beside a scalar": (a * LARGE * v / NEARLY, lambda d: 7 * d["a"] * d["v"]),
    "beyond float32 alone": (2**200 * f / 2**199, lambda d: 2 * d["f"]),
    "beyond float32, divided first": (f / 2**199 * 2**200, lambda d: 2 * d["f"]),
}


@pytest.mark.parametrize("name", BROUGHT_BACK)
def test_a_number_out_of_range_meets_the_one_that_brings_it_back(name: str) -> None:
    """The value, the slopes, and the value as a summand: `inf/inf` was computed."""
    node, expected = BROUGHT_BACK[name]
    used = sn.expr.symbols.leaves(node)
    data = {leaf.name: DATA[leaf.name] for leaf in used}
    rtol = 1e-6 if f in used else 1e-14
    np.testing.assert_allclose(sn.compile(node)(**data), expected(data), rtol=rtol)
    np.testing.assert_allclose(sn.compile(node + 1)(**data), expected(data) + 1, rtol=rtol)
    (leaf,) = [u for u in used if u.rank][:1]
    slope = sn.compile(sn.grad(sn.sum(node), leaf))
    found = slope(**{n: x for n, x in data.items() if n in slope.inputs})
    step = np.array([1e-3, 0, 0], data[leaf.name].dtype)
    after, before = (np.sum(expected({**data, leaf.name: data[leaf.name] + s})) for s in (step, -step))
    np.testing.assert_allclose(found[0], (after - before) / 2e-3, rtol=1e-3)


@pytest.mark.parametrize("number", [10**310, Rational(1, 10**310), Rational(1, 10**320)])
def test_a_quotient_by_what_float64_can_nearly_hold_stays_one(number) -> None:
    """As the floats that the literals are: 10³¹⁰ is infinite, 10⁻³¹⁰ subnormal."""
    found = sn.compile([v / sn.constant(number), v * sn.constant(number)])(v=DATA["v"])
    with np.errstate(all="ignore"):
        rounded = np.float64(float(Rational(number)))
        expected = DATA["v"] / rounded, DATA["v"] * rounded
    for each, wanted in zip(found, expected, strict=True):
        np.testing.assert_array_equal(each, wanted)


@pytest.mark.parametrize("power", [1021, 1023, 1024, 1025, 1500, 2000])
@pytest.mark.parametrize(
    "build",
    [
        lambda n: sn.sqrt(Integer(2) ** n + 1), lambda n: sn.constant(2**n + 1) ** Rational(1, 3),
        lambda n: sn.sqrt(sn.constant(2**n) + sn.constant(1)), lambda n: sn.constant(2**n) ** -1 * 2**n,
        lambda n: 1 / sn.sqrt(sn.constant(Rational(2**n, 3))), lambda n: sn.sqrt(sn.constant(2**n) * 2**-n),
    ],
)  # fmt: skip
def test_a_root_of_a_constant_is_one_number_on_every_floor(build, power: int) -> None:
    node = build(power)
    wanted = float(sn.to_sympy(node))
    found = [sn.compile(v * node)(v=DATA["v"]), evaluate(v * node, {"v": DATA["v"]}), sn.compile(node + 0 * a)(a=1.0)]
    assert np.isfinite(wanted)
    np.testing.assert_allclose(found[2], wanted, rtol=1e-14)
    np.testing.assert_allclose(found[0], found[1], rtol=1e-13)  # 1/3 is rounded in NumPy


# Numbers whose exponents have more digits than can be written, as they are built and as SymPy's.
TOWERS = {
    n: functools.reduce(lambda x, _: sympy.exp(x, evaluate=False), range(n), sympy.Integer(1000)) for n in (1, 2, 3, 4)
}
USES: dict[str, tuple[Callable[[Any], Any], float]] = {
    "itself": (lambda t: t, np.inf),
    "reciprocal": (lambda t: 1 / t, 0.0),
    "exp": (lambda t: sn.exp(-t), 0.0),
    "cosh": (sn.cosh, np.inf),
    "tanh": (sn.tanh, 1.0),
    "erf": (sn.erf, 1.0),
    "sigmoid": (lambda t: sn.sigmoid(-t), 0.0),
    "softplus": (sn.softplus, np.inf),
    "atan": (sn.atan, np.pi / 2),
    "floor": (sn.floor, np.inf),
    "gamma": (sn.gamma, np.inf),
    "loggamma": (sn.loggamma, np.inf),
    "power": (lambda t: t**100, np.inf),
    "smaller": (lambda t: sn.minimum(t, 3), 3.0),
    "comparison": (lambda t: sn.where(t > 1, 2.0, 0.0), 2.0),
}


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("height", TOWERS)
def test_numbers_beyond_any_exponent_are_infinite(height: int, use: str) -> None:
    x = sn.tensor("x", 2)
    function, want = USES[use]
    built = functools.reduce(lambda t, _: sn.exp(t), range(height), sn.constant(1000))
    for tower in (built, sn.from_sympy(TOWERS[height])):
        y = function(tower) * x
        data = {"x": np.ones(2)}
        for got in (sn.compile(y)(**data), evaluate(y, data), sn.compile(sn.grad(sn.sum(y), x), inputs=[x])(**data)):
            np.testing.assert_allclose(got, [want, want], rtol=1e-15)

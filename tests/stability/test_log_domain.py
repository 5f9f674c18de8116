"""Logarithms and quotients of what vanishes or overflows, composed: terms × sums × contexts × extreme data.

Every composition is compared with its exact value (`exact.py`), and so is its gradient.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest

import symnet as sn
from symnet.diff import pullback
from symnet.expr.nodes.constants import number
from symnet.expr.nodes.node import Node
from tests.stability.exact import Exact, Oracle

x, y, z = (sn.scalar(name) for name in "xyz")
v, w, u = (sn.tensor(name, 4) for name in "vwu")
Z = sn.tensor("Z", 3, 4)
m = sn.dim("m")
Data = dict[str, Any]


def exact(root: Node, data: Data) -> Exact:
    """The value of a formula as written, in mpmath's numbers."""
    oracle = Oracle.__new__(Oracle)
    oracle.samples = m
    with mpmath.workprec(9000):
        numbers = {k: np.array([mpmath.mpf(float(e)) for e in np.ravel(a)], object) for k, a in data.items()}
        context = {name: array.reshape(np.shape(data[name])) for name, array in numbers.items()}
        return np.asarray(oracle._values(root, _Rows(context), {}), dtype=object)


class _Rows(dict[str, Any]):
    """Data whose first leaf may be of rank 0: the oracle asks for a count of rows that no formula here uses."""

    def values(self) -> Any:
        return [np.zeros(1)]

    def __getitem__(self, name: str) -> Any:
        return np.asarray(super().__getitem__(name), object)


def raw_gradient(root: Node, leaf: Node) -> Node:
    """The derivative of the sum as the rules give it, nothing simplified."""
    return pullback(sn.sum(root), number(1), [leaf])[leaf]


@functools.lru_cache(maxsize=64)
def compiled(root: Node, leaf: Node, dtype: str, second: bool) -> tuple[list[Node], Callable[..., Any]]:
    """A formula and its derivatives as the rules give them, and compiled, once for all the data they are tried at."""
    written, ours = [root, raw_gradient(root, leaf)], [root, sn.grad(sn.sum(root), leaf)]
    if second:
        written.append(raw_gradient(written[1], leaf))
        ours.append(sn.grad(sn.sum(ours[1]), leaf, absent="zero"))
    return written, sn.compile(ours, dtype=dtype)


def check(root: Node, leaf: Node, data: Data, dtype: str, second: bool = False, least: float = 1e-30) -> None:
    """Value and gradient: to some units in the last place of the largest exponent that is met.

    What lies below `least` is compared as if it were that.
    """
    given = {k: np.asarray(a, dtype) for k, a in data.items()}
    size = max(1.0, *(float(np.abs(a)[np.isfinite(a)].max()) for a in given.values()))
    written, f = compiled(root, leaf, dtype, second)
    with np.errstate(all="ignore"):
        results = f(**{k: a for k, a in given.items() if k in f.inputs})
    eps, limit = float(np.finfo(dtype).eps), float(np.finfo(dtype).max)
    for order, (got, raw) in enumerate(zip(results, written, strict=True)):
        wanted = np.broadcast_to(exact(raw, given), np.shape(got))
        for g, e in zip(np.ravel(got), wanted.ravel(), strict=True):
            if abs(e) > limit:
                assert np.isinf(g) and g * float(np.sign(float(e))) > 0, (order, g, e, root, dtype, data)
            else:
                bound = 16 * eps * size * max(abs(float(e)), 1.0 if order else least)
                assert abs(float(g) - float(e)) <= bound, (order, g, float(e), root, dtype, data)


# --------------------------------------------------------------------------- sums of exponentials of rank 0

SCALARS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "two": lambda a, b, c: sn.exp(a) + sn.exp(b),
    "three": lambda a, b, c: sn.exp(a) + sn.exp(b) + sn.exp(c),
    "weighted": lambda a, b, c: 3 * sn.exp(a) + sn.exp(b) / 7 + sn.exp(c),
    "beside a number": lambda a, b, c: 5 + sn.exp(a) + sn.exp(-b),
    "scaled arguments": lambda a, b, c: sn.exp(2 * a) + sn.exp(b / 2 + c / 2),
    "nested": lambda a, b, c: sn.exp(sn.log(sn.exp(a) + sn.exp(b))) + sn.exp(c),
    "products": lambda a, b, c: sn.exp(a) * sn.exp(b) + sn.exp(c),
    "logistic functions": lambda a, b, c: sn.sigmoid(a) + sn.sigmoid(b) / 3,
    "mixed": lambda a, b, c: sn.sigmoid(a) * sn.exp(b) + sn.exp(c),
    "one of them": lambda a, b, c: sn.sigmoid(a) * sn.sigmoid(b) * sn.sigmoid(c),
    "complements": lambda a, b, c: (1 - sn.sigmoid(a)) * sn.exp(b),
}
LEAVES: dict[str, Callable[[], tuple[list[Any], Node, Callable[[Any], Data]]]] = {
    "rank 0": lambda: ([x, y, z], x, lambda p: dict(zip("xyz", p, strict=True))),
    "elements": lambda: ([v[0], v[2], v[3]], v, lambda p: {"v": [p[0], 1, p[1], p[2]]}),
    "an array and elements": lambda: (
        [v, w[0], x],
        v,
        lambda p: {"v": [p[0], 0, *p[1:]], "w": [p[1], 0, 0, 0], "x": p[2]},
    ),
    "moved": lambda: (
        [v[::-1], w, u.reshape(2, 2).T.reshape(4)],
        v,
        lambda p: {"v": [*p, 0], "w": [0, *p], "u": [*p, 1]},
    ),
}
POINTS = [
    (0.3, -0.7, 1.1),
    (1000, 999, 998),
    (-1000, -999, -1001.5),
    (800, -800, 0),
    (-900, -800, -900),
    (80, 1200, -1200),
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("leaves", LEAVES)
@pytest.mark.parametrize("name", SCALARS)
def test_the_logarithm_of_a_sum_of_exponentials_is_finite_at_any_rank(name: str, leaves: str, dtype: str) -> None:
    arguments, leaf, data = LEAVES[leaves]()
    for point in POINTS:
        check(sn.log(SCALARS[name](*arguments)), leaf, data(point), dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("c", [1, 2, 0.5, 1e-3, 1e6, y, y**2 + 1])
@pytest.mark.parametrize("sign", [1, -1])
def test_the_slope_of_a_reciprocal_is_0_far_out_whatever_is_added(c: Any, sign: int, dtype: str) -> None:
    for value in (0.5, 30, 100, 800, -800, 1e5, -1e5):
        check(
            1 / (c + sn.exp(sign * x)),
            x,
            {"x": value, **({"y": 2.5} if c is y or not isinstance(c, float | int) else {})},
            dtype,
            True,
        )


# --------------------------------------------------------------------------- movement, selection, some classes

ROW = [[800.0, 0, 1, -3], [0.5, -1, 2, 0], [-900, 900, 899, 0]]
MOVED: dict[str, Any] = {
    "transposed": sn.log(1 - sn.sigmoid(Z).T),
    "reshaped": sn.log(sn.sigmoid(Z).reshape(12)),
    "a slice": sn.log(1 - sn.sigmoid(Z)[1:, ::2]),
    "an element": sn.log(1 - sn.sigmoid(Z)[0, 0]),
    "joined": sn.log(sn.concat([sn.sigmoid(Z), 1 - sn.sigmoid(Z)])),
    "stacked": sn.log(1 - sn.stack([sn.sigmoid(Z), sn.sigmoid(-2 * Z)])),
    "both ways": sn.log(sn.sigmoid(Z)[:3, :3].T * sn.sigmoid(Z)[:, :3]),
    "a class": sn.log(sn.softmax(Z)[:, 1]),
    "a class, reshaped": sn.log(sn.softmax(Z)[:, 1:3].reshape(6)),
    "turned classes": sn.log(sn.softmax(Z).T),
    "two classes": sn.log(sn.softmax(Z)[:, 0] + sn.softmax(Z)[:, 3]),
    "some classes": sn.log(sn.sum(sn.softmax(Z)[:, :2], axis=1)),
    "all but one": sn.log(1 - sn.softmax(Z)[:, 0]),
    "all but two": sn.log(1 - sn.softmax(Z)[:, 1] - sn.softmax(Z)[:, 2]),
    "the product": sn.log(sn.prod(sn.softmax(Z), axis=1)),
    "the least": sn.log(sn.min(sn.softmax(Z), axis=1)),
    "the larger": sn.log(sn.maximum(sn.sigmoid(Z), sn.sigmoid(Z - 1))),
    "weighted": sn.log(sn.softmax(Z) * sn.tensor("P", 3, 4, positive=True)),
    "a mixture": sn.log(sn.sum(sn.tensor("q", 3)[:, None] * sn.sigmoid(Z), axis=0)),
    "running": sn.log(sn.cumsum(sn.exp(Z), axis=1)),
    "running from the end": sn.log(sn.cumsum(sn.exp(Z)[:, ::-1], axis=1)[:, ::-1]),
    "products so far": sn.log(sn.cumprod(sn.sigmoid(Z), axis=1)),
    "a broken stick": sn.log(sn.sigmoid(Z) * sn.cumprod(1 - sn.sigmoid(Z), axis=1, exclusive=True)),
    "logistic differences": sn.log(sn.sigmoid(Z + 1) - sn.sigmoid(Z - 1)),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", MOVED)
def test_a_logarithm_meets_what_it_cancels_wherever_that_was_moved(name: str, dtype: str) -> None:
    check(MOVED[name], Z, {"Z": ROW, "P": np.full((3, 4), 0.25), "q": [0.5, 0.25, 0.25]}, dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_tail_of_the_normal_distribution_has_its_logarithm(dtype: str) -> None:
    for spelled in (sn.log(sn.erfc(-v / sn.sqrt(2)) / 2), sn.log((1 + sn.erf(v / sn.sqrt(2))) / 2), sn.log(sn.erfc(v))):
        for point in ([-40.0, -9, -6, 0.5], [3, 8, 0, -1], [-60, 5, -20, -3]):
            check(spelled, v, {"v": point}, dtype)


# --------------------------------------------------------------------------- labels of 0, domains, powers

D = {"Z": [[0, 0, -np.inf, -np.inf]] * 3, "P": [[0.5, 0.5, 0, 0]] * 3}
P = sn.tensor("P", 3, 4, simplex=True)


@pytest.mark.parametrize(
    "loss",
    [
        sn.mean(sn.cross_entropy(sn.softmax(Z), P)),
        sn.mean(sn.cross_entropy(Z, P, from_logits=True)),
        -sn.sum(P * sn.log(sn.softmax(Z))) / 3,
        -sn.sum(P * sn.log_softmax(Z)) / 3,
        sn.mean(sn.logsumexp(Z, axis=1) - sn.sum(P * Z, axis=1)),
        -sn.sum(sn.xlogy(P, sn.softmax(Z))) / 3,
        -sn.mean(sn.einsum("ij,ij->i", P, Z - sn.logsumexp(Z, axis=1, keepdims=True))),
        -sn.sum(P * sn.log(sn.exp(Z) / sn.sum(sn.exp(Z), axis=1, keepdims=True))) / 3,
        sn.mean(sn.kl_div(sn.softmax(Z), P)) + np.log(2),
    ],
)
def test_a_class_without_label_may_be_excluded_by_its_logit(loss: Any) -> None:
    value, slope = sn.value_and_grad(loss, Z)(**{k: np.array(a) for k, a in D.items()})
    assert value == pytest.approx(np.log(2), rel=1e-15)
    assert np.array_equal(slope, np.zeros((3, 4)))


@pytest.mark.parametrize(("a", "b"), list(itertools.product([-np.inf, -3.0, 0.0, 2.0, np.inf], repeat=2)))
def test_the_logarithm_of_a_difference_holds_where_the_difference_does(a: float, b: float) -> None:
    with np.errstate(all="ignore"):
        plain = np.log(np.exp(a) - np.exp(b)), np.log(1 / (1 + np.exp(-a)) - 1 / (1 + np.exp(-b)))
        ours = sn.compile([sn.log(sn.exp(x) - sn.exp(y)), sn.log(sn.sigmoid(x) - sn.sigmoid(y))])(x=a, y=b)
    for got, wanted in zip(ours, plain, strict=True):
        if not np.isnan(wanted):
            assert got == pytest.approx(wanted, rel=1e-12)


CHAINS: dict[str, Callable[[Any], Any]] = {
    "halved square": lambda t: sn.sin(t) + t * t / 2,
    "cube of a third": lambda t: (t / 3 + 1 / (t * t + 2)) ** 3,
    "square of a sum": lambda t: (2 * t + sn.cos(t)) ** 2 / 9,
    "times seven": lambda t: 7 * (sn.sin(t) / 7 + t / 9),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("depth", [1, 5, 10])
@pytest.mark.parametrize("name", CHAINS)
def test_the_numbers_of_a_chain_stay_small(name: str, depth: int, dtype: str) -> None:
    value, slope = np.float64(0.3), np.float64(1)
    step, chain = CHAINS[name], x
    f = sn.value_and_grad(step(x), x)
    for _ in range(depth):
        value, factor = f(x=value)
        slope = slope * factor
        chain = step(chain)
    got, got_slope = sn.value_and_grad(chain, x, dtype=dtype)(x=np.asarray(0.3, dtype))
    tolerance = 1e3 * depth * float(np.finfo(dtype).eps)
    assert got == pytest.approx(value, rel=tolerance) and got_slope == pytest.approx(
        slope, rel=tolerance, abs=tolerance
    )


def test_numbers_that_only_together_stay_in_range_are_not_multiplied() -> None:
    assert sn.compile((x * 1e200) * 1e200)(x=1e-300) == pytest.approx(1e100)
    assert sn.compile((1e10 * x) ** 40)(x=1e-10) == pytest.approx(1)
    tripled = x
    for _ in range(700):
        tripled = tripled * 3
    assert sn.compile(tripled)(x=1e-300) == pytest.approx(float(mpmath.mpf(3) ** 700 * mpmath.mpf("1e-300")))


BASES: dict[str, tuple[Any, Callable[[float], float]]] = {
    "a product": (x * y, lambda large: 1 / large),
    "a quotient": (x / y, lambda large: large),
    "with a number": (3 * x * y, lambda large: 1 / large),
    "of three": (x * y * z, lambda large: 1 / large),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("power", [5, 12, 40, -7, 8.5])
@pytest.mark.parametrize("name", BASES)
def test_factors_under_a_high_power_stay_together(name: str, power: float, dtype: str) -> None:
    large = 1e30 if dtype == "float32" else 1e200
    base, other = BASES[name]
    given = {"x": np.asarray(large, dtype), "y": np.asarray(other(large), dtype), "z": np.asarray(1, dtype)}
    given = {k: v for k, v in given.items() if k in str(base)}
    inner = float(exact(base, given))
    value, slope = sn.value_and_grad(base**power, x, dtype=dtype)(**given)
    rel = 1e3 * float(np.finfo(dtype).eps)
    tiny = float(np.finfo(dtype).tiny)
    assert value == pytest.approx(inner**power, rel=rel)
    assert slope == pytest.approx(power * inner**power / float(given["x"]), rel=rel, abs=tiny)


def test_a_product_under_a_power_that_is_no_finite_number_is_left_to_the_power() -> None:
    for power in (np.nan, np.inf, -np.inf):
        with np.errstate(all="ignore"):
            assert np.array_equal(sn.compile((x * y) ** power)(x=2.0, y=1.5), np.float64(3) ** power, equal_nan=True)

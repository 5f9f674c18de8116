"""Norms, distances and angles of numbers near the ends of the range: the values at an ordinary size, scaled."""

from __future__ import annotations

import itertools
from typing import Any

import mpmath
import numpy as np
import pytest
from sympy import Rational

import symnet as sn

n = sn.dim("n")
x, y = sn.tensor("x", 4), sn.tensor("y", 4)
V, S = sn.tensor("V", n, 4), sn.tensor("S", 3, 4)
a, b = sn.scalar("a"), sn.scalar("b")
POINT = {
    "x": np.array([1.0, -2, 2, 4]),
    "y": np.array([3.0, 1, 0.5, 0]),
    "V": np.array([[1.0, -2, 2, 4], [0, 0, 0, 0], [3, 4, 0, 0]]),
    "S": np.array([[2.0, -1, 2, 4], [1, 0, 0, 0], [3, 4, 0, 1]]),
    "a": np.array(0.75),
    "b": np.array(-2.0),
}
# name → formula, its variables, the power of the scale that the value has, that of the slopes being one less
HOMOGENEOUS: dict[str, tuple[Any, list[Any], int]] = {
    "norm": (sn.norm(x), [x], 1),
    "a difference": (sn.norm(x - y), [x, y], 1),
    "of rows": (sn.sum(sn.norm(V, axis=1)), [V], 1),
    "of rows, kept": (sn.sum(sn.norm(S, axis=1, keepdims=True)), [S], 1),
    "of columns": (sn.sum(sn.norm(S, axis=0)), [S], 1),
    "of a matrix": (sn.norm(V), [V], 1),
    "dot": (sn.sqrt(x @ x), [x], 1),
    "hypotenuse": (sn.sum(sn.sqrt(x**2 + y**2)), [x, y], 1),
    "hypotenuse of scalars": (sn.sqrt(a * a + b * b), [a, b], 1),
    "root mean square": (sn.sqrt(sn.mean(x**2)), [x], 1),
    "order 3": (sn.norm(x, ord=3), [x], 1),
    "order 3/2": (sn.norm(x, ord=1.5), [x], 1),
    "order 4": (sn.norm(x, ord=4), [x], 1),
    "of a moved array": (sn.norm(sn.concat([x, y]).reshape(2, 4).T), [x, y], 1),
    "order 3 by hand": (sn.sum(abs(x) ** 3) ** (1 / 3), [x], 1),
    "deviation": (sn.sqrt(sn.mean((x - sn.mean(x)) ** 2)), [x], 1),
    "directions of rows": (sn.sum(V / (sn.norm(V, axis=1, keepdims=True)) * np.arange(4.0)), [V], 0),
    "by its mean square": (sn.sum(S / sn.sqrt(sn.mean(S**2, axis=1, keepdims=True)) * np.arange(4.0)), [S], 0),
    "direction": (sn.sum(x / sn.norm(x) * np.arange(4.0)), [x], 0),
    "angle": (sn.atan2(a, b), [a, b], 0),
    "angles": (sn.sum(sn.atan2(x, y)), [x, y], 0),
    "of squares that are moved": (sn.sum(sn.sqrt((x**2 + y**2)[1:])), [x, y], 1),
    "of squares that are turned": (sn.sum(sn.sqrt(sn.reshape(x**2 + y**2, 2, 2).T[::-1])), [x, y], 1),
    "of squares that are joined": (sn.sum(sn.sqrt(sn.concat([x**2 + y**2, y[2:] ** 2 + x[2:] ** 2]))), [x, y], 1),
}
# name → formula, and the powers that its value has of the scales of x and of y (of a and of b)
OF_PRODUCTS: dict[str, tuple[Any, int, int]] = {
    "norm of products": (sn.norm(x * y), 1, 1),
    "norm of quotients": (sn.norm(x / (1 + y**2) * 4), 1, 0),
    "norm of quotients by squares": (sn.norm(y / x**2), -2, 1),
    "norm of squares": (sn.norm(x**2), 2, 0),
    "norm of cubes": (sn.norm(x**3 * y), 3, 1),
    "norm of reciprocals": (sn.norm(1 / x), -1, 0),
    "of rows": (sn.sum(sn.norm(S * x, axis=1)), 1, 0),
    "hypotenuse of products": (sn.sum(sn.sqrt((x * y) ** 2 + 3 * (x * (1 + y)) ** 2)), 1, 0),
    "hypotenuse of scalars": (sn.sqrt((a * b) ** 2 + (a / 4) ** 2 * b**2), 1, 1),
    "root of fourth powers": (sn.sqrt(a**4 + (a * a) ** 2), 2, 0),
    "reciprocal": (1 / sn.norm(x * y), -1, -1),
    "logarithm": (sn.log(sn.sum((x * y) ** 2)), 0, 0),
}
EXPONENTS = {"float64": (-1000, -700, -520, 510, 700, 1000), "float32": (-120, -85, -64, 62, 85, 120)}
SIZES = {dtype: [2.0**k for k in powers] for dtype, powers in EXPONENTS.items()}


@pytest.mark.parametrize("dtype", SIZES)
@pytest.mark.parametrize("name", HOMOGENEOUS)
def test_a_norm_of_any_size_is_that_of_an_ordinary_size_scaled(name: str, dtype: str) -> None:
    L, leaves, degree = HOMOGENEOUS[name]
    f = sn.value_and_grad(L, leaves, dtype=dtype)
    ordinary = f(**{k: POINT[k].astype(dtype) for k in f.inputs})
    for size in SIZES[dtype]:
        value, slopes = f(**{k: (POINT[k] * size).astype(dtype) for k in f.inputs})
        eps = float(np.finfo(dtype).eps)
        np.testing.assert_allclose(value, np.float64(ordinary[0]) * size**degree, rtol=8 * eps)
        for slope, usual in zip(slopes, ordinary[1], strict=True):
            if degree == 1:
                np.testing.assert_allclose(slope, usual, rtol=8 * eps)
            elif size > 1e-300:
                np.testing.assert_allclose(np.float64(slope) * size, usual, rtol=8 * eps, atol=8 * eps)


@pytest.mark.parametrize("dtype", SIZES)
@pytest.mark.parametrize("name", OF_PRODUCTS)
def test_a_norm_of_products_of_any_size_is_that_of_an_ordinary_size_scaled(name: str, dtype: str) -> None:
    """Powers of two as scales change no digit; those are tried with which the value is an ordinary number, or none."""
    L, of_x, of_y = OF_PRODUCTS[name]
    f = sn.compile(L, dtype=dtype)
    eps, widest = np.finfo(dtype).eps, EXPONENTS[dtype][-1]
    point = {k: np.where(POINT[k] == 0, 0.25, POINT[k]) for k in f.inputs}
    ordinary = f(**{k: v.astype(dtype) for k, v in point.items()})
    tried = 0
    exponents = EXPONENTS[dtype]
    for p, q in itertools.product(exponents, exponents if of_y or name == "logarithm" else [0]):
        p = p // abs(of_x) if of_x and not of_y else p
        power = p * of_x + q * of_y
        if abs(power) > widest or (not of_x and abs(p + q) > widest):
            continue
        powers = {"x": p, "a": p, "y": q, "b": q, "S": 0}
        value = f(**{k: np.ldexp(v, powers[k]).astype(dtype) for k, v in point.items()})
        shift = 2 * (p + q) * np.log(2) if name == "logarithm" else 0.0
        np.testing.assert_allclose(value, np.ldexp(np.float64(ordinary), power) + shift, rtol=16 * eps)
        tried += 1
    assert tried > 2


@pytest.mark.parametrize("dtype", SIZES)
@pytest.mark.parametrize("name", ["norm", "a difference", "dot"])
def test_second_derivatives_are_scaled_so_too(name: str, dtype: str) -> None:
    L, (leaf, *_), _ = HOMOGENEOUS[name]
    f = sn.compile(sn.hvp(L, leaf, np.ones(4)), dtype=dtype)
    eps = float(np.finfo(dtype).eps)
    usual = f(**{k: POINT[k].astype(dtype) for k in f.inputs})
    for size in SIZES[dtype]:
        got = f(**{k: (POINT[k] * size).astype(dtype) for k in f.inputs})
        np.testing.assert_allclose(np.float64(got) * size, usual, rtol=30 * eps, atol=30 * eps)


def test_in_the_middle_of_the_range_not_a_bit_changes() -> None:
    point = np.random.default_rng(0).normal(size=4)
    assert sn.compile(sn.norm(x))(x=point) == sn.compile(sn.sum(x**2))(x=point) ** 0.5


@pytest.mark.parametrize("dtype", SIZES)
def test_infinite_and_nan_elements_stay_what_they_are(dtype: str) -> None:
    f = sn.compile(sn.norm(x), dtype=dtype)
    assert f(x=np.array([1, np.inf, 0, -2], dtype)) == np.inf
    assert np.isnan(f(x=np.array([1, np.nan, 0, -2], dtype)))
    assert f(x=np.zeros(4, dtype)) == 0


def test_the_slope_of_arsinh_does_not_vanish_before_its_time() -> None:
    slope = sn.value_and_grad(sn.asinh(a), a)(a=1e200)[1]
    assert slope == pytest.approx(1e-200, rel=1e-15)


# g^i·x^j/(x² + c)^(n/2), c = 1 or g², and how what is divided and the sum of squares are moved
POWERS = [
    (0, 1, 4, 1),
    (1, 2, 4, 1),
    (1, 2, 3, 1),
    (2, 1, 2, 1),
    (1, 3, 4, 1),
    (0, 4, 6, 1),
    (1, 2, 5, 0),
    (2, 3, 8, 0),
]
PLACES: dict[str, Any] = {
    "as it is": lambda u: u,
    "backwards": lambda u: u[::-1],
    "turned": lambda u: sn.reshape(u, -1, 1).T[0],
}


@pytest.mark.parametrize("dtype", SIZES)
@pytest.mark.parametrize("place", PLACES)
def test_quotients_by_squares_are_right_where_the_squares_leave_the_range(place: str, dtype: str) -> None:
    move, g, z = PLACES[place], sn.tensor("g", n), sn.tensor("z", n)
    sums = {c: move(z**2 + (1 if c else g**2)) for c in (0, 1)}
    quotients = [move(g**i) * move(z) ** j * sums[c] ** Rational(-k, 2) for i, j, k, c in POWERS]
    info = np.finfo(dtype)
    sizes = (1.37 * 2.0 ** np.arange(-info.maxexp // 2 + 2, info.maxexp // 2 - 1, info.maxexp // 37)).astype(dtype)
    for beside in (np.full_like(sizes, 1.7), 0.6 * sizes):
        got = sn.compile(quotients, dtype=dtype)(g=beside, z=sizes)
        for (i, j, k, c), values in zip(POWERS, got, strict=True):
            for value, u, v in zip(values[::-1] if place == "backwards" else values, beside, sizes, strict=True):
                u, v = mpmath.mpf(float(u)), mpmath.mpf(float(v))
                exact = u**i * v**j / mpmath.sqrt(v**2 + (1 if c else u**2)) ** k
                if info.tiny * 1e4 < exact < info.max:
                    assert abs(float(value) / exact - 1) < 8 * info.eps, (i, j, k, c, u, v)


# what has nothing to do with x beside powers of 1 + x²: formulas of weights g and h, ordinary ones and large ones
WEIGHTED: dict[str, Any] = {
    "two weights": lambda g, h, x: g * h / (1 + x**2),
    "three weights": lambda g, h, x: g * h * sn.tanh(h) / (1 + x**2),
    "a square": lambda g, h, x: g**2 / (1 + x**2),
    "a square of a product": lambda g, h, x: (g * h) ** 2 / (1 + x**2) ** 2,
    "another quotient": lambda g, h, x: g * h**2 / (1 + x**2) / (1 + h**2),
    "curvature of log(1 + x²)": lambda g, h, x: _curvature(g * sn.log(1 + x * x), x),
    "curvature of the joined": lambda g, h, x: _curvature(sn.concat([g, h]) * sn.log(1 + sn.concat([x, x]) ** 2), x),
    "curvature of the taken": lambda g, h, x: _curvature(g * sn.log(1 + sn.take(x, order) ** 2), x),
    "curvature of the largest": lambda g, h, x: _curvature(g * sn.max(sn.stack([sn.log(1 + x * x)] * 2), axis=0), x),
    "curvature of arctan": lambda g, h, x: _curvature(g * h * sn.atan(x), x),
    "curvature of x/(1 + x²)": lambda g, h, x: _curvature(g * x / (1 + x**2), x),
}
order = sn.tensor("order", n, dtype="int64")


EXACT: dict[str, Any] = {
    "two weights": lambda g, h, x: g * h / (1 + x**2),
    "three weights": lambda g, h, x: g * h * mpmath.tanh(h) / (1 + x**2),
    "a square": lambda g, h, x: g**2 / (1 + x**2),
    "a square of a product": lambda g, h, x: (g * h) ** 2 / (1 + x**2) ** 2,
    "another quotient": lambda g, h, x: g * h**2 / (1 + x**2) / (1 + h**2),
    "curvature of log(1 + x²)": lambda g, h, x: 2 * g * (1 - x**2) / (1 + x**2) ** 2,
    "curvature of the joined": lambda g, h, x: 2 * (g + h) * (1 - x**2) / (1 + x**2) ** 2,
    "curvature of the taken": lambda g, h, x: 2 * g * (1 - x**2) / (1 + x**2) ** 2,
    "curvature of the largest": lambda g, h, x: 2 * g * (1 - x**2) / (1 + x**2) ** 2,
    "curvature of arctan": lambda g, h, x: -2 * g * h * x / (1 + x**2) ** 2,
    "curvature of x/(1 + x²)": lambda g, h, x: 2 * g * x * (x**2 - 3) / (1 + x**2) ** 3,
}


def _curvature(f: Any, x: Any) -> Any:
    return sn.grad(sn.sum(sn.grad(sn.sum(f), x)), x)


@pytest.mark.parametrize("dtype", SIZES)
@pytest.mark.parametrize("name", WEIGHTED)
def test_weights_beside_a_quotient_by_squares_are_not_scaled_away(name: str, dtype: str) -> None:
    g, h, z = (sn.tensor(k, n) for k in "ghz")
    formula = WEIGHTED[name](g, h, z)
    info = np.finfo(dtype)
    sizes = (1.37 * 2.0 ** np.arange(-20, info.maxexp // 2 - 1, info.maxexp // 61)).astype(dtype)
    backwards = np.arange(len(sizes))[::-1].copy()
    f = sn.compile(formula, dtype=dtype)
    for one, other in ((1.0, 1.0), (1.7, 1e-3), (1e-3, 300.0)):
        data = {"g": np.full_like(sizes, one), "h": np.full_like(sizes, other), "z": sizes, "order": backwards}
        got = f(**{k: data[k] for k in f.inputs})
        for value, v in zip(got, sizes, strict=True):
            exact = EXACT[name](mpmath.mpf(float(data["g"][0])), mpmath.mpf(float(data["h"][0])), mpmath.mpf(float(v)))
            if info.tiny * 1e4 < abs(exact) < info.max:
                assert abs(float(value) / exact - 1) < 8 * info.eps * (1 + v * v) / abs(1 - v * v), (one, other, v)


# products of powers that are ordinary numbers where a factor by itself is not: of u = a·r and v = b/r
PRODUCTS: dict[str, Any] = {
    "a square": lambda u, v: (u * v) ** 2,
    "squares": lambda u, v: u**2 * v**2,
    "a product by itself": lambda u, v: (u * v) * (u * v),
    "a square beside one": lambda u, v: u * (u * v * v),
    "of a quotient": lambda u, v: (u / (1 / v)) ** 2,
    "a reciprocal": lambda u, v: 1 / (u * v) ** 2,
    "a cube": lambda u, v: (u * v) ** 3,
    "inside a function": lambda u, v: sn.tanh((u * v) ** 2),
    "with a sign": lambda u, v: -3 * (u * v) ** 2 + u * v,
}


@pytest.mark.parametrize("dtype", SIZES)
@pytest.mark.parametrize("name", PRODUCTS)
@pytest.mark.parametrize("leaves", [(a, b), (x, y)], ids=["scalars", "arrays"])
def test_products_of_powers_hold_where_one_factor_is_huge_and_one_tiny(leaves: Any, name: str, dtype: str) -> None:
    u, v = leaves
    f = sn.value_and_grad(sn.sum(PRODUCTS[name](u, v)), [u, v], dtype=dtype)
    point = {leaf.name: np.abs(POINT[leaf.name]) + 0.5 for leaf in leaves}
    usual, (by_u, by_v) = f(**{k: value.astype(dtype) for k, value in point.items()})
    for size in SIZES[dtype][1:-1]:
        near = {u.name: (point[u.name] * size).astype(dtype), v.name: (point[v.name] / size).astype(dtype)}
        value, (slope_u, slope_v) = f(**near)
        eps = float(np.finfo(dtype).eps)
        np.testing.assert_allclose(value, usual, rtol=30 * eps)
        np.testing.assert_allclose(np.float64(slope_u) * size, by_u, rtol=50 * eps)
        np.testing.assert_allclose(np.float64(slope_v) / size, by_v, rtol=50 * eps)


@pytest.mark.parametrize("power", [-7, -3, 3, 5, 8])
@pytest.mark.parametrize("size", [-600.0, -400, 400, 600])
def test_a_power_of_a_product_with_an_exponential_has_finite_slopes(power: int, size: float) -> None:
    f = sn.value_and_grad((a * sn.exp(b)) ** power, [a, b])
    value, (by_a, by_b) = f(a=np.exp(-size), b=size)
    np.testing.assert_allclose([value, by_a * np.exp(-size), by_b], [1, power, power], rtol=1e-12)


@pytest.mark.parametrize("dtype", SIZES)
@pytest.mark.parametrize(
    "L", [x @ y / (sn.norm(x) * sn.norm(y)), (x / sn.norm(x)) @ (y / sn.norm(y))], ids=["whole", "by units"]
)
def test_the_cosine_of_vectors_of_any_length(L: Any, dtype: str) -> None:
    f = sn.compile(L, dtype=dtype)
    for size in (1.0, *SIZES[dtype][1:-1]):
        for other in (1.0, size, 1 / size):
            got = f(x=(POINT["x"] * size).astype(dtype), y=(POINT["y"] * other).astype(dtype))
            np.testing.assert_allclose(got, 2 / np.sqrt(25 * 10.25), rtol=1e-5 if dtype == "float32" else 1e-14)


@pytest.mark.parametrize("dtype", SIZES)
def test_the_logarithm_of_a_sum_of_squares_and_its_slope(dtype: str) -> None:
    for L, leaf in ((sn.log(sn.sum(x**2)), x), (sn.log(x @ x), x)):
        f = sn.value_and_grad(L, leaf, dtype=dtype)
        usual, slope = f(x=POINT["x"].astype(dtype))
        count = slope @ POINT["x"] / 2
        for size in SIZES[dtype][1:-1]:
            value, tiny = f(x=(POINT["x"] * size).astype(dtype))
            np.testing.assert_allclose(value, usual + 2 * count * np.log(size), rtol=1e-5)
            np.testing.assert_allclose(np.float64(tiny) * size, slope, rtol=1e-5)


# quotients by c + x², of one value each, all compiled together: what divides in one of them divides in the others too
SHIFTED: dict[str, Any] = {
    "of a weight": lambda g, x: g / (1 + x**2),
    "of itself": lambda g, x: x / (1 + x**2),
    "of its square": lambda g, x: x**2 / (1 + x**2),
    "of a square": lambda g, x: g * (g / (1 + x**2)),
    "twice": lambda g, x: g * x / (1 + x**2) ** 2,
    "twice, of a power": lambda g, x: x**3 / (1 + x**2) ** 2,
    "three times": lambda g, x: g * x**2 / (1 + x**2) ** 3,
    "another number": lambda g, x: g * x / (3 + x**2 / 4),
    "of a quotient": lambda g, x: g / (2 + (g / (1 + x**2)) ** 2),
    "with nothing above": lambda g, x: 1 / (1 + x**2) + g,
}


@pytest.mark.parametrize("dtype", SIZES)
def test_quotients_by_a_number_and_a_square_are_right_in_the_whole_range(dtype: str) -> None:
    g, z, info = sn.tensor("g", n), sn.tensor("z", n), np.finfo(dtype)
    f = sn.compile([formula(g, z) for formula in SHIFTED.values()], dtype=dtype)
    sizes = (1.37 * 2.0 ** np.arange(info.minexp, info.maxexp, info.maxexp // 37)).astype(dtype)
    for beside in (np.full_like(sizes, 1.7), np.full_like(sizes, info.max / 3), sizes):
        for (name, formula), values in zip(SHIFTED.items(), f(g=beside, z=sizes), strict=True):
            for value, u, v in zip(values, beside, sizes, strict=True):
                exact = formula(mpmath.mpf(float(u)), mpmath.mpf(float(v)))
                if info.tiny * 64 < exact < info.max:
                    assert abs(float(value) / exact - 1) < 10 * info.eps, (name, u, v)


# slopes that are printed over one denominator, which overflows where they are ordinary small numbers: f, its derivative
# by x as a formula that holds everywhere, and how many times it is differentiated
OVER_ONE: dict[str, Any] = {
    "a number below": (lambda g, x: x / (1 + x**2), lambda g, x: (1 - x**2) / (1 + x**2) ** 2, 1),
    "twice": (lambda g, x: x / (1 + x**2), lambda g, x: 2 * x * (x**2 - 3) / (1 + x**2) ** 3, 2),
    "three times": (lambda g, x: x / (1 + x**2), lambda g, x: -6 * (x**4 - 6 * x**2 + 1) / (1 + x**2) ** 4, 3),
    "another number": (lambda g, x: x / (3 + x**2 / 4), lambda g, x: 4 * (12 - x**2) / (12 + x**2) ** 2, 1),
    "a weight": (lambda g, x: g * x / (1 + x**2), lambda g, x: g * (1 - x**2) / (1 + x**2) ** 2, 1),
    "a unit vector": (lambda g, x: x / _root(g**2 + x**2), lambda g, x: g**2 / _root(g**2 + x**2) ** 3, 1),
    "two squares": (lambda g, x: x / (g**2 + x**2), lambda g, x: (g**2 - x**2) / (g**2 + x**2) ** 2, 1),
    "three terms": (lambda g, x: x / (1 + g**2 + x**2), lambda g, x: (1 + g**2 - x**2) / (1 + g**2 + x**2) ** 2, 1),
    "a size": (lambda g, x: x / (1 + abs(x)), lambda g, x: 1 / (1 + abs(x)) ** 2, 1),
    "a variable": (lambda g, x: x / (g + x), lambda g, x: g / (g + x) ** 2, 1),
}


def _root(S: Any) -> Any:
    return mpmath.sqrt(S) if isinstance(S, mpmath.mpf) else sn.sqrt(S)


@pytest.mark.parametrize("dtype", SIZES)
@pytest.mark.parametrize("name", OVER_ONE)
def test_what_is_printed_over_one_denominator_is_right_in_the_whole_range(name: str, dtype: str) -> None:
    g, z, info = sn.tensor("g", n), sn.tensor("z", n), np.finfo(dtype)
    formula, exact_slope, times = OVER_ONE[name]
    f = formula(g, z)
    for _ in range(times):
        f = sn.grad(sn.sum(f), z)
    compiled = sn.compile(f, dtype=dtype)
    sizes = (1.37 * 2.0 ** np.arange(info.minexp, info.maxexp - 2, info.maxexp // 61)).astype(dtype)
    for beside in (np.full_like(sizes, 1.7), 0.6 * sizes):
        data = {"g": beside, "z": sizes}
        for value, u, v in zip(compiled(**{k: data[k] for k in compiled.inputs}), beside, sizes, strict=True):
            exact = exact_slope(mpmath.mpf(float(u)), mpmath.mpf(float(v)))
            if info.tiny * 1e4 < abs(exact) < info.max:
                assert abs(float(value) / exact - 1) < 16 * info.eps, (u, v)


def test_rows_over_a_number_and_a_square_beside_the_quotient_of_the_number_itself() -> None:
    z = sn.tensor("z", n)
    rows, own = sn.compile([V / (1 + z**2)[:, None], z / (1 + z**2)])(V=np.full((3, 4), 1e300), z=[1.0, 1e154, 1e200])
    np.testing.assert_allclose(rows, np.repeat([[5e299], [1e-8], [1e-100]], 4, axis=1), rtol=1e-14)
    np.testing.assert_allclose(own, [0.5, 1e-154, 1e-200], rtol=1e-14)


def test_an_infinite_divisor_leaves_nothing() -> None:
    assert list(sn.compile(x[:2] / (1 + y[:2] ** 2))(x=np.ones(4), y=[np.inf, -np.inf, 0, 0])) == [0, 0]


def test_what_is_bounded_is_divided_as_it_is_written() -> None:
    """1 + sin(a)² cannot overflow, nor can what no more than a moderate number of such values are made of."""
    inside = sn.sin(a) * 3 - sn.where(b > 0, sn.tanh(b), sn.cos(a))
    for formula in (b / (1 + inside**2), b / sn.sqrt(1 + inside**2)):
        (form,) = sn.compile([formula], stop_after="numeric")
        assert str(form).count("where") == 1

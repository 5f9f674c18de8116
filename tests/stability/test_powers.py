"""Slopes of x^n by both where x or n is 0 or infinite: forms × contexts × points, against the rules written out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symnet as sn

n = sn.dim("n")
a, b = sn.scalar("a"), sn.scalar("b")
x, p = sn.tensor("x", 4), sn.tensor("p", 4)
X, P = sn.tensor("X", 3, 4), sn.tensor("P", 3, 4)
V, Q = sn.tensor("V", n, 4), sn.tensor("Q", n, 4)
# name → (base, exponent): leaves, or a leaf and a constant
FORMS: dict[str, tuple[Any, Any]] = {
    "scalars": (a, b),
    "arrays": (x, p),
    "matrices": (X, P),
    "rows": (V, Q),
    "a scalar by an array": (a, p),
    "an array by a scalar": (x, b),
    "a matrix by a row": (X, p),
    "a row by a matrix": (x, P),
    "rows by a row": (V, p),
}
# name → a sum of the powers, and what each power is multiplied by in it
CONTEXTS: dict[str, tuple[Callable[[Any], Any], Callable[[np.ndarray], np.ndarray]]] = {
    "a sum": (sn.sum, np.ones_like),
    "a mean": (sn.mean, lambda y: np.full_like(y, 1 / y.size)),
    "minus": (lambda y: -3 * sn.sum(y), lambda y: np.full_like(y, -3)),
    "weights": (lambda y: sn.sum(y * (sn.arange(y.shape[-1]) - 1) if y.rank else y * 2), lambda y: _weights(y)),
    "beside another": (lambda y: sn.sum(y + 1) * 2 - sn.sum(y), np.ones_like),
    "moved": (lambda y: sn.sum(sn.reshape(y, -1)) if y.rank else y, np.ones_like),
    "turned": (lambda y: sn.sum(y.T[::-1]) if y.rank == 2 else sn.sum(y), np.ones_like),
    "joined": (lambda y: sn.sum(sn.concat([y, 2 * y])) if y.rank else 3 * y, lambda y: np.full_like(y, 3)),
    "behind where": (lambda y: sn.sum(sn.where(sn.equal(y, y), y, 0)), np.ones_like),
}
BASES = (0.0, -0.0, 1.0, 2.5, np.inf)
EXPONENTS = (0.0, 1.0, 2.0, 3.0, 0.5, 1 / 3, -1.0)


def _weights(y: np.ndarray) -> np.ndarray:
    return np.broadcast_to(np.arange(y.shape[-1]) - 1.0, y.shape) if y.ndim else np.full_like(y, 2)


def _by_base(x: np.ndarray, p: np.ndarray) -> np.ndarray:
    return np.where(p == 0, 0, p * x ** (p - 1))


def _twice_by_base(x: np.ndarray, p: np.ndarray) -> np.ndarray:
    return np.where(p * (p - 1) == 0, 0, p * (p - 1) * x ** (p - 2))


def _by_exponent(x: np.ndarray, p: np.ndarray, order: int = 1) -> np.ndarray:
    """x^p·log(x)^order; 0 where x is 0 and x^p is not infinite, and where x^p is 0."""
    power = x**p
    slope = power * np.log(np.abs(x)) ** order
    return np.where((power == 0) | ((x == 0) & np.isfinite(power)), 0, slope)


def _points(form: str, dtype: str) -> list[dict[str, np.ndarray]]:
    shape = {n: 3}
    found = []
    for base in BASES:
        for exponent in EXPONENTS:
            found.append(
                {
                    leaf.name: np.full([shape.get(k, k) for k in leaf.shape], value, dtype)
                    for leaf, value in zip(FORMS[form], (base, exponent), strict=True)
                }
            )
    return found


def _folded(elements: np.ndarray, leaf: np.ndarray) -> np.ndarray:
    """Summed over the axes along which a leaf is repeated."""
    extra = elements.ndim - leaf.ndim
    return elements.sum(axis=tuple(range(extra))) if extra else elements


WAYS = [*((context, "float64") for context in CONTEXTS), ("a sum", "float32"), ("weights", "float32")]


@pytest.mark.parametrize(("context", "dtype"), WAYS)
@pytest.mark.parametrize("form", FORMS)
def test_slopes_of_powers_by_base_and_exponent(form: str, context: str, dtype: str) -> None:
    base, exponent = FORMS[form]
    wrap, weight = CONTEXTS[context]
    L = wrap(base**exponent)
    first = [sn.grad(L, leaf) for leaf in (base, exponent)]
    f = sn.compile([*first, sn.grad(sn.sum(first[0]), base), sn.grad(sn.sum(first[1]), exponent)], dtype=dtype)
    for point in _points(form, dtype):
        with np.errstate(all="ignore"):
            u, v = point[base.name], point[exponent.name]
            both = np.broadcast_arrays(np.float64(u), np.float64(v))
            w = weight(np.ones(both[0].shape))
            want = [w * _by_base(*both), w * _by_exponent(*both)]
            want += [w * _twice_by_base(*both), w * _by_exponent(*both, order=2)]
            want = [_folded(e, leaf) for e, leaf in zip(want, (u, v, u, v), strict=True)]
        for k, (got, e) in enumerate(zip(f(**point), want, strict=True)):
            np.testing.assert_allclose(got, e, rtol=1e-5, err_msg=f"{k}: {point}")


@pytest.mark.parametrize("form", FORMS)
def test_a_power_beside_the_logarithm_of_its_base(form: str) -> None:
    """Also where the exponent has more axes than the base, whose power then stands on all of them."""
    base, exponent = FORMS[form]
    u = base**2 + 0.5
    f = sn.compile(
        [u**exponent * sn.log(u) * exponent, sn.grad(sn.grad(sn.sum(u**exponent), exponent).sum(), exponent)]
    )
    rng = np.random.default_rng(3)
    at = {leaf.name: rng.normal(size=[3 if k is n else k for k in leaf.shape]) for leaf in FORMS[form]}
    t, e = at[base.name] ** 2 + 0.5, at[exponent.name]
    got = f(**at)
    np.testing.assert_allclose(got[0], t**e * np.log(t) * e, rtol=1e-13)
    np.testing.assert_allclose(got[1], _folded(t**e * np.log(t) ** 2, e), rtol=1e-13)


BY_EXPONENT: dict[str, tuple[Any, Any, dict[str, Any]]] = {
    "a scalar to an array": (a**p, p, {"a": 0.0}),
    "a constant array": (np.array([0.0, 0, 2, 0]) ** p, p, {}),
    "whole numbers": (sn.arange(4) ** p, p, {}),
    "a root": (sn.sqrt(x) ** p, p, {"x": np.zeros(4)}),
    "a difference": ((x - 1) ** p, p, {"x": np.ones(4)}),
    "of a multiple": (a ** (2 * p), p, {"a": 0.0}),
    "of a difference": (a ** (p - x), p, {"a": 0.0, "x": np.zeros(4)}),
}


@pytest.mark.parametrize("name", BY_EXPONENT)
def test_the_hessian_by_exponents_of_zero_is_finite(name: str) -> None:
    y, leaf, given = BY_EXPONENT[name]
    first, second = sn.grad(sn.sum(y), leaf), sn.hessian(sn.sum(y), leaf)
    f = sn.compile([first, second])
    slope, hessian = f(**given, **{leaf.name: np.array([0.0, 1, 2, 0.5])})
    base = {"a constant array": np.array([0.0, 0, 2, 0]), "whole numbers": np.arange(4.0)}.get(name, np.zeros(4))
    logs = np.log(np.where(base == 0, 1, base))
    power = np.where(base == 0, 0, base ** np.array([0.0, 1, 2, 0.5]))
    np.testing.assert_allclose(slope, power * logs, rtol=1e-15)
    np.testing.assert_allclose(hessian, np.diag(power * logs**2), rtol=1e-14)


def test_mixed_slopes_of_a_power_are_one_number_in_both_orders() -> None:
    by_base, by_exponent = sn.grad(a**b, [a, b])
    f = sn.compile([sn.grad(by_base, b), sn.grad(by_exponent, a)])
    for at, n_, want in [(0, 0, np.inf), (0, 1, 1), (0, 2, 0), (0, 3, 0), (2, 0, 0.5), (np.inf, 0, 0), (np.inf, -1, 0)]:
        assert f(a=float(at), b=float(n_)) == (want, want), (at, n_)


def test_of_a_negative_base_whole_exponents_have_slopes_by_the_base_and_none_by_the_exponent() -> None:
    f = sn.compile(sn.grad(sn.sum(x**p), [x, p]))
    by_base, by_exponent = f(x=np.full(4, -2.0), p=np.array([0.0, 1, 2, -1]))
    np.testing.assert_allclose(by_base, [0, 1, -4, -0.25])
    assert np.isnan(by_exponent).all()


def test_off_the_diagonal_of_a_hessian_stands_0_beside_infinite_second_derivatives() -> None:
    for y in (sn.sqrt(x), p * sn.sqrt(x), x**1.5 * p, sn.xlogy(x, x), p * sn.log(x), sn.cbrt(x) * p):
        H = sn.compile(sn.hessian(sn.sum(y), x))
        got = H(**{k: v for k, v in {"x": np.zeros(4), "p": np.ones(4)}.items() if k in H.inputs})
        assert np.array_equal(got[~np.eye(4, dtype=bool)], np.zeros(12)), y
    w = sn.tensor("w", n)
    H = sn.compile(sn.hessian(sn.sum(Q @ np.ones(4) * sn.sqrt(w)), w))
    got = H(Q=np.ones((3, 4)), w=np.zeros(3))
    assert np.isneginf(np.diag(got)).all() and np.array_equal(got[~np.eye(3, dtype=bool)], np.zeros(6))

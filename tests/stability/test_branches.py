"""A branch that is not taken reaches neither the value nor any derivative: over generated members, and in practice."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.diff import support
from tests.stability.branches import CONTEXTS, FILLINGS, FUNCTIONS, MASKS, Member, disagreements, members

ALL = list(members())
SAMPLE = random.Random(7).sample(ALL, 40)
M = sn.dim("m")


def spread_over(count: int) -> list[Member]:
    """Members in which every function, mask and context stands."""
    names = [list(table) for table in (FUNCTIONS, MASKS, CONTEXTS)]
    for column in names:
        random.Random(len(column)).shuffle(column)
    return [Member(*(column[k % len(column)] for column in names)) for k in range(count)]


@pytest.mark.parametrize("member", spread_over(len(FUNCTIONS)), ids=str)
def test_nothing_leaks_by_the_reference(member):
    assert disagreements(member) == []


@pytest.mark.parametrize("member", SAMPLE[:6], ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("rows", [M, 4], ids=["symbolic", "known"])
def test_nothing_leaks_natively(member, dtype, rows):
    assert disagreements(member, native=True, dtype=dtype, rows=rows, fillings=["nan", "-inf", "zero", "large"]) == []


def test_a_leak_is_found(monkeypatch):
    monkeypatch.setattr(support, "chosen", lambda support, x, other=None: x)
    monkeypatch.setattr("symnet.diff.elementwise.chosen", lambda support, x: x)
    assert disagreements(Member("log", "column", "squares"), fillings=["zero"]) != []


def test_every_function_mask_and_context_has_members():
    assert len(ALL) == len(FUNCTIONS) * len(MASKS) * len(CONTEXTS) > 3000
    assert {m.function for m in spread_over(len(FUNCTIONS))} == set(FUNCTIONS)
    assert np.isnan(FILLINGS["nan"])


# --------------------------------------------------------------------------- practice


def gradient_at(L, wrt, **given):
    f = sn.value_and_grad(L, wrt)
    h = sn.compile(sn.hvp(L, wrt, sn.tensor("v", *wrt.shape)))
    value, slope = f(**{name: given[name] for name in f.inputs})
    given["v"] = np.ones(np.shape(slope))
    curvature = h(**{name: given[name] for name in h.inputs})
    assert np.all(np.isfinite(curvature)), curvature
    return value, slope


s, x, K = sn.scalar("s"), sn.tensor("x", 4), sn.tensor("K", 3, 3)
POINTS = np.arange(1.0, 5.0)


@pytest.mark.parametrize(
    ("branch", "value", "slope"),
    [
        (lambda: x / s, 10.0, 0.0),
        (lambda: x * sn.log(s), 10.0, 0.0),
        (lambda: sn.sqrt(s) * x**2, 10.0, 0.0),
        (lambda: x**s / s, 10.0, 0.0),
        (lambda: sn.exp(x / s), 10.0, 0.0),
        (lambda: sn.sin(s * x) / s, 10.0, 0.0),
        (lambda: sn.norm(x * s) / s * x, 10.0, 0.0),
        (lambda: sn.softmax(x / s), 10.0, 0.0),
    ],
)
def test_a_scalar_condition_keeps_its_singular_factor_inside(branch, value, slope):
    L = sn.sum(sn.where(s > 0, branch(), x))
    assert gradient_at(L, s, s=0.0, x=POINTS) == (value, slope)
    np.testing.assert_array_equal(gradient_at(L, x, s=0.0, x=POINTS)[1], np.ones(4))


def rotation(t, axis):
    """Rodrigues' formula."""
    sine = sn.where(t > 0, sn.sin(t) / t, 1)
    cosine = sn.where(t > 0, (1 - sn.cos(t)) / t**2, 0.5)
    return sn.eye(3) + sine * axis + cosine * (axis @ axis)


def test_rodrigues_rotation_at_angle_0():
    A = np.array([[0.0, -3.0, 2.0], [3.0, 0.0, -1.0], [-2.0, 1.0, 0.0]])
    L = sn.sum(rotation(s, K) ** 2)
    right = np.sum((np.eye(3) + A + A @ A / 2) ** 2)
    assert gradient_at(L, s, s=0.0, K=A) == (pytest.approx(right), 0.0)
    limit = gradient_at(L, K, s=1e-9, K=A)[1]
    np.testing.assert_allclose(gradient_at(L, K, s=0.0, K=A)[1], limit, rtol=1e-6)
    w = sn.tensor("w", 3)
    angle = sn.norm(w)
    np.testing.assert_array_equal(gradient_at(sn.sum(rotation(angle, K)), w, w=np.zeros(3), K=A)[1], np.zeros(3))


e, y = sn.tensor("e", M), sn.tensor("y", M)
LOGITS, LABELS = np.array([-800.0, 800.0, -800.0, 800.0, 1.0]), np.array([1.0, 0.0, 0.0, 1.0, 1.0])
SIGMA = sn.sigmoid(e)
ONE = 1 / (1 + np.exp(-1))


@pytest.mark.parametrize("label", [y > 0.5, sn.equal(y, 1), ~(y < 0.5), (y > 0.5) | (y > 0.7)], ids=str)
def test_cross_entropy_by_where_is_exact_at_any_logit(label):
    chosen = sn.where(label, SIGMA, 1 - SIGMA)
    slope = np.array([-1.0, 1.0, 0.0, 0.0, ONE - 1])
    for L in (
        -sn.sum(sn.where(label, sn.log(SIGMA), sn.log(1 - SIGMA))),
        -sn.sum(sn.log(chosen)),
        sn.sum(sn.where(label, -sn.log(SIGMA), 0) - sn.where(label, 0, sn.log(1 - SIGMA))),
        -sn.sum(sn.where(label, sn.log(1 / (1 + sn.exp(-e))), sn.log(1 - 1 / (1 + sn.exp(-e))))),
    ):
        value, found = gradient_at(L, e, e=LOGITS, y=LABELS)
        assert value == pytest.approx(1600 - np.log(ONE))
        np.testing.assert_allclose(found, slope, rtol=1e-15)


def test_focal_loss_is_exact_at_any_logit():
    label = y > 0.5
    apart = -sn.sum(sn.where(label, (1 - SIGMA) ** 2 * sn.log(SIGMA), SIGMA**2 * sn.log(1 - SIGMA)))
    p = sn.where(label, SIGMA, 1 - SIGMA)
    mine = (1 - ONE) * (2 * ONE * (1 - ONE) * np.log(ONE) - (1 - ONE) ** 2)
    for L in (apart, -sn.sum((1 - p) ** 2 * sn.log(p))):
        value, found = gradient_at(L, e, e=LOGITS, y=LABELS)
        assert value == pytest.approx(1600 - (1 - ONE) ** 2 * np.log(ONE))
        np.testing.assert_allclose(found, [-1.0, 1.0, 0.0, 0.0, mine], rtol=1e-13)


def test_zero_inflated_poisson_is_finite_at_any_logit():
    rate = sn.tensor("r", M)
    never = sn.log(SIGMA + (1 - SIGMA) * sn.exp(-sn.exp(rate)))
    L = -sn.sum(sn.where(sn.equal(y, 0), never, sn.log(1 - SIGMA) + y * rate - sn.exp(rate)))
    given = {"e": LOGITS, "y": np.array([0.0, 0.0, 2.0, 2.0, 0.0]), "r": np.array([0.0, 3.0, 1.0, -800.0, 2.0])}
    for t in (e, rate):
        value, slope = gradient_at(L, t, **given)
        assert np.isfinite(value) and np.all(np.isfinite(slope))


T = 5
Q, KEYS, V = sn.tensor("Q", T, 3), sn.tensor("KEYS", T, 3), sn.tensor("V", T, 2)
keep = sn.tensor("keep", T)


@pytest.mark.parametrize("mask", ["causal", "padding", "both"])
def test_padded_attention_does_not_see_its_padding(mask):
    causal = sn.arange(T)[:, None] >= sn.arange(T)
    allowed = {"causal": causal, "padding": keep > 0, "both": causal & (keep > 0)}[mask]
    scores = sn.where(allowed, Q @ KEYS.T, -np.inf)
    rows = (keep > 0)[:, None]
    out = sn.where(rows, sn.softmax(scores), 0) @ sn.where(rows, V, 0)
    L = sn.sum(sn.where(rows, out, 0) ** 2)
    rng = np.random.default_rng(2)
    given = {name: rng.normal(size=(T, n)) for name, n in (("Q", 3), ("KEYS", 3), ("V", 2))}
    given["keep"] = np.array([1.0, 1.0, 1.0, 0.0, 0.0])
    wrt = [Q, KEYS, V]
    f = sn.value_and_grad(L, wrt)
    right, slopes = f(**{k: given[k] for k in f.inputs})
    for spoilt in (np.nan, np.inf, 1e200):
        bad = {k: v.copy() for k, v in given.items()}
        for name in ("Q", "KEYS", "V"):
            bad[name][3:] = spoilt
        if mask == "causal":  # the padded keys are seen by later rows only, which are padding too
            bad["KEYS"][:] = given["KEYS"]
        value, found = f(**{k: bad[k] for k in f.inputs})
        assert value == right
        for a, b in zip(found, slopes, strict=True):
            np.testing.assert_array_equal(a, b)


def test_rows_that_are_masked_altogether_are_shielded():
    S, allowed = sn.tensor("S", M, 3), sn.tensor("A", M, 3)
    some = sn.sum(sn.indicator(allowed > 0), axis=1, keepdims=True) > 0
    P = sn.where(some, sn.softmax(sn.where(allowed > 0, S, -np.inf)), 0)
    given = {"S": np.zeros((2, 3)), "A": np.array([[1.0, 1.0, 0.0], [0.0, 0.0, 0.0]])}
    value, slope = gradient_at(sn.sum(P**2), S, **given)
    assert value == 0.5
    np.testing.assert_array_equal(slope, np.zeros((2, 3)))


def test_a_mean_over_known_entries_ignores_the_unknown():
    R, U, W = sn.tensor("R", M, 4), sn.tensor("U", M, 2), sn.tensor("W", 4, 2)
    known = sn.equal(R, R)
    L = sn.sum(sn.where(known, (R - U @ W.T) ** 2, 0)) / sn.sum(sn.indicator(known))
    rng = np.random.default_rng(3)
    r, u, w = rng.normal(size=(6, 4)), rng.normal(size=(6, 2)), rng.normal(size=(4, 2))
    r[0] = r[1, 2] = np.nan
    error = np.where(np.isnan(r), 0, np.nan_to_num(r) - u @ w.T)
    _, slope = gradient_at(L, W, R=r, U=u, W=w)
    np.testing.assert_allclose(slope, -2 * error.T @ u / np.sum(~np.isnan(r)), rtol=1e-13)


def test_gathered_rows_that_are_not_taken_do_not_reach_the_table():
    E, i = sn.tensor("E", 4, 2), sn.tensor("i", M, dtype="int64")
    L = sn.sum(sn.where((i > 0)[:, None], sn.log(sn.take(E, i)), 0) ** 2)
    table, places = np.array([[0.0, np.nan], [2.0, 3.0], [1.0, 1.0], [-1.0, np.inf]]), np.array([0, 1, 1, 2, 0])
    _, slope = gradient_at(L, E, E=table, i=places)
    np.testing.assert_allclose(slope, [[0, 0], 4 * np.log([2.0, 3.0]) / [2.0, 3.0], [0, 0], [0, 0]])


def test_a_stack_of_matrices_is_solved_where_it_is_taken():
    A, b = sn.tensor("A", M, 2, 2), sn.tensor("b", M)
    shielded = sn.where((b > 0)[:, None, None], A, sn.eye(2))
    L = sn.sum(sn.where(b > 0, sn.logdet(shielded) + sn.sum(sn.inv(shielded), axis=(1, 2)), 0))
    stack = np.array([[[2.0, 0.0], [0.0, 4.0]], [[0.0, 0.0], [0.0, 0.0]], [[np.nan, 1.0], [1.0, 1.0]]])
    _, slope = gradient_at(L, A, A=stack, b=np.array([1.0, -1.0, -1.0]))
    assert np.all(slope[1:] == 0) and slope[0, 0, 0] == pytest.approx(0.5 - 0.25)


def test_spoilt_matrices_of_a_stack_are_not_solved_again():
    A, b = sn.tensor("A", M, 2, 2), sn.tensor("b", M)
    L = sn.sum(sn.where((b > 0)[:, None], sn.solve(A, sn.ones(M, 2, 1))[:, :, 0], 0) ** 2)
    stack = np.array([[[2.0, 0.0], [0.0, 4.0]], [[np.inf, 0.0], [0.0, 1.0]]])
    _, slope = gradient_at(L, A, A=stack, b=np.array([1.0, -1.0]))
    assert np.all(slope[1] == 0)


# --------------------------------------------------------------------------- clipping, and masks by multiplication

u, w = sn.tensor("u", 3), sn.tensor("w", 3)
EDGES = np.array([0.0, 2.0, 1.0])


@pytest.mark.parametrize(
    ("written", "slope"),
    [
        (lambda: sn.maximum(sn.log(u), -100), [0.0, 0.5, 1.0]),
        (lambda: sn.minimum(-100, -sn.log(u)) + sn.maximum(sn.log(sn.relu(u)), -100), [0.0, 0.5, 1.0]),
        (lambda: sn.minimum(sn.exp(800 * u - 800), 1), [0.0, 0.0, 800.0]),
        (lambda: sn.minimum(w / u, 5), [0.0, -0.25, -1.0]),
        (lambda: sn.max(sn.log(u), axis=0), [0.0, 0.5, 0.0]),
        (lambda: sn.indicator(u > 1) * sn.sqrt(u) ** 3, [0.0, 1.5 * 2**0.5, 0.0]),
        (lambda: sn.where(u > 1, 1.0, 0.0) * sn.sqrt(u), [0.0, 0.5 / 2**0.5, 0.0]),
        (lambda: sn.relu(-1 - sn.sqrt(u)) + u, [1.0, 1.0, 1.0]),
    ],
)
def test_what_is_clipped_sends_no_slope(written, slope):
    L = sn.sum(written())
    given = {"u": EDGES, "w": np.ones(3), "v": np.ones(3)}
    for gradient in (sn.grad(L, u), sn.jacobian(L, u)):
        f = sn.compile(gradient)
        np.testing.assert_allclose(f(**{k: given[k] for k in f.inputs}), slope, rtol=1e-14)
    forward = sn.compile(sn.jvp(L, u, sn.tensor("v", 3)))
    np.testing.assert_allclose(forward(**{k: given[k] for k in forward.inputs}), np.sum(slope), rtol=1e-14)


def test_rectified_networks_have_no_guards():
    X, W, V_ = sn.tensor("X", M, 4), sn.tensor("W", 4, 5), sn.tensor("V_", 5, 2)
    Z = X @ W
    rectified, leaky = sn.sum(sn.relu(Z) @ V_), sn.sum(sn.where(Z >= 0, Z, Z / 10) @ V_)
    assert str(sn.grad(rectified, W)) == "sum(V_, axis=1)*(X.T @ 1[X @ W >= 0])"
    assert str(sn.grad(leaky, W)) == "X.T @ where(X @ W >= 0, sum(V_, axis=1), sum(V_, axis=1)/10)"


# --------------------------------------------------------------------------- scalars that are no finite number

SCALARS = {"∞": np.inf, "-∞": -np.inf, "NaN": np.nan, "a leaf": sn.scalar("s"), "a leaf's power": sn.scalar("s") ** -1}
BESIDE: dict[str, Callable[[Any, Any, Any], Any]] = {
    "the first branch": lambda c, x, s: sn.where(c, s * x, 0),
    "the second branch": lambda c, x, s: sn.where(c <= 0, 0, s * x),
    "a quotient": lambda c, x, s: sn.where(c > 0, s / x, 0),
    "a function": lambda c, x, s: sn.where(c > 0, s * sn.exp(x), 0),
    "both branches": lambda c, x, s: sn.where(c > 0, s * x, sn.where(c < -10, s * x, 0)),
    "a sum": lambda c, x, s: sn.sum(sn.where(c > 0, s * x, 0)),
}


@pytest.mark.parametrize("scalar", SCALARS)
@pytest.mark.parametrize("place", BESIDE)
def test_a_scalar_that_is_not_finite_stays_in_its_branch(place: str, scalar: str) -> None:
    x = sn.tensor("x", 3)
    value = BESIDE[place](x > 0 if place == "the first branch" else x, x, SCALARS[scalar])
    results = [value, sn.grad(sn.sum(value), x)]
    at = np.array([-1.0, -2, -3])
    for s in (0.0, np.inf, np.nan):
        for got in sn.compile([*results, x * sn.scalar("s")])(x=at, s=s)[:2]:
            np.testing.assert_array_equal(got, np.zeros_like(got))

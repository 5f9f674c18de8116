"""What is chosen or masked and then moved keeps its digits: derivatives move the terms of one sum apart.

Members: moves × ways to choose × spellings whose slope is c·1 - c·σ(b - a) in parts, against 1/(1 + exp(b - a)); and
softplus by logarithms of quotients of which a part is chosen, with its second derivative, σ(x)·σ(-x); and weights
beside g·σ that is moved and moved back.
"""

from __future__ import annotations

import numpy as np
import pytest

import symnet as sn
from symnet.expr.nodes.symbols import leaves
from symnet.reference import evaluate

a, b, t = sn.tensor("a", 11), sn.tensor("b", 8), sn.tensor("t", 8)
MOVES = {
    "folded": lambda x: sn.reshape(x, 2, 4),
    "folded and turned": lambda x: sn.reshape(x, 2, 4).T,
    "turned and unfolded": lambda x: sn.reshape(sn.reshape(x, 4, 2).T, 8),
    "with an axis": lambda x: x[:, None],
    "a row": lambda x: sn.reshape(x, 2, 4)[1],
}
CHOICES = {
    "first": lambda c, x: sn.where(c, x, 0),
    "second": lambda c, x: sn.where(c, 0, x),
    "mask": lambda c, x: sn.indicator(c) * x,
    "no mask": lambda c, x: sn.indicator(~c) * x,
    "weighted mask": lambda c, x: sn.indicator(c) * x * 3,
    "nested": lambda c, x: sn.where(c, sn.where(c, x, 1), 0),
}
SPELLINGS = {
    "by the difference": lambda move, low, high: move(low) + sn.softplus(move(high - low)),
    "by logarithms": lambda move, low, high: move(low) - sn.log(sn.sigmoid(move(low - high))),
}
LOW = np.array([0.0, 0.0, -30.0, 3.0, -1e3, 0.5, 40.0, -33.0, 0.25, 1.0, 0.0])
HIGH = np.array([3.0, 36.0, -960.0, 0.5, 80.0, 0.25, -80.0, 1.5])


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("choice", CHOICES)
@pytest.mark.parametrize("move", MOVES)
def test_the_slope_keeps_its_digits(spelling, choice, move):
    condition = MOVES[move](t) > 0
    value = CHOICES[choice](condition, SPELLINGS[spelling](MOVES[move], a[2:10], b))
    forms = sn.compile([sn.grad(sn.sum(value), a)], dtype="float32", stop_after="numeric")
    for sign in (1.0, -1.0):
        given = {"a": LOW, "b": HIGH, "t": np.full(8, sign)}
        used = leaves(*forms)
        data = {x.name: np.asarray(given[x.name], "float32") for x in used}
        with np.errstate(all="ignore"):
            (slope,) = evaluate(forms, data, dtype="float32", leaves=used)
        held = (sign > 0) == (choice not in ("second", "no mask"))
        taken = held & (np.arange(8) >= (4 if move == "a row" else 0))
        want = np.zeros(11)
        want[2:10] = (3.0 if choice == "weighted mask" else 1.0) * taken / (1 + np.exp(HIGH - LOW[2:10]))
        np.testing.assert_allclose(slope, want, rtol=1e-6, atol=1e-38)


x = sn.tensor("x", 8)
PARTS = {
    "the end": lambda u: u[2:],
    "the middle": lambda u: u[1:7],
    "every other": lambda u: u[::2],
    "backwards": lambda u: u[::-1],
    "a row": lambda u: u.reshape(2, 4)[1],
    "columns": lambda u: u.reshape(2, 4)[:, 1:],
}
SOFTPLUS = {
    "quotient": lambda part, e: -sn.log(1 - part(e) / (1 + part(e))),
    "reciprocal": lambda part, e: -sn.log(1 / (1 + part(e))),
    "twice": lambda part, e: -sn.log(part(1 - e / (1 + e))),
}
POINTS = np.array([700.0, -700.0, 1e-17, 40.0, -40.0, 1.0, 600.0, 0.0])
HELD = np.array([True, True, False, True, True, True, False, True])


@pytest.mark.parametrize("spelling", SOFTPLUS)
@pytest.mark.parametrize("choice", ["first", "second", "mask", "no mask"])
@pytest.mark.parametrize("part", PARTS)
def test_slopes_of_a_part_keep_their_digits(spelling, choice, part):
    places = PARTS[part](np.arange(8))
    held = HELD[places]
    c = sn.tensor("c", *held.shape, dtype="bool")
    value = sn.sum(CHOICES[choice](c, SOFTPLUS[spelling](PARTS[part], sn.exp(x))))
    slope = sn.grad(value, x)
    forms = sn.compile([slope, sn.grad(sn.sum(slope), x)], stop_after="numeric")
    used = leaves(*forms)
    data = {"x": POINTS, "c": held}
    with np.errstate(all="ignore"):
        first, second = evaluate(forms, {u.name: data[u.name] for u in used}, leaves=used)
    taken = np.zeros(8)
    taken[places] = held == (choice in ("first", "mask"))
    logistic = np.exp(np.minimum(POINTS, 0)) / (1 + np.exp(-np.abs(POINTS)))
    np.testing.assert_allclose(first, taken * logistic, rtol=1e-14)
    np.testing.assert_allclose(second, taken * np.exp(-np.abs(POINTS)) / (1 + np.exp(-np.abs(POINTS))) ** 2, rtol=1e-14)


THERE_AND_BACK = {
    "backwards": (lambda u: u[::-1], lambda u: u[::-1]),
    "folded": (lambda u: u.reshape(2, 4), lambda u: u.reshape(8)),
    "turned": (lambda u: u.reshape(2, 4).T, lambda u: u.T.reshape(8)),
    "backwards in columns": (lambda u: u.reshape(2, 4)[:, ::-1], lambda u: u[:, ::-1].reshape(8)),
}


@pytest.mark.parametrize("weight", [1.0, -2.0, 3.0])
@pytest.mark.parametrize("way", THERE_AND_BACK)
def test_weights_meet_what_is_moved_and_moved_back(way, weight):
    there, back = THERE_AND_BACK[way]
    low, g = sn.tensor("low", 8), sn.tensor("g", 8)
    value = weight * sn.sum(g * (low + back(sn.softplus(there(b) - there(low)))))
    at = {"low": LOW[2:10], "b": HIGH, "g": np.arange(1.0, 9.0)}
    (form,) = sn.compile([sn.grad(value, low)], stop_after="numeric")
    used = leaves(form)
    with np.errstate(all="ignore"):
        (slope,) = evaluate([form], {u.name: at[u.name] for u in used}, leaves=used)
    np.testing.assert_allclose(slope, weight * at["g"] / (1 + np.exp(HIGH - LOW[2:10])), rtol=1e-14)

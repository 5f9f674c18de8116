"""Steps of training that are exported: they are those of NumPy, in place, from zeros on."""

from __future__ import annotations

import numpy as np
import pytest

import symnet as sn
from symnet.errors import ArgumentError

m = sn.dim("m")
X, y, w, b = sn.tensor("X", m, 3), sn.tensor("y", m), sn.tensor("w", 3), sn.scalar("b")
L = sn.mean((X @ w + b - y) ** 2)
RATE = 0.05


def numpy_sgd(w, g, s):
    return w - RATE * g


def numpy_momentum(w, g, s):
    s["velocity"] = 0.9 * s.get("velocity", 0) + g
    return w - RATE * s["velocity"]


def numpy_adam(w, g, s):
    t = s["t"] = s.get("t", 0) + 1
    s["mean"] = 0.9 * s.get("mean", 0) + 0.1 * g
    s["square"] = 0.99 * s.get("square", 0) + 0.01 * g * g
    return w - RATE * (s["mean"] / (1 - 0.9**t)) / (np.sqrt(s["square"] / (1 - 0.99**t)) + 1e-8)


def numpy_adamw(w, g, s):
    return numpy_adam(w, g, s) - RATE * 0.02 * w


def numpy_sign(w, g, s):
    return w - RATE * np.sign(g)


RULES = {
    "SGD": (sn.SGD(), numpy_sgd),
    "Momentum": (sn.Momentum(beta=0.9), numpy_momentum),
    "Adam": (sn.Adam(b2=0.99), numpy_adam),
    "AdamW": (sn.AdamW(b2=0.99, weight_decay=0.02), numpy_adamw),
    "SignDescent": (sn.SignDescent(), numpy_sign),
}


@pytest.mark.parametrize("name", RULES)
def test_a_bound_step_moves_as_numpy_does(name, rng):
    optimizer, moved = RULES[name]
    step = sn.train_step(L, [w, b], optimizer, dtype="float64")
    data = {"X": rng.standard_normal((20, 3)), "y": rng.standard_normal(20)}
    mine = {buffer.name: np.zeros([e.value for e in buffer.shape]) for buffer in step.signature.inputs[2:]}
    mine["lr"][...] = RATE
    bound = step.bind(**data, **mine)
    params, states = [np.zeros(3), np.zeros(())], [{}, {}]
    for _ in range(30):
        error = data["X"] @ params[0] + params[1] - data["y"]
        loss = float(bound()["loss"])
        assert loss == pytest.approx(np.mean(error**2), rel=1e-9)
        gradients = [2 * data["X"].T @ error / 20, 2 * error.mean()]
        params = [moved(p, g, s) for p, g, s in zip(params, gradients, states, strict=True)]
        np.testing.assert_allclose(mine["w"], params[0], rtol=1e-9)
        np.testing.assert_allclose(mine["b"], params[1], rtol=1e-9)


def test_inputs_are_data_parameters_states_and_the_rate():
    step = sn.train_step(L, {"w": w, "b": b}, sn.Adam(), dtype="float32")
    moments = ["w_mean", "w_square", "b_mean", "b_square"]
    assert list(step.inputs)[-7:] == [*moments, "mean_share", "square_share", "lr"]
    assert list(step.inputs)[:4] == ["X", "y", "w", "b"]
    assert [source for source, _ in step.signature.donated] == ["w", "w_mean", "w_square", "b", "b_mean", "b_square",
                                                                "mean_share", "square_share"]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((L, [w], "adam"), r"expected an optimiser; got 'adam'\. Write sn\.SGD"),
        ((L, [2 * w], sn.SGD()), r"expected leaves as params; got 2\*w\. Pass tensors"),
        ((sn.scalar("lr") * L, [w], sn.SGD()), r"no leaf called lr, which is the step's rate; got one\. Give the leaf"),
    ],
)
def test_what_is_no_step_is_refused(arguments, message):
    with pytest.raises(ArgumentError, match=message):
        sn.train_step(*arguments)

"""Native stretches of steps: what they gather, set and keep is what a loop of Python's would."""

from __future__ import annotations

import signal
import threading
import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import symnet as sn
from symnet.train import loop as loops
from symnet.train.optimizers import Optimizer
from symnet.train.step import step_function

m = sn.dim("m")
w = sn.tensor("w", 3)


def by_hand(loss: Any, start: np.ndarray, data: dict[str, Any], axes: dict[str, int], **options: Any) -> Any:
    """The parameter and the losses of SGD(rate), written down with NumPy's `take`."""
    count, size, epochs = options["count"], options["size"], options["epochs"]
    f = sn.value_and_grad(loss, [w])
    order = np.random.default_rng([0, 0])
    value, losses = start, []
    for _ in range(epochs):
        chosen = order.permutation(count) if options["shuffle"] else np.arange(count)
        for begin in range(0, count, size):
            part = chosen[begin : begin + size] if size < count else np.arange(count)
            if options["drop_last"] and len(part) < size:
                continue
            batch = {name: np.take(a, part, axis=axes[name]) if name in axes else a for name, a in data.items()}
            found, (g,) = f(**batch, w=value)
            value = value - options["rate"](len(losses)) * g
            losses.append(float(found))
    return value, losses


@settings(max_examples=25, deadline=None)
@given(
    count=st.integers(1, 40),
    size=st.integers(1, 45),
    epochs=st.integers(1, 4),
    shuffle=st.booleans(),
    drop_last=st.booleans(),
    axis=st.integers(0, 2),
    labels=st.sampled_from(["int32", "int64"]),
    seed=st.integers(0, 99),
)
def test_a_run_is_a_loop_of_takes_and_steps(
    count: int, size: int, epochs: int, shuffle: bool, drop_last: bool, axis: int, labels: str, seed: int
) -> None:
    if drop_last and count < size:
        return  # the one batch is all there is
    shape: list[Any] = [3, 2]
    shape.insert(axis, m)
    x, t = sn.tensor("x", *shape), sn.tensor("t", m, dtype=labels)
    a, bias = sn.tensor("a", 2, m, 1, dtype="float64"), sn.tensor("bias", 3)
    turned = sn.transpose(x, axis, *(k for k in range(3) if k != axis))
    values = sn.einsum("mij,i->m", turned, w) + sn.take(w, t) * sn.sum(a, axis=(0, 2)) + sn.sum(bias * w)
    loss = sn.mean(values * values)
    rng = np.random.default_rng(seed)
    data = {
        "x": rng.standard_normal([count if e is m else e for e in shape]) / 4,
        "t": rng.integers(0, 3, count).astype(labels),
        "a": rng.standard_normal((2, count, 1)) / 4,
        "bias": np.full(3, 0.125),
    }
    axes = {"x": axis, "t": 0, "a": 1}
    start, rate = rng.standard_normal(3), lambda step: 0.1 / (1 + step)
    options = {"count": count, "epochs": epochs, "shuffle": shuffle, "drop_last": drop_last}
    wanted, losses = by_hand(loss, start, data, axes, size=size, rate=rate, **options)
    run = sn.fit(
        loss, {w: start}, data, optimizer=sn.SGD(rate), batch_size=size, epochs=epochs, shuffle=shuffle,
        drop_last=drop_last, progress=False,
    )  # fmt: skip
    assert run.history.steps == len(losses)
    np.testing.assert_allclose(run.history.step_loss, losses, rtol=1e-9)
    np.testing.assert_allclose(run.params["w"], wanted, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("seconds", [0.0, 1e-5, 1e-3, 10.0])
@pytest.mark.parametrize("optimizer", [sn.Adam(1e-2), sn.Momentum(1e-2), sn.SGD(lambda step: 0.1 / (1 + step))])
def test_how_many_steps_python_does_not_see_changes_nothing(
    seconds: float, optimizer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run() -> Any:
        x, y = sn.tensor("x", m, 3), sn.tensor("y", m)
        rng = np.random.default_rng(1)
        data = {x: rng.standard_normal((301, 3)).astype(np.float32), y: rng.standard_normal(301).astype(np.float32)}
        loss = sn.mean((x @ w - y) ** 2)
        start = {w: np.zeros(3, np.float32)}
        stop = sn.Stop(gradient_norm=1e-9)
        return sn.fit(loss, start, data, optimizer=optimizer, batch_size=7, epochs=3, stop=stop, progress=False)

    usual = run()
    monkeypatch.setattr(loops, "SECONDS", seconds or 1e-12)
    found = run()
    assert found.history.step_loss == usual.history.step_loss
    assert found.history.loss == usual.history.loss
    assert found.history.gradient_norm == usual.history.gradient_norm
    np.testing.assert_array_equal(found.params["w"], usual.params["w"])


@pytest.mark.parametrize("bad", [0, 5, 63, 64, 100, 149])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_stretch_ends_with_a_loss_that_is_no_number(bad: int, dtype: str) -> None:
    x = sn.tensor("x", m)
    data = np.ones(150, dtype)
    data[bad] = np.nan
    with pytest.warns(RuntimeWarning, match=f"nan at step {bad}; .*x holds NaN"):
        run = sn.fit(
            sn.mean(x * sn.sum(w)), {w: np.zeros(3, dtype)}, {x: data}, batch_size=1, shuffle=False, epochs=2,
            progress=False,
        )  # fmt: skip
    assert run.stopped_by == "not_finite"
    assert run.history.steps == bad + 1
    assert np.isfinite(run.params["w"]).all()


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="no signals to threads here")
def test_an_interrupt_ends_a_run() -> None:
    x = sn.tensor("x", m, 3)
    data = {x: np.ones((64, 3))}
    sn.fit(sn.mean((x @ w) ** 2), {w: np.zeros(3)}, data, batch_size=1, epochs=1, progress=False)
    main, ended = threading.main_thread().ident, threading.Event()
    assert main is not None

    def interrupt() -> None:  # again where one is lost: Python ignores what is raised while it frees an object
        while not ended.wait(0.3):
            signal.pthread_kill(main, signal.SIGINT)

    def too_late(_: object) -> None:
        assert time.perf_counter() - begin < 60

    sender, begin = threading.Thread(target=interrupt), time.perf_counter()
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a process in the background ignores it
    sender.start()
    with pytest.raises(KeyboardInterrupt):
        try:
            model = sn.mean((x @ w) ** 2)
            sn.fit(model, {w: np.zeros(3)}, data, batch_size=1, epochs=10**8, progress=False, callbacks=too_late)
        finally:
            ended.set()
            sender.join()
            signal.signal(signal.SIGINT, before)


def test_a_rate_that_raises_ends_the_run_with_its_error() -> None:
    def rate(step: int) -> float:
        if step == 70:
            raise ZeroDivisionError("no rate")
        return 0.1

    x = sn.tensor("x", m, 3)
    with pytest.raises(ZeroDivisionError, match="no rate"):
        sn.fit(
            sn.mean((x @ w) ** 2), {w: np.zeros(3)}, {x: np.ones((64, 3))}, optimizer=sn.SGD(rate), batch_size=1,
            epochs=3, progress=False,
        )  # fmt: skip


@pytest.mark.parametrize("activation", [sn.gelu, sn.tanh, sn.softplus, sn.silu], ids=lambda f: f.__name__)
@pytest.mark.parametrize(
    "optimizer", [sn.SGD(0.1), sn.Momentum(0.1), sn.Adam(0.1), sn.AdamW(0.1)], ids=lambda o: o.rule.name
)
def test_an_update_does_not_go_through_the_rows_again(activation: Any, optimizer: Optimizer) -> None:
    """The rule reads a finished sum; nothing in it may be what rows wait for."""
    m = sn.dim("m")
    X, T, W, b, V = (
        sn.tensor(n, *s) for n, s in {"X": (m, 6), "T": (m, 3), "W": (6, 20), "b": (20,), "V": (20, 3)}.items()
    )
    loss = sn.mean(sn.sum((activation(X @ W + b) @ V - T) ** 2, axis=1))
    step = step_function(loss, (W, b, V), optimizer.rule, "float64")
    sweeps = [phase.name for _, phase in step.function.program.phases() if phase.name.startswith(("sums", "parts"))]
    assert sweeps == ["sums_0"]

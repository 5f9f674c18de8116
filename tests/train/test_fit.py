"""`fit`: it learns, it is reproducible bit for bit, and nothing is lost when a loss is no number."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.errors import ArgumentError, ShapeError, ValueDomainError
from tests.train import models

m = sn.dim("m")


def line(rng: np.random.Generator, **options: Any) -> sn.Run:
    return sn.fit(models.LINE, models.line_start(), models.line_data(rng), **options)


# --------------------------------------------------------------------------- it learns


@pytest.mark.parametrize("batch_size", [None, 16, 1])
def test_linear_regression_recovers_the_line(rng: np.random.Generator, batch_size: int | None) -> None:
    run = line(rng, batch_size=batch_size, epochs=400, optimizer=sn.SGD(0.05))
    np.testing.assert_allclose(run.params["w"], [2, -1, 0], atol=1e-6)
    np.testing.assert_allclose(run.params["b"], 0.5, atol=1e-6)


def test_a_classifier_with_integer_labels_learns(rng: np.random.Generator) -> None:
    X, t = sn.tensor("X", m, 2), sn.labels("t", m, classes=3)
    Z, params = sn.nn.mlp(X, [8, 3])
    kinds = rng.integers(0, 3, 150)
    points = rng.normal(size=(150, 2)) * 0.3 + np.array([[0, 2], [2, -1], [-2, -1]])[kinds]
    run = sn.fit(
        sn.mean(sn.cross_entropy(sn.softmax(Z), t)),
        sn.nn.init(params),
        {"X": points, "t": kinds},
        optimizer=sn.Adam(0.02),
        batch_size=32,
        epochs=20,
        dtype="float32",
    )
    guesses = sn.compile(sn.argmax(Z), dtype="float32")(X=points.astype("float32"), **run.params)
    assert (guesses == kinds).mean() > 0.98


def test_going_up_finds_a_maximum() -> None:
    x = sn.scalar("x")
    run = sn.fit(-((x - 3) ** 2), {x: 0.0}, {}, maximize=True, epochs=200)
    assert run.params["x"] == pytest.approx(3)


def test_every_optimiser_lowers_the_loss(rng: np.random.Generator) -> None:
    for optimizer in (sn.SGD(0.05), sn.SignDescent(0.01), sn.Momentum(0.01), sn.Adam(0.05)):
        run = line(rng, optimizer=optimizer, epochs=100, batch_size=10)
        assert run.history.loss[-1] < 0.2 * run.history.loss[0], optimizer


# --------------------------------------------------------------------------- bit for bit


def test_the_same_seed_gives_the_same_bits(rng: np.random.Generator) -> None:
    data = models.line_data(rng)
    runs = [
        sn.fit(models.LINE, models.line_start(), data, batch_size=7, epochs=5, seed=3, validation=0.2) for _ in range(2)
    ]
    assert runs[0].history.step_loss == runs[1].history.step_loss
    assert runs[0].history.validation_loss == runs[1].history.validation_loss
    assert all(runs[0].params[name].tobytes() == runs[1].params[name].tobytes() for name in ("w", "b"))


def test_another_seed_gives_another_order(rng: np.random.Generator) -> None:
    data = models.line_data(rng)
    first, second = (sn.fit(models.LINE, models.line_start(), data, batch_size=7, epochs=2, seed=s) for s in (0, 1))
    assert first.history.step_loss != second.history.step_loss


def test_one_thread_and_two_give_the_same_bits(rng: np.random.Generator) -> None:
    X, d = sn.tensor("X", m, 20), sn.tensor("d", m, 4)
    Y, params = sn.nn.mlp(X, [32, 4])
    data = {"X": rng.normal(size=(1000, 20)), "d": rng.normal(size=(1000, 4))}
    first, second = (
        sn.fit(sn.mean(sn.l2(Y, d)), sn.nn.init(params), data, batch_size=600, epochs=3, threads=n, dtype="float32")
        for n in (1, 2)
    )
    assert first.history.step_loss == second.history.step_loss
    assert all(first.params[name].tobytes() == second.params[name].tobytes() for name in first.params)


# --------------------------------------------------------------------------- steps, epochs, history


def test_a_partial_batch_counts_by_its_samples(rng: np.random.Generator) -> None:
    run = line(rng, batch_size=20, epochs=2)
    h = run.history
    assert (h.steps, h.epochs, len(h.seconds)) == (6, 2, 2)
    for epoch in range(2):
        steps = h.step_loss[3 * epoch : 3 * epoch + 3]
        assert h.loss[epoch] == pytest.approx((20 * steps[0] + 20 * steps[1] + 10 * steps[2]) / 50, rel=1e-12)


def test_a_partial_batch_can_be_left_out(rng: np.random.Generator) -> None:
    assert line(rng, batch_size=20, epochs=3, drop_last=True).history.steps == 6


def test_no_epochs_give_the_starting_values(rng: np.random.Generator) -> None:
    run = line(rng, epochs=0)
    assert run.params["w"].tolist() == [0, 0, 0] and run.history.epochs == 0
    assert "no loss" in repr(run)


def test_what_was_passed_is_left_unchanged(rng: np.random.Generator) -> None:
    data, start = models.line_data(rng), models.line_start()
    kept = {name: array.copy() for name, array in {**data, **start}.items()}
    sn.fit(models.LINE, start, data, batch_size=8, epochs=3)
    assert all(np.array_equal(array, kept[name]) for name, array in {**data, **start}.items())


def test_extents_without_a_symbol_train_on_the_full_batch(rng: np.random.Generator) -> None:
    x, y, w = sn.tensor("x", 8, 2), sn.tensor("y", 8), sn.tensor("w", 2)
    data = {x: rng.normal(size=(8, 2)), y: np.zeros(8)}
    run = sn.fit(sn.sum((x @ w - y) ** 2), {w: np.ones(2)}, data, optimizer=sn.SGD(0.01), epochs=500)
    np.testing.assert_allclose(run.params["w"], 0, atol=1e-3)


def test_a_run_prints_what_happened(rng: np.random.Generator) -> None:
    text = repr(line(rng, batch_size=25, epochs=4))
    assert text.startswith("<run of 4 epochs, 8 steps in ") and text.endswith("stopped by epochs>") and "→" in text


# --------------------------------------------------------------------------- validation


def test_a_fraction_is_held_out(rng: np.random.Generator) -> None:
    run = line(rng, validation=0.2, epochs=200)
    assert len(run.history.validation_loss) == 200
    assert run.history.validation_loss[-1] < 1e-3 < run.history.validation_loss[0]


def test_given_validation_data_are_judged_after_each_epoch(rng: np.random.Generator) -> None:
    data, other = models.line_data(rng), models.line_data(rng, 9)
    run = sn.fit(models.LINE, models.line_start(), data, validation=other, epochs=3)
    assert run.history.validation_loss[-1] == pytest.approx(models.line_loss(other, **run.params), rel=1e-12)


# --------------------------------------------------------------------------- callbacks and progress


def test_a_callback_sees_every_epoch_and_can_stop_the_run(rng: np.random.Generator) -> None:
    seen: list[tuple[int, float, float]] = []

    def watch(epoch: Any) -> bool:
        seen.append((epoch.number, epoch.history.loss[-1], float(epoch.params["w"][0])))
        return epoch.number == 3

    run = line(rng, epochs=10, callbacks=[watch])
    assert [number for number, _, _ in seen] == [1, 2, 3]
    assert run.stopped_by == "callback"
    assert seen[-1] == (3, run.history.loss[-1], float(run.params["w"][0]))


def test_one_callback_needs_no_list(rng: np.random.Generator) -> None:
    assert line(rng, epochs=5, callbacks=lambda epoch: True).history.epochs == 1


def test_a_progress_bar_shows_epochs_and_loss(rng: np.random.Generator, capsys: pytest.CaptureFixture[str]) -> None:
    run = line(rng, epochs=4, batch_size=25, progress=True, validation=0.2)
    shown = capsys.readouterr().err
    assert "epoch 4/4" in shown and "8/8" in shown
    assert f"loss {run.history.loss[-1]:.4g}, held-out loss {run.history.validation_loss[-1]:.4g}" in shown


def test_without_a_terminal_nothing_is_shown(rng: np.random.Generator, capsys: pytest.CaptureFixture[str]) -> None:
    line(rng, epochs=2)
    assert capsys.readouterr().err == ""


# --------------------------------------------------------------------------- a loss that is no number


def test_divergence_stops_with_the_last_finite_parameters(rng: np.random.Generator) -> None:
    with pytest.warns(
        RuntimeWarning, match=r"expected a finite loss; got (inf|nan) at step \d+.*smaller learning rate"
    ):
        run = line(rng, optimizer=sn.SGD(50.0), epochs=5000)
    assert run.stopped_by == "not_finite"
    assert all(np.isfinite(array).all() for array in run.params.values())
    assert np.abs(run.params["w"]).max() > 1e6  # not the start: a snapshot on the way
    assert not np.isfinite(run.history.step_loss[-1])


def test_data_that_hold_nan_are_named(rng: np.random.Generator) -> None:
    data = models.line_data(rng)
    data["X"][3, 1] = np.nan
    with pytest.warns(RuntimeWarning, match=r"got nan at step 0; .*X holds NaN or infinity: clean the data"):
        run = sn.fit(models.LINE, models.line_start(), data)
    assert run.params["w"].tolist() == [0, 0, 0]


# --------------------------------------------------------------------------- options


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"batch_size": 0}, ValueDomainError, r"expected an int of at least 1; got 0\. Write batch_size=32"),
        ({"batch_size": 2.5}, ValueDomainError, r"batch_size=2\.5\): expected an int of at least 1; got 2\.5"),
        ({"epochs": -1}, ValueDomainError, r"epochs=-1\): expected an int of at least 0; got -1"),
        ({"seed": "x"}, ValueDomainError, r"seed='x'\): expected an int of at least 0; got 'x'"),
        ({"optimizer": 0.1}, ArgumentError, r"expected an optimizer; got optimizer=0\.1\. Write optimizer=sn\.Adam"),
        ({"stop": 1e-3}, ArgumentError, r"expected a Stop; got stop=0\.001"),
        ({"validation": 1.5}, ValueDomainError, r"expected a fraction in \(0, 1\) or a dict; got 1\.5"),
        ({"validation": 0.001}, ValueDomainError, r"on both sides; got 50 for training and 0 held out"),
        ({"validation": {"X": np.ones((2, 3))}}, ArgumentError, r"among the data X, d; got X, without d"),
        ({"validation": {"Y": np.ones(2)}}, ArgumentError, r"expected validation among the data X, d; got 'Y'"),
        (
            {"validation": {"X": np.ones((2, 3)), "d": np.ones(3)}},
            ShapeError,
            r"expected extent m = 2, as X has on axis 0 of d \(m,\); got 3 in shape \(3,\)",
        ),
        ({"samples": "n"}, ArgumentError, r"expected an extent of the data \(m\); got 'n'. Write samples='m'"),
    ],
    ids=lambda x: "-".join(x) if isinstance(x, dict) else None,
)
def test_impossible_options_are_refused(
    rng: np.random.Generator, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        line(rng, **options)


def test_batches_need_an_extent_that_counts_samples() -> None:
    x, w = sn.tensor("x", 8), sn.scalar("w")
    with pytest.raises(
        ShapeError, match=r"batch_size=4\): expected one symbolic extent that counts the samples; got none"
    ):
        sn.fit(sn.sum((x - w) ** 2), {w: 0.0}, {x: np.ones(8)}, batch_size=4)


def test_the_extent_that_counts_samples_can_be_named() -> None:
    n = sn.dim("n")
    x, u, w = sn.tensor("x", m), sn.tensor("u", n), sn.scalar("w")
    loss = sn.mean((x - w) ** 2) + sn.mean((u - w) ** 2)
    data = {x: np.arange(6.0), u: np.arange(4.0)}
    with pytest.raises(ShapeError, match=r'or name the extent: samples="m"'):
        sn.fit(loss, {w: 0.0}, data, batch_size=2)
    assert sn.fit(loss, {w: 0.0}, data, batch_size=2, samples="n", epochs=1).history.steps == 2


def test_no_samples_are_refused() -> None:
    with pytest.raises(ValueDomainError, match=r"expected at least one sample; got m = 0"):
        sn.fit(models.LINE, models.line_start(), {"X": np.ones((0, 3)), "d": np.ones(0)})


def test_names_of_the_users_may_be_those_of_hyperparameters(rng: np.random.Generator) -> None:
    lr, w_velocity, w = sn.tensor("lr", m), sn.tensor("w_velocity", m), sn.scalar("w")
    loss = sn.mean((lr + w_velocity - w) ** 2)
    run = sn.fit(loss, {w: 0.0}, {lr: np.ones(4), w_velocity: np.ones(4)}, optimizer=sn.Momentum(0.1), epochs=300)
    assert run.params["w"] == pytest.approx(2)

"""Stopping rules: thresholds, and which of them stopped a run."""

from __future__ import annotations

import numpy as np
import pytest

import symnet as sn
from symnet.errors import ArgumentError, ValueDomainError
from tests.train import models


@pytest.mark.parametrize(
    ("stop", "losses", "norm", "expected"),
    [
        (sn.Stop(loss_change=0.1), [1.0], None, None),
        (sn.Stop(loss_change=0.1), [1.0, 0.8], None, None),
        (sn.Stop(loss_change=0.1), [1.0, 0.95], None, "loss_change"),
        (sn.Stop(loss_change=0.1), [1.0, 1.05], None, "loss_change"),
        (sn.Stop(gradient_norm=0.1), [1.0], 0.05, "gradient_norm"),
        (sn.Stop(gradient_norm=0.1), [1.0], 0.5, None),
        (sn.Stop(loss_change=0.1, gradient_norm=0.1), [1.0, 0.99], 0.5, "loss_change"),
        (sn.Stop(loss_change=0.1, gradient_norm=0.1), [1.0, 0.5], 0.05, "gradient_norm"),
    ],
)
def test_a_rule_holds_below_its_threshold(
    stop: sn.Stop, losses: list[float], norm: float | None, expected: str | None
) -> None:
    assert stop.reached(losses, norm) == expected


def test_a_run_says_that_the_loss_no_longer_changed(rng: np.random.Generator) -> None:
    run = sn.fit(models.LINE, models.line_start(), models.line_data(rng), epochs=5000, stop=sn.Stop(loss_change=1e-9))
    assert run.stopped_by == "loss_change"
    assert abs(run.history.loss[-1] - run.history.loss[-2]) < 1e-9
    assert abs(run.history.loss[-2] - run.history.loss[-3]) >= 1e-9


def test_a_run_says_that_the_gradient_vanished(rng: np.random.Generator) -> None:
    data = models.line_data(rng)
    run = sn.fit(models.LINE, models.line_start(), data, epochs=5000, stop=sn.Stop(gradient_norm=1e-6))
    assert run.stopped_by == "gradient_norm"
    norms = run.history.gradient_norm
    assert norms[-1] < 1e-6 <= min(norms[:-1])
    g = models.line_gradient(data, *models.line_start().values())
    assert norms[0] == pytest.approx(np.sqrt((g[0] ** 2).sum() + g[1] ** 2), rel=1e-12)


def test_a_run_says_that_its_epochs_are_over(rng: np.random.Generator) -> None:
    run = sn.fit(models.LINE, models.line_start(), models.line_data(rng), epochs=3)
    assert (run.stopped_by, run.history.epochs) == ("epochs", 3)


def test_rules_work_with_mini_batches(rng: np.random.Generator) -> None:
    stop = sn.Stop(gradient_norm=1e-5)
    run = sn.fit(models.LINE, models.line_start(), models.line_data(rng), batch_size=16, epochs=5000, stop=stop)
    assert run.stopped_by == "gradient_norm"
    assert len(run.history.gradient_norm) == run.history.epochs < 5000


def test_a_stop_without_a_threshold_is_refused() -> None:
    with pytest.raises(ArgumentError, match=r"Stop\(loss_change=None, gradient_norm=None\): expected a threshold"):
        sn.Stop()


@pytest.mark.parametrize(("name", "value"), [("loss_change", 0), ("gradient_norm", -1.0), ("loss_change", "small")])
def test_an_impossible_threshold_is_refused(name: str, value: object) -> None:
    with pytest.raises(ValueDomainError, match=rf"expected {name} > 0; got {value!r}"):
        sn.Stop(**{name: value})  # type: ignore[arg-type]

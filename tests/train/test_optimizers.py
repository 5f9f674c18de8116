"""Update rules: each is an expression, and compiled it does what the formula says."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import symnet as sn
from symnet.errors import ArgumentError, ValueDomainError
from symnet.reference import evaluate
from symnet.train.optimizers import Optimizer
from tests.train import models

Arrays = list[np.ndarray]


def sgd(lr: float, **_: float) -> Callable[[int, Arrays, Arrays], Arrays]:
    return lambda t, ws, gs: [w - lr * g for w, g in zip(ws, gs, strict=True)]


def sign(lr: float) -> Callable[[int, Arrays, Arrays], Arrays]:
    return lambda t, ws, gs: [w - lr * np.sign(g) for w, g in zip(ws, gs, strict=True)]


def momentum(lr: float, beta: float, nesterov: bool) -> Callable[[int, Arrays, Arrays], Arrays]:
    velocity = [np.zeros(3), np.zeros(())]

    def update(t: int, ws: Arrays, gs: Arrays) -> Arrays:
        velocity[:] = [beta * v + g for v, g in zip(velocity, gs, strict=True)]
        ways = [g + beta * v for v, g in zip(velocity, gs, strict=True)] if nesterov else velocity
        return [w - lr * way for w, way in zip(ws, ways, strict=True)]

    return update


def adam(lr: float, b1: float, b2: float, eps: float) -> Callable[[int, Arrays, Arrays], Arrays]:
    """Algorithm 1 of the paper, as printed there."""
    m, v = [np.zeros(3), np.zeros(())], [np.zeros(3), np.zeros(())]

    def update(t: int, ws: Arrays, gs: Arrays) -> Arrays:
        m[:] = [b1 * a + (1 - b1) * g for a, g in zip(m, gs, strict=True)]
        v[:] = [b2 * a + (1 - b2) * g**2 for a, g in zip(v, gs, strict=True)]
        corrected = [(a / (1 - b1 ** (t + 1)), c / (1 - b2 ** (t + 1))) for a, c in zip(m, v, strict=True)]
        return [w - lr * a / (np.sqrt(c) + eps) for w, (a, c) in zip(ws, corrected, strict=True)]

    return update


def adamw(lr: float, b1: float, b2: float, eps: float, decay: float) -> Callable[[int, Arrays, Arrays], Arrays]:
    """Algorithm 2 of the paper with η = 1 and λ = lr·decay, as it is usual."""
    step = adam(lr, b1, b2, eps)

    def update(t: int, ws: Arrays, gs: Arrays) -> Arrays:
        moved = step(t, [np.zeros_like(w) for w in ws], gs)
        return [w - lr * decay * w + way for w, way in zip(ws, moved, strict=True)]

    return update


BY_HAND = [
    (sn.SGD(0.1), sgd(0.1)),
    (sn.SignDescent(0.01), sign(0.01)),
    (sn.Momentum(0.05, beta=0.8), momentum(0.05, 0.8, False)),
    (sn.Momentum(0.05, beta=0.8, nesterov=True), momentum(0.05, 0.8, True)),
    (sn.Adam(0.02, b1=0.8, b2=0.95, eps=1e-6), adam(0.02, 0.8, 0.95, 1e-6)),
    (sn.AdamW(0.02, b1=0.8, b2=0.95, eps=1e-6, weight_decay=0.3), adamw(0.02, 0.8, 0.95, 1e-6, 0.3)),
    (sn.AdamW(0.02, weight_decay=0.0), adam(0.02, 0.9, 0.999, 1e-8)),
]


@pytest.mark.parametrize(("optimizer", "by_hand"), BY_HAND, ids=lambda x: getattr(x, "rule", x) and str(x)[:30])
def test_a_compiled_rule_follows_the_one_by_hand(
    optimizer: Optimizer, by_hand: Callable[[int, Arrays, Arrays], Arrays], rng: np.random.Generator
) -> None:
    data = models.line_data(rng)
    run = sn.fit(models.LINE, models.line_start(), data, optimizer=optimizer, epochs=12)
    ws, losses = list(models.line_start().values()), []
    for t in range(12):
        losses.append(models.line_loss(data, *ws))
        ws = by_hand(t, ws, list(models.line_gradient(data, *ws)))
    np.testing.assert_allclose(run.history.step_loss, losses, rtol=1e-12)
    np.testing.assert_allclose(run.params["w"], ws[0], rtol=1e-12)
    np.testing.assert_allclose(run.params["b"], ws[1], rtol=1e-12)


@pytest.mark.parametrize(
    ("optimizer", "formula"),
    [
        (sn.SGD(0.1), "w - g*lr"),
        (sn.SignDescent(0.1), "w - lr*sign(g)"),
    ],
    ids=str,
)
def test_a_rule_can_be_read_as_a_formula(optimizer: Optimizer, formula: str) -> None:
    assert str(optimizer.formulas()[0]) == formula


@pytest.mark.parametrize(("optimizer", "by_hand"), BY_HAND, ids=lambda x: getattr(x, "rule", x) and str(x)[:30])
def test_a_formula_has_one_result_for_the_parameter_and_one_for_each_state(
    optimizer: Optimizer, by_hand: object
) -> None:
    formulas = optimizer.formulas()
    assert len(formulas) == 1 + len(optimizer.rule.states)
    names = {leaf.name for f in formulas for leaf in f.free_symbols if isinstance(leaf, type(sn.scalar("x")))}
    values = evaluate(list(formulas), {name: np.array(0.5) for name in names})
    assert all(np.isfinite(v).all() for v in values)


def test_a_schedule_changes_the_rate_at_every_step_without_compiling_again(rng: np.random.Generator) -> None:
    data, seen = models.line_data(rng), []

    def rate(step: int) -> float:
        seen.append(step)
        return 0.2 / (1 + step)

    fixed = sn.fit(models.LINE, models.line_start(), data, optimizer=sn.SGD(0.1), epochs=1)
    run = sn.fit(models.LINE, models.line_start(), data, optimizer=sn.SGD(rate), epochs=3)
    assert seen == [0, 1, 2]
    assert run.step is fixed.step
    w, b = models.line_start().values()
    for step in range(3):
        g = models.line_gradient(data, w, b)
        w, b = w - 0.2 / (1 + step) * g[0], b - 0.2 / (1 + step) * g[1]
    np.testing.assert_allclose(run.params["w"], w, rtol=1e-12)


@pytest.mark.parametrize(
    "optimizer", [sn.SGD(0.1), sn.Momentum(0.1, nesterov=True), sn.Adam(0.1), sn.AdamW(0.1)], ids=str
)
def test_a_gradient_that_is_a_sum_moves_its_parameter(optimizer: Optimizer) -> None:
    """`w - lr*(x + y + z)` once made the simplifier turn a minus sign in and out without end."""
    w, x, y, z = (sn.tensor(name, 3) for name in "wxyz")
    run = sn.fit(sn.sum(w * (x + y + z)), {w: np.zeros(3)}, dict.fromkeys((x, y, z), np.ones(3)), optimizer=optimizer)
    assert (run.params["w"] < 0).all()


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: sn.SGD(-0.1), ValueDomainError, r"SGD\(lr=-0\.1\): expected lr > 0; got lr=-0\.1\..*maximize=True"),
        (lambda: sn.SGD("fast"), ArgumentError, r"expected a number or a function of the step as lr; got 'fast'"),
        (lambda: sn.SignDescent(0), ValueDomainError, r"SignDescent\(lr=0\): expected lr > 0; got lr=0"),
        (lambda: sn.Momentum(0.1, beta=1.0), ValueDomainError, r"expected beta in \[0, 1\); got beta=1\.0"),
        (lambda: sn.Adam(b1=-0.5), ValueDomainError, r"expected b1 in \[0, 1\); got b1=-0\.5"),
        (lambda: sn.Adam(b2=2), ValueDomainError, r"expected b2 in \[0, 1\); got b2=2"),
        (lambda: sn.Adam(eps=0.0), ValueDomainError, r"expected eps > 0; got eps=0\.0"),
        (lambda: sn.AdamW(weight_decay=-1), ValueDomainError, r"expected weight_decay >= 0; got weight_decay=-1"),
        (lambda: sn.AdamW(b1=1.0), ValueDomainError, r"expected b1 in \[0, 1\); got b1=1\.0"),
    ],
    ids=range(9),
)
def test_impossible_hyperparameters_are_refused(
    make: Callable[[], object], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        make()

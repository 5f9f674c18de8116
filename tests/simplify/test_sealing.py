"""Seals: where they are put, that nothing else sees them, and that work grows with depth no faster than the value."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.expr.nodes.graph import topological
from symnet.expr.nodes.symbols import Sealed
from symnet.simplify.algebra.table import simplify
from symnet.simplify.cost import operation_count
from symnet.simplify.numeric.passes import numeric
from symnet.simplify.sealing import OPEN, sealed, unsealed
from tests.recurrences import STEPS, unrolled

x, a = sn.scalar("x"), sn.scalar("a")
v, u0 = sn.tensor("v", 8), sn.tensor("u0", 8)
W = sn.tensor("W", 8, 8)


def _chain(step: Callable[[Any], Any], start: Any) -> Callable[[int], Any]:
    def of(depth: int) -> Any:
        u = start
        for _ in range(depth):
            u = step(u)
        return sn.sum(u) if u.rank else u

    return of


def _normed(u: Any) -> Any:
    centred = u - sn.mean(u)
    return centred / sn.sqrt(sn.mean(centred**2) + 1e-5)


def _runge_kutta(y: Any) -> Any:
    f = lambda t: a * t * (1 - t)
    k1 = f(y)
    k2 = f(y + k1 / 20)
    k3 = f(y + k2 / 20)
    return y + (k1 + 2 * k2 + 2 * k3 + f(y + k3 / 10)) / 60


# name → depth → a value, its variable, the most operations of value and gradient in those of the value
GROWING: dict[str, tuple[Callable[[int], Any], Any, float]] = {
    **{name: (_chain(step.of_nodes, x), x, 6.5) for name, step in STEPS.items()},
    "logistic map": (_chain(lambda u: a * u * (1 - u), x), a, 6.5),
    "Runge and Kutta": (_chain(_runge_kutta, x), a, 5.5),
    "residual with a shared operand": (_chain(lambda u: u + v * sn.sin(u) / 10, u0), v, 5),
    "layer norm and residual": (_chain(lambda u: _normed(u) * v + u, u0), v, 5.5),
    "norm and residual": (_chain(lambda u: u / sn.norm(u) + v, u0), v, 9),
    "residual layers": (_chain(lambda u: u + sn.tanh(W @ u), u0), W, 5),
    "where": (_chain(lambda u: sn.where(u > 0, u * u + a, u - a * u) / 3, x), a, 6.5),
    "maximum": (_chain(lambda u: u + sn.maximum(a * u, sn.sin(u)), x), a, 6.5),
    "two terms": (lambda depth: _fibonacci(depth), x, 6.5),
}


def _fibonacci(depth: int) -> Any:
    before, now = x, sn.sin(x)
    for _ in range(depth):
        before, now = now, now * before + sn.sin(before)
    return now


def _ratio(make: Callable[[int], Any], by: Any, depth: int) -> float:
    value = make(depth)
    return float(operation_count([value, sn.grad(value, by)]) / operation_count([value]))


@pytest.mark.parametrize("name", GROWING)
def test_the_work_of_a_gradient_is_a_constant_times_that_of_its_value_at_every_depth(name: str) -> None:
    make, by, bound = GROWING[name]
    ratios = {depth: _ratio(make, by, depth) for depth in (6, 12, 24)}
    assert ratios[24] <= bound, ratios
    assert ratios[24] <= 1.05 * max(ratios[6], ratios[12]), ratios


def test_a_graph_of_few_steps_is_never_sealed() -> None:
    for name, step in STEPS.items():
        L = unrolled(step, OPEN, x)
        assert not any(isinstance(n, Sealed) for n in topological(sn.grad(L, x))), name


def test_seals_are_put_on_far_steps_and_taken_off_again() -> None:
    L = unrolled(STEPS["scaled sum"], 12, x)
    (marked,) = sealed([L])
    seals = [n for n in topological(marked) if isinstance(n, Sealed)]
    assert len(seals) == 11 - OPEN  # of the steps 1 … 11, for the last is the root
    assert unsealed([marked]) == [L]
    assert sealed(unsealed([marked])) == [marked]
    assert pickle.loads(pickle.dumps(marked)) is marked
    assert str(Sealed(x + a)) == str(x + a)


def test_a_seal_keeps_its_sum_closed_and_what_it_holds_is_simplified() -> None:
    y = sn.sin(x)
    (kept,) = simplify([Sealed(y + y + a) + a])
    assert kept.op == "add" and any(isinstance(o, Sealed) for o in kept.operands)
    assert simplify([Sealed(y + y - 2 * y) + a]) == [a]
    assert simplify([Sealed(y) + a]) == simplify([y + a])
    assert not any(isinstance(n, Sealed) for n in topological(*numeric([kept])))


def test_derive_reaches_the_gradient_of_a_deep_recurrence() -> None:
    L = unrolled(STEPS["residual"], 10, x)
    d = sn.derive(L, x)
    f = sn.compile([d.result, sn.grad(L, x)])
    one, other = f(x=np.float64(0.3))
    np.testing.assert_allclose(one, other, rtol=1e-14)

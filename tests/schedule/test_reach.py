"""Rows that need rows a few places further: random programs of shifts, which are right and need no more memory for more
rows, and how far each value is computed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sympy

import symnet as sn
from symnet.expr.nodes.symbols import leaves, tensor
from symnet.loops import interpreter
from symnet.loops.order import check_order
from symnet.loops.verifier import verify
from symnet.reference import evaluate
from symnet.schedule.reach import reach
from symnet.schedule.reuse import reused
from symnet.schedule.stream import MOST_PLACES, plan
from tests.schedule.nests import lowered

m = sn.dim("m")
W, K = tensor("W", 3, 3), tensor("K", 3, 3, 3)


def cut(h: Any, rng: np.random.Generator) -> Any:
    before, after = (int(n) for n in rng.integers(0, 3, 2))
    return h[before : h.shape[0] - after]


def padded(h: Any, rng: np.random.Generator) -> Any:
    before, after = (int(n) for n in rng.integers(0, 3, 2))
    return sn.pad(h, [(before, after), (0, 0)])


NEAR: dict[str, Callable[[Any, np.random.Generator], Any]] = {
    "layer": lambda h, rng: sn.tanh(h @ W),
    "cut": cut,
    "padded": padded,
    "difference": lambda h, rng: h[1:] - h[:-1],
    "convolution": lambda h, rng: sn.tanh(sum(h[a : h.shape[0] - 2 + a] @ K[a] for a in range(3))),
    "smoothed": lambda h, rng: sn.sin(h[2:] + h[:-2]) * h[1:-1],
    "of each row": lambda h, rng: sn.softmax(h, axis=1) * h,
}
FAR: dict[str, Callable[[Any, np.random.Generator], Any]] = {
    "centred": lambda h, rng: h - sn.mean(h, axis=0),
    "turned": lambda h, rng: sn.concat([h[1:], h[:1]]),
    "backwards": lambda h, rng: h[::-1],
}


def program(rng: np.random.Generator, steps: dict[str, Any], rows: Any) -> list[Any]:
    """A loss of several values of a chain, its gradients, and perhaps the last value."""
    h: Any = sn.tensor("X", rows, 3)
    kept = []
    for _ in range(rng.integers(1, 6)):
        h = steps[rng.choice(list(steps))](h, rng)
        kept += [h] if rng.random() < 0.2 else []
    loss = sn.sum(h**2) + sum(sn.sum(sn.sin(v)) for v in kept)
    wrt = [x for x in leaves(loss) if x.name != "X" or rng.random() < 0.5]
    return [loss, *sn.grad(loss, wrt), *([h] if rng.random() < 0.3 else [])]


@pytest.mark.parametrize("seed", range(40))
def test_values_are_right_whatever_is_needed_from_where(seed: int) -> None:
    rng = np.random.default_rng(seed)
    count = int(rng.choice([14, 40, 255, 256, 257, 300, 513]))
    roots = program(rng, NEAR | FAR, count if seed % 4 == 0 else m)
    data = {x.name: rng.normal(size=[int(sympy.sympify(n).subs({m: count})) for n in x.shape]) for x in leaves(*roots)}
    made = reused(sn.compile(roots, stop_after="schedule"))
    verify(made)
    check_order(made)
    found = interpreter.run(made, data, dims={"m": count}, check=False)
    for output, want in zip(made.outputs, evaluate(roots, data), strict=True):
        np.testing.assert_allclose(found[output.name], want, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("seed", range(12))
def test_memory_does_not_grow_and_threads_change_no_bit(seed: int) -> None:
    rng = np.random.default_rng([seed, 1])
    roots = [x for x in program(rng, NEAR, m) if x.shape == () or not sympy.sympify(x.shape[0]).free_symbols]
    one, two = (sn.compile(roots, threads=threads) for threads in (1, 2))
    assert one.workspace_bytes(m=2000) == one.workspace_bytes(m=200_000)
    data = {x.name: rng.normal(size=[int(sympy.sympify(n).subs({m: 700})) for n in x.shape]) for x in leaves(*roots)}
    for a, b, want in zip(one(**data), two(**data), evaluate(roots, data), strict=True):
        assert np.array_equal(a, b)
        np.testing.assert_allclose(a, want, rtol=1e-8, atol=1e-9)


def reached(*roots: Any) -> list[Any]:
    whole = lowered(*roots)
    return [reach(sweep.rows, sweep.reduces) for sweep in plan(whole.nests, whole.workspace).sweeps]


def test_a_value_is_computed_as_far_as_it_is_read() -> None:
    H = sn.tanh(sn.tensor("X", m, 3) @ W)
    (once,) = reached(sn.sum(sn.tanh(H[3:] @ W) * sn.tanh(H[:-3] @ W)))
    assert sorted(once.buffers.values()) == [(0, 0)] * (len(once.buffers) - 1) + [(0, 3)]
    assert once.places == 3 and max(once.levels.values()) == 1


def test_rows_without_neighbours_are_one_phase() -> None:
    H = sn.tanh(sn.tensor("X", m, 3) @ W)
    (once,) = reached(sn.sum(sn.tanh(H @ W)))
    assert once.places == 0 and set(once.levels.values()) == {0}


def test_what_reaches_too_far_is_stored_whole() -> None:
    def heat(steps: int) -> Any:
        u: Any = sn.tensor("u", m)
        for _ in range(steps):
            u = u + 0.1 * sn.pad(sn.sin(u[2:] - 2 * u[1:-1] + u[:-2]), [(1, 1)])
        return sn.sum(u * u)

    few, many = (sn.compile(heat(steps), stop_after="schedule") for steps in (5, MOST_PLACES))
    assert not few.notes
    assert any(note.startswith("stored whole, as rows are moved, or used at other rows") for note in many.notes)
    data = {"u": np.random.default_rng(1).normal(size=400)}
    got = interpreter.run(reused(many), data, dims={"m": 400}, check=False)
    np.testing.assert_allclose(got[many.outputs[0].name], evaluate(heat(MOST_PLACES), data), rtol=1e-6)

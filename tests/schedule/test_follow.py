"""What becomes of a sum over rows, where the sum is completed: which passes go, and that values stay."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
import pytest

import symnet as sn
from symnet.backends.llvm.targets import target_for
from symnet.loops.ir import Program
from symnet.loops.operations import Total
from symnet.loops.order import check_order
from symnet.loops.verifier import verify
from symnet.reference.evaluation import evaluate
from tests.schedule.orders import check_every_order

AVX2 = target_for("x86_64-unknown-linux-gnu", features="+avx2,+fma")
m = sn.dim("m")
X, T, w = sn.tensor("X", m, 30), sn.tensor("T", m, 70), sn.tensor("w", 30)
W, V, b = sn.tensor("W", 30, 70), sn.tensor("V", 30, 70), sn.tensor("b", 70)

LOSS = sn.sum((sn.tanh(X @ W + b) - T) ** 2) / 100
G, g = sn.grad(LOSS, [W, b])
VELOCITY = V / 2 + G
LIGHT = sn.sum(sn.softplus(X @ w))

FOLLOWED: dict[str, Sequence[sn.Node]] = {
    "a step": [W - G / 10, b - g / 10],
    "a step and what it is made of": [LOSS, G, W - G / 10],
    "momentum": [W - VELOCITY / 10, VELOCITY],
    "a norm of each": [W / (1 + sn.abs(G))],
    "a function of the sum": [sn.exp(-sn.sum(X * X, axis=0))],
    "light rows": [LIGHT, w - sn.grad(LIGHT, w) / 10],
    "one number": [sn.log(1 + LOSS)],
}
APART: dict[str, Sequence[sn.Node]] = {
    "other points": [W.T - G.T[::-1] / 10],
    "of two sums": [G + g],
    "of all points": [W - G / sn.norm(G)],
    "of the same sum at two points": [G + G[::-1]],
}


@cache
def program(name: str) -> Program:
    found = sn.compile({**FOLLOWED, **APART}[name], stop_after="schedule", target=AVX2)
    verify(found)
    check_order(found)
    return found


@pytest.mark.parametrize("name", FOLLOWED)
def test_no_pass_follows(name: str) -> None:
    *_, (_, last) = program(name).phases()
    assert last.name == "sums_0"


@pytest.mark.parametrize("name", APART)
def test_what_needs_other_points_or_sums_waits(name: str) -> None:
    *_, (_, last) = program(name).phases()
    assert not last.name.startswith("sums")


@pytest.mark.parametrize("rows", [0, 200, 601])
@pytest.mark.parametrize("name", [*FOLLOWED, *APART])
def test_units_in_any_order_give_what_the_reference_gives(name: str, rows: int) -> None:
    roots = {**FOLLOWED, **APART}[name]
    if rows == 0 and name == "of all points":
        pytest.skip("divides by zero")
    check_every_order(program(name), roots, rows, 1e-10)


@pytest.mark.parametrize("name", FOLLOWED)
def test_compiled_code_gives_the_same_for_any_threads(name: str) -> None:
    rng, rows = np.random.default_rng(1), 601
    one, two = (sn.compile(FOLLOWED[name], threads=n) for n in (1, 2))
    data = {b.name: rng.normal(size=[getattr(n, "value", rows) for n in b.shape]) for b in one.signature.inputs}
    for ours, theirs, form in zip(one(**data), two(**data), FOLLOWED[name], strict=True):
        np.testing.assert_array_equal(ours, theirs)
        np.testing.assert_allclose(ours, evaluate(form, data), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("name", FOLLOWED)
def test_operations_are_counted_once_in_closed_form(name: str) -> None:
    flops = sn.compile(FOLLOWED[name]).flops
    assert not flops.atoms(Total)

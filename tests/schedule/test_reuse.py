"""Memory used again: what shares it is never in use at the same time, and long chains need no more than short ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.loops import interpreter
from symnet.loops.ir import Buffer, Program
from symnet.loops.verifier import verify
from symnet.reference import evaluate
from symnet.schedule.reuse import reused
from tests.cases import CASES, Case

m = sn.dim("m")
A, y = sn.tensor("A", 40, 40), sn.tensor("y", 40)
X = sn.tensor("X", m, 40)


def steps(number: int, start: Any = y) -> Any:
    x = start
    for _ in range(number):
        x = sn.tanh(x @ A)
    return x


def scheduled(root: Any) -> Program:
    program: Program = sn.compile(root, stop_after="schedule")
    return program


def arrays(program: Program) -> list[Buffer]:
    return [b for b in program.workspace if b.view_of is None]


def test_a_chain_needs_as_much_memory_as_a_short_one() -> None:
    few, many = (sn.compile(steps(n)).workspace_bytes() for n in (4, 40))
    assert many == few <= 3 * 40 * 8


def test_rows_that_mix_need_as_much_memory_as_in_a_short_chain() -> None:
    def mixed(number: int) -> Any:
        x = X
        for _ in range(number):
            x = sn.tanh(sn.softmax(x @ x.T) @ x)
        return x

    few, many = (sn.compile(mixed(n)).workspace_bytes(m=300) for n in (4, 12))
    assert many <= few


def test_a_gradient_keeps_what_it_reads_later() -> None:
    loss = sn.sum(steps(12) ** 2)
    rng = np.random.default_rng(2)
    data = {"A": rng.normal(size=(40, 40)) / 6, "y": rng.normal(size=40)}
    gradients = sn.grad(loss, [A, y])
    for got, want in zip(sn.compile(gradients)(**data), evaluate(gradients, data), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("case", [case for case in CASES if case.wrt], ids=lambda case: case.name)
def test_what_shares_memory_is_never_in_use_at_once(case: Case, rng: np.random.Generator) -> None:
    """The interpreter gives the same bits with and without."""
    loss = sum((sn.sum(root) for root in case.roots[1:]), sn.sum(case.roots[0]))
    program = scheduled([*case.roots, *sn.grad(loss, case.targets)])
    shared = reused(program)
    if len(arrays(shared)) == len(arrays(program)):
        return
    data = case.data(rng)
    found, again = (interpreter.run(each, data, dims=case.dims, check=False) for each in (program, shared))
    for output in program.outputs:
        np.testing.assert_array_equal(found[output.name], again[output.name])


def test_buffers_of_one_size_share_memory_and_others_do_not() -> None:
    x = sn.tanh(sn.tanh(sn.tanh(y @ A) @ A) @ A)
    program = reused(scheduled([x @ sn.tensor("B", 40, 8) @ sn.tensor("C", 8, 40) @ A]))
    views = {b.name: b.view_of for b in program.workspace if b.view_of}
    sizes = {b.name: b.shape for b in program.workspace}
    assert views
    assert all(sizes[view] == sizes[base] for view, base in views.items())
    verify(program)

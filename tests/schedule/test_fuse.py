"""Loops joined into one: what is joined, what is not, and that not a bit changes."""

from __future__ import annotations

from typing import Any
from unittest import mock

import numpy as np
import pytest

import symnet as sn
from symnet.loops import interpreter
from symnet.loops.ir import For, Let, Load, Op, Program, walk
from symnet.loops.verifier import verify
from symnet.schedule import program as scheduling
from tests.cases import CASES, Case

m = sn.dim("m")
x, y, M = sn.tensor("x", 40), sn.tensor("y", 40), sn.tensor("M", 40, 40)
X = sn.tensor("X", m, 40)


def scheduled(*roots: Any) -> Program:
    program: Program = sn.compile(list(roots), stop_after="schedule")
    return program


def loops(program: Program) -> list[For]:
    return [s for _, phase in program.phases() for s in walk(phase.body) if isinstance(s, For) and s.kind == "vector"]


def operations(program: Program, name: str) -> int:
    lets = (s for _, phase in program.phases() for s in walk(phase.body) if isinstance(s, Let))
    return sum(isinstance(s.value, Op) and s.value.name == name for s in lets)


r = sn.sqrt(x**2 + y**2)
JOINED: dict[str, tuple[list[Any], int]] = {
    "a value and its gradient": ([r, *sn.grad(sn.sum(r), [x, y])], 1),
    "a function once": ([sn.tanh(x), 1 - sn.tanh(x) ** 2], 1),
    "rows": ([sn.exp(X) * 2, sn.grad(sn.sum(sn.exp(X)), X)], 1),
}


@pytest.mark.parametrize("name", JOINED)
def test_outputs_over_the_same_points_are_one_loop(name: str) -> None:
    roots, count = JOINED[name]
    assert len(loops(scheduled(*roots))) == count


def test_what_is_computed_once_is_not_stored_for_others() -> None:
    program = scheduled(*JOINED["a value and its gradient"][0])
    assert program.workspace == ()
    assert operations(program, "sqrt") == 1
    loads = [s for loop in loops(program) for s in walk(loop.body) if isinstance(s, Let) and isinstance(s.value, Load)]
    assert len(loads) == 2, "x and y, each read once"


t = sn.tanh(x * y)
APART: dict[str, list[Any]] = {
    "at another point": [t, t[::-1] * x],
    "beside": [t, t[1:] - t[:-1]],
    "after a sum of all": [t, t * sn.sum(t)],
    "turned": [sn.tanh(M), sn.tanh(M).T * x],
    "by an index": [t, sn.take(t, sn.tensor("i", 40, dtype="int64")) * x],
    "reshaped": [sn.tanh(M), sn.reshape(sn.tanh(M), (1600,)) * 2],
    "two functions": [sn.exp(x), sn.erf(x * sn.exp(x))],
}


@pytest.mark.parametrize("name", APART)
def test_what_needs_another_point_waits_for_all(name: str) -> None:
    program = scheduled(*APART[name])
    verify(program)
    assert len([f for _, phase in program.phases() for f in phase.body if isinstance(f, For)]) >= 2


@pytest.mark.parametrize("case", [case for case in CASES if case.wrt], ids=lambda case: case.name)
def test_not_a_bit_changes(case: Case, rng: np.random.Generator) -> None:
    """The interpreter gives the same with and without, from buffers that begin with poison."""
    loss = sum((sn.sum(root) for root in case.roots[1:]), sn.sum(case.roots[0]))
    roots = [*case.roots, *sn.grad(loss, case.targets)]
    joined = scheduled(*roots)
    with mock.patch.object(scheduling, "fused", lambda nests, *_: nests):
        plain = scheduled(*roots)
    if joined == plain:
        return
    data = case.data(rng)
    found, again = (interpreter.run(each, data, dims=case.dims, check=False) for each in (joined, plain))
    for output in joined.outputs:
        np.testing.assert_array_equal(found[output.name], again[output.name])

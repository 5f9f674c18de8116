"""Checks joined to gathers of numbers: which are joined, and that values and errors stay what they were."""

from __future__ import annotations

from contextlib import nullcontext
from functools import lru_cache
from typing import Any
from unittest import mock

import numpy as np
import pytest

import symnet as sn
from symnet.backends.llvm.codegen import compile_object, emit_ir
from symnet.backends.llvm.loading import load, runs_here
from symnet.backends.llvm.targets import host_target, target_for
from symnet.errors import ValueDomainError
from symnet.loops import interpreter
from symnet.loops.ir import Fetch, Program, walk
from symnet.loops.verifier import verify
from symnet.schedule import program as scheduling
from tests.fuzz.guarded import guarded
from tests.llvm.native import Native, meant, native

m, n = sn.dim("m"), sn.dim("n")
E, F, T, G = sn.tensor("E", 9), sn.tensor("F", n), sn.tensor("T", 9, 4), sn.tensor("G", 9, dtype="int64")
p = sn.tensor("p", m, dtype="int32")
i, j = sn.tensor("i", m, dtype="int64"), sn.tensor("j", m, dtype="int32")
H = sn.tensor("H", 9)
A, K = sn.tensor("A", m, 3, dtype="int64"), sn.tensor("K", 600, dtype="int64")
DATA = {
    "E": np.arange(9.0), "H": np.arange(9.0) - 4, "F": np.arange(5.0) + 40,
    "T": np.arange(36.0).reshape(9, 4), "G": np.arange(9) + 7,
}  # fmt: skip
FETCHED: dict[str, tuple[Any, int]] = {
    "numbers": (sn.take(E, i), 1),
    "by narrow indices": (sn.take(E, j), 1),
    "of an extent of the call": (sn.take(F, i), 1),
    "two tables": (sn.take(E, i) * sn.take(F, j), 2),
    "in a function": (sn.tanh(sn.take(E, i)) + 1, 1),
    "beside numbers of another type": (sn.where(p > 0, sn.take(E, i), 0.5), 1),
    "indices of rank two": (sn.take(E, A), 1),
    "of a known number": (sn.take(E, K), 1),
    "of integers by narrow ones": (sn.take(G, j), 1),
}
CHECKED_APART: dict[str, Any] = {
    "rows": sn.take(T, i),
    "computed": sn.take(E, i + 1),
    "a slice of the table": sn.take(E[:5], i),
    "two loads by one index": sn.take(E, i) * sn.take(H, i),
    "read by a sum, too": [sn.take(E, i), sn.grad(sn.sum(sn.take(E, i) ** 2), E)],
    "what may be the memory of its indices": sn.take(G, i),
    "what may be the memory of another input": sn.take(E, i) * sn.tensor("z", m),
}


def scheduled(formula: Any, target: Any = None) -> Program:
    program: Program = sn.compile(formula, stop_after="schedule", target=target)
    verify(program)
    return program


def fetches(program: Program) -> int:
    return sum(isinstance(s, Fetch) for _, phase in program.phases() for s in walk(phase.body))


@lru_cache(maxsize=64)
def compiled(name: str, fetching: bool, threads: int = 1) -> Any:
    """A formula by its name, with fetches where there are any, or without."""
    formula = FETCHED[name][0] if name in FETCHED else CHECKED_APART[name]
    with nullcontext() if fetching else mock.patch.object(scheduling, "fetching", lambda nests, _: nests):
        return sn.compile(formula, threads=threads)


def given(program: Any, indices: np.ndarray) -> dict[str, np.ndarray]:
    """Arrays between forbidden pages for a program, or for a function."""
    every = {
        **DATA, "i": indices, "j": indices[::-1].astype("int32"), "A": np.stack([indices] * 3, 1),
        "p": indices.astype("int32"), "z": np.ones(len(indices)), "K": np.resize(indices, 600),
    }  # fmt: skip
    names = [getattr(x, "name", x) for x in program.inputs]
    return {name: guarded(every[name]) for name in names}


def listed(outputs: Any) -> list[np.ndarray]:
    return list(outputs) if isinstance(outputs, tuple) else [outputs]


@pytest.mark.parametrize("name", FETCHED)
def test_numbers_are_fetched(name: str) -> None:
    formula, count = FETCHED[name]
    assert fetches(scheduled(formula)) == count


@pytest.mark.parametrize("name", CHECKED_APART)
def test_everything_else_is_checked_apart(name: str) -> None:
    program = scheduled(CHECKED_APART[name])
    assert fetches(program) == 0
    assert "fail INDEX_OUT_OF_RANGE" in str(program)


@pytest.mark.parametrize("name", [*FETCHED, *CHECKED_APART])
def test_values_are_those_without_fetches(rng: np.random.Generator, name: str) -> None:
    mine, theirs = compiled(name, True), compiled(name, False)
    for count in (1, 8, 255, 600):
        for low in (0, -5):  # what counts from the end runs another way
            data = given(mine, rng.integers(low, 4, count))
            for got, wanted in zip(listed(mine(**data)), listed(theirs(**data)), strict=True):
                np.testing.assert_array_equal(got, wanted)


@pytest.mark.parametrize("name", FETCHED)
@pytest.mark.parametrize("threads", [1, 2])
def test_an_error_is_the_one_without_fetches(rng: np.random.Generator, name: str, threads: int) -> None:
    for wrong in (9, -10, 2**31 - 1, -(2**31)):
        indices = rng.integers(-5, 5, 600)
        indices[[300, 500]] = wrong
        said = []
        for fetching in (True, False):
            function = compiled(name, fetching, threads)
            with pytest.raises(ValueDomainError) as found:
                function(**given(function, indices))
            said.append(str(found.value))
        assert said[0] == said[1]
        assert f"got {wrong} at" in said[0]


LEVELS = ["x86-64", "x86-64-v3", "x86-64-v4"]


@pytest.mark.parametrize("cpu", LEVELS)
@pytest.mark.parametrize("name", FETCHED)
def test_every_target_says_what_the_interpreter_says(rng: np.random.Generator, name: str, cpu: str) -> None:
    target = target_for(host_target().triple, cpu)
    if host_target().architecture != "x86_64" or not runs_here(target):
        pytest.skip("this machine lacks its instructions")
    formula, count = FETCHED[name]
    made = native(scheduled(formula, target), target)
    assert fetches(made.program) == count
    for indices in (rng.integers(0, 5, 300), rng.integers(-5, 5, 300)):
        data = given(made.program, indices)
        (wanted,) = meant(made.program, data, target=target).values()
        np.testing.assert_array_equal(made.run(data)["out0"], wanted)
    indices[17] = 77
    data = given(made.program, indices)
    assert made.call(data).run() == 4
    with pytest.raises(ValueDomainError, match="77"):
        interpreter.run(made.program, data)


def test_what_is_read_again_is_not_what_was_stored_over(rng: np.random.Generator) -> None:
    """An output that is an argument's own memory, as an exported step may have it; indices that need a second look."""
    z = sn.tensor("z", m)
    for name, formula in (("i", sn.take(G, i)), ("z", sn.take(E, i) * z)):
        program = scheduled(formula)
        data = given(program, rng.integers(-5, 5, 300))
        wanted = sn.compile(formula)(**data)
        text = emit_ir(program, donated=((name, "out0"),))
        call = Native(program, load(compile_object(text))).call(data)
        call._out[0] = data[name].ctypes.data
        assert call.run() == 0
        np.testing.assert_array_equal(data[name], wanted)

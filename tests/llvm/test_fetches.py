"""Fetches as machine code: the values and the note of the interpreter, and no foreign memory, whatever the target."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
import pytest

from symnet.backends.llvm.assembling import optimised, target_machine
from symnet.backends.llvm.codegen import emit_ir
from symnet.backends.llvm.targets import host_target, target_for
from symnet.loops import interpreter, ir
from symnet.loops.verifier import verify
from symnet.schedule.target import Target
from symnet.schedule.vectorize import vectorized
from tests.fuzz.guarded import guarded
from tests.llvm.native import native
from tests.loops.programs import buffer, load, loop, program, store, v

HOST = host_target()
TARGETS = {"host": HOST}
if HOST.architecture == "x86_64":
    TARGETS["sse2"] = target_for(HOST.triple, "x86-64")
    TARGETS["avx2"] = target_for(HOST.triple, "x86-64-v3")
    TARGETS["avx512"] = target_for(HOST.triple, "x86-64-v4") if HOST.vector_bits == 512 else TARGETS["avx2"]
FAR = [-(2**31), -1, 2**31 - 1]
FARTHER = [-(2**63), 2**63 - 1, 2**40]


@pytest.fixture(params=TARGETS)
def target(request: pytest.FixtureRequest) -> Target:
    found: Target = TARGETS[request.param]
    return found


def fetching(table: int | str, count: int | str, dtype: str, integer: str, kind: str = "vector") -> ir.Program:
    """y[i] = x[k[i]], and whether all of k was inside."""
    x, k = buffer("x", table, dtype=dtype, space="input"), buffer("k", count, dtype=integer, space="input")
    y, note = buffer("y", count, dtype=dtype, space="output"), buffer("note", 1, dtype="bool", space="output")
    inside = buffer("inside", 1, dtype="bool", space="register")
    fetch = ir.Fetch("found", load(x, ir.IntLoad(k, (v("i"),))), inside)
    made = program(
        [x, k],
        [y, note],
        ir.Alloc(inside),
        store(inside, (0,), ir.Const(True, "bool")),
        loop("i", count, fetch, store(y, ("i",), ir.Var("found", dtype)), kind=kind),
        store(note, (0,), load(inside, 0)),
        dims=[extent for extent in (table, count) if isinstance(extent, str)],
    )
    verify(made)
    return made


def numbers(rng: np.random.Generator, size: int, dtype: str) -> np.ndarray:
    return rng.integers(0, 2 if dtype == "bool" else 100, size).astype(dtype)


@pytest.mark.parametrize("integer", ["int32", "int64"])
@pytest.mark.parametrize("dtype", ["float64", "float32", "int64", "int32", "bool"])
@pytest.mark.parametrize("known", [True, False], ids=["known", "run time"])
def test_a_fetch_is_that_of_the_interpreter_between_forbidden_pages(rng, target, dtype, integer, known):
    wrong = FAR if integer == "int32" else [*FAR, *FARTHER]
    unknown = native(fetching("n", "m", dtype, integer), target)
    for table, count in ((9, 67),) if known else ((1, 1), (5, 7), (40, 16), (9, 67), (300, 131)):
        made = native(fetching(table, count, dtype, integer), target) if known else unknown
        for number in [None, table, *wrong]:
            indices = rng.integers(0, table, count).astype(integer)
            if number is not None:
                indices[rng.integers(count)] = number
            data = {"x": guarded(numbers(rng, table, dtype), bool(rng.integers(2))), "k": guarded(indices)}
            got = made.run(data)
            meant = interpreter.run(made.program, data)
            assert got["note"] == meant["note"] == [number is None]
            if number is None:
                np.testing.assert_array_equal(got["y"], data["x"][indices])
                np.testing.assert_array_equal(meant["y"], data["x"][indices])


@pytest.mark.parametrize("kind", ["serial", "vector"])
def test_one_wrong_index_is_noted_wherever_it_stands(rng, target, kind):
    made = native(fetching("n", "m", "float64", "int64", kind), target)
    for place in range(75):
        indices = rng.integers(0, 9, 75)
        indices[place] = 9
        assert not made.run({"x": guarded(rng.standard_normal(9)), "k": guarded(indices)})["note"]


def test_nothing_is_read_of_an_empty_table(target):
    for table in (0, "n"):
        for count in (1, 8, 70):
            made = native(fetching(table, count, "float64", "int64"), target)
            data = {"x": guarded(np.zeros(0)), "k": np.zeros(count, "int64")}
            assert not made.run(data)["note"]
            assert not interpreter.run(made.program, data)["note"]


@pytest.mark.parametrize("integer", ["int32", "int64"])
def test_an_index_is_loaded_once(target, integer):
    """Another thread may write to it: the number that is compared has to be the one that is used."""
    written = emit_ir(vectorized(fetching("n", "m", "float64", integer), target), target)
    with target_machine(target) as machine, optimised(written, machine) as module:
        text = str(module)
    kernel = text[text.index("@p.kernel0(") :]
    loads = Counter(
        re.findall(r"(?:load .*?, |@llvm\.masked\.load\S*\()ptr (%\S+?)[, ]", kernel[: kernel.index("\n}")])
    )
    assert loads
    assert set(loads.values()) == {1}

"""Long products go by parts of their sum: the values of NumPy at every edge, whatever is made of the sum, and hints of
what is read next that change nothing.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import symnet as sn
from symnet.errors import CompileError
from symnet.loops.ir import Buffer, Prefetch, as_int, walk
from symnet.loops.substitute import Substitution
from symnet.loops.verifier import verify
from symnet.schedule.parallelize import ROWS_SHARING
from symnet.stages import unit_of
from tests.fuzz.guarded import guarded
from tests.golden import check_golden

m, k, n = sn.dim("m"), sn.dim("k"), sn.dim("n")
SIZES = [(1, 129, 16), (7, 200, 33), (8, 256, 32), (17, 257, 100), (65, 300, 1), (130, 1000, 10), (64, 129, 129)]


def matrices(rows, inner, columns, dtype, rng):
    shapes = {"A": (rows, inner), "B": (inner, columns), "b": (columns,)}
    return {name: rng.standard_normal(shape).astype(dtype) for name, shape in shapes.items()}


def close(found, expected, inner, dtype):
    bound = 4 * np.sqrt(inner) * np.finfo(dtype).eps
    np.testing.assert_allclose(found, expected, rtol=bound, atol=bound * np.abs(expected).max(initial=1))


EPILOGUES = {
    "alone": lambda z, b: z,
    "bias": lambda z, b: z + b,
    "tanh": lambda z, b: sn.tanh(z / 30 + b),
    "kept": lambda z, b: sn.where(z > 0, z, 0) * b,
    "rows": lambda z, b: sn.sum(z * z, axis=1),
    "softmax": lambda z, b: sn.softmax(z + b),
}
OPERANDS = {
    "plain": lambda A, B: (A, B),
    "rows turned": lambda A, B: (A.T, B),
    "columns turned": lambda A, B: (A, B.T),
    "computed": lambda A, B: (sn.tanh(A), B * 2),
}


@pytest.mark.parametrize("extents", ["known", "symbolic", "rows symbolic"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_a_long_product_has_numpys_values_at_every_edge(size, dtype, extents, rng):
    inner = size[1]
    shape = {"known": size, "symbolic": (m, k, n), "rows symbolic": (m, inner, size[2])}[extents]
    A, B = sn.tensor("A", shape[0], shape[1]), sn.tensor("B", shape[1], shape[2])
    f = sn.compile(A @ B, dtype=dtype)
    data = matrices(*size, dtype, rng)
    found = f(A=guarded(data["A"]), B=guarded(data["B"]))
    close(found, data["A"].astype(float) @ data["B"].astype(float), inner, dtype)


@pytest.mark.parametrize("epilogue", EPILOGUES)
@pytest.mark.parametrize("operands", OPERANDS)
def test_what_becomes_of_the_sum_and_of_the_operands_is_right(operands, epilogue, rng):
    rows, inner, columns = 37, 260, 40
    data = matrices(rows, inner, columns, "float64", rng)
    A, B, b = (sn.tensor(name, *data[name].shape) for name in "ABb")
    of_A = sn.tensor("A", inner, rows) if operands == "rows turned" else A
    of_B = sn.tensor("B", columns, inner) if operands == "columns turned" else B
    given = dict(data)
    if operands == "rows turned":
        given["A"] = np.ascontiguousarray(data["A"].T)
    if operands == "columns turned":
        given["B"] = np.ascontiguousarray(data["B"].T)
    left, right = OPERANDS[operands](of_A, of_B)
    f = sn.compile(EPILOGUES[epilogue](left @ right, b))
    assert "_part" in f.loops
    found = f(**{name: guarded(given[name]) for name in f.inputs})
    close(found, by_numpy(operands, epilogue, data), inner, "float64")


def by_numpy(operands, epilogue, data):
    A, B, b = (data[name] for name in "ABb")
    z = np.tanh(A) @ (B * 2) if operands == "computed" else A @ B
    if epilogue == "softmax":
        e = np.exp(z + b - (z + b).max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)
    made = {"alone": z, "bias": z + b, "tanh": np.tanh(z / 30 + b), "kept": np.where(z > 0, z, 0) * b}
    return made.get(epilogue, (z * z).sum(1))


@pytest.mark.parametrize("extents", ["known", "symbolic"])
@pytest.mark.parametrize("subscripts", ["ikj,kj->ij", "ik,ikj->ij", "ik,kj,ikj->ij", "ik,kj,ij->ij", "kij,kj->ij"])
def test_what_differs_from_row_to_row_is_read_and_not_asked_for(subscripts, extents, rng):
    sizes, dims = {"i": 20, "k": 300, "j": 96}, {"i": m, "k": k, "j": n}
    operands = subscripts.split("->")[0].split(",")
    data = {f"T{each}": rng.standard_normal([sizes[x] for x in each]) for each in operands}
    given = sizes if extents == "known" else dims
    f = sn.compile(sn.einsum(subscripts, *(sn.tensor(f"T{each}", *(given[x] for x in each)) for each in operands)))
    verify(f.stages.program)
    found = f(**{name: guarded(array) for name, array in data.items()})
    close(found, np.einsum(subscripts, *data.values()), sizes["k"], "float64")


@pytest.mark.parametrize("inner", [0, 1, 128, 129])
def test_a_sum_of_symbolic_length_may_be_empty_short_or_long(inner, rng):
    A, B = sn.tensor("A", m, k), sn.tensor("B", k, n)
    f = sn.compile(sn.relu(A @ B) + 1)
    data = matrices(9, inner, 21, "float64", rng)
    close(f(A=data["A"], B=data["B"]), np.maximum(data["A"] @ data["B"], 0) + 1, max(inner, 1), "float64")


@pytest.mark.parametrize("rows", [1, 63, 64, 65, 300])
def test_the_bits_do_not_depend_on_threads_or_on_the_rows_beside(rows, rng):
    A, B = sn.tensor("A", m, 520), sn.tensor("B", 520, 300)
    f, g = (sn.compile(sn.tanh(A @ B), dtype="float32", threads=t) for t in (1, 3))
    data = matrices(rows, 520, 300, "float32", rng)
    whole = f(A=data["A"], B=data["B"])
    np.testing.assert_array_equal(g(A=data["A"], B=data["B"]), whole)
    np.testing.assert_array_equal(f(A=data["A"][:1], B=data["B"]), whole[:1])


def test_the_loops_of_a_long_product():
    A, B, b = sn.tensor("A", 128, 512), sn.tensor("B", 512, 300), sn.tensor("b", 300)
    target = "x86-64-v4"
    program = sn.compile(A @ B + b, dtype="float32", target=target, stop_after="schedule")
    check_golden(Path(__file__).parent / "golden" / "parts.txt", str(program))


def test_a_large_operand_is_shared_by_many_rows_and_a_small_one_is_not():
    def units(rows, inner, columns):
        A, B = sn.tensor("A", rows, inner), sn.tensor("B", inner, columns)
        program = sn.compile(A @ B, dtype="float32", stop_after="schedule")
        (phase,) = [phase for group in program.groups for phase in group.phases]
        return phase.units.value

    assert units(512, 512, 512) == 512 // (2 * ROWS_SHARING)
    assert units(128, 512, 512) == 128 // ROWS_SHARING
    assert units(512, 100, 100) > 512 // ROWS_SHARING


@pytest.mark.parametrize("rows", [32, 64, 65, 96, 128, 192])
def test_few_rows_that_share_an_operand_are_work_for_several_threads(rows):
    program = sn.compile(sn.tensor("A", rows, 512) @ sn.tensor("B", 512, 512), dtype="float32", stop_after="schedule")
    (phase,) = [phase for group in program.groups for phase in group.phases]
    assert phase.units.value >= min(4, rows // 16)


def test_a_batch_of_64_rows_is_work_for_two_threads():
    X, W = sn.tensor("X", m, 784), sn.tensor("W", 784, 300)
    for formula in (X @ W, sn.tanh(sn.tanh(X @ W) @ sn.tensor("V", 300, 10))):
        program = sn.compile(formula, dtype="float32", stop_after="schedule")
        phases = [phase for group in program.groups for phase in group.phases if phase.units != as_int(1)]
        at_64 = Substitution({"m": as_int(64), "block": as_int(0)})
        assert max(at_64.integer(phase.units).value for phase in phases) >= 2


def test_hints_say_what_the_next_columns_are_and_machine_code_has_them():
    A, B = sn.tensor("A", 64, 512), sn.tensor("B", 512, 512)
    f = sn.compile(A @ B, dtype="float32", target="x86-64-v4")
    program = f.stages.program
    (phase,) = program.groups[0].phases
    hints = [stmt for stmt in walk(phase.body) if isinstance(stmt, Prefetch)]
    assert {hint.buffer.name for hint in hints} == {"B"}
    assert "prefetch B[" in str(program)
    assert re.search(r"prefetcht0", f.assembly)
    for inner, columns in ((64, 512), (512, 16)):  # one part; an operand that stays in the cache
        small = sn.compile(sn.tensor("A", 64, inner) @ sn.tensor("B", inner, columns), dtype="float32")
        assert "prefetch" not in small.loops


def test_c_has_no_hints():
    s = sn.compile(sn.tensor("A", 64, 512) @ sn.tensor("B", 512, 512), dtype="float32").stages
    assert "prefetch" in str(s.program)
    assert "prefetch" not in unit_of(s)


def test_tiles_of_rows_share_the_lines_that_they_ask_for():
    for rows, columns in ((64, 512), (16, 512), (8, 520), (40, 500), (m, 513)):
        A, B = sn.tensor("A", rows, 400), sn.tensor("B", 400, columns)
        text = str(sn.compile(A @ B, dtype="float32", target="x86-64-v4", stop_after="schedule"))
        tiles = [part.split("let")[0] for part in text.split("for i_tile in ")[1:]]
        shared = [part for part in tiles if "_tile: float32[8, " in part]
        assert shared and all("prefetch" not in part for part in tiles if part not in shared)
        for part in shared:
            most = int(re.match(r"(?:min\()?(\d+)", part)[1]) // (8 if part.startswith("min") else 1)
            lines = -(-int(re.search(r"float32\[8, (\d+)\]", part)[1]) // 16)
            assert part.count("prefetch B[") == -(-lines // most), part


def test_a_hint_is_about_memory_that_is_declared():
    program = sn.compile(sn.tensor("A", 64, 512) @ sn.tensor("B", 512, 512)).stages.program
    verify(program)
    (group,), (phase,) = program.groups, program.groups[0].phases
    for buffer, expected in (
        (Buffer("nobody", "float64", (as_int(4),), "workspace"), "buffers in scope"),
        (Buffer("held", "float64", (as_int(4),), "register"), "a hint about memory"),
    ):
        body = (Prefetch(buffer, (as_int(9),)), *phase.body)
        with pytest.raises(CompileError, match=expected):
            verify(replace(program, groups=(replace(group, phases=(replace(phase, body=body),)),)))

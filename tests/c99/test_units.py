"""A unit of C99 keeps the interface: entry points, codes, reports; and its text can be read."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import symnet as sn
from symnet.backends.c99.program import emit_program
from symnet.backends.llvm import codegen, loading
from symnet.backends.llvm.targets import target_for
from symnet.errors import CompileError, RangeError
from symnet.loops import ir
from symnet.loops.abi import CODES
from tests.c99.compiled import COMPILERS, MACHINES, X86, build, load, needs_compiler, same_bits, unit
from tests.llvm.native import Native

TARGET, FLAGS = MACHINES["without fma"]
m, n = sn.dim("m"), sn.dim("n")


def scheduled(roots: object, **options: object) -> ir.Program:
    return sn.compile(roots, target=TARGET, stop_after="schedule", **options)


def both(program: ir.Program, folder: Path) -> tuple[Native, Native]:
    """The C and the object of a program."""
    text = codegen.emit_ir(program, TARGET)
    machine = loading.load(codegen.compile_object(text, TARGET, program.constants))
    return Native(program, load(build(folder, [unit(program, TARGET)], "-O1", *FLAGS))), Native(program, machine)


# --------------------------------------------------------------------------- entry points


@needs_compiler
def test_sizes_phases_and_units_are_those_of_the_object(tmp_path: Path) -> None:
    X, W = sn.tensor("X", m, n), sn.tensor("W", n, 3)
    program = scheduled([sn.sum(sn.tanh(X @ W), axis=0), sn.softmax(X, axis=0)])
    data = {"X": np.zeros((2, 2)), "W": np.zeros((2, 3))}
    c, machine = (code.call(data) for code in both(program, tmp_path))
    extents = [0, 1, 255, 256, 257, 100_000, 2**31, 2**40, 2**59, 2**62, 2**63 - 1, -1, -(2**63)]
    for pair in [(a, b) for a in extents for b in (0, 1, 2**30, 2**62, -5)]:
        sizes = []
        for call in (c, machine):
            call.dims[:] = pair
            sizes.append(workspace_bytes(call))
        assert sizes[0] == sizes[1], pair
        if sizes[0] < 2**63 and max(pair) < 10_000_000:
            assert list(c.phases()) == list(machine.phases()), pair


def workspace_bytes(call: object) -> int:
    from tests.llvm.native import _SIZE

    return call.function("_workspace_bytes", _SIZE)(call._dims)


@needs_compiler
def test_units_may_run_in_any_order(rng: np.random.Generator, tmp_path: Path) -> None:
    X, W = sn.tensor("X", m, 8), sn.tensor("W", 8, 4)
    program = scheduled(sn.grad(sn.sum(sn.tanh(X @ W)), W))
    data = {"X": rng.standard_normal((700, 8)), "W": rng.standard_normal((8, 4))}
    code = both(program, tmp_path)[0]
    meant, call = code.run(data), code.call(data)
    for phase, units in call.phases():
        for unit_ in reversed(range(units)):
            assert call.units(phase, unit_, unit_ + 1) == CODES["OK"]
    for name in meant:
        same_bits(call.outputs[name], meant[name], name)


@needs_compiler
def test_a_small_workspace_and_a_phase_that_is_none_are_refused(tmp_path: Path) -> None:
    x = sn.tensor("x", m)
    code, _ = both(scheduled(sn.sum(sn.softmax(x) * x)), tmp_path)
    call = code.call({"x": np.ones(300)})
    assert call.bytes > 0
    assert call.run(call.bytes - 1) == CODES["WORKSPACE_TOO_SMALL"]
    last = len(list(call.phases()))
    assert call.units(last, 0, 1) == call.units(-1, 0, 1) == CODES["BAD_PHASE"]
    call.dims[0] = -1
    assert call.run(2**64 - 1) == CODES["WORKSPACE_TOO_SMALL"]


@needs_compiler
def test_an_index_out_of_range_is_reported_as_the_object_reports_it(tmp_path: Path) -> None:
    table, k = sn.tensor("table", 5, 3), sn.tensor("k", m, dtype="int32")
    program = scheduled(sn.take(table, k + 1))
    data = {"table": np.arange(15.0).reshape(5, 3), "k": np.array([0, 3, 7, 9, 1], np.int32)}
    reports = []
    for code in both(program, tmp_path):
        call = code.call(data)
        assert call.run() == CODES[ir.INDEX_OUT_OF_RANGE]
        start = call.workspace - call._room.ctypes.data
        reports.append(call._room[start : start + 24].view(np.int64).tolist())
    assert reports[0] == reports[1]
    assert reports[0][1:] == [8, 2], "the value, and its place"


@needs_compiler
def test_a_singular_matrix_ends_the_call(tmp_path: Path) -> None:
    A, b = sn.tensor("A", 3, 3), sn.tensor("b", 3)
    code, _ = both(scheduled(sn.solve(A, b)), tmp_path)
    assert code.call({"A": np.zeros((3, 3)), "b": np.ones(3)}).run() == CODES[ir.SINGULAR_MATRIX]
    assert code.call({"A": np.eye(3), "b": np.ones(3)}).run() == CODES["OK"]


# --------------------------------------------------------------------------- the text


@needs_compiler
@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("level", ["-O0", "-O3"])
def test_a_compiler_has_nothing_to_say(compiler: str, level: str, tmp_path: Path) -> None:
    X, W, D = sn.tensor("X", m, 8), sn.tensor("W", 8, 4), sn.tensor("D", m, 4, one_hot=True)
    loss = sn.mean(sn.cross_entropy(sn.softmax(sn.tanh(X @ W)), D))
    program = sn.value_and_grad(loss, W, dtype="float32", target=TARGET, stop_after="schedule")
    build(tmp_path, [unit(program, TARGET)], level, compiler=compiler)


@needs_compiler
def test_any_names_can_be_spelled_in_c(tmp_path: Path) -> None:
    names = [
        "θ",
        "float",
        "in",
        "i",
        "dims",
        "status",
        "sn_x",
        "int8_t",
        "INT64_MAX",
        "DBL_MAX",
        "_",
        "x1",
        "total",
        "bool",
    ]
    size = sn.dim("out")
    leaves = [sn.tensor(name, size) for name in names]
    code, _ = both(scheduled(sum(leaves[1:], leaves[0] * sn.max(leaves[1])), name="double_sum"), tmp_path)
    (got,) = code.run({name: np.full(5, 2.0**k) for k, name in enumerate(names)}).values()
    assert got.tolist() == [2.0 ** len(names)] * 5


@needs_compiler
def test_constants_keep_their_bits(tmp_path: Path) -> None:
    values = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 0.1, 5e-324, 1e308])
    x = sn.tensor("x", 8)
    code, _ = both(scheduled(sn.where(x > 0, sn.constant(values), x)), tmp_path)
    (got,) = code.run({"x": np.ones(8)}).values()
    same_bits(got, values, "constants")


@needs_compiler
def test_constants_of_many_lines_and_any_exponent_keep_their_bits(rng: np.random.Generator, tmp_path: Path) -> None:
    values = (rng.standard_normal(500) * 10.0 ** rng.integers(-30, 30, 500)).astype(np.float32)
    code, _ = both(scheduled(sn.tensor("x", 500, dtype="float32") * sn.constant(values)), tmp_path)
    (got,) = code.run({"x": np.ones(500, np.float32)}).values()
    same_bits(got, values, "constants")


def test_what_nothing_needs_is_not_written() -> None:
    """An array that no statement reads, and the functions of a value that no statement reads."""
    x, unused = (
        ir.Buffer(name, "float64", (ir.IntConst(3),), space) for name, space in (("x", "input"), ("c", "constant"))
    )
    out = ir.Buffer("y", "float64", (ir.IntConst(3),), "output")
    element = ir.Load(x, (ir.IntVar("i"),))
    body = (ir.Let("idle", ir.Op("sin", (element,), "float64")), ir.Store(out, (ir.IntVar("i"),), element))
    phase = ir.Phase("all", (ir.For("i", ir.IntConst(3), body),))
    constant = ir.Constant(unused, sn.constant(np.ones(3)).contents)
    text = emit_program(ir.Program("f", (), (x,), (out,), (), (ir.Group((phase,)),), (), (constant,)), TARGET)
    assert "sn_sin" not in text and "sn_bits" not in text and "sn_constant0" not in text
    assert "y[i] = x[i];" in text


def test_the_text_names_phases_shapes_and_elements() -> None:
    X, W = sn.tensor("X", m, 8), sn.tensor("W", 8, 40)
    text = emit_program(scheduled(X.T @ sn.tanh((X @ W).named("Z")), name="energy"), TARGET)
    assert text.startswith("/* energy: X: float64[m, 8], W: float64[8, 40]\n   -> out0: float64[8, 40].")
    assert re.search(r"/\* Phase \d, rows_0, for block in .*; its units are u in ", text)
    assert "     workspace t1: float64[min(256, m), 40]" in text
    assert "-std=c99 -O3 -ffp-contract=off -fno-math-errno" in text
    assert re.search(r"X\[8\*i .*; /\* X\[i .*, j\] \*/", text)


def test_numbers_of_float32_have_its_suffix() -> None:
    x = sn.tensor("x", 100)
    text = re.sub(r"/\*.*?\*/", "", scheduled_text(sn.sum(sn.exp(x) * 0.1), "float32"), flags=re.DOTALL)
    numbers = re.findall(r"(?<![\w.])\d+\.\d*(?:e[-+]?\d+)?f?", text)
    assert "0.1f" in numbers and all(number.endswith("f") for number in numbers)
    assert "double" not in text


def scheduled_text(roots: object, dtype: str) -> str:
    return emit_program(scheduled(roots, dtype=dtype), TARGET)


def test_products_are_fused_where_the_target_has_it() -> None:
    a, b, c = (sn.tensor(name, 4) for name in "abc")
    program = scheduled(a * b + c)
    assert "sn_fma_float64(a_," not in emit_program(program, TARGET)
    with_fma = emit_program(program, MACHINES["AVX2 and fma"][0])
    assert re.search(r"sn_fma_float64\(\w+, \w+, \w+\)", with_fma)


def test_an_array_that_is_input_and_output_is_not_said_to_be_apart() -> None:
    w, g = sn.tensor("w", 4), sn.tensor("g", 4)
    program = scheduled(w - 0.1 * g)
    apart, shared = emit_program(program, TARGET), emit_program(program, TARGET, (("w", "out0"),))
    assert "const double *restrict w, const double *restrict g, double *restrict out0" in apart
    assert "const double *w, const double *restrict g, double *out0" in shared


# --------------------------------------------------------------------------- what is refused


def test_an_element_that_moves_under_all_lanes_is_refused() -> None:
    """Its sums would need the lanes of each step at once."""
    i, k = ir.IntVar("i"), ir.IntVar("k")
    x = ir.Buffer("x", "float64", (ir.IntConst(8), ir.IntConst(3)), "input")
    out = ir.Buffer("out", "float64", (ir.IntConst(3),), "output")
    inner = ir.For("k", ir.IntConst(3), (ir.Store(out, (k,), ir.Load(x, (i, k)), "add"),))
    loop = ir.For("i", ir.IntConst(8), (inner,), "vector", cut=ir.LaneCut(4, 0, "narrow"))
    program = ir.Program("f", (), (x,), (out,), (), (ir.Group((ir.Phase("all", (loop,)),)),))
    with pytest.raises(CompileError, match=r"C99 of `for i in 8 \(vector of 4\):`.*stays where it is.*`out\[k\] \+= x"):
        emit_program(program, TARGET)


def test_arrays_beyond_the_addresses_of_the_target_are_refused() -> None:
    x = sn.tensor("x", 2**29)
    program = scheduled(x + 1)
    emit_program(program, target_for(X86))
    with pytest.raises(RangeError, match="4294967296 bytes"):
        emit_program(program, target_for("armv7-linux-gnueabihf"))

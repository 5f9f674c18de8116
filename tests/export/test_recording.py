"""The test of an export: it passes as exported, on every floor, and fails where a number is another."""

import re
import shutil
import subprocess
import sys

import numpy as np
import pytest

import symnet as sn
from symnet.backends.llvm.named_machines import machine
from symnet.backends.llvm.targets import host_target, target_for
from symnet.export.c_test import c_test_text
from symnet.export.kinds import KINDS
from symnet.export.pattern import Fill, pattern
from symnet.export.recording import recorded
from symnet.reference import evaluate
from tests.cases import CASES

COMPILERS = [shutil.which(name) for name in ("gcc", "clang")]
CC = shutil.which("cc") or shutil.which("gcc")
STRICT = ["-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wdouble-promotion", "-Werror"]
pytestmark = pytest.mark.skipif(CC is None, reason="no C compiler")

m, n = sn.dim("m"), sn.dim("n")
X, W, b = sn.tensor("X", m, 8), sn.tensor("W", 8, 4), sn.tensor("b", 4)
A, B, v, x = sn.tensor("A", 6, 6), sn.tensor("B", m, n), sn.tensor("v", 6), sn.tensor("x", 5)
t, E = sn.labels("t", m, classes=4), sn.tensor("E", 5, 3)
i, k = sn.tensor("i", m, dtype="int64"), sn.tensor("k", m, dtype="int32")
FUNCTIONS = {
    "network": lambda o: sn.value_and_grad(sn.mean(sn.cross_entropy(sn.softmax(sn.tanh(X @ W) + b), t)), [W, b], **o),
    "solved": lambda o: sn.value_and_grad(sn.sum(sn.solve(A, v) ** 2), [A, v], **o),
    "normal equations": lambda o: sn.compile(sn.solve(B.T @ B, sn.ones(n)), **o),
    "inverse and determinant": lambda o: sn.compile([sn.inv(A), sn.det(A), sn.logdet(A)], **o),
    "large": lambda o: sn.compile(sn.tanh(sn.tensor("L", 70, 90) @ sn.tensor("R", 90, 80)), **o),
    "integers": lambda o: sn.compile([i * i - 3 * i, k + 1, sn.argmax(X, 1), X[:, 0] > X[:, 1]], **o),
    "not finite": lambda o: sn.compile([sn.log(x - 9), 1 / (x - x), -1 / (x - x)], **o),
    "beyond one": lambda o: sn.compile(sn.sqrt(x - 0.5), **o),
    "gathered": lambda o: sn.compile(sn.take(E, i), **o),
    "gathered behind": lambda o: sn.compile(sn.take(E, i + 1), **o),
    "cancelled": lambda o: sn.compile(sn.sum(sn.softmax(X), axis=1) - 1, **o),
    "nothing": lambda o: sn.compile(sn.zeros(0), **o),
    "constant": lambda o: sn.compile(sn.ones(3), **o),
}


def build(*command, folder):
    done = subprocess.run(list(map(str, command)), cwd=folder, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr


def run(*command):
    return subprocess.run(list(map(str, command)), capture_output=True, text=True)


@pytest.mark.parametrize("compiler", COMPILERS, ids=["gcc", "clang"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_test_of_an_export_passes_and_compilers_are_silent(name, compiler, tmp_path):
    """Each compiler in turn has the one and the other dtype: what it says depends on the text, not on the function."""
    dtype = ("float32", "float64")[(list(FUNCTIONS).index(name) + COMPILERS.index(compiler)) % 2]
    if compiler is None:
        pytest.skip("no such compiler")
    files = FUNCTIONS[name]({"dtype": dtype, "name": "f"}).export(tmp_path / "f", files="o,h,c,test")
    build(compiler, *STRICT, "-O1", "f_test.c", "f.o", "-o", "t", folder=tmp_path)
    done = run(tmp_path / "t")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(r"f: \d+ numbers agree\n", done.stdout)
    assert (name in ("nothing",)) == (done.stdout == "f: 0 numbers agree\n")
    fast = ["-O3", "-march=native"]  # and rounded otherwise
    build(compiler, *STRICT, *fast, "f_test.c", files.files["c"], "-lm", "-o", "t", folder=tmp_path)
    assert run(tmp_path / "t").returncode == 0


@pytest.mark.parametrize("case", CASES[::5], ids=str)
def test_the_tests_of_all_kinds_of_formulas_pass(case, tmp_path):
    f = sn.compile(list(case.roots), name="f")
    f.export(tmp_path / "f", files="o,h,test")
    build(CC, *STRICT, "-O1", "f_test.c", "f.o", "-o", "t", folder=tmp_path)
    done = run(tmp_path / "t")
    assert (done.returncode, done.stderr) == (0, ""), done.stderr


def made(function, **options):
    """The recording of a function."""
    s = function.stages
    return recorded(function.signature, (s.program, *s.higher), s.target, function.object_code)


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if name not in ("not finite", "nothing")])
@pytest.mark.parametrize("target", [None, "cortex-m4"])
def test_what_is_recorded_is_what_the_reference_says(name, target):
    f = FUNCTIONS[name]({"name": "f", "target": target})
    found = made(f)
    data = pattern(f.signature, found.dims, found.fill)
    expected = evaluate(list(f.stages.written), data, leaves=f.stages.leaves)
    for output, value in zip(found.outputs, expected, strict=True):
        value = np.ravel(value)
        places = np.arange(len(output.values)) * output.step % max(1, value.size)
        assert len(set(places)) == len(places) == min(value.size, 256)
        np.testing.assert_allclose(output.values, value[places], rtol=1e-9, atol=output.absolute + 1e-15)
        assert output.absolute <= 1e-7 * max(1, np.abs(value).max())


def test_matrices_are_regular_and_well_conditioned():
    for name in ("solved", "inverse and determinant", "normal equations"):
        f = FUNCTIONS[name]({"name": "f"})
        found = made(f)
        data = pattern(f.signature, found.dims, found.fill)
        matrix = data["A"] if "A" in data else data["B"].T @ data["B"]
        assert np.linalg.cond(matrix) < 1e6
    assert found.dims["m"] >= found.dims["n"]


def test_a_wrong_number_is_found_and_named(tmp_path):
    f = FUNCTIONS["network"]({"name": "f"})
    files = f.export(tmp_path / "f", files="o,h,test")
    text = files.test.read_text()
    tables = "".join(re.findall(r"expected\[\] = \{(.*?)\}", text, re.DOTALL))
    numbers = re.findall(r"\d\.\d{9,}(?:e-\d+)?", tables)
    for number in (numbers[0], numbers[17], numbers[-1]):
        (tmp_path / "wrong.c").write_text(text.replace(number, repr(float(number) * (1 + 1e-6)), 1))
        build(CC, *STRICT, "wrong.c", "f.o", "-o", "t", folder=tmp_path)
        done = run(tmp_path / "t")
        assert done.returncode == 1
        assert re.fullmatch(r"\w+\[\d+\] is \S+, and was \S+\nf: 1 of \d+ numbers differ\n", done.stderr)
    assert len(numbers) > 30


@pytest.mark.parametrize(
    ("expected", "got"),
    [("(double)NAN", "1.0"), ("1.0", "(double)NAN"), ("(double)INFINITY", "1.0"), ("1.0", "(double)INFINITY")],
)
def test_what_is_not_finite_agrees_with_itself_alone(tmp_path, expected, got):
    f = FUNCTIONS["not finite"]({"name": "f"})
    text = c_test_text(f.signature, made(f))
    begin, end = text.index("static int disagree"), text.index("int main")
    program = "#include <float.h>\n#include <inttypes.h>\n#include <math.h>\n#include <stdio.h>\n" + text[begin:end]
    for one, other, differ in ((expected, got, 1), (expected, expected, 0), (got, got, 0)):
        call = f'int main(void) {{ return disagree("y", 0, {one}, {other}, 1e-5, 1.0) != {differ}; }}\n'
        (tmp_path / "agree.c").write_text(program + call)
        build(CC, *STRICT, "agree.c", "-o", "t", folder=tmp_path)
        assert run(tmp_path / "t").returncode == 0


def test_a_function_that_refuses_every_input_has_a_test_that_fails(tmp_path):
    f = sn.compile(sn.solve(sn.tensor("Z", 2, 2) * 0 + np.ones((2, 2)), np.ones(2)), name="f")
    assert made(f) is None
    f.export(tmp_path / "f", files="o,h,test")
    build(CC, *STRICT, "f_test.c", "f.o", "-o", "t", folder=tmp_path)
    assert run(tmp_path / "t").returncode == 1


def test_fills_are_the_same_in_c(tmp_path):
    f = FUNCTIONS["solved"]({"name": "f"})
    for fill in (Fill(), Fill(dominant=True), Fill(1, True), Fill(2)):
        data = pattern(f.signature, {}, fill)
        diagonal = 6 * fill.dominant
        assert data["A"][2, 2] == (37 * 14 % 101 + 1) / 1024 + fill.more + diagonal
        assert data["A"][2, 3] == (37 * 15 % 101 + 1) / 1024 + fill.more
        np.testing.assert_array_equal(data["v"], ((37 * np.arange(6) + 11) % 101 + 1) / 1024 + fill.more)


@pytest.mark.skipif(host_target().architecture != "x86_64" or sys.platform != "linux", reason="of x86-64 on Linux")
def test_every_level_of_a_portable_export_passes(tmp_path):
    emulator = shutil.which("qemu-x86_64")
    if emulator is None:
        pytest.skip("no qemu-x86_64")
    f = FUNCTIONS["network"]({"name": "f", "dtype": "float32"})
    f.export(tmp_path / "f", files="o,h,test")
    build(CC, *STRICT, "-static", "f_test.c", "f.o", "-o", "t", folder=tmp_path)
    for processor in ("qemu64", "Haswell", "max"):
        assert run(emulator, "-cpu", processor, tmp_path / "t").stdout.endswith("numbers agree\n")


@pytest.mark.parametrize("triple", ["aarch64-linux-gnu", "armv7-unknown-linux-gnueabihf", "riscv64-linux-gnu"])
def test_another_machine_passes(triple, tmp_path):
    prefix = triple.replace("armv7-unknown", "arm")
    compiler, emulator = shutil.which(f"{prefix}-gcc"), shutil.which(f"qemu-{prefix.split('-')[0]}")
    if compiler is None or emulator is None:
        pytest.skip(f"no {prefix}-gcc, or no emulator")
    for order, make in enumerate(FUNCTIONS.values()):
        make({"name": "f", "target": target_for(triple)}).export(tmp_path / str(order) / "f", files="o,h,test")
        build(compiler, *STRICT, "-static", "f_test.c", "f.o", "-o", "t", folder=tmp_path / str(order))
        assert run(emulator, tmp_path / str(order) / "t").returncode == 0


def test_every_kind_of_file_is_written_for_a_machine_without_a_system(tmp_path):
    f = FUNCTIONS["network"]({"name": "f", "dtype": "float32"})
    files = f.export(tmp_path / "f", target=machine("cortex-m4", ""), files="all")
    assert set(files.files) == set(KINDS) - {"so", "py"}

"""Exported files against the function in process: through C, C++, OpenMP, the stub and `load`."""

import re
import shutil
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from symnet.backends.llvm.targets import target_for
from symnet.errors import ArgumentError, CompileError, DependencyError
from symnet.export.files import export
from symnet.export.guarded import guarded
from symnet.export.load import load
from symnet.export.names import library_name
from symnet.export.pattern import pattern
from symnet.loops.ir import Buffer, IntConst, IntVar, int_min
from symnet.schedule.budget import workspace_limit
from tests.runtime.programs import PROGRAMS, native

CC, CXX = shutil.which("cc") or shutil.which("gcc"), shutil.which("c++") or shutil.which("g++")
WARNINGS = ["-Wall", "-Wextra", "-Werror", "-pedantic", "-O1"]
VARIANTS = [
    ("affine", "float32"),
    ("affine", "float64"),
    ("column_sums",),
    ("gather", "int64"),
    ("gather",),
    ("iota",),
    ("scaled",),
]
needs_cc = pytest.mark.skipif(CC is None, reason="no C compiler")
pytestmark = needs_cc


def build(*command, source=None):
    done = subprocess.run(list(map(str, command)), input=source, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr


def printed(program, *extents):
    """What the C program prints: output name → values."""
    done = subprocess.run([str(program), *map(str, extents or ["print"])], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    found = {}
    for line in done.stdout.splitlines():
        name, value = line.split()
        found.setdefault(name, []).append(float(value))
    return found


def in_process(variant, dims):
    """The same inputs through the function in process: output name → values."""
    f = native(*variant)
    inputs = pattern(f.signature, dims)
    outputs = f(**inputs, **dims, out=None)
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    digits = {"float32": 9, "float64": 17}
    return {
        name: [float(f"{number:.{digits[value.dtype.name]}g}") for number in np.ravel(value)]
        for name, value in zip(f.outputs, outputs, strict=True)
    }


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """Every variant, exported once under a name of its own."""
    folder = tmp_path_factory.mktemp("exported")
    return {v: export(folder / "_".join(("my", *v)), *reversed(PROGRAMS[v[0]](*v[1:]))) for v in VARIANTS}


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_c_program_prints_what_the_function_computes_in_process(exported, variant, tmp_path):
    files = exported[variant]
    build(CC, *WARNINGS, "-std=c99", files.test, files.object, "-o", tmp_path / "t")
    dims = {name: 3 + k for k, name in enumerate(native(*variant).signature.dims)}
    assert printed(tmp_path / "t", *dims.values()) == in_process(variant, dims)
    dims = {name: 19 - 6 * k for k, name in enumerate(native(*variant).signature.dims)}
    assert printed(tmp_path / "t", *dims.values()) == in_process(variant, dims)


@pytest.mark.skipif(CXX is None, reason="no C++ compiler")
@pytest.mark.parametrize("variant", VARIANTS)
def test_the_header_is_valid_cpp(exported, variant, tmp_path):
    files = exported[variant]
    build(CXX, *WARNINGS, "-x", "c++", files.test, "-x", "none", files.object, "-o", tmp_path / "t")
    dims = {name: 3 + k for k, name in enumerate(native(*variant).signature.dims)}
    assert printed(tmp_path / "t", *dims.values()) == in_process(variant, dims)


@pytest.mark.skipif(shutil.which("nm") is None, reason="no nm")
@pytest.mark.parametrize("variant", VARIANTS)
def test_the_object_needs_nothing_and_exports_its_five_functions(exported, variant):
    files = exported[variant]
    symbols = subprocess.run(["nm", str(files.object)], capture_output=True, text=True, check=True).stdout
    undefined = set(re.findall(r" U (\S+)", symbols))
    assert undefined <= {"memcpy", "memset", "_GLOBAL_OFFSET_TABLE_"}
    suffixes = ("", "_run", "_workspace_bytes", "_phases", "_units")
    assert set(re.findall(r" T (\S+)", symbols)) == {files.name + suffix for suffix in suffixes}
    assert not re.findall(r" [BDCbd] (\S+)", symbols)  # no variables: re-entrant


@pytest.mark.skipif(shutil.which("valgrind") is None, reason="no valgrind")
def test_no_memory_outside_the_arrays_is_touched(tmp_path):
    program, signature = PROGRAMS["column_sums"]()
    target = target_for("x86_64-pc-linux-gnu", "x86-64-v3")  # valgrind knows no AVX-512
    if sys.platform != "linux" or "x86" not in subprocess.run(["uname", "-m"], capture_output=True, text=True).stdout:
        pytest.skip("the test names its target: x86-64 Linux")
    files = export(tmp_path / "sums", signature, program, target, library=False)
    build(CC, *WARNINGS, "-std=c99", "-g", files.test, files.object, "-o", tmp_path / "t")
    command = ["valgrind", "-q", "--error-exitcode=9", "--leak-check=full", str(tmp_path / "t"), "13", "7"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


OPENMP = """
#include <stdio.h>
#include "sums.h"

int main(void)
{
    static double X[50 * 11], G[11];
    static char memory[sums_WORKSPACE + 64];
    const void *in[] = {X};
    void *out[] = {G};
    const int64_t dims[] = {50, 11};
    void *workspace = memory + (64 - (uintptr_t)memory % 64) % 64;
    for (int64_t i = 0; i < 50 * 11; ++i) X[i] = (double)((37 * i) % 101 + 1) / 1024;
    for (int32_t phase = 0; phase < sums_phases(dims); ++phase) {
        const int64_t units = sums_units(dims, phase);
#pragma omp parallel for
        for (int64_t unit = 0; unit < units; ++unit)
            sums(in, out, dims, workspace, sums_WORKSPACE, phase, unit, unit + 1);
    }
    for (int j = 0; j < 11; ++j) printf("G %.17g\\n", G[j]);
    return 0;
}
"""


def test_openmp_callers_get_the_same_bits(tmp_path):
    program, signature = PROGRAMS["column_sums"]()
    files = export(tmp_path / "sums", signature, program)
    (tmp_path / "omp.c").write_text(OPENMP)
    size = f"-Dsums_WORKSPACE={native('column_sums').workspace_bytes(m=50, n=11)}"
    build(CC, *WARNINGS, "-std=c99", "-fopenmp", size, tmp_path / "omp.c", files.object, "-o", tmp_path / "omp")
    assert printed(tmp_path / "omp") == in_process(("column_sums",), {"m": 50, "n": 11})


CHECKED = """
#include <stdio.h>
#include "FUNCTION.h"

int main(void)
{
    static float f[64];
    static double d[64];
    static char memory[4096];
    char *workspace = memory + (64 - (uintptr_t)memory % 64) % 64;
    (void)f; (void)d;
    printf("code %d\\n", (int)CALL);
    return 0;
}
"""


@pytest.mark.parametrize(
    ("variant", "call", "code"),
    [
        (("affine",), "affine_call(f, f, 1, f + 9, f + 40, 3, workspace, 4000)", 0),
        (("affine",), "affine_call(f, f, 1, f + 9, f + 40, 0, workspace, 4000)", 3),
        (("affine",), "affine_call(f, f, 1, f + 9, f + 40, -1, workspace, 4000)", 3),
        (("affine",), "affine_call(f, f, 1, f + 9, f + 40, 3, workspace + 8, 4000)", 5),
        (("column_sums",), "column_sums_call(d, d + 40, 3, 4, workspace, 127)", 1),
        (("column_sums",), "column_sums_call(d, d + 40, 3, 4, workspace, 256)", 0),
        (("gather",), "gather_call(d, (const int32_t[]){9, 0}, d + 40, 2, workspace, 0)", 0),
        (("gather",), "gather_call(d, (const int32_t[]){9, 10}, d + 40, 2, workspace, 0)", 4),
        (("gather",), "gather_call(d, (const int32_t[]){-1, 0}, d + 40, 2, workspace, 0)", 4),
        (("affine",), "affine_call(f, 0, 1, f + 9, f + 40, 3, workspace, 4000)", 7),
        (("affine",), "affine_call(f, f, 1, f + 9, 0, 3, workspace, 4000)", 7),
        (("affine",), "affine_call((const float *)(memory + 2), f, 1, f + 9, f + 40, 3, workspace, 4000)", 8),
        (("gather",), "gather_call(d, 0, d + 40, 2, workspace, 0)", 7),
        (("gather",), "gather_call(d, 0, 0, 0, workspace, 0)", 0),  # nothing to read
    ],
)
def test_the_typed_call_refuses_what_it_can_see(variant, call, code, tmp_path):
    program, signature = PROGRAMS[variant[0]]()
    files = export(tmp_path / variant[0], signature, program, library=False)
    (tmp_path / "checked.c").write_text(CHECKED.replace("FUNCTION", variant[0]).replace("CALL", call))
    build(CC, *WARNINGS, "-std=c99", tmp_path / "checked.c", files.object, "-o", tmp_path / "checked")
    assert printed(tmp_path / "checked") == {"code": [code]}


# ----- names


AWKWARD = {"X": "θ", "b": "float", "a": "workspace", "Y": "x'", "s": "i"}


def test_awkward_names_become_c_identifiers(tmp_path):
    program, signature = PROGRAMS["affine"]()
    renamed = replace(
        signature,
        inputs=tuple(replace(b, name=AWKWARD[b.name]) for b in signature.inputs),
        outputs=tuple(replace(b, name=AWKWARD[b.name]) for b in signature.outputs),
    )
    files = export(tmp_path / "odd", renamed, program)
    build(CC, *WARNINGS, "-std=c99", files.test, files.object, "-o", tmp_path / "t")
    expected = in_process(("affine",), {"m": 3})
    assert printed(tmp_path / "t", 3) == {"x_": expected["Y"], "i_": expected["s"]}
    f = load(tmp_path / "odd")
    assert f.inputs == ("θ", "float", "workspace")
    result = f(**dict(zip(f.inputs, pattern(signature, {"m": 3}).values(), strict=True)))
    np.testing.assert_allclose(np.ravel(result[0]), expected["Y"], rtol=1e-7)


@pytest.mark.parametrize(
    ("name", "remedy"),
    [("my-net", "my_net"), ("2nd", "f_2nd"), ("class", "f_class"), ("mlp.so", "mlp"), ("for", "f_for")],
)
def test_a_path_that_names_no_identifier_is_refused(tmp_path, name, remedy):
    program, signature = PROGRAMS["affine"]()
    message = (
        rf"identifier, which names the function; got '{re.escape(name)}'. Write \"{re.escape(str(tmp_path / remedy))}\""
    )
    with pytest.raises(ArgumentError, match=message):
        export(tmp_path / name, signature, program)


def test_a_path_that_ends_in_a_separator_names_a_folder_and_no_function(tmp_path):
    program, signature = PROGRAMS["affine"]()
    message = rf"got ''. Write \"{re.escape(str(tmp_path / 'model'))}\""
    with pytest.raises(ArgumentError, match=message):
        export(f"{tmp_path}/", signature, program)


# ----- files


def test_constant_workspaces_are_macros(exported, tmp_path):
    program, _ = PROGRAMS["column_sums"]()
    assert workspace_limit(program) is None
    assert "WORKSPACE_BYTES 0" in exported["affine", "float32"].header.read_text()
    fixed = replace(
        program, workspace=(Buffer("W", "float64", (IntConst(4), IntConst(5))), Buffer("V", "bool", (IntConst(3),)))
    )
    assert workspace_limit(fixed) == 4 * 5 * 8 + 32 + 64
    block = replace(fixed, workspace=(Buffer("W", "float64", (int_min(256, IntVar("m")), IntConst(5))),))
    assert workspace_limit(block) == 256 * 5 * 8


def test_existing_object_code_is_used_where_the_name_fits(tmp_path):
    program, signature = PROGRAMS["affine"]()
    first = export(tmp_path / "affine", signature, program)
    code = first.object.read_bytes()
    again = export(tmp_path / "copy" / "affine", signature, program, None, code)
    assert again.object.read_bytes() == code
    renamed = export(tmp_path / "other", signature, program, None, code)
    assert renamed.object.read_bytes() != code
    assert load(tmp_path / "other").name == "other"


def test_other_machines_get_an_object_and_a_header(tmp_path):
    program, signature = PROGRAMS["affine"]()
    files = export(tmp_path / "affine", signature, program, target_for("thumbv7em-none-eabi", "cortex-m7"))
    assert files.library is None
    assert files.stub is None
    assert sorted(path.name for path in tmp_path.iterdir()) == ["affine.h", "affine.o", "affine_test.c"]
    assert files.object.read_bytes()[:5] == b"\x7fELF\x01"


def test_a_missing_compiler_is_said_with_a_remedy(tmp_path, monkeypatch):
    program, signature = PROGRAMS["affine"]()
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CC", raising=False)
    with pytest.raises(DependencyError, match=r"export\(\".*affine\"\).*\$CC or one of cc, gcc, clang.*library=False"):
        export(tmp_path / "affine", signature, program)
    assert export(tmp_path / "affine", signature, program, library=False).library is None


def test_a_failing_linker_is_quoted(tmp_path, monkeypatch):
    program, signature = PROGRAMS["affine"]()
    monkeypatch.setenv("CC", "false --for-once")
    with pytest.raises(CompileError, match=r"`false --for-once -shared .*` to succeed; got exit status 1. Set CC"):
        export(tmp_path / "affine", signature, program)


# ----- load


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("threads", [1, 2])
def test_a_loaded_function_gives_the_same_bits(exported, variant, threads):
    f, g = native(*variant), load(exported[variant].object.with_suffix(""), threads=threads)
    assert replace(g.signature, name=f.name) == f.signature
    dims = {name: 19 - 6 * k for k, name in enumerate(f.signature.dims)}
    inputs = pattern(f.signature, dims)
    expected, got = f(**inputs, **dims), g(**inputs, **dims)
    for left, right in (
        zip(np.atleast_1d(expected), np.atleast_1d(got), strict=True)
        if variant[0] != "affine"
        else zip(expected, got, strict=True)
    ):
        np.testing.assert_array_equal(left, right)
    assert g.workspace_bytes(**dims) == f.workspace_bytes(**dims)


def test_a_loaded_function_answers_in_the_same_structure(tmp_path):
    program, signature = PROGRAMS["affine"]()
    export(tmp_path / "f", signature, program, template={"loss": 1, "grads": (0, [0])}, positional=("X",))
    f = load(tmp_path / "f")
    inputs = pattern(signature, {"m": 3})
    result = f(inputs.pop("X"), **inputs)
    assert list(result) == ["loss", "grads"]
    assert isinstance(result["grads"], tuple)
    assert isinstance(result["grads"][1], list)
    step = f.bind(**pattern(signature, {"m": 3}))
    np.testing.assert_array_equal(step()["grads"][0], result["grads"][0])


def test_exporting_again_and_loading_gives_the_new_code(tmp_path):
    program, signature = PROGRAMS["affine"]()
    export(tmp_path / "f", signature, program)
    old = load(tmp_path / "f")
    other, changed = PROGRAMS["affine"]("float64")
    export(tmp_path / "f", changed, other)
    new = load(tmp_path / "f")
    x, b = np.ones((2, 3)), np.arange(3.0)
    np.testing.assert_array_equal(new(X=x, b=b, a=1.0)[0], x + b)
    np.testing.assert_array_equal(old(X=x.astype("f4"), b=b.astype("f4"), a=1.0)[0], x + b)


def test_loading_what_is_not_there_is_an_error(tmp_path):
    with pytest.raises(
        ArgumentError, match=r"load\(\".*/mlp\"\): expected the file .*mlp.py; got no such file. Export it"
    ):
        load(tmp_path / "mlp")
    (tmp_path / "mlp.py").write_text(guarded("mlp", "", "METADATA = {'abi': 0}"))
    with pytest.raises(ArgumentError, match=rf"expected the file .*{library_name('mlp')}; got no such file"):
        load(tmp_path / "mlp")
    (tmp_path / library_name("mlp")).write_bytes(b"")
    with pytest.raises(
        ArgumentError, match=r"expected a stub of ABI version 2; got version 0. Export the function again"
    ):
        load(tmp_path / "mlp")

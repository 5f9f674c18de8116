"""Names that are taken: those of arguments are respelled, those of functions refused."""

import builtins
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest

import symnet as sn
from symnet.backends.c99.names import c_names
from symnet.backends.c99.reserved import LIBRARY, STANDARD
from symnet.errors import ArgumentError
from symnet.export.collisions import STUB

CC, CXX = (shutil.which(name) for name in ("cc", "c++"))
CLANG = shutil.which("clang++")
STRICT = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wdouble-promotion", "-Werror"]
needs_cc = pytest.mark.skipif(CC is None, reason="no C compiler")

_WORDS = """
    free printf exp exit NAN EOF errno INFINITY stderr assert size_t class lambda fn self workspace i expected wrong
    f_call f_OK f_ABI M_PI memory uint8_t SIZE_MAX DBL_MAX PRId64 near restrict np METADATA out
"""
ARGUMENTS = _WORDS.split()


def build(*command, folder):
    done = subprocess.run(list(map(str, command)), cwd=folder, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr


@pytest.fixture(scope="module")
def awkward():
    leaves = [sn.tensor(name, 3) for name in ARGUMENTS]
    total = sum(k * leaf for k, leaf in enumerate(leaves))
    return sn.compile({"malloc": total, "strcmp": leaves[0] * leaves[1]}, name="f")


@needs_cc
def test_arguments_of_any_name_compile_and_pass(awkward, tmp_path):
    files = awkward.export(tmp_path / "f", files="o,h,test,c,so,py")
    build(CC, "-std=c99", *STRICT, "f_test.c", "f.o", "-o", "t", folder=tmp_path)
    assert subprocess.run([tmp_path / "t"], capture_output=True).returncode == 0
    build(CC, "-std=c99", *STRICT, "f_test.c", "f.c", "-lm", "-o", "t", folder=tmp_path)
    assert subprocess.run([tmp_path / "t"], capture_output=True).returncode == 0
    g, data = sn.load(tmp_path / "f"), {name: np.full(3, k + 1.0) for k, name in enumerate(ARGUMENTS)}
    np.testing.assert_array_equal(g(**data)["malloc"], awkward(**data)["malloc"])
    declared = re.findall(r"const double \*(\w+)[,;]", files.header.read_text())
    assert "free_" in declared and "exp_" in declared and "free" not in declared


@pytest.mark.parametrize("compiler", [CXX, CLANG], ids=["c++", "clang++"])
@pytest.mark.parametrize("standard", ["c++98", "c++11", "c++17"])
def test_the_header_is_silent_in_cpp(awkward, compiler, standard, tmp_path):
    if compiler is None:
        pytest.skip("no such compiler")
    awkward.export(tmp_path / "f", files="h")
    n = sn.dim("n")
    for name, y in (("g", sn.sum(sn.take(sn.tensor("E", n, 3), sn.tensor("t", n, dtype="int64")))), ("z", sn.ones(2))):
        sn.compile(y, name=name).export(tmp_path / name, files="h")
    code = "".join(f'#include "{name}.h"\n' for name in "fgz") + "int main() { return f_ABI - g_ABI; }\n"
    (tmp_path / "main.cpp").write_text(code)
    options = [*STRICT, "-Wold-style-cast", "-D__STDC_LIMIT_MACROS", "-Wno-long-long", "-Wno-variadic-macros"]
    options += ["-Wzero-as-null-pointer-constant"] if standard != "c++98" else []
    build(compiler, f"-std={standard}", *options, "-c", "main.cpp", folder=tmp_path)


def test_no_name_of_the_library_names_an_argument():
    assert set(c_names(sorted(STANDARD))) & STANDARD == set()
    assert c_names(["gamma", "y0", "index", "min"]) == ("gamma", "y0", "index", "min")


TAKEN = [
    ("exp", None, "a name of C's library, in whose place"),
    ("malloc", "o", "a name of C's library"),
    ("read", "o", "a name of C's library"),
    ("size_t", "h,o", "a name of C's library"),
    ("m", "a", "a library of the system"),
    ("np", "so,py", "a name of the stub"),
    ("len", "so,py", "a builtin of Python"),
    ("random", "so,py", "a name of C's library"),
    ("statistics", "so,py", "a module of Python, which the stub would hide"),
    ("numpy", "so,py", "a module of Python"),
    ("help", "cmake,o,h", "a target of CMake"),
    ("test", "cmake,o,h", "a target of CMake"),
]


@needs_cc
@pytest.mark.parametrize(("name", "files", "what"), TAKEN)
def test_a_function_of_a_name_that_is_taken_is_refused(name, files, what, tmp_path):
    f = sn.compile(sn.sum(sn.tensor("x", 3)), name="f")
    message = rf"expected a name of a function that is free .*; got '{name}', {what}.* Export it as \"f_{name}\""
    with pytest.raises(ArgumentError, match=message):
        f.export(tmp_path / name, files=files)
    assert list(tmp_path.iterdir()) == []
    assert f.export(tmp_path / f"f_{name}", files=files).paths


def test_what_is_taken_in_one_file_is_free_in_others(tmp_path):
    f = sn.compile(sn.sum(sn.tensor("x", 3)), name="f")
    for name, files in (("np", "o,h"), ("test", "o,h,test"), ("statistics", "o,h,readme"), ("m", "o,h")):
        assert f.export(tmp_path / name, files=files).paths


@needs_cc
def test_every_name_of_the_stub_is_known(tmp_path):
    sn.compile(sn.sum(sn.tensor("x", 3)), name="f").export(tmp_path / "f")
    program = "import f, json; print(json.dumps([name for name in vars(f) if not name.startswith('_')]))"
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True)
    assert set(eval(done.stdout)) == STUB | {"f"}
    assert "print" in dir(builtins) and "exp" in LIBRARY


@needs_cc
@pytest.mark.parametrize("dim", ["for", "None", "min", "METADATA", "i"])
def test_extents_of_any_name_work_in_the_stub_and_in_load(dim, tmp_path):
    n, k = sn.dim(dim), sn.dim(f"{dim}_")
    X, y = sn.tensor("X", n, 3), sn.tensor("y", k)
    f = sn.compile([sn.concat([X, X]), sn.sum(sn.outer(y, y)), sn.mean(X)], name="f")
    f.export(tmp_path / "f")
    data = {"X": np.arange(6.0).reshape(2, 3), "y": np.ones(4)}
    for found, expected in zip(sn.load(tmp_path / "f")(**data), f(**data), strict=True):
        np.testing.assert_array_equal(found, expected)
    program = "import f, numpy as np; a, b, c = f.f(X=np.arange(6.0).reshape(2, 3), y=np.ones(4)); print(a.shape, b, c)"
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout == "(4, 3) 16.0 2.5\n", done.stderr

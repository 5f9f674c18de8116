"""The Python stub: the same answers and the same refusals as in process, with NumPy alone."""

import importlib.util
import shutil
import subprocess
import sys

import numpy as np
import pytest

from symnet.export.files import export
from symnet.export.pattern import pattern
from tests.runtime.programs import PROGRAMS, native

pytestmark = pytest.mark.skipif(not (shutil.which("cc") or shutil.which("gcc")), reason="no C compiler")

x = np.arange(12, dtype=np.float32).reshape(4, 3)
b = np.array([1, 10, 100], np.float32)


@pytest.fixture(scope="module")
def stubs(tmp_path_factory):
    """Every program's stub, imported from a folder of its own."""
    folder = tmp_path_factory.mktemp("stubs")
    found = {}
    for name, make in PROGRAMS.items():
        program, signature = make()
        positional = ("X", "b") if name == "affine" else ()
        files = export(folder / name, signature, program, positional=positional)
        spec = importlib.util.spec_from_file_location(name, files.stub)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        found[name] = module
    return found


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_stub_gives_the_same_bits(stubs, name):
    f, stub = native(name), stubs[name]
    dims = {dim: 19 - 6 * k for k, dim in enumerate(f.signature.dims)}
    inputs = pattern(f.signature, dims)
    expected, got = f(**inputs, **dims), getattr(stub, name)(**inputs, **dims)
    for left, right in zip(expected, got, strict=True) if isinstance(expected, tuple) else [(expected, got)]:
        np.testing.assert_array_equal(left, right)
        assert type(left) is type(right)
    assert stub.workspace_bytes(**dims) == f.workspace_bytes(**dims)


def test_the_stub_needs_only_numpy(stubs):
    path = stubs["affine"].__file__
    code = f"""
import sys
sys.path.insert(0, {str(path.rsplit("/", 1)[0])!r})
sys.modules.update(dict.fromkeys(["symnet", "sympy", "llvmlite"]))
import numpy as np
from affine import affine
print(affine(X=np.ones((1, 3), np.float32), b=np.zeros(3, np.float32), a=2)[1])
"""
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, cwd="/")
    assert (done.returncode, done.stdout, done.stderr) == (0, "6.0\n", "")


def test_the_stub_takes_the_layouts_that_a_call_takes(stubs):
    f = stubs["affine"].affine
    expected = f(X=x, b=b, a=1)[0]
    for other in (np.asfortranarray(x), np.repeat(x, 2, axis=1)[:, ::2]):
        np.testing.assert_array_equal(f(X=other, b=b, a=1)[0], expected)
    np.testing.assert_array_equal(f(x, b, a=np.float32(1))[0], expected)


T, V = TypeError, ValueError
right = {"X": x, "b": b, "a": 1}
labels = {"table": np.zeros(10), "t": np.array([1, 10], np.int32)}
scaled = {"x": np.ones(7), "k": 1, "flag": True, "m": 2}
REFUSED = [
    ("affine", {"x": x, "b": b, "a": 1}, T, r"affine\(x=\.\.\.\): expected the inputs X, b, a; got 'x'"),
    ("affine", {"X": x, "a": 1}, T, r"the inputs X, b, a; got no b\. Pass b="),
    ("affine", {**right, "X": x[0]}, V, r"rank 2, shape \(m, 3\); got rank 1, shape \(3,\)"),
    ("affine", {**right, "b": 1.0}, V, r"rank 1, shape \(3,\); got rank 0"),
    ("affine", {**right, "b": b[:2]}, V, r"axis 0 of b \(3,\) to have extent 3; got 2 in shape \(2,\)"),
    ("affine", {**right, "X": x.astype(float)}, T, r"affine\(X=float64\[4, 3\].*float32.*X\.astype\("),
    ("affine", {**right, "X": x.astype(object)}, T, r"dtype float32; got object\[4, 3\]"),
    ("affine", {**right, "b": [1, 2j, 3]}, T, r"a NumPy array \(3,\) float32; got list"),
    ("affine", {**right, "b": np.ma.masked_array(b)}, T, r"a NumPy array \(3,\) float32; got MaskedArray"),
    ("affine", {**right, "a": 2j}, T, r"dtype float32; got 2j"),
    ("affine", {**right, "a": 1e300}, V, r"a number that float32 can hold; got a larger one"),
    ("affine", {**right, "X": x[:0]}, V, r"m >= 1 for the mean over m; got m = 0"),
    ("gather", labels, V, r"every element of t in 0 \.\.\. 9 \(labels of 10 classes\); got 10"),
    ("iota", {"a": 1.0}, T, r"the extent m; got no value for it"),
    ("iota", {"a": 1.0, "m": -2}, V, r"an extent of 0 or more; got -2"),
    ("scaled", scaled, V, r"axis 0 of x .* to have extent .* = 5; got 7"),
    ("scaled", {**scaled, "k": 2**70}, V, r"a number that int64 can hold; got a larger one"),
]


@pytest.mark.parametrize(("name", "arguments", "error", "message"), REFUSED)
def test_the_stub_refuses_wrong_arguments(stubs, name, arguments, error, message):
    with pytest.raises(error, match=message):
        getattr(stubs[name], name)(**arguments)


def test_the_stub_refuses_too_many_or_repeated_positional_arguments(stubs):
    with pytest.raises(TypeError, match=r"at most 2 positional arguments; got 3 by position\. Name X, b, a"):
        stubs["affine"].affine(x, b, 1)
    with pytest.raises(TypeError, match=r"X once; got it by position and by keyword"):
        stubs["affine"].affine(x, X=x, b=b, a=1)
    with pytest.raises(TypeError, match=r"keywords only; got 1 by position"):
        stubs["iota"].iota(1.0)


def test_a_dim_in_a_compound_extent_is_passed_by_keyword(stubs):
    result = stubs["scaled"].scaled(x=np.ones(7), k=1, flag=True, m=3)
    np.testing.assert_array_equal(result, np.full(7, 2.0))


EXACT = [
    [1, 2, 3],
    (0.5, 0.25, 1.0),
    [True, False, True],
    np.arange(3),
    np.arange(3, dtype="int8"),
    b.astype("float16"),
]


@pytest.mark.parametrize("value", EXACT, ids=str)
def test_a_stub_converts_what_the_dtype_holds_exactly(stubs, value):
    wanted = stubs["affine"].affine(**{**right, "b": np.array(value, "float32")})[0]
    np.testing.assert_array_equal(stubs["affine"].affine(**{**right, "b": value})[0], wanted)


@pytest.mark.parametrize(
    "value", [np.array([2**24 + 1, 0, 0]), [1e300, 0, 0], [np.float64(0.1)] * 3, [[1], [2, 3]]], ids=str
)
def test_a_stub_rounds_nothing(stubs, value):
    with pytest.raises(TypeError, match="float32"):
        stubs["affine"].affine(**{**right, "b": value})

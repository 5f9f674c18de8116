"""Exported functions back in Python: `symnet.load` and the stub need no compiler, and repeat a call in native code."""

import pickle
import shutil
import subprocess
import sys

import numpy as np
import pytest

import symnet as sn
from symnet.errors import FileError, SingularMatrixError

pytestmark = pytest.mark.skipif(not (shutil.which("cc") or shutil.which("gcc")), reason="no C compiler")

m = sn.dim("m")
X, w, s = sn.tensor("X", m, 3), sn.tensor("w", 3), sn.scalar("s")
A, b = sn.tensor("A", 2, 2), sn.tensor("b", 2)
table, t = sn.tensor("table", 5), sn.tensor("t", m, dtype="int32")

SETUP = """
import sys
sys.modules.update(dict.fromkeys(["sympy", "llvmlite"]))       # any import of them raises
folder = sys.argv[1]
sys.path.insert(0, folder)
import numpy as np
import symnet as sn
X, w = np.arange(6, dtype="float32").reshape(2, 3), np.ones(3, "float32")
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Exports of a function with data, of one that can fail, and of one with indices."""
    folder = tmp_path_factory.mktemp("exports")
    loss = {"total": sn.sum(X * w), "parts": s * (X @ w)}
    sn.compile(loss, dtype="float32").export(folder / "affine")
    sn.compile(sn.solve(A, b), dtype="float64").export(folder / "solved")
    sn.compile(table[t], dtype="float64").export(folder / "taken")
    return folder


def run(folder, code):
    done = subprocess.run([sys.executable, "-c", SETUP + code, str(folder)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_loading_needs_neither_sympy_nor_llvm(folder):
    code = """
f = sn.load(folder + "/taken")
table, t = np.arange(5.0), np.array([1, 2], np.int32)
print(f(table=table, t=t), f.bind(table=table, t=t)())
"""
    assert run(folder, code) == "[1. 2.] [1. 2.]\n"


def test_threads_need_no_llvm_either(folder):
    code = """
X = np.ones((100000, 3), "float32")
one, two = (sn.load(folder + "/affine", threads=k) for k in (1, 2))
print(two.bind(X=X, w=w, s=np.float32(2)).threads)
for again in range(3):
    left, right = one(X=X, w=w, s=2), two(X=X, w=w, s=2)
    assert left["total"] == right["total"] == 300000 and (left["parts"] == right["parts"]).all()
"""
    assert run(folder, code) == "2\n"


@pytest.mark.parametrize("way", ["loaded", "stub"])
def test_a_repeated_call_is_one_of_native_code(folder, way):
    """The call that checks is taken once for each set of sizes; what is not as before goes there again."""
    code = f"""
import affine
f = sn.load(folder + "/affine") if {way == "loaded"} else affine.affine
checked = []
if {way == "loaded"}:
    plan = type(f).plan
    type(f).plan = lambda *a: checked.append(1) or plan(*a)
else:
    plan = affine._checked
    affine._checked = lambda *a: checked.append(1) or plan(*a)
def count(**arrays):
    checked.clear()
    found = f(**arrays)
    return len(checked), float(found["total"]), found["parts"].tolist()
print(count(X=X, w=w, s=2.0), count(X=X, w=w, s=2.0), count(w=2 * w, X=X, s=np.array(0.5, "float32")))
print(count(X=X[:1], w=w, s=2), count(X=X[:1], w=w, s=2.0), count(X=X[:1], w=[1, 1, 1], s=2.0))
try:
    f(X=X, w=w.astype(float), s=1e60)
except TypeError as error:
    print(str(error)[:7])
try:
    f(X=X, w=w, s=1e60)
except (ValueError, OverflowError) as error:
    print(str(error)[:7])
"""
    assert run(folder, code) == (
        "(1, 15.0, [6.0, 24.0]) (0, 15.0, [6.0, 24.0]) (0, 30.0, [3.0, 12.0])\n"
        "(1, 3.0, [6.0]) (0, 3.0, [6.0]) (1, 3.0, [6.0])\n"
        "affine(\naffine(\n"
    )


def test_results_of_repeated_calls_are_fresh(folder):
    code = """
import affine
for f in (sn.load(folder + "/affine"), affine.affine):
    first, *others = [f(X=X, w=w, s=float(k)) for k in range(4)]
    assert len({each["parts"].ctypes.data for each in (first, *others)}) == 4
    assert type(first["total"]) is np.float32
    assert [each["parts"][1] for each in others] == [12, 24, 36]
"""
    assert run(folder, code) == ""


@pytest.mark.parametrize("way", ["loaded", "stub"])
def test_errors_have_names(folder, way):
    code = f"""
import solved
f = sn.load(folder + "/solved") if {way == "loaded"} else solved.solved
b = np.ones(2)
print(f(A=np.eye(2), b=b), f(A=np.eye(2), b=b))
for A in (np.ones((2, 2)), np.zeros((2, 2))):
    try:
        f(A=A, b=b)
    except ValueError as error:
        print(error)
"""
    first, *others = run(folder, code).splitlines()
    assert first == "[1. 1.] [1. 1.]"
    assert len(others) == 2
    for message in others:
        assert "a matrix that can be inverted; got a singular one (code 6, SINGULAR_MATRIX: a pivot" in message
        assert "A + 1e-6*eye(n)" in message


def test_a_loaded_function_raises_the_error_of_the_process(folder):
    with pytest.raises(SingularMatrixError, match="SINGULAR_MATRIX"):
        sn.load(folder / "solved")(A=np.zeros((2, 2)), b=np.ones(2))


def test_a_loaded_function_is_pickled_as_its_path_and_digest(folder, tmp_path):
    for file in folder.glob("*affine*"):
        shutil.copy(file, tmp_path)
    arrays = {"X": np.ones((2, 3), "float32"), "w": np.ones(3, "float32"), "s": np.float32(3)}
    content = pickle.dumps(sn.load(tmp_path / "affine", check_finite=True))
    assert len(content) < 400
    again = pickle.loads(content)
    assert again(**arrays)["parts"].tolist() == [9, 9]
    assert again.check_finite
    sn.compile({"total": sn.sum(X * w), "parts": 2 * s * (X @ w)}, dtype="float32").export(tmp_path / "affine")
    with pytest.raises(FileError, match=r"affine\.py of the export that was pickled \(digest \w{32}\); got another ex"):
        pickle.loads(content)


def test_a_library_of_another_version_is_loaded_without_its_support(folder, monkeypatch):
    """What a library holds for Python is used only if it is what this version would have made."""
    from symnet.runtime import support

    monkeypatch.setattr(support, "_offered", [])
    sn.load(folder / "affine")
    assert len(support._offered) == 1
    support._offered.clear()
    monkeypatch.setattr(support, "_stamp", lambda code: 32 * "0")
    sn.load(folder / "affine")
    assert support._offered == []

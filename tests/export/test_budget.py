"""What the header says of arguments, and workspaces that stay within a budget."""

import re
import shutil
import subprocess

import numpy as np
import pytest

import symnet as sn
from symnet.errors import ArgumentError
from symnet.export.documented import documented
from symnet.loops.verifier import verify
from symnet.schedule import budget
from symnet.schedule.program import schedule
from symnet.schedule.reuse import reused

CC = shutil.which("cc") or shutil.which("gcc")
needs_compiler = pytest.mark.skipif(not CC, reason="no C compiler")
m = sn.dim("m")
X, D = sn.tensor("X", m, 6), sn.tensor("D", m, 4, one_hot=True)
W, b = sn.tensor("W", 6, 4), sn.tensor("b", 4)
L = sn.mean(sn.cross_entropy(sn.softmax(sn.tanh(X @ W) + b), D))
x, k = sn.tensor("x", m), sn.tensor("k", m, dtype="int32")


@pytest.fixture(scope="module")
def gradient():
    return sn.value_and_grad(L, [W, b], dtype="float32")


@needs_compiler
def test_the_workspace_stays_within_a_budget(gradient, tmp_path, rng):
    data = {"X": rng.standard_normal((1000, 6)), "D": np.eye(4)[rng.integers(0, 4, 1000)]}
    arrays = {name: a.astype("float32") for name, a in data.items()}
    arrays |= {"W": np.ones((6, 4), "float32"), "b": np.zeros(4, "float32")}
    value, (dW, db) = gradient(**arrays)
    free = gradient.workspace_bytes(m=1000)
    for most in (free, free // 2, free // 8):
        files = gradient.export(tmp_path / "f", max_workspace=most, files="o,h,so,py", overwrite=True)
        f = sn.load(tmp_path / "f")
        sizes = [f.workspace_bytes(m=k) for k in (1, 7, 64, 1000, 10**6)]
        assert sizes == sorted(sizes)
        assert sizes[-1] <= most
        said = re.search(r"f_WORKSPACE_BYTES (\d+) ", files.header.read_text())
        assert sizes[-1] <= int(said[1]) <= most
        again, (aW, ab) = f(**arrays)
        for left, right in ((value, again), (dW, aW), (db, ab)):
            np.testing.assert_allclose(left, right, rtol=1e-4, atol=1e-6)


def test_a_budget_that_is_impossible_names_the_least(gradient, tmp_path):
    with pytest.raises(ArgumentError, match=r"f\.export\(…, max_workspace=64\): .* at most 64 bytes, .*; got one"):
        gradient.export(tmp_path / "f", max_workspace=64, library=False)
    with pytest.raises(
        ArgumentError, match=r"one row at a time, the least possible\. Write max_workspace=\d+"
    ) as error:
        gradient.export(tmp_path / "f", max_workspace=0, library=False)
    least = int(re.search(r"Write max_workspace=(\d+)", str(error.value))[1])
    gradient.export(tmp_path / "f", max_workspace=least, library=False)
    with pytest.raises(ArgumentError, match=f"max_workspace={least}"):
        gradient.export(tmp_path / "f", max_workspace=least - 1, library=False, overwrite=True)


def test_a_workspace_that_grows_has_no_budget(tmp_path):
    f = sn.compile(sn.cumsum(sn.tanh(x)[::-1]), name="reversed_sums")
    with pytest.raises(ArgumentError, match=r"got one that grows: it holds t\d+: float64\[m\]\. Leave it out and ask"):
        f.export(tmp_path / "f", max_workspace=10**9, library=False)


@pytest.mark.parametrize("given", ["16k", -1, True, 2.5])
def test_a_budget_is_a_number_of_bytes(gradient, tmp_path, given):
    with pytest.raises(ArgumentError, match=r"max_workspace=.*expected a number of bytes; got"):
        gradient.export(tmp_path / "f", max_workspace=given, library=False)


def test_all_processors_of_an_object_have_superblocks_of_one_size(gradient):
    s = gradient.stages
    wide, narrow = s.target, sn.compile(L, target="x86-64-v3").stages.target
    programs = budget.within(lambda target, rows: schedule(s.lowered, target, rows), [narrow, wide], 4000)
    assert len({str(each.groups[-2].repeat) for each in programs}) == 1
    for each in programs:
        verify(each)
        assert budget.workspace_limit(reused(each)) <= 4000
    assert budget.workspace_limit(reused(schedule(s.lowered, wide))) > 4000


def test_the_header_says_what_every_argument_is(tmp_path):
    f = sn.compile(
        {"y": sn.mean(x * sn.tensor("table", 4)[k]).named("y"), "z": sn.exp(x).named("z")},
        dtype="float32",
        name="picked",
    )
    text = f.export(tmp_path / "picked", files="h", target="aarch64").header.read_text()
    lines = [line.strip() for line in text.split("\n\n")[1].splitlines()]
    assert lines == [
        "x      float32 [m]",
        "table  float32 [4]",
        "k      int32 [m], each in -4 .. 3 (an index)",
        "y      float32 = mean(x*table[k])",
        "z      float32 [m] = exp(x)",
        "m      extent, m >= 1 for the mean over m",
    ]


def test_long_formulas_are_cut_and_comments_stay_whole():
    f = sn.compile(sn.sum(x), name="total")
    long = documented(f.signature, ["a + " * 300 + "*/ /* \\"])
    assert "… (whole in total.json)" in long
    assert max(map(len, long.splitlines())) <= 112
    assert not set(documented(f.signature, ["2 */ 3 /* \\"]).split()) & {"*/", "/*", "\\"}


@needs_compiler
def test_the_typed_calls_refuse_what_is_null(gradient, tmp_path):
    gradient.export(tmp_path / "f", files="o,h")
    (tmp_path / "main.c").write_text("""
#include "f.h"
int main(void)
{
    static float X[12], D[8], W[24], b[4], value, dW[24], db[4];
    if (f_call(X, D, W, b, &value, dW, db, 2, f_NULL, 100000) != f_NULL_ARGUMENT) return 1;
    if (f_call_args(f_NULL) != f_NULL_ARGUMENT) return 2;
    return f_call(X, D, W, b, &value, dW, db, 2, f_NULL, 0) != f_NULL_ARGUMENT;
}
""")
    subprocess.run([CC, "-Wall", "-Wextra", "-Werror", "main.c", "f.o", "-o", "main"], cwd=tmp_path, check=True)
    assert subprocess.run([tmp_path / "main"]).returncode == 0

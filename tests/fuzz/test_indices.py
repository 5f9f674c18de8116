"""A slice of the sessions with computed indices, between forbidden pages in a process of its own; and the witnesses."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import symnet as sn
from symnet.errors import ValueDomainError
from symnet.expr.nodes.extents import dim
from symnet.lower.ranges import surely_in_range
from tests.fuzz.guarded import guarded

m, n = dim("m"), dim("n")
E, X, Y = sn.tensor("E", 7, 4), sn.tensor("X", m, 5), sn.tensor("Y", n, 3)
i, k, q = sn.tensor("i", m, dtype="int64"), sn.tensor("k", m, dtype="int32"), sn.tensor("q", 5, dtype="int64")
DATA = {"E": np.arange(28.0).reshape(7, 4), "X": np.ones((3, 5)), "q": np.array([1, 2, 3, 4, 77]), "Y": np.ones((0, 3))}
OUTSIDE = {
    "a sum": (sn.take(E, i + 1), [0, 0, 6], "i \\+ 1 in -7 … 6.*got 7 at \\[2\\]"),
    "what simplifies to the leaf": (E[i * 1], [0, 0, 99], "i in -7 … 6.*got 99 at i\\[2\\]"),
    "a slice": (E[i[1:]], [99, 0, -8], "i\\[1:\\] in -7 … 6.*got -8 at \\[1\\]"),
    "an element of an array": (sn.take(E, sn.take(q, i)), [0, 4, 1], "q\\[i\\] in -7 … 6.*got 77 at \\[1\\]"),
    "bounded on one side": (E[sn.maximum(i, 0)], [-7, 9, 1], "in -7 … 6.*got 9 at \\[1\\]"),
    "counted": (sn.take(X, sn.arange(m) + 2), None, "arange\\(m\\) \\+ 2 in -3 … 2.*got 3 at \\[1\\]"),
    "one-hot rows": (sn.one_hot(i + 1, 4), [0, 1, 3], "i \\+ 1 in 0 … 3.*got 4 at \\[2\\]"),
    "in a branch not taken": (sn.where(i[:, None] < 6, E[i + 1], 0), [6, 0, 0], "got 7 at \\[0\\]"),
    "in a gradient": (sn.grad(sn.sum(E[i + 1] ** 2), E), [0, 6, 0], "got 7 at \\[1\\]"),
    "narrow": (E[k - 9], [9, 0, 10], "k - 9 in -7 … 6.*got -9 at \\[1\\]"),
    "of nothing": (sn.take(Y, i + 1), [0, 0, 0], "extent n"),
}


@pytest.mark.parametrize("name", OUTSIDE)
def test_an_index_outside_is_an_error_that_says_which_value_and_where(name: str) -> None:
    formula, indices, said = OUTSIDE[name]
    function = sn.compile(formula)
    given = DATA | {"i": np.array(indices or [0]), "k": np.array(indices or [0], "int32")}
    with pytest.raises(ValueDomainError, match=rf"(?s){said}"):
        function(**{name: given[name] for name in function.inputs})


def test_a_bound_step_and_every_thread_say_so_too() -> None:
    formula = sn.sum(sn.tanh(E[i + 1]))
    far = np.r_[np.zeros(100_000, int), 6, 0]
    with pytest.raises(ValueDomainError, match=r"got 7 at \[100000\]"):
        sn.compile(formula, threads=2)(E=DATA["E"], i=far)
    step = sn.compile(formula).bind(E=DATA["E"], i=np.zeros(3, int))
    step()
    step.inputs["i"][1] = 6
    with pytest.raises(ValueDomainError, match=r"got 7 at \[1\]"):
        step()
    step.inputs["i"][1] = 5
    step()


def test_negative_indices_of_take_count_from_the_end_as_those_of_numpy() -> None:
    table, given = DATA["E"], np.array([-7, -1, 0, 6])
    for dtype in ("int32", "int64"):
        j = sn.tensor("j", m, dtype=dtype)
        for index, value in ((j, given), (j + 0 * sn.arange(m), given), (j[::-1], given[::-1])):
            for wrong in (-8, 7, -(2**31), 2**31 - 1):
                function = sn.compile(E[index])
                assert np.array_equal(function(E=table, j=given.astype(dtype)), table[value])
                with pytest.raises(ValueDomainError, match=f"got {wrong} at"):
                    function(E=table, j=np.array([0, wrong], dtype))
        wanted = np.zeros((7, 4))
        np.add.at(wanted, given, 2 * table[given])
        gradient = sn.grad(sn.sum(E[j] ** 2), E)
        assert np.array_equal(sn.compile(gradient)(E=table, j=given.astype(dtype)), wanted)
        with pytest.raises(ValueDomainError, match="in 0 … 6 \\(a label\\); got -1 at j\\[1\\]"):
            sn.compile(sn.one_hot(j, 7))(j=np.array([0, -1, 9], dtype))


def test_native_code_itself_refuses_leaves_and_says_which_came_first() -> None:
    """No check before the call stands between: the entry point is called as C would."""
    function = sn.compile(E[i])
    assert not function.signature.index_bounds
    step = function.bind(E=DATA["E"], i=np.zeros(600, int))
    step.inputs["i"][[300, 500]] = 9, -9
    assert function.native.run_call()(*step.addresses) == 4
    with pytest.raises(ValueDomainError, match=r"got 9 at i\[300\]"):
        step()


def test_an_empty_table_is_not_read() -> None:
    """Whether the extent is known or not: not even the first element, which is none."""
    for table in (sn.tensor("T", 0, 3), sn.tensor("T", n, 3)):
        function = sn.compile(sn.take(table, i + 1))
        empty = guarded(np.zeros((0, 3)))
        assert function(T=empty, i=np.zeros(0, int)).shape == (0, 3)
        with pytest.raises(ValueDomainError):
            function(T=empty, i=np.zeros(2, int))


IN_RANGE = {
    "argmax": sn.argmax(X, axis=1),
    "counted": sn.arange(5),
    "constant": sn.constant(np.array([0, 4, 2])),
    "bounded": sn.minimum(sn.maximum(i, 0), 4),
    "chosen": sn.where(i > 2, sn.argmax(X, axis=1), 3),
    "joined": sn.concat([sn.arange(3), sn.arange(5)]),
    "scaled": sn.arange(3) * 2,
}


@pytest.mark.parametrize("name", IN_RANGE)
def test_what_is_surely_in_range_is_not_checked(name: str) -> None:
    assert surely_in_range(IN_RANGE[name], 5)
    assert "fail" not in sn.compile(sn.take(sn.eye(5), IN_RANGE[name])).loops


@pytest.mark.parametrize("inner", [i, i + 1, sn.maximum(i, 0), sn.arange(6), sn.arange(5) + 1, -sn.argmax(X, axis=1)])
def test_what_may_be_outside_is_not_taken_to_be_inside(inner: sn.Node) -> None:
    assert not surely_in_range(inner, 5)


def test_an_extent_is_compared_with_symbols() -> None:
    assert surely_in_range(sn.arange(n), n) and surely_in_range(sn.arange(n), n + 1)
    assert not surely_in_range(sn.arange(n) + 1, n) and not surely_in_range(sn.arange(n), m)


SESSION = "from tests.fuzz.indices import session; counts, wrong = session({seed}, 600, {most}); assert not wrong"


def test_random_indices_give_the_values_of_numpy_or_an_error_and_touch_nothing_else() -> None:
    code = SESSION.format(seed=0, most=60) + "; assert min(counts['errors'], counts['values']) > 10"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.skipif(not (shutil.which("cc") or shutil.which("gcc")), reason="no C compiler")
def test_calls_threads_bound_steps_and_libraries_read_nothing_beside_tables_of_any_length(tmp_path: Path) -> None:
    code = "import sys, pathlib; from tests.fuzz.doors import session; counts = session(pathlib.Path(sys.argv[1]))\n"
    code += "assert all(counts[k] > 100 for k in ('call', 'threads', 'step', 'library', 'errors', 'values')), counts"
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path], capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]


def test_a_foreign_read_beside_a_guarded_array_ends_the_process() -> None:
    code = (
        "import ctypes, faulthandler, numpy as np; from tests.fuzz.guarded import guarded; faulthandler.disable()\n"
        "a = guarded(np.zeros(3)); ctypes.string_at(a.ctypes.data, 24); print('inside'); "
        "ctypes.string_at(a.ctypes.data, 25)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert "inside" in done.stdout and done.returncode < 0
    assert guarded(np.arange(5))[4] == 4

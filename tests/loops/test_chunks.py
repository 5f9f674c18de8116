"""How a vector loop is cut into chunks, and in which order these are added up (`loops/chunks.py`, `reductions.py`)."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from symnet.errors import CompileError
from symnet.loops import interpreter, ir
from symnet.loops.chunks import chunks, in_rows, tree
from symnet.loops.ir import TAILS, LaneCut
from symnet.loops.verifier import verify

CUTS = st.builds(LaneCut, st.sampled_from([2, 4, 8, 16]), st.sampled_from([0, 1, 2, 4]), st.sampled_from(TAILS))


@given(st.integers(0, 300), CUTS)
def test_chunks_hold_every_iteration_once_and_in_order(extent, cut):
    found = [chunk.start + k for chunk in chunks(extent, cut) for k in range(chunk.real)]
    assert found == list(range(extent))


@given(st.integers(0, 300), CUTS)
def test_chunks_are_as_wide_as_what_they_hold_and_never_wider_than_a_register(extent, cut):
    for chunk in chunks(extent, cut):
        width = chunk.lanes or 1
        assert chunk.real <= width <= cut.lanes and width & (width - 1) == 0
        assert chunk.real == width or cut.tail in ("rounded", "whole")


@given(st.integers(0, 300), CUTS)
def test_rows_repeat_the_same_numbers(extent, cut):
    found = list(chunks(extent, cut))
    whole = in_rows(extent, cut)
    assert [chunk.number for chunk in found[:whole]] == [k % max(cut.row, 1) for k in range(whole)]
    assert all(chunk.real == cut.lanes for chunk in found[:whole])
    assert list(chunks(extent, cut, whole)) == found[whole:]


@pytest.mark.parametrize(
    ("cut", "expected"),
    [
        (LaneCut(4, 0, "narrow"), [(0, 4, 4, 0), (4, 4, 4, 1), (8, 2, 2, 2), (10, 0, 1, 2)]),
        (LaneCut(4, 0, "rounded"), [(0, 4, 4, 0), (4, 4, 4, 1), (8, 4, 3, 2)]),
        (LaneCut(4, 0, "whole"), [(0, 4, 4, 0), (4, 4, 4, 1), (8, 4, 3, 2)]),
        (LaneCut(4, 2, "single"), [(0, 4, 4, 0), (4, 4, 4, 1), (8, 0, 1, 0), (9, 0, 1, 0), (10, 0, 1, 0)]),
        (LaneCut(4, 1, "narrow"), [(0, 4, 4, 0), (4, 4, 4, 0), (8, 2, 2, 2), (10, 0, 1, 2)]),
    ],
)
def test_eleven_iterations_cut(cut, expected):
    assert list(map(tuple, chunks(11, cut))) == expected


def test_a_tree_adds_neighbours_and_an_odd_one_waits():
    assert tree(list("abcde"), lambda a, b: f"({a}{b})") == "(((ab)(cd))e)"


# ----------------------------------------------------------------------------- in the interpreter


def summed(extent, cut, combine="add", dtype="float32"):
    x = ir.Buffer("x", dtype, (ir.IntConst(extent),), "input")
    s = ir.Buffer("s", dtype, (), "output")
    start = ir.Store(s, (), ir.Const(0.0, dtype))
    inside = ir.Store(s, (), ir.Load(x, (ir.IntVar("i"),)), combine)
    loop = ir.For("i", ir.IntConst(extent), (inside,), "vector", cut=cut)
    return ir.Program("f", (), (x,), (s,), (), (ir.Group((ir.Phase("f", (start, loop)),)),))


def test_a_sum_goes_by_accumulators_then_their_tree_then_halves():
    """Written out by hand, for 11 numbers in lanes of 4: two accumulators of 4, one of 2, and one number by itself."""
    x = np.random.default_rng(1).standard_normal(11).astype(np.float32)
    lanes, pair = x[:4] + x[4:8], x[8:10]
    halves = lanes[:2] + lanes[2:]
    expected = (x[10] + (halves[0] + halves[1])) + (pair[0] + pair[1])
    got = interpreter.run(summed(11, LaneCut(4, 0, "narrow")), {"x": x})["s"]
    assert got == expected


def test_the_order_shows_in_the_bits():
    x = np.random.default_rng(2).standard_normal(1000).astype(np.float32)
    found = {
        float(interpreter.run(summed(1000, cut), {"x": x})["s"])
        for cut in (None, LaneCut(4, 1, "narrow"), LaneCut(8, 4, "narrow"))
    }
    assert len(found) == 3


@given(st.integers(1, 70), CUTS, st.sampled_from(["max", "min", "mul", "add"]))
def test_whatever_the_cut_the_meaning_is_the_same(extent, cut, combine):
    """Of small integers, which are exact in any order."""
    x = np.random.default_rng(extent).choice([1.0, 2.0, -1.0], extent).astype(np.float64)
    want = interpreter.run(summed(extent, None, combine, "float64"), {"x": x})["s"]
    assert interpreter.run(summed(extent, cut, combine, "float64"), {"x": x})["s"] == want


@pytest.mark.parametrize(
    ("kind", "cut", "said"),
    [
        ("serial", LaneCut(4, 1, "narrow"), "a cut of vector loops only; got one of the serial loop over i"),
        ("vector", LaneCut(6, 1, "narrow"), "a power of two of lanes"),
        ("vector", LaneCut(4, -1, "narrow"), "row=-1"),
        ("vector", LaneCut(4, 1, "none"), "a tail among narrow, rounded, whole, single"),
    ],
)
def test_a_cut_that_means_nothing_is_refused(kind, cut, said):
    program = summed(11, cut)
    (group,) = program.groups
    (phase,) = group.phases
    body = tuple(replace(s, kind=kind) if isinstance(s, ir.For) else s for s in phase.body)
    changed = replace(program, groups=(replace(group, phases=(replace(phase, body=body),)),))
    with pytest.raises(CompileError, match=said.replace("(", r"\(")):
        verify(changed)

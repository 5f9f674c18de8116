"""Vector loops are cut for a target, and sums then have the same bits in the interpreter and in machine code."""

from dataclasses import replace

import numpy as np
import pytest

import symnet as sn
from symnet.backends.llvm.loading import runs_here
from symnet.backends.llvm.targets import host_target, target_for
from symnet.loops import interpreter, ir
from symnet.schedule.target import Target
from symnet.schedule.vectorize import vectorized
from tests.llvm.native import meant, native
from tests.loops.programs import map_body

m = sn.dim("m")
HOST = host_target()
TARGETS = {
    "this machine": HOST,
    "every machine of its kind": target_for(HOST.triple),
    "AVX2": target_for("x86_64-unknown-linux-gnu", "haswell"),
    "AVX2 without fma": target_for("x86_64-unknown-linux-gnu", "x86-64", "+avx,+avx2"),
    "AVX-512": target_for(
        "x86_64-unknown-linux-gnu", "skylake-avx512", "+avx512f,+avx512vl,+avx512dq,+avx512bw,+avx2,+fma"
    ),
}
EXTENTS = [1, 3, 10, 15, 33, 100, 1500]


def sums(extent):
    """Of vectors and matrices, along contiguous axes and across them."""
    k = 7
    x, A, B, C = sn.tensor("x", extent), sn.tensor("A", extent, k), sn.tensor("B", k, extent), sn.tensor("C", k, 21)
    products = [A @ C, B @ A, C.T @ B]
    return [sn.sum(x), sn.mean(x), sn.sum(A, axis=1), sn.sum(A, axis=0), sn.sum(A), sn.sum(B, axis=1), *products]


def built(extent, dtype, target):
    return native(sn.compile(sums(extent), dtype=dtype, target=target, stop_after="schedule"), target)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("known", [True, False], ids=["known", "run time"])
@pytest.mark.parametrize("target", TARGETS)
def test_a_sum_has_the_bits_of_machine_code_in_the_interpreter(rng, target, known, dtype):
    if not runs_here(TARGETS[target]):
        pytest.skip("this machine lacks its instructions")
    machine = TARGETS[target]
    unknown = None if known else built(m, dtype, machine)
    for extent in EXTENTS:
        shapes = {"x": (extent,), "A": (extent, 7), "B": (7, extent), "C": (7, 21)}
        data = {name: rng.standard_normal(shape).astype(dtype) for name, shape in shapes.items()}
        code = unknown or built(extent, dtype, machine)
        dims = {} if known else {"m": extent}
        got = code.run(data, dims)
        wanted = meant(code.program, data, dims, machine)
        for name in got:
            np.testing.assert_array_equal(got[name], wanted[name], err_msg=f"{name} of {extent}")


def test_without_the_cut_the_bits_are_others(rng):
    """The comparison above sees the order of a sum."""
    x = rng.standard_normal(1500)
    program = sn.compile(sn.sum(sn.tensor("x", 1500)), target=HOST, stop_after="schedule")
    uncut = changed(program, lambda loop: replace(loop, cut=None))
    assert interpreter.run(program, {"x": x})["out0"] != interpreter.run(uncut, {"x": x})["out0"]


def changed(program, change):
    """A program with its loops changed."""

    def phase(old):
        return replace(old, body=map_body(old.body, lambda s: change(s) if isinstance(s, ir.For) else s))

    groups = tuple(replace(group, phases=tuple(map(phase, group.phases))) for group in program.groups)
    return replace(program, groups=groups)


def cuts(program):
    loops = [s for _, stage in program.phases() for s in ir.walk(stage.body) if isinstance(s, ir.For)]
    return [loop.cut for loop in loops if loop.kind == "vector"]


def scheduled(extent, dtype, target):
    expression = sn.sum(sn.tensor("x", extent))
    return sn.compile(expression, dtype=dtype, target=target, stop_after="schedule")


def test_a_register_holds_fewer_lanes_of_wider_numbers():
    found = [cuts(scheduled(m, dtype, TARGETS["AVX2 without fma"])) for dtype in ("float32", "float64")]
    assert [{cut.lanes for cut in each} for each in found] == [{8}, {4}]


def test_a_target_without_vectors_leaves_loops_to_be_serial():
    bare = vectorized(scheduled(m, "float64", HOST), Target("riscv64-linux-gnu", vector_bits=0))
    assert set(cuts(bare)) == {None}


def test_tails_are_masked_where_that_costs_nothing():
    tails = [cuts(scheduled(100, "float64", TARGETS[name]))[-1].tail for name in ("AVX2 without fma", "AVX-512")]
    assert tails == ["narrow", "rounded"]


def test_the_machines_above_are_with_fma_and_without():
    assert {name for name, machine in TARGETS.items() if machine is not HOST and not machine.fma} == {
        "every machine of its kind",
        "AVX2 without fma",
    }


def test_a_gather_is_written_eight_times_in_a_row_and_a_copy_four_times():
    i = sn.tensor("i", m, dtype="int64")
    gathers = sn.take(sn.tensor("x", 50), i), sn.take(sn.tensor("E", 50, 400), i), sn.tensor("y", m) + 1
    rows = [cuts(sn.compile(f, target=TARGETS["AVX-512"], stop_after="schedule"))[-1].row for f in gathers]
    assert rows == [8, 4, 4]

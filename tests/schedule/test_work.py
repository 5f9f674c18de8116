"""The estimate of what phases take: in proportion to the operations, on every extent and in every unit."""

import math

import numpy as np
import pytest

import symnet as sn
from symnet.backends.llvm.targets import target_for
from symnet.loops.ir import For, Group, If, IntCondition, IntConst, IntLoad, IntVar, Load, Phase, Program, Store
from symnet.loops.substitute import int_variables
from symnet.loops.work import Work, WorkTerm
from symnet.runtime.extents import evaluate
from symnet.schedule.work import LOAD, OPERATION, STORE, work
from tests.runtime.programs import PROGRAMS, m

AVX2 = target_for("x86_64-unknown-linux-gnu", features="+avx2,+fma")


def total(terms: tuple[WorkTerm, ...], found: Work, **dims: int) -> float:
    extents = [evaluate(extent, dims) for extent in found.extents]
    return sum(term.factor * math.prod(extents[place] for place in term.extents) for term in terms)


def seconds(found: Work, **dims: int) -> float:
    """Of a call, in nanoseconds."""
    return sum(
        evaluate(found.extents[group.repeat], dims) * sum(total(phase.time, found, **dims) for phase in group.phases)
        for group in found.groups
    )


def estimate(*roots: object, **options: object) -> Work:
    return work(sn.compile(list(roots), stop_after="schedule", target=AVX2, **options))


def test_a_product_takes_as_long_as_its_multiply_adds() -> None:
    found = {}
    for n in (64, 128, 256):
        found[n] = seconds(estimate(sn.tensor("A", n, n) @ sn.tensor("B", n, n), dtype="float32"))
        vectors = n**3 / 8
        assert OPERATION * vectors < found[n] < 4 * OPERATION * vectors
    assert found[128] / found[64] == pytest.approx(8, rel=0.3)
    assert found[256] / found[128] == pytest.approx(8, rel=0.3)


def test_rows_and_superblocks_count_as_often_as_there_are() -> None:
    m = sn.dim("m")
    X, W = sn.tensor("X", m, 8), sn.tensor("W", 8, 16)
    found = work(sn.value_and_grad(sn.sum(sn.tanh(X @ W) ** 2), [W], stop_after="schedule", target=AVX2))
    times = {rows: seconds(found, m=rows) for rows in (0, 16, 256, 2560)}
    assert times[0] < 0.01 * times[256]
    assert times[256] / times[16] == pytest.approx(16, rel=0.2)
    assert times[2560] / times[256] == pytest.approx(10, rel=0.2)


def test_functions_take_longer_than_sums() -> None:
    x = sn.tensor("x", 4096)
    assert seconds(estimate(sn.tanh(x))) > 5 * seconds(estimate(x + 1.0))


def test_traffic_is_that_of_the_callers_arrays() -> None:
    m = sn.dim("m")
    X = sn.tensor("X", m, 10)
    found = estimate(sn.sum(sn.exp(X), axis=1))
    bytes_moved = [total(phase.traffic, found, m=100) for group in found.groups for phase in group.phases]
    assert max(bytes_moved) == 8 * (100 * 10 + 100)


def test_each_arm_of_a_condition_between_units_counts_for_its_own_units() -> None:
    x = PROGRAMS["affine"]()[0].outputs[0]
    u, j = IntVar("u"), IntVar("j")
    heavy, light = (For("j", IntConst(n), (Store(x, (u, j), Load(x, (u, j))),)) for n in (300, 3))
    body = (If(IntCondition("lt", u, IntConst(2)), (heavy,), (light,)),)
    found = work(Program("f", (), (), (x,), (), (Group((Phase("p", body, IntConst(10)),)),)))
    (phase,) = found.groups[0].phases
    ones = 2 * 300 + 8 * 3
    assert (LOAD + STORE) * ones <= total(phase.time, found, m=10) <= 2 * (LOAD + STORE) * ones


CASES = {
    "chain": lambda m: sn.sum(sn.tanh(sn.tensor("X", m, 5) @ sn.tensor("W", 5, 3)), axis=0),
    "pairs": lambda m: sn.sum(sn.tanh(sn.tensor("X", m, 3) @ sn.tensor("X", m, 3).T)),
    "take": lambda m: sn.tensor("X", m, 3)[sn.tensor("i", sn.dim("k"), dtype="int64")],
    "cumsum": lambda m: sn.cumsum(sn.tensor("x", m)),
    "inv": lambda m: sn.inv(sn.tensor("A", 9, 9)) * sn.sum(sn.tensor("x", m)),
    "stencil": lambda m: sn.sum((sn.tensor("x", m)[1:] - sn.tensor("x", m)[:-1]) ** 2),
    "norm": lambda m: sn.norm(sn.tensor("x", m)),
}


@pytest.mark.parametrize("case", CASES)
def test_every_extent_can_be_worked_out_before_a_call(case: str) -> None:
    program = sn.compile(CASES[case](sn.dim("m")), stop_after="schedule", target=AVX2)
    found = work(program)
    assert found.groups and all(int_variables(extent) <= set(program.dims) for extent in found.extents)
    assert len(set(found.extents)) == len(found.extents)
    for rows in (1, 10, 300, 70_000):
        dims = dict.fromkeys(program.dims, rows)
        assert np.isfinite(seconds(found, **dims)) and seconds(found, **dims) >= 0


def test_a_loop_as_long_as_data_say_counts_as_one_iteration() -> None:
    labels = PROGRAMS["gather"]()[0].inputs[0]
    x = PROGRAMS["affine"]()[0].outputs[0]
    inside = (Store(x, (IntConst(0), IntConst(0)), Load(x, (IntVar("j"), IntConst(0)))),)
    body = (For("j", IntLoad(labels, (IntConst(0),)), inside),)
    found = work(Program("f", ("m",), (labels,), (x,), (), (Group((Phase("p", body, m),)),)))
    assert seconds(found, m=100) == pytest.approx(100 * seconds(found, m=1))

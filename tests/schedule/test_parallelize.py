"""Units: shares of a nest that do not overlap and leave nothing out, of a size that no thread decides."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import symnet as sn
from symnet.expr.nodes.node import Node
from symnet.loops import interpreter
from symnet.loops.ir import IntConst, IntVar, Program
from symnet.loops.verifier import verify
from symnet.lower.nest import naive_phase
from symnet.lower.program import Lowered
from symnet.schedule import parallelize
from symnet.schedule.parallelize import UNIT_WORK, in_units
from symnet.schedule.target import Target
from tests.schedule.nests import check_step, last_nest, lowered, plain

TARGET = Target("x86_64-unknown-linux-gnu", "", "", vector_bits=256, fma=True, registers=16)
n = sn.dim("n")
WIDTH = 1 << 14
ROWS = UNIT_WORK // WIDTH  # of a unit whose rows are so wide


def rows(count: object) -> Node:
    return sn.tensor("X", count, WIDTH) * 2.0


def shared(whole: Lowered) -> Program:
    """The program whose one nest is cut into units."""
    (nest,) = whole.nests
    part = in_units(nest, TARGET, "u")
    before = plain(whole, [nest])
    (group,) = before.groups
    phase = replace(naive_phase(part.nest), units=part.units, unit_var="u")
    program = replace(before, groups=(replace(group, phases=(phase,)),))
    verify(program)
    return program


def test_a_large_nest_is_cut_into_chunks_of_rows() -> None:
    whole = lowered(rows(n))
    check_step("units", plain(whole, whole.nests), shared(whole))


@pytest.mark.parametrize("unit_order", ["forward", "reversed", 3])
@pytest.mark.parametrize("count", [0, 1, ROWS - 1, ROWS, ROWS + 1, 2 * ROWS, 2 * ROWS + 3])
def test_units_compute_every_row_and_none_twice(count: int, unit_order: int | str, rng: np.random.Generator) -> None:
    """What no unit computes would stay poisoned; what two compute would be counted twice."""
    width = 8
    X = sn.tensor("X", n, width)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parallelize, "UNIT_WORK", ROWS * width)
        program = shared(lowered(X * 2.0))
    data = rng.normal(size=(count, width))
    found = interpreter.run(program, {"X": data}, unit_order=unit_order)
    np.testing.assert_array_equal(found["out0"], data * 2.0)


def test_a_chunk_that_is_too_short_is_caught(rng: np.random.Generator) -> None:
    def one_less(nest, axis, start, chunk):  # type: ignore[no-untyped-def]
        return whole_chunk(nest, axis, start, chunk - 1)

    whole_chunk = parallelize.one_chunk
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parallelize, "one_chunk", one_less)
        patch.setattr(parallelize, "UNIT_WORK", ROWS * 8)
        program = shared(lowered(sn.tensor("X", n, 8) * 2.0))
    data = rng.normal(size=(40, 8))
    found = interpreter.run(program, {"X": data})
    assert np.isnan(found["out0"]).any()


SMALL = {
    "few elements": sn.tensor("X", 4, 4) * 2.0,
    "rows of one chunk": rows(ROWS),
    "no elements": rows(0),
    "one number": sn.tensor("X", 5).sum(),
}


@pytest.mark.parametrize("name", SMALL)
def test_what_is_small_is_one_unit(name: str) -> None:
    nest = last_nest(SMALL[name])
    assert in_units(nest, TARGET, "u") == parallelize.NestInUnits(nest, IntConst(1))


def test_an_extent_known_when_compiling_is_cut_then() -> None:
    assert in_units(last_nest(rows(3 * ROWS + 1)), TARGET, "u").units == IntConst(4)


def test_a_matrix_product_is_cut_along_its_rows_and_not_along_its_lanes() -> None:
    nest = last_nest(sn.tensor("A", 4096, 64) @ sn.tensor("B", 64, 32))
    part = in_units(nest, TARGET, "u")
    assert part.units != IntConst(1)
    changed = [new.var for old, new in zip(nest.parallel, part.nest.parallel, strict=True) if old != new]
    assert changed == [nest.parallel[0].var]
    assert part.nest.reduced == nest.reduced


def test_the_size_of_a_unit_depends_on_the_nest_alone() -> None:
    """A symbolic extent gives a number of units that is computed at the call, from chunks of one size."""
    known, symbolic = in_units(last_nest(rows(10 * ROWS)), TARGET, "u"), in_units(last_nest(rows(n)), TARGET, "u")
    assert known.units == IntConst(10)
    assert IntVar("n") not in (known.units, symbolic.units)
    assert [a.var for a in known.nest.parallel] == [a.var for a in symbolic.nest.parallel]

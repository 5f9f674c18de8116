"""Scheduled programs: golden texts, a workspace that does not grow, units that any split may share."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import symnet as sn
from symnet.expr.nodes.constants import identity
from symnet.expr.nodes.contraction import einsum
from symnet.expr.nodes.contraction import sum as total
from symnet.expr.nodes.elementwise import tanh
from symnet.expr.nodes.extents import dim
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import leaves, tensor
from symnet.loops import interpreter
from symnet.loops.ir import IntConst, IntVar, Program, int_min
from symnet.loops.limits import limit
from symnet.loops.printer import to_text
from symnet.loops.verifier import verify
from symnet.lower.program import lower
from symnet.schedule.parallelize import ROW_UNIT, in_units, rows_of_unit
from symnet.schedule.program import schedule
from symnet.schedule.superblock import SUPERBLOCK
from symnet.schedule.target import Target
from symnet.schedule.tile_shape import choose, tile_widths
from tests.golden import check_golden

HERE = Path(__file__).parent / "golden"
WIDE = Target("x86_64-unknown-linux-gnu", "", "", vector_bits=512, fma=True, masks=True, registers=32)
NARROW = Target("x86_64-unknown-linux-gnu", "", "", vector_bits=128, registers=16)
m = dim("m")
X, W, V = (tensor(name, *shape, dtype="float32") for name, shape in (("X", (m, 20)), ("W", (20, 40)), ("V", (40, 3))))


def nests(*roots: Node):  # type: ignore[no-untyped-def]
    return lower("f", list(roots), [f"out{k}" for k in range(len(roots))], leaves(*roots), "float32")


def scheduled(*roots: Node, target: Target = WIDE) -> Program:
    program = schedule(nests(*roots), target)
    verify(program)
    return program


def gradient() -> list[Node]:
    H = tanh(X @ W)
    G = H @ V
    return [total(G * G), X.T @ ((G @ V.T) * (1 - H * H)), H.T @ G]


GOLDEN = {"layer": [tanh(X @ W)], "gradient": gradient(), "column_sum": [total(X, 0)], "row_sum": [total(X, 1)]}


@pytest.mark.parametrize("name", GOLDEN)
def test_scheduled_loops_read_as_they_did(name: str) -> None:
    check_golden(HERE / f"{name}.txt", to_text(scheduled(*GOLDEN[name])))


def test_no_workspace_buffer_grows_with_the_batch() -> None:
    for buffer in (b for b in scheduled(*gradient()).workspace if b.view_of is None):
        assert all(limit(extent) is not None for extent in buffer.shape)
        assert buffer.batch_axis is None or buffer.shape[buffer.batch_axis] == int_min(SUPERBLOCK, IntVar("m"))


def test_units_give_the_same_bits_in_any_order(rng: np.random.Generator) -> None:
    program = scheduled(*gradient())
    data = {
        b.name: rng.normal(size=[70 if n == IntVar("m") else n.value for n in b.shape]).astype("f4")
        for b in program.inputs
    }
    straight = interpreter.run(program, data)
    backwards = interpreter.run(program, data, unit_order="reversed")
    for name, array in straight.items():
        np.testing.assert_array_equal(array, backwards[name])


def test_a_product_keeps_its_accumulators_in_registers() -> None:
    shape = choose(nests(X @ W).nests[0], WIDE)
    assert shape.row is not None and shape.lane is not None
    vectors = max(tile_widths(40, WIDE, "float32", shape.mr)) // WIDE.lanes("float32")
    assert shape.mr * vectors <= WIDE.registers - 4


@pytest.mark.parametrize("extent", [1, 3, 16, 17, 40, 100, 128, 1000])
@pytest.mark.parametrize("target", [WIDE, NARROW])
def test_column_tiles_cover_every_column_once(extent: int, target: Target) -> None:
    widths = tile_widths(extent, target, "float32", 4)
    assert sum(widths) == extent
    assert all(w % target.lanes("float32") == 0 for w in widths[:-1])


def test_units_are_of_a_fixed_size() -> None:
    part = in_units(nests(tensor("A", 1000, 500) @ tensor("B", 500, 300)).nests[0], WIDE, "u")
    assert isinstance(part.units, IntConst) and part.units.value > 1


LIGHT, HEAVY = tensor("x", dim("m")), tensor("X", dim("m"), 64)
ROW_UNITS = {
    "a number for each row": (2 * LIGHT, SUPERBLOCK),
    "a transcendental function": (sn.tanh(LIGHT), 128),
    "a product": (HEAVY @ tensor("W", 64, 64), ROW_UNIT),
    "numbers of a table": (sn.take(tensor("c", 9), tensor("i", dim("m"), dtype="int64")), SUPERBLOCK),
    "long rows": (HEAVY * 2, ROW_UNIT),
    "long rows of a table": (sn.take(tensor("E", 9, 64), tensor("i", dim("m"), dtype="int64")), 4 * ROW_UNIT),
}


@pytest.mark.parametrize("name", ROW_UNITS)
def test_light_rows_have_longer_units_that_divide_a_superblock(name: str) -> None:
    formula, wanted = ROW_UNITS[name]
    rows = rows_of_unit(nests(formula).nests, SUPERBLOCK)
    assert rows == wanted and SUPERBLOCK % rows == 0


def axis_sizes(root: Node) -> tuple[object, object]:
    """The extents of the lane axis and the row axis that are chosen for an expression's last nest."""
    shape = choose(nests(root).nests[-1], WIDE)
    return shape.lane and shape.lane.constant, shape.row and shape.row.constant


def test_lanes_rather_gather_from_a_small_matrix_than_scatter_into_a_large_one() -> None:
    delta, s = identity(m), tensor("s", m, 10)
    assert axis_sizes(einsum("ik,kj,lj->ijkl", delta, s, tensor("C", 64, 10))) == (64, None)


def test_rows_of_a_tile_lie_side_by_side_where_they_can() -> None:
    """Of (j, k), both 64 long, k is contiguous in P: eight of its elements come in one cache line."""
    P, S = tensor("P", 512, 64, 48), tensor("S", 512, 10)
    assert axis_sizes(einsum("ijk,im->jkm", P, S)) == (10, 48)
    short = tensor("Q", 512, 64, 4)
    assert axis_sizes(einsum("ijk,im->jkm", short, S)) == (10, 64)

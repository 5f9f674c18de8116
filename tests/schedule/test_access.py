"""How nests touch memory: strides, what is read and written, and accesses that are moved."""

from __future__ import annotations

from dataclasses import replace

import pytest

import symnet as sn
from symnet.loops.ir import Buffer, IntConst, IntExpr, IntLoad, IntVar, Load, as_int, int_min
from symnet.loops.substitute import Substitution
from symnet.schedule.access import (
    CONTIGUOUS,
    INVARIANT,
    STRIDED,
    accesses,
    base_name,
    coefficient,
    inner_loads,
    outer_loads,
    read_names,
    readers,
    stores,
    stride,
    substituted,
    written_names,
)
from tests.schedule.nests import check_step, last_nest, lowered, plain

m = sn.dim("m")
A, B = sn.tensor("A", m, 3), sn.tensor("B", 3, 4)
T, K = sn.tensor("T", 7, 3), sn.labels("k", m, classes=7)
i, j, k = map(IntVar, "ijk")
TABLE = Buffer("t", "int64", (IntConst(9),))
LOADED = IntLoad(TABLE, (i,))

STRIDES: list[tuple[tuple[IntExpr, ...], str, str]] = [
    ((i, j), "j", CONTIGUOUS),
    ((i, j), "i", STRIDED),
    ((i, j), "k", INVARIANT),
    ((), "i", INVARIANT),
    ((i, i), "i", STRIDED),
    ((k, i + 5), "i", CONTIGUOUS),
    ((k, i * 2), "i", STRIDED),
    ((k, IntConst(3) - i), "i", STRIDED),
    ((k, i // 2), "i", STRIDED),
    ((LOADED, j), "i", STRIDED),
    ((LOADED, j), "j", CONTIGUOUS),
    ((j, LOADED), "i", STRIDED),
]


@pytest.mark.parametrize(("index", "var", "expected"), STRIDES, ids=str)
def test_an_address_moves_by_one_by_more_or_not_at_all(index: tuple[IntExpr, ...], var: str, expected: str) -> None:
    array = Buffer("a", "float64", (as_int(8), as_int(9)))
    assert stride(Load(array, index), var) == expected


def test_axes_of_one_element_at_the_end_are_as_if_not_there() -> None:
    column = Buffer("a", "float64", (as_int(8), as_int(1)))
    assert stride(Load(column, (i, as_int(0))), "i") == CONTIGUOUS
    assert stride(Load(replace(column, shape=(as_int(8), as_int(9))), (i, as_int(0))), "i") == STRIDED


COEFFICIENTS: list[tuple[IntExpr, int | None]] = [
    (i, 1),
    (j, 0),
    (IntConst(4), 0),
    (i * 3 + j, 3),
    (i * 3 + j + i, 4),
    ((i + j) * 5, 5),
    (IntConst(2) - i, -1),
    (i * j, None),
    (i // 2, None),
    (j // 2, 0),
    (int_min(i, 3), None),
    (LOADED, None),
]


@pytest.mark.parametrize(("expr", "expected"), COEFFICIENTS, ids=str)
def test_the_factor_of_a_variable_is_found_where_there_is_one(expr: IntExpr, expected: int | None) -> None:
    assert coefficient(expr, "i") == expected


def test_a_product_computes_with_both_operands_and_stores_once() -> None:
    nest = last_nest(A @ B)
    assert [load.buffer.name for load in inner_loads(nest)] == ["A", "B"]
    assert outer_loads(nest) == ()
    assert [s.buffer.name for s in stores(nest)] == ["out0"]
    assert read_names(nest) == {"A", "B"}
    assert written_names(nest) == {"out0"}


def test_what_is_added_to_a_product_is_read_outside_the_sum() -> None:
    nest = last_nest(A @ B + sn.tensor("b", 4))
    assert [load.buffer.name for load in inner_loads(nest)] == ["A", "B"]
    assert [load.buffer.name for load in outer_loads(nest)] == ["b"]


def test_loads_inside_indices_are_accesses_and_no_operands() -> None:
    nest = last_nest(sn.take(T, sn.tensor("n", m, dtype="int64")))
    assert [load.buffer.name for load in outer_loads(nest)] == ["T"]
    assert len({buffer.name for buffer, _ in accesses(nest)}) == 3, "T, out0 and the checked indices"
    assert {"T"} < read_names(nest)


def test_every_access_of_memory_is_found_and_none_of_registers() -> None:
    touched = [(buffer.name, buffer.space) for buffer, _ in accesses(last_nest(A @ B))]
    assert sorted(touched) == [("A", "input"), ("B", "input"), ("out0", "output")]


def test_readers_are_counted_by_the_memory_that_they_read() -> None:
    H = sn.tanh(A @ B)
    assert readers(lowered(H.sum(0), (H * H).sum(0)).nests)["A"] == 1
    assert set(readers(lowered(H.sum(0), (H * H).sum(0)).nests).values()) == {1, 2}


def test_a_view_is_the_memory_that_it_is_a_view_of() -> None:
    whole = Buffer("whole", "float64", (IntConst(6),))
    assert base_name(whole) == "whole"
    assert base_name(Buffer("rows", "float64", (IntConst(2), IntConst(3)), view_of="whole")) == "whole"


def test_what_was_asked_of_a_nest_is_kept_beside_it_alone() -> None:
    nest, other = last_nest(A @ B), last_nest(A @ B)
    assert stores(nest) is stores(nest)
    assert stores(nest) is not stores(other)


def test_a_variable_is_replaced_in_every_access_and_axes_stay() -> None:
    whole = lowered(sn.exp(A @ B))
    (nest,) = whole.nests
    before = plain(whole, [nest])
    (row,) = [axis.var for axis in nest.parallel if axis.batch]
    swapped = substituted(nest, Substitution({row: IntVar("m") - 1 - IntVar(row)}))
    assert swapped.axes == nest.axes
    check_step("rows_backwards", before, plain(whole, [swapped]))


def test_an_access_is_moved_to_another_buffer() -> None:
    nest = last_nest(A @ B)
    copy = Buffer("copy", "float64", (IntConst(4), IntConst(3)))
    moved = substituted(nest, Substitution({}, lambda x: (copy, x[1][::-1]) if x[0].name == "B" else x))
    old, new = inner_loads(nest)[1], inner_loads(moved)[1]
    assert (new.buffer, new.index) == (copy, old.index[::-1])
    assert inner_loads(moved)[0] == inner_loads(nest)[0]

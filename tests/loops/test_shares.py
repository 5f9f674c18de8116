"""Shares of tiles: every tile is some unit's, once; the operations of a program that shares are those of all tiles."""

from __future__ import annotations

from dataclasses import replace

import pytest

import symnet as sn
from symnet.loops.ir import For, IntConst, IntVar, Phase, Program, int_min
from symnet.loops.operations import operations
from symnet.loops.shares import begin_of, length_of, shared
from symnet.runtime.extents import evaluate

n = IntVar("n")


@pytest.mark.parametrize("units", [1, 8, 16])
@pytest.mark.parametrize("tiles", [0, 1, 7, 8, 9, 15, 16, 17, 100, 1601])
def test_units_have_all_tiles_in_order(units: int, tiles: int) -> None:
    begins, lengths = (
        [evaluate(of(IntConst(u), n, units), {"n": tiles}) for u in range(min(units, tiles))]
        for of in (begin_of, length_of)
    )
    assert [t for b, length in zip(begins, lengths, strict=True) for t in range(b, b + length)] == list(range(tiles))
    assert not lengths or (min(lengths) >= 1 and max(lengths) - min(lengths) <= 1)


def test_a_phase_that_shares_is_told_from_others() -> None:
    loop = For("t", length_of(IntVar("u"), n, 16), ())
    found = Phase("p", (loop,), int_min(16, n))
    assert shared(found) == (loop, n)
    others = (
        replace(found, units=n),
        replace(found, units=int_min(8, n)),
        replace(found, body=(loop, loop)),
        replace(found, body=(replace(loop, extent=n),)),
    )
    assert [shared(other) for other in others] == [None] * 4


def test_operations_are_those_of_all_rows() -> None:
    m = sn.dim("m")
    program: Program = sn.compile(sn.softmax(sn.tensor("X", m, 10)), stop_after="schedule")
    assert any(map(shared, (phase for _, phase in program.phases())))
    count = operations(program).total
    each = count.subs(m, 1)
    assert each > 50 and count == each * m

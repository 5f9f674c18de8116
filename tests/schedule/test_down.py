"""Sums down columns: panels of columns give the bits of register tiles, and read nothing beside arrays."""

from __future__ import annotations

import numpy as np
import pytest

import symnet as sn
from symnet.schedule import down, register_tiles
from tests.fuzz.guarded import guarded

KINDS = {
    "vector times matrix": (lambda x, v: v @ x, lambda x, v: v @ x),
    "sum": (lambda x, v: sn.sum(x, axis=0), lambda x, v: x.sum(axis=0)),
    "max": (lambda x, v: sn.max(2 * x, axis=0), lambda x, v: 2 * x.max(axis=0)),
    "sum of squares": (lambda x, v: sn.sum(x * x, axis=0), lambda x, v: (x * x).sum(axis=0)),
    "two axes": (lambda x, v: sn.sum(sn.stack([x, 2 * x]), axis=(0, 1)), lambda x, v: 3 * x.sum(axis=0)),
}
ROWS = (1, 15, 16, 17, 31, 40, 300)
COLUMNS = (3, 200, 385, 512, 513, 1024, 1030, 2500)


def made(kind: str, dtype: str, *shape: object):
    return sn.compile(KINDS[kind][0](sn.tensor("x", *shape), sn.tensor("v", shape[0])), dtype=dtype)


def given(compiled, x, v) -> dict:
    arrays = {"x": x, "v": v}
    return {leaf.name: guarded(arrays[leaf.name]) for leaf in compiled.stages.leaves}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", KINDS)
def test_columns_of_any_number_have_the_bits_of_register_tiles(monkeypatch, rng, kind, dtype):
    monkeypatch.setenv("SYMNET_CACHE", "0")
    monkeypatch.setattr(down, "CACHE", 0)
    panels = made(kind, dtype, sn.dim("m"), sn.dim("n"))
    monkeypatch.setattr(register_tiles, "past_the_cache", lambda *_: None)
    tiles = made(kind, dtype, sn.dim("m"), sn.dim("n"))
    assert ("_panel" in str(panels.program)) > ("_panel" in str(tiles.program))
    for rows in ROWS:
        for columns in COLUMNS:
            x, v = rng.normal(size=(rows, columns)).astype(dtype), rng.normal(size=rows).astype(dtype)
            found = panels(**given(panels, x, v))
            np.testing.assert_array_equal(found, tiles(**given(tiles, x, v)), err_msg=f"{kind} {rows}×{columns}")
            near = 1e-4 if dtype == "float32" else 1e-12
            truth = KINDS[kind][1](x.astype(float), v.astype(float))
            np.testing.assert_allclose(found, truth, rtol=near, atol=near, err_msg=f"{kind} {rows}×{columns}")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", ["vector times matrix", "max"])
@pytest.mark.parametrize("columns", [385, 1000, 1030, 2500])
def test_known_columns_read_what_there_is(monkeypatch, rng, kind, dtype, columns):
    monkeypatch.setattr(down, "CACHE", 0)
    for rows in (40, 300):
        compiled = made(kind, dtype, rows, columns)
        assert "_panel" in str(compiled.program)
        x, v = rng.normal(size=(rows, columns)).astype(dtype), rng.normal(size=rows).astype(dtype)
        truth = KINDS[kind][1](x.astype(float), v.astype(float))
        near = 1e-4 if dtype == "float32" else 1e-12
        for at_end in (True, False):
            arrays = {"x": x, "v": v}
            held = {leaf.name: guarded(arrays[leaf.name], at_end) for leaf in compiled.stages.leaves}
            np.testing.assert_allclose(compiled(**held), truth, rtol=near, atol=near)


def test_what_is_read_goes_through_memory_in_order():
    """The rows of a large matrix are read whole, and so a unit has whole panels of columns."""
    program = sn.compile(sn.tensor("v", 2000) @ sn.tensor("x", 2000, 4000), dtype="float32", stop_after="schedule")
    text = str(program)
    assert "units u in 4" in text and text.count(f"float32[1, {down.columns_of_panel('float32')}]") >= 3


def test_few_rows_of_many_columns_stay_register_tiles():
    v, x = sn.tensor("v", sn.dim("m")), sn.tensor("x", sn.dim("m"), sn.dim("n"))
    text = str(sn.compile(v @ x, dtype="float32", stop_after="schedule", target="x86-64-v4"))
    assert f"if min(m*n, {down.CACHE // 4 // 15}*min(256, " in text  # beyond the bound from 16 rows on

"""Rows summed along their lanes: several at once have the bits of each alone, short ones the values of long ones.

Arrays end where a page begins that nobody may touch.
"""

from __future__ import annotations

import numpy as np
import pytest

import symnet as sn
from symnet.expr.nodes.symbols import leaves
from symnet.schedule import across, partials, register_tiles
from tests import chain
from tests.fuzz.guarded import guarded

WIDTHS = (1, 7, 8, 15, 16, 17, 32, 33, 65, 300)
KINDS = {
    "sum": lambda x, v: sn.sum(x, axis=1),
    "sum of exp": lambda x, v: sn.sum(sn.exp(x), axis=1),
    "log of a sum": lambda x, v: sn.log(sn.sum(sn.exp(x), axis=1)),
    "max": lambda x, v: sn.max(x * 2, axis=1),
    "softmax": lambda x, v: sn.softmax(x, axis=1),
    "layer norm": lambda x, v: (x - sn.mean(x, axis=1, keepdims=True)) / sn.norm(x, axis=1, keepdims=True),
    "matrix times vector": lambda x, v: x @ v,
    "rows times rows": lambda x, v: x @ x.T,
    "product": lambda x, v: x @ sn.tensor("u", v.shape[0], sn.dim("k")),
}


def made(kind: str, dtype: str):
    m, n = sn.dim("m"), sn.dim("n")
    return sn.compile(KINDS[kind](sn.tensor("x", m, n), sn.tensor("v", n)), dtype=dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", KINDS)
def test_short_rows_have_the_values_of_the_loops_for_long_ones(monkeypatch, rng, kind, dtype):
    short = made(kind, dtype)
    monkeypatch.setattr(partials, "short_first", lambda nest, most, sizes, body: body(sizes))
    for module in (across, register_tiles):
        monkeypatch.setattr(module, "short_first", partials.short_first)
    monkeypatch.setattr(register_tiles, "_by_parts_if", lambda *_: None)
    monkeypatch.setenv("SYMNET_CACHE", "0")
    long = made(kind, dtype)
    assert short.llvm_ir != long.llvm_ir
    for width in WIDTHS:
        arrays = {"x": rng.normal(size=(9, width)), "v": rng.normal(size=width), "u": rng.normal(size=(width, 5))}
        given = {leaf.name: guarded(arrays[leaf.name].astype(dtype)) for leaf in short.stages.leaves}
        near = {"rtol": 1e-4, "atol": 1e-5} if dtype == "float32" else {"rtol": 1e-12, "atol": 1e-13}
        np.testing.assert_allclose(short(**given), long(**given), **near, err_msg=f"{kind}, {width}")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("rows", [1, 3, 4, 11, 300])
@pytest.mark.parametrize("width", [5, 131, 3000])
def test_a_row_has_the_same_bits_wherever_it_stands(rng, dtype, rows, width):
    """Rows that are summed beside others, those left over, and one by itself."""
    a, v = rng.normal(size=(rows, width)).astype(dtype), rng.normal(size=width).astype(dtype)
    made = sn.compile(sn.tensor("a", sn.dim("m"), width) @ sn.tensor("v", width), dtype=dtype)
    whole = made(a=a, v=v)
    alone = [made(a=a[k : k + 1], v=v)[0] for k in range(rows)]
    np.testing.assert_array_equal(whole, alone)
    np.testing.assert_allclose(whole, a.astype(float) @ v.astype(float), rtol=1e-4, atol=1e-4)


def test_an_operand_is_loaded_once_for_several_rows():
    program = sn.compile(sn.tensor("a", 64, 1000) @ sn.tensor("v", 1000), dtype="float32", stop_after="schedule")
    text = str(program)
    assert "(unroll)" in text and text.index("let a1_1 = v[") < text.index("(unroll)", text.index("(vector"))


GATHERED = {
    "rows @ vector": lambda f, E, i, j, w, G: f.take(E, i, axis=0) @ w,
    "rows * rows": lambda f, E, i, j, w, G: f.sum(f.take(E, i, axis=0) * f.take(E, i + 1, axis=0), axis=1),
    "rows * array": lambda f, E, i, j, w, G: f.sum(f.take(E, i, axis=0) * G, axis=1),
    "columns @ vector": lambda f, E, i, j, w, G: f.take(G, j, axis=1) @ f.take(w, j, axis=0),
    "elements": lambda f, E, i, j, w, G: f.sum(G * f.take(w, j, axis=0), axis=1),
    "squares": lambda f, E, i, j, w, G: f.sum(f.tanh(f.take(E, i, axis=0)) ** 2 * w, axis=1),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", GATHERED)
def test_rows_that_stand_at_places_read_from_an_array(rng, name, dtype):
    for wide, rows in ((64, None), (7, None), (64, 40), (None, None)):
        size, count = wide or 30, rows or 23
        n, m = wide or sn.dim("n"), rows or sn.dim("m")
        E, w, G = sn.tensor("E", 50, n), sn.tensor("w", n), sn.tensor("G", m, n)
        i, j = sn.tensor("i", m, dtype="int64"), sn.tensor("j", n, dtype="int64")
        loss = sn.sum(sn.tanh(GATHERED[name](sn, E, i, j, w, G)))
        roots = [loss, *sn.grad(loss, [E, w, G], absent="zero")]
        arrays = {
            "E": rng.standard_normal((50, size)),
            "w": rng.standard_normal(size),
            "G": rng.standard_normal((count, size)),
            "i": rng.integers(0, 7, count),
            "j": rng.integers(0, 7, size),
        }
        data = {leaf.name: arrays[leaf.name] for leaf in leaves(*roots)}
        dims = {name: extent for name, known, extent in (("m", rows, count), ("n", wide, size)) if known is None}
        stages = chain.floors(roots, data, dims, dtype)
        chain.check(stages, chain.within(1e-4 if dtype == "float32" else 1e-10))

"""Sums of products over rows that wait where they are stored: every row once, at every edge and on every machine; the
digits of long batches; and tiles that leave no rows.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.loops import interpreter
from symnet.loops.ir import as_int
from symnet.loops.verifier import verify
from symnet.lower.nest import Axis
from symnet.schedule.kept_sums import KEPT_CHAINS
from symnet.schedule.partials import CHAIN
from symnet.schedule.target import Target
from symnet.schedule.tile_shape import evened, tile_widths

m, n = sn.dim("m"), sn.dim("n")
WIDE = Target("x86_64-unknown-linux-gnu", "", "", vector_bits=512, fma=True, masks=True, registers=32)
SHAPES = {"square": (48, 1, 48), "wide": (9, 1, 100), "tokens": (17, 11, 48), "several": (20, 2, 130)}
ROWS = [1, 2, 3, 31, 32, 33, 64, 65, 256, 257, 513, 800]


def formula(columns: int, tokens: int, others: Any) -> Any:
    X, D = sn.tensor("X", m, tokens, columns), sn.tensor("D", m, tokens, others)
    return sn.einsum("bij,bik->jk", X, sn.tanh(D) * 0 + D)


def arrays(rows: int, shape: tuple[int, int, int], dtype: str) -> dict[str, np.ndarray]:
    """Whole numbers, whose sums are exact."""
    columns, tokens, others = shape
    rng = np.random.default_rng(rows)
    made = {"X": rng.integers(-9, 9, (rows, tokens, columns)), "D": rng.integers(-9, 9, (rows, tokens, others))}
    return {name: array.astype(dtype) for name, array in made.items()}


@cache
def compiled(name: str, dtype: str, symbolic: bool, threads: int = 1) -> Any:
    columns, tokens, others = SHAPES[name]
    return sn.compile(formula(columns, tokens, n if symbolic else others), dtype=dtype, threads=threads)


@pytest.mark.parametrize("symbolic", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", SHAPES)
def test_every_row_is_added_once(name: str, dtype: str, symbolic: bool) -> None:
    for rows in (0, *ROWS):
        given = arrays(rows, SHAPES[name], dtype)
        found = compiled(name, dtype, symbolic)(**given)
        np.testing.assert_array_equal(found, np.einsum("bij,bik->jk", given["X"], given["D"]), str(rows))


@pytest.mark.parametrize("target", ["x86-64", "x86-64-v3", "x86-64-v4", "aarch64"])
@pytest.mark.parametrize("rows", [1, 40, 300])
def test_the_loops_of_every_machine_add_every_row_once(target: str, rows: int) -> None:
    shape = 9, 2, 48
    given = arrays(rows, shape, "float32")
    program = sn.compile(formula(*shape), dtype="float32", target=target, stop_after="schedule")
    verify(program)
    exact = np.einsum("bij,bik->jk", given["X"], given["D"])
    for order in ("forward", "reversed"):
        (found,) = interpreter.run(program, given, {"m": rows}, unit_order=order).values()
        np.testing.assert_array_equal(found, exact)


@pytest.mark.parametrize("rows", [100, 700, 3000])
def test_the_bits_do_not_depend_on_threads(rows: int) -> None:
    rng = np.random.default_rng(rows)
    given = {"X": rng.normal(size=(rows, 11, 17)), "D": rng.normal(size=(rows, 11, 48))}
    given = {name: array.astype(np.float32) for name, array in given.items()}
    one, three = (compiled("tokens", "float32", False, threads)(**given) for threads in (1, 3))
    np.testing.assert_array_equal(one, three)


@pytest.mark.parametrize("rows", [24 * CHAIN, 5000, 150_000])
def test_equal_rows_are_added_to_a_millionth(rows: int) -> None:
    """Their roundings all point the same way; a few hundred numbers show the worst of them."""
    f = compiled("square", "float32", False)
    for seed in range(4):
        rng = np.random.default_rng(seed)
        x, d = (1 + rng.random((2, 48))).astype(np.float32)
        given = {name: np.ascontiguousarray(np.broadcast_to(v, (rows, 1, 48))) for name, v in (("X", x), ("D", d))}
        exact = rows * np.outer(x.astype(float), d.astype(float))
        assert np.max(np.abs(f(**given) / exact - 1)) < 1e-6


@pytest.mark.parametrize("bad", [[np.inf], [-np.inf], [np.inf, -np.inf], [np.nan]])
@pytest.mark.parametrize("at", [0, 40, 300, 990])
def test_infinities_stay_what_they_are(bad: list[float], at: int) -> None:
    x, d = np.ones((1000, 1, 48), np.float32), np.ones((1000, 1, 48), np.float32)
    x[at : at + len(bad), 0, 5] = bad
    with np.errstate(all="ignore"):
        expected = np.ones((48, 48)) * 1000
        expected[5] = np.sum(x[:, 0, 5].astype(float))
    np.testing.assert_array_equal(compiled("square", "float32", False)(X=x, D=d), expected)


def scheduled(columns: int, tokens: int, others: int, target: str) -> str:
    return str(sn.compile(formula(columns, tokens, others), dtype="float32", target=target, stop_after="schedule"))


def test_sums_are_kept_where_registers_do_not_hold_them_beside_a_chain() -> None:
    """Tiles of 8 rows and 3 vectors fill 24 of 32 registers; of 2 vectors, chains and sums have one each."""
    for target in ("x86-64-v4", "aarch64"):
        assert "sum_tile_chain" not in scheduled(48, 1, 48, target)
    for target, columns in (("x86-64-v4", 128), ("x86-64-v3", 48)):
        assert "sum_tile_chain" in scheduled(48, 1, columns, target)


@pytest.mark.parametrize("tokens", [1, 2, 3, 5, 11])
def test_as_many_chains_as_keep_the_digits_join_a_total_at_once(tokens: int) -> None:
    text = scheduled(48, tokens, 48, "x86-64-v4")
    superblock = int(re.search(r"repeat block in ceil\(m/(\d+)\)", text)[1])  # type: ignore[index]
    chains = -(-superblock * tokens // CHAIN)
    turns = [int(each) for each in re.findall(r"if block % (\d+) == 0", text)]
    assert turns == ([KEPT_CHAINS // chains] if 2 * chains <= KEPT_CHAINS else [])
    if chains > KEPT_CHAINS:
        assert f"{KEPT_CHAINS}*i_flat_part_part" in text


@pytest.mark.parametrize("rows", [16, 20, 32, 36, 40, 44, 88, 90])
@pytest.mark.parametrize("vectors", [3, 4, 6, 12])
def test_tiles_of_fewer_rows_leave_none_and_no_columns_either(rows: int, vectors: int) -> None:
    mr = evened(Axis("i", as_int(rows)), vectors, 8, WIDE)
    assert mr == (4 if rows % 8 == 4 and vectors % 6 == 0 else 8)
    widths = tile_widths(16 * vectors, WIDE, "float32", mr)
    assert mr == 8 or set(widths) == {96}

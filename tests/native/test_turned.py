"""Arrays that are read across their rows: squares are loaded as rows and turned in registers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.backends.llvm import turning
from symnet.backends.llvm.targets import host_target, target_for
from symnet.expr.nodes.symbols import leaves
from symnet.lower.program import lower
from symnet.schedule.program import schedule
from symnet.schedule.target import Target
from tests.llvm.native import agree

HOST = host_target()
TARGETS: dict[str, Target] = {"host": HOST}
if HOST.architecture == "x86_64":
    TARGETS["sse2"] = target_for(HOST.triple, "x86-64")
    if HOST.vector_bits >= 256:
        TARGETS["avx2"] = target_for(HOST.triple, "x86-64-v3")
DTYPES = ("float32", "float64", "int32", "int64", "bool")
SHAPES = ((1, 1), (3, 5), (4, 4), (8, 8), (16, 16), (16, 4), (17, 16), (16, 17), (33, 40), (64, 100), (3, 70), (70, 3))
m, n = sn.dim("m"), sn.dim("n")


@pytest.mark.parametrize("lanes", [2, 4, 8, 16, 32])
@pytest.mark.parametrize("block", [1, 2, 4, 8])
def test_the_shuffles_exchange_rows_and_columns(lanes: int, block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def shuffle(e: Any, first: np.ndarray, second: np.ndarray, picks: list[int]) -> np.ndarray:
        return np.concatenate([first, second])[picks]

    monkeypatch.setattr(turning, "picked", shuffle)
    square = np.arange(lanes * lanes).reshape(lanes, lanes)
    turned: Any = turning.transposed(None, list(square), block)  # type: ignore[arg-type]  # nothing is written
    np.testing.assert_array_equal(np.stack(turned), square.T)


def array(rng: np.random.Generator, dtype: str, *shape: int) -> np.ndarray:
    return rng.integers(0, 2 if dtype == "bool" else 1000, shape).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("extents", ["rows", "both"])
def test_a_transpose_is_numpys(dtype: str, extents: str, rng: np.random.Generator) -> None:
    by_columns: dict[int, Any] = {}
    for rows, columns in SHAPES:
        key = columns if extents == "rows" else 0
        if key not in by_columns:
            by_columns[key] = sn.compile(sn.tensor("X", m, key or n, dtype=dtype).T, threads=1)
        x = array(rng, dtype, rows, columns)
        np.testing.assert_array_equal(by_columns[key](X=x), x.T)


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_transpose_of_known_extents_is_numpys(dtype: str, rng: np.random.Generator) -> None:
    shapes = SHAPES[4:9]
    leaves = [sn.tensor(f"X{k}", *shape, dtype=dtype) for k, shape in enumerate(shapes)]
    arrays = {f"X{k}": array(rng, dtype, *shape) for k, shape in enumerate(shapes)}
    for got, x in zip(sn.compile([leaf.T for leaf in leaves])(**arrays), arrays.values(), strict=True):
        np.testing.assert_array_equal(got, x.T)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("columns", [3, 16, 40])
def test_maps_of_turned_and_straight_arrays_are_numpys(dtype: str, columns: int, rng: np.random.Generator) -> None:
    X, Y, v = sn.tensor("X", m, columns), sn.tensor("Y", columns, m), sn.tensor("v", columns)
    S = sn.tensor("S", 3, m, columns)
    f = sn.compile(
        [X.T * Y, sn.where(X.T > Y, X.T, 2 * Y), v[:, None] - X.T, sn.transpose(S, 0, 2, 1), sn.transpose(S, 2, 0, 1)],
        dtype=dtype,
    )
    for rows in (1, 4, 16, 17, 33, 70):
        sizes = (rows, columns), (columns, rows), (columns,), (3, rows, columns)
        x, y, z, s = (rng.normal(size=size).astype(dtype) for size in sizes)
        wanted = [x.T * y, np.where(y < x.T, x.T, 2 * y), z[:, None] - x.T, s.transpose(0, 2, 1), s.transpose(2, 0, 1)]
        for got, want in zip(f(X=x, Y=y, v=z, S=s), wanted, strict=True):
            np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
@pytest.mark.parametrize("real", ["float32", "float64"])
def test_machine_code_agrees_with_the_interpreter(real: str, target: Target, rng: np.random.Generator) -> None:
    X, W = sn.tensor("X", m, 37, dtype=real), sn.tensor("W", 40, 37, dtype=real)
    roots = [X.T + 0.5, X @ W.T, sn.transpose(sn.tensor("S", 2, 33, 18, dtype=real), 0, 2, 1) * 2.0]
    inputs = leaves(*roots)
    lowered = lower("f", roots, ["a", "b", "c"], inputs, real)
    program = schedule(lowered, target)
    for rows in (1, 7, 16, 40):
        sizes = {"X": (rows, 37), "W": (40, 37), "S": (2, 33, 18)}
        data = {leaf.name: rng.normal(size=sizes[leaf.name]).astype(real) for leaf in inputs}
        agree(program, data, target=target)


def test_squares_are_shuffled_and_not_gathered() -> None:
    text = str(sn.compile(sn.tensor("X", 64, 64).T * 2, dtype="float32", stop_after="llvm"))
    assert "shufflevector" in text
    assert "masked.gather" not in text

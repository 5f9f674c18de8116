"""Sums over many rows keep their digits, in any order of who runs them (`schedule/partials.py`)."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.loops.ir import Const, IntConst, IntMin, IntVar, as_int, ceil_div
from symnet.loops.limits import limit
from symnet.lower.nest import Accumulator, Axis, Nest
from symnet.schedule.partials import CHAIN, CHAINS, SumCut, cut
from symnet.schedule.superblock import SUPERBLOCK

m = sn.dim("m")
BOUND = 1e-6
Array = np.ndarray[Any, Any]
DATA: dict[str, Callable[[int, int], Array]] = {
    "constant": lambda n, k: np.full((n, k), 0.7 / 3, np.float32),
    "ones": lambda n, k: np.ones((n, k), np.float32),
    "random": lambda n, k: np.random.default_rng(7).random((n, k), np.float32),
    "mixed": lambda n, k: np.where(np.arange(n * k).reshape(n, k) % 1000 == 0, 3e4, 1e-2).astype(np.float32),
}


@cache
def compiled(extent: int | None, columns: int, dtype: str = "float32", threads: int = 1) -> Any:
    """Sum, mean, variance of columns; of all; a squared loss and its gradient."""
    rows: Any = m if extent is None else extent
    X, W = sn.tensor("X", rows, columns), sn.tensor("W", columns, 3)
    mean = sn.mean(X, axis=0)
    loss = sn.mean((X @ W - 1) ** 2)
    outputs = [sn.sum(X), sn.sum(X, axis=0), sn.mean(X), mean, sn.mean((X - mean) ** 2, axis=0), loss, sn.grad(loss, W)]
    return sn.compile(outputs, dtype=dtype, threads=threads)


def wanted(x: Array, w: Array) -> list[Any]:
    """The same in float64."""
    x, w = x.astype(np.float64), w.astype(np.float64)
    rest = x @ w - 1
    return [x.sum(), x.sum(0), x.mean(), x.mean(0), x.var(0), (rest**2).mean(), 2 * x.T @ rest / rest.size]


def error(got: Any, want: Any, floor: float = 0.0) -> float:
    return float(np.max(np.abs(np.asarray(got, np.float64) - want)) / max(float(np.max(np.abs(want))), floor))


@pytest.mark.parametrize("kind", DATA)
@pytest.mark.parametrize("columns", [1, 5])
@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("rows", [1_000, 100_003])
def test_sums_over_rows_are_right_to_a_millionth(rows: int, known: bool, columns: int, kind: str) -> None:
    x = DATA[kind](rows, columns)
    w = np.linspace(0.2, 0.9, 3 * columns, dtype=np.float32).reshape(columns, 3)
    got = compiled(rows if known else None, columns)(X=x, W=w)
    floors = [0.0] * 4 + [float(np.mean(x.astype(np.float64) ** 2)) * 1e-3] + [0.0] * 2  # a variance of 0 has no digits
    for number, (g, want, floor) in enumerate(zip(got, wanted(x, w), floors, strict=True)):
        assert error(g, want, floor) < BOUND, (number, error(g, want, floor))


@cache
def weighted() -> Any:
    c, w = sn.tensor("c", m, 1), sn.tensor("w")
    loss = sn.mean((c * w - 2) ** 2)
    return sn.compile([sn.sum(c), sn.mean(c, axis=0), loss, sn.grad(loss, w)], dtype="float32")


@pytest.mark.parametrize("kind", DATA)
def test_ten_million_rows_are_no_worse(kind: str) -> None:
    x = DATA[kind](10_000_000, 1)
    got = weighted()(c=x, w=np.float32(0.75))
    wide = x.astype(np.float64)
    rest = wide * 0.75 - 2
    want = [wide.sum(), wide.mean(), np.mean(rest**2), 2 * np.mean(rest * wide)]
    assert max(map(error, got, want)) < BOUND


def test_a_mean_divides_by_a_count_that_float32_does_not_hold() -> None:
    rows = 2**24 + 5
    c = sn.tensor("c", m)
    f = sn.compile([sn.mean(c), sn.grad(sn.mean(c), c)[:2]], dtype="float32")
    mean, slope = f(c=np.ones(rows, np.float32))
    assert abs(mean - 1) <= np.finfo(np.float32).eps
    assert (slope == np.float32(1 / rows)).all()


INNER = {
    "long rows": (lambda x: sn.sum(x, axis=1), (3, 400_000)),
    "columns of a long middle axis": (lambda x: sn.sum(x, axis=1), (2, 50_000, 5)),
    "everything": (lambda x: sn.sum(x), (300, 7, 211)),
    "two axes": (lambda x: sn.sum(x, axis=(0, 2)), (500, 3, 700)),
    "a dot product": (lambda x: x @ x, (1_000_000,)),
    "a product with a long inner axis": (lambda x: x @ x.T, (9, 120_000)),
    "the Gram matrix of long columns": (lambda x: x.T @ x, (120_000, 9)),
    "squares": (lambda x: sn.sum(x * x, axis=0), (200_000, 2)),
    "exponentials": (lambda x: sn.sum(sn.exp(-x), axis=1), (2, 300_000)),
}


@cache
def inner(name: str, known: bool) -> Any:
    build, shape = INNER[name]
    x = sn.tensor("x", *(shape if known else (sn.dim(f"n{k}") if n > 100 else n for k, n in enumerate(shape))))
    return sn.compile(build(x), dtype="float32")


@pytest.mark.parametrize("kind", ["constant", "random"])
@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("name", INNER)
def test_sums_over_any_axes_are_right_to_a_millionth(name: str, known: bool, kind: str) -> None:
    build, shape = INNER[name]
    data = DATA[kind](int(np.prod(shape)), 1).reshape(shape)
    (want,) = sn.reference.evaluate([build(sn.tensor("x", *shape))], {"x": data.astype(np.float64)}, dtype="float64")
    assert error(inner(name, known)(x=data), want) < BOUND


@cache
def whole(columns: int) -> Any:
    X = sn.tensor("X", m, columns)
    return sn.compile([sn.sum(X), sn.sum(X, axis=0), X.T @ X])


@pytest.mark.parametrize(
    "rows", [0, 1, 2, CHAIN, CHAIN + 1, SUPERBLOCK - 1, SUPERBLOCK, SUPERBLOCK + 1, 2 * SUPERBLOCK, 2 * SUPERBLOCK + 33]
)
@pytest.mark.parametrize("columns", [1, 3, 40])
def test_every_row_is_added_once(rows: int, columns: int) -> None:
    """Whole numbers add up exactly, so that one row too many or too few shows."""
    x = np.random.default_rng(rows).integers(-50, 50, (rows, columns)).astype(np.float64)
    total, column, gram = whole(columns)(X=x)
    assert total == x.sum()
    np.testing.assert_array_equal(column, x.sum(0))
    np.testing.assert_array_equal(gram, x.T @ x)


@cache
def total() -> Any:
    return sn.compile(sn.sum(sn.tensor("x", m)), dtype="float32")


@pytest.mark.parametrize("bad", [[np.inf], [-np.inf], [np.inf, -np.inf], [np.nan], [3e38, 3e38]])
@pytest.mark.parametrize("at", [0, 40, 300, 990])
def test_infinities_stay_what_they_are(bad: list[float], at: int) -> None:
    x = np.ones(1000, np.float32)
    x[at : at + len(bad)] = bad
    got = total()(x=x)
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(got, x.sum())


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_any_number_of_threads_gives_the_same_bits(dtype: str, rng: np.random.Generator) -> None:
    x, w = rng.normal(size=(3000, 40)).astype(dtype), rng.normal(size=(40, 3)).astype(dtype)
    one, two, three = (compiled(None, 40, dtype, threads)(X=x, W=w) for threads in (1, 2, 3))
    for a, b, c in zip(one, two, three, strict=True):
        np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(a, c)


def test_the_workspace_does_not_grow_with_the_rows() -> None:
    f = compiled(None, 5)
    assert f.workspace_bytes(m=10**4) == f.workspace_bytes(m=10**8)


# --------------------------------------------------------------------------- how extents are cut


def points(axes: tuple[Axis, ...], env: dict[str, int]) -> list[dict[str, int]]:
    found = [env]
    for axis in axes:
        found = [{**e, axis.var: k} for e in found for k in range(value(axis.extent, e))]
    return found


def value(expr: Any, env: dict[str, int]) -> int:
    if isinstance(expr, IntConst):
        return expr.value
    if isinstance(expr, IntVar):
        return env[expr.name]
    left = value(getattr(expr, "left", None) or expr.value, env)
    if hasattr(expr, "divisor"):
        return left // expr.divisor
    right = value(expr.right, env)
    return {"IntAdd": left + right, "IntMul": left * right, "IntMin": min(left, right)}[type(expr).__name__]


@pytest.mark.parametrize("extents", [(5,), (32,), (33,), (257,), (600,), (3, 40), (40, 3), (7, 5, 11), (2, 300)])
@pytest.mark.parametrize("lanes", [1, 8])
@pytest.mark.parametrize("known", [True, False])
def test_levels_reach_every_point_once_and_stay_short(extents: tuple[int, ...], lanes: int, known: bool) -> None:
    axes = tuple(Axis(f"i{k}", as_int(n) if known else IntVar(f"n{k}")) for k, n in enumerate(extents))
    nest = Nest("s", (), (), axes, (), Accumulator("s", "float64", "add", 0.0, Const(1.0, "float64")))
    levels = cut(nest, SumCut(lanes=lanes))
    env = {f"n{k}": n for k, n in enumerate(extents)}
    total = 0
    for block in points(levels.blocks, env):
        chains = points(levels.chains, block)
        assert len(chains) <= CHAINS
        for chain in chains:
            inside = len(points(levels.nest.reduced, chain))
            assert inside <= CHAIN * lanes * (CHAIN if lanes > 1 else 1)
            total += inside
    assert total == np.prod(extents)


def test_the_limit_of_an_extent_is_found_through_minima_and_quotients() -> None:
    rows = IntMin(IntConst(256), IntVar("m"))
    assert limit(rows) == 256
    assert limit(ceil_div(rows, 32)) == 8
    assert limit(IntVar("m")) is None

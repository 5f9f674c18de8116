"""Sums by index: the gradient of `take`, against NumPy's `add.at`; accuracy, order, and what no index names."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.expr.nodes.contraction import contract
from symnet.reference import evaluate
from symnet.simplify.machine.kinds import FEWEST_CLASSES, scattered

m, n, k = sn.dim("m"), sn.dim("n"), sn.dim("k")
RNG = np.random.default_rng(5)


def summed(shape: tuple[int, ...], axis: int, i: np.ndarray, g: np.ndarray) -> np.ndarray:
    """Zeros of a shape, and each part of g, which has the axes of i in place of the axis, added where i says."""
    out = np.zeros(shape, g.dtype)
    np.add.at(out, (slice(None),) * axis + (i,), g)
    return out


# shape of the table, axis, shape of the indices
TABLES: dict[str, tuple[tuple[Any, ...], int, tuple[Any, ...]]] = {
    "numbers": ((50,), 0, (40,)),
    "few numbers": ((7,), 0, (40,)),
    "short rows": ((50, 3), 0, (40,)),
    "rows": ((50, 12), 0, (40,)),
    "few rows": ((3, 12), 0, (40,)),
    "one index": ((20, 12), 0, (1,)),
    "matrices": ((30, 4, 5), 0, (40,)),
    "columns": ((12, 30), 1, (40,)),
    "a middle axis": ((4, 30, 5), 1, (40,)),
    "a batch": ((50, 12), 0, (m,)),
    "a batch of numbers": ((50,), 0, (m,)),
    "a batch of sentences": ((50, 12), 0, (m, 6)),
    "sentences of any length": ((50, 12), 0, (4, k)),
    "a table of any length": ((n, 12), 0, (m,)),
    "a table of any length, by columns": ((5, n), 1, (m,)),
    "columns of each row": ((m, 7), 1, (3,)),
    "columns of matrices": ((m, 5, 6), 1, (8,)),
}
EXTENTS = {"m": 300, "n": 40, "k": 5}


def numbers(shape: tuple[Any, ...], **extents: int) -> tuple[int, ...]:
    return tuple({**EXTENTS, **extents}.get(str(e), e) for e in shape)


CASES = [
    (name, rows)
    for name, (shape, _, where) in TABLES.items()
    for rows in ([300, 0, 1] if m in (*shape, *where) else [300])
]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(("name", "rows"), CASES)
def test_the_gradient_of_take_is_a_sum_by_index(name: str, dtype: str, rows: int) -> None:
    shape, axis, where = TABLES[name]
    table, i = sn.tensor("E", *shape, dtype=dtype), sn.tensor("i", *where, dtype="int64")
    weights = sn.tensor("g", *shape[:axis], *where, *shape[axis + 1 :], dtype=dtype)
    loss = sn.sum(sn.take(table, i, axis=axis) * weights)
    gradient = sn.grad(loss, table)
    size, places = numbers(shape, m=rows), numbers(where, m=rows)
    at = RNG.integers(-size[axis], size[axis], places)
    g = RNG.normal(size=(*size[:axis], *places, *size[axis + 1 :])).astype(dtype)
    data = {"E": np.zeros(size, dtype), "i": at, "g": g}
    want = summed(size, axis, at, g.astype("float64"))
    kept = sn.compile([gradient, 2 * table - 3 * gradient])
    got = kept(**data)
    tolerance = 4 * np.finfo(dtype).eps
    scale = summed(size, axis, at, abs(g).astype("float64")).max(initial=1)
    np.testing.assert_allclose(got[0], want, rtol=0, atol=tolerance * scale)
    np.testing.assert_allclose(got[1], -3 * want, rtol=0, atol=4 * tolerance * scale)
    np.testing.assert_allclose(
        evaluate([gradient], data, leaves=[table, i, weights])[0], want, rtol=0, atol=30 * tolerance * scale
    )


def test_no_row_costs_the_work_of_a_comparison_with_every_index() -> None:
    table, i = sn.tensor("E", 10_000, 16), sn.tensor("i", 64, dtype="int64")
    f = sn.compile(sn.grad(sn.sum(sn.take(table, i) ** 2), table))
    assert " == int64" not in f.loops
    assert f.flops < 3 * 10_000 * 16  # each element takes in what its sum lost; 64 comparisons a row would be 640 000


@pytest.mark.parametrize("width", [1, 12])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("batch", [100_000, m])
def test_one_row_receives_many_elements_without_losing_digits(width: int, dtype: str, batch: Any) -> None:
    table, i = sn.tensor("E", 20, width, dtype=dtype), sn.tensor("i", batch, dtype="int64")
    c = sn.tensor("c", batch, width, dtype=dtype)
    f = sn.compile(sn.grad(sn.sum(sn.take(table, i) * c), table))
    at = np.full(100_000, 3)
    at[::7] = 5
    values = np.full((100_000, width), 0.1, dtype)
    got = f(i=at, c=values)
    want = np.zeros((20, width))
    for row in (3, 5):
        want[row] = math.fsum([float(values[0, 0])] * int((at == row).sum()))
    assert abs(got - want).max() <= np.finfo(dtype).eps * abs(want).max()


def test_bits_are_the_same_for_any_number_of_threads_and_whether_rows_stream() -> None:
    shape = (40, 12)
    i, known = sn.tensor("i", m, dtype="int64"), sn.tensor("i", 3000, dtype="int64")
    table = sn.tensor("E", *shape)
    at, g = RNG.integers(0, 40, 3000), RNG.normal(size=(3000, 12))
    found = []
    for rows, index in ((m, i), (3000, known)):
        loss = sn.sum(sn.take(table, index) * sn.tensor("g", rows, 12))
        for threads in (1, 2, 3):
            f = sn.compile(sn.grad(loss, table), threads=threads)
            found.append(f(i=at, g=g))
    assert all(np.array_equal(found[0], each) for each in found)


@pytest.mark.parametrize("classes", [3, 50])
@pytest.mark.parametrize("width", [0, 12])
def test_what_is_not_finite_reaches_its_own_row_alone(classes: int, width: int) -> None:
    shape = (classes, width) if width else (classes,)
    table, i = sn.tensor("E", *shape), sn.tensor("i", m, dtype="int64")
    g = sn.tensor("g", m, *shape[1:])
    gradient = sn.grad(sn.sum(sn.take(table, i) * g), table)
    data = {
        "i": np.array([1, 2, 1]),
        "g": np.array([1.0, np.inf, 2]).reshape(3, *[1] * (g.rank - 1)),
    }
    data["g"] = np.broadcast_to(data["g"], (3, *shape[1:])).copy()
    want = summed(shape, 0, data["i"], data["g"])
    for got in (sn.compile(gradient)(**data), evaluate([gradient], data)[0]):
        np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("classes", [3, 50])
@pytest.mark.parametrize("width", [0, 12])
@pytest.mark.parametrize("dtype", ["int32", "int64"])
def test_whole_numbers_are_added_by_index(dtype: str, width: int, classes: int) -> None:
    i, k = sn.tensor("i", m, dtype="int64"), sn.tensor("k", m, *([width] if width else []), dtype=dtype)
    rows = sn.one_hot(i, classes)
    total = sn.einsum("mj,mk->jk" if width else "mj,m->j", rows, k)
    data = {"i": RNG.integers(0, classes, 70), "k": RNG.integers(-9, 9, (70, width) if width else 70).astype(dtype)}
    want = summed((classes, width) if width else (classes,), 0, data["i"], data["k"].astype("int64"))
    for got in (sn.compile(total)(**data), evaluate([total], data)[0]):
        np.testing.assert_array_equal(got, want)


def test_an_index_out_of_range_writes_nowhere_and_is_named() -> None:
    table, i = sn.tensor("E", 20, 12), sn.tensor("i", m, dtype="int64")
    g = sn.tensor("g", m, 12)
    f = sn.compile(sn.grad(sn.sum(sn.take(table, i + 1) * g), table))
    with pytest.raises(sn.ValueDomainError, match=r"20"):
        f(i=np.array([3, 19]), g=np.ones((2, 12)))


def test_second_derivatives_scatter_too() -> None:
    table, i, v = sn.tensor("E", 20, 4), sn.tensor("i", m, dtype="int64"), sn.tensor("v", 20, 4)
    loss = sn.sum(sn.tanh(sn.take(table, i)) ** 2)
    f = sn.compile(sn.hvp(loss, table, v))
    data = {"E": RNG.normal(size=(20, 4)), "i": RNG.integers(0, 20, 30), "v": RNG.normal(size=(20, 4))}
    t = np.tanh(data["E"])
    second = 2 * (1 - t**2) * (1 - 3 * t**2)
    counts = np.bincount(data["i"], minlength=20)[:, None]
    np.testing.assert_allclose(f(**data), counts * second * data["v"], rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("extent", [4, m])
@pytest.mark.parametrize(
    ("rank", "subscripts"),
    [(2, "ii...->..."), (2, "ii...->i..."), (3, "iij...->j..."), (3, "iji...->ij..."), (3, "iii...->i...")],
)
@pytest.mark.parametrize("width", [None, 3, 12])
def test_an_index_may_run_along_several_axes_of_the_indices(
    width: int | None, rank: int, subscripts: str, extent: Any, dtype: str
) -> None:
    """A diagonal of what was taken; a loop stood for each of the axes, and every element was added several times."""
    rows = () if width is None else (width,)
    table, i = sn.tensor("E", 9, *rows), sn.tensor("i", *[extent] * rank, dtype="int64")
    subscripts = subscripts.replace("...", "" if width is None else "c")
    part = sn.einsum(subscripts, sn.take(table, i))
    f = sn.value_and_grad(sn.sum(part**3) / 3, table, dtype=dtype)
    data = {"E": RNG.normal(size=(9, *rows)).astype(dtype), "i": RNG.integers(0, 9, (4,) * rank)}
    taken = data["E"][data["i"]]
    value = np.einsum(subscripts, taken.astype("f8"))
    slope = np.zeros_like(taken, "f8")
    for at in np.ndindex(*data["i"].shape):
        one = np.zeros_like(taken, "f8")
        one[at] = 1
        slope[at] = (np.einsum(subscripts, one) * value**2).sum(tuple(range(value.ndim - len(rows))))
    loss, gradient = f(**data)
    close = 1e-12 if dtype == "float64" else 1e-4
    np.testing.assert_allclose(loss, (value**3).sum() / 3, rtol=close)
    np.testing.assert_allclose(gradient, summed((9, *rows), 0, data["i"], slope), rtol=close, atol=close)


def test_which_contractions_are_sums_by_index() -> None:
    i = sn.tensor("i", m, dtype="int64")
    rows, g = sn.one_hot(i, 40), sn.tensor("g", m, 12)
    assert scattered(contract([[0, 1], [0, 2]], [1, 2], rows, g)) == 0
    assert scattered(contract([[0, 2], [0, 1]], [1, 2], g, rows)) == 1
    assert scattered(contract([[0, 1], [1, 2]], [0, 2], rows, sn.tensor("W", 40, 12))) is None  # a gather
    assert scattered(contract([[0, 1], [0, 2]], [0, 1], rows, g)) is None  # rows of their own for each index
    few = sn.one_hot(i, FEWEST_CLASSES - 1)
    assert scattered(contract([[0, 1], [0]], [1], few, sn.tensor("h", m))) is None
    assert scattered(contract([[0, 1], [0, 2]], [1, 2], few, g)) == 0


def test_columns_taken_of_every_row_are_part_of_its_work() -> None:
    """The elements of a row stay beside it: nothing as long as the batch is stored, and no column waits for others."""
    X, w = sn.tensor("X", m, 3), sn.tensor("w", m)
    turned = X[:, [1, 2, 0]] * w[:, None] - sn.take(sn.tanh(X), [0, 0, 2, 1], axis=1)[:, :3]
    f = sn.value_and_grad(sn.sum(turned**2), X)
    assert f.workspace_bytes(m=1000) == f.workspace_bytes(m=1_000_000)
    data = {"X": RNG.normal(size=(50, 3)), "w": RNG.normal(size=50)}
    want = evaluate([sn.grad(sn.sum(turned**2), X)], data, leaves=[X, w])[0]
    np.testing.assert_allclose(f(**data)[1], want, rtol=1e-13)
    pairs = contract([[0, 1], [1, 2]], [0, 2], X, sn.one_hot(sn.tensor("i", 3, dtype="int64"), 9))
    many = contract([[0, 1], [1, 2]], [0, 2], X, sn.one_hot(sn.tensor("i", 3, dtype="int64"), 99))
    assert scattered(pairs) is None and scattered(many) == 1


@pytest.mark.parametrize("table", [(m, 0), (20, 0), (0, 3), (20, 3, 0)], ids=str)
def test_rows_without_elements_are_no_reason_to_stop(table: tuple[Any, ...]) -> None:
    """A kernel of no work is a kernel: its loops are bound by its body."""
    E, i = sn.tensor("E", *table), sn.tensor("i", m, dtype="int64")
    c = sn.tensor("c", m, *table[1:])
    f = sn.compile(sn.grad(sn.sum(sn.take(E, i) * c), E, absent="zero"), inputs=[E, i, c])
    rows = 0 if table[0] == 0 else 4
    given = numbers(table, m=rows), numbers(c.shape, m=rows)
    assert f(np.ones(given[0]), np.zeros(rows, np.int64), np.ones(given[1])).shape == given[0]

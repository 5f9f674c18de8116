"""A reduction that only an exceptional condition asks for: left out where that holds nowhere, right where it does."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.loops.order import check_order
from symnet.loops.verifier import verify
from tests.chain import floors

M, N = sn.dim("m"), sn.dim("n")
SIZES = {"float64": (1e-250, 1e-200, 1.0, 1e200, 1e290, 0.0), "float32": (1e-36, 1e-25, 1.0, 1e25, 1e35, 0.0)}


def leaves(rows: Any, columns: Any) -> tuple[sn.Node, sn.Node, sn.Node]:
    return sn.tensor("X", rows, columns), sn.tensor("Y", rows, columns), sn.tensor("w", columns)


def length(X: Any, axis: Any = None, keepdims: bool = False, order: int = 2) -> Any:
    return np.sum(np.abs(X) ** order, axis=axis, keepdims=keepdims) ** (np.longdouble(1) / order)


def unit(X: Any, axis: Any = None) -> Any:
    size = length(X, axis, True)
    return X / np.where(size == 0, 1, size)


# name → a formula in X, Y, w, and the same in NumPy, which is given numbers of a wider range
NORMS: dict[str, tuple[Any, Any]] = {
    "of rows": (lambda X, Y, w: sn.norm(X, axis=1), lambda X, Y, w: length(X, 1)),
    "of rows, kept": (lambda X, Y, w: sn.norm(X, axis=1, keepdims=True), lambda X, Y, w: length(X, 1, True)),
    "of columns": (lambda X, Y, w: sn.norm(X, axis=0), lambda X, Y, w: length(X, 0)),
    "of all": (lambda X, Y, w: sn.norm(X), lambda X, Y, w: length(X)),
    "of differences": (lambda X, Y, w: sn.norm(X - Y, axis=1), lambda X, Y, w: length(X - Y, 1)),
    "of a product": (lambda X, Y, w: sn.norm(X @ w), lambda X, Y, w: length(X @ w)),
    "mean": (lambda X, Y, w: sn.sqrt(sn.mean(X**2, axis=1)), lambda X, Y, w: length(X, 1) / np.sqrt(X.shape[1])),
    "with a number": (lambda X, Y, w: sn.sqrt(sn.sum(X**2, axis=1) + 4), lambda X, Y, w: np.hypot(length(X, 1), 2)),
    "unit rows": (lambda X, Y, w: X / sn.norm(X, axis=1, keepdims=True), lambda X, Y, w: unit(X, 1)),
    "unit columns": (lambda X, Y, w: X / sn.norm(X, axis=0), lambda X, Y, w: unit(X, 0)),
    "order 3": (lambda X, Y, w: sn.norm(X, ord=3, axis=1), lambda X, Y, w: length(X, 1, order=3)),
    "of norms": (lambda X, Y, w: sn.norm(sn.norm(X, axis=1)), lambda X, Y, w: length(X)),
    "slope": (lambda X, Y, w: sn.grad(sn.sum(sn.norm(X - Y, axis=1)), X), lambda X, Y, w: unit(X - Y, 1)),
    "slope of all": (lambda X, Y, w: sn.grad(sn.norm(X), X), lambda X, Y, w: unit(X)),
}
EXTENTS = {"symbolic": (M, N), "rows": (M, 5), "columns": (7, N), "known": (7, 5)}


def data(rows: int, columns: int, dtype: str, sizes: Any) -> dict[str, np.ndarray]:
    """Rows of all sizes, in turn."""
    rng = np.random.default_rng(rows + columns)
    scale = np.array([sizes[k % len(sizes)] for k in range(rows)])[:, None]
    X, Y = (rng.uniform(0.5, 1.5, (rows, columns)) * scale for _ in range(2))
    return {"X": X.astype(dtype), "Y": (Y / 4).astype(dtype), "w": rng.uniform(1, 2, columns).astype(dtype)}


def values(f: sn.CompiledFunction, given: dict[str, np.ndarray]) -> np.ndarray:
    with np.errstate(all="ignore"):
        return np.asarray(f(**{name: given[name] for name in f.inputs}))


@pytest.mark.parametrize("dtype", SIZES)
@pytest.mark.parametrize("extents", EXTENTS)
@pytest.mark.parametrize("name", NORMS)
def test_norms_of_rows_of_every_size_have_their_digits(name: str, extents: str, dtype: str) -> None:
    rows, columns = (n if isinstance(n, int) else None for n in EXTENTS[extents])
    y = NORMS[name][0](*leaves(*EXTENTS[extents]))
    f = sn.compile(y, dtype=dtype)
    for m, k in ((7, 5), (1, 1), (300, 40), (600, 3)):
        m, k = rows or m, columns or k
        for sizes in (SIZES[dtype], (1.0,)):
            given = data(m, k, dtype, sizes)
            right = NORMS[name][1](*(a.astype(np.longdouble) for a in given.values()))
            info = np.finfo(dtype)
            np.testing.assert_allclose(values(f, given), right, rtol=100 * info.eps, atol=info.tiny)


@pytest.mark.parametrize("name", ["of rows", "unit rows", "of columns", "mean", "order 3"])
@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf])
def test_a_row_that_is_no_number_changes_no_other(name: str, odd: float) -> None:
    f = sn.compile(NORMS[name][0](*leaves(M, 5)))
    given = data(40, 5, "float64", (1.0,))
    before = values(f, given)
    place = (slice(None), 2) if name == "of columns" else (17,)
    given["X"][17, 2] = odd
    after = values(f, given)
    keep = np.ones(before.shape, bool)
    keep[2 if name == "of columns" else place] = False
    np.testing.assert_array_equal(after[keep], before[keep])
    assert not np.any(np.isfinite(after[~keep])) or name == "unit rows"


@pytest.mark.parametrize("extents", EXTENTS)
@pytest.mark.parametrize("name", NORMS)
def test_every_second_sum_of_a_norm_stands_under_a_condition(name: str, extents: str) -> None:
    y = NORMS[name][0](*leaves(*EXTENTS[extents]))
    program = sn.compile(y, stop_after="schedule")
    verify(program)
    check_order(program)
    lines = str(program).splitlines()
    scaled = [k for k, line in enumerate(lines) if re.search(r"_cell(_\w+)?\[|_tile(_\w+)?\[", line) and "+=" in line]
    plain = [k for k in scaled if not _is_inside_exception(lines, k)]
    assert len(plain) < len(scaled), str(program)


def _is_inside_exception(lines: list[str], place: int) -> bool:
    """Whether a line stands inside `if …_when[0] > 0` or `if needed[0] > 0`."""
    depth = len(lines[place])
    for line in reversed(lines[:place]):
        indent = len(line) - len(line.lstrip())
        if indent < depth:
            depth = indent
            if re.match(r"\s*if [\w.]*(_when|needed)\[0\] > 0", line):
                return True
    return False


@pytest.mark.parametrize("sizes", [(1.0,), SIZES["float64"]], ids=["ordinary", "every size"])
@pytest.mark.parametrize("name", ["of rows", "of all", "unit rows", "of a product", "order 3"])
def test_every_floor_leaves_out_and_computes_the_same(name: str, sizes: Any) -> None:
    given = data(40, 5, "float64", sizes)
    y = NORMS[name][0](*leaves(M, 5))
    (right,) = (np.asarray(NORMS[name][1](*(a.astype(np.longdouble) for a in given.values()))),)
    for floor, (found,) in floors([y], given, {"m": 40}, "float64"):
        if floor not in ("reference", "algebra"):  # as it is written, a square overflows
            np.testing.assert_allclose(found, right, rtol=1e-14, err_msg=floor)


@pytest.mark.parametrize("name", ["of rows", "of all", "slope", "of a product"])
def test_bits_are_the_same_for_any_number_of_threads(name: str) -> None:
    y = NORMS[name][0](*leaves(M, 5))
    given = data(1000, 5, "float64", (1.0, 1e-200, 1e200))
    one, two = (values(sn.compile(y, threads=k), given) for k in (1, 2))
    np.testing.assert_array_equal(one, two)


def test_a_choice_that_a_user_writes_is_left_out_too() -> None:
    X, w = sn.tensor("X", M, 6), sn.tensor("w", M)
    y = sn.where(w < 1e-9, sn.sum(sn.exp(X), axis=1), w)
    given = {"X": np.full((33, 6), 2.0), "w": np.linspace(1, 2, 33)}
    assert "_when[0] > 0" in str(sn.compile(y, stop_after="schedule"))
    f = sn.compile(y)
    np.testing.assert_array_equal(f(**given), given["w"])
    given["w"][[0, 20]] = 0.0, np.nan
    right = np.where(given["w"] < 1e-9, 6 * np.exp(2.0), given["w"])
    np.testing.assert_allclose(f(**given), right, rtol=1e-15)


def test_an_ordinary_condition_is_no_exception() -> None:
    X, w = sn.tensor("X", M, 6), sn.tensor("w", M)
    assert "_when" not in str(sn.compile(sn.where(w < 0.5, sn.sum(sn.exp(X), axis=1), w), stop_after="schedule"))

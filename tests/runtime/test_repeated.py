"""Repeated calls: arrays of the sizes of the last call go one way, everything else the other, with equal answers."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.errors import ArgumentError, DTypeError, ShapeError, SingularMatrixError, ValueDomainError
from symnet.runtime import function as functions
from symnet.runtime import repeated

pytest.importorskip("llvmlite.binding")
m = sn.dim("m")
x, w = sn.tensor("x", m, 3), sn.tensor("w", 3)
ROWS, WEIGHTS = np.arange(12.0).reshape(4, 3), np.array([1.0, -2.0, 0.5])


def function(**options: Any) -> Any:
    return sn.compile({"rows": x * w, "total": sn.sum(x @ w)}, **options)


def warmed(f: Any, **arrays: Any) -> Any:
    """A function whose last call had such arrays."""
    f(**arrays)
    f(**arrays)
    return f


def takes(f: Any, **arrays: Any) -> bool:
    """Whether a call goes the way of repeated ones."""
    return f._repeat is not None and f._repeat([arrays[name] for name in f.inputs]) is not repeated.MISSED


needs_it = pytest.mark.skipif(not repeated.is_possible(), reason="this interpreter has another layout, or a free lock")


@needs_it
def test_the_layout_of_arrays_is_as_native_code_reads_it() -> None:
    assert repeated._layout_holds()


@needs_it
def test_a_second_call_of_the_same_sizes_repeats_the_first() -> None:
    f = warmed(function(), x=ROWS, w=WEIGHTS)
    assert takes(f, x=ROWS + 1, w=WEIGHTS)
    assert takes(f, w=WEIGHTS, x=ROWS)
    found = f(x=ROWS + 1, w=WEIGHTS)
    np.testing.assert_array_equal(found["rows"], (ROWS + 1) * WEIGHTS)
    assert type(found["total"]) is np.float64


def test_arguments_by_position_repeat_too() -> None:
    f = sn.compile(x @ w, inputs=[w, x])
    for rows in (ROWS, ROWS + 1, ROWS + 2):
        np.testing.assert_array_equal(f(WEIGHTS, rows), rows @ WEIGHTS)
        np.testing.assert_array_equal(f(WEIGHTS, x=rows), rows @ WEIGHTS)
    with pytest.raises(ShapeError):
        f(ROWS, WEIGHTS)
    mixed = sn.compile(x @ w, inputs=[w])
    for rows in (ROWS, ROWS + 1):
        np.testing.assert_array_equal(mixed(WEIGHTS, x=rows), rows @ WEIGHTS)
    with pytest.raises(ArgumentError, match="at most 1 positional"):
        mixed(WEIGHTS, ROWS)


def test_results_are_fresh_arrays() -> None:
    f = warmed(function(), x=ROWS, w=WEIGHTS)
    first, second = f(x=ROWS, w=WEIGHTS), f(x=2 * ROWS, w=WEIGHTS)
    assert not np.may_share_memory(first["rows"], second["rows"])
    np.testing.assert_array_equal(first["rows"], ROWS * WEIGHTS)


class Labelled(np.ndarray):
    """An array of another class."""


def misaligned(array: np.ndarray) -> np.ndarray:
    bytes_ = np.zeros(array.nbytes + 1, np.uint8)
    view = bytes_[1:].view(array.dtype).reshape(array.shape)
    view[...] = array
    return view


OTHER_ARRAYS: dict[str, Callable[[np.ndarray], Any]] = {
    "more rows": lambda a: np.concatenate([a, a]),
    "no rows": lambda a: a[:0],
    "Fortran's order": np.asfortranarray,
    "strided": lambda a: np.repeat(a, 2, axis=0)[::2],
    "reversed": lambda a: a[::-1],
    "misaligned": misaligned,
    "a subclass": lambda a: a.view(Labelled),
    "a list": lambda a: a.tolist(),
    "integers": lambda a: a.astype(np.int32),
}


@pytest.mark.parametrize("change", OTHER_ARRAYS)
def test_another_array_takes_the_other_way_and_gives_the_same(change: str) -> None:
    f = warmed(function(), x=ROWS, w=WEIGHTS)
    other = OTHER_ARRAYS[change](ROWS)
    assert not takes(f, x=other, w=WEIGHTS)
    for _ in range(3):  # the way there, and the way of that call repeated
        np.testing.assert_array_equal(f(x=other, w=WEIGHTS)["rows"], np.asarray(other) * WEIGHTS)
        np.testing.assert_array_equal(f(x=ROWS, w=WEIGHTS)["rows"], ROWS * WEIGHTS)


@needs_it
def test_arrays_that_may_not_be_written_are_read() -> None:
    f = warmed(function(), x=ROWS, w=WEIGHTS)
    locked = ROWS.copy()
    locked.flags.writeable = False
    assert takes(f, x=locked, w=WEIGHTS)


WRONG: dict[str, tuple[dict[str, Any], type[Exception]]] = {
    "another dtype": ({"x": ROWS.astype(np.complex128), "w": WEIGHTS}, DTypeError),
    "more columns": ({"x": np.ones((4, 4)), "w": WEIGHTS}, ShapeError),
    "a higher rank": ({"x": ROWS[None], "w": WEIGHTS}, ShapeError),
    "a lower rank": ({"x": ROWS[0], "w": WEIGHTS}, ShapeError),
    "one is missing": ({"x": ROWS}, ArgumentError),
    "another name": ({"x": ROWS, "v": WEIGHTS}, ArgumentError),
    "one too many": ({"x": ROWS, "w": WEIGHTS, "v": WEIGHTS}, ArgumentError),
    "swapped": ({"x": WEIGHTS, "w": ROWS}, ShapeError),
    "no array": ({"x": None, "w": WEIGHTS}, DTypeError),
    "a number": ({"x": 1.0, "w": WEIGHTS}, ShapeError),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_refused_at_first_is_refused_later(case: str) -> None:
    given, error = WRONG[case]
    f = function()
    with pytest.raises(error) as first:
        f(**given)
    warmed(f, x=ROWS, w=WEIGHTS)
    with pytest.raises(error) as later:
        f(**given)
    assert str(first.value) == str(later.value)


def test_options_and_extents_take_the_other_way() -> None:
    f = warmed(function(), x=ROWS, w=WEIGHTS)
    out = {f.outputs[0]: np.empty((4, 3)), f.outputs[1]: np.empty(())}
    assert f(x=ROWS, w=WEIGHTS, out=out)["rows"] is out[f.outputs[0]]
    with pytest.raises(ValueDomainError, match="finite"):
        f(x=ROWS * np.nan, w=WEIGHTS, check_finite=True)
    strict = warmed(function(check_finite=True), x=ROWS, w=WEIGHTS)
    with pytest.raises(ValueDomainError, match="finite"):
        strict(x=ROWS * np.nan, w=WEIGHTS)
    filled = sn.compile(sn.zeros(m) + sn.sum(w))
    assert [len(filled(w=WEIGHTS, m=k)) for k in (2, 3, 3, 2)] == [2, 3, 3, 2]


def test_what_native_code_refuses_is_said_as_at_the_first_call() -> None:
    A = sn.tensor("A", 3, 3)
    solve = warmed(sn.compile(sn.inv(A)), A=np.eye(3))
    with pytest.raises(SingularMatrixError):
        solve(A=np.zeros((3, 3)))
    i = sn.tensor("i", m, dtype="int64")
    chosen = warmed(sn.compile(sn.take(w, i)), w=WEIGHTS, i=np.array([0, 2]))
    with pytest.raises(ValueDomainError, match="got 3 at"):
        chosen(w=WEIGHTS, i=np.array([0, 3]))
    np.testing.assert_array_equal(chosen(w=WEIGHTS, i=np.array([2, 1])), [0.5, -2.0])


@pytest.mark.parametrize(
    "outputs",
    [x * w, [x * w], (x * w, sn.sum(x)), {"a": sn.sum(x), "b": x + w}, [x * w, sn.max(x, axis=1), sn.sum(w)]],
)
def test_every_arrangement_of_outputs_is_handed_back(outputs: Any) -> None:
    f = sn.compile(outputs)
    arrays = {name: {"x": ROWS, "w": WEIGHTS}[name] for name in f.inputs}
    first, *others = (f(**arrays) for _ in range(3))
    for other in others:
        assert_same(first, other)


def assert_same(one: Any, other: Any) -> None:
    assert type(one) is type(other)
    if isinstance(one, dict):
        assert list(one) == list(other)
        one, other = list(one.values()), list(other.values())
    if isinstance(one, list | tuple):
        for a, b in zip(one, other, strict=True):
            assert_same(a, b)
    else:
        np.testing.assert_array_equal(one, other)


def test_threads_share_a_function() -> None:
    f = warmed(function(), x=ROWS, w=WEIGHTS)
    wrong: list[int] = []

    def work(number: int) -> None:
        rows = np.full((4 + number % 2, 3), float(number))
        wrong.extend(k for k in range(300) if not np.array_equal(f(x=rows, w=WEIGHTS)["rows"], rows * WEIGHTS))

    members = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for member in members:
        member.start()
    for member in members:
        member.join()
    assert not wrong


@pytest.mark.parametrize("threads", [None, 3])
def test_calls_on_several_threads_are_repeated_too(threads: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(functions, "usable_processors", lambda: 2)
    A, B = (np.random.default_rng(k).normal(size=(160, 160)) for k in range(2))
    product = sn.tensor("A", 160, 160) @ sn.tensor("B", 160, 160)
    f, expected = sn.compile(product, threads=threads), sn.compile(product, threads=1)(A=A, B=B)
    assert f.threads_used() == (threads or 2)
    assert not repeated.is_possible() or takes(warmed(f, A=A, B=B), A=A, B=B)
    for _ in range(20):
        np.testing.assert_array_equal(f(A=A, B=B), expected)
    with pytest.raises(ShapeError):
        f(A=A[:, :5], B=B)


def test_an_extent_that_no_array_has_is_asked_for_again():
    n = sn.dim("n")
    f = sn.compile(sn.scalar("a") * sn.arange(n), dtype="float64")
    a = np.array(2.0)
    assert f(a=a, n=3).tolist() == [0, 2, 4]
    for _ in range(2):
        with pytest.raises(TypeError, match=r"the extent|extent n|no n|without n"):
            f(a=a)
    assert f(a=a, n=2).tolist() == [0, 2]

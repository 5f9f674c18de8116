"""`compare`: three ways to one gradient agree, and the table says what each costs."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.compare.comparison import relative_error, time_text
from symnet.compare.timing import medians
from symnet.errors import ArgumentError, DTypeError, ShapeError, ValueDomainError

m = sn.dim("m")
X, t = sn.tensor("X", m, 6), sn.labels("t", m, classes=3)
Z, params = sn.nn.mlp(X, [8, 3])
L = sn.mean(sn.cross_entropy(sn.softmax(Z), t))
W1, b1, W2, b2 = params


def data(rng: np.random.Generator, count: int = 20) -> dict[str, Any]:
    return {"X": rng.normal(size=(count, 6)), "t": rng.integers(0, 3, count), **sn.nn.init(params)}


def test_three_ways_agree_on_a_network(rng: np.random.Generator) -> None:
    found = sn.compare(L, params, data(rng), repeats=1)
    symbolic, automatic, differences = found.rows
    assert symbolic.error < 1e-14 and automatic.error == 0 and differences.error < 1e-7
    assert symbolic.value == pytest.approx(automatic.value, rel=1e-14) == pytest.approx(differences.value, rel=1e-14)


def test_single_precision_errs_by_single_precision(rng: np.random.Generator) -> None:
    found = sn.compare(L, params, data(rng), repeats=1, dtype="float32")
    assert found.dtype == "float32"
    assert all(1e-9 < row.error < 1e-5 for row in found.rows[:2]) and found.rows[2].error < 1e-7


def test_operations_are_counted_alike(rng: np.random.Generator) -> None:
    """The products dominate, and all ways do the same ones: two forward, and three back."""
    symbolic, automatic, differences = sn.compare(L, params, data(rng), repeats=1).rows
    products = 2 * 20 * (2 * 6 * 8 + 3 * 8 * 3)
    assert products < symbolic.operations < 3 * products
    assert products < automatic.operations < 3 * products
    assert differences.operations > 2 * 83 * 2 * 20 * (6 * 8 + 8 * 3)


def test_functions_are_counted_apart(rng: np.random.Generator) -> None:
    """In each of 20 rows: tanh of 8 units, 3 exponentials, a logarithm; the tape calls some again on its way back."""
    symbolic, automatic, _ = sn.compare(L, params, data(rng), repeats=1).rows
    assert symbolic.functions == 20 * (8 + 3 + 1) and automatic.functions == 20 * (8 + 3 + 1 + 3 + 6)
    assert symbolic.operations == symbolic.arithmetic + symbolic.functions


def test_what_is_kept_grows_with_the_batch_only_on_the_tape(rng: np.random.Generator) -> None:
    small, large = (sn.compare(L, params, data(rng, count), repeats=1).rows for count in (1000, 4000))
    assert small[0].value_bytes == large[0].value_bytes > 0
    assert large[1].value_bytes > 3.9 * small[1].value_bytes
    assert small[2].value_bytes == 0


def test_large_parameters_are_sampled_by_differences(rng: np.random.Generator) -> None:
    found = sn.compare(L, params, data(rng), repeats=1)
    assert found.rows[2].note.startswith("checked at 59 of 83 coordinates")
    gradients = [np.isnan(g) for g in _differences(rng).gradients()]
    assert [int((~g).sum()) for g in gradients] == [24, 8, 24, 3]


def _differences(rng: np.random.Generator) -> Any:
    from symnet.compare.comparison import _problem
    from symnet.compare.differences import Differences

    return Differences(_problem(L, params, data(rng), None))


def test_parameters_that_are_left_out_get_starting_values(rng: np.random.Generator) -> None:
    given = data(rng)
    without = {name: given[name] for name in ("X", "t")}
    assert (
        sn.compare(L, params, without, repeats=1).rows[0].value == sn.compare(L, params, given, repeats=1).rows[0].value
    )


def test_the_table_can_be_read(rng: np.random.Generator) -> None:
    text = str(sn.compare(L, {"W1": W1, "b1": b1}, data(rng), repeats=1))
    lines = text.splitlines()
    assert lines[0].startswith("the gradient by 56 numbers, float64, one thread")
    assert lines[2].split() == ["max", "error", "arithmetic", "functions", "values", "kept", "bytes", "kept", "time"]
    assert [line.split("  ")[0] for line in lines[4:7]] == [
        "symnet, compiled",
        "automatic (NumPy tape)",
        "central differences",
    ]
    assert lines[4].endswith("× 1")
    assert max(map(len, lines)) <= 120


def test_threads_that_could_not_be_limited_are_told(rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "threadpoolctl", None)
    found = sn.compare(L, b2, data(rng), repeats=1)
    assert not found.one_thread and "one thread, but for NumPy's BLAS" in str(found)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((Z, params, {}), ShapeError, r"expected a scalar L \(rank 0\); got shape \(m, 3\)"),
        ((L, [Z], {}), ArgumentError, r"expected leaves to differentiate by; got .*sn\.grad also takes intermediate"),
        ((L, params, {"Q": 1}), ArgumentError, r"expected data for X, W1, b1, W2, b2, t; got 'Q'\. Drop 'Q'"),
        (
            (L, params, {}),
            ArgumentError,
            r"expected an array for every leaf; got W1, b1, W2, b2, without X, t\. Add 'X'",
        ),
        ((L, params, "x.npz"), ArgumentError, r"expected data as a dict with X, W1, b1, W2, b2, t; got str"),
        ((L, params, {"X": np.array([None]), "t": 0}), DTypeError, r"expected numbers for X; got dtype object"),
    ],
    ids=range(6),
)
def test_what_does_not_fit_is_refused(arguments: tuple[Any, ...], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        sn.compare(*arguments)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"repeats": 0}, ValueDomainError, r"compare\(…, repeats=0\): expected at least 1; got 0"),
        ({"dtype": "int32"}, ArgumentError, r"compare\(…, dtype='int32'\): expected float32 or float64; got int32"),
    ],
    ids=range(2),
)
def test_impossible_options_are_refused(
    rng: np.random.Generator, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        sn.compare(L, params, data(rng), **options)


def test_an_error_is_relative_to_the_largest_element_and_leaves_out_what_was_not_computed() -> None:
    assert relative_error(np.array([1.0, np.nan, 4.0]), np.array([1.0, 8.0, 5.0])) == 1 / 8
    assert relative_error(np.array([0.5]), np.array([0.0])) == 0.5
    assert np.isnan(relative_error(np.array([np.nan, 1.0]), np.array([np.nan, 1.0])))


def test_every_call_is_timed_in_turn() -> None:
    turns: list[str] = []
    times = medians([lambda: turns.append("a"), lambda: turns.append("b")], 3)
    assert len(times) == 2 and all(seconds > 0 for seconds in times)
    order = [turn for turn, before in zip(turns, [None, *turns], strict=False) if turn != before]
    assert order[-6:] == ["a", "b"] * 3


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(2.5e-7, "0.25 µs"), (1.234e-5, "12.3 µs"), (0.00456, "4.56 ms"), (7.8, "7.8 s"), (4321.0, "4,321 s")],
)
def test_times_are_written_with_a_fitting_unit(seconds: float, text: str) -> None:
    assert time_text(seconds) == text

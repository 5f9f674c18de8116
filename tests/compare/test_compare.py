"""`compare`: three ways to one gradient agree, and the table says what each costs."""

from __future__ import annotations

import os
import sys
from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.compare.conditions import alike
from symnet.compare.report.numbers import count_text, error_text, time_text, ulp_text
from symnet.compare.timing import measured
from symnet.errors import ArgumentError, AssumptionError, DTypeError, ShapeError, ValueDomainError
from symnet.expr.nodes.elementwise import elementwise

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
    assert 0 < symbolic.error < 1e-14 and 0 < automatic.error < 1e-14 and differences.error < 1e-7
    assert all(row.value_error < 1e-15 for row in found.rows)
    assert [a.name for a in symbolic.agreements] == ["W1", "b1", "W2", "b2"]


def test_all_run_in_the_precision_that_the_heading_says(rng: np.random.Generator) -> None:
    found = sn.compare(L, params, data(rng), repeats=1, dtype="float32")
    assert found.dtype == "float32"
    assert all(1e-9 < row.error < 1e-5 for row in found.rows[:2]) and 1e-6 < found.rows[2].error < 1e-2


def test_operations_are_counted_alike(rng: np.random.Generator) -> None:
    """The products dominate, and all ways do the same ones: two forward, and three back."""
    symbolic, automatic, differences = sn.compare(L, params, data(rng), repeats=1).rows
    products = 2 * 20 * (2 * 6 * 8 + 3 * 8 * 3)
    assert products < symbolic.operations < 3 * products
    assert products < automatic.operations < 3 * products
    assert differences.operations > 2 * 83 * 2 * 20 * (6 * 8 + 8 * 3)
    assert symbolic.operations_ratio > 2 and 2 < automatic.operations_ratio < 5  # the bound of reverse mode


def test_functions_are_counted_apart(rng: np.random.Generator) -> None:
    """In each of 20 rows: tanh of 8 units, 3 exponentials, a logarithm; the tape calls some again on its way back."""
    symbolic, automatic, _ = sn.compare(L, params, data(rng), repeats=1).rows
    assert symbolic.functions == 20 * (8 + 3 + 1) and automatic.functions == 20 * (8 + 3 + 1 + 3 + 6)
    assert symbolic.operations == symbolic.arithmetic + symbolic.functions


def test_memory_grows_with_the_batch_only_on_the_tape(rng: np.random.Generator) -> None:
    small, large = (sn.compare(L, params, data(rng, count), repeats=1).rows for count in (1000, 4000))
    assert small[0].peak_bytes == pytest.approx(large[0].peak_bytes, rel=0.2)
    assert large[1].peak_bytes > 3 * small[1].peak_bytes > 1000 * 8 * 8


def test_large_parameters_are_sampled_by_differences(rng: np.random.Generator) -> None:
    found = sn.compare(L, params, data(rng), repeats=1)["central"]
    assert found.note.startswith("checked at 59 of 83 coordinates")
    assert [a.compared for a in found.agreements] == [24, 8, 24, 3] and found.agreements[0].size == 48


def test_parameters_that_are_left_out_get_starting_values(rng: np.random.Generator) -> None:
    given = data(rng)
    without = {name: given[name] for name in ("X", "t")}
    assert (
        sn.compare(L, params, without, repeats=1).rows[0].value == sn.compare(L, params, given, repeats=1).rows[0].value
    )


def test_cold_holds_the_preparation_and_nothing_comes_from_the_cache(rng: np.random.Generator) -> None:
    for _ in range(2):
        row = sn.compare(L, params, data(rng), repeats=3).rows[0]
        assert row.cold > row.preparation > 100 * row.seconds > 0
        assert row.times.low <= row.times.median <= row.times.high and row.times.repeats == 3
        assert row.ratio == row.times.median / row.loss_times.median


def test_the_table_can_be_read(rng: np.random.Generator) -> None:
    text = str(sn.compare(L, {"W1": W1, "b1": b1}, data(rng), repeats=1))
    lines = text.splitlines()
    assert lines[0] == "the gradient by 56 numbers, float64"
    assert lines[2].split() == (
        ["value", "gradient", "ulp", "arithmetic", "functions", "peak", "bytes", "cold", "warm", "÷", "loss"]
    )
    assert [line.split("  ")[0] for line in lines[4:7]] == [
        "symnet, compiled",
        "tape (interpreted)",
        "central differences",
    ]
    assert " × 1 " in lines[4] and "mpmath with 80 digits" in text
    assert max(map(len, lines)) <= 130


def test_threads_that_could_not_be_limited_are_told(rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "threadpoolctl", None)
    found = sn.compare(L, b2, data(rng), repeats=1)
    assert "BLAS with threads as it likes" in str(found)


def test_threads_have_their_cores_back_afterwards(rng: np.random.Generator) -> None:
    if not hasattr(os, "sched_getaffinity"):
        pytest.skip("this system holds no thread to a core")
    before = os.sched_getaffinity(0)
    with alike() as said:
        assert len(os.sched_getaffinity(0)) == 1 and "every thread of the process on one core" in said
    assert os.sched_getaffinity(0) == before


def test_a_process_that_must_not_choose_its_cores_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    if not hasattr(os, "sched_setaffinity") or len(os.sched_getaffinity(0)) < 2:
        pytest.skip("there is no choice of cores here")

    def refused(thread: int, cores: set[int]) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "sched_setaffinity", refused)
    with alike() as said:
        assert "threads may run on every core, as this process must not choose" in said


# --------------------------------------------------------------------------- what the figures of before hid

x, y, v = sn.scalar("x"), sn.scalar("y"), sn.tensor("v", 4)
e = sn.exp(v)


def test_a_nan_that_was_found_is_an_error() -> None:
    """cosh(100) is beyond float32: the quotient is ∞/∞ for all of them, though the truth is 1."""
    found = sn.compare(sn.cosh(x) / sn.cosh(y), [x, y], {"x": 100.0, "y": 100.0}, dtype="float32", repeats=1)
    assert all(np.isnan(row.error) and np.isnan(row.value_error) for row in found.rows)
    assert str(found).count("NaN") == 9


def test_the_value_is_compared_too() -> None:
    def mine(x: np.ndarray) -> tuple[float, np.ndarray]:
        return np.inf, np.cos(x)

    row = sn.compare(sn.sin(x), x, {"x": 0.5}, against={"mine": mine}, repeats=1)["mine"]
    assert row.value_error == np.inf and row.error < 1e-15


def test_symnet_is_not_charged_with_what_the_tape_loses() -> None:
    found = sn.compare(1 / (sn.exp(x) - 1), x, {"x": 1e-9}, repeats=1)
    assert found["symnet"].error < 1e-16 and found["tape"].error > 1e-8


def test_what_overflows_on_the_tape_is_right_in_the_truth() -> None:
    found = sn.compare(sn.sum((e / sn.sum(e)) ** 2), v, {"v": np.array([1000.0, -1000, 0, 3])}, repeats=1)
    assert found["symnet"].error == 0 and np.isnan(found["tape"].error)


def test_where_the_truth_is_zero_the_absolute_error_is_told() -> None:
    def mine(x: np.ndarray) -> tuple[float, float]:
        return np.cos(x), 1e-7

    found = sn.compare(sn.cos(x), x, {"x": 0.0}, against={"mine": mine}, repeats=1)
    assert found["mine"].error == np.inf and found["symnet"].error == 0
    assert "mine: the true derivative by x is 0, and 1.0e-07 was found" in str(found)


def test_a_singular_determinant_is_no_foreign_error() -> None:
    A = sn.tensor("A", 3, 3)
    data = {"A": np.array([[2.0, 1, 0], [1, 1, 1], [3, 2, 1]])}
    found = sn.compare(sn.det(A), A, data, repeats=1)
    assert found["tape"].error < 1e-14
    stuck = sn.compare(sn.sum(sn.inv(A)), A, {"A": np.ones((3, 3))}, repeats=1)
    assert "a singular one" in stuck.rows[0].failed and np.isnan(stuck["tape"].value)
    assert "symnet, compiled failed" in str(stuck)


def test_data_that_are_not_what_was_declared_are_refused() -> None:
    D = sn.tensor("D", 5, 3, one_hot=True)
    loss = sn.mean(sn.cross_entropy(sn.softmax(sn.tensor("Z", 5, 3)), D))
    with pytest.raises(AssumptionError, match=r"compare\(…, data={'D': …}\): expected D one_hot.*got D\[0, :\]"):
        sn.compare(loss, sn.tensor("Z", 5, 3), {"Z": np.ones((5, 3)), "D": np.full((5, 3), 0.3)})


@pytest.mark.parametrize(
    ("form", "said"),
    [
        (sn.sum(sn.relu(v)), "the larger of two equal values is taken (1 place)"),
        (sn.sum(sn.abs(v)), "|x| is taken of 0 (1 place)"),
        (sn.max(v), "the max of a row is taken, which stands there more than once (1 place)"),
        (sn.sum(sn.where(v > 1, v, 2 * v)), "two equal values are compared (2 places)"),
        (sn.norm(v * 0), "a root is taken of 0 (1 place)"),
        (sn.sum(v**2), ""),
    ],
    ids=range(6),
)
def test_kinks_at_the_data_are_told(form: sn.expr.nodes.node.Node, said: str) -> None:
    found = sn.compare(form, v, {"v": np.array([0.0, 1, 1, -3])}, repeats=1)
    assert [note.split(":")[0] for note in found.notes if "no derivative" not in note] == ([said] if said else [])
    assert ("at these data " + said in " ".join(str(found).split())) == bool(said) or not said


# --------------------------------------------------------------------------- other derivatives, other methods


@pytest.mark.parametrize("of", ["hvp", "hessian"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_second_derivatives_are_compared(rng: np.random.Generator, of: str, dtype: str) -> None:
    found = sn.compare(L, [b1, W2], data(rng), of=of, dtype=dtype, repeats=1)
    bound = 1e-13 if dtype == "float64" else 1e-4
    assert all(row.error < bound for row in found.rows if row.family != "differences")
    assert [a.size for a in found.rows[0].agreements] == ([8, 24] if of == "hvp" else [64, 192, 192, 576])
    assert ("the Hessian times a vector" if of == "hvp" else "the Hessian by") in str(found)
    if of == "hvp":
        assert found["differences"].error < (1e-7 if dtype == "float64" else 0.1)


@pytest.mark.parametrize("of", ["gradient", "hvp", "hessian"])
def test_by_a_symmetric_leaf_all_answer_the_same_question(of: str) -> None:
    """The derivative is the projection onto symmetric matrices; a tape that moves S[0, 1] alone would not know."""
    S = sn.tensor("S", 3, 3, symmetric=True)
    form = sn.sum(S @ sn.inv(S + 1) * sn.constant(np.arange(9.0).reshape(3, 3)))
    found = sn.compare(form, S, {"S": np.eye(3) * 2 + 0.5}, of=of, against="all", repeats=1)
    assert all(row.error < (1e-6 if row.family == "differences" else 1e-14) for row in found.rows)
    assert len(found.rows) == {"gradient": 7, "hvp": 3, "hessian": 2}[of]


@pytest.mark.parametrize("name", ["erf", "erfc", "gamma", "loggamma", "digamma"])
def test_functions_that_numpy_lacks_have_first_and_second_derivatives(name: str) -> None:
    form = sn.sum(getattr(sn, name)(v) * v)
    for of in ("gradient", "hvp"):
        found = sn.compare(form, v, {"v": np.array([0.3, 0.7, 1.8, 2.5])}, of=of, against="all", repeats=1)
        assert [row.failed for row in found.rows] == [""] * len(found.rows)
        assert all(row.error < (1e-6 if row.family == "differences" else 1e-13) for row in found.rows)


def test_all_that_is_built_in_agrees(rng: np.random.Generator) -> None:
    found = sn.compare(L, params, data(rng), against="all", repeats=1)
    errors = {row.method: row.error for row in found.rows}
    assert {name for name, error in errors.items() if error < 1e-14} >= {
        "symnet, compiled", "tape (interpreted)", "scalar tape", "complex step",
    }  # fmt: skip
    assert errors["Richardson differences"] < errors["central differences"] / 10


def test_functions_of_ones_own_are_compared(rng: np.random.Generator) -> None:
    def mine(X: np.ndarray, w: np.ndarray) -> tuple[float, dict[str, np.ndarray]]:
        return float(np.sum((X @ w) ** 2)), {"w": 2 * X.T @ (X @ w)}

    def wrong(X: np.ndarray, w: np.ndarray) -> tuple[float, np.ndarray]:
        return float(np.sum((X @ w) ** 2)), X.T @ (X @ w)

    def broken(X: np.ndarray, w: np.ndarray) -> tuple[float, np.ndarray]:
        return 1.0, X

    A, w = sn.tensor("X", m, 3), sn.tensor("w", 3)
    given = {"X": rng.normal(size=(5, 3)), "w": rng.normal(size=3)}
    found = sn.compare(
        sn.sum((A @ w) ** 2), w, given, against=["tape", {"mine": mine, "wrong": wrong, "broken": broken}]
    )
    assert [row.method for row in found.rows[2:]] == ["mine", "wrong", "broken"]
    assert found["mine"].error < 1e-14 and found["wrong"].error == pytest.approx(0.5)
    assert "expected derivatives of the shapes (3,); got (5, 3)" in found["broken"].failed
    assert found["mine"].operations is None and found["mine"].seconds > 0


n = sn.dim("n")
r, k, c = sn.tensor("r", n), sn.tensor("k", n, dtype="int64"), sn.scalar("c")
EDGES: dict[str, tuple[Any, dict[str, Any]]] = {
    "no rows": (sn.sum(r * c), {"r": np.zeros(0), "c": 2.0}),
    "integers": (sn.sum(sn.take(r, k) * c), {"r": np.ones(3), "k": [0, 2, 2], "c": 2}),
    "computed indices": (sn.sum(sn.take(r, (k * 2 + 1) % 3) * c), {"r": np.array([1.0, 2, 4]), "k": [0, 2, 2], "c": 2}),
    "whole numbers beside reals": (sn.sum(r * (k * 2 + 1) * c / 3), {"r": np.ones(3), "k": [0, 2, 2], "c": 2}),
    "reals cast to reals": (sn.sum(elementwise("as_float64", sn.tanh(r)) * c), {"r": np.full(1, 0.4), "c": 2.0}),
    "running sums of a vector": (sn.sum(sn.cumsum(sn.exp(r)) ** 2) * c, {"r": np.array([0.1, 0.2]), "c": 2.0}),
    "an array that is zero": (sn.sum(sn.softmax(r)) * c + r[0] * 0, {"r": np.array([0.1, 0.7]), "c": 2.0}),
    "beyond the range of floats": (sn.sum(r * c), {"r": np.full(2, 1e300), "c": 1e300}),
    "nothing that moves": (sn.sum(r * 0) + 0 * c, {"r": np.ones(3), "c": 1.0}),
}


@pytest.mark.parametrize("name", EDGES)
def test_methods_agree_at_the_edges(name: str) -> None:
    form, given = EDGES[name]
    found = sn.compare(form, [r, c], given, against="all", repeats=1)
    exactly = [row for row in found.rows if row.family != "differences"]
    assert all(row.error < 1e-14 and not row.failed for row in exactly), [(row.method, row.error) for row in exactly]


def test_data_that_are_no_numbers_are_told_and_nothing_warns() -> None:
    found = sn.compare(sn.sum(sn.exp(r) * c), [r, c], {"r": np.array([np.nan, 1]), "c": 2.0}, against="all", repeats=1)
    assert "no derivative at 3 coordinates (r[0], r[1], c)" in " ".join(found.notes)
    assert all(row.error is None and row.value_error is None for row in found.rows)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((Z, params, {}), ShapeError, r"expected a scalar L \(rank 0\); got shape \(m, 3\)"),
        ((L, [], {}), ArgumentError, r"expected a leaf to differentiate by; got none"),
        (
            (L, [Z], {}),
            ArgumentError,
            r"leaves to differentiate by; got .*Compare by .*, of which it is made; sn\.grad",
        ),
        ((L, params, {"Q": 1}), ArgumentError, r"expected data for X, W1, b1, W2, b2, t; got 'Q'\. Drop 'Q'"),
        (
            (L, params, {}),
            ArgumentError,
            r"expected an array for every leaf; got W1, b1, W2, b2, without X, t\. Add 'X'",
        ),
        ((x, x, {}), ArgumentError, r"expected data for some leaf, .*; got nothing\. Add 'x'"),
        ((L, params, "x.npz"), ArgumentError, r"expected data as a dict with X, W1, b1, W2, b2, t; got str"),
        ((L, params, {"X": np.array([None]), "t": 0}), DTypeError, r"expected numbers for X; got dtype object"),
    ],
    ids=range(8),
)
def test_what_does_not_fit_is_refused(arguments: tuple[Any, ...], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        sn.compare(*arguments)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"repeats": 0}, ValueDomainError, r"compare\(…, repeats=0\): expected at least 1; got 0"),
        ({"dtype": "int32"}, ArgumentError, r"compare\(…, dtype='int32'\): expected float32 or float64; got int32"),
        ({"of": "jet"}, ArgumentError, r"compare\(…, of='jet'\): expected one of gradient, hvp, hessian; got 'jet'"),
        ({"against": "tap"}, ArgumentError, r"expected 'tape', .*, or functions by name; got 'tap'"),
        ({"against": {"mine": 3}}, ArgumentError, r"against={'mine': …}\): expected a function; got int"),
    ],
    ids=range(5),
)
def test_impossible_options_are_refused(
    rng: np.random.Generator, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        sn.compare(L, params, data(rng), **options)


def test_every_call_is_timed_in_turn() -> None:
    turns: list[str] = []
    times = measured([lambda: turns.append("a"), lambda: turns.append("b")], 3)
    assert len(times) == 2 and all(found.median > 0 for found in times)
    order = [turn for turn, before in zip(turns, [None, *turns], strict=False) if turn != before]
    assert order[-6:] == ["a", "b"] * 3


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(2.5e-7, "0.25 µs"), (1.234e-5, "12.3 µs"), (0.00456, "4.56 ms"), (7.8, "7.8 s"), (4321.0, "4,321 s")],
)
def test_times_are_written_with_a_fitting_unit(seconds: float, text: str) -> None:
    assert time_text(seconds) == text


def test_figures_are_written_so_that_each_means_one_thing() -> None:
    assert [error_text(e) for e in (0.0, 1.3e-16, np.nan, np.inf)] == ["0", "1.3e-16", "NaN", "∞"]
    assert error_text(1e-20, 1e-15) == "≤ 1e-15" and error_text(1e-3, 1e-15) == "1.0e-03"
    assert [count_text(c) for c in (None, 0, 999_999, 1_234_567, 9.4e10)] == ["?", "0", "999,999", "1.23 M", "94 G"]
    assert [ulp_text(u) for u in (0.5, 123.4, 1e6, np.nan, np.inf)] == ["0.5", "123", "1.0e+06", "NaN", "∞"]

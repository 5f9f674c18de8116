"""Where the time goes: what phases have to do is what the function counts, and the table says which limit binds."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import symnet as sn
from symnet.elementary.table import FUNCTIONS
from symnet.errors import ArgumentError
from symnet.loops.operations import operations
from symnet.roofline import limits, table
from symnet.roofline.function_flops import function_flops
from symnet.roofline.measure import example_step, measured
from symnet.roofline.phase_times import phase_times
from symnet.roofline.phase_work import PhaseLoad, phase_loads
from symnet.roofline.table import joined, roofline

m = sn.dim("m")
X, T, W = sn.tensor("X", m, 6), sn.tensor("T", m, 5), sn.tensor("W", 6, 5)
LOSS = sn.mean((sn.tanh(X @ W) - T) ** 2)
FORMS = {
    "a gradient": sn.grad(LOSS, [W])[0],
    "rows": sn.softmax(X),
    "sizes known": sn.tensor("A", 30, 40) @ sn.tensor("B", 40, 50),
    "indices": sn.take(W, sn.tensor("i", m, dtype="int64")),
    "a solution": sn.solve(sn.tensor("S", 5, 5), sn.tensor("b", 5)),
}


def extents(f: sn.CompiledFunction, rows: int) -> dict[str, int]:
    return dict.fromkeys(f.signature.dims, rows)


@pytest.mark.parametrize("rows", [1, 300, 601])
@pytest.mark.parametrize("name", FORMS)
def test_phases_count_what_the_function_counts(name: str, rows: int) -> None:
    f = sn.compile(FORMS[name])
    dims = extents(f, rows)
    counted = operations(f.program)
    arithmetic, calls = (
        int(n.subs({sn.dim(k): v for k, v in dims.items()})) for n in (counted.arithmetic, counted.transcendental)
    )
    loads = phase_loads(f.program, dims)
    assert [load.name for load in loads] == [phase.name for _, phase in f.program.phases()]
    assert arithmetic + calls <= sum(load.flops for load in loads) <= arithmetic + 61 * calls


def test_bytes_are_those_of_the_arrays_that_a_phase_touches() -> None:
    f = sn.compile(sn.tensor("a", m) + 1.0, dtype="float32")
    (load,) = phase_loads(f.program, {"m": 1000})
    assert (load.nbytes, load.flops, load.dtype) == (8000, 1000, "float32")


def test_rows_of_a_superblock_are_not_counted() -> None:
    loads = phase_loads(sn.compile(FORMS["a gradient"]).program, {"m": 10_000})
    arrays = 8 * (10_000 * 11 + 30)
    assert arrays <= sum(load.nbytes for load in loads) <= arrays + 8 * 700  # sums, and what is packed


@pytest.mark.parametrize("name", FORMS)
def test_timing_phases_leaves_the_answer_of_a_call(name: str) -> None:
    f = sn.compile(FORMS[name])
    step = example_step(f, extents(f, 601))
    expected = np.array(step())
    seconds = phase_times(f.program, f.native, step, step.dims)
    assert len(seconds) == len(list(f.program.phases())) and min(seconds) > 0
    np.testing.assert_array_equal(np.array(step.outputs), expected)


def test_the_report_shows_every_phase_that_takes_time() -> None:
    f = sn.value_and_grad(LOSS, [W])
    text = f.report(m=700)
    assert "rows_0" in text and "m = 700, one thread" in text and "limits measured here" in text
    assert ".report(m=…)" in f.report() and "one thread" not in f.report()
    step = f.bind(X=np.ones((9, 6)), T=np.ones((9, 5)), W=np.ones((6, 5)))
    assert "m = 9, one thread" in f.report(step)
    assert "one thread" in sn.compile(FORMS["sizes known"]).report()


def test_an_unknown_extent_is_refused() -> None:
    f = sn.compile(FORMS["rows"])
    with pytest.raises(ArgumentError, match="report"):
        f.report(n=3)
    with pytest.raises(ArgumentError, match="no m"):
        f.report(plot=True)


def test_a_plot_has_a_mark_for_each_phase_and_a_line_for_each_dtype() -> None:
    pyplot = pytest.importorskip("matplotlib.pyplot", reason="the extra [plot] is not installed")
    f = sn.value_and_grad(LOSS, [W])
    figure, axes = pyplot.subplots()
    f.report(m=5000, plot=axes)
    found = measured(f, f.program, example_step(f, {"m": 5000}))
    assert len(axes.lines) == len(found.peaks) == 1
    assert 1 <= len(axes.collections) <= len(found.rows)
    pyplot.close(figure)


def test_the_slower_of_two_limits_binds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "peak", lambda dtype: 1e9)
    monkeypatch.setattr(table, "reading", lambda size: 1e8)
    loads = [PhaseLoad("a", 1, 1000, 10, "float64"), PhaseLoad("b", 1, 1000, 1000, "float64")]
    found = roofline("f", loads, [2e-6, 4e-5], 1010)
    assert [row.limit for row in found.rows] == ["arithmetic", "memory"]
    assert [round(row.share, 6) for row in found.rows] == [0.5, 0.25]
    both = joined(found.rows)
    assert both.limit == "memory" and round(both.share, 6) == round(11e-6 / 42e-6, 6)
    assert "25%" in found.text()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_limits_are_measured_once(dtype: str) -> None:
    assert limits.peak(dtype) is limits.peak(dtype) and limits.peak(dtype) > 0
    assert limits.reading(1 << 15) is limits.reading(20_000)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_has_a_number_of_operations(name: str) -> None:
    counts = [function_flops(name, dtype) for dtype in ("float32", "float64")]
    assert all(1 <= n < 1200 for n in counts)
    if name not in ("sqrt", "rsqrt"):
        assert min(counts) > 5
    assert len(inspect.signature(FUNCTIONS[name]).parameters) >= 2

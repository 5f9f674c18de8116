"""Where there is no truth nothing is right: undefined values, slopes that differ from both sides, and what is said."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.cli.main import main
from symnet.compare import sides
from symnet.compare import truth as truths
from symnet.compare.problem import problem_of
from symnet.compare.truth import truth_of
from symnet.errors import ArgumentError, FileError

x, y, v = sn.scalar("x"), sn.scalar("y"), sn.tensor("v", 3)


def seven(**data: Any) -> tuple[float, Any]:
    return 7.0, [np.full(np.shape(a), 7.0) for a in data.values()]


UNDEFINED: dict[str, tuple[Any, Any, dict[str, Any]]] = {
    "0·∞": (x * sn.log(x), x, {"x": 0.0}),
    "a root of what is negative": (sn.sqrt(x), x, {"x": -1.0}),
    "a logarithm of what is negative": (sn.log(x), x, {"x": -1.0}),
    "data that are no number": (x**2, x, {"x": np.nan}),
}


@pytest.mark.parametrize("name", UNDEFINED)
@pytest.mark.parametrize("affordable", [truths.AFFORDABLE, 0], ids=["exact", "wide"])
def test_what_is_undefined_is_no_error_of_zero(name: str, affordable: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(truths, "AFFORDABLE", affordable)
    form, wrt, at = UNDEFINED[name]
    found = sn.compare(form, wrt, at, against={"seven": seven}, repeats=1)
    row = found["seven"]
    assert (row.value_error, row.error, row.ulp) == (None, None, None)
    lines = str(found).splitlines()
    shown = next(line for line in lines if line.startswith("seven")).split()
    assert shown[1:3] == ["–", "–"] and (shown[3] == "–" or not found.tells_ulp)
    assert "the value of the expression as written is undefined" in str(found)
    assert "no derivative at 1 coordinate (x): not compared" in str(found) and "–: the truth is undefined" in lines


def test_records_say_why_there_is_no_error() -> None:
    found = sn.compare(sn.norm(v), v, {"v": np.zeros(3)}, against={"seven": seven}, repeats=1)
    mine = json.loads(found.json())["rows"][1]
    assert mine["error"] is None and mine["ulp"] is None and mine["value_error"] == "Infinity"
    assert mine["not_compared"] == "the true derivative is undefined"
    assert mine["agreements"][0]["relative"] is None and mine["agreements"][0]["undefined"] == 3
    line = list(csv.DictReader(io.StringIO(found.csv())))[1]
    assert line["error"] == "" and line["not_compared"] == "the true derivative is undefined"
    assert "<span>–</span>" in found.html() and "(v[0], v[1], v[2])" in found.html()


def test_an_undefined_bar_is_none() -> None:
    pyplot = pytest.importorskip("matplotlib.pyplot", reason="matplotlib is not installed: pip install 'symnet[plot]'")
    found = sn.compare(sn.norm(v), v, {"v": np.zeros(3)}, against={"seven": seven}, repeats=1)
    errors = found.plot(pyplot.subplots(1, 2)[1])[1]
    assert [bar.get_width() for bar in errors.patches] == [1e-17, 1e-17]
    assert [text.get_text().strip() for text in errors.texts] == ["–", "–"]
    pyplot.close("all")


def test_what_is_defined_beside_it_is_compared() -> None:
    found = sn.compare(sn.norm(v) + y**2, [v, y], {"v": np.zeros(3), "y": 3.0}, repeats=1)
    assert found["symnet"].error == 0 and found["symnet"].not_compared == ""
    none = found["symnet"].agreements[0]
    assert (none.compared, none.undefined, none.relative) == (0, 3, None)


def test_a_failed_row_has_no_error_of_zero() -> None:
    assert np.isnan(sn.compare(x**2, x, {"x": 3.0}, against={"broken": lambda **d: 0}, repeats=1)["broken"].error)


KINKS: dict[str, tuple[Any, dict[str, Any], list[str]]] = {
    "relu": (sn.relu(x) + 0 * y, {"x": 0.0, "y": 1.0}, ["x"]),
    "two equal values": (sn.maximum(y, x), {"x": 1.0, "y": 1.0}, ["x", "y"]),
    "a branch": (sn.where(x > 0, x * sn.log(x), 0 * x) + y**2, {"x": 0.0, "y": 1.0}, ["x"]),
    "one branch as steep as the other": (sn.where(x > 0, x, sn.sin(x)) + y, {"x": 0.0, "y": 1.0}, []),
    "a step": (sn.floor(x) * y, {"x": 1.0, "y": 2.0}, ["x"]),
    "a smooth tie": (sn.relu(x) ** 2 + y, {"x": 0.0, "y": 1.0}, []),
    "a kink times 0": (sn.abs(x) * y, {"x": 0.0, "y": 0.0}, []),
    "tiny data": (sn.maximum(x, y), {"x": 1e-200, "y": 1e-200}, ["x", "y"]),
    "∞ from both sides": (sn.cbrt(x) + y, {"x": 0.0, "y": 2.0}, []),
}


@pytest.mark.parametrize("name", KINKS)
def test_a_slope_that_differs_from_both_sides_does_not_exist(name: str) -> None:
    form, at, missing = KINKS[name]
    arrays = truth_of(problem_of(form, [x, y], at, "float64", "gradient")).arrays
    assert [n for n, a in zip("xy", arrays, strict=True) if np.isnan(a.high)] == missing


@pytest.mark.parametrize("form", [x**3, x * sn.abs(x), x**2], ids=str)
def test_a_slope_of_zero_where_the_value_is_zero_too_is_no_disagreement(form: Any) -> None:
    assert truth_of(problem_of(form, x, {"x": 0.0}, "float64", "gradient")).arrays[0].high == 0


def test_nobody_is_wrong_at_a_kink() -> None:
    found = sn.compare(sn.relu(x), x, {"x": 0.0}, against={"half": lambda x: (0.0, 0.5)}, repeats=1)
    assert found["half"].error is None and found["symnet"].error is None and found["half"].value_error == 0
    assert "no derivative at 1 coordinate (x): not compared" in str(found)


def test_where_the_chain_rule_misses_a_slope_that_both_sides_have_it_is_theirs() -> None:
    form = sn.where(sn.equal(x, 0), 0 * x, sn.sin(x))
    assert truth_of(problem_of(form, x, {"x": 0.0}, "float64", "gradient")).arrays[0].high == 1


@pytest.mark.parametrize("limits", [(truths, "AFFORDABLE"), (truths, "AFFORDABLE_SIDES")], ids=["wide", "exact"])
def test_kinks_of_large_problems_are_left_out_too(limits: tuple[Any, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(*limits, 0)
    form = sn.sum(sn.relu(v) * sn.exp(v)) + sn.sum(sn.abs(v - 1) ** 3)
    found = truth_of(problem_of(form, v, {"v": [0.0, 1.0, -1.0]}, "float64", "gradient"))
    assert np.isnan(found.arrays[0].high).tolist() == [True, False, False]


@pytest.mark.parametrize("affordable", [truths.AFFORDABLE, 0], ids=["exact", "wide"])
@pytest.mark.parametrize("form", [sn.abs(x), sn.relu(x), sn.relu(x) ** 2], ids=str)
def test_second_derivatives_across_a_kink_do_not_exist(
    form: Any, affordable: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(truths, "AFFORDABLE", affordable)
    whole = form + sn.exp(x * y) + sn.relu(y)
    for of in ("hessian", "hvp"):
        with np.errstate(all="ignore"):
            found = truth_of(problem_of(whole, [x, y], {"x": 0.0, "y": 2.0}, "float64", of))
        missing = [bool(np.isnan(a.high)) for a in found.arrays]
        assert missing == ([True, False, False, False] if of == "hessian" else [True, False])
        assert not found.note


def test_sides_are_seldom_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no data stand at a tie nothing is computed twice."""
    monkeypatch.setattr(truths, "without_kinks", lambda *_: pytest.fail("there is no tie"))
    assert truth_of(problem_of(sn.relu(x), x, {"x": 1.0}, "float64", "gradient")).arrays[0].high == 1
    assert sides.AFFORDABLE > truths.AFFORDABLE


def test_random_data_that_leave_the_loss_undefined_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "sum(log(p))", "--shapes", "p:5"]) == 0
    said = capsys.readouterr().out
    assert "the loss is undefined at these random numbers" in said and "value of the expression as written" in said
    assert main(["compare", "sum(exp(p))", "--shapes", "p:5"]) == 0
    assert "undefined" not in capsys.readouterr().out


def test_an_unknown_method_is_refused() -> None:
    found = sn.compare(x**2, x, {"x": 3.0}, against="tape", repeats=1)
    for name in ("zzz", 0):
        with pytest.raises(ArgumentError, match=r"beginning of its name: symnet, compiled, tape.*; got .*Write comp"):
            found[name]  # type: ignore[index]  # the error is the point


def test_a_path_that_cannot_be_written_is_refused_in_four_parts(tmp_path: Path) -> None:
    found = sn.compare(x**2, x, {"x": 3.0}, against="tape", repeats=1)
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file" / "out.csv", tmp_path / ("n" * 400 + ".csv")):
        with pytest.raises(FileError, match=r"comparison\.save\(.*: expected to write .*; got .*\. See that"):
            found.save(path)


@pytest.mark.parametrize(
    ("L", "by", "data", "limit"),
    [
        (sn.sin(x) / x, x, {"x": 0.0}, "1"),
        ((x**2 - 1) / (x - 1), x, {"x": 1.0}, "2"),
        (sn.sum((sn.exp(v) - 1) / v), v, {"v": [0.0, 0.0, 0.0]}, "3"),
        (x * sn.log(x), x, {"x": 0.0}, "0"),
        (sn.abs(x) / x, x, {"x": 0.0}, None),
        (sn.sqrt(x), x, {"x": -1.0}, None),
    ],
    ids=str,
)
def test_what_an_undefined_value_tends_to_is_said_where_it_tends_to_anything(
    L: Any, by: Any, data: dict[str, Any], limit: str | None
) -> None:
    found = " ".join(sn.compare(L, by, data).notes)
    assert ("it tends to" in found) == (limit is not None)
    assert limit is None or f"undefined: not compared; it tends to {limit}" in found

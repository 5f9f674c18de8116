"""Reports: CSV, JSON, a page that needs nothing else, a plot; each figure means what the table means by it."""

from __future__ import annotations

import csv
import io
import json
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.compare.report.records import FIELDS
from symnet.compare.row import Row
from symnet.errors import ArgumentError, DependencyError

m = sn.dim("m")
X, w, b = sn.tensor("X", m, 3), sn.tensor("w", 3), sn.scalar("b")
LOSS = sn.mean(sn.sigmoid(X @ w + b))


def wrong(**data: Any) -> tuple[float, list[Any]]:
    return float("inf"), [np.full(3, np.nan), np.zeros(())]


@pytest.fixture(scope="module")
def found() -> Any:
    data = {"X": np.arange(12.0).reshape(4, 3) / 10, "w": np.ones(3), "b": 0.5}
    return sn.compare(LOSS, [w, b], data, against=["tape", {"<mine>": wrong, "broken": lambda **d: 0}], repeats=1)


def test_csv_has_a_line_for_each_method(found: Any) -> None:
    rows = list(csv.DictReader(io.StringIO(found.csv())))
    assert [row["method"] for row in rows] == ["symnet, compiled", "tape (interpreted)", "<mine>", "broken"]
    assert tuple(rows[0]) == FIELDS
    assert float(rows[0]["error"]) < 1e-15 and rows[2]["error"] == "nan" and rows[3]["error"] == ""
    assert rows[2]["arithmetic"] == "" and "expected (loss, derivatives); got int" in rows[3]["failed"]


def test_json_has_everything_and_is_json(found: Any) -> None:
    whole = json.loads(found.json(), parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert whole["of"] == "gradient" and whole["parameters"] == 4 and "mpmath" in whole["truth"]
    first, _, mine, broken = whole["rows"]
    assert [a["name"] for a in first["agreements"]] == ["w", "b"] and first["agreements"][0]["size"] == 3
    assert mine["error"] == "NaN" and mine["value"] == "Infinity" and mine["peak_bytes"] >= 0
    assert broken["value"] is None and broken["agreements"] == []


def test_the_page_is_well_formed_and_needs_nothing_else(found: Any) -> None:
    page = found.html()
    assert "http" not in page.replace("http://www.w3.org/1998/Math/MathML", "")
    assert "<script" not in page and "url(" not in page and "@import" not in page
    body = page[page.index("<main") : page.index("</main>") + len("</main>")]
    tree = ElementTree.fromstring(body.replace("&nbsp;", " "))
    heads = [h.text for h in tree.iter("h2")]
    assert heads == ["Side by side", "The formulas", "Relative errors of each", "The methods", "How it was measured"]
    names = ["symnet, compiled", "tape (interpreted)", "<mine>"]
    table = next(tree.iter("table"))
    assert ["".join(row[0].itertext()) for row in list(table)[1:]] == names
    assert len(list(tree.iter("figure"))) == 4
    written = [dd for dd in tree.iter("dd") if dd.find(".//{http://www.w3.org/1998/Math/MathML}math") is not None]
    assert len(written) == 3  # the loss and two derivatives
    assert "Failed: ArgumentError: broken(…)" in "".join(tree.itertext())


def test_a_cell_of_a_notebook_is_the_page_without_its_frame(found: Any) -> None:
    cell = found._repr_html_()
    assert cell in found.html() and "<html" not in cell
    style = re.search(r"<style>(.*?)</style>", cell, re.DOTALL)
    assert style is not None
    rules = [line for line in style[1].splitlines() if line.startswith(".")]
    assert rules and all(line.startswith(".comparison") for line in rules)


def test_a_formula_that_nobody_would_read_is_left_out() -> None:
    x = y = sn.scalar("x")
    for _ in range(50):
        y = sn.sin(y) * y + 1
    page = sn.compare(y, x, {"x": 0.3}, repeats=1).html()
    assert "values, too long to be read here" in page


def test_save_goes_by_the_ending(found: Any, tmp_path: Path) -> None:
    for ending in ("html", "csv", "json", "txt"):
        path = found.save(tmp_path / "new" / f"out.{ending}")
        assert path.read_text(encoding="utf-8") == (str(found) if ending == "txt" else getattr(found, ending)())
    with pytest.raises(ArgumentError, match=r"expected an ending of \.html, \.csv, \.json, \.txt; got '\.png'"):
        found.save("out.png")


def test_a_plot_has_a_bar_for_each_method(found: Any) -> None:
    pyplot = pytest.importorskip("matplotlib.pyplot", reason="matplotlib is not installed: pip install 'symnet[plot]'")
    axes = pyplot.subplots(1, 2)[1]
    times, errors = found.plot(axes)
    assert [label.get_text() for label in times.get_yticklabels()] == [
        "<mine>",
        "tape (interpreted)",
        "symnet, compiled",
    ]
    assert [bar.get_width() for bar in times.patches] == [row.seconds for row in found.rows[2::-1]]
    assert [bar.get_width() for bar in errors.patches] == [1, found.rows[1].error, found.rows[0].error]
    pyplot.close("all")


def test_a_plot_without_matplotlib_says_what_to_install(found: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
    with pytest.raises(DependencyError, match=r"expected matplotlib; got .*pip install 'symnet\[plot\]'"):
        found.plot()
    with pytest.raises(ArgumentError, match=r"expected two axes; got int"):
        found.plot(3)


def test_what_was_not_measured_is_none() -> None:
    row = Row("x", "given", "x", failed="no")
    assert (row.seconds, row.ratio, row.operations_ratio, row.arithmetic, row.functions, row.operations) == (None,) * 6
    assert np.isnan(row.value_error)

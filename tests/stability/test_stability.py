"""Every spelling of every stable family keeps its bound, in value and slope, in both dtypes, over the dtype's range."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import mpmath
import numpy as np
import pytest

from symnet.simplify.algebra.table import TABLE, simplify
from symnet.simplify.engine import Normalizer
from symnet.simplify.numeric import passes as numeric_form
from tests.simplify.graphs import rebracketed, shuffled
from tests.stability.exact import Oracle
from tests.stability.measuring import LEAVES, Family, Points, derived, m, measured, ulps, written
from tests.stability.page import PAGE, between, spellings_table, units_table
from tests.stability.spellings import FAMILIES

BY_NAME = {family.name: family for family in FAMILIES}


def excesses(family: Family, dtype: str) -> list[str]:
    """What is above its bound."""
    return [
        f"{found.error:.3g} ulp, bound {family.rows[found.spelling][found.order]:g}: {found.story}"
        for found in measured(family, dtype)
        if not found.error <= family.rows[found.spelling][found.order]
    ]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", BY_NAME)
def test_every_spelling_keeps_its_bound(name: str, dtype: str) -> None:
    assert excesses(BY_NAME[name], dtype) == []


def test_the_list_is_wide_and_its_bounds_are_small() -> None:
    rows = [bounds for family in FAMILIES for bounds in family.rows.values()]
    assert len(rows) >= 200
    assert max(map(max, rows)) <= 10 and np.median([b for bounds in rows for b in bounds]) <= 2


def test_units_that_are_not_the_value_have_a_reason() -> None:
    assert [f.name for f in FAMILIES if any(f.units) and not f.why] == []


@pytest.mark.parametrize("name", [f.name for f in FAMILIES if f.meaning])
def test_the_spellings_of_a_family_mean_the_same(name: str) -> None:
    """The oracle takes the family's meaning: exactly equal at ordinary points, at 420 bits."""
    family = BY_NAME[name]
    data = {k: v[np.abs(v).reshape(len(v), -1).max(1) <= 16] for k, v in family.data("float64").items()}
    data = data if isinstance(family.points, Points) else {k: v[:8] for k, v in family.data("float64").items()}
    oracle = Oracle(data, m)
    wanted = oracle(written(family.meaning))
    for text in family.rows:
        got = np.broadcast_to(oracle(written(text)), wanted.shape)
        for g, e in zip(got.ravel(), wanted.ravel(), strict=True):
            assert abs(g - e) <= mpmath.mpf(10) ** -60 * max(1, abs(e)), (text, g, e)


# --------------------------------------------------------------------------- the tester is tested


def test_without_the_numeric_form_the_bounds_are_exceeded(monkeypatch: pytest.MonkeyPatch) -> None:
    import symnet.stages

    monkeypatch.setattr(symnet.stages, "numeric", lambda roots: list(roots))
    for name in ("log1p", "log cosh", "log(1 - exp(-x))", "expm1", "binary entropy"):
        assert excesses(BY_NAME[name], "float64"), name


def test_a_formula_of_another_value_is_caught() -> None:
    family = replace(BY_NAME["softplus"], rows={"log(1 + exp(x)) + x/10**14": (4.0,)})
    assert len(excesses(family, "float64")) == 2  # compiled, and in the reference


def test_an_ulp_is_an_ulp() -> None:
    one = np.array([mpmath.mpf(1)], dtype=object)
    got = np.array([1 + 3 * np.finfo("f8").eps])
    assert ulps(got, one, np.zeros(1), "float64").tolist() == [3.0]
    assert ulps(got, one, np.array([2.0]), "float64").tolist() == [1.5]
    assert ulps(np.array([np.inf]), one, np.zeros(1), "float64").tolist() == [np.inf]
    assert ulps(np.array([np.inf]), one * mpmath.mpf("1e400"), np.zeros(1), "float64").tolist() == [0.0]


@pytest.mark.parametrize("name", BY_NAME)
def test_the_algebra_form_of_a_spelling_depends_on_no_order_and_is_a_fixed_point(name: str) -> None:
    family = BY_NAME[name]
    for text, bounds in family.rows.items():
        for order in range(len(bounds)):
            root = derived(written(text), LEAVES[family.by], order) if order else written(text)
            normalizer = Normalizer(TABLE)
            (simple,) = normalizer([root])
            assert normalizer.unsettled == []
            assert simplify([simple])[0] is simple
            for seed in (0, 1):
                assert simplify([shuffled(root, seed)])[0] is simple
                assert simplify([rebracketed(root, seed)])[0] is simple


def test_the_numeric_form_is_a_fixed_point_of_its_own_passes() -> None:
    """Each pass leaves nothing for itself, whatever the spelling."""
    roots = simplify(dict.fromkeys(written(text) for family in FAMILIES for text in family.rows))
    for table in map(numeric_form.table_of, numeric_form.PASSES):
        normalizer = numeric_form.Normalizer(table)
        roots = normalizer(roots)
        assert normalizer.unsettled == []
        assert numeric_form.Normalizer(table)(roots) == roots


# --------------------------------------------------------------------------- the page


def test_the_page_shows_the_bounds_that_are_tested() -> None:
    text = PAGE.read_text()
    shown = [line.split(" | ") for line in between("spellings", text).splitlines()]
    wanted = [line.split(" | ") for line in spellings_table(lambda family, dtype: defaultdict(float)).splitlines()]
    assert [row[:3] for row in shown] == [row[:3] for row in wanted]
    assert between("units", text) == units_table()


def test_what_the_page_says_was_measured_is_within_the_bounds() -> None:
    for line in between("spellings", PAGE.read_text()).splitlines()[2:]:
        *_, bound, single, double = (cell.strip(" |") for cell in line.split(" | "))
        for figures in (single, double):
            assert all(float(e) <= float(b) for e, b in zip(figures.split(", "), bound.split(", "), strict=True)), line

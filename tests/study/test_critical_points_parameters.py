"""Functions with parameters: what is told of a point holds for parameters drawn at random, nothing is left unsaid."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sympy

import symnet as sn
from symnet.expr.sympy.to_sympy import to_sympy
from symnet.study.critical_points.conditions import conditions
from symnet.study.critical_points.signs import happens, sign_under

x, y, a, b, c, m = (sn.scalar(name) for name in "xyabcm")
s, p, q = sn.scalar("s", positive=True), sn.scalar("p", unit=True), sn.scalar("q", unit=True)
v = sn.tensor("v", 2)
A, B = sympy.symbols("a b", real=True)
P = sympy.Symbol("p", nonnegative=True)

# f, the variables, the points as they are printed up to the value, and the note
TOLD: dict[str, tuple[Any, Any, list[str], str]] = {
    "the deviation": (
        (x - m) ** 2 / (2 * s**2) + sn.log(s),
        s,
        ["s = |m - x| with m - x != 0: minimum, value log(|m - x|) + 1/2"],
        "",
    ),
    "a root": (sn.sqrt(x**2 + a), x, ["x = 0 with a > 0: minimum, value sqrt(a)"], ""),
    "Bernoulli": (-p * sn.log(q) - (1 - p) * sn.log(1 - q), q, ["q = p with 0 < p and p < 1: minimum"], ""),
    "a parabola": (
        a * x**2 + b * x + c,
        x,
        ["x = -b/(2*a) with a != 0: minimum where a > 0, maximum where a < 0"],
        "where a = 0, there may be other points",
    ),
    "a form": (
        x**2 + y**2 + a * x * y,
        [x, y],
        ["x = 0, y = 0: saddle where a**2 - 4 > 0, minimum where -2 < a and a < 2"],
        "where a = -2 or a = 2, there may be other points",
    ),
    "a saddle always": (a * x**2 + x * y, [x, y], ["x = 0, y = 0: saddle, value 0"], ""),
    "a factor": (
        a * (x**3 - 3 * x),
        x,
        ["x = -1: maximum where a > 0, minimum where a < 0", "x = 1: minimum where a > 0, maximum where a < 0"],
        "where a = 0, there may be other points",
    ),
    "a positive factor": (s * (x**2 - 2 * x), x, ["x = 1: minimum, value -s"], ""),
    "two factors": (x**2 + x * b + (a * y) ** 2, [x, y], [], "where a = 0, there may be other points"),
    "a line": (a * x, x, [], "where a = 0, there may be other points"),
    "elements": (sn.sum((v - a) ** 2), v, ["v[0] = a, v[1] = a: minimum, value 0"], ""),
    "rising": (sn.sum(sn.softplus(v)), v, [], ""),
    "rising with a parameter": (sn.exp(x + a), x, [], ""),
}


@pytest.mark.parametrize("name", TOLD)
def test_points_say_for_which_parameters_they_are_what(name: str) -> None:
    f, wrt, expected, note = TOLD[name]
    found = sn.critical_points(f, wrt, seconds=600)
    assert found.note == note and found.complete == (not note)
    if expected or not len(found):
        assert [str(point)[: len(text)] for point, text in zip(found, expected, strict=True)] == expected


@pytest.mark.parametrize("name", [name for name in TOLD if TOLD[name][2]])
def test_what_is_told_holds_for_parameters_drawn_at_random(name: str, rng: np.random.Generator) -> None:
    f, wrt, _, _ = TOLD[name]
    expr = to_sympy(f)
    for point in sn.critical_points(f, wrt, seconds=600):
        variables, checked = list(point.at), 0
        for _ in range(40):
            drawn = {
                t: sympy.Float(rng.uniform(0.01, 0.99) * (3 if t.is_extended_nonnegative is None else 1))
                for t in expr.free_symbols
            }
            drawn = {t: w * (1 if t.is_nonnegative else int(rng.choice([-1, 1]))) for t, w in drawn.items()}
            if point.where.subs(drawn) != sympy.true:
                continue
            at = {t: w.subs(drawn) for t, w in point.at.items()}
            put = {**drawn, **at}
            assert all(abs(sympy.diff(expr, t).subs(put)) < 1e-9 for t in variables)
            bend = np.array(sympy.hessian(expr, variables).subs(put).tolist(), float)
            low, high = np.linalg.eigvalsh(bend)[[0, -1]]
            is_ = "minimum" if low > 0 else "maximum" if high < 0 else "saddle"
            cases = [told for where, told in point.cases if where.subs(drawn) == sympy.true] or [point.verdict]
            assert cases == [is_] or min(abs(low), abs(high)) < 1e-9
            checked += 1
        assert checked > 5


def test_a_condition_that_never_holds_drops_the_point() -> None:
    root = sympy.sqrt(A**2 + 1)
    positive = sympy.Symbol("t", positive=True)
    assert conditions(positive**2, (), {positive: -root}) == sympy.false
    assert conditions(positive**2, (), {positive: A - root}) == sympy.false
    assert conditions(positive**2, (), {positive: root}) == sympy.true
    assert not happens(sympy.And(sympy.Gt(A, B), sympy.Gt(B, A + 1)))
    assert happens(sympy.And(sympy.Gt(A, B), sympy.Gt(B, 2 * A)))


SIGNS: list[tuple[Any, Any, int | None]] = [
    (1 - P, sympy.Gt(1 - P, 0), 1),
    (P - 1, sympy.Gt(1 - P, 0), -1),
    (P - 1, sympy.Ge(1 - P, 0), None),
    (1 / (P * (P - 1)), sympy.Ge(1 - P, 0), -1),
    (A - B, sympy.Gt(A, B), 1),
    ((A - B) ** 2, sympy.Ne(A, B), 1),
    ((A - B) ** 2, sympy.true, None),
    (1 / (A - B) ** 2, sympy.true, 1),
    (-3 * A * B, sympy.Gt(A * B, 0), -1),
    (A + B, sympy.Gt(A, 0), None),
    (A**2 + 1, sympy.true, 1),
]


@pytest.mark.parametrize(("value", "given", "sign"), SIGNS, ids=str)
def test_signs_follow_of_conditions(value: Any, given: Any, sign: int | None) -> None:
    assert sign_under(value, given) == sign


NO_SETS = [sn.sqrt(x**2 + a), sn.log(x**2 + a), x / (x**2 + a), sn.sin(abs(x)), sn.exp(a * x) / x, sn.atan(x + a) * x]


@pytest.mark.parametrize("f", NO_SETS, ids=str)
def test_no_set_of_sympys_is_printed(f: Any) -> None:
    try:
        text = str(sn.critical_points(f, x))
    except sn.errors.ArgumentError as error:
        text = str(error)
    words = ("Complement", "Intersection", "Union", "ImageSet", "Interval", "FiniteSet", "{", "ConditionSet")
    assert not any(word in text for word in words)

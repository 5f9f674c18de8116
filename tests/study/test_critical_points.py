"""Where gradients vanish and what stands there: exact points, exact verdicts, and never a silent omission."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sympy

import symnet as sn
from symnet.errors import ArgumentError, ShapeError
from symnet.expr.nodes.graph import topological
from symnet.expr.sympy.to_sympy import symbols_of, to_sympy
from symnet.reference import evaluate
from symnet.study.critical_points.conditions import conditions
from symnet.study.critical_points.solving import solved
from tests.cases import CASES, Case

x, y = sn.scalar("x"), sn.scalar("y")
X, Y = sympy.Symbol("x", real=True), sympy.Symbol("y", real=True)
root2 = sympy.sqrt(2)


def test_g3_a_quadratic_of_three_variables() -> None:
    x1, x2, x3 = (sn.scalar(f"x{k}") for k in (1, 2, 3))
    found = sn.critical_points(x1**2 + x1 * (1 - x2) + x2**2 - x2 * x3 + x3**2 + x3, [x1, x2, x3])
    (point,) = found
    assert list(point.at.values()) == [-1, -1, -1] and point.value == -1
    assert point.hessian == sympy.Matrix([[2, -1, 0], [-1, 2, -1], [0, -1, 2]])
    assert point.eigenvalues == (2 - root2, 2, 2 + root2)
    assert point.verdict == "minimum" and found.complete


ONE: list[tuple[Any, list[tuple[Any, str]]]] = [
    (x**3 - 3 * x, [(-1, "maximum"), (1, "minimum")]),
    (x**4, [(0, "undecided (inflection possible)")]),
    (x**3, [(0, "undecided (inflection possible)")]),
    ((x**2 - 2) ** 2, [(-root2, "minimum"), (0, "maximum"), (root2, "minimum")]),
    (sn.exp(-(x**2)), [(0, "maximum")]),
    (x * sn.log(x), [(sympy.exp(-1), "minimum")]),
    (sn.exp(x), []),
    (x**2 + 1 / x**2, [(-1, "minimum"), (1, "minimum")]),
]


@pytest.mark.parametrize(("f", "expected"), ONE, ids=lambda v: str(v)[:30])
def test_g4_functions_of_one_variable(f: Any, expected: list[tuple[Any, str]]) -> None:
    found = sn.critical_points(f, x)
    assert [(point.at[X], point.verdict) for point in found] == expected
    assert found.complete and found.note == ""


HIGHER: list[tuple[Any, tuple[int, int, str] | None]] = [
    (x**4, (4, 24, "minimum")),
    (-(x**6), (6, -720, "maximum")),
    (x**3, (3, 6, "inflection")),
    (x**5 + x**7, (5, 120, "inflection")),
    (x**2, None),
]


@pytest.mark.parametrize(("f", "expected"), HIGHER, ids=lambda v: str(v)[:30])
def test_where_the_second_derivative_is_zero_the_first_that_is_not_decides(f: Any, expected: Any) -> None:
    point = next(p for p in sn.critical_points(f, x) if p.at[X] == 0)
    assert point.higher == expected and (expected is None) == (point.verdict == "minimum")
    if expected is not None:
        order, value, verdict = expected
        assert str(point).startswith(f"x = 0: {verdict}, value 0; second derivative 0; ")
        assert str(point).endswith(f"{ {3: 'third', 4: 'fourth', 5: 'fifth', 6: 'sixth'}[order] } derivative {value}")


TWO: list[tuple[Any, list[tuple[Any, Any, str]]]] = [
    (x * y, [(0, 0, "saddle")]),
    (x**4 + y**4 - 4 * x * y, [(-1, -1, "minimum"), (0, 0, "saddle"), (1, 1, "minimum")]),
    (-(x**2) - y**4, [(0, 0, "undecided (inflection possible)")]),
    (x**2 + x * y - y**2 + y, [(sympy.Rational(-1, 5), sympy.Rational(2, 5), "saddle")]),
]


@pytest.mark.parametrize(("f", "expected"), TWO, ids=lambda v: str(v)[:30])
def test_functions_of_two_variables(f: Any, expected: Any) -> None:
    found = sn.critical_points(f, [x, y])
    assert [(*point.at.values(), point.verdict) for point in found] == expected and found.complete


def test_vectors_are_their_elements(rng: np.random.Generator) -> None:
    v = sn.tensor("v", 3)
    found = sn.critical_points(sn.sum(v * v) - 2 * sn.sum(v), v)
    assert list(found[0].at.values()) == [1, 1, 1] and found[0].verdict == "minimum" and len(found) == 1


def test_where_there_are_more_it_says_so() -> None:
    family = sn.critical_points((x - y) ** 2, [x, y])
    assert "family" in family.note and "any y" in str(family)
    assert family[0].verdict == "minimum (not strict)" and family[0].eigenvalues == (0, 4)


REPEATED: list[tuple[Any, list[str]]] = [
    (sn.sin(x), ["x = π/2 + 2kπ, k an integer: maximum, value 1", "x = 3π/2 + 2kπ, k an integer: minimum, value -1"]),
    (sn.cos(2 * x), ["x = kπ, k an integer: maximum, value 1", "x = π/2 + kπ, k an integer: minimum, value -1"]),
    (
        sn.sin(x / 3),
        ["x = 3π/2 + 6kπ, k an integer: maximum, value 1", "x = 9π/2 + 6kπ, k an integer: minimum, value -1"],
    ),
    (x - sn.sin(x), ["x = 2kπ, k an integer: inflection, value 2kπ; second derivative 0; third derivative 1"]),
    (
        sn.exp(sn.cos(x)),
        ["x = 2kπ, k an integer: maximum, value E", "x = π + 2kπ, k an integer: minimum, value exp(-1)"],
    ),
]


@pytest.mark.parametrize(("f", "expected"), REPEATED, ids=lambda v: str(v)[:30])
def test_points_that_repeat_are_written_with_an_integer(f: Any, expected: list[str]) -> None:
    found = sn.critical_points(f, x)
    assert found.complete and not found.note and "ImageSet" not in str(found)
    assert [str(p)[: len(e)] for p, e in zip(found, expected, strict=True)] == expected
    for point in found:
        for number in (-2, 0, 3):
            at = point.at[X].subs(point.index, number)
            slope, second = (sympy.diff(to_sympy(f), X, order).subs(X, at) for order in (1, 2))
            assert sympy.simplify(slope) == 0
            assert sympy.simplify(second - point.hessian[0].subs(point.index, number)) == 0


def test_the_letter_of_the_integer_is_free_and_a_positive_variable_keeps_it_positive() -> None:
    k, p = sn.scalar("k"), sn.scalar("p", positive=True)
    assert "k = π/2 + 2nπ, n an integer" in str(sn.critical_points(sn.sin(k), k))
    assert "p = π/2 + 2kπ, k an integer with k >= 0" in str(sn.critical_points(sn.sin(p), p))


def test_of_several_variables_it_says_how_they_repeat() -> None:
    assert "with period 2π in x and 2π in y" in sn.critical_points(sn.sin(x) * sn.cos(y), [x, y]).note


@pytest.mark.parametrize("wrt", [x, [x, y]], ids=["one", "two"])
def test_every_point_of_a_constant_is_critical(wrt: Any) -> None:
    for constant in (5, sn.scalar("c") ** 2):
        (point,) = sn.critical_points(constant, wrt)
        assert str(point).startswith("any x") and point.verdict == "constant"
        assert "every point is critical" in sn.critical_points(constant, wrt).note


def test_points_of_a_family_are_not_listed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """SymPy 1.13 answers so; 1.14 by itself leaves the two points of the ring out."""
    up, zero, one = sympy.sqrt(1 - X**2), sympy.S.Zero, sympy.S.One
    answer = [{Y: -up}, {Y: up}, {X: zero, Y: -one}, {X: zero, Y: zero}, {X: zero, Y: one}]
    monkeypatch.setattr(sympy, "solve", lambda *args, **options: answer)
    solutions, complete, note = solved([X * (X**2 + Y**2 - 1), Y * (X**2 + Y**2 - 1)], [X, Y])
    assert solutions == [{Y: -up}, {Y: up}, {X: 0, Y: 0}] and complete and note == ""


def test_a_family_is_judged_across_it() -> None:
    ring = sn.critical_points((x**2 + y**2 - 1) ** 2, [x, y])
    assert [p.verdict for p in ring] == ["maximum", "minimum (not strict)", "minimum (not strict)"]
    assert [p.verdict for p in sn.critical_points(-((x - y) ** 2), [x, y])] == ["maximum (not strict)"]
    assert [p.verdict for p in sn.critical_points((x - y) ** 4, [x, y])] == ["undecided (inflection possible)"]
    (everywhere,) = sn.critical_points(sn.floor(x), x)
    assert everywhere.verdict == "piecewise constant" and str(everywhere).startswith("any x: piecewise constant")


def test_parameters_decide_where_their_sign_is_known() -> None:
    a, p = sn.scalar("a"), sn.scalar("p", positive=True)
    assert sn.critical_points(a * x**2, x)[0].verdict == "undecided (it depends on parameters)"
    (point,) = sn.critical_points(p * x**2 - x, x)
    assert point.verdict == "minimum" and point.at[X] == 1 / (2 * sympy.Symbol("p", real=True, positive=True))
    (point,) = sn.critical_points(-p * x**2 - p * y**2 / 3, [x, y])
    assert point.verdict == "maximum"


def test_sympy_functions_are_welcome() -> None:
    t = sympy.Symbol("t")
    assert [p.verdict for p in sn.critical_points(sn.from_sympy(t**2 - 2 * t), t)] == ["minimum"]


def test_no_point_is_printed_as_such() -> None:
    assert str(sn.critical_points(sn.exp(x), x)) == "no critical points"


def test_what_cannot_be_solved_is_refused() -> None:
    with pytest.raises(
        ArgumentError, match=r"or no parameters, .*; got the parameters y\. Write numbers in the place of y"
    ):
        sn.critical_points(y * x * sn.exp(x) + sn.sin(x), x)
    with pytest.raises(ArgumentError, match=r"got the parameters y"):
        sn.critical_points(y * x**2, x, numeric=True)
    w = sn.tensor("w", sn.dim("n"))
    with pytest.raises(
        ArgumentError, match=r"known extents, or a quadratic function of one vector or matrix; got .* by w"
    ):
        sn.critical_points(sn.sum(sn.exp(w)), w)
    with pytest.raises(ArgumentError, match="expected leaves as variables; got x"):
        z = x + y
        sn.critical_points(z * z, z)
    with pytest.raises(ShapeError, match="a scalar L"):
        sn.critical_points(sn.tensor("v", 3), x)


# --------------------------------------------------------------------------- in floating point


def check_numeric(f: Any, found: Any, leaves: list[Any]) -> None:
    """Every point is a zero of the gradient, and its verdict that of the Hessian."""
    for point in found:
        assert point.residual is not None and point.residual < 1e-10
        values = np.array([float(v) for v in point.at.values()])
        sizes = np.cumsum([int(np.prod(leaf.shape)) for leaf in leaves])[:-1]
        data = {a.name: part.reshape(a.shape) for a, part in zip(leaves, np.split(values, sizes), strict=True)}
        slopes = evaluate(sn.grad(f, leaves), data, leaves=leaves)
        assert all(np.abs(s).max() < 1e-10 for s in slopes)
        assert float(point.value) == pytest.approx(float(evaluate(f, data, leaves=leaves)), abs=1e-14)
        signs = np.sign([float(v) for v in point.eigenvalues])
        wanted = "minimum" if (signs > 0).all() else "maximum" if (signs < 0).all() else "saddle"
        assert point.verdict == wanted


def test_what_sympy_cannot_solve_is_found_in_floating_point_and_says_so() -> None:
    f = x * sn.exp(x) + sn.sin(x)
    found = sn.critical_points(f, x, seconds=600)  # or the note would tell of a loaded machine
    check_numeric(f, found, [x])
    near = [float(p.at[X]) for p in found if float(p.at[X]) > -8]
    assert near == pytest.approx([-7.851314826, -4.744958731, -1.463343659]) and not found.complete
    assert "x ≈ -1.463343659: minimum, value -1.332939578" in str(found) and "numeric, gradient" in str(found)
    assert "note: found by Newton's method: there may be further points" in str(found)


def test_points_of_every_kind_are_found() -> None:
    f = sn.sin(x) * sn.cos(y) + x * y / 10
    found = sn.critical_points(f, [x, y], numeric=True)
    check_numeric(f, found, [x, y])
    assert {p.verdict for p in found} == {"minimum", "maximum", "saddle"} and found.gradient == ()
    assert any(list(map(float, p.at.values())) == pytest.approx([1.586940531, 0.1593887517]) for p in found)
    zeros = [p for p in found if float(p.at[X]) == 0]
    assert zeros and all(float(p.value) == 0 for p in zeros)


def test_a_function_of_a_matrix_is_minimised_without_being_written_out() -> None:
    B = sn.tensor("B", 2, 2)
    f = sn.sum(B**2) - sn.logdet(B)
    found = sn.critical_points(f, B, numeric=True)
    assert len(found) > 0 and all(float(p.value) == pytest.approx(1 + np.log(2)) for p in found)


def test_positive_variables_stay_positive_and_gradients_that_fade_have_no_zeros() -> None:
    p = sn.scalar("p", positive=True)
    (point,) = sn.critical_points(p - sn.log(p) + sn.sin(p) / 3, p, numeric=True)
    assert point.verdict == "minimum" and float(*point.at.values()) == pytest.approx(0.8137127818)
    assert len(sn.critical_points(sn.exp(-x), x, numeric=True)) == 0
    assert len(sn.critical_points(sn.tanh(x), x, numeric=True)) == 0
    assert str(sn.critical_points(sn.tanh(x), x, numeric=True)).startswith(
        "no critical points found\nnote: found by Newton"
    )


def test_a_flat_point_is_undecided_in_floating_point_too() -> None:
    found = sn.critical_points(x**2 + y**3, [x, y], numeric=True)
    assert [p.verdict for p in found] == ["undecided (inflection possible)"]


# --------------------------------------------------------------------------- back to SymPy


def small(case: Case) -> bool:
    """Cases of concrete extents, whose roots SymPy can write element by element."""
    nodes = topological(*case.roots)
    concrete = all(isinstance(n, int) and n <= 6 for node in nodes for n in node.shape)
    if "elimination" in case.name:  # cancels in floating point, unless pivoted; SymPy's formula does not pivot
        return False
    known = not any(node.kind in ("take", "one_hot") or getattr(node, "op", "") == "argmax" for node in nodes)
    return concrete and known and len(nodes) < 25 and all(leaf.dtype == "float64" for leaf in case.leaves)


@pytest.mark.parametrize("case", [c for c in CASES if small(c)], ids=repr)
def test_back_in_sympy_the_value_is_the_same(case: Case, rng: np.random.Generator) -> None:
    data = case.data(rng)
    symbols = {
        s: float(v) for leaf in case.leaves for s, v in zip(symbols_of(leaf).flat, data[leaf.name].flat, strict=True)
    }
    for root in case.roots:
        expected = evaluate(root, data, leaves=case.leaves)
        exprs = np.array(to_sympy(root), object)
        assert exprs.shape == expected.shape
        for e, value in zip(exprs.flat, expected.flat, strict=True):
            number = sympy.sympify(e).subs(symbols)
            got = float(bool(number)) if number in (sympy.true, sympy.false) else float(number)
            np.testing.assert_allclose(got, float(value), rtol=1e-9, atol=1e-12)


def test_what_has_no_elements_of_its_own_is_refused() -> None:
    t = sn.labels("t", 3, classes=4)
    with pytest.raises(ArgumentError, match=r"\(one_hot\)|one_hot"):
        sn.to_sympy(t)
    with pytest.raises(ArgumentError, match=r"expected a matrix of at most 8 rows; got 9 rows"):
        sn.to_sympy(sn.det(sn.tensor("A", 9, 9)))


# --------------------------------------------------------------------------- a limit of time


def test_what_sympy_does_not_solve_in_time_is_searched_for_in_floating_point() -> None:
    """Himmelblau's function, for which SymPy needs more than ten minutes."""
    x, y = sn.scalar("x"), sn.scalar("y")
    found = sn.critical_points((x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2, [x, y], seconds=0.2)
    assert [p.verdict for p in found].count("minimum") == 4 and len(found) == 9
    assert found.note.startswith("SymPy took longer than 0.2 s") and not found.complete


def test_with_parameters_nothing_found_is_not_nothing_there() -> None:
    x, y, p = sn.scalar("x"), sn.scalar("y"), sn.scalar("p")
    with pytest.raises(
        ArgumentError, match=r"the parameters p.*in the place of p, or give SymPy more time: seconds=60"
    ):
        sn.critical_points((x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2 + p * x, [x, y], seconds=0.05)


@pytest.mark.parametrize("seconds", [0, -1, "long", True, float("nan")])
def test_a_limit_is_a_time(seconds: Any) -> None:
    x = sn.scalar("x")
    with pytest.raises(ArgumentError, match="a time above 0"):
        sn.critical_points(x**2, x, seconds=seconds)


def test_work_is_ended_in_any_thread_and_leaves_no_alarm_behind() -> None:
    from concurrent.futures import ThreadPoolExecutor

    from symnet.study.critical_points.deadline import within

    def endless() -> int:
        count = 0
        while True:
            try:
                count += 1
            except Exception:
                count = 0

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(lambda _: within(0.05, endless), range(2))) == [None, None]
    for _ in range(200):  # alarms that ring as the work ends
        assert within(1e-4, lambda: sum(range(3000))) in (None, 4498500)
    assert sum(range(10**5)) == 4999950000


# --------------------------------------------------------------------------- where SymPy fails


class _SymPyError(Exception):
    """Of a kind that nothing waits for."""


FAILING = ["factor", "simplify", "expand", "solve", "solveset", "fraction", "hessian", "periodicity", "diff"]
FUNCTIONS: dict[str, tuple[Any, Any]] = {
    "one variable": (x**3 - 3 * x, x),
    "a quotient": (x / (1 + x**2), x),
    "a kink": (abs(x - 1) + x**2, x),
    "two variables": (x**4 + y**4 - 4 * x * y, [x, y]),
    "kinks of two": (x**2 + abs(y), [x, y]),
}


@pytest.mark.parametrize(("name", "failing"), [(n, f) for k, n in enumerate(FUNCTIONS) for f in FAILING[k % 3 :: 3]])
def test_whatever_fails_in_sympy_ends_in_points_found_otherwise(
    name: str, failing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Rayleigh quotient by a matrix of parameters raised SymPy's PolynomialError."""

    def fail(*args: Any, **options: Any) -> Any:
        raise _SymPyError(failing)

    f, wrt = FUNCTIONS[name]
    expected = {tuple(map(str, p.at.values())) for p in sn.critical_points(f, wrt)}
    monkeypatch.setattr(sympy, failing, fail)
    found = sn.critical_points(f, wrt, seconds=600)
    unjudged = [p for p in found if p.residual is None and p.verdict.startswith("undecided (SymPy")]
    exact = {tuple(map(str, p.at.values())) for p in found if p.residual is None}
    assert exact <= expected or unjudged
    assert "there may be" in found.note or "further points" in found.note or unjudged or {*exact} == expected


def test_conditions_are_told_of_what_is_no_polynomial() -> None:
    a, b = sympy.Symbol("a", real=True), sympy.Symbol("b", real=True)
    root = a + sympy.sqrt(a**2 + b**2)
    below = X**2 - (a**2 + sympy.sqrt(a**2 + b**2) * 2 * a) * Y**2
    assert sympy.Ne(Y, 0) in conditions(1 / below, (), {X: Y * root, Y: Y}).atoms(sympy.Ne)


def test_a_fault_of_ours_is_raised_and_no_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    from symnet.study.critical_points import critical_points as module
    from symnet.study.critical_points import judging

    with monkeypatch.context() as broken:
        broken.setattr(judging, "_eigenvalues", None)
        with pytest.raises(TypeError, match="not callable"):
            sn.critical_points(x**3 - 3 * x, x)
    monkeypatch.setattr(module, "solved", None)
    with pytest.raises(TypeError, match="not callable"):
        sn.critical_points(x**3 - 3 * x, x)


ORDINARY = {
    "a polynomial": lambda a: (x**4 + a * x**3 - 5 * x**2, x),
    "a quotient": lambda a: ((x**2 + a * x) / (1 + x**2), x),
    "a bell": lambda a: (sn.exp(-(x**2)) * (x + a), x),
    "waves": lambda a: (sn.sin(x) + x / (a + 1), x),
    "an exponential": lambda a: (sn.exp(x) - a * x, x),
    "a logarithm": lambda a: (sn.log(1 + x**2) - x / (a + 2), x),
    "a root": lambda a: (sn.sqrt(1 + x**2) + x / (a + 1), x),
    "a quadratic of two": lambda a: (x**2 + a * x * y + 3 * y**2 - x, [x, y]),
    "a quartic of two": lambda a: (x**4 + y**4 - 4 * a * x * y, [x, y]),
    "a hill of two": lambda a: (sn.exp(-(x**2) - y**2) * (x + a), [x, y]),
    "a quotient of two": lambda a: ((x + a * y) / (1 + x**2 + y**2), [x, y]),
    "waves and a valley": lambda a: (sn.cos(x) + a * y**2, [x, y]),
}


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("name", ORDINARY)
def test_ordinary_functions_are_decided(name: str, number: int) -> None:
    f, wrt = ORDINARY[name](number)
    found = sn.critical_points(f, wrt, seconds=60)
    assert len(found) and not [p for p in found if "undecided" in p.verdict and p.higher is None], found


@pytest.mark.parametrize(
    ("f", "expected"),
    [
        (lambda x: sn.tan(x) - 2 * x, {"π/4 + kπ": "minimum", "3π/4 + kπ": "maximum"}),
        (lambda x: sn.tan(x) ** 3 - 3 * sn.tan(x), {"π/4 + kπ": "minimum", "3π/4 + kπ": "maximum"}),
        (lambda x: sn.sin(x) / sn.cos(x) - 2 * x, {"π/4 + kπ": "minimum", "3π/4 + kπ": "maximum"}),
        (lambda x: sn.tan(2 * x) - 4 * x, {"π/8 + kπ/2": "minimum", "3π/8 + kπ/2": "maximum"}),
        (lambda x: sn.log(sn.sin(x)), {"π/2 + 2kπ": "maximum"}),
        (lambda x: sn.log(sn.cos(x)), {"2kπ": "maximum"}),
    ],
)
def test_along_a_family_value_and_verdict_are_those_of_its_points(f: Any, expected: dict[str, str]) -> None:
    """SymPy 1.14 takes tan(kπ + 3π/4) for 1, and finds no root of 1/tan."""
    x = sn.scalar("x")
    found = sn.critical_points(f(x), x)
    assert {str(p).split(" = ")[1].split(",")[0]: p.verdict for p in found} == expected
    g = sn.compile(f(x))
    for point in found:
        for k in range(3):
            at = float(next(iter(point.at.values())).subs(point.index, k))
            np.testing.assert_allclose(float(point.value.subs(point.index, k)), g(x=at), rtol=1e-9, atol=1e-9)

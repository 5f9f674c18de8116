"""Programs over single numbers: over the shared cases they are the tape's, in floats and with 40 digits."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from mpmath import mpf

import symnet as sn
from symnet.compare.scalars import ScalarProgram, exact, machine, numbers, slopes
from symnet.compare.scalars.program import SCALARS
from symnet.compare.scalars.recorded import ScalarTape
from symnet.compare.scalars.slopes import FLAT, SLOPES
from symnet.compare.straight import STATICS
from symnet.compare.tape import elementwise
from symnet.compare.tape.elementwise import PULLS
from symnet.expr.nodes.primitives import PRIMITIVES
from tests.cases import Case
from tests.compare.test_tape import SMOOTH, program


@pytest.mark.parametrize("case", SMOOTH, ids=repr)
def test_a_gradient_of_scalars_is_that_of_the_tape(case: Case, rng: np.random.Generator) -> None:
    tape, scalar, data = program(case, rng)
    value, gradients, _ = tape.value_and_grad(data)
    for kind in (machine("float64"), exact()):
        run = ScalarProgram(scalar, case.targets, tape.dims, kind)
        with np.errstate(all="ignore"), mpmath.workdps(40):
            found, bars, _ = run.value_and_grad(data)
            assert float(run.value(data)) == pytest.approx(float(value), rel=1e-10, abs=1e-12)
        assert float(found) == pytest.approx(float(value), rel=1e-10, abs=1e-12)
        for ours, theirs in zip(bars, gradients, strict=True):
            np.testing.assert_allclose(ours.astype("float64"), theirs, rtol=1e-9, atol=1e-11)


def test_scalars_know_every_kind_of_node_and_every_primitive() -> None:
    assert set(SCALARS.operations) == set(STATICS)
    assert set(SLOPES) | set(FLAT) >= set(PULLS) | set(elementwise.FLAT) - {"and", "or", "not"} - {
        name for name in elementwise.FLAT if name.startswith("as_")
    }
    for kind in (exact(), machine("float64")):
        assert set(kind.functions) >= {*SLOPES, *FLAT, "add", "mul", "choose", "trigamma"}


POINTS = {1: [(0.3,), (0.7,)], 2: [(0.3, 0.8), (1.7, 0.6)]}
ELSEWHERE = {"acosh": [(1.5,), (3.0,)]}


@pytest.mark.parametrize("op", sorted(set(SLOPES) - set(FLAT)))
def test_a_slope_is_the_limit_of_differences(op: str) -> None:
    n = exact()
    with mpmath.workdps(60):
        for point in ELSEWHERE.get(op, POINTS[len(SLOPES[op])]):
            xs = [mpf(x) for x in point]
            y = n.functions[op](*xs)
            for k, slope in enumerate(SLOPES[op]):
                h = mpf(10) ** -20
                above, below = ([*xs[:k], xs[k] + s * h, *xs[k + 1 :]] for s in (1, -1))
                difference = (n.functions[op](*above) - n.functions[op](*below)) / (2 * h)
                assert abs(slope(n, y, *xs) - difference) < mpf(10) ** -30, (op, k, point)


def test_a_wrong_slope_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SLOPES, "sin", (lambda n, y, x: n.sin(x),))
    with pytest.raises(AssertionError):
        test_a_slope_is_the_limit_of_differences("sin")


def test_an_entry_of_the_tape_is_a_scalar_operation() -> None:
    x = sn.tensor("x", 3)
    run = ScalarProgram(sn.sum(sn.exp(x) * x), [x], {}, machine("float64"))
    _, _, tape = run.value_and_grad({"x": np.ones(3)})
    assert len(tape.links) == 3 + 3 + 3 + 1  # leaves, exponentials, products, a sum


def test_a_tape_of_constants_is_empty() -> None:
    tape = ScalarTape(exact())
    assert tape.apply("mul", mpf(2), mpf(3)) == 6 and tape.links == [] and tape.backward(mpf(1)) == []


def test_exact_numbers_follow_ieee_where_reals_have_no_answer() -> None:
    n = exact()
    zero, one, inf = mpf(0), mpf(1), mpf("inf")
    assert n.divide(one, zero) == inf and n.divide(-one, zero) == -inf and n.log(zero) == -inf
    for value in (
        n.divide(zero, zero),
        n.log(-one),
        n.sqrt(-one),
        n.pow(-one, mpf(0.5)),
        n.gamma(zero),
        n.asin(2 * one),
    ):
        assert value != value
    assert n.pow(zero, zero) == 1 and n.xlogy(zero, zero) == 0 and n.cbrt(-8 * one) == -2
    with pytest.raises(AttributeError):
        n.unheard_of


def test_a_determinant_of_a_singular_matrix_keeps_its_cofactors() -> None:
    A = sn.tensor("A", 3, 3)
    run = ScalarProgram(sn.det(A), [A], {}, exact())
    value, (slopes,), _ = run.value_and_grad({"A": np.array([[4.0, 2, 0], [2, 1, 1], [8, 4, 2]])})
    assert value == 0 and slopes.astype(float).tolist() == [[-2, 4, 0], [-4, 8, 0], [2, -4, 0]]


def test_a_primitive_without_a_line_is_what_sympy_says() -> None:
    """A new function needs none: value and slope are SymPy's, in numbers of any kind."""
    primitive = PRIMITIVES["asinh"]
    function, slope = numbers._by_sympy(primitive), slopes._by_sympy(primitive)
    with mpmath.workdps(40):
        y = exact().asinh(mpf("0.3"))
        assert abs(function(mpf("0.3")) - y) < mpf(10) ** -38
        assert abs(slope(exact(), y, mpf("0.3")) - SLOPES["asinh"][0](exact(), y, mpf("0.3"))) < mpf(10) ** -38
    assert slope(machine("float64"), 0.0, 0.3) == pytest.approx(1 / np.sqrt(1.09))

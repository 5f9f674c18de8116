"""A SymPy symbol becomes the leaf of its name: two symbols of one name are refused, never made one."""

import re

import numpy as np
import pytest
import sympy

import symnet as sn
from symnet.errors import ArgumentError

x, y = sympy.Symbol("x"), sympy.Symbol("y")
OTHERS = {
    "dummy": sympy.Dummy("x"),
    "another dummy": sympy.Dummy("x", positive=True),
    "real": sympy.Symbol("x", real=True),
    "positive": sympy.Symbol("x", positive=True),
    "integer": sympy.Symbol("x", integer=True),
}
FORMS = {
    "product": lambda a, b: a * b + b,
    "functions": lambda a, b: sympy.sin(a) ** sympy.cos(b),
    "piecewise": lambda a, b: sympy.Piecewise((a, a > 0), (b, True)),
    "matrix": lambda a, b: sympy.Matrix([[a, 1], [2, b]]),
    "sum": lambda a, b: sympy.Sum(y * a + b, (y, 0, 3)),
    "scaled matrix": lambda a, b: sympy.MatrixSymbol("A", 2, 2) * a * b,
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("other", OTHERS)
def test_two_symbols_of_one_name_are_refused(form: str, other: str) -> None:
    with pytest.raises(ArgumentError, match=r"expected one symbol called 'x'; got \w+\('x'.*\) and \w+\('x'"):
        sn.from_sympy(FORMS[form](x, OTHERS[other]))


def test_the_refusal_shows_both_symbols() -> None:
    with pytest.raises(ArgumentError, match=re.escape("got Symbol('x') and Symbol('x', positive=True). Rename")):
        sn.from_sympy(x + OTHERS["positive"] ** 2)


def test_functions_applied_and_operators_refuse_them_too() -> None:
    dummy = OTHERS["dummy"]
    with pytest.raises(ArgumentError, match="one symbol called 'x'"):
        sn.tensor("v", 3) * (x * dummy)
    with pytest.raises(ArgumentError, match="one symbol called 'x'"):
        sn.apply(sympy.Lambda(y, y * x * dummy), sn.tensor("v", 3))


def test_a_dummy_is_no_leaf_of_its_name_in_an_expression() -> None:
    for whole in (sn.scalar("x") * OTHERS["dummy"], sn.from_sympy(x) + OTHERS["dummy"]):
        with pytest.raises(ArgumentError, match=r"one tensor called 'x'.*dummy"):
            sn.compile(whole)


def test_one_symbol_alone_has_its_name() -> None:
    for symbol in OTHERS.values():
        assert sn.compile(sn.from_sympy(symbol**2))(x=3.0) == 9
        if not symbol.is_integer:
            assert str(sn.grad(sn.from_sympy(symbol**2), symbol)) == "2*x"


def test_a_bound_symbol_may_have_the_name_of_a_free_one() -> None:
    k, dummy = sympy.Symbol("k"), sympy.Dummy("k")
    total = sn.from_sympy(sympy.Sum(dummy**2, (dummy, 0, 3)) * k)
    assert sn.compile(total)(k=2.0) == 28


def test_lambdify_tells_arguments_of_one_name_apart() -> None:
    f = sn.lambdify([OTHERS["dummy"], x], OTHERS["dummy"] * x + OTHERS["dummy"])
    assert f(2.0, 3.0) == 8
    np.testing.assert_array_equal(f(np.array([2.0, 1.0]), 3.0), [8, 4])


def test_lambdify_of_matrices_tells_them_apart_too() -> None:
    A = sympy.MatrixSymbol("A", 2, 2)
    f = sn.lambdify([A, x, OTHERS["real"]], A * x * OTHERS["real"] + A * x)
    np.testing.assert_array_equal(f(np.ones((2, 2)), 2.0, 3.0), np.full((2, 2), 8.0))

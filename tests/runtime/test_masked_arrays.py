"""A masked array is refused wherever data come in: what lies below the mask would count as data."""

import importlib
import operator
import re

import numpy as np
import pytest
import sympy

import symnet as sn
from symnet.errors import ArgumentError, DTypeError
from symnet.reference import evaluate

v, w, i = sn.tensor("v", 3), sn.scalar("w"), sn.tensor("i", 3, dtype="int64")
s = sympy.Symbol("s")
A = sympy.MatrixSymbol("A", 2, 2)
LOSS = sn.mean((v - w) ** 2)
MASKED = np.ma.array([1.0, 2.0, 3.0], mask=[False, True, False])
NUMBER = np.ma.array(2.0)
PLAIN = np.ones(3)
twice = sn.compile(2 * v, name="twice")
matrix = sn.compile(sn.hessian(sn.sum(v**3), v), compressed=True)

DOORS = {
    "argument": lambda: twice(v=MASKED),
    "argument, nothing masked": lambda: twice(v=np.ma.ones(3)),
    "argument of rank 0": lambda: sn.compile(2 * w)(w=NUMBER),
    "the masked number": lambda: sn.compile(2 * w)(w=np.ma.masked),
    "labels": lambda: sn.compile(sn.take(v, i))(v=PLAIN, i=np.ma.array([0, 1, 2], mask=[0, 1, 0])),
    "bind": lambda: twice.bind(v=MASKED),
    "out": lambda: twice(v=PLAIN, out=np.ma.zeros(3)),
    "out by position": lambda: twice(v=PLAIN, out=(np.ma.zeros(3),)),
    "out by name": lambda: twice(v=PLAIN, out={"out0": np.ma.zeros(3)}),
    "out of bind": lambda: twice.bind(v=PLAIN, out=np.ma.zeros(3)),
    "data of fit": lambda: sn.fit(LOSS, {w: 0.0}, {v: MASKED}, epochs=1),
    "a list in fit": lambda: sn.fit(LOSS, {w: 0.0}, {v: [MASKED[0], MASKED[1], MASKED[2]]}, epochs=1),
    "parameters of fit": lambda: sn.fit(LOSS, {w: NUMBER}, {v: PLAIN}, epochs=1),
    "compare": lambda: sn.compare(LOSS, [w], {w: 0.0, v: MASKED}),
    "evaluate": lambda: evaluate(v, {"v": MASKED}),
    "derive": lambda: sn.derive(sn.sum(v**2), v, at={"v": MASKED}),
    "an operand on the right": lambda: v * MASKED,
    "a branch": lambda: sn.where(v > 0, MASKED, v),
    "a constant": lambda: sn.constant(MASKED),
    "a function of NumPy's": lambda: np.add(MASKED, v),
    "lambdify": lambda: sn.lambdify([s], s**2)(MASKED),
    "lambdify, a list": lambda: sn.lambdify([s], s**2)([MASKED[0], MASKED[1]]),
    "lambdify, a number": lambda: sn.lambdify([s], s**2)(NUMBER),
    "lambdify, matrices": lambda: sn.lambdify([A], A * A)(np.ma.ones((2, 2))),
    "a compressed product": lambda: matrix(v=PLAIN).matvec(MASKED),
    "a compressed product by @": lambda: matrix(v=PLAIN) @ MASKED,
}


@pytest.mark.parametrize("door", DOORS)
def test_a_masked_array_is_refused(door: str) -> None:
    with pytest.raises(DTypeError, match=r"got a .*mask.*Masks have no meaning here: pass"):
        DOORS[door]()


@pytest.mark.parametrize("operation", [operator.mul, operator.add, operator.sub, operator.truediv, operator.pow])
def test_a_masked_array_to_the_left_of_an_operator_is_refused_with_the_remedy(operation) -> None:
    """It takes the expression for data before anybody can see the mask."""
    with pytest.raises(ArgumentError, match=r"got an expression.* beside an expression write array\.filled\(0\)"):
        operation(MASKED, v)


def test_the_refusal_names_the_argument() -> None:
    message = "twice(v=float64[3]): expected a NumPy array (3,) float64; got a masked float64[3]. Masks have no meaning"
    with pytest.raises(DTypeError, match=re.escape(message)):
        twice(v=MASKED)


def test_a_masked_array_on_the_left_of_an_expression_is_refused() -> None:
    with pytest.raises(sn.SymnetError, match="an expression"):
        MASKED * v


def test_a_stub_refuses_a_masked_array(tmp_path, monkeypatch) -> None:
    twice.export(tmp_path / "twice")
    monkeypatch.syspath_prepend(tmp_path)
    module = importlib.import_module("twice")
    with pytest.raises(TypeError, match=r"got MaskedArray\. Masks have no meaning"):
        module.twice(v=MASKED)

"""Variables that an expression does not contain: an error by default, zeros where the caller says so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.errors import ArgumentError, AssumptionError

m = sn.dim("m")
x, A = sn.tensor("x", 3), sn.tensor("A", 2, 3)
ABSENT = {
    "leaf": sn.tensor("w", 2, 2),
    "scalar": sn.scalar("s"),
    "symbolic extents": sn.tensor("V", m, 2),
    "symmetric leaf": sn.tensor("S", 3, 3, symmetric=True),
    "single precision": sn.tensor("h", 4, dtype="float32"),
    "intermediate value": sn.exp(sn.tensor("u", 5)),
    "named value": sn.tanh(x).named("t"),
}
SCALARS = {"loss": sn.sum(sn.sin(x)), "constants alone": sn.sum(np.ones(3)), "number": sn.constant(2)}
VECTORS = {"vector": sn.exp(x), "matrix": A * x}

# name → (the function, of y, x and absent; the shape of its result)
FUNCTIONS: dict[str, tuple[Callable[..., Any], Callable[[Any, Any], tuple[Any, ...]]]] = {
    "grad": (lambda y, w, **k: sn.grad(y, w, **k), lambda y, w: w.shape),
    "hessian": (lambda y, w, **k: sn.hessian(y, w, **k), lambda y, w: (*w.shape, *w.shape)),
    "hvp": (lambda y, w, **k: sn.hvp(y, w, w, **k), lambda y, w: w.shape),
    "jacobian": (lambda y, w, **k: sn.jacobian(y, w, **k), lambda y, w: (*y.shape, *w.shape)),
    "denominator": (
        lambda y, w, **k: sn.derivative(y, w, layout="denominator", **k),
        lambda y, w: (*w.shape, 1) if not y.rank and w.rank == 1 else (*w.shape, *reversed(y.shape)),
    ),
    "vjp": (lambda y, w, **k: sn.vjp(y, w, y, **k), lambda y, w: w.shape),
    "jvp": (lambda y, w, **k: sn.jvp(y, w, w, **k), lambda y, w: y.shape),
}
OF_SCALARS = ("grad", "hessian", "hvp")
PAIRS = [
    pytest.param(name, y, w, id=f"{name} of {a} by {b}")
    for name in FUNCTIONS
    for a, y in (SCALARS | ({} if name in OF_SCALARS else VECTORS)).items()
    for b, w in ABSENT.items()
]


@pytest.mark.parametrize(("name", "y", "w"), PAIRS)
def test_an_absent_variable_is_an_error_or_gives_zeros_of_the_right_shape(name: str, y: Any, w: Any) -> None:
    function, shape = FUNCTIONS[name]
    with pytest.raises(ArgumentError, match='absent="zero" says so'):
        function(y, w)
    found = function(y, w, absent="zero")
    assert found is sn.zeros(*shape(y, w)) or str(found) == "0"
    assert found.shape == shape(y, w)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_what_is_present_is_what_it_was(name: str) -> None:
    function, _ = FUNCTIONS[name]
    y = SCALARS["loss"]
    assert function(y, x, absent="zero") is function(y, x)


def test_structures_mix_present_and_absent() -> None:
    L, w = SCALARS["loss"], ABSENT["leaf"]
    assert sn.grad(L, {"x": x, "w": w}, absent="zero") == {"x": sn.grad(L, x), "w": sn.zeros(2, 2)}
    assert sn.hessian(L, [x, w], absent="zero")[1][0] is sn.zeros(2, 2, 3)


@pytest.mark.parametrize("w", ABSENT.values(), ids=list(ABSENT))
def test_a_compiled_gradient_takes_an_absent_parameter_and_marks_it_unused(w: Any) -> None:
    f = sn.value_and_grad(SCALARS["loss"], [x, w], absent="zero")
    sizes = {"V": (4, 2), "h": (4,), "u": (5,), "w": (2, 2), "S": (3, 3), "s": ()}
    data = {n: np.ones(sizes[n], "float32" if n == "h" else "float64") for n in f.inputs if n != "x"}
    value, (by_x, by_w) = f(x=np.arange(3.0), **data)
    assert value == pytest.approx(np.sin(np.arange(3.0)).sum())
    assert by_x == pytest.approx(np.cos(np.arange(3.0)))
    assert not np.any(by_w)
    assert by_w.shape == tuple(4 if n is m else n for n in w.shape)
    assert f.signature.unused == set(data)


def test_the_error_comes_after_zeros_were_compiled_too() -> None:
    L, w = SCALARS["loss"], ABSENT["leaf"]
    sn.value_and_grad(L, [w], absent="zero")
    with pytest.raises(ArgumentError, match="an expression that contains w"):
        sn.value_and_grad(L, [w])


@pytest.mark.parametrize(
    ("w", "error", "message"),
    [
        (sn.tensor("x", 4), ArgumentError, r"one tensor called 'x'; got two: float64\[3\] and float64\[4\]"),
        (sn.tensor("D", 3, one_hot=True), AssumptionError, "a variable whose elements are free; got D"),
        (sn.tensor("i", 3, dtype="int64"), AssumptionError, "a real variable; got i of int64"),
    ],
)
def test_what_could_be_no_variable_is_refused_all_the_same(w: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        sn.grad(SCALARS["loss"], w, absent="zero")


def test_another_word_is_refused() -> None:
    with pytest.raises(ArgumentError, match='expected "error" or "zero"; got \'none\''):
        sn.grad(SCALARS["loss"], x, absent="none")

"""Elementwise nodes: shapes by NumPy's broadcasting, dtypes by promotion, inert constructors, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from symnet.errors import DTypeError, ShapeError
from symnet.expr.nodes import activations as act
from symnet.expr.nodes import elementwise as ew
from symnet.expr.nodes.constants import number
from symnet.expr.nodes.elementwise import elementwise, is_op
from symnet.expr.nodes.primitives import PRIMITIVES
from symnet.expr.nodes.result_dtypes import CASTS
from symnet.expr.nodes.symbols import tensor
from symnet.reference import evaluate
from tests.expr.examples import X, a, m, n, v

f32, f64 = tensor("f32", 3, dtype="float32"), tensor("f64", 3)
i32, i64 = tensor("i32", 3, dtype="int32"), tensor("i64", 3, dtype="int64")
mask = tensor("mask", 3, dtype="bool")


negative = ew.negative
NAMED = [op for op in PRIMITIVES if op != "function"]  # which has no name of its own: test_sympy_functions.py


def operands_of(op: str, *nodes: Any) -> list[Any]:
    """As many operands as the primitive takes, conditions where it wants them."""
    primitive = PRIMITIVES[op]
    many = [nodes[k % len(nodes)] for k in range(primitive.arity or 3)]
    if not primitive.condition:
        return many
    every = primitive.result == "bool"
    return [node > 0 if every or k == 0 else node for k, node in enumerate(many)]


@pytest.mark.parametrize("op", NAMED)
def test_every_primitive_broadcasts(op: str):
    column, row = tensor("column", m, 1), tensor("row", 4)
    operands = operands_of(op, column, row)
    node = elementwise(op, *operands)
    assert node.shape == ((m, 1) if len(operands) == 1 else (m, 4))
    assert node.op == op and is_op(node, op) and not is_op(v, op)
    assert node.func(*node.args) is node


@pytest.mark.parametrize("op", NAMED)
def test_every_primitive_keeps_float32(op: str):
    wanted = {"bool": "bool", "weak": None, **CASTS}.get(PRIMITIVES[op].result, "float32")
    assert elementwise(op, *operands_of(op, f32)).dtype == wanted


@pytest.mark.parametrize("op", [op for op in NAMED if len(operands_of(op, f32)) > 1 and op not in ("and", "or")])
def test_no_primitive_widens_a_real_in_silence(op: str):
    operands = operands_of(op, f64, f32) if op != "where" else [mask, f32, f64]
    with pytest.raises(TypeError) as caught:
        elementwise(op, *operands)
    assert f"{op}(" in str(caught.value)
    assert "expected real operands of one dtype; got float32 and float64. " in str(caught.value)
    assert 'tensor("x", …, dtype="float32")' in str(caught.value)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (
            lambda: ew.where(f64, 1, 2),
            "where(float64, number, number): expected a bool condition first; got float64. Compare first",
        ),
        (lambda: ew.indicator(i64), "indicator(int64): expected a bool condition first; got int64."),
        (lambda: ew.where(1, f64, f64), "expected a bool condition first; got a number."),
        (lambda: mask & f64, "and(bool, float64): expected bool conditions; got bool and float64."),
        (lambda: f64 | mask, "or(float64, bool): expected bool conditions; got float64 and bool."),
        (lambda: 1 & mask, "and(number, bool): expected bool conditions; got a number and bool."),
        (lambda: ~f64, "not(float64): expected a bool condition first; got float64."),
    ],
)
def test_conditions_must_be_bool(build: Any, message: str):
    with pytest.raises(DTypeError) as caught:
        build()
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("nodes", "dtype"),
    [
        ((f32, f32), "float32"),
        ((f32, number(2)), "float32"),
        ((f32, i64), "float32"),
        ((i32, i64), "int64"),
        ((i32, i32), "int32"),
        ((mask, i32), "int32"),
        ((mask, mask), "int64"),
        ((number(1), number(2)), None),
    ],
)
def test_sums_promote_and_numbers_are_weak(nodes: tuple[Any, ...], dtype: str | None):
    assert elementwise("add", *nodes).dtype == dtype
    assert elementwise("mul", *nodes).dtype == dtype


@pytest.mark.parametrize("node", [i32, i64, mask])
def test_functions_of_integers_are_real(node: Any):
    assert ew.exp(node).dtype == "float64"
    assert ew.xlogy(node, node).dtype == "float64"
    assert ew.absolute(node).dtype == node.dtype


extents = st.lists(st.sampled_from([0, 1, 2, 3]), max_size=3).map(tuple)


@given(extents, extents, extents)
def test_shapes_are_numpys(one: tuple[int, ...], two: tuple[int, ...], three: tuple[int, ...]):
    x, y, z = tensor("x", one), tensor("y", two), tensor("z", three)
    try:
        wanted = np.broadcast_shapes(one, two, three)
    except ValueError:
        with pytest.raises(ValueError, match="add: expected shapes that broadcast"):
            elementwise("add", x, y, z)
    else:
        assert elementwise("add", x, y, z).shape == wanted
        assert ew.where(x > 0, y, z).shape == wanted


def test_extents_that_differ_are_named_with_both_shapes():
    with pytest.raises(ShapeError) as caught:
        tensor("x", m, 3) * tensor("y", n, 3)
    assert str(caught.value).startswith(
        "mul: expected shapes that broadcast: equal extents, or 1, at axis -2; got (m, 3) and (n, 3), where m meets n."
    )


def test_equal_extents_need_not_be_written_alike():
    assert (tensor("x", m * 2 + 2) + tensor("y", 2 * (m + 1))).shape == (2 * m + 2,)


# --------------------------------------------------------------------------- constructors are inert


@pytest.mark.parametrize(
    ("node", "op", "operands"),
    [
        (v + 0, "add", (v, number(0))),
        (v * 1, "mul", (v, number(1))),
        (v**1, "pow", (v, number(1))),
        (negative(-v), "mul", (number(-1), -v)),
        (v - v, "add", (v, -v)),
        (v / a, "mul", (v, a**-1)),
        (1 / v, "pow", (v, number(-1))),
        ((v + 1) + 2, "add", (v + 1, number(2))),
        (number(2) + number(3), "add", (number(2), number(3))),
        (ew.exp(ew.log(v)), "exp", (ew.log(v),)),
        (ew.sqrt(v), "pow", (v, number(0.5))),
        (act.relu(v), "maximum", (v, number(0))),
    ],
)
def test_nothing_is_folded_flattened_or_reordered(node: Any, op: str, operands: tuple[Any, ...]):
    assert (node.op, node.operands) == (op, operands)


# --------------------------------------------------------------------------- activations mean what they are called


@pytest.mark.parametrize(
    ("function", "meaning"),
    [
        (act.relu, lambda x: np.maximum(x, 0)),
        (act.leaky_relu, lambda x: np.where(x > 0, x, 0.01 * x)),
        (lambda x: act.leaky_relu(x, 0.2), lambda x: np.where(x > 0, x, 0.2 * x)),
        (act.elu, lambda x: np.where(x > 0, x, np.exp(x) - 1)),
        (lambda x: act.elu(x, 2), lambda x: np.where(x > 0, x, 2 * (np.exp(x) - 1))),
        (act.silu, lambda x: x / (1 + np.exp(-x))),
        (
            lambda x: act.gelu(x, approximate=True),
            lambda x: x / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))),
        ),
    ],
)
def test_activations_have_their_published_values(function: Any, meaning: Any):
    x = np.array([-3.0, -0.5, 0.0, 0.5, 3.0])
    np.testing.assert_allclose(evaluate(function(tensor("x", 5)), {"x": x}), meaning(x), rtol=1e-12)


def test_gelu_is_x_times_the_normal_distribution_function():
    x = np.array([-1.0, 0.0, 1.0])
    np.testing.assert_allclose(
        evaluate(act.gelu(tensor("x", 3)), {"x": x}), [-0.15865525393145707, 0, 0.8413447460685429], rtol=1e-12
    )


def test_every_function_is_documented_and_named():
    for name in ("exp", "log", "tanh", "sigmoid", "erf", "less", "maximum"):
        function = getattr(ew, name)
        assert function.__doc__
    assert ew.exp.__name__ == "exp"
    assert repr(ew.exp(X)) == "exp(X)"

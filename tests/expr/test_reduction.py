"""Reductions other than the sum: NumPy's shapes and values, and an error for the largest of nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from symnet.errors import ShapeError
from symnet.expr.nodes.elementwise import elementwise, exp
from symnet.expr.nodes.expansion import expand
from symnet.expr.nodes.reduction import (
    REDUCTIONS,
    Reduce,
    along,
    argmax,
    log_softmax,
    logsumexp,
    max,
    min,
    prod,
    reduce,
    softmax,
)
from symnet.expr.nodes.symbols import tensor
from symnet.reference import evaluate
from tests.expr.examples import X, a, m, v

LEAF = tensor("x", 2, 3, 4)
ARRAY = np.random.default_rng(0).normal(size=(2, 3, 4))
NUMPY = {
    "max": np.max,
    "min": np.min,
    "prod": np.prod,
    "logsumexp": lambda x, axis, keepdims: np.log(np.sum(np.exp(x), axis=axis, keepdims=keepdims)),
}


@pytest.mark.parametrize(("function", "numpy"), [(max, "max"), (min, "min"), (prod, "prod"), (logsumexp, "logsumexp")])
@given(
    axis=st.one_of(st.none(), st.integers(-3, 2), st.sets(st.integers(0, 2), min_size=1).map(tuple)), keep=st.booleans()
)
def test_reductions_are_numpys(function: Any, numpy: str, axis: Any, keep: bool):
    node = function(LEAF, axis, keepdims=keep)
    wanted = NUMPY[numpy](ARRAY, axis=axis, keepdims=keep)
    assert node.shape == wanted.shape
    np.testing.assert_allclose(evaluate(node, {"x": ARRAY}), wanted, rtol=1e-12)


@pytest.mark.parametrize("axis", [-3, -1, 0, 2])
def test_argmax_is_numpys(axis: int):
    node = argmax(LEAF, axis)
    assert node.dtype == "int64"
    np.testing.assert_array_equal(evaluate(node, {"x": ARRAY}), ARRAY.argmax(axis))


@pytest.mark.parametrize("axis", [-1, 0, 1])
def test_softmax_sums_to_one_and_is_spelled_with_logsumexp(axis: int):
    found = evaluate(softmax(LEAF, axis), {"x": ARRAY})
    np.testing.assert_allclose(found.sum(axis), 1, rtol=1e-12)
    np.testing.assert_allclose(np.log(found), evaluate(log_softmax(LEAF, axis), {"x": ARRAY}), rtol=1e-10, atol=1e-12)
    assert softmax(LEAF, axis) is exp(log_softmax(LEAF, axis))


def test_softmax_is_made_of_general_nodes():
    total = expand(logsumexp(X, 1), (m, 4), (0,))
    assert log_softmax(X) is elementwise("add", X, elementwise("mul", -1, total))
    assert along(X, logsumexp(X, 1), (1,)) is total


@pytest.mark.parametrize("op", REDUCTIONS)
def test_every_reduction_is_one_inert_node(op: str):
    node = reduce(op, X, 1)
    assert isinstance(node, Reduce)
    assert (node.op, node.axes, node.shape, node.operands) == (op, (1,), (m,), (X,))
    assert node.func(*node.args) is node
    assert node.needs_elements == (op in ("max", "min", "argmax"))
    assert reduce(op, a) is a


@pytest.mark.parametrize("op", ["max", "min", "argmax"])
def test_the_extreme_of_nothing_is_an_error(op: str):
    with pytest.raises(ValueError) as caught:
        reduce(op, tensor("e", 0, 3), 0)
    assert str(caught.value) == (
        f"{op}(…): expected at least one element; got shape (0, 3). The {op} of nothing is not defined."
    )
    assert reduce(op, tensor("e", 0, 3), 1).shape == (0,)
    assert reduce(op, X, 0).shape == (4,)  # a symbolic extent is checked at the call


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: max(v, 1), "max(…): expected axes from -1 to 0; got axis 1. Check the rank."),
        (lambda: prod(X, (0, -2)), "prod(…): expected each axis once; got axis=(0, -2)."),
        (lambda: logsumexp(X, 1.5), "logsumexp(…): expected an int or a tuple of ints as axis; got axis=1.5."),
        (lambda: argmax(v, 2), "argmax(…): expected axes from -1 to 0; got axis 2."),
        (lambda: softmax(a), "softmax(x): expected an axis of classes; got a scalar. For one output use sigmoid."),
        (lambda: softmax(X, 2), "log_softmax(…, axis=2): expected axes from -2 to 1; got axis 2."),
    ],
)
def test_a_wrong_axis_is_refused_with_its_value(build: Any, message: str):
    with pytest.raises(ShapeError) as caught:
        build()
    assert message in str(caught.value)


def test_dtypes_of_reductions():
    t = tensor("t", 3, dtype="int32")
    assert (max(t).dtype, prod(t).dtype, logsumexp(t).dtype, argmax(t).dtype) == ("int32", "int64", "float64", "int64")

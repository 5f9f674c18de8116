"""Indexing: NumPy's basic index over concrete and symbolic axes, integer arrays, one-hot rows, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from symnet.errors import ArgumentError, DTypeError, ShapeError
from symnet.expr.nodes.constants import number
from symnet.expr.nodes.indexing import OneHot, Take, labels, one_hot, take
from symnet.expr.nodes.movement import Slice
from symnet.expr.nodes.symbols import tensor
from symnet.reference import evaluate
from tests.expr.examples import A, X, a, i, m, n, v

bound = st.one_of(st.none(), st.integers(-7, 7))
slices = st.builds(slice, bound, bound, st.sampled_from([None, 1, 2, 3, -1, -2, -5]))
keys = st.lists(st.one_of(slices, slices, st.integers(-3, 2), st.none(), st.just(...)), max_size=5).map(tuple)


@given(st.sampled_from([(5, 3), (3, 4, 3), (3,), (0, 3)]), keys)
def test_basic_indices_are_numpys(shape: tuple[int, ...], key: tuple[Any, ...]):
    x = np.arange(float(np.prod(shape))).reshape(shape)
    leaf = tensor("x", shape)
    try:
        wanted = x[key]
    except IndexError:
        with pytest.raises((ShapeError, ArgumentError), match=r"x\["):
            leaf[key]
    else:
        assert leaf[key].shape == wanted.shape
        np.testing.assert_array_equal(evaluate(leaf[key], {"x": x}), wanted)


symbolic_bound = st.one_of(st.none(), st.integers(-5, 5))


@given(symbolic_bound, symbolic_bound)
def test_slices_of_a_symbolic_axis_are_numpys_where_they_lie_inside(start: Any, stop: Any):
    x = np.arange(40.0).reshape(10, 4)
    node = X[start:stop]
    wanted = x[start:stop]
    if len(wanted):
        np.testing.assert_array_equal(evaluate(node, {"X": x}), wanted)


@pytest.mark.parametrize(
    ("node", "shape"),
    [
        (X[1:], (m - 1, 4)),
        (X[:-1], (m - 1, 4)),
        (X[2:5], (3, 4)),
        (X[-2:], (2, 4)),
        (X[::-1], (m, 4)),
        (X[5:2], (0, 4)),
        (X[3:3], (0, 4)),
        (X[0], (4,)),
        (X[-1], (4,)),
        (X[:, 1:], (m, 3)),
        (X[..., None], (m, 4, 1)),
        (X[None, :, 0], (1, m)),
        (X[1:, ::2], (m - 1, 2)),
        (tensor("y", m + n)[:m], (m,)),
        (tensor("y", m + n)[m:], (n,)),
        (tensor("y", 9)[:m], (m,)),
        (tensor("y", 9)[m:], (9 - m,)),
    ],
    ids=repr,
)
def test_symbolic_extents_are_sliced(node: Any, shape: tuple[Any, ...]):
    assert node.shape == shape


def test_a_whole_slice_is_the_operand_and_others_are_one_node():
    assert X[:] is X[...] is X[:, :] is X
    assert v[1:].func is Slice
    assert (v[3:0:-2].starts, v[3:0:-2].steps, v[3:0:-2].shape) == ((3,), (-2,), (2,))
    assert v[1:][1:].operands == (v[1:],)


def test_indices_may_be_any_whole_number():
    assert v[2] is v[np.int64(2)] is v[sympy.Integer(2)] is v[-2] is v[np.array(2)]
    assert v[np.int32(1) : np.int32(3)] is v[1:3]


def test_an_integer_array_takes_along_its_axis(rng: np.random.Generator):
    t = tensor("t", 2, dtype="int32")
    x, index = rng.normal(size=(3, 4)), np.array([2, 0])
    for node, wanted in (
        (A[t], x[index]),
        (A[:, t], x[:, index]),
        (A[..., t], x[:, index]),
        (take(A, t, -1), x[:, index]),
    ):
        assert isinstance(node, Take)
        np.testing.assert_array_equal(evaluate(node, {"A": x, "t": index}), wanted)
    assert take(v, tensor("t", m, 2, dtype="int64")).shape == (m, 2)
    assert A[t[0]].shape == (4,)


def test_labels_are_one_hot_rows():
    node = labels("t", m, classes=10)
    assert isinstance(node, OneHot)
    assert (node.shape, node.dtype, node.classes) == ((m, 10), None, 10)
    assert node.operands == (tensor("t", m, dtype="int64"),)
    assert labels("t", m, classes=n, dtype="int32").shape == (m, n)
    np.testing.assert_array_equal(evaluate(one_hot(i, 3) * 1.0, {"i": np.array([2, 0])}), np.eye(3)[[2, 0]])


@pytest.mark.parametrize(
    ("build", "error", "message"),
    [
        (
            lambda: v[4],
            ShapeError,
            "v[4] on axis 0 of shape (4,): expected an index from -4 to 3; got 4. Check the extent.",
        ),
        (lambda: A[0, -5], ShapeError, "A[-5] on axis 1 of shape (3, 4): expected an index from -4 to 3; got -5."),
        (
            lambda: v[1:2, 0],
            ShapeError,
            "v[1:2, 0]: expected at most 1 indices and one ...; got 2 indices. The array has shape (4,).",
        ),
        (lambda: v[..., ...], ShapeError, "v[..., ...]: expected at most 1 indices and one ...; got 0 indices."),
        (
            lambda: a[0],
            ShapeError,
            "a[0]: expected at most 0 indices and one ...; got 1 indices. The array has shape ().",
        ),
        (
            lambda: v[1.5],
            ArgumentError,
            "v[1.5] on axis 0 of shape (4,): expected an int, a slice, None, ... or an array of integers; got float. "
            "An index is as in [0], [1:] or [[0, 2]].",
        ),
        (lambda: v[True], ArgumentError, "an array of integers; got bool."),
        (
            lambda: v["a"],
            ArgumentError,
            "v[a] on axis 0 of shape (4,): expected an int, a slice, None, ... or an array of integers",
        ),
        (
            lambda: v[[0, 4]],
            ShapeError,
            "take(x, indices, axis=0) of shape (4,): expected indices from -4 to 3; got 4. Check the indices",
        ),
        (lambda: v[np.array([0, -5])], ShapeError, "expected indices from -4 to 3; got -5."),
        (lambda: v[np.array([0.0, 1.0])], DTypeError, "got dtype float64. Convert it: indices.astype"),
        (lambda: v[[0.5]], DTypeError, "expected an integer array of indices; got dtype float64"),
        (lambda: v[[True, False]], ShapeError, "expected a mask of shape (4,); got shape (2,)."),
        (lambda: X[np.ones(3, bool)], ShapeError, "expected a mask of shape (m,); got shape (3,)."),
        (lambda: v[[i, i]], ArgumentError, "expected a list of integers; got expressions in it. Join them"),
        (lambda: A[[0, 1], [0, 1, 2]], ShapeError, "expected index arrays that broadcast; got (2,) and (3,)."),
        (lambda: tensor("Z", 3, m)[[0, 1], [0, 1]], ShapeError, "expected concrete extents behind the first array"),
        (lambda: X[[0, -1], [0, 1]], ShapeError, "expected no negative index along m; got -1."),
        (lambda: A[[[0], [0, 1]]], ShapeError, "expected rows of one length"),
        (lambda: take(v, [True] * 4), DTypeError, "expected integers; got a mask. Write x[mask]."),
        (lambda: take(A, 3), ShapeError, "expected an index from -3 to 2; got 3."),
        (lambda: take(A, number(3)), ShapeError, "expected an index from -3 to 2; got 3."),
        (lambda: take(v, number(1.5)), DTypeError, "expected an integer array of indices; got dtype weak real"),
        (lambda: v[number(1.5)], DTypeError, "expected an integer array of indices; got dtype weak real"),
        (lambda: X[m - 1], ArgumentError, "X[m - 1] on axis 0 of shape (m, 4): expected an int, a slice"),
        (
            lambda: v[::0],
            ShapeError,
            "v[::0] on axis 0 of shape (4,): expected a step that is a whole number other than 0; got 0.",
        ),
        (lambda: v[::m], ShapeError, "expected a step that is a whole number other than 0; got m. Write x[::2]."),
        (
            lambda: v[1.5:],
            ArgumentError,
            "v[1.5:] on axis 0 of shape (4,): expected ints or dims as the bounds of a slice; got 1.5.",
        ),
        (
            lambda: v[: tensor("t", dtype="int64")],
            ArgumentError,
            "expected ints or dims as the bounds of a slice; got t.",
        ),
        (
            lambda: X[::2],
            ShapeError,
            "X[::2] on axis 0 of shape (m, 4): expected step 1 or -1 along a symbolic extent; got step 2.",
        ),
        (lambda: X[3::-2], ShapeError, "expected step 1 or -1 along a symbolic extent; got step -2."),
        (
            lambda: A[v > 0],
            ArgumentError,
            "A[v > 0] of shape (3, 4): expected integers, or a mask that is a constant array; got a computed mask. "
            "Use sn.where(mask, x, 0), whose shape does not depend on data.",
        ),
        (
            lambda: A[i, i],
            ArgumentError,
            "A[i, i] of shape (3, 4): expected one integer array, or constant ones; got several, not all constant.",
        ),
        (lambda: v[v], DTypeError, "v[v] of shape (4,): expected an integer array of indices; got dtype float64."),
        (
            lambda: take(A, i, 2),
            ShapeError,
            "take(…, axis=2): expected an axis of shape (3, 4); got 2. Check the rank.",
        ),
        (lambda: take(a, i), ShapeError, "take(…, axis=0): expected an axis of shape (); got 0."),
        (
            lambda: one_hot(v, 3),
            DTypeError,
            "one_hot(indices, classes): expected an integer array of indices; got dtype float64. "
            'Declare it with dtype="int64".',
        ),
        (lambda: one_hot(i, -1), ShapeError, "one_hot(…, -1): expected extents of at least 0; got -1."),
        (
            lambda: labels("t", m, classes=2.5),
            ShapeError,
            "one_hot(…, 2.5): expected an int or a dim for each extent; got 2.5.",
        ),
        (lambda: labels("t", m, classes=3, dtype="float32"), DTypeError, "got dtype float32."),
    ],
)
def test_what_does_not_fit_is_refused_with_its_values(build: Any, error: type[Exception], message: str):
    with pytest.raises(error) as caught:
        build()
    assert message in str(caught.value)

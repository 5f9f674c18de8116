"""Leaves, dims and extents: what is accepted, what is refused, and with which words."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from symnet.errors import ArgumentError, AssumptionError, DTypeError, ShapeError
from symnet.expr.nodes.constants import constant, identity, iota, number, number_of, size
from symnet.expr.nodes.elementwise import exp
from symnet.expr.nodes.extents import (
    Dim,
    as_extent,
    broadcast_shapes,
    dim,
    normalize_axes,
    product,
    same_extent,
    same_shape,
    shape_arg,
    shape_of,
)
from symnet.expr.nodes.symbols import LEAF_ASSUMPTIONS, check_leaves, describe, scalar, tensor
from tests.expr.examples import X, a, m, n, v


def test_a_leaf_holds_what_was_said_of_it():
    leaf = tensor("P", m, 10, dtype="float32", simplex=True, positive=True, latex="P_0")
    assert (leaf.name, leaf.shape, leaf.dtype, leaf.latex) == ("P", (m, 10), "float32", "P_0")
    assert leaf.assumptions == {"simplex", "positive"}
    assert leaf.retyped("float64").dtype == "float64"
    assert leaf.retyped("float64").assumptions == leaf.assumptions
    assert describe(leaf) == "float32[m, 10] positive simplex"
    assert tensor("P", 3, positive=False) is tensor("P", 3)


def test_shapes_may_be_given_one_by_one_or_together():
    assert tensor("P", 2, 3) is tensor("P", (2, 3)) is tensor("P", [2, 3]) is tensor("P", np.int64(2), sympy.Integer(3))
    assert tensor("P") is scalar("P")
    assert tensor("P", m).shape == (m,)
    assert tensor("P", m * (n + 1)).shape == (m * n + m,)
    assert tensor("P", 0).shape == (0,)


def test_a_symbol_of_sympy_is_the_scalar_of_its_name():
    assert a + sympy.Symbol("b") is a + scalar("b")
    assert a + sympy.Symbol("b", positive=True) is a + scalar("b", positive=True)
    assert scalar("b").symbol == sympy.Symbol("b")


@pytest.mark.parametrize(
    ("dtype", "name"),
    [
        ("float32", "float32"),
        (np.float64, "float64"),
        (np.dtype("int32"), "int32"),
        (float, "float64"),
        (int, "int64"),
        (bool, "bool"),
        (np.bool_, "bool"),
    ],
)
def test_a_dtype_may_be_a_name_or_a_type(dtype: Any, name: str):
    assert tensor("P", 3, dtype=dtype).dtype == name


@pytest.mark.parametrize("assumption", LEAF_ASSUMPTIONS)
def test_every_assumption_can_be_made(assumption: str):
    assert tensor("P", 3, 3, **{assumption: True}).assumptions == {assumption}


@pytest.mark.parametrize(
    ("build", "error", "message"),
    [
        (
            lambda: tensor("1x", 3),
            ArgumentError,
            "tensor('1x', 3): expected an identifier as the name; got '1x'. Write tensor(\"W\", 64, 10).",
        ),
        (lambda: tensor(3), ArgumentError, "tensor(3): expected an identifier as the name; got 3."),
        (lambda: tensor("x", 2.5), ShapeError, "tensor('x', 2.5): expected an int or a dim for each extent; got 2.5."),
        (
            lambda: tensor("x", "m"),
            ShapeError,
            "tensor('x', m): expected an int or a dim for each extent; got 'm'. "
            'Write sn.dim("m") for a symbolic one.',
        ),
        (lambda: tensor("x", -1), ShapeError, "tensor('x', -1): expected extents of at least 0; got -1."),
        (lambda: tensor("x", sympy.Integer(-2)), ShapeError, "expected extents of at least 0; got -2."),
        (lambda: tensor("x", True), ShapeError, "expected an int or a dim for each extent; got True."),
        (lambda: tensor("x", sympy.Symbol("k")), ShapeError, "expected an int or a dim for each extent; got k."),
        (lambda: tensor("x", sympy.pi), ShapeError, "expected an int or a dim for each extent; got pi."),
        (
            lambda: tensor("x", 3, dtype="complex64"),
            DTypeError,
            "tensor('x', 3): expected one of bool, int32, int64, float32, float64; got 'complex64'.",
        ),
        (lambda: tensor("x", 3, dtype=str), DTypeError, "got <class 'str'>. Write dtype=\"float64\"."),
        (
            lambda: tensor("x", 3, bounded=True),
            AssumptionError,
            "expected assumptions among positive, nonnegative, nonzero, integer, symmetric, one_hot, simplex, unit; "
            "got bounded. Remove it or correct the name.",
        ),
        (
            lambda: scalar("x", one_hot=True),
            AssumptionError,
            "tensor('x'): expected a last axis for one_hot and simplex; got a scalar. Give it an axis of classes.",
        ),
        (
            lambda: tensor("x", 3, 4, symmetric=True),
            AssumptionError,
            "tensor('x', 3, 4): expected a square matrix for symmetric; got shape (3, 4).",
        ),
        (
            lambda: tensor("x", 3, symmetric=True),
            AssumptionError,
            "expected a square matrix for symmetric; got shape (3,)",
        ),
        (lambda: dim("1m"), ShapeError, "dim('1m'): expected an identifier; got '1m'. Write dim(\"m\")."),
        (lambda: dim(3), ShapeError, "dim(3): expected an identifier; got 3."),
        (lambda: v.named(""), ArgumentError, "named(''): expected a non-empty string; got ''. Write y.named(\"Y\")."),
        (lambda: v.named(3), ArgumentError, "named(3): expected a non-empty string; got 3."),
        (lambda: identity(2.5), ShapeError, "identity(2.5): expected an int or a dim for each extent; got 2.5."),
        (lambda: iota("m"), ShapeError, "iota(m): expected an int or a dim for each extent; got 'm'."),
        (lambda: size(-3), ShapeError, "size(-3): expected extents of at least 0; got -3."),
        (
            lambda: constant([[1], [2, 3]]),
            ShapeError,
            "constant(list): expected rows of one length; got setting",
        ),
    ],
)
def test_what_does_not_fit_is_refused_with_its_values(build: Any, error: type[Exception], message: str):
    with pytest.raises(error) as caught:
        build()
    assert message in str(caught.value)


def test_two_leaves_of_one_name_must_be_one():
    assert check_leaves("grad(L, w)", [X @ v + a]) == [X, v, a]
    with pytest.raises(TypeError) as caught:
        check_leaves("grad(L, w)", [exp(tensor("w", 3)), tensor("w", 3, dtype="float32", positive=True)])
    assert str(caught.value) == (
        "grad(L, w): expected one tensor called 'w'; got two: float64[3] and float32[3] positive. "
        "Rename one, or build it once and use it everywhere."
    )


def test_a_named_value_is_transparent_and_another_node():
    named = exp(v).named("y", latex=r"\hat y")
    assert (named.shape, named.dtype, named.operands) == ((4,), "float64", (exp(v),))
    assert (named.name, named.latex) == ("y", r"\hat y")
    assert named is not exp(v)


# --------------------------------------------------------------------------- constants


def test_constants_are_weak_and_keep_exact_values():
    assert number(3).dtype is None and number(3).shape == ()
    assert number_of(number(sympy.Rational(1, 3))) == sympy.Rational(1, 3)
    assert number_of(v) is None
    assert constant(3) is number(3) is constant(np.int64(3)) is constant(sympy.Integer(3)) is constant(3.0)
    assert size(3) is number(3)
    assert size(m).dtype is None
    assert (identity(m).shape, identity(m).extent, identity(m).dtype) == ((m, m), m, None)
    assert (iota(m).shape, iota(m).dtype) == ((m,), "int64")


# --------------------------------------------------------------------------- extents


def test_a_dim_is_a_nonnegative_integer_that_survives_copies_and_pickles():
    assert m.is_integer and m.is_nonnegative and not m.is_positive
    assert pickle.loads(pickle.dumps(m)) is m
    assert copy.deepcopy(m) == m
    assert isinstance(m, Dim) and m != sympy.Symbol("m")


def test_extents_are_the_same_when_their_difference_expands_to_zero():
    assert same_extent((m + 1) ** 2, m**2 + 2 * m + 1)
    assert same_extent(sympy.Integer(3), 3)
    assert not same_extent(m, n)
    assert not same_extent(m, 3)
    assert same_shape((m * 2, 3), (m + m, 3))
    assert not same_shape((3,), (3, 1))


def test_extents_become_plain_ints_or_expanded_expressions():
    assert as_extent(sympy.Integer(3), "f") == 3 and type(as_extent(sympy.Integer(3), "f")) is int
    assert as_extent(m * (n + 1), "f") == m * n + m
    assert type(as_extent(m - m + 2, "f")) is int
    assert product((2, m, n + 1)) == 2 * m * n + 2 * m
    assert product(()) == 1
    assert shape_of(shape_arg((2, m, 0))) == (2, m, 0)


shapes = st.lists(st.sampled_from([0, 1, 2, 3, 5]), max_size=4).map(tuple)


@given(st.lists(shapes, max_size=4))
def test_broadcasting_is_numpys(given_shapes: list[tuple[int, ...]]):
    try:
        wanted = np.broadcast_shapes(*given_shapes)
    except ValueError:
        with pytest.raises(ShapeError, match="f: expected shapes that broadcast"):
            broadcast_shapes("f", *given_shapes)
    else:
        assert broadcast_shapes("f", *given_shapes) == wanted


@given(st.lists(shapes, min_size=2, max_size=2))
def test_a_symbolic_extent_broadcasts_as_any_number_does(given_shapes: list[tuple[int, ...]]):
    symbolic = [tuple(m if extent == 5 else extent for extent in shape) for shape in given_shapes]
    try:
        wanted = np.broadcast_shapes(*given_shapes)
    except ValueError:
        with pytest.raises(ShapeError):
            broadcast_shapes("f", *symbolic)
    else:
        assert broadcast_shapes("f", *symbolic) == tuple(m if extent == 5 else extent for extent in wanted)


def test_extents_that_do_not_broadcast_are_named():
    with pytest.raises(ValueError) as caught:
        broadcast_shapes("add", (m, 3), (n, 3))
    assert str(caught.value) == (
        "add: expected shapes that broadcast: equal extents, or 1, at axis -2; "
        "got (m, 3) and (n, 3), where m meets n. Reshape or transpose one of them, or use the same dim for both."
    )


@given(st.integers(1, 4), st.one_of(st.none(), st.integers(-5, 5), st.lists(st.integers(-5, 5), max_size=4).map(tuple)))
def test_axes_are_numpys(rank: int, axis: Any):
    array = np.zeros((2,) * rank)
    try:
        wanted = array.sum(axis=axis, keepdims=True).shape
    except ValueError:
        with pytest.raises(ShapeError, match=r"f: expected (axes from|no axis|each axis once)"):
            normalize_axes("f", axis, rank)
    else:
        assert normalize_axes("f", axis, rank) == tuple(a for a, extent in enumerate(wanted) if extent == 1)


@pytest.mark.parametrize(
    ("axis", "message"),
    [
        (2, "f: expected axes from -2 to 1; got axis 2. Check the rank."),
        ((0, -2), "f: expected each axis once; got axis=(0, -2). Name each axis once."),
        (1.5, "f: expected an int or a tuple of ints as axis; got axis=1.5. Write axis=0 or axis=(0, 1)."),
        ("0", "f: expected an int or a tuple of ints as axis; got axis='0'."),
        ((0, None), "f: expected an int or a tuple of ints as axis; got axis=(0, None)."),
    ],
)
def test_a_wrong_axis_is_named(axis: Any, message: str):
    with pytest.raises(ShapeError) as caught:
        normalize_axes("f", axis, 2)
    assert message in str(caught.value)
    with pytest.raises(ShapeError, match="f: expected no axis; got axis 0"):
        normalize_axes("f", 0, 0)

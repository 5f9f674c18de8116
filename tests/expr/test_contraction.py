"""Contraction: einsum and its sugar agree with NumPy in shape and value, build one inert node, and refuse misfits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from symnet.errors import ArgumentError, DTypeError, ShapeError
from symnet.expr.nodes.constants import number, size
from symnet.expr.nodes.contraction import (
    contract,
    dot,
    einsum,
    letter,
    matmul,
    mean,
    outer,
    subscripts_text,
    sum,
    trace,
    transpose,
)
from symnet.expr.nodes.elementwise import elementwise
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import tensor
from symnet.reference import evaluate
from tests.expr.examples import A, X, a, m, n, v

B, S, Q = tensor("B", 4, 5), tensor("S", 4, 4), tensor("Q", 2, 3, 4)


def same_value(node: Node, wanted: Any, **arrays: Any) -> None:
    found = evaluate(node, arrays)
    assert found.shape == np.shape(wanted)
    np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-12)


# --------------------------------------------------------------------------- the node


def test_indices_are_integers_numbered_by_first_appearance():
    node = contract([[7, 3], [3, 9]], [9, 7], A, B)
    assert (node.inputs, node.output) == (((0, 1), (1, 2)), (2, 0))
    assert (node.contracted, node.extents) == ((1,), {0: 3, 1: 4, 2: 5})
    assert node is einsum("ij,jk->ki", A, B) is einsum("xy, yz -> zx", A, B)
    assert node.func(*node.args) is node
    assert subscripts_text(node.inputs, node.output) == "ij,jk->ki"


def test_transposes_and_sums_are_recognised():
    assert A.T.is_transpose and not A.T.is_sum
    assert sum(A, 1).is_sum and not sum(A, 1).is_transpose
    assert not trace(S).is_sum
    assert not matmul(A, B).is_transpose


def test_every_index_has_a_name():
    assert [letter(k) for k in (0, 1, 2, 25)] == ["i", "j", "k", "o"]
    assert len({letter(k) for k in range(40)}) == 40


def test_constructors_are_inert():
    assert A.T.T is not A and A.T.T.operands == (A.T,)
    assert ((A @ B) @ tensor("c", 5)).operands[0] is A @ B
    assert sum(sum(A, 1)).operands[0] is sum(A, 1)


@pytest.mark.parametrize(
    "subscripts",
    [
        "ij,jk->ik",
        "ij,jk->ki",
        "ij,jk",
        "ij,ij->",
        "ij,ij->i",
        "ij->ji",
        "ij->j",
        "ii->i",
        "ii",
        "i,j->ij",
        "i,i,i->i",
        "ij,jk,ki->",
        "ijk,kl->ijl",
        "ij,k->ikj",
        ",i->i",
        "ij,j,i->",
        "iij->ij",
        "b a",
        "->",
    ],
)
def test_einsum_is_numpys(subscripts: str, rng: np.random.Generator):
    text = subscripts.replace(" ", "")
    groups = text.split("->")[0].split(",")
    names = [f"x{k}" for k in range(len(groups))]
    arrays = {name: rng.normal(size=(3,) * len(group)) for name, group in zip(names, groups, strict=True)}
    nodes = [tensor(name, *array.shape) for name, array in arrays.items()]
    same_value(einsum(subscripts, *nodes), np.einsum(text, *arrays.values()), **arrays)


def test_einsum_takes_numbers_and_symbolic_extents():
    assert einsum(",i->i", 2, v).operands == (number(2), v)
    assert einsum("ij,ik->jk", X, X).shape == (4, 4)
    assert einsum("ij,kj->ik", X, X).shape == (m, m)


@pytest.mark.parametrize(
    ("build", "error", "message"),
    [
        (
            lambda: einsum("ij,jk", A, A),
            ShapeError,
            "einsum('ij,jk', …): expected one extent for index j; got 4 (axis 1 of shape (3, 4)) and 3 "
            "(axis 0 of shape (3, 4)). Transpose an operand, or correct its shape.",
        ),
        (lambda: einsum("i,i", X[:, 0], tensor("y", n)), ShapeError, "expected one extent for index i; got m (axis 0"),
        (
            lambda: einsum("i.,j", v, v),
            ArgumentError,
            "einsum('i.,j', …): expected letters, commas and one ->; got 'i.,j'.",
        ),
        (lambda: einsum("i,j", v), ArgumentError, "einsum('i,j', …): expected 2 operands; got 1."),
        (
            lambda: einsum("i", A),
            ShapeError,
            "einsum('i', …): expected an operand of rank 1 for 'i'; got shape (3, 4).",
        ),
        (
            lambda: einsum("i->ii", v),
            ArgumentError,
            "expected output letters that stand in the inputs, each once; got 'ii'.",
        ),
        (
            lambda: einsum("i->k", v),
            ArgumentError,
            "expected output letters that stand in the inputs, each once; got 'k'.",
        ),
        (lambda: einsum("i->j->k", v), ArgumentError, "expected letters, commas and one ->; got 'i->j->k'."),
        (lambda: transpose(A, 0, 0), ShapeError, "transpose((0, 0)): expected a permutation of (0, 1); got (0, 0)."),
        (lambda: transpose(A, 0, 2), ShapeError, "transpose((0, 2)): expected a permutation of (0, 1); got (0, 2)."),
        (lambda: transpose(A, 0), ShapeError, "expected a permutation of (0, 1); got (0,). Name every axis once."),
        (lambda: transpose(A, "ij"), ShapeError, "expected a permutation of (0, 1); got ('ij',)."),
        (lambda: sum(A, 2), ShapeError, "sum(…): expected axes from -2 to 1; got axis 2. Check the rank."),
        (lambda: mean(A, (0, 0)), ShapeError, "mean(…): expected each axis once; got axis=(0, 0)."),
        (
            lambda: mean(tensor("e", 0, 3)),
            ShapeError,
            "mean(…): expected at least one element; got shape (0, 3). The mean of nothing is not defined.",
        ),
        (lambda: outer(A, v), ShapeError, "outer(a, b): expected two vectors; got shapes (3, 4) and (4,)."),
        (
            lambda: trace(A),
            ShapeError,
            "trace(x): expected a square matrix; got shape (3, 4). Slice it to a square first.",
        ),
        (lambda: trace(v), ShapeError, "trace(x): expected a square matrix; got shape (4,)."),
        (lambda: A @ 2, ShapeError, "A @ b: expected operands of rank 1 or more; got shapes (3, 4) and ()."),
        (
            lambda: A @ B.T,
            ShapeError,
            "A @ b: expected equal inner extents; got shapes (3, 4) and (5, 4): 4 against 5. Transpose the right",
        ),
        (lambda: A @ tensor("C", 3, 5), ShapeError, "got shapes (3, 4) and (3, 5): 4 against 3. Did you mean A.T @ C?"),
        (
            lambda: v @ tensor("C", 3, 5),
            ShapeError,
            "4 against 3. The last extent of the left operand must be the last but one of the right",
        ),
        (
            lambda: tensor("f", 4, dtype="float32") @ B,
            DTypeError,
            "einsum('i,ij->j', …): expected real operands of one dtype; got float32 and float64.",
        ),
    ],
)
def test_what_does_not_fit_is_refused_with_its_values(build: Any, error: type[Exception], message: str):
    with pytest.raises(error) as caught:
        build()
    assert message in str(caught.value)


# --------------------------------------------------------------------------- sugar


matrices = st.sampled_from(
    [(3,), (2, 3), (3, 2), (3, 3), (2, 2, 3), (2, 3, 2), (1, 2, 3), (4, 1, 3, 2), (2, 1), (1, 3)]
)


@given(matrices, matrices)
def test_matmul_is_numpys(left: tuple[int, ...], right: tuple[int, ...]):
    x, y = np.arange(1.0, 1 + np.prod(left)).reshape(left), np.arange(2.0, 2 + np.prod(right)).reshape(right)
    try:
        wanted = x @ y
    except ValueError:
        with pytest.raises(ShapeError):
            tensor("x", left) @ tensor("y", right)
    else:
        same_value(tensor("x", left) @ tensor("y", right), wanted, x=x, y=y)


@given(st.permutations(range(3)), st.booleans())
def test_transpose_is_numpys(order: list[int], negative: bool):
    x = np.arange(24.0).reshape(2, 3, 4)
    axes = [axis - 3 if negative else axis for axis in order]
    same_value(transpose(tensor("x", 2, 3, 4), *axes), x.transpose(axes), x=x)
    same_value(transpose(tensor("x", 2, 3, 4), axes), x.transpose(axes), x=x)


@given(st.one_of(st.none(), st.integers(-3, 2), st.sets(st.integers(0, 2)).map(tuple)), st.booleans())
def test_sums_and_means_are_numpys(axis: Any, keepdims: bool):
    x = np.arange(24.0).reshape(2, 3, 4)
    leaf = tensor("x", 2, 3, 4)
    same_value(sum(leaf, axis, keepdims), x.sum(axis, keepdims=keepdims), x=x)
    same_value(mean(leaf, axis, keepdims), x.mean(axis, keepdims=keepdims), x=x)


def test_a_transpose_that_moves_nothing_is_the_operand():
    assert v.T is v and a.T is a and transpose(A, 0, 1) is A
    assert transpose(A, None) is A.T


def test_a_mean_divides_by_the_number_of_elements():
    assert mean(X) is elementwise("mul", sum(X), size(4 * m) ** -1)
    assert mean(X, 1) is elementwise("mul", sum(X, 1), number(4) ** -1)
    assert mean(a) is a


def test_dot_is_numpys_up_to_matrices():
    assert dot(a, A) is a * A
    assert dot(A, B) is A @ B
    assert dot(v, v) is einsum("i,i->", v, v)
    assert outer(v, v) is einsum("i,j->ij", v, v)
    assert trace(S) is einsum("ii->", S)


def test_counts_of_truth_values_are_integers():
    mask = X > 0
    assert sum(mask).dtype == "int64" and mask.T.dtype == "bool"

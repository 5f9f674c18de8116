"""NumPy's functions and scalars beside nodes: taken where symnet has the same, refused with a remedy elsewhere."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.errors import ArgumentError

x = sn.tensor("x", 3)


@pytest.mark.parametrize(
    ("numpy_function", "symnet_function"),
    [
        (np.exp, sn.exp),
        (np.log, sn.log),
        (np.tanh, sn.tanh),
        (np.arctan, sn.atan),
        (np.sqrt, sn.sqrt),
        (np.abs, sn.abs),
        (np.arcsinh, sn.asinh),
        (np.cbrt, sn.cbrt),
    ],
)
def test_a_function_of_numpy_is_that_of_symnet(numpy_function: Any, symnet_function: Any) -> None:
    assert numpy_function(x) is symnet_function(x)


def test_scalars_of_numpy_stand_on_either_side() -> None:
    assert np.float64(2) * x is 2 * x
    assert np.int64(3) - x is 3 - x
    assert (np.float32(2) < x) is (x > 2)
    assert np.maximum(x, 0) is sn.relu(x)


def test_arrays_of_numpy_are_constants() -> None:
    assert np.ones(3) * x is sn.constant(np.ones(3)) * x


A, B, c = sn.tensor("A", 3, 3), sn.tensor("B", 3, 3), sn.tensor("c", 3)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (lambda: np.sum(A), lambda: sn.sum(A)),
        (lambda: np.mean(A, axis=0, dtype=None, out=None), lambda: sn.mean(A, axis=0)),
        (lambda: np.prod(A, 1, keepdims=True), lambda: sn.prod(A, 1, keepdims=True)),
        (lambda: np.max(A, axis=1), lambda: sn.max(A, axis=1)),
        (lambda: np.min(A), lambda: sn.min(A)),
        (lambda: np.argmax(A), lambda: sn.argmax(sn.reshape(A, 9))),
        (lambda: np.cumsum(x), lambda: sn.cumsum(x)),
        (lambda: np.cumprod(A, axis=-1), lambda: sn.cumprod(A, 1)),
        (lambda: np.where(x > 0, x, 0), lambda: sn.where(x > 0, x, 0)),
        (lambda: np.clip(x, 0, 1), lambda: sn.minimum(sn.maximum(x, 0), 1)),
        (lambda: np.dot(A, x), lambda: A @ x),
        (lambda: np.outer(x, c), lambda: sn.outer(x, c)),
        (lambda: np.outer(A, x), lambda: sn.outer(sn.reshape(A, 9), x)),
        (lambda: np.kron(A, B), lambda: sn.kron(A, B)),
        (lambda: np.diag(A), lambda: sn.diag(A)),
        (lambda: np.trace(A, 0, 0, 1), lambda: sn.trace(A)),
        (lambda: np.transpose(A, (1, 0)), lambda: A.T),
        (lambda: np.reshape(A, (9, 1), order="C"), lambda: A.reshape(9, 1)),
        (lambda: np.ravel(A), lambda: A.reshape(9)),
        (lambda: np.concatenate([A, B], axis=1), lambda: sn.concat([A, B], axis=1)),
        (lambda: np.concatenate([A, x], axis=None), lambda: sn.concat([A.reshape(9), x])),
        (lambda: np.stack([x, c]), lambda: sn.stack([x, c])),
        (lambda: np.broadcast_to(x, (2, 3)), lambda: sn.broadcast_to(x, (2, 3))),
        (lambda: np.einsum("ij,jk->ik", A, B, optimize=True), lambda: sn.einsum("ij,jk->ik", A, B)),
        (lambda: np.linalg.norm(x, 1), lambda: sn.norm(x, 1)),
        (lambda: np.linalg.det(A), lambda: sn.det(A)),
        (lambda: np.linalg.inv(A), lambda: sn.inv(A)),
        (lambda: np.linalg.solve(A, x), lambda: sn.solve(A, x)),
        (lambda: np.linalg.matrix_power(A, 3), lambda: sn.matrix_power(A, 3)),
    ],
)  # fmt: skip
def test_a_function_of_arrays_is_that_of_symnet(found: Any, expected: Any) -> None:
    assert found() is expected()


def test_shapes_are_told_and_slogdet_is_a_pair() -> None:
    assert np.shape(A) == (3, 3) and np.ndim(A) == 2
    sign, logdet = np.linalg.slogdet(A)
    assert sign is sn.sign(sn.det(A)) and logdet is sn.logdet(A)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: np.linalg.svd(A), r"np\.linalg\.svd\(…\): expected a function that symnet knows too; got linalg\.svd"),
        (lambda: np.median(x), r"np\.median\(…\): expected a function that symnet knows too; got median"),
        (lambda: np.where(x > 0), r"np\.where\(…\): expected the arguments condition, a, b; got no a"),
        (lambda: np.sum(x, dtype="float32"), r"np\.sum\(…\): expected no dtype; got dtype='float32'\. Drop dtype="),
        (lambda: np.diag(A, 1), r"np\.diag\(…\): expected no k but 0; got k=1"),
        (lambda: np.sum(x, where=x > 0), r"np\.sum\(…\): expected no where; got where=an expression"),
        (lambda: np.add(x, 1, out=np.ones(3)), r"np\.add\(…, out=array\): expected no out=; got an array to write to"),
    ],
)
def test_what_has_no_counterpart_is_refused_and_never_unrolled(call: Any, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        call()


def test_stacks_of_matrices_are_refused_where_numpy_takes_other_axes() -> None:
    S = sn.tensor("S", 3, 3, 3)
    with pytest.raises(sn.ShapeError, match=r"np\.trace\(…\): expected vectors or matrices; got shape \(3, 3, 3\)"):
        np.trace(S)
    with pytest.raises(sn.ShapeError, match=r"np\.dot\(…\): expected vectors or matrices; got shape \(3, 3\) and"):
        np.dot(A, S)


def test_functions_that_symnet_lacks_are_refused_by_name() -> None:
    with pytest.raises(ArgumentError, match=r"np\.rint\(…\): expected a function that symnet knows too; got rint"):
        np.rint(x)
    with pytest.raises(ArgumentError, match=r"np\.add\.reduce"):
        np.add.reduce(x)


def test_an_expression_is_no_array_of_objects():
    with pytest.raises(ArgumentError, match=r"np.asarray\(…\): expected values; got an expression. Compile"):
        np.asarray(sn.tensor("x", 3))

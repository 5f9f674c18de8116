"""Compressed arrays with one-hot rows, of which the integers alone are held, against the dense array."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import symnet as sn
from symnet.expr.nodes.node import Node

p, q = sn.dim("p"), sn.dim("q")
table, vector = sn.tensor("table", 5, 4), sn.tensor("vector", 5)
i, j = sn.tensor("i", p, dtype="int64"), sn.tensor("j", p, 2, dtype="int64")
deeper, w = sn.tensor("deeper", 6, dtype="int64"), sn.tensor("w", p)

# a formula, by what, and how many numbers hold its Jacobian
JACOBIANS: dict[str, tuple[Callable[[], Node], Node, object]] = {
    "rows": (lambda: table[i], table, p),
    "rows of a function": (lambda: sn.tanh(table[i]) * w[:, None], table, 5 * p),
    "function of rows": (lambda: sn.tanh(table)[i], table, p + 20),
    "numbers": (lambda: w * vector[i] ** 2, vector, 2 * p),
    "matrices of rows": (lambda: sn.exp(table[j]), table, 10 * p),
    "columns": (lambda: sn.take(table, i, axis=1) ** 2, table, 6 * p),
    "rows and columns": (lambda: sn.take(table[i], [0, 3, 3], axis=1) ** 2, table, 4 * p + 3),
    "rows at rows": (lambda: table[sn.take(deeper, i)] ** 2, table, 5 * p),
    "rows less other rows": (lambda: sn.sin(table[i] - table[j[:, 0]]), table, 6 * p),
    "a number of each row": (lambda: sn.logsumexp(table[i], axis=1), table, 5 * p),
    "joined": (lambda: sn.concat([table[i] ** 2, w[:, None] * table[i]], axis=1), table, 6 * p),
}


def given(rows: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    return {
        "table": rng.normal(size=(5, 4)),
        "vector": rng.normal(size=5),
        "i": rng.integers(-4, 4, rows),
        "j": rng.integers(0, 5, (rows, 2)),
        "deeper": rng.integers(-5, 5, 6),
        "w": rng.normal(size=rows),
    }


@pytest.mark.parametrize("rows", [7, 0])
@pytest.mark.parametrize("name", JACOBIANS)
def test_the_integers_are_held_and_the_array_is_the_same(name: str, rows: int, rng: np.random.Generator) -> None:
    build, variable, size = JACOBIANS[name]
    J = sn.jacobian(build(), variable)
    assert sn.compressed(J).size == size
    f, g = sn.compile(J, compressed=True), sn.compile(J)
    data = given(rows, rng)
    found, dense = f(**{name: data[name] for name in f.inputs}), g(**{name: data[name] for name in g.inputs})
    np.testing.assert_allclose(found.dense(), dense, rtol=1e-12)
    for kept in range(dense.ndim + 1):
        v = rng.normal(size=dense.shape[kept:])
        np.testing.assert_allclose(found.matvec(v), np.tensordot(dense, v, dense.ndim - kept), rtol=1e-11, atol=1e-13)
    assert found.nbytes < dense.nbytes or not rows


def test_two_indices_of_one_row_meet(rng: np.random.Generator) -> None:
    """1[i[p] = k]·1[j[p] = k]·w[p]: the same class, named by two rows."""
    formula = sn.one_hot(i, 5) * sn.one_hot(j[:, 0], 5) * w[:, None]
    data = {"i": np.array([0, 3, 2]), "j": np.array([[0, 1], [1, 1], [2, 0]]), "w": rng.normal(size=3)}
    found, dense = sn.compile(formula, compressed=True)(**data), sn.compile(formula)(**data)
    np.testing.assert_allclose(found.dense(), dense)
    np.testing.assert_allclose(found.matvec(np.ones(5)), dense.sum(axis=1))


def test_equal_rows_have_equal_classes() -> None:
    """Σₚ 1[i[p] = k]·1[i[p] = l]·w[p] is a diagonal."""
    rows = sn.one_hot(i, 9)
    assert sn.compressed(sn.einsum("pk,pl,p->kl", rows, rows, w)).size == 9
    assert sn.compressed(sn.einsum("pk,pl,p->kl", rows, sn.one_hot(j[:, 0], 9), w)).size == 81


def test_what_is_held_prints_as_a_delta() -> None:
    found = sn.compressed(sn.jacobian(w[:, None] * table[i], table))
    assert str(found).splitlines()[1:] == ["  δ[j,l]·δ[k,i[i]]·w[i]"]
    assert [str(factor) for factor in found.factors] == ["w", "i"]
    assert not sn.compressed(sn.jacobian(vector[i], vector)).is_dense

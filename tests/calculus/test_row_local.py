"""The Jacobian of a function of each row by the rows is a batch of blocks, whatever happens along the columns."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import sympy

import symnet as sn
from symnet.calculus.ties import is_tied, ties_of
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import leaves
from symnet.reference import evaluate
from tests.calculus.row_local import LEAVES, STEPS, Z, m, per_row, row_local, values


def _degree(found: sn.calculus.compressed.Compressed) -> int:
    size = sympy.sympify(found.size)
    return int(sympy.degree(size, m)) if size.free_symbols else 0


def _check(J: Node, seed: int) -> None:
    """J is held by numbers that grow as m does, and they expand to J."""
    found = sn.compressed(J)
    assert _degree(found) <= 1, found
    data = values(3, np.random.default_rng(seed))
    whole, again = evaluate([J, found.dense()], data, leaves=LEAVES)
    np.testing.assert_allclose(again, whole, rtol=1e-9, atol=1e-12)


def _function(seed: int, depth: int) -> Node:
    """A function that has Z in it."""
    while True:
        _, y = row_local(seed, depth)
        if Z in leaves(y):
            return y
        seed += 1000


@pytest.mark.parametrize("step", STEPS)
def test_each_step_by_itself(step: str) -> None:
    for seed in range(3):
        rng = np.random.default_rng(seed)
        y = STEPS[step](rng, STEPS["product_with_weights"](rng, Z) if seed else Z)
        _check(sn.jacobian(y, Z), seed)


@pytest.mark.parametrize("seed", range(24))
def test_jacobians_grow_as_the_rows(seed: int) -> None:
    _check(sn.jacobian(_function(seed, 2 + seed % 4), Z), seed)


@pytest.mark.parametrize("seed", range(100, 112))
def test_hessians_of_sums_over_rows_grow_as_the_rows(seed: int) -> None:
    _check(sn.hessian(sn.sum(sn.tanh(_function(seed, 2 + seed % 2))), Z), seed)


@pytest.mark.parametrize("seed", range(200, 208))
def test_what_is_compiled_grows_as_the_rows(seed: int) -> None:
    J = sn.jacobian(_function(seed, 4), Z)
    f = sn.compile(J, compressed=True)
    data = values(3, np.random.default_rng(seed))
    found = f(**{name: data[name] for name in f.inputs})
    (whole,) = evaluate([J], data, leaves=LEAVES)
    np.testing.assert_allclose(found.dense(), whole, rtol=1e-9, atol=1e-12)
    few, many = ({"m": n} for n in (10_000, 40_000))
    assert f.workspace_bytes(**many) <= 4 * f.workspace_bytes(**few) + 4096
    more = f(**{name: values(6, np.random.default_rng(seed))[name] for name in f.inputs})
    assert more.nbytes <= 2 * found.nbytes


def test_a_choice_of_columns_by_a_column() -> None:
    found = sn.compressed(sn.jacobian(sn.where(Z[:, 0] > 0, Z[:, 1], Z[:, 2]), Z))
    assert found.size == 2 * m


@pytest.mark.parametrize("times", [1, 2])
def test_a_function_of_a_sum_over_rows_has_outer_products_beside_the_blocks(times: int) -> None:
    x: Node = Z
    for k in range(times):
        x = sn.where(Z[:, k, None] > 0, sn.concat([sn.tanh(x[:, 1:]), x[:, :1] ** 2], axis=1), x)
    _check(sn.hessian(sn.log(1 + sn.sum(x) ** 2), Z), 7)


def test_rows_of_a_known_number_are_told_apart_too() -> None:
    X = sn.tensor("X", 50, 4)
    y = sn.tanh(X)[:, ::2].reshape(50, 2, 1) * X.reshape(50, 2, 2)
    assert sn.compressed(sn.jacobian(y, X)).size == 50 * 4 * 4


def test_a_system_for_each_row() -> None:
    A, b = sn.tensor("A", m, 2, 2), sn.tensor("b", m, 2)
    x = sn.solve(A, b[:, :, None])[:, :, 0]
    data = {"A": np.eye(2) + np.arange(12.0).reshape(3, 2, 2) / 10, "b": np.arange(6.0).reshape(3, 2)}
    for variable in (A, b):
        J = sn.jacobian(sn.exp(x), variable)
        found = sn.compressed(J)
        assert _degree(found) == 1
        whole, again = evaluate([J, found.dense()], data)
        np.testing.assert_allclose(again, whole, rtol=1e-12)


MIXED: dict[str, Callable[[], Node]] = {
    "turned around": lambda: sn.tanh(Z[::-1]),
    "running": lambda: sn.cumsum(Z**2, axis=0),
    "products so far": lambda: sn.cumprod(Z, axis=0, exclusive=True),
    "recurrence": lambda: sn.linear_recurrence(Z, Z**2, axis=0),
    "totals": lambda: Z * sn.sum(Z, axis=0),
    "products of rows": lambda: Z @ Z.T,
    "shifted": lambda: Z[1:] * Z[:-1],
    "flat": lambda: sn.exp(Z.reshape(-1)) * 2,
    "chosen by all": lambda: sn.where(per_row > 0, sn.sum(Z), Z[:, 0]),
}


@pytest.mark.parametrize("name", MIXED)
def test_rows_that_are_mixed_are_not_taken_for_blocks(name: str) -> None:
    J = sn.jacobian(MIXED[name](), Z)
    data = values(4, np.random.default_rng(0))
    whole, again = evaluate([J, sn.compressed(J).dense()], data, leaves=LEAVES)
    np.testing.assert_allclose(again, whole, rtol=1e-12)
    assert np.count_nonzero(whole) > 0


def test_the_ties_of_sums_are_those_that_all_terms_have() -> None:
    eye, u = sn.eye(4), sn.tensor("u", 4)
    A, B = sn.tensor("A", 4, 4), sn.tensor("B", 4, 4)
    assert ties_of(eye * A) == ties_of(eye * A + eye * B) == ties_of(sn.where(A > 0, eye, 0)) == (0, 0)
    for free in (eye * A + B, sn.where(eye * A > 0, A, eye), eye + u, sn.exp(eye * A), (eye * A)[:, ::-1]):
        assert not is_tied(ties_of(free))

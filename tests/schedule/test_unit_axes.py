"""Arrays with axes of extent 1, such as columns: their values and gradients are those of the reference."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import symnet as sn
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import leaves
from symnet.reference import evaluate

m = sn.dim("m")
x, y = sn.tensor("x", m, 1), sn.tensor("y", m, 1)
X, w, row = sn.tensor("X", m, 5), sn.tensor("w", 5, 1), sn.tensor("row", 1, m)
table, i, one = sn.tensor("table", 7, 1), sn.tensor("i", m, dtype="int64"), sn.tensor("one", 1, 1)

FORMULAS: dict[str, Callable[[], Node]] = {
    "elementwise": lambda: sn.tanh(x) * y,
    "a row": lambda: sn.exp(row) - 1,
    "one number": lambda: sn.exp(one) * 2,
    "a column beside a matrix": lambda: X * x + sn.sum(X, axis=1, keepdims=True),
    "a column of weights": lambda: sn.softplus(X @ w) - y * (X @ w),
    "a sum over one": lambda: sn.sum(x, axis=1) + sn.max(y, axis=1),
    "a sum over all": lambda: sn.sum(x * y),
    "a softmax of one": lambda: sn.softmax(x * 3, axis=0),
    "joined": lambda: sn.concat([x, X[:, :1], y], axis=1),
    "laid among zeros": lambda: sn.pad(x, [(0, 0), (1, 0)]) + X[:, 3:],
    "taken": lambda: table[i] * x,
    "running": lambda: sn.cumsum(x, axis=0),
    "a system of one": lambda: sn.solve(1 + one**2, one + 3),
    "an outer product": lambda: x @ row,
    "an inner product": lambda: row @ x,
}


@pytest.mark.parametrize("rows", [0, 1, 50, 700])
@pytest.mark.parametrize("name", FORMULAS)
def test_values_and_gradients_are_those_of_the_reference(name: str, rows: int, rng: np.random.Generator) -> None:
    formula = FORMULAS[name]()
    used = sorted(leaves(formula), key=lambda leaf: leaf.name)
    real = [leaf for leaf in used if leaf is not i]
    roots = [formula, *sn.grad(sn.sum(formula * formula), real)]
    data = {}
    for leaf in used:
        shape = [rows if n is m else n for n in leaf.shape]
        data[leaf.name] = rng.integers(-7, 7, shape) if leaf is i else rng.normal(size=shape)
    if rows == 0 and name == "a softmax of one":
        return
    found = sn.compile(roots, inputs=used)(**data)
    for got, want in zip(found, evaluate(roots, data, leaves=used), strict=True):
        assert got.shape == want.shape
        np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-12)

"""Printed derivatives of indexing can be pasted back: a name means one thing in a formula, integers or one-hot rows."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet import dtypes
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import leaves
from symnet.reading.formula import formula, names_in
from symnet.reference import evaluate
from tests.expr.reading import names_of, read_back

m = sn.dim("m")
U, V, y = sn.tensor("U", 7, 3), sn.tensor("V", 3, 7), sn.tensor("y", m, 3)
i, j = sn.tensor("i", m, dtype="int64"), sn.tensor("j", 4, 2, dtype="int32")
k, deep = sn.tensor("k", m, dtype="int64"), sn.tensor("deep", 7, dtype="int64")
t, Z = sn.labels("t", m, classes=7), sn.tensor("Z", m, 7)

SELECTIONS: dict[str, Callable[[], Node]] = {
    "rows": lambda: sn.take(U, i),
    "columns": lambda: sn.take(V, i, axis=1).T,
    "matrix of rows": lambda: sn.take(U, j).reshape(8, 3),
    "rows at labels": lambda: sn.take(U, t.operands[0]),
    "constant rows": lambda: U[[0, 2, 2]],
    "computed rows": lambda: sn.take(U, i + 1),
    "rows beside one-hot rows": lambda: sn.take(U, i) + sn.one_hot(i, 3),
    "labels times": lambda: t @ U,
    "labels and rows at them": lambda: t @ U - sn.take(U, t.operands[0]),
    "labels of other classes": lambda: t @ U + sn.one_hot(t.operands[0], 3),
    "rows at rows": lambda: sn.take(U, sn.take(deep, i)),
    "rows of rows": lambda: sn.take(sn.take(U, deep), i),
    "rows of a product": lambda: sn.take(U * sn.exp(U), i),
    "rows of a matrix product": lambda: sn.take(U @ V, i),
    "rows less other rows": lambda: sn.take(U, i) - sn.take(U, 6 - i),
    "rows times other rows": lambda: sn.take(U, i) * sn.take(U, k),
    "rows from the end": lambda: U[[-1, 0, -3]],
    "index arithmetic": lambda: sn.take(U, 2 * i - k),
    "chosen indices": lambda: sn.take(U, sn.where(y[:, 0] > 0, i, 0)),
    "numbers": lambda: U[i, 1][:, None] * y,
    "columns of rows": lambda: sn.take(sn.take(U, i), [0, 2], axis=1),
    "means of rows": lambda: sn.mean(sn.take(U, j), axis=1),
    "sums of columns": lambda: sn.sum(sn.take(V, j, axis=1), axis=2).T,
    "running sums of rows": lambda: sn.cumsum(sn.take(U, i), axis=0),
}
LOSSES: dict[str, Callable[[Node], Node]] = {
    "sum": sn.sum,
    "squares": lambda x: sn.sum(x**2),
    "tanh": lambda x: sn.sum(sn.tanh(x) * x),
    "softmax": lambda x: sn.mean(sn.logsumexp(x, axis=1)),
}
DERIVATIVES: dict[str, Callable[[Node, Node], Node]] = {
    "gradient": sn.grad,
    "Hessian": sn.hessian,
    "product": lambda L, w: sn.hvp(L, w, w),
}


@pytest.mark.parametrize(
    ("selection", "loss", "derivative"), list(itertools.product(SELECTIONS, LOSSES, DERIVATIVES)), ids=" ".join
)
def test_a_printed_derivative_reads_back(selection: str, loss: str, derivative: str) -> None:
    x = SELECTIONS[selection]()
    w = V if V in x.free_symbols else U
    found = DERIVATIVES[derivative](LOSSES[loss](x), w)
    text = str(found)
    for again in (formula(text, names_in(found)), read_back(text, names_of(found))):
        simple = sn.simplify(again)
        assert simple is found or str(simple) == text or _equal(simple, found)  # sums and products have two orders


def _equal(a: Node, b: Node) -> bool:
    """Whether two formulas of a like length have the same value."""
    rng = np.random.default_rng(3)
    used = sorted(leaves(a, b), key=lambda leaf: leaf.name)
    data = {}
    for leaf in used:
        shape = [5 if n is m else n for n in leaf.shape]
        data[leaf.name] = rng.normal(size=shape) if dtypes.is_real(leaf.dtype) else rng.integers(2, 4, shape)
    values = evaluate([a, b], data, leaves=used)
    return abs(len(str(a)) - len(str(b))) < 9 and bool(np.allclose(*values, rtol=1e-10, atol=1e-12))


@pytest.mark.parametrize(
    ("build", "text"),
    [
        (lambda: sn.grad(sn.sum((U[i] - y) ** 2), U), "2*one_hot(i, 7).T @ (U[i] - y)"),
        (lambda: sn.grad(sn.sum(U[i] * y), U), "one_hot(i, 7).T @ y"),
        (lambda: sn.grad(sn.mean(sn.cross_entropy(sn.softmax(Z), t)), Z), "(softmax(Z) - t)/m"),
        (lambda: sn.jacobian(U[[0, 2]], U), 'einsum("ik,jl->ijkl", one_hot(array([0, 2]), 7), eye(3))'),
        (lambda: t @ U - U[t.operands[0]], "one_hot(t, 7) @ U - U[t]"),
        (lambda: t @ U - U[[3]], "t @ U - U[array([3])]"),
    ],
)
def test_the_name_of_labels_is_written_where_it_is_clear(build: Any, text: str) -> None:
    assert str(build()) == text

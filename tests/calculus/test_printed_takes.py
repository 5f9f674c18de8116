"""Printed derivatives of indexing can be pasted back: a name means one thing in a formula, integers or one-hot rows."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest

import symnet as sn
from symnet.expr.nodes.node import Node
from symnet.reading.formula import formula, names_in
from tests.expr.reading import names_of, read_back

m = sn.dim("m")
U, V, y = sn.tensor("U", 7, 3), sn.tensor("V", 3, 7), sn.tensor("y", m, 3)
i, j = sn.tensor("i", m, dtype="int64"), sn.tensor("j", 4, 2, dtype="int32")
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
        assert simple is found or str(simple) == text  # a product of equal factors has two orders


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

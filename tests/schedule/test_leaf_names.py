"""No name that a program makes for itself is one that a user may give a leaf."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest

import symnet as sn
from symnet.expr.nodes.node import Node

m = sn.dim("m")
X, W, A = sn.tensor("X", m, 6), sn.tensor("W", 6, 3), sn.tensor("A", 5, 5)
E, k = sn.tensor("E", 900, 5), sn.tensor("k", m, dtype="int64")

MODELS: dict[str, Callable[[Node], list[Node]]] = {
    "network": lambda s: _with_gradient(_loss() * sn.sum(s), W),
    "sums over rows": lambda s: _with_gradient(sn.sum(sn.tanh(X * sn.tensor("w", 6))) * sn.sum(s), sn.tensor("w", 6)),
    "Gram": lambda s: [X.T @ X * sn.sum(s), X @ X.T + sn.sum(s)],
    "equations": lambda s: [sn.solve(A, s[:, None] * sn.ones(5, 2)), sn.logdet(A + sn.eye(5)) * s, sn.inv(A)],
    "large equations": lambda s: [sn.solve(sn.tensor("B", 40, 40), sn.tensor("C", 40, 9)) * sn.sum(s)],
    "places": lambda s: [sn.take(E, 2 * k + 1)[:, :5] * s, sn.argmax(X, 1), sn.max(X, 0), sn.argmax(X)],
    "scattered": lambda s: _with_gradient(sn.sum(sn.tanh(sn.take(E, k)) * sn.sum(s)), E),
    "running": lambda s: [sn.cumsum(X, 0) * sn.sum(s), sn.cumsum(X, 1), sn.log(sn.cumsum(sn.exp(X), 0))],
    "rare": lambda s: [sn.norm(X, axis=0) * sn.sum(s), sn.logsumexp(X, axis=1), sn.prod(X, axis=1)],
}  # fmt: skip


def _loss() -> Node:
    Y = sn.softmax(sn.tanh(X @ W) @ sn.tensor("V", 3, 4))
    return sn.mean(sn.cross_entropy(Y, sn.tensor("D", m, 4)))


def _with_gradient(L: Node, w: Node) -> list[Node]:
    return [L.named("value"), sn.grad(L, w).named("slope")]


def _made(program: str) -> set[str]:
    """What a program declares beside its arguments, and the names that differ from these by a dot alone."""
    names = set(re.findall(r"^ *(?:work|register) ([^:]+):", program, re.M))
    return names | {name.replace(".", "_") for name in names} | {"i", "j", "u", "block", "v1_0"}


@pytest.mark.parametrize("stage", ["loops", "schedule"])
@pytest.mark.parametrize("model", MODELS)
def test_what_a_program_makes_has_a_name_that_no_leaf_has(model: str, stage: str) -> None:
    make = MODELS[model]
    made = _made(str(sn.compile(make(sn.tensor("s", 5)), stop_after=stage)))
    names = sorted(name for name in made if name.isidentifier())
    assert len(names) > 6
    for name in names:
        sn.compile(make(sn.tensor(name, 5)), stop_after=stage)  # verified: two declarations of one name are refused


@pytest.mark.parametrize(
    "name", ["value_sum", "value_sums", "value_sum_low", "slope_sums", "slope_sum_cell", "packed1"]
)
def test_a_leaf_of_any_name_is_read(name: str) -> None:
    x = np.random.default_rng(0).standard_normal((300, 6))
    found = sn.compile(MODELS["sums over rows"](sn.tensor(name, 5)))(X=x, w=np.ones(6), **{name: np.full(5, 0.5)})
    np.testing.assert_allclose(found[0], 2.5 * np.tanh(x).sum())
    np.testing.assert_allclose(found[1], 2.5 * ((1 - np.tanh(x) ** 2) * x).sum(0))

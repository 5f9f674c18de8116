"""Neighbouring axes of products and sums become one: the loops read so, and the numbers stay those of the reference."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.expr.nodes.symbols import check_leaves
from symnet.reference import evaluate
from symnet.schedule.long_axes import with_long_axes
from symnet.schedule.target import Target
from tests.schedule.nests import last_nest
from tests.schedule.test_vectorize import TARGETS

m, t = sn.dim("m"), sn.dim("t")
SIZES = {"m": 37, "t": 5}
WIDE: Target = TARGETS["AVX-512"]


def _tensors(tokens: Any) -> tuple[Any, ...]:
    return sn.tensor("X", m, tokens, 6), sn.tensor("W", 6, 19), sn.tensor("D", m, tokens, 19), sn.tensor("V", 19, 19)


def layer(tokens: Any) -> list[Any]:
    X, W, _, _ = _tensors(tokens)
    return [X @ W]


def backward(tokens: Any) -> list[Any]:
    X, W, D, _ = _tensors(tokens)
    loss = sn.mean(sn.sum((sn.tanh(X @ W) - D) ** 2, axis=-1))
    return [loss, sn.grad(loss, W), sn.grad(loss, X)]


def two_layers(tokens: Any) -> list[Any]:
    X, W, D, V = _tensors(tokens)
    H = sn.tanh(X @ W)
    loss = sn.mean((H @ V * sn.sigmoid(D) - H) ** 2)
    return [loss, sn.grad(loss, W), sn.grad(loss, V)]


def later_tokens(tokens: Any) -> list[Any]:
    X, W, D, _ = _tensors(tokens)
    return [X[:, 1:] @ W, sn.sum(X[:, :-1] * X[:, 1:], axis=(0, 1)), sn.sum(D, axis=(0, 1)), X[2:] @ W]


def heads(tokens: Any) -> list[Any]:
    Q, K = sn.tensor("Q", m, 3, tokens, 4), sn.tensor("K", m, 3, tokens, 4)
    return [
        sn.einsum("mhik,mhjk->mhij", Q, K),
        sn.sum(Q * K, axis=-1),
        sn.einsum("mhik,hkl->mhil", Q, sn.tensor("P", 3, 4, 18)),
    ]


MODELS = (layer, backward, two_layers, later_tokens, heads)


@pytest.mark.parametrize("tokens", [1, 2, 11, 16, t], ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_machine_code_gives_the_numbers_of_the_reference(rng, model, dtype, tokens) -> None:
    if tokens == 1 and model is later_tokens:
        pytest.skip("no later token")
    roots = model(tokens)
    one, two = (sn.compile(roots, dtype=dtype, threads=threads) for threads in (1, 2))
    leaves = check_leaves("", roots)
    data = {x.name: rng.normal(size=[e if isinstance(e, int) else SIZES[str(e)] for e in x.shape]) for x in leaves}
    data = {name: x.astype(dtype) for name, x in data.items()}
    wanted = evaluate(roots, {name: x.astype("float64") for name, x in data.items()}, leaves=leaves)
    near = 1e-12 if dtype == "float64" else 3e-5
    for got, same, exact in zip(one(**data), two(**data), wanted, strict=True):
        np.testing.assert_array_equal(got, same)
        np.testing.assert_allclose(got, exact, rtol=near, atol=near * np.max(np.abs(exact), initial=1.0))


def _extents(root: Any, goes_on: bool = False) -> tuple[list[str], list[str]]:
    nest = with_long_axes(last_nest(root), WIDE, goes_on)
    return ([str(a.extent) for a in nest.parallel], [str(a.extent) for a in nest.reduced])


def test_tokens_lie_behind_rows() -> None:
    X, W, D, _ = _tensors(11)
    assert len(_extents(X @ W)[0]) == 2
    assert [len(axes) for axes in _extents(sn.einsum("mtk,mtl->kl", X, D))] == [2, 1]
    assert [len(axes) for axes in _extents(sn.einsum("mtk,mtl->kl", X, D), goes_on=True)] == [2, 1]
    assert len(_extents(sn.tensor("Y", m, 3, 11, 6) @ W)[0]) == 2  # two steps: heads and tokens, then rows


def test_what_lies_elsewhere_stays() -> None:
    X, W, _, _ = _tensors(11)
    assert len(_extents(X @ W, goes_on=True)[0]) == 3  # sums go on in an array of the same axes
    assert len(_extents(sn.einsum("mtk,tkl->mtl", X, sn.tensor("P", 11, 6, 19)))[0]) == 3  # a matrix for each token
    assert [len(axes) for axes in _extents(sn.einsum("mtk,tml->kl", X, sn.tensor("E", 11, m, 19)))] == [2, 2]

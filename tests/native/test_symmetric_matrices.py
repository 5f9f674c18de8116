"""Derivatives by a symmetric matrix: the projection (G + Gᵀ)/2, whose product with a symmetric step is the slope."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.expr.nodes.node import Node
from symnet.reference import evaluate

n = sn.dim("n")
S = sn.tensor("S", n, n, symmetric=True)
A, x, y = sn.tensor("A", n, n), sn.tensor("x", n), sn.tensor("y", n)

TABLE: list[tuple[Node, str]] = [
    (sn.logdet(S), "inv(S)"),
    (sn.det(S), "det(S)*inv(S)"),
    (sn.trace(S), "eye(n)"),
    (sn.trace(S @ S), "2*S"),
    (x @ S @ x, "outer(x, x)"),
    (x @ S @ y, "(outer(x, y) + outer(y, x))/2"),
    (x @ sn.inv(S) @ x, "-outer(inv(S) @ x, inv(S) @ x)"),
    (sn.trace(A @ S), "(A + A.T)/2"),
    (sn.trace(sn.inv(S)), "-inv(S) @ inv(S)"),
    (sn.trace(sn.matrix_power(S, 3)), "3*S @ S"),
    (sn.norm(S) ** 2, "2*S"),
]


def draw(rng: np.random.Generator) -> dict[str, Any]:
    half = rng.normal(size=(4, 4))
    return {
        "S": half @ half.T + np.eye(4),
        "A": rng.normal(size=(4, 4)),
        "x": rng.normal(size=4),
        "y": rng.normal(size=4),
    }


def value(f: Node, data: dict[str, Any]) -> Any:
    return evaluate(f, data, leaves=[S, A, x, y])


def symmetric(rng: np.random.Generator) -> Any:
    step = rng.normal(size=(4, 4))
    return step + step.T


@pytest.mark.parametrize(("f", "text"), TABLE, ids=lambda v: str(v) if isinstance(v, Node) else "")
def test_the_gradient_reads_as_in_the_tables(f: Node, text: str) -> None:
    assert str(sn.grad(f, S)) == text


@pytest.mark.parametrize("f", [row[0] for row in TABLE], ids=str)
def test_the_gradient_is_symmetric_and_gives_the_slope_along_symmetric_steps(f: Node, rng: np.random.Generator) -> None:
    data, step = draw(rng), symmetric(rng)
    gradient = value(sn.grad(f, S), data)
    np.testing.assert_allclose(gradient, gradient.T, rtol=1e-9, atol=1e-12)
    ahead, back = (value(f, {**data, "S": data["S"] + h * step}) for h in (1e-6, -1e-6))
    assert np.sum(gradient * step) == pytest.approx(float(ahead - back) / 2e-6, rel=1e-5, abs=1e-6)
    assert float(value(sn.jvp(f, {S: sn.tensor("V", n, n)}), {**data, "V": step})) == pytest.approx(
        float(np.sum(gradient * step)), rel=1e-9
    )


@pytest.mark.parametrize("f", [row[0] for row in TABLE], ids=str)
def test_the_hessian_is_symmetric_in_each_pair_and_between_them(f: Node, rng: np.random.Generator) -> None:
    data, first, second = draw(rng), symmetric(rng), symmetric(rng)
    hessian = value(sn.hessian(f, S), data)
    for axes in ((1, 0, 2, 3), (0, 1, 3, 2), (2, 3, 0, 1)):
        np.testing.assert_allclose(hessian, hessian.transpose(axes), rtol=1e-8, atol=1e-10)
    slope = sn.grad(f, S)
    ahead, back = (value(slope, {**data, "S": data["S"] + h * second}) for h in (1e-6, -1e-6))
    expected = float(np.sum((ahead - back) / 2e-6 * first))
    assert np.einsum("ij,ijkl,kl", first, hessian, second) == pytest.approx(expected, rel=1e-5, abs=1e-5)

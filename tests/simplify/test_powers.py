"""Powers of matrices are squared where that takes fewer operations."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.expr.nodes.contraction import Einsum, contract
from symnet.expr.nodes.graph import topological
from symnet.expr.nodes.node import Node
from symnet.simplify.machine.contraction import binarize

n, m = sn.dim("n"), sn.dim("m")
A, x, B, Y = sn.tensor("A", n, n), sn.tensor("x", n), sn.tensor("B", m, 3, 3), sn.tensor("Y", n, 2)


def products(y: Node) -> int:
    return sum(isinstance(node, Einsum) and len(node.operands) > 1 for node in topological(*binarize([y])))


def chain(count: int, last: Node) -> Node:
    """A·A·…·A·last as one contraction."""
    behind = (count, count + 1) if last.rank == 2 else (count,)
    return contract([*((k, k + 1) for k in range(count)), behind], (0, *behind[1:]), *[A] * count, last)


@pytest.mark.parametrize(("power", "count"), [(2, 1), (3, 2), (4, 2), (7, 4), (8, 3), (13, 5), (100, 8), (10**6, 25)])
def test_a_power_takes_logarithmically_many_products(power: int, count: int) -> None:
    assert products(sn.matrix_power(A, power)) == count
    assert products(sn.matrix_power(B, power)) == count


@pytest.mark.parametrize("power", [4, 8, 13, 40])
def test_a_power_times_a_vector_goes_from_vector_to_vector(power: int) -> None:
    binary = binarize([chain(power, x)])
    assert {node.rank for node in topological(*binary) if isinstance(node, Einsum)} == {1}
    assert products(chain(power, Y)) == power
    assert products(chain(40, A)) < 10


@pytest.mark.parametrize("power", [4, 5, 9, 13, 30])
def test_the_values_are_numpys(power: int, rng: np.random.Generator) -> None:
    data: dict[str, Any] = {
        "A": rng.normal(size=(4, 4)) / 2,
        "B": rng.normal(size=(5, 3, 3)) / 2,
        "x": rng.normal(size=4),
    }
    data["Y"] = rng.normal(size=(4, 2))
    roots = [sn.matrix_power(A, power), sn.trace(sn.matrix_power(A, power)), chain(power, x), chain(power, Y)]
    whole = np.linalg.matrix_power(data["A"], power)
    expected = [whole, np.trace(whole), whole @ data["x"], whole @ data["Y"]]
    f = sn.compile([*roots, sn.matrix_power(B, power), sn.matrix_power(B.transpose(0, 2, 1), power)])
    stack = np.linalg.matrix_power(data["B"], power)
    for found, value in zip(f(**data), [*expected, stack, stack.transpose(0, 2, 1)], strict=True):
        np.testing.assert_allclose(found, value, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("power", [9, 13, 64, 1000, 10**6, -(10**6), 2**40 + 1])
def test_a_long_power_and_its_derivatives_cost_its_logarithm_and_are_right(power: int) -> None:
    """Of a stochastic matrix, whose powers stay finite.  Derivatives are blocks of powers: of ((A, E), (0, A))ⁿ the
    upper right one is that of Aⁿ in the direction E, and once more for the second.
    """
    stays = np.array([[0.5, 0.2, 0.3], [0.1, 0.6, 0.3], [0.4, 0.1, 0.5]])
    E = np.array([[0.1, 0.7, 0.2], [0.3, 0.2, -0.1], [0.7, 0.2, 0.5]])
    V = np.array([[1.0, 2.0, 0.5], [0.3, 1.0, -1.0], [-0.7, 0.2, 1.5]])
    data = {"M": stays if power > 0 else np.linalg.inv(stays)}
    M, one, up = sn.tensor("M", 3, 3), np.eye(2), np.eye(2, k=1)
    P = sn.matrix_power(M, power)
    f, g = sn.compile(P), sn.value_and_grad(sn.trace(P @ V), M)
    h = sn.compile(sn.hvp(sn.trace(P @ V), M, sn.constant(E)))
    products = abs(power).bit_length() + abs(power).bit_count()
    assert int(f.flops) <= 1.25 * 45 * (products + 1)  # 45 in a product of two
    assert int(g.flops) <= 5 * int(f.flops) + 500 and int(h.flops) <= 10 * int(f.flops) + 500
    np.testing.assert_allclose(f(**data), np.linalg.matrix_power(data["M"], power), rtol=1e-8)
    once = np.kron(one, data["M"]) + np.kron(up, E)
    twice = np.kron(one, once) + np.kron(up, np.kron(one, E))
    first, second = np.linalg.matrix_power(once, power)[:3, 3:], np.linalg.matrix_power(twice, power)[:3, 9:]
    np.testing.assert_allclose(np.sum(g(**data)[1] * E), np.trace(first @ V), rtol=1e-7)
    np.testing.assert_allclose(np.sum(h(**data) * E), np.trace(second @ V), rtol=1e-6)

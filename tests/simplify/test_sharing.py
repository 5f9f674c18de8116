"""Sharing put back: what is computed anyway is not computed again."""

from __future__ import annotations

import numpy as np
import pytest

from symnet.calculus.grad import grad
from symnet.expr.nodes.contraction import matmul, mean, transpose
from symnet.expr.nodes.elementwise import tanh
from symnet.expr.nodes.extents import dim
from symnet.expr.nodes.graph import topological
from symnet.expr.nodes.symbols import tensor
from symnet.simplify.algebra.table import simplify
from symnet.simplify.cost import operation_count
from symnet.simplify.numeric.passes import numeric
from symnet.simplify.sealing import sealed, unsealed
from symnet.simplify.sharing import share
from tests.simplify.checking import values
from tests.simplify.graphs import Grower, data_for

m = dim("m")
X, A, B = tensor("X", m, 4), tensor("A", 4, 4), tensor("B", 4, 4)
a, b, c, d = (tensor(name, 4) for name in "abcd")


def test_a_partial_sum_that_stands_elsewhere_is_used():
    whole, part = share(simplify([a + b + c, tanh(a + b)]))
    assert part.operands[0] in whole.operands
    assert whole is (part.operands[0] + c)


def test_a_partial_product_that_stands_elsewhere_is_used():
    whole, part = share(simplify([a * b * c * d, tanh(a * d)]))
    assert part.operands[0] in whole.operands and len(whole.operands) == 3


def test_a_transposed_product_is_the_transpose_of_the_product():
    first, second = share(simplify([matmul(A, B), transpose(matmul(A, B)) * a]))
    assert first in topological(second)
    assert len([n for n in topological(first, second) if n.kind == "einsum" and n.contracted]) == 1


def test_a_residual_network_costs_as_many_sums_as_it_has_layers():
    h, params = X, []
    for k in range(12):
        W = tensor(f"W{k}", 4, 4)
        params.append(W)
        h = h + tanh(matmul(h, W))
    loss = mean(h**2)
    written = [loss, *grad(loss, params)]
    opened = simplify(unsealed(written))
    shared = share(opened)
    assert operation_count(shared).coeff(m) < 0.8 * operation_count(opened).coeff(m)
    assert max(len(n.operands) for n in topological(*shared)) <= 4
    assert simplify(shared) == opened
    assert operation_count(numeric(simplify(sealed(written)))).coeff(m) <= 3 * operation_count([loss]).coeff(m)


@pytest.mark.parametrize("seed", range(60))
def test_sharing_keeps_values_never_costs_and_is_undone_by_simplify(seed):
    grower = Grower(seed)
    grower.grow(14)
    roots = simplify(grower.pool[-5:])
    shared = share(roots)
    assert len(topological(*shared)) <= len(topological(*roots)) + 2
    assert simplify(shared) == roots
    for before, after in zip(roots, shared, strict=True):
        data = data_for(before, seed=seed)
        assert np.allclose(values(before, data), values(after, data), rtol=1e-9, atol=1e-9, equal_nan=True)

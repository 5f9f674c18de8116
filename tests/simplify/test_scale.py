"""Scalar factors move into small operands, and the values stay."""

from __future__ import annotations

import numpy as np

from symnet.expr.nodes.constants import size
from symnet.expr.nodes.contraction import sum as total
from symnet.expr.nodes.elementwise import is_op, tanh
from symnet.expr.nodes.extents import dim
from symnet.expr.nodes.graph import topological
from symnet.expr.nodes.symbols import tensor
from symnet.reference import evaluate
from symnet.simplify.machine.scale import push_scales

m = dim("m")
X, W, V, D = tensor("X", m, 64), tensor("W", 64, 32), tensor("V", 32, 3), tensor("D", m, 3)


def gradients() -> list:
    H = tanh(X @ W)
    G = H @ V - D
    back = (G @ V.T) * (1 - H * H)
    return [(X.T @ back) * (1 / size(m)), (H.T @ G) * (1 / size(m)), total(G, 0) * (1 / size(m))]


def test_one_scaled_value_serves_every_gradient() -> None:
    pushed = push_scales(gradients())
    assert not any(is_op(root, "mul") for root in pushed)
    scaled = [
        n
        for n in topological(*pushed)
        if is_op(n, "mul") and any(o.kind == "elementwise" and is_op(o, "pow") for o in n.operands)
    ]
    assert len(scaled) == 1
    assert scaled[0].shape == (m, 3)


def test_the_values_do_not_change(rng: np.random.Generator) -> None:
    data = {leaf.name: rng.normal(size=[4 if n == m else n for n in leaf.shape]) for leaf in (X, W, V, D)}
    for before, after in zip(evaluate(gradients(), data), evaluate(push_scales(gradients()), data), strict=True):
        np.testing.assert_allclose(after, before, rtol=1e-12, atol=1e-13)


def test_a_contraction_that_is_also_wanted_unscaled_stays() -> None:
    product = X.T @ tanh(X)
    roots = [product * 2, product]
    assert push_scales(roots) == roots


def test_layers_that_are_equally_wide_are_scaled_where_the_output_is() -> None:
    """The gradient of a layer between two of one width: its input and its slopes have the same number of elements."""
    inner = tensor("U", 64, 64)
    H = tanh(X)
    above = tanh(H @ inner)
    G = above @ tensor("O", 64, 3) - D
    slopes = (G @ tensor("O", 64, 3).T) * (1 - above * above)
    back = (slopes @ inner.T) * (1 - H * H)
    scale = 1 / size(m)
    pushed = push_scales([(above.T @ G) * scale, (H.T @ slopes) * scale, (X.T @ back) * scale])
    scaled = [n for n in topological(*pushed) if is_op(n, "mul") and scale in n.operands]
    assert [n.shape for n in scaled] == [(m, 3)]

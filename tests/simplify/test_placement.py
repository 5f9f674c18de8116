"""Scalars and signs of products are multiplied where they meet the fewest elements."""

from __future__ import annotations

import numpy as np
import pytest

from symnet.expr.nodes.constants import identity
from symnet.expr.nodes.contraction import matmul, outer
from symnet.expr.nodes.contraction import sum as total
from symnet.expr.nodes.elementwise import elementwise, exp
from symnet.expr.nodes.expansion import expand
from symnet.expr.nodes.extents import dim
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import tensor
from symnet.reference import evaluate
from symnet.simplify.cost import operation_count
from symnet.simplify.machine import placement
from symnet.simplify.machine.placement import place_factors

m = dim("m")
s, t = tensor("s"), tensor("t")
v, w, x, y = tensor("v", m), tensor("w", m), tensor("x", 4), tensor("y", 4)
X, Y = tensor("X", m, 4), tensor("Y", m, 4)
rows = expand(v, X.shape, (0,))
LEAVES = [s, t, v, w, x, y, X, Y]

# written → (as it is placed, operations before, operations after)
PLACED: dict[str, tuple[Node, str, object, object]] = {
    "two scalars meet first": (elementwise("mul", s, t, X), "s*t*X", 8 * m, 4 * m + 1),
    "a row takes the scalar": (elementwise("mul", s, x, X), "s*X*x", 8 * m, 4 * m + 4),
    "one of two equal rows takes the scalar": (elementwise("mul", s, x, x, X), "s*X*x*x", 12 * m, 8 * m + 4),
    "what is repeated is scaled before": (elementwise("mul", s, rows, X), "X*(s*v)[:, None]", 8 * m, 5 * m),
    "a vector of an outer product": (s * outer(v, x), "outer(v, s*x)", 8 * m, 4 * m + 4),
    "a vector beside an identity": (elementwise("mul", s, x, identity(4)), "s*diag(x)", 32, 20),
    "a sign turns a sum": (elementwise("mul", -1, X - Y, Y), "Y*(Y - X)", 12 * m, 8 * m),
    "a sign of a difference is free": (X - elementwise("mul", 2, s, Y), "X - 2*s*Y", 12 * m, 8 * m + 1),
    "a subtracted product keeps its sign": (
        X - elementwise("mul", s, x, Y),
        "X - s*Y*x",
        12 * m,
        8 * m + 4,
    ),
}


def data(seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {leaf.name: rng.normal(size=[3 if n == m else n for n in leaf.shape]) for leaf in LEAVES}


def differs(before: Node, after: Node) -> bool:
    values = evaluate([before, after, *LEAVES], data(0))
    return not np.allclose(values[0], values[1], rtol=1e-14, atol=0)


@pytest.mark.parametrize("name", PLACED)
def test_a_product_takes_fewer_operations_and_keeps_its_value(name):
    before, text, _, _ = PLACED[name]
    (after,) = place_factors([before])
    assert str(after) == text
    assert not differs(before, after)


@pytest.mark.parametrize("name", PLACED)
def test_the_operations_before_and_after_are_these(name):
    before, _, old, new = PLACED[name]
    assert operation_count([before]) - old == 0
    assert operation_count(place_factors([before])) - new == 0


def test_a_sum_that_stands_elsewhere_is_not_computed_with_both_signs():
    difference = X - Y
    product, other = elementwise("mul", -1, difference, Y), exp(difference)
    assert operation_count(place_factors([product, other])) == operation_count([product, other])


def test_what_sums_is_left_to_the_scales():
    scaled = s * matmul(X, x)
    assert place_factors([scaled]) == [scaled]
    assert place_factors([total(X)]) == [total(X)]


def test_a_wrong_placement_is_caught(monkeypatch):
    def lose_the_sign(scalars, arrays, once):
        return scalars[1:], arrays

    monkeypatch.setattr(placement, "_turned", lose_the_sign)
    before = PLACED["a sign turns a sum"][0]
    assert differs(before, place_factors([before])[0])

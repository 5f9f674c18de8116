"""Simplification is linear in the number of nodes and does not recurse: visits are counted, nothing is timed."""

from __future__ import annotations

import pytest

from symnet.calculus.jacobian import jacobian
from symnet.diff.reverse import pullback
from symnet.errors import UnsettledWarning
from symnet.expr.nodes.constants import number
from symnet.expr.nodes.contraction import matmul, mean
from symnet.expr.nodes.elementwise import maximum, sigmoid, sin, tanh
from symnet.expr.nodes.extents import dim
from symnet.expr.nodes.graph import topological
from symnet.expr.nodes.reduction import softmax
from symnet.expr.nodes.symbols import tensor
from symnet.nn import cross_entropy
from symnet.simplify.algebra.table import ALGEBRA, OPENING, TABLE, simplify
from symnet.simplify.engine import Normalizer, Table
from symnet.simplify.rewrite import Rewrite

x = tensor("x", 3)
STEPS = {
    "tanh": tanh,
    "y*x + 1": lambda y: y * x + 1,
    "y + x": lambda y: y + x,
    "y*x": lambda y: y * x,
    "y + sin y": lambda y: y + sin(y),
    "y*y + x": lambda y: y * y + x,
}


def visits(*roots):
    normalizer = Normalizer(Table(ALGEBRA, OPENING))  # of its own: no node remembers it
    results = normalizer(roots)
    assert normalizer.unsettled == []
    return normalizer.visits, results


@pytest.mark.parametrize("name", STEPS)
def test_a_chain_takes_a_constant_number_of_visits_per_node(name):
    def per_node(length):
        y = x
        for _ in range(length):
            y = STEPS[name](y)
        return visits(y)[0] / length

    assert per_node(400) <= 1.2 * per_node(100) + 1 <= 16


def test_a_value_doubled_sixty_times_is_one_product():
    y = x
    for _ in range(60):
        y = y + y
    count, (result,) = visits(y)
    assert count < 400
    assert result is (number(2**60) * x)


def test_a_chain_of_ten_thousand_nodes_needs_no_recursion():
    y = x
    for _ in range(10_000):
        y = tanh(y)
    count, (result,) = visits(y)
    assert count <= 10_001 and len(topological(result)) == 10_001


def test_what_is_in_the_algebra_form_is_not_visited_again():
    (result,) = simplify([sin(x * x) + tanh(sin(x * x)) * 2])
    normalizer = Normalizer(TABLE)
    assert normalizer([result, tanh(result)])[0] is result
    assert normalizer.visits == 1


def test_rewrites_that_undo_each_other_are_stopped_and_reported():
    to_tanh = Rewrite(lambda node: tanh(node.operands[0]), ("sin",), domain="equal", role="spelling")
    to_sin = Rewrite(lambda node: sin(x), ("tanh",), domain="equal", role="spelling")
    normalizer = Normalizer(Table([to_tanh, to_sin]))
    with pytest.warns(UnsettledWarning, match=r"rewrites that undo each other at sin\(x\)"):
        (result,) = normalizer([sin(x) * 2])
    assert normalizer.unsettled == [sin(x)] and result is sin(x) * 2
    with pytest.raises(UnsettledWarning):  # as every warning is an error in tests
        Normalizer(Table([to_tanh, to_sin]))([tanh(x)])


def test_an_array_of_exponents_has_one_place_in_a_product():
    """Beside a delta it had stood after y, by itself before: the two spellings took turns."""
    y = tensor("y", 3)
    assert str(jacobian(x**y, x)) == "diag(y*x**(y - 1))"


def gradient_of_mlp(layers, activation):
    m = dim("m")
    h, params = tensor("X", m, 8), []
    for k in range(layers):
        W, b = tensor(f"W{k}", 8, 8), tensor(f"b{k}", 8)
        params += [W, b]
        h = activation(matmul(h, W) + b)
    loss = mean(cross_entropy(softmax(h), tensor("D", m, 8, one_hot=True)))
    found = pullback(loss, number(1), params)
    return [found[p] for p in params]


@pytest.mark.parametrize("activation", [tanh, sigmoid, lambda z: maximum(z, 0)], ids=["tanh", "sigmoid", "relu"])
def test_the_gradient_of_a_deep_network_simplifies_in_linear_work(activation):
    def work(layers):
        count, results = visits(*gradient_of_mlp(layers, activation))
        return count, len(topological(*results))

    (count_20, nodes_20), (count_40, nodes_40), (count_80, nodes_80) = work(20), work(40), work(80)
    assert count_80 - count_40 <= 2.1 * (count_40 - count_20)
    assert nodes_80 - nodes_40 == 2 * (nodes_40 - nodes_20)
    assert (count_80 - count_40) / 40 <= 40 and (nodes_80 - nodes_40) / 40 <= 18

"""Derivatives of derivatives: any rank by any rank, to fourth order, each order against differences of the one below.

Every formula is evaluated by `reference` and compiled; the operators are held against one another.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.diff import elementwise as rules
from symnet.errors import ArgumentError, AssumptionError, MissingRuleError
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import leaves
from symnet.reference import evaluate

Arrays = dict[str, np.ndarray]
SHAPES = {0: (), 1: (3,), 2: (2, 3), 3: (2, 1, 3)}
LETTERS = "abcdefgh"
PAIRS = list(itertools.product(SHAPES, SHAPES))  # (rank of y, rank of x)

x, w, v, u = (sn.tensor(name, 3) for name in "xwvu")
A = sn.tensor("A", 3, 3)
L = sn.sum(sn.tanh(A @ x) * sn.exp(w * x)) + sn.logsumexp(x * w)


@pytest.fixture
def data(rng) -> Arrays:
    return {name: rng.normal(size=3) for name in "xwvu"} | {"A": rng.normal(size=(3, 3))}


def both(node: Node, data: Arrays) -> np.ndarray:
    """The value by `reference`, after native code has given the same."""
    expected = evaluate(node, data, leaves=leaves(node))
    function = sn.compile(node)
    found = function(**{name: data[name] for name in function.inputs})
    assert found.shape == expected.shape and found == pytest.approx(expected, rel=1e-11, abs=1e-11)
    return expected


def slope(node: Node, by: str, data: Arrays, step: float = 1e-6) -> np.ndarray:
    """∂node/∂by by central differences: node.shape + by.shape."""
    at = data[by]
    columns = []
    for place in np.ndindex(at.shape):
        sides = []
        for sign in (1, -1):
            moved = np.array(at)
            moved[place] += sign * step
            sides.append(evaluate(node, {**data, by: moved}, leaves=leaves(node)))
        columns.append((sides[0] - sides[1]) / (2 * step))
    return np.reshape(np.stack(columns, -1), (*node.shape, *at.shape))


def near(expected: np.ndarray) -> Any:
    return pytest.approx(expected, rel=2e-6, abs=1e-7)


# --------------------------------------------------------------------------- any rank by any rank


def function_of(y_rank: int, x_rank: int) -> tuple[Node, Node]:
    """y = sin(C·tanh(t)) + … of given ranks, every element of y by every element of t."""
    y_shape, x_shape = SHAPES[y_rank], SHAPES[x_rank]
    t, C = sn.tensor("t", *x_shape), sn.tensor("C", *y_shape, *x_shape)
    ys, xs = LETTERS[:y_rank], LETTERS[y_rank : y_rank + x_rank]
    inner = sn.einsum(f"{ys}{xs},{xs}->{ys}", C, sn.tanh(t))
    return sn.sin(inner) + inner * sn.exp(inner / 3), t


def rank_data(y_rank: int, x_rank: int, rng) -> Arrays:
    shapes = {"t": SHAPES[x_rank], "C": (*SHAPES[y_rank], *SHAPES[x_rank])}
    return {name: np.array(rng.normal(size=shape) / 2) for name, shape in shapes.items()}


@pytest.mark.parametrize(("y_rank", "x_rank"), PAIRS)
def test_a_jacobian_of_any_rank_by_any_rank_in_every_layout(y_rank: int, x_rank: int, rng) -> None:
    y, t = function_of(y_rank, x_rank)
    data = rank_data(y_rank, x_rank, rng)
    J = both(sn.jacobian(y, t), data)
    assert J.shape == SHAPES[y_rank] + SHAPES[x_rank] and near(slope(y, "t", data)) == J
    turned = J.transpose([*range(y_rank), *reversed(range(y_rank, J.ndim))])
    if not y_rank and x_rank == 1:
        turned = turned[None]  # a row
    numerator, denominator = sn.derivative(y, t), sn.derivative(y, t, layout="denominator")
    assert both(numerator, data) == pytest.approx(turned, rel=1e-12)
    reversed_axes = (
        turned.T if not y_rank and x_rank == 1 else J.transpose([*range(y_rank, J.ndim), *reversed(range(y_rank))])
    )
    assert both(denominator, data) == pytest.approx(reversed_axes, rel=1e-12)
    assert numerator.shape == turned.shape and denominator.shape == reversed_axes.shape


@pytest.mark.parametrize("x_rank", SHAPES)
def test_the_hessian_by_any_rank_is_the_jacobian_of_the_gradient(x_rank: int, rng) -> None:
    y, t = function_of(0, x_rank)
    data = rank_data(0, x_rank, rng)
    gradient = sn.grad(y, t)
    H = both(sn.hessian(y, t), data)
    assert H.shape == SHAPES[x_rank] * 2 and near(slope(gradient, "t", data)) == H
    assert both(sn.jacobian(gradient, t), data) == pytest.approx(H, rel=1e-11, abs=1e-12)
    n = H.ndim // 2
    assert pytest.approx(H.transpose([*range(n, 2 * n), *range(n)]), rel=1e-11) == H


@pytest.mark.parametrize(("y_rank", "x_rank"), PAIRS)
def test_products_are_those_of_the_jacobian(y_rank: int, x_rank: int, rng) -> None:
    y, t = function_of(y_rank, x_rank)
    data = rank_data(y_rank, x_rank, rng)
    data |= {"p": rng.normal(size=SHAPES[x_rank]), "q": rng.normal(size=SHAPES[y_rank])}
    p, q = sn.tensor("p", *SHAPES[x_rank]), sn.tensor("q", *SHAPES[y_rank])
    J = evaluate(sn.jacobian(y, t), data)
    assert both(sn.jvp(y, t, p), data) == pytest.approx(np.tensordot(J, data["p"], x_rank), rel=1e-11, abs=1e-12)
    assert both(sn.vjp(y, t, q), data) == pytest.approx(np.tensordot(data["q"], J, y_rank), rel=1e-11, abs=1e-12)
    total = sn.sum(y)
    H = evaluate(sn.hessian(total, t), data)
    assert both(sn.hvp(total, t, p), data) == pytest.approx(np.tensordot(H, data["p"], x_rank), rel=1e-11, abs=1e-12)


# --------------------------------------------------------------------------- order by order


def test_the_third_and_fourth_derivatives_are_those_of_the_one_below(data: Arrays) -> None:
    second = sn.hessian(L, x)
    third = sn.jacobian(second, x)
    fourth = sn.jacobian(third, x)
    for lower, higher in ((sn.grad(L, x), second), (second, third), (third, fourth)):
        T = both(higher, data)
        assert near(slope(lower, "x", data)) == T
        for axes in itertools.islice(itertools.permutations(range(T.ndim)), 1, None):
            assert pytest.approx(T.transpose(axes), rel=1e-9, abs=1e-10) == T


def test_the_hessian_of_the_hessian_s_elements_is_the_fourth_derivative(data: Arrays) -> None:
    fourth = evaluate(sn.jacobian(sn.jacobian(sn.hessian(L, x), x), x), data, leaves=leaves(L))
    entry = sn.hessian(sn.hessian(L, x)[0, 2], x)
    assert both(entry, data) == pytest.approx(fourth[0, 2], rel=1e-9, abs=1e-10)


def test_the_hessian_of_an_element_is_a_slice_of_the_second_jacobian(data: Arrays) -> None:
    y = sn.tanh(A @ x) * w
    second = evaluate(sn.jacobian(sn.jacobian(y, x), x), data)
    for k in range(3):
        assert both(sn.hessian(y[k], x), data) == pytest.approx(second[k], rel=1e-11, abs=1e-12)


PRODUCTS: dict[str, tuple[Callable[[], Node], str]] = {
    "jvp of jvp": (lambda: sn.jvp(sn.jvp(L, x, v), x, u), "ij,i,j->"),
    "grad of jvp": (lambda: sn.grad(sn.jvp(L, x, v), x), "ij,i->j"),
    "jvp of grad": (lambda: sn.jvp(sn.grad(L, x), x, v), "ij,j->i"),
    "vjp of grad": (lambda: sn.vjp(sn.grad(L, x), x, v), "ij,i->j"),
    "jvp of vjp": (lambda: sn.jvp(sn.vjp(L, x, 1), x, v), "ij,j->i"),
    "vjp of vjp": (lambda: sn.vjp(sn.vjp(L, x, 1), x, v), "ij,i->j"),
    "jacobian of jvp": (lambda: sn.jacobian(sn.jvp(L, x, v), x), "ij,i->j"),
}


@pytest.mark.parametrize("name", PRODUCTS)
def test_products_of_products_are_those_of_the_hessian(name: str, data: Arrays) -> None:
    build, subscripts = PRODUCTS[name]
    H = evaluate(sn.hessian(L, x), data, leaves=leaves(L))
    vectors = [data["v"], data["u"]][: subscripts.count(",")]
    assert both(build(), data) == pytest.approx(np.einsum(subscripts, H, *vectors), rel=1e-10, abs=1e-11)


def test_a_hessian_product_of_a_hessian_product_is_that_of_the_fourth_derivative(data: Arrays) -> None:
    fourth = evaluate(sn.jacobian(sn.jacobian(sn.hessian(L, x), x), x), data, leaves=leaves(L))
    found = sn.hvp(sn.hvp(L, x, v) @ u, x, w * 0 + v)
    wanted = np.einsum("ijkl,i,j,k->l", fourth, data["v"], data["u"], data["v"])
    assert both(found, data) == pytest.approx(wanted, rel=1e-9, abs=1e-10)


def test_the_gradient_of_the_norm_of_a_gradient_is_a_hessian_product(data: Arrays) -> None:
    g, H = evaluate([sn.grad(L, x), sn.hessian(L, x)], data, leaves=leaves(L))
    found = sn.grad(sn.norm(sn.grad(L, x)), x)
    assert both(found, data) == pytest.approx(H @ g / np.linalg.norm(g), rel=1e-10)


def test_mixed_derivatives_do_not_depend_on_the_order(data: Arrays) -> None:
    xw, wx = sn.jacobian(sn.grad(L, x), w), sn.jacobian(sn.grad(L, w), x)
    xA, Ax = sn.jacobian(sn.grad(L, x), A), sn.jacobian(sn.grad(L, A), x)
    assert both(xw, data) == near(slope(sn.grad(L, x), "w", data))
    assert both(wx, data) == pytest.approx(both(xw, data).T, rel=1e-11)
    assert both(xA, data) == near(slope(sn.grad(L, x), "A", data))
    assert both(Ax, data) == pytest.approx(both(xA, data).transpose(1, 2, 0), rel=1e-11)
    blocks = sn.hessian(L, {"x": x, "w": w, "A": A})
    for (row, column), single in {("x", "w"): xw, ("w", "x"): wx, ("x", "A"): xA, ("A", "x"): Ax}.items():
        assert both(blocks[row][column], data) == pytest.approx(evaluate(single, data, leaves=leaves(L)), rel=1e-11)


def test_a_second_derivative_by_an_intermediate_value_sees_it_as_a_variable(data: Arrays) -> None:
    h = sn.tanh(A @ x)
    loss = sn.sum(sn.exp(h) * w) + sn.logsumexp(h)
    free = sn.tensor("h", 3)
    by_leaf = sn.hessian(sn.sum(sn.exp(free) * w) + sn.logsumexp(free), free)
    data["h"] = np.tanh(data["A"] @ data["x"])
    wanted = evaluate(by_leaf, data)
    assert both(sn.hessian(loss, h), data) == pytest.approx(wanted, rel=1e-11)
    assert both(sn.jacobian(sn.grad(loss, h), h), data) == pytest.approx(wanted, rel=1e-11)
    assert both(sn.hvp(loss, h, v), data) == pytest.approx(wanted @ data["v"], rel=1e-11)
    mixed = both(sn.jacobian(sn.grad(loss, h), x), data)
    inner = evaluate(sn.jacobian(h, x), data)
    assert mixed == pytest.approx(wanted @ inner, rel=1e-11)


def test_an_intermediate_value_is_found_again_in_a_derivative_however_it_was_written(data: Arrays) -> None:
    h = x + x + w * 0  # simplifies to 2x
    found = sn.jacobian(sn.grad(sn.sum(h**4), h), h)
    assert both(found, data) == pytest.approx(np.diag(12 * (2 * data["x"]) ** 2), rel=1e-12)


# --------------------------------------------------------------------------- zeros, and what is no zero


def test_a_second_derivative_that_vanishes_is_an_array_of_zeros_of_its_shape() -> None:
    linear = x @ w
    assert sn.hessian(linear, [x, w])[0][0] is sn.simplify(0 * sn.outer(x, x))
    assert both(sn.hessian(linear, x), {}).tolist() == np.zeros((3, 3)).tolist()
    assert both(sn.hvp(linear, x, v), {"v": np.ones(3)}).tolist() == [0, 0, 0]
    assert both(sn.hessian(sn.sum(sn.relu(x)), x), {"x": np.ones(3)}).tolist() == np.zeros((3, 3)).tolist()
    assert both(sn.hvp(linear, [x, w], [v, u])[0], {"u": np.arange(3.0)}).tolist() == [0, 1, 2]


def test_by_a_variable_that_a_derivative_no_longer_contains_it_is_an_error() -> None:
    slope_of_linear = sn.grad(x @ w, x)
    with pytest.raises(ArgumentError, match=r"jacobian\(y, x\): expected an expression that contains x; got one of w"):
        sn.jacobian(slope_of_linear, x)
    with pytest.raises(ArgumentError, match=r"sn\.hessian gives zeros"):
        sn.grad(slope_of_linear[0], x)


def test_a_rule_that_is_missing_at_second_order_is_an_error(monkeypatch) -> None:
    monkeypatch.delitem(rules.PARTIALS, "sigmoid")
    loss = sn.sum(sn.softplus(x))
    assert sn.grad(loss, x) is sn.simplify(sn.sigmoid(x))
    for second in (lambda: sn.hessian(loss, x), lambda: sn.hvp(loss, x, v), lambda: sn.jacobian(sn.grad(loss, x), x)):
        with pytest.raises(MissingRuleError, match="differentiating sigmoid"):
            second()


def test_labels_are_no_variables_at_any_order() -> None:
    t, W, X = sn.labels("t", 5, classes=3), sn.tensor("W", 4, 3), sn.tensor("X", 5, 4)
    loss = sn.mean(sn.cross_entropy(sn.softmax(X @ W), t))
    for attempt in (
        lambda: sn.hessian(loss, [W, t]),
        lambda: sn.jacobian(sn.grad(loss, W), t),
        lambda: sn.jvp(loss, t, t),
    ):
        with pytest.raises(
            AssumptionError,
            match=r"a variable whose elements are free; got t.*, which is labels\. Put a real tensor in their place to",
        ):
            attempt()

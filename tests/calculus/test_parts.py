"""Derivatives by parts of a variable, x[2], W[j, k], X[1:]: the parts of the derivatives by the whole."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import leaves
from symnet.reference import evaluate
from tests.fuzz.graphs import seeded

W, x, b = sn.tensor("W", 3, 4), sn.tensor("x", 4), sn.tensor("b", 3)
S = sn.tensor("S", 4, 4, symmetric=True)
j, k = sn.scalar("j", dtype="int64"), sn.scalar("k", dtype="int64")
z = (W @ x + b).named("z")
squares = sn.sum((W @ x) ** 2)

Key = Callable[[Any], Any]
VECTOR: dict[str, Key] = {
    "2": lambda a: a[2],
    "-1": lambda a: a[-1],
    "j": lambda a: a[j],
    "1:": lambda a: a[1:],
    "::-2": lambda a: a[::-2],
    "1:[k]": lambda a: a[0:][k],
    "1:[0]": lambda a: a[1:][0],
}
MATRIX: dict[str, Key] = {
    "1,2": lambda a: a[1, 2],
    "j,k": lambda a: a[j, k],
    "1,k": lambda a: a[1, k],
    "1": lambda a: a[1],
    ":,2": lambda a: a[:, 2],
    ":,j": lambda a: a[:, j],
    "1:,::2": lambda a: a[1:, ::2],
    "T[2,0]": lambda a: a.T[2, 0],
    "T[1:,0]": lambda a: a.T[1:, 0],
    "T[::2]": lambda a: a.T[::2],
}
PLACES = {"j": 2, "k": 1}

VALUES: dict[str, Node] = {
    "a layer": sn.tanh(z),
    "a softmax": sn.softmax(sn.exp(x) * x) * sn.sum(W),
    "elements among the rest": sn.stack([x[0] * x[2], sn.sum(W[1] * x), W[1, 2] ** 2]),
    "a quadratic form": sn.outer(x, x) @ sn.sin(W.T),
}
CASES = [(value, leaf, key) for value in VALUES for leaf, keys in (("x", VECTOR), ("W", MATRIX)) for key in keys]


def _numbers(*nodes: Node) -> dict[str, Any]:
    rng = np.random.default_rng(2)
    known = {leaf.name: leaf for leaf in leaves(*nodes, W, x, b, S) if leaf.name not in PLACES}
    return {name: rng.uniform(0.2, 0.8, leaf.shape) for name, leaf in sorted(known.items())} | PLACES


def _value(node: Node) -> np.ndarray:
    return np.asarray(evaluate(node, _numbers(node), leaves=[W, x, b, S, j, k]))


def _part(whole: np.ndarray, key: str, leaf: str) -> np.ndarray:
    """The part of an array that has the leaf's axes last."""
    rank = 1 if leaf == "x" else 2
    flat = whole.reshape(-1, *whole.shape[whole.ndim - rank :])
    found = [_value((VECTOR if rank == 1 else MATRIX)[key](sn.constant(each))) for each in flat]
    return np.array(found).reshape((*whole.shape[: whole.ndim - rank], *found[0].shape))


@pytest.mark.parametrize(("value", "leaf", "key"), CASES)
def test_a_jacobian_by_a_part_is_that_part_of_the_jacobian(value: str, leaf: str, key: str) -> None:
    y, whole = VALUES[value], {"x": x, "W": W}[leaf]
    part = (VECTOR if leaf == "x" else MATRIX)[key](whole)
    expected = _part(_value(sn.jacobian(y, whole)), key, leaf)
    np.testing.assert_allclose(_value(sn.jacobian(y, part, "zero")), expected, rtol=1e-12, atol=1e-13)
    laid = np.moveaxis(expected, range(y.rank, expected.ndim), range(expected.ndim - 1, y.rank - 1, -1))
    np.testing.assert_allclose(_value(sn.derivative(y, part, absent="zero")), laid, rtol=1e-12, atol=1e-13)
    down = _value(sn.derivative(y, part, "denominator", "zero"))
    np.testing.assert_allclose(down, laid.T, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize(("value", "leaf", "key"), CASES)
def test_gradients_products_and_hessians_by_a_part(value: str, leaf: str, key: str) -> None:
    L, whole = sn.sum(sn.sin(VALUES[value])), {"x": x, "W": W}[leaf]
    part = (VECTOR if leaf == "x" else MATRIX)[key](whole)
    gradient = _part(_value(sn.grad(L, whole)), key, leaf)
    close = lambda node, want: np.testing.assert_allclose(_value(node), want, rtol=1e-11, atol=1e-12)
    close(sn.grad(L, part, "zero"), gradient)
    close(sn.vjp(L, part, 2, "zero"), 2 * gradient)
    direction = np.linspace(-1.0, 2.0, gradient.size).reshape(gradient.shape)
    close(sn.jvp(L, part, sn.constant(direction), "zero"), (gradient * direction).sum())
    H = _value(sn.hessian(L, whole))
    H = _part(np.moveaxis(_part(H, key, leaf), range(whole.rank), range(-whole.rank, 0)), key, leaf)
    H = np.moveaxis(H, range(gradient.ndim), range(-gradient.ndim, 0)) if gradient.ndim else H
    close(sn.hessian(L, part, "zero"), H)
    close(sn.hvp(L, part, sn.constant(direction), "zero"), np.tensordot(H, direction, gradient.ndim))


@pytest.mark.parametrize("seed", range(60))
def test_elements_of_the_leaves_of_random_graphs(seed: int) -> None:
    graph = seeded(seed)
    rng = np.random.default_rng(seed)
    root = sn.sum(sum(sn.sum(r) for r in graph.roots if r.dtype == "float64") + sn.constant(0.0))
    for leaf in leaves(root):
        shape = graph.data[leaf.name].shape
        free = leaf.dtype == "float64" and not leaf.assumptions & {"one_hot", "simplex", "integer"}
        if not free or not shape or 0 in shape or not all(isinstance(n, int) for n in leaf.shape):
            continue
        at = tuple(int(rng.integers(n)) for n in shape)
        found = [
            np.asarray(evaluate(g, graph.data, leaves=graph.leaves)) for g in sn.grad(root, [leaf, leaf[at]], "zero")
        ]
        np.testing.assert_allclose(found[1], found[0][at], rtol=1e-9, atol=1e-10)


# (derivative, text)
GOLDEN: list[tuple[Node, str]] = [
    (sn.derivative((W @ x)[1], x[2]), "W[1, 2]"),
    (sn.derivative((W @ x)[j], x[k]), "W[j, k]"),
    (sn.derivative(W @ x, x[2]), "W[:, 2]"),
    (sn.jacobian((W @ x)[1], x), "W[1]"),
    (sn.grad(squares, W[1, 2]), "2*x[2]*x @ W[1]"),
    (sn.grad(squares, W[1]), "2*(x @ W[1])*x"),
    (sn.grad(sn.sum(W**2), W[j, k]), "2*W[j, k]"),
    (sn.grad(sn.logsumexp(x), x[j]), "softmax(x)[j]"),
    (sn.grad(x[0] * x[1] + sn.sum(x), x[0]), "x[1] + 1"),
    (sn.hessian(sn.sum(sn.exp(x)), [x[1], x[2]])[0][1], "0"),
    (sn.hessian(squares, x[1]), "2*sum(W[:, 1]**2)"),
    (sn.jacobian(sn.softmax(x).named("s"), x[1]), "s[1]*(eye(4)[:, 1] - s)"),
    (sn.grad(sn.sum(z**2), z[1]), "2*z[1]"),
    (sn.grad(x @ S @ x, S[0, 1]), "x[0]*x[1]"),
    (sn.jvp(W @ x, x[1], sn.scalar("v")), "v*W[:, 1]"),
]


@pytest.mark.parametrize(("node", "text"), GOLDEN, ids=lambda given: given if isinstance(given, str) else "")
def test_a_derivative_by_an_element_reads_in_elements(node: Node, text: str) -> None:
    assert str(node) == text


def test_what_is_not_read_is_absent() -> None:
    for L, part in ((x[0] * x[1], x[2]), (sn.sum(W[1:]), W[0, 2]), (x[0] * x[1], sn.tensor("q", 3)[0])):
        with pytest.raises(sn.ArgumentError, match=r"expected an expression that contains .*\[.*\]; got one of"):
            sn.grad(L, part)
        assert str(sn.grad(L, part, absent="zero")) == "0"
    assert str(sn.grad(x[0] * x[1], x[j])) != "0"  # which it is shows when the function is called


def test_a_part_with_a_name_is_a_value_of_its_own() -> None:
    first = x[0].named("first")
    assert str(sn.grad(first * x[1] + sn.sum(x), first)) == "x[1]"
    with pytest.raises(sn.ArgumentError):
        sn.grad(sn.sum(x), first)


def test_a_derivation_by_elements_has_every_step() -> None:
    found = sn.derive(squares.named("L"), [x[2], x[0], W], at={"W": np.ones((3, 4)), "x": [1.0, 2.0, 3.0, 4.0]})
    assert found.variables == ("x[2]", "x[0]", "W") and found.result == sn.grad(squares.named("L"), [x[2], x[0], W])
    text = found.text()
    assert "∂L/∂x[2] and ∂L/∂x[0] and ∂L/∂W, differentiated as written" in text
    assert "∂L/∂x[2] = 2*v1 @ W[:, 2]" in text and "x_bar = ∂L/∂v1 · ∂v1/∂x" in text
    assert float(found.numbers.cotangents["x[2]"]) == 60.0
    assert "<svg" in found.html() and "<svg" in found.slides() and r"\partial x[2]" in found.latex()


def test_native_code_by_elements() -> None:
    f = sn.value_and_grad(squares, [x[2], W[j, k]])
    data = _numbers(squares)
    _, (by_x, by_w) = f(**{name: data[name] for name in f.inputs})
    assert by_x == pytest.approx(_value(sn.grad(squares, x[2]))) and by_w == pytest.approx(
        _value(sn.grad(squares, W))[2, 1]
    )

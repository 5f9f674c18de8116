"""Scalars and graphs: G1 to G5, each as a formula and as numbers.

More critical points (G4) are in `tests/study/test_critical_points.py`; that all adjoints come from one pass, in
`tests/calculus/test_grad.py`.
"""

from __future__ import annotations

import numpy as np
import pytest
import sympy

import symnet as sn
from symnet.expr.nodes.graph import topological
from symnet.reference import evaluate

a, b = sn.scalar("a"), sn.scalar("b")
x1, x2, x3 = (sn.scalar(f"x{k}") for k in (1, 2, 3))
x, w = sn.tensor("x", 4), sn.tensor("w", 4)


def number(node, **data) -> float:
    return float(evaluate(node, data))


def test_g1_the_graph_of_two_routes():
    c = (a + b).named("c")
    d = a * c
    by = sn.grad(d, {"a": a, "b": b, "c": c})
    assert {name: str(node) for name, node in by.items()} == {"a": "a + c", "b": "a", "c": "a"}
    assert str(sn.grad(a * (a + b), a)) == "b + 2*a"
    assert number(d, a=4, b=3) == 28
    assert [float(v) for v in evaluate(list(by.values()), {"a": 4.0, "b": 3.0})] == [11, 4, 4]
    assert sn.grad(c, a) is sn.constant(1)


def test_g1_the_explanation_shows_routes_multiplied_and_added():
    text = str(sn.derive(a * (a + b).named("c"), [a, b]))
    assert "multiply along a route, add over routes" in text
    assert all(line in text for line in ("∂c/∂a = 1", "∂L/∂c = a", "L ← c ← a", "∂L/∂a = c + a"))


def test_g2_a_value_used_k_times_collects_k_contributions():
    s = sn.sin(a).named("s")
    total = sum((s * k for k in range(2, 12)), start=s)
    assert str(sn.grad(total, a)) == "66*cos(a)"
    assert sn.grad(s + s * s + s**3, s) is sn.simplify(1 + 2 * s + 3 * s**2)


@pytest.mark.parametrize("depth", [10, 20, 40])
def test_g2_the_gradient_is_linear_in_the_graph(depth):
    """2^depth routes, and a fixed number of nodes for each level."""
    value = a
    for _ in range(depth):
        value = sn.sin(value) * sn.cos(value)
    assert len(topological(sn.grad(value, a))) <= 16 * depth


def test_g3_the_polynomial_of_three_variables():
    f = x1**2 + x1 * (1 - x2) + x2**2 - x2 * x3 + x3**2 + x3
    gradient = sn.grad(f, [x1, x2, x3])
    wanted = [2 * x1 + 1 - x2, -x1 + 2 * x2 - x3, -x2 + 2 * x3 + 1]
    assert gradient == [sn.simplify(g) for g in wanted]
    assert [number(g, x1=-1, x2=-1, x3=-1) for g in gradient] == [0, 0, 0]
    H = np.array([[number(e) for e in row] for row in sn.hessian(f, [x1, x2, x3])])
    assert H.tolist() == [[2, -1, 0], [-1, 2, -1], [0, -1, 2]]
    assert np.linalg.eigvalsh(H) == pytest.approx([2 - np.sqrt(2), 2, 2 + np.sqrt(2)])


def test_g3_the_gradient_is_solved_exactly_and_the_point_is_a_minimum():
    f = x1**2 + x1 * (1 - x2) + x2**2 - x2 * x3 + x3**2 + x3
    found = sn.critical_points(f, [x1, x2, x3])
    (point,) = found
    assert list(point.at.values()) == [-1, -1, -1] and point.value == -1 and point.verdict == "minimum"
    assert point.hessian == sympy.Matrix([[2, -1, 0], [-1, 2, -1], [0, -1, 2]])
    assert point.eigenvalues == (2 - sympy.sqrt(2), 2, 2 + sympy.sqrt(2)) and found.complete


def test_g4_the_second_derivative_classifies_a_critical_point():
    verdicts = {
        a**2: ["minimum"],
        -(a**2): ["maximum"],
        a**3 - 3 * a: ["maximum", "minimum"],
        a**3: ["undecided (inflection possible)"],
    }
    for f, wanted in verdicts.items():
        second = sn.hessian(f, a)
        for point, verdict in zip(sn.critical_points(f, a), wanted, strict=True):
            assert point.verdict == verdict
            (at,) = point.at.values()
            bend = number(second, a=float(at))
            assert {"minimum": bend > 0, "maximum": bend < 0}.get(verdict, bend == 0)


def test_g5_the_chain_rule_of_one_variable():
    g = sn.sin(a)
    f = sn.exp(g)
    assert sn.grad(f, a) is sn.simplify(sn.grad(f, g) * sn.grad(g, a))
    assert str(sn.grad(f, a)) == "cos(a)*exp(sin(a))"


def test_g5_the_chain_rule_is_a_product_of_jacobians():
    A, B = sn.tensor("A", 3, 4), sn.tensor("B", 2, 3)
    g = sn.tanh(A @ x)
    f = sn.exp(B @ g)
    whole, outer, inner = sn.jacobian(f, x), sn.jacobian(f, g), sn.jacobian(g, x)
    product = "exp(B @ tanh(A @ x))[:, None]*((B*(1 - tanh(A @ x)**2)) @ A)"
    assert str(whole) == product
    assert str(outer) == "B*exp(B @ tanh(A @ x))[:, None]" and str(inner) == "A*(1 - tanh(A @ x)**2)[:, None]"
    rng = np.random.default_rng(0)
    data = {"A": rng.normal(size=(3, 4)), "B": rng.normal(size=(2, 3)), "x": rng.normal(size=4)}
    J, K, L = evaluate([whole, outer, inner], data)
    assert pytest.approx(K @ L, rel=1e-12) == J


def test_g5_the_total_derivative_adds_over_the_arguments():
    u, v = sn.sin(a), a**2
    f = sn.exp(u) * v
    assert sn.grad(f, a) is sn.simplify(sn.grad(f, u) * sn.grad(u, a) + sn.grad(f, v) * sn.grad(v, a))
    assert number(sn.grad(f, a), a=0.7) == pytest.approx(np.exp(np.sin(0.7)) * (np.cos(0.7) * 0.49 + 1.4), rel=1e-14)

"""Derivations of arrays, in either layout, and of second derivatives: every line true, every result the calculus'."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import leaves
from symnet.reference import evaluate
from symnet.study.derivation.graph import svg
from symnet.study.derivation.lines import ending_lines, step_lines
from tests.fuzz.graphs import seeded

W, x, b = sn.tensor("W", 2, 3), sn.tensor("x", 3), sn.tensor("b", 2)
X, t = sn.tensor("X", 4, 3), sn.tensor("t", 4)
S = sn.tensor("S", 3, 3, symmetric=True)
a = sn.scalar("a")
z = (W @ x + b).named("z")
y = sn.tanh(z).named("y")

VALUES: dict[str, tuple[Node, list[Node]]] = {
    "a layer": (y, [x, b, W, z]),
    "a softmax": (sn.softmax(x).named("s"), [x]),
    "stacked elements": (sn.stack([x[0] * x[1], sn.sin(x[2])]), [x]),
    "by an element": (y, [x[1], W[0, 2]]),
    "a curve": (sn.stack([sn.cos(a), sn.sin(a)]), [a]),
    "a matrix": (sn.outer(x, x), [x]),
    "by a symmetric matrix": (S @ x, [S, x]),
    "two ways": (sn.exp(x) * x + S @ x, [x]),
    "an abstract function": (sn.function("h", shape=(2,))(z), [x]),
}
LAYOUTS = (None, "numerator", "denominator")


def check_lines(found: sn.study.derivation.Derivation, root: Node, data: dict[str, Any]) -> None:
    """Every line has the value of the derivative that it stands for."""
    numbers = found.numbers
    env = {**data, **numbers.values, **{str(s.bar): numbers.cotangents[s.label] for s in found.steps}}
    known = leaves(root)
    for step in found.steps:
        lines = step_lines(step)
        if any(line.why == "the variable is symmetric" for line in lines):
            continue
        for line in lines:
            value = evaluate(line.formula, env, leaves=known)
            np.testing.assert_allclose(value, numbers.cotangents[step.label], rtol=1e-9, atol=1e-11, err_msg=str(line))
    for ending in found.endings:
        wanted = evaluate(ending.result, data, leaves=known)
        for line in ending_lines(ending):
            value = evaluate(line.formula, env, leaves=known)
            np.testing.assert_allclose(value, wanted, rtol=1e-9, atol=1e-11, err_msg=str(line))


def numbers_for(root: Node) -> dict[str, Any]:
    rng = np.random.default_rng(4)
    found = {leaf.name: rng.uniform(0.2, 0.9, tuple(map(int, leaf.shape))) for leaf in leaves(root)}
    return {name: (array + array.T) / 2 if name == "S" else array for name, array in found.items()}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", VALUES)
def test_a_derivation_of_an_array_ends_at_its_derivative_and_every_line_is_true(name: str, layout: str | None) -> None:
    root, wrt = VALUES[name]
    expected = sn.jacobian(root, wrt) if layout is None else sn.derivative(root, wrt, layout)
    abstract = name == "an abstract function"
    found = sn.derive(root, wrt, at=None if abstract else numbers_for(root), layout=layout)
    assert found.result == expected
    assert (f" in {layout} layout" in found.text()) == (layout is not None)
    if not abstract:
        check_lines(found, root, numbers_for(root))
    ET.fromstring(svg(found))
    assert found.latex() and "<svg" in found.html() and "<svg" in found.slides()


@pytest.mark.parametrize("layout", LAYOUTS[1:])
def test_a_gradient_in_a_layout_is_a_row_or_a_column(layout: str) -> None:
    L = sn.sum(y**2).named("L")
    found = sn.derive(L, x, at=numbers_for(L), layout=layout)
    assert found.result == sn.derivative(L, x, layout)
    check_lines(found, L, numbers_for(L))
    assert found.text().startswith(f"∂L/∂x in {layout} layout, differentiated as written")


HESSIANS: dict[str, tuple[Node, Node]] = {
    "least squares": (sn.sum((X @ x - t) ** 2).named("L"), x),
    "rosenbrock": ((1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2, x),
    "log-sum-exp": (sn.logsumexp(X @ x), x),
    "logistic": (sn.mean(sn.softplus(X @ x) - t * (X @ x)), x),
    "a scalar": (sn.exp(a) * a**2, a),
    "a matrix": (sn.sum((W @ x) ** 2), W),
    "an element": (sn.sum((W @ x) ** 2), W[0, 1]),  # its gradient has x[1] and W[0], and no W[0, 1]
    "a slice": (sn.sum(x**3), x[1:]),
}


@pytest.mark.parametrize("name", HESSIANS)
def test_the_steps_of_a_hessian_are_those_of_the_gradient_and_of_its_derivative(name: str) -> None:
    L, by = HESSIANS[name]
    data = numbers_for(L)
    found = sn.derive(L, by, at=data, order=2)
    assert found.before is not None and found.before.result == sn.grad(L, by)
    assert found.stages == [found.before, found]
    shown = [np.asarray(evaluate(h, data, leaves=leaves(L))) for h in (found.result, sn.hessian(L, by))]
    np.testing.assert_allclose(*shown, rtol=1e-9, atol=1e-11)
    check_lines(found.before, L, data)
    check_lines(found, L, data)
    text = found.text()
    shown_by = getattr(by, "name", by)
    assert f"∂g/∂{shown_by}, where g = ∂{found.before.root}/∂{shown_by}, differentiated as written" in text
    page = found.html()
    assert page.count("<h2>Backward") == 2 and "The derivative of the gradient" in page
    assert found.slides().count("<h2>") > found.before.slides().count("<h2>") and found.latex().count("textbf") > 6


BLOCKS: dict[str, tuple[Any, Any]] = {
    "scalars": (a**2 * x[0] + sn.sin(a), [a, x]),
    "a vector and a matrix": (sn.sum((W @ x) ** 2), [x, W]),
    "a dict": (sn.sum(sn.exp(a * x)), {"a": a, "x": x}),
    "a block of zeros": (a**3 + sn.sum(x**2), [a, x]),
    "a row of zeros": (a**3 + sn.sum(x), [a, x]),
    "elements": (x[0] ** 2 * x[1] + x[2] ** 3, [x[0], x[1], x[2]]),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", BLOCKS)
def test_a_hessian_by_several_variables_has_the_steps_of_every_row(name: str, layout: str | None) -> None:
    L, by = BLOCKS[name]
    data = numbers_for(L)
    found = sn.derive(L, by, at=data, order=2, layout=layout)
    first, *rows = found.stages
    slopes = sn.grad(L, by)
    assert first.result == slopes
    keys = list(by) if isinstance(by, dict) else range(len(by))
    wanted = sn.hessian(L, by)
    for i in keys:
        for j in keys:
            block = wanted[i][j] if layout is None else sn.derivative(slopes[i], by[j], layout, absent="zero")
            shown = [np.asarray(evaluate(h, data, leaves=leaves(L))) for h in (found.result[i][j], block)]
            np.testing.assert_allclose(*shown, rtol=1e-9, atol=1e-11)
    assert [row.by for row in rows] == [
        v for v, g in zip(first.variables, first.endings, strict=True) if leaves(g.result)
    ]
    for stage in found.stages:
        check_lines(stage, L, data)
    assert found.html().count("The derivative of the gradient") == len(rows) and found.latex() and found.slides()


@pytest.mark.parametrize("seed", range(40))
def test_every_line_of_a_random_jacobian_is_true(seed: int) -> None:
    graph = seeded(seed)
    root = next((r for r in graph.roots if r.rank and r.dtype == "float64"), None)
    wrt = [] if root is None else sn.study.derivation.derive.variables(root)
    if root is None or not wrt or any(0 in graph.data[leaf.name].shape for leaf in leaves(root)):
        pytest.skip("no array to differentiate")
    data = {leaf.name: graph.data[leaf.name] for leaf in leaves(root)}
    found = sn.derive(root, wrt[0], at=data)
    try:
        numbers = found.numbers
    except sn.ArgumentError as error:
        assert "expected arrays that tell" in str(error)
        return
    env = {**data, **numbers.values, **{str(s.bar): numbers.cotangents[s.label] for s in found.steps}}
    for step in found.steps:
        lines = step_lines(step)
        wanted = numbers.cotangents[step.label]
        if any(line.why == "the variable is symmetric" for line in lines):
            continue
        for line in lines:
            with np.errstate(all="ignore"):
                value = evaluate(line.formula, env, leaves=leaves(root))
            if np.all(np.isfinite(value)) and np.all(np.isfinite(wanted)):
                scale = max(1.0, float(np.max(np.abs(wanted), initial=0.0)))
                np.testing.assert_allclose(value, wanted, rtol=1e-5, atol=1e-7 * scale, err_msg=str(line))


@pytest.mark.parametrize(
    ("ask", "error", "message"),
    [
        (lambda: sn.derive(y, x, order=2), sn.ShapeError, r"expected a scalar L \(rank 0\); got shape \(2,\)"),
        (lambda: sn.derive(sn.sum(y), x, order=3), sn.ArgumentError, "expected 1 or 2; got 3"),
        (lambda: sn.derive(y, x, layout="rows"), sn.ArgumentError, '"numerator" or "denominator"; got \'rows\''),
        (
            lambda: sn.derive(sn.sum(x) + sn.sum(b), [x, b], order=2),
            sn.ArgumentError,
            "contains x; got ones.*Hessian is 0",
        ),
        (lambda: sn.derive(sn.sum(x), x, order=2), sn.ArgumentError, "a gradient that contains x; got ones"),
        (lambda: sn.derive(sn.sum(x), x[1:], order=2), sn.ArgumentError, r"contains x\[1:\]; got ones.*Hessian is 0"),
    ],
)
def test_what_cannot_be_derived_is_refused(ask: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        ask()


def test_the_slope_of_a_vector_by_a_number_is_a_vector() -> None:
    q = sn.scalar("q")
    derivation = sn.derive(sn.sum(sn.exp((x + q).named("v"))), q)
    assert "∂v/∂q = ones(" in str(derivation)
    assert r"\frac{\partial v}{\partial q} = \mathbf{1}_{" in derivation.latex()

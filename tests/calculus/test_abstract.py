"""Abstract functions: chain rules by name, in every notation; true of any definition; refused where values are."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sympy

import symnet as sn
from symnet.expr.nodes.node import Node
from symnet.expr.printing import latex, mathml, pretty
from symnet.reference import evaluate

f, g, u, v = map(sn.function, "fguv")
F = sn.function("F", shape=())
h1, h2, h3 = (sn.function(f"h{k}", shape=(n,)) for k, n in ((1, 4), (2, 5), (3, 2)))
M = sn.function("M", shape=(2, 3))
x, y = sn.scalar("x"), sn.scalar("y")
X, b = sn.tensor("X", 3), sn.tensor("b", 3)
W, S = sn.tensor("W", 3, 3), sn.tensor("S", 2, 3)
t1, t2, t3 = (sn.tensor(f"t{k}", 5 + k) for k in (1, 2, 3))
z1 = h1(X, t1).named("z1")
z2 = h2(z1, t2).named("z2")
deep = h3(z2, t3)
bare = h3(h2(h1(X, t1), t2), t3)
total = f(x, u(x).named("u"), v(x).named("v"))

# (expression, text)
GOLDEN: list[tuple[Node, str]] = [
    (sn.grad(f(u(x)), x), "f'(u(x))*u'(x)"),
    (sn.grad(f(u(x).named("u")), x), "f'(u)*u'(x)"),
    (sn.hessian(f(u(x)), x), "f''(u(x))*u'(x)**2 + f'(u(x))*u''(x)"),
    (sn.grad(x * f(2 * x), x), "f(2*x) + 2*x*f'(2*x)"),
    (sn.grad(total, x), "∂f/∂x + (∂f/∂u)*u'(x) + (∂f/∂v)*v'(x)"),
    (sn.grad(f(x + y, x * y), x), "y*∂₂f(x + y, x*y) + ∂₁f(x + y, x*y)"),
    (sn.grad(f(x, y) + f(y, x), x), "∂₁f(x, y) + ∂₂f(y, x)"),
    (sn.grad(f(x, x), x), "∂₁f(x, x) + ∂₂f(x, x)"),
    (sn.hessian(f(x, y), [x, y])[1][0], "∂²f/(∂x ∂y)"),
    (sn.hessian(f(x, y), [x, y])[1][1], "∂²f/∂y²"),
    (sn.hessian(f(x, 2 * x) - f(x, 3 * y), y), "-9*∂²₂f(x, 3*y)"),
    (sn.grad(sn.grad(sn.hessian(f(x), x), x), x), "f⁽⁴⁾(x)"),
    (sn.jacobian(deep, X), "(∂h3/∂z2) @ (∂h2/∂z1) @ (∂h1/∂X)"),
    (sn.jacobian(deep, t1), "(∂h3/∂z2) @ (∂h2/∂z1) @ (∂h1/∂t1)"),
    (sn.jacobian(deep, t3), "∂h3/∂t3"),
    (sn.jacobian(bare, t2), "(∂h3/∂h2) @ (∂h2/∂t2)"),
    (sn.derivative(deep, t2), "(∂h3/∂z2) @ (∂h2/∂t2)"),
    (sn.derivative(deep, t2, layout="denominator"), "(∂h2/∂t2).T @ (∂h3/∂z2).T"),
    (sn.grad(F(h1(X)), X), "(∂h1/∂X).T @ (∂F/∂h1)"),
    (sn.derivative(F(h1(X)), X), "((∂h1/∂X).T @ (∂F/∂h1))[None, :]"),
    (sn.hessian(F(W @ X), X), "W.T @ F''(W @ X) @ W"),
    (sn.hessian(F(X, b), [X, b])[1][0], "(∂²F/(∂X ∂b)).T"),
    (sn.jacobian(g(W @ X + b), X), "W*g'(W @ X + b)[:, None]"),
    (sn.grad(sn.sum(g((W @ X + b).named("z"))), W), "outer(g'(z), X)"),
    (sn.jacobian(sn.function("h", shape=(2,))(W @ X), X), "h'(W @ X) @ W"),
    (sn.jacobian(M(S), S), "∂M/∂S"),
    (sn.grad(f(x) / f(y), x), "f'(x)/f(y)"),
    (sn.grad(y / F(X, x), x), "-y*(∂F/∂x)/F(X, x)**2"),
]


@pytest.mark.parametrize(("node", "text"), GOLDEN, ids=lambda given: given if isinstance(given, str) else "")
def test_a_chain_rule_reads_as_on_paper(node: Node, text: str) -> None:
    assert str(node) == text
    assert latex(node) and mathml(node) and str(pretty(node))
    assert pickle.loads(pickle.dumps(node)) is node


def test_latex_has_the_jacobians_as_quotients_and_a_name_of_the_users() -> None:
    quotients = [
        rf"\frac{{\partial h_{{{k}}}}}{{\partial {by}}}" for k, by in ((3, "z_{2}"), (2, "z_{1}"), (1, "t_{1}"))
    ]
    assert latex(sn.jacobian(deep, t1)) == " ".join(quotients)
    phi = sn.function("phi", latex=r"\varphi")
    assert latex(sn.grad(phi(3 * x), x)) == r"3 \varphi'(3 x)"
    assert latex(sn.hessian(f(x, 2 * y), [x, y])[0][1]) == r"2 \partial_{1} \partial_{2} f(x, 2 y)"
    assert latex(sn.hessian(f(x, y), x)) == r"\frac{\partial^{2} f}{\partial x^{2}}"
    assert "<mfrac><mrow><mo>∂</mo>" in mathml(sn.jacobian(deep, t1))


# --------------------------------------------------------------------------- true of any definition

A1, A2, A3 = (np.random.default_rng(k).normal(size=size) for k, size in enumerate([(4, 9), (5, 11), (2, 13)]))
BODIES: dict[str, Callable[..., Any]] = {
    "f": lambda *xs: sn.sin(sum(xs)) * sn.exp(xs[-1] / 3),
    "g": sn.tanh,
    "u": lambda p: p**3 + 1,
    "v": sn.sigmoid,
    "F": lambda *xs: sn.logsumexp(sn.concat([sn.reshape(p, -1) ** 2 for p in xs])),
    "h1": lambda p, q=None: sn.tanh(A1 @ sn.concat([p, q if q is not None else sn.constant(np.ones(6))])),
    "h2": lambda p, q: sn.sin(A2 @ sn.concat([p, q])),
    "h3": lambda p, q: (A3 @ sn.concat([p, q])) ** 2,
    "M": lambda p: p * sn.sum(p**2),
}
LAWS: dict[str, tuple[Node, list[Node]]] = {
    "one in another": (f(u(x)), [x]),
    "a total derivative": (total, [x]),
    "two arguments": (f(x + y, x * y) * g(y), [x, y]),
    "one argument twice": (f(x, x), [x]),
    "broadcast": (sn.sum(f(X, x) * g(W)), [X, x, W]),
    "composed of arrays": (sn.sum(deep), [X, t1, t2, t3]),
    "a value between": (sn.sum(deep**2), [z1, t2]),
    "a scalar of arrays": (F(X, W @ X, x), [X, W, x]),
    "a layer": (F(g(W @ X + b)), [W, X, b]),
    "a matrix of a matrix": (sn.sum(M(S) * S), [S]),
}


def _defined(node: Any) -> Any:
    names = {n.name for n in sn.expr.nodes.abstract.applications([node])}
    return sn.define(node, {name: BODIES[name] for name in names}) if names else node


def _data(*nodes: Node) -> dict[str, Any]:
    rng = np.random.default_rng(11)
    found = {leaf.name: leaf for node in nodes for leaf in sn.expr.nodes.symbols.leaves(node)}
    return {name: rng.uniform(0.3, 0.9, tuple(map(int, leaf.shape))) for name, leaf in sorted(found.items())}


@pytest.mark.parametrize("name", LAWS)
def test_defining_and_differentiating_commute(name: str) -> None:
    """∂(L with definitions) = (∂L) with definitions, to second order."""
    L, wrt = LAWS[name]
    leaves = [w for w in wrt if not w.operands]
    by_name, concrete = sn.grad(L, wrt), _defined(L)
    data = _data(L)
    slopes = dict(zip(leaves, sn.grad(concrete, leaves), strict=True))
    for w, slope in zip(wrt, by_name, strict=True):
        if w in slopes:
            np.testing.assert_allclose(evaluate(_defined(slope), data), evaluate(slopes[w], data), rtol=1e-9)
    first = leaves[0]
    second = _defined(sn.hessian(L, first))
    np.testing.assert_allclose(
        evaluate(second, data), evaluate(sn.hessian(concrete, first), data), rtol=1e-8, atol=1e-9
    )


@pytest.mark.parametrize("name", LAWS)
def test_both_modes_agree(name: str) -> None:
    L, wrt = LAWS[name]
    w = next(each for each in wrt if not each.operands)
    tangent = sn.tensor("w_dot", *w.shape)
    forward, reverse = _defined(sn.jvp(L, w, tangent)), _defined(sn.sum(sn.grad(L, w) * tangent))
    data = {**_data(L), "w_dot": np.linspace(-1, 1, max(1, int(np.prod(w.shape)))).reshape(tuple(w.shape))}
    np.testing.assert_allclose(evaluate(forward, data), evaluate(reverse, data), rtol=1e-9)


def test_second_derivatives_by_one_vector_are_symmetric() -> None:
    H = sn.hessian(F(X, x), X)
    assert sn.simplify(H.T) is H and str(sn.simplify(b @ H)) == str(sn.simplify(H @ b))
    assert sn.simplify(sn.hessian(F(X, b), [X, b])[0][1].T) is sn.hessian(F(X, b), [X, b])[1][0]


def test_sympy_gets_undefined_functions_and_their_derivatives() -> None:
    s, inner, outer = sympy.Symbol("x", real=True), sympy.Function("u"), sympy.Function("f")
    ours, theirs = sn.to_sympy(sn.grad(f(u(x), x), x)), outer(inner(s), s).diff(s)
    put = {inner: lambda p: p**2 + 1, outer: lambda p, q: sympy.sin(p) * q}
    settle = lambda e: sympy.simplify(e.replace(outer, put[outer]).doit().replace(inner, put[inner]).doit())
    assert sympy.simplify(settle(ours) - settle(theirs)) == 0
    rows = sn.to_sympy(sn.jacobian(h1(X), X))
    assert rows.shape == (4, 3) and rows[2, 1].has(sympy.Derivative)


# --------------------------------------------------------------------------- steps


def test_a_derivation_names_its_rules_and_jacobians() -> None:
    found = sn.derive(F(z2, t3), [t1, t2, t3]).text()
    assert "∂z2/∂z1 = ∂h2/∂z1" in found and "derivative of h2" in found
    assert "∂L/∂t1 = (∂h1/∂t1).T @ (∂h2/∂z1).T @ (∂F/∂z2)" in found
    scalar = sn.derive(total.named("y"), x)
    assert "∂y/∂x = ∂f/∂x + (∂f/∂u)*u'(x) + (∂f/∂v)*v'(x)" in scalar.text()
    assert "∂u(u)/∂u = u'(u)" in scalar.text() or "derivative of u" in scalar.text()
    assert "<svg" in scalar.html() and "<svg" in scalar.slides() and scalar.latex()


# --------------------------------------------------------------------------- refused


@pytest.mark.parametrize(
    ("ask", "call"),
    [
        (lambda: sn.compile(f(x)), r"compile\(…\)"),
        (lambda: sn.compile(f(x), stop_after="numeric"), r"compile\(…\)"),
        (lambda: sn.value_and_grad(f(x), [x]), r"value_and_grad\(…\)"),
        (lambda: evaluate(f(x), {"x": 1.0}), r"evaluate\(…\)"),
        (lambda: sn.derive(f(x), x, at={"x": 1}), r"derive\(y, x, at=…\)"),
        (lambda: sn.check(2 * x, f(x), x), r"check\(mine, L, wrt\)"),
        (lambda: sn.critical_points(f(x), x), r"critical_points\(f, wrt\)"),
        (lambda: sn.compare(f(x), [x], {"x": 1.0}), r"compare\(L, wrt, data\)"),
        (lambda: sn.flops(f(x)), r"flops\(…\)"),
    ],
    ids=lambda given: given if isinstance(given, str) else "",
)
def test_what_needs_a_value_says_that_there_is_none(ask: Callable[[], Any], call: str) -> None:
    message = rf"{call}: expected functions that have a definition; got the abstract function f, .* sn\.define\(y, "
    with pytest.raises(sn.MissingRuleError, match=message):
        ask()


@pytest.mark.parametrize(
    ("ask", "error", "message"),
    [
        (lambda: sn.function("a b"), sn.ArgumentError, "expected a word; got 'a b'"),
        (lambda: sn.function(3), sn.ArgumentError, "expected a word; got 3"),
        (lambda: sn.function("f", latex=3), sn.ArgumentError, "expected text as latex; got latex=3"),
        (lambda: sn.function("f", shape="n"), sn.ShapeError, "expected an int or a dim for each extent; got 'n'"),
        (lambda: f(), sn.ArgumentError, "expected at least one argument; got none"),
        (lambda: f(X, sn.tensor("q", 4)), sn.ShapeError, r"f\(…\)"),
        (lambda: f(x, sn.scalar("q", dtype="float32")), sn.DTypeError, r"f\(…\).*float32 and float64"),
        (lambda: sn.define(f(x), {"q": sn.tanh}), sn.ArgumentError, "got 'q', beside f"),
        (lambda: sn.define(f(x), {f: 3}), sn.ArgumentError, "what computes f; got 3"),
        (lambda: sn.define(f(x), {f: lambda a, b: a}), sn.ArgumentError, "one argument for f; got one of \\(a, b\\)"),
        (lambda: sn.define(f(x, x), {f: lambda a: a}), sn.ArgumentError, "2 arguments for f; got one of \\(a\\)"),
        (
            lambda: sn.define(f(x, x), {f: sn.tanh}),
            sn.ArgumentError,
            "define.*: expected a function of 2 .*lambda x0, x1",
        ),
        (lambda: sn.define(f(x), sn.tanh), sn.ArgumentError, "expected a dict of functions"),
        (lambda: sn.define(h1(X), {h1: sn.tanh}), sn.ShapeError, r"of shape \(4,\) from h1; got shape \(3,\)"),
        (lambda: sn.define(f(X), {f: sn.softmax}), sn.ShapeError, "a function of elements for f"),
    ],
)
def test_a_wrong_use_is_refused(ask: Callable[[], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        ask()


def test_definitions_may_be_put_in_one_by_one() -> None:
    half = sn.define(sn.grad(f(u(x)), x), {u: lambda p: p**2})
    assert str(half) == "2*x*f'(x**2)" and str(sn.define(half, {"f": sn.exp})) == "2*x*exp(x**2)"

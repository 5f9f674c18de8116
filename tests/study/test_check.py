"""Derivatives worked out by hand: right ones are found right however written, wrong ones wrong in their way."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
import sympy

import symnet as sn
from symnet.errors import ArgumentError, ShapeError
from symnet.expr.nodes.symbols import leaves
from symnet.reference import evaluate
from symnet.simplify.algebra.table import simplify
from symnet.study.check.terms import MOST, terms

m, n = sn.dim("m"), sn.dim("n")
X, w, y = sn.tensor("X", m, n), sn.tensor("w", n), sn.tensor("y", m)
A, B, W = sn.tensor("A", m, n), sn.tensor("B", n, m), sn.tensor("W", n, n)
x, b, lam = sn.tensor("x", n), sn.tensor("b", m), sn.scalar("lam")
s, r, v = sn.scalar("s"), sn.scalar("r"), sn.tensor("v", n)
P, Q = sn.tensor("P", n, n), sn.tensor("Q", n, n)
Z, D = sn.tensor("Z", m, 4), sn.tensor("D", m, 4, one_hot=True)
t = sn.labels("t", m, classes=4)
SQUARES = sn.mean((X @ w - y) ** 2)
RIDGE = sn.sum(sn.log(x)) + lam * sn.sum(x**2)
TANH = sn.sum(sn.tanh(A @ x + b))
ENTROPY = sn.mean(sn.cross_entropy(sn.softmax(Z), D))

RIGHT: list[tuple[Any, Any, Any]] = [
    ("2*X.T @ (X@w - y)/m", SQUARES, w),
    ("2*(X@w - y) @ X/m", SQUARES, "w"),
    (2 * X.T @ X @ w / m - 2 * X.T @ y / m, SQUARES, w),
    ("2*lam*x + 1/x", RIDGE, x),
    ("(1 - tanh(A@x + b)**2) @ A", TANH, x),
    ("4*exp(2*(A@x + b))/(1 + exp(2*(A@x + b)))**2 @ A", TANH, x),
    ("(softmax(Z) - D)/m", ENTROPY, Z),
    ("(softmax(Z) - t)/m", sn.mean(sn.cross_entropy(sn.softmax(Z), t)), Z),
    ("outer(x, x)", x @ W @ x, W),
    (3, 3 * lam, lam),
    ("B.T", sn.trace(A @ B), A),
]

WRONG: list[tuple[Any, Any, Any, str]] = [
    ("X.T @ (X@w - y)/m", SQUARES, w, "1/2 times the gradient; a factor 2 is lost"),
    ("2*X.T @ (X@w - y)", SQUARES, w, "m times the gradient; a factor 1/m is lost"),
    ("X.T @ (X@w - y)", SQUARES, w, "m/2 times the gradient; a factor 2/m is lost"),
    ("2*X.T @ (X@w - y)/n", SQUARES, w, "m/n times the gradient; a factor n/m is lost"),
    ("-2*X.T @ (X@w - y)/m", SQUARES, w, "the sign is wrong: it is minus the gradient"),
    ("2*X.T @ (y - X@w)", SQUARES, w, "the sign is wrong, and it is m times the gradient; a factor 1/m is lost"),
    ("2*X.T @ (X@w + y)/m", SQUARES, w, "the sign of the term "),
    ("2*X.T @ (X@w)/m", SQUARES, w, "is missing"),
    ("2*X.T @ (X@w)/m - X.T @ y/m", SQUARES, w, "is 1/2 times what it should be"),
    ("2*X.T @ (X@w - y)/m + w", SQUARES, w, "the term w is too many"),
    (
        "(2*X.T @ (X@w - y)/m)[None, :]",
        SQUARES,
        w,
        "the right values as a row, the derivative in numerator layout, but",
    ),
    ("2*X*(X@w - y)[:, None]/m", SQUARES, w, "one gradient for each of m samples: the sum over axis 0 is missing"),
    ("2*X*(X@w - y)[:, None]", SQUARES, w, "the mean over axis 0 is missing"),
    ("X @ w - y", SQUARES, w, "the wrong shape: of shape (m,), where the variable has shape (n,)"),
    ("1/x", RIDGE, x, "the term 2*lam*x is missing"),
    ("1/x + lam*x", RIDGE, x, "the term lam*x is 1/2 times what it should be"),
    ("1/x - 2*lam*x", RIDGE, x, "the sign of the term -2*lam*x is wrong"),
    ("x**-2 + 2*lam*x", RIDGE, x, "the term 1/x**2 should be 1/x: the factor x is missing"),
    ("A.T @ sigmoid(A@x + b)", TANH, x, "another function: it differs in 4 of 4 elements"),
    ("softmax(Z) - D", ENTROPY, Z, "m times the gradient; a factor 1/m is lost"),
    ("D - softmax(Z)", ENTROPY, Z, "the sign is wrong, and it is m times the gradient"),
    ("B", sn.trace(A @ B), A, "transposed: of shape (n, m), where the variable has shape (m, n)"),
    (
        "2*B",
        sn.trace(A @ B),
        A,
        "transposed (of shape (n, m), where the variable has shape (m, n)), and then it is off by",
    ),
    ("outer(b @ A, x)", b @ A @ W @ x, W, ""),
    ("outer(x, b @ A)", b @ A @ W @ x, W, "transposed: it is the transpose of the gradient"),
    (
        "3*outer(x, b @ A)",
        b @ A @ W @ x,
        W,
        "transposed: it is the transpose, and then it is off by a factor: 3 times",
    ),
    ("cos(x)", sn.sum(sn.sin(x) ** 2), x, "the factor sin(x) is missing"),
    (
        "2*x*cos(x**2)*x",
        sn.sum(sn.sin(x**2)),
        x,
        "the power rule at x**2, (u**n)' = n*u**(n - 1)*u': the exponent stays",
    ),
    ("1.2345*x", sn.sum(x**2), x, "0.61725 times the gradient"),
    # One instance must not decide: what holds on one side of 0 only, for symmetric matrices only, in another order.
    ("2*s", s * sn.abs(s), s, "right only where s > 0: elsewhere the sign is wrong"),
    ("3*s**2", sn.abs(s) ** 3, s, "right only where s > 0"),
    ("2*s*r", s**2 * sn.abs(r), s, "right only where r > 0"),
    ("2*s", sn.relu(s) * s, s, "right only where s > 0"),
    ("-2*abs(s)", s * sn.abs(s), s, "the sign is wrong: it is minus the gradient"),
    ("-2*v", sn.sum(v * sn.abs(v)), v, "right only where v < 0"),
    ("Q.T @ P.T @ (Q @ P @ v)", sn.sum((Q @ P @ v) ** 2) / 2, v, "Q.T @ P.T should be P.T @ Q.T"),
    ("(P + P.T) @ Q", sn.trace(Q @ P @ Q.T), Q, "should"),
    ("P @ Q @ (Q @ P @ v)", sn.sum((Q @ P @ v) ** 2) / 2, v, "right only where P and Q are symmetric"),
]


@pytest.mark.parametrize(("mine", "L", "wrt"), RIGHT, ids=lambda v: str(v)[:40])
def test_what_is_right_is_found_right(mine: Any, L: Any, wrt: Any) -> None:
    verdict = sn.check(mine, L, wrt)
    assert verdict.right and verdict and verdict.counterexample is None
    assert str(verdict).startswith("right: ")


@pytest.mark.parametrize(("mine", "L", "wrt", "reason"), [c for c in WRONG if c[3]], ids=lambda v: str(v)[:40])
def test_what_is_wrong_is_told_how(mine: Any, L: Any, wrt: Any, reason: str) -> None:
    verdict = sn.check(mine, L, wrt)
    assert not verdict.right and not verdict
    assert reason in verdict.reason
    assert "wrong: " in str(verdict) and f"the gradient is {verdict.gradient}" in str(verdict)


def test_the_counterexample_shows_numbers_that_a_finite_difference_confirms() -> None:
    example = sn.check("1/x", RIDGE, x).counterexample
    assert example is not None and example.difference is not None
    assert example.gradient[example.index] == pytest.approx(example.difference, rel=1e-6)
    assert example.mine[example.index] != pytest.approx(example.difference, rel=1e-3)
    assert np.all(example.data["x"] > 0), "log asks for positive numbers"
    assert re.search(r"yours\[\d\] is .*, the gradient\[\d\] is ", str(example))


def test_assumptions_hold_in_the_counterexample() -> None:
    example = sn.check("softmax(Z) - D", ENTROPY, Z).counterexample
    assert example is not None and np.all(example.data["D"].sum(axis=-1) == 1)


def test_by_an_intermediate_value() -> None:
    Y = sn.softmax(Z).named("Y")
    L = sn.mean(sn.cross_entropy(Y, D))
    assert sn.check("-D/Y/m", L, Y).right
    assert sn.check("-D/Y", L, "Y").reason == "m times the gradient; a factor 1/m is lost"


def test_sympy_on_every_side() -> None:
    k, a = sympy.symbols("k a")
    S, v = sympy.MatrixSymbol("S", k, k), sympy.MatrixSymbol("v", k, 1)
    quadratic = sympy.Trace(v.T * S * v)
    assert sn.check((S + S.T) * v, quadratic, v).right
    assert sn.check(2 * S * v, quadratic, v).reason == "S stands where S.T should"
    assert sn.check(2 * a, a**2, a).right and sn.check("2*a", "a**2", "a").right


def test_wrong_questions_are_refused() -> None:
    with pytest.raises(ArgumentError, match="expected one of X, w, y; got 'v'"):
        sn.check("x", SQUARES, "v")
    with pytest.raises(ArgumentError, match=r"got Q\. Check the name"):
        sn.check("Q", SQUARES, w)


@pytest.mark.parametrize("node", [sn.grad(L, v) for _, L, v in RIGHT if not isinstance(v, str)], ids=str)
def test_the_terms_of_a_formula_add_up_to_it(node: Any, rng: np.random.Generator) -> None:
    (plain,) = simplify([node])
    sizes = {m: 3, n: 4}
    data = {
        leaf.name: np.eye(4)[rng.integers(0, 4, 3)] if leaf.name == "D"
        else rng.integers(0, 4, 3) if leaf.dtype == "int64"
        else rng.uniform(1, 2, [sizes.get(e, e) for e in leaf.shape])
        for leaf in (*leaves(plain), *leaves(A))
    }  # fmt: skip
    parts = terms(plain)
    assert 1 <= len(parts) <= MOST
    total = sum(evaluate(p, data, leaves=leaves(A)) for p in parts)
    np.testing.assert_allclose(total, evaluate(plain, data, leaves=leaves(A)), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("at", [1e-9, 1e-3, 30, 1000])
@pytest.mark.parametrize("claim", ["where(x > -{0}, 2*x, 0)", "where(abs(x) < {0}, 0, 2*x)", "2*x + relu(x - {0})"])
def test_what_differs_beyond_a_number_of_the_formula_is_seen(claim: str, at: float) -> None:
    assert not sn.check(claim.format(at), "x**2", "x").right
    if at < 1:
        assert not sn.check(f"2*x + {at}", "x**2", "x").right


@pytest.mark.parametrize("at", [1e-9, 1e-3, 30, 1000])
@pytest.mark.parametrize(("function", "slope"), [
    ("maximum(x, -{0})", "where(x > -{0}, 1, 0)"),
    ("clip(x, -{0}, {0})", "where(abs(x) < {0}, 1, 0)"),
    ("sqrt(x**2 + {0}**2)", "x*(x**2 + {0}**2)**-0.5"),
    ("where(abs(x) < {0}, x**2/2, {0}*abs(x) - {0}**2/2)", "minimum(maximum(x, -{0}), {0})"),
    ("x/(1 + exp(-x/{0}))", "1/(1 + exp(-x/{0})) + x*exp(-x/{0})/(1 + exp(-x/{0}))**2/{0}"),
])  # fmt: skip
def test_numbers_of_any_size_in_a_right_answer_are_accepted(function: str, slope: str, at: float) -> None:
    assert sn.check(slope.format(at), function.format(at), "x").right


def test_what_differs_only_far_out_is_seen() -> None:
    verdict = sn.check("2*X.T @ (X@w - y)/m * (1 + relu(w - 5))", SQUARES, w)
    assert not verdict.right and "not on all others" in verdict.reason and verdict.counterexample is not None
    assert verdict.counterexample.data["w"].max() > 5
    assert "a finite difference gives" in str(verdict)


# --------------------------------------------------------------------------- Jacobians, layouts

GATE = sn.tanh(A @ x + b)
LAID: list[tuple[str, Any, Any, str | None, str]] = [
    ("A", A @ x, x, None, ""),
    ("A.T", A @ x, x, "denominator", ""),
    ("A", A @ x, x, "numerator", ""),
    ("A.T", A @ x, x, None, "transposed: of shape (n, m), where it has shape (m, n)"),
    ("A", A @ x, x, "denominator", "transposed: of shape (m, n), where it has shape (n, m)"),
    ("A*(1 - tanh(A@x + b)**2)[:, None]", GATE, x, None, ""),
    ("-A*(1 - tanh(A@x + b)**2)[:, None]", GATE, x, None, "the sign is wrong: it is minus the Jacobian"),
    ("A", GATE, x, None, "the factor 1 - tanh(A @ x + b)**2 is missing"),
    ("3*A", A @ x, x, "numerator", "3 times the derivative in numerator layout; a factor 1/3 is lost"),
    ("2*x[None, :]", sn.sum(x**2), x, "numerator", ""),
    ("2*x[:, None]", sn.sum(x**2), x, "denominator", ""),
    ("2*x", sn.sum(x**2), x, "numerator", "the right values, but of shape (n,), where it has shape (1, n)"),
    ("diag(softmax(x)) - outer(softmax(x), softmax(x))", sn.softmax(x), x, None, ""),
    ("cos(s)", sn.stack([sn.sin(s), sn.cos(s)]), s, None, "the wrong shape"),
]


@pytest.mark.parametrize(("mine", "root", "by", "layout", "reason"), LAID)
def test_jacobians_and_layouts_are_graded(mine: str, root: Any, by: Any, layout: str | None, reason: str) -> None:
    verdict = sn.check(mine, root, by, layout=layout)
    assert verdict.right == (not reason), verdict
    assert verdict.reason.startswith(reason), verdict.reason
    assert verdict.gradient == (sn.derivative(root, by, layout) if layout else sn.jacobian(root, by))
    if not verdict.right and root.rank:
        assert f"the {'Jacobian' if layout is None else f'derivative in {layout} layout'} is " in str(verdict)


# --------------------------------------------------------------------------- functions for their slopes

SMOOTH = ("sin", "cos", "tanh", "sigmoid", "softplus", "sinh", "cosh", "atan", "erf", "log1p", "asinh")


@pytest.mark.parametrize("name", SMOOTH)
def test_a_function_in_the_place_of_its_derivative_is_seen(name: str) -> None:
    function = getattr(sn, name)
    alone = sn.check(f"{name}(s)", function(s), s)
    assert alone.reason == "it is the function itself, not its derivative"


def test_functions_slopes_numbers_and_transposes_are_named() -> None:
    wrong = {
        ("A.T@sin(A@x)", sn.sum(sn.sin(A @ x)), x): "sin(A @ x) stands where its derivative, cos(A @ x), should",
        ("A.T@tanh(A@x + b)", TANH, x): "tanh(A @ x + b) stands where its derivative",
        ("2*exp(s)", sn.exp(2 * s), s): "the factor 2 is missing in exp(2*s)",
        ("cos(s)*3", sn.sin(3 * s), s): "the factor 3 is missing in cos(3*s)",
        ("P@Q", sn.trace(P @ W @ Q), W): "P and Q should be transposed",
        ("-P@Q", sn.trace(P @ W @ Q), W): "P and Q should be transposed, and the sign is wrong",
        ("relu(s)", sn.relu(s), s): "it is the function itself",
    }
    for (mine, loss, by), reason in wrong.items():
        assert sn.check(mine, loss, by).reason.startswith(reason), (mine, sn.check(mine, loss, by).reason)


def test_shapes_that_do_not_fit_are_told_in_the_words_of_the_formula() -> None:
    said = r"2\*\(X @ w - y\) has shape \(m,\), X has shape \(m, n\): \(2\*\(X @ w - y\)\) @ X may be meant"
    with pytest.raises(ShapeError, match=said):
        sn.check("2*(X@w - y)*X/m", SQUARES, w)
    with pytest.raises(ShapeError, match=r"\(X @ w - y\) @ \(2\*X\) may be meant, the product of arrays\n    2\*X\*"):
        sn.check("2*X*(X@w - y)/m", SQUARES, w)


@pytest.mark.parametrize(
    ("mine", "L", "by", "right"),
    [
        ("2*X.T @ X/m", SQUARES, w, True),
        ("X.T @ X/m", SQUARES, w, False),
        ("2*eye(n)", sn.sum(x**2), x, True),
        ("2*x", sn.sum(x**2), x, False),
        (2, s**2, s, True),
        ("6*s", s**3, "s", True),
        ("W + W.T", x @ W @ x, x, True),
        ("W", x @ W @ x, x, False),
    ],
)
def test_a_hessian_is_graded(mine: Any, L: Any, by: Any, right: bool) -> None:
    verdict = sn.check(mine, L, by, order=2)
    assert verdict.right is right and verdict.noun == "Hessian"
    assert right or ("the Hessian is" in str(verdict) and "finite difference" not in str(verdict))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"order": 3}, r"check\(mine, L, wrt, order=3\): expected 1 or 2; got 3"),
        ({"order": 2, "layout": "numerator"}, "expected no layout; got 'numerator'"),
    ],
)
def test_another_order_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        sn.check("2*x", sn.sum(x**2), x, **given)

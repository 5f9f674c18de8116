"""Formulas in three notations: golden texts, the text read back, and graphs too large to be written as trees."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy.printing.str import sstr

import symnet as sn
from symnet.expr.nodes import node as node_module
from symnet.expr.nodes.constants import constant, identity, iota, size
from symnet.expr.nodes.contraction import contract, einsum, mean, outer, sum, trace, transpose
from symnet.expr.nodes.elementwise import elementwise, exp, indicator, log, sigmoid, sqrt, tanh, where, xlogy
from symnet.expr.nodes.expansion import expand, fill, keep_axes
from symnet.expr.nodes.extents import dim, ints_arg, shape_arg
from symnet.expr.nodes.indexing import labels, one_hot, take
from symnet.expr.nodes.linalg import det, inv, logdet, solve
from symnet.expr.nodes.movement import Place, broadcast_to, concat, pad, reshape, stack
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.norms import norm
from symnet.expr.nodes.primitives import PRIMITIVES
from symnet.expr.nodes.reduction import argmax, log_softmax, logsumexp, max, softmax
from symnet.expr.nodes.running import running_logsumexp, scaled_sum
from symnet.expr.nodes.symbols import Barrier, Sealed, scalar, tensor
from symnet.expr.printing import latex, pretty, text
from symnet.expr.printing.forms import KINDS, MATMUL
from symnet.expr.printing.latex import WRITERS as LATEX_WRITERS
from symnet.expr.printing.latex import name_latex
from symnet.expr.printing.layout import READERS
from symnet.expr.printing.mathml import mathml
from symnet.expr.printing.pretty import WRITERS as PRETTY_WRITERS
from symnet.expr.printing.text import WRITERS as TEXT_WRITERS
from symnet.expr.printing.text import TextPiece
from symnet.reference import evaluate
from tests.cases import CASES, Case
from tests.expr.reading import names_of, read_back
from tests.kinds import NUMERIC

m = dim("m")
X, D, Z = tensor("X", m, 64), tensor("D", m, 10, one_hot=True), tensor("Z", m, 10)
W1, b1, W2, b2 = tensor("W1", 64, 128), tensor("b1", 128), tensor("W2", 128, 10), tensor("b2", 10)
w, y = tensor("w", 64), tensor("y", m)
A, B, C, S = tensor("A", 3, 4), tensor("B", 4, 5), tensor("C", 3, 4), tensor("S", 4, 4)
u, v, c, x = tensor("u", 3), tensor("v", 4), tensor("c", 5), tensor("x", 8)
Q = tensor("Q", 2, 3, 4)
a, b = scalar("a"), scalar("b")
i = tensor("i", m, dtype="int64")
Y = softmax(Z).named("Y")
H = sigmoid(X @ w)

# (expression, text, LaTeX)
GOLDEN: list[tuple[Node, str, str]] = [
    # one element of many, and quadratic forms as they are typed
    (sn.grad(sn.tensor("p", 40)[2] ** 2, sn.tensor("p", 40)), "2*p[2]*eye(40)[2]", r"2 p[2] e_{2}"),
    (sn.simplify(v @ S @ v), "v @ S @ v", r"v^{\top} S v"),
    (sn.simplify(u @ A @ B @ c), "u @ A @ B @ c", r"u^{\top} A B c"),
    # scalars that are stacked, and zeros beside them
    (stack([a, b * a]), "[a, a*b]", r"\begin{bmatrix} a \\ a b \end{bmatrix}"),
    (stack([stack([a, b]), stack([b, a])]), "[[a, b], [b, a]]", r"\begin{bmatrix} a & b \\ b & a \end{bmatrix}"),
    (pad(stack([a]), [(1, 1)]), "[0, a, 0]", r"\begin{bmatrix} 0 \\ a \\ 0 \end{bmatrix}"),
    (concat([u[1:2], stack([a])]), "[u[1], a]", r"\begin{bmatrix} u[1] \\ a \end{bmatrix}"),
    # abstract functions (more in tests/calculus/test_abstract.py)
    (sn.function("h", shape=(4,))(u, a), "h(u, a)", "h(u, a)"),
    # sums: signs, order of terms
    (a - b, "a - b", "a - b"),
    (-b + a, "a - b", "a - b"),
    (-a - b, "-a - b", "-a - b"),
    (a - (b - 1), "a - (b - 1)", "a - (b - 1)"),
    (1 + exp(-v), "1 + exp(-v)", r"\mathbf{1} + \exp(-v)"),
    (1 + a**2 + 2 * a, "a**2 + 2*a + 1", "a^{2} + 2 a + 1"),
    (1 - tanh(v) ** 2, "1 - tanh(v)**2", r"\mathbf{1} - \tanh(v)^{2}"),
    (tensor("x10", 2) + tensor("x9", 2), "x9 + x10", "x_{9} + x_{10}"),
    (a - sympy.Rational(3, 2), "a - 3/2", r"a - \frac{3}{2}"),
    # products and quotients
    ((Y - D) / m, "(Y - D)/m", r"\frac{1}{m} (Y - D)"),
    (1 / a, "1/a", r"\frac{1}{a}"),
    (a / b / 2, "a/(2*b)", r"\frac{a}{2 b}"),
    (a / (b * a), "a/(a*b)", r"\frac{a}{a b}"),
    (v / a**2, "v/a**2", r"\frac{1}{a^{2}} v"),
    (-a * b, "-a*b", "-a b"),
    (v * -2 * a, "-2*a*v", "-2 a v"),
    (v * (1 - v), "v*(1 - v)", r"v \odot (\mathbf{1} - v)"),
    ((1 - H) * H, "sigmoid(X @ w)*(1 - sigmoid(X @ w))", r"\sigma(X w) \odot (\mathbf{1} - \sigma(X w))"),
    (0.1 * v, "0.1*v", "0.1 v"),
    (v * sympy.Rational(44715, 1000000), "0.044715*v", "0.044715 v"),
    (1e-8 * v, "1e-08*v", r"1 \cdot 10^{-8} v"),
    (2 * (3 * v), "2*3*v", r"2 \cdot 3 v"),
    (v / sympy.sqrt(2), "v/sqrt(2)", r"\frac{1}{\sqrt{2}} v"),
    (v * (1 / sympy.sqrt(2)), "v/sqrt(2)", r"\frac{1}{\sqrt{2}} v"),
    (m * a, "m*a", "m a"),
    (v / S, "v/S", r"\frac{\mathbf{1} v^{\top}}{S}"),
    # signs
    (-(X.T @ (D - Y)) / m, "X.T @ (Y - D)/m", r"\frac{1}{m} X^{\top} (Y - D)"),
    (-mean(D - Y, 0), "mean(Y - D, axis=0)", r"\frac{1}{m} (Y - D)^{\top} \mathbf{1}"),
    (-((X @ W1).T @ (D - Y)) * 2 / m, "2*(X @ W1).T @ (Y - D)/m", r"\frac{2}{m} (X W_{1})^{\top} (Y - D)"),
    (mean(-sum(D * log(Y), 1)), "mean(-sum(D*log(Y), axis=1))", r"-\frac{1}{m} \sum D \odot \log(Y)"),
    (-mean(sum(D * log(Y), 1)), "-mean(sum(D*log(Y), axis=1))", r"-\frac{1}{m} \sum D \odot \log(Y)"),
    (sum(-X, 1), "sum(-X, axis=1)", r"-X \mathbf{1}"),
    # powers
    (a**2, "a**2", "a^{2}"),
    (sqrt(a), "sqrt(a)", r"\sqrt{a}"),
    (1 / sqrt(a), "1/sqrt(a)", r"\frac{1}{\sqrt{a}}"),
    ((-a) ** 2, "(-a)**2", "(-a)^{2}"),
    (-(a**2), "-a**2", "-a^{2}"),
    ((a + b) ** 2, "(a + b)**2", "(a + b)^{2}"),
    ((a**b) ** 3, "(a**b)**3", r"\left(a^{b}\right)^{3}"),
    (a ** (b + 1), "a**(b + 1)", "a^{b + 1}"),
    (v ** sympy.Rational(1, 3), "v**(1/3)", r"v^{\frac{1}{3}}"),
    (A**2, "A**2", r"A^{\odot 2}"),
    # functions
    (softmax(tanh(X @ W1 + b1) @ W2 + b2), "softmax(tanh(X @ W1 + b1) @ W2 + b2)",
     r"\operatorname{softmax}\left(\tanh\left(X W_{1} + \mathbf{1} b_{1}^{\top}\right) W_{2}"
     r" + \mathbf{1} b_{2}^{\top}\right)"),
    (sn.relu(a), "relu(a)", r"\operatorname{relu}(a)"),
    (elementwise("maximum", 0, a), "maximum(0, a)", r"\max(0, a)"),
    (sigmoid(v), "sigmoid(v)", r"\sigma(v)"),
    (abs(v), "abs(v)", r"\left|v\right|"),
    (elementwise("floor", v), "floor(v)", r"\left\lfloor v \right\rfloor"),
    (indicator(a >= 0), "1[a >= 0]", r"\mathbf{1}[a \geq 0]"),
    (v < u[0], "v < u[0]", "v < u[0]"),
    (where(v > 0, v, 0), "where(v > 0, v, 0)", r"\begin{cases} v & v > 0 \\ 0 & \text{otherwise} \end{cases}"),
    (elementwise("eq", i, 3), "equal(i, 3)", "i = 3"),
    (xlogy(D, Y), "xlogy(D, Y)", r"D \odot \log(Y)"),
    (log_softmax(Z), "log_softmax(Z)", r"\log\operatorname{softmax}(Z)"),
    (Z + b2 - logsumexp(Z + b2, 1, keepdims=True), "log_softmax(Z + b2)",
     r"\log\operatorname{softmax}\left(Z + \mathbf{1} b_{2}^{\top}\right)"),
    (elementwise("add", Z, b2, -logsumexp(Z + b2, 1, True)), "log_softmax(Z + b2)",
     r"\log\operatorname{softmax}\left(Z + \mathbf{1} b_{2}^{\top}\right)"),
    (softmax(Z, axis=0), "softmax(Z, axis=0)", r"\operatorname{softmax}_{0}(Z)"),
    (exp(v - logsumexp(v)), "softmax(v)", r"\operatorname{softmax}(v)"),
    (exp(Z) / exp(Z).sum(1, keepdims=True), "exp(Z)/sum(exp(Z), axis=1, keepdims=True)",
     r"\frac{\exp(Z)}{\exp(Z) \mathbf{1} \mathbf{1}^{\top}}"),
    # contractions
    (2 * X.T @ (X @ w - y) / m, "2*X.T @ (X @ w - y)/m", r"\frac{2 X^{\top} (X w - y)}{m}"),
    (X.T @ (D - Y), "X.T @ (D - Y)", r"X^{\top} (D - Y)"),
    ((A @ B) * (A @ B), "(A @ B)*(A @ B)", r"(A B) \odot (A B)"),
    (a * (A @ B), "a*A @ B", "a A B"),
    (A @ (B @ c), "A @ B @ c", "A B c"),
    ((A + C) @ B, "(A + C) @ B", "(A + C) B"),
    ((A @ B).T, "(A @ B).T", r"(A B)^{\top}"),
    (contract([[0, 1], [0, 2]], [1, 2], A, C), "A.T @ C", r"A^{\top} C"),
    (contract([[0, 1], [1, 2]], [2, 0], A, B), "B.T @ A.T", r"B^{\top} A^{\top}"),
    (v @ S @ v, "v @ S @ v", r"v^{\top} S v"),
    (einsum("i,ij,j->", u, A, v), "u @ A @ v", r"u^{\top} A v"),
    (einsum("ij,ik,i->jk", A, C, u), "A.T @ diag(u) @ C", r"A^{\top} \operatorname{diag}(u) C"),
    ((A.T * u) @ A, "A.T @ diag(u) @ A", r"A^{\top} \operatorname{diag}(u) A"),
    (A.T @ (A * expand(u, (3, 4), (0,))), "A.T @ diag(u) @ A", r"A^{\top} \operatorname{diag}(u) A"),
    ((A * v) @ B, "(A*v) @ B", r"A \operatorname{diag}(v) B"),
    (einsum("ij,jk,k->i", A, B, c), "A @ B @ c", "A B c"),
    (einsum("ij,jk,ik->k", A, B, tensor("E", 3, 5)), 'einsum("ij,jk,ik->k", A, B, E)',
     r"\left[\sum_{ij} A_{ij} B_{jk} E_{ik}\right]_{k}"),
    (trace(S @ S), "trace(S @ S)", r"\operatorname{tr}(S S)"),
    (einsum("ij,jk,ik->", S, S, S), "trace(S @ S @ S.T)", r"\operatorname{tr}\left(S S S^{\top}\right)"),
    (einsum("ij,ij->", A, C), "sum(A*C)", r"\sum A \odot C"),
    (einsum("ij,ij->i", A, C), "sum(A*C, axis=1)", r"(A \odot C) \mathbf{1}"),
    (einsum("i,ij->ij", u, A), "A*u[:, None]", r"\operatorname{diag}(u) A"),
    (einsum("ii->i", S), "diag(S)", r"\operatorname{diag}(S)"),
    (einsum("i,ij->ij", v, identity(4)) - outer(v, v), "diag(v) - outer(v, v)",
     r"\operatorname{diag}(v) - v v^{\top}"),
    (identity(4) * v - outer(v, v), "diag(v) - outer(v, v)", r"\operatorname{diag}(v) - v v^{\top}"),
    (2 * expand(v, (4, 4), (0,)) * identity(4) * exp(v), "2*diag(v*exp(v))", r"2 \operatorname{diag}(v \odot \exp(v))"),
    (identity(4) * S * v, "eye(4)*S*v", r"(I_{4} \odot S) \operatorname{diag}(v)"),
    (einsum("ik,j->ijk", identity(3), v), 'einsum("ik,j->ijk", eye(3), v)', r"\left[\delta_{ik} v_{j}\right]_{ijk}"),
    (einsum("ijk,kl->ijl", Q, B), "Q @ B", r"\left[\sum_{l} Q_{ijl} B_{lk}\right]_{ijk}"),
    (einsum(",i->i", a, v), "a*v", "a v"),
    (transpose(Q, 0, 2, 1), "transpose(Q, (0, 2, 1))", r"\left[Q_{ikj}\right]_{ijk}"),
    # linear algebra
    (det(S), "det(S)", r"\det S"),
    (logdet(S.T @ S), "logdet(S.T @ S)", r"\log\left|\det \left(S^{\top} S\right)\right|"),
    (solve(S, v), "solve(S, v)", "S^{-1} v"),
    (sn.cumsum(A, 1), "cumsum(A, axis=1)", r"\operatorname{cumsum}_{1}(A)"),
    (sn.cumprod(A, 1), "cumprod(A, axis=1)", r"\operatorname{cumprod}_{1}(A)"),
    (sn.cumprod(v, reverse=True, exclusive=True), "cumprod(v, reverse=True, exclusive=True)",
     r"\operatorname{cumprod}_{\text{reverse}, \text{exclusive}}(v)"),
    (sn.linear_recurrence(A, C, 0), "linear_recurrence(A, C, axis=0)",
     r"\operatorname{linear\_recurrence}_{0}(A, C)"),
    (inv(S).T @ v, "inv(S).T @ v", r"S^{-\top} v"),
    (norm(v), "norm(v)", r"\left\|v\right\|"),
    # sums, means, reductions
    (-sum(D * log(Y), 1), "-sum(D*log(Y), axis=1)", r"-(D \odot \log(Y)) \mathbf{1}"),
    (sum(X, 0), "sum(X, axis=0)", r"X^{\top} \mathbf{1}"),
    (sum(Q, (0, 2)), "sum(Q, axis=(0, 2))", r"\left[\sum_{jk} Q_{jik}\right]_{i}"),
    (mean((X @ w - y) ** 2), "mean((X @ w - y)**2)", r"\frac{1}{m} \sum (X w - y)^{2}"),
    (mean(X, 1, keepdims=True), "mean(X, axis=1, keepdims=True)", r"\frac{1}{64} X \mathbf{1}"),
    (sum(v) * sympy.Rational(3, 4), "3*mean(v)", r"3 \frac{1}{4} \sum v"),
    (a * sum(A**2) / 2 + mean(A), "a*sum(A**2)/2 + mean(A)", r"\frac{a}{2} \sum A^{\odot 2} + \frac{1}{12} \sum A"),
    (max(X, 1), "max(X, axis=1)", r"\max_{1}(X)"),
    (argmax(v), "argmax(v)", r"\arg\max(v)"),
    (argmax(A), "argmax(A, axis=1)", r"\arg\max_{1}(A)"),
    (logsumexp(Z, 1), "logsumexp(Z, axis=1)", r"\operatorname{logsumexp}_{1}(Z)"),
    # broadcasting that NumPy implies is not written
    ((Y * expand(sum(D, 1), (m, 10), (0,)) - D) / m, "(Y*sum(D, axis=1, keepdims=True) - D)/m",
     r"\frac{1}{m} (\operatorname{diag}(D \mathbf{1}) Y - D)"),
    (X @ W1 + expand(b1, (m, 128), (1,)), "X @ W1 + b1", r"X W_{1} + \mathbf{1} b_{1}^{\top}"),
    (X * expand(y, (m, 64), (0,)), "X*y[:, None]", r"\operatorname{diag}(y) X"),
    (A + 2 * fill(a, (3, 4)), "A + 2*a", r"A + 2 a \mathbf{1} \mathbf{1}^{\top}"),
    (A + broadcast_to(keep_axes(u, (1,)), (3, 4)), "A + u[:, None]", r"A + u \mathbf{1}^{\top}"),
    (log(expand(v, (3, 4), (1,))), "broadcast_to(log(v), (3, 4))", r"\mathbf{1}_{3} \log(v)^{\top}"),
    (keep_axes(v, (0,)), "v[None, :]", r"v^{\top}"),
    # fills, identities, ramps
    (fill(1, (m, 3)), "ones(m, 3)", r"\mathbf{1}_{m \times 3}"),
    (fill(0, (3,)), "zeros(3)", r"\mathbf{0}_{3}"),
    (fill(1, (m,)) / m, "ones(m)/m", r"\frac{1}{m} \mathbf{1}_{m}"),
    (fill(a, (3,)), "a*ones(3)", r"a \mathbf{1}_{3}"),
    (identity(m), "eye(m)", "I_{m}"),
    (iota(5), "arange(5)", r"\left(0, \ldots, 4\right)"),
    (size(m * 2), "2*m", "2 m"),
    # constant arrays
    (v * np.array([1.0, 2.5, -1, 0]), "v*array([1.0, 2.5, -1.0, 0.0])", r"v \odot \left(1, \frac{5}{2}, -1, 0\right)"),
    (
        tensor("M", 2, 2) @ np.array([[0, 1], [1, 0]]),
        "M @ array([[0, 1], [1, 0]])",
        r"M \begin{bmatrix} 0 & 1 \\ 1 & 0 \end{bmatrix}",
    ),
    (constant(np.array([True, False])), "array([True, False])", r"\left(\mathrm{True}, \mathrm{False}\right)"),
    (constant([0.5], "float32"), 'array([0.5], dtype="float32")', r"\left(\frac{1}{2}\right)"),
    (v @ np.arange(400.0).reshape(4, 100), "c1.T @ v  # c1: float64 (4, 100)", r"c_{1}^{\top} v"),
    # indexing and movement
    (x[2:], "x[2:]", "x[2{:}]"),
    (A[1:, ::2], "A[1:, ::2]", r"A[1{:},\, {:}{:}2]"),
    (x[::-1], "x[::-1]", "x[{:}{:}{-}1]"),
    (x[6:1:-2], "x[6:0:-2]", "x[6{:}0{:}{-}2]"),
    (x[3:3], "x[3:3]", "x[3{:}3]"),
    (X[:-1], "X[:-1]", "X[{:}{-}1]"),
    (X[-1], "X[-1]", "X[{-}1]"),
    (A[0], "A[0]", "A[0]"),
    (A[:, 1], "A[:, 1]", r"A[{:},\, 1]"),
    (take(b2, i), "b2[i]", "b_{2}[i]"),
    (take(A, tensor("j", 2, dtype="int64"), 1), "A[:, j]", r"A[{:},\, j]"),
    (labels("t", m, classes=10) - Y, "t - Y", "t - Y"),
    (one_hot(i + 1, 10), "one_hot(i + 1, 10)", r"\operatorname{onehot}_{10}(i + \mathbf{1})"),
    (pad(A, ((1, 2), (0, 0))), "pad(A, ((1, 2), (0, 0)))", r"\operatorname{pad}_{(1, 2), (0, 0)}(A)"),
    (Place(u, shape_arg((6,)), shape_arg((0,)), ints_arg((2,))), "place(u, (6,), starts=(0,), steps=(2,))",
     r"\operatorname{place}_{6}(u)"),
    (concat([u, v]), "concat([u, v], axis=0)", r"\operatorname{concat}_{0}(u, v)"),
    (stack([v, v * 2], 1), "stack([v, 2*v], axis=1)", r"\operatorname{stack}_{1}(v, 2 v)"),
    (reshape(A, 2, 6), "reshape(A, (2, 6))", r"\operatorname{reshape}_{2 \times 6}(A)"),
    # names
    (Y, "softmax(Z)", r"\operatorname{softmax}(Z)"),
    (Y.named("P"), "softmax(Z)", r"\operatorname{softmax}(Z)"),
    (log(Barrier(Y)), "log(Y)", r"\log(Y)"),
    (Sealed(X * exp(X)) + X, "X*exp(X) + X", r"X \odot \exp(X) + X"),
    (tensor("W", 3, latex=r"\Omega") * a.named("k", r"\kappa"), "k*W", r"\kappa \Omega"),
    (scalar("alpha") * scalar("loss"), "alpha*loss", r"\alpha \mathrm{loss}"),
]  # fmt: skip


@pytest.mark.parametrize(("node", "written", "_"), GOLDEN, ids=[g[1] for g in GOLDEN])
def test_a_formula_reads_as_a_person_would_write_it(node: Node, written: str, _: str):
    assert repr(node) == str(node) == sstr(node) == written


@pytest.mark.parametrize(("node", "_", "written"), GOLDEN, ids=[g[1] for g in GOLDEN])
def test_latex_reads_as_a_textbook_prints_it(node: Node, _: str, written: str):
    assert sympy.latex(node) == written
    assert node._repr_latex_() == rf"$\displaystyle {written}$"


@pytest.mark.parametrize(
    ("node", "drawn"),
    [
        ((Y - D) / m, ["Y - D", "─────", "  m  "]),
        (v**2 / 3, [" 2", "v ", "──", "3 "]),
        (X.T @ (X @ w - y), ["Xᵀ (X w - y)"]),
        (sigmoid(v) * (1 - sigmoid(v)), ["σ(v) ⊙ (𝟏 - σ(v))"]),
        (sum(A * C), ["Σ A ⊙ C"]),
        (sqrt(a + 1), ["√(a + 1)"]),
        (indicator(a >= 0), ["1[a ≥ 0]"]),
        (v @ S @ v, ["vᵀ S v"]),
        (tensor("W1", 2) * scalar("alpha"), ["α⋅W₁"]),
        (X * expand(y / m, (m, 64), (0,)), ["diag(y) X", "─────────", "    m    "]),
        (
            X * expand(sigmoid(y), (m, 64), (0,)) - sn.mean(X, 0),
            ["               𝟏 𝟏ᵀ X", "diag(σ(y)) X - ──────", "                 m   "],
        ),
    ],
    ids=repr,
)
def test_pretty_draws_in_two_dimensions(node: Node, drawn: list[str]):
    assert sympy.pretty(node, use_unicode=True).split("\n") == drawn


def test_pretty_keeps_to_ascii_when_sympy_is_told_to():
    drawn = sympy.pretty(2 * X.T @ (X @ w - y) / m + sigmoid(sqrt(a)), use_unicode=False)
    assert drawn.isascii()
    assert "X.T @ (X @ w - y)" in drawn and "sigmoid(sqrt(a))" in drawn


# --------------------------------------------------------------------------- the text says what the node is


@pytest.mark.parametrize("case", CASES, ids=repr)
def test_the_text_of_every_case_read_back_has_the_same_value(case: Case, rng: np.random.Generator):
    data = case.data(rng)
    for root in case.roots:
        again = read_back(text(root, full=True), names_of(root))
        with np.errstate(all="ignore"):
            np.testing.assert_allclose(evaluate(again, data), evaluate(root, data), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("node", [g[0] for g in GOLDEN], ids=[g[1] for g in GOLDEN])
def test_a_golden_text_read_back_has_the_same_shape(node: Node):
    again = read_back(repr(node), names_of(node))
    assert again.shape == node.shape
    assert repr(again) == repr(node)


# One step of a random graph: two earlier values → a new one.
STEPS: list[Callable[[Node, Node], Node]] = [
    lambda p, q: p + q,
    lambda p, q: p - q,
    lambda p, q: p * q,
    lambda p, q: p / q,
    lambda p, q: p @ q if p.shape == q.shape == (2, 2) else p * q,
    lambda p, q: p**q if not (p.rank or q.rank) else p * q,
    lambda p, q: -p,
    lambda p, q: p**2,
    lambda p, q: 1 / p,
    lambda p, q: p.T,
    lambda p, q: tanh(p),
    lambda p, q: indicator(p > q),
    lambda p, q: p[0, None] if p.rank else p,
    lambda p, q: sum(p, 1, keepdims=True) if p.rank else p,
    lambda p, q: expand(sum(p, 1), (2, 2), (0,)) if p.shape == (2, 2) else fill(q[0, 0] if q.rank else q, (2, 2)),
]
LEAVES = (a, b, tensor("P", 2, 2), tensor("R", 2, 2), sn.constant(2), sn.constant(-1), sn.constant(0.5))


@settings(max_examples=300)
@given(st.lists(st.tuples(st.integers(0, len(STEPS) - 1), st.integers(0, 99), st.integers(0, 99)), max_size=9))
def test_parentheses_are_enough_in_every_nesting(steps: list[tuple[int, int, int]]):
    values = list(LEAVES)
    for step, p, q in steps:
        values.append(STEPS[step](values[-1 - p % len(values)], values[-1 - q % len(values)]))
    node = values[-1]
    data = {"a": 0.7, "b": -1.3, "P": [[0.3, -0.8], [1.1, 0.4]], "R": [[-0.5, 0.9], [0.2, 1.7]]}
    again = read_back(text(node, full=True), names_of(node))
    assert again.shape == node.shape
    with np.errstate(all="ignore"):
        found, wanted = (evaluate(each, {k: np.asarray(v) for k, v in data.items()}) for each in (again, node))
    np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-9)


def test_a_writer_that_forgets_parentheses_is_caught_by_reading_back(monkeypatch: pytest.MonkeyPatch):
    def careless(form: Any, show: Callable[[Any], TextPiece]) -> TextPiece:
        return TextPiece(" @ ".join(show(part).text for part in form.parts), MATMUL)

    node = A @ (B + 1) - 2 * A @ B
    data = {"A": np.ones((3, 4)), "B": np.ones((4, 5))}
    monkeypatch.setitem(TEXT_WRITERS, "matmul", careless)
    assert text(node) == "A @ B + 1 - 2*A @ B"
    again = read_back(text(node), names_of(node))
    assert not np.allclose(evaluate(again, data), evaluate(node, data))


@pytest.mark.parametrize("written", ["a + b - c", "a*b/c", "c*(a + b)", "a**2/b", "2*P @ R", "P*(P @ R)"])
def test_no_parentheses_are_written_that_python_does_not_need(written: str):
    names = {"a": a, "b": b, "c": scalar("c"), "P": tensor("P", 2, 2), "R": tensor("R", 2, 2)}
    assert repr(read_back(written, names)) == written


# --------------------------------------------------------------------------- large and shared graphs


def doubled(times: int) -> Node:
    value: Node = a
    for _ in range(times):
        value = value + value
    return value


def chain(length: int, step: Callable[[Node], Node] = tanh) -> Node:
    value: Node = a
    for _ in range(length):
        value = step(value)
    return value


def test_a_small_graph_is_written_as_a_tree_though_it_shares():
    assert repr(doubled(3)) == "a + a + a + a + a + a + a + a"


def test_a_value_shared_sixty_times_is_bound_once():
    lines = text(doubled(60), full=True).split("\n")
    assert lines[0] == "t59 + t59"
    assert lines[1] == "where"
    assert lines[2] == "    t1 = a + a"
    assert lines[-1] == "    t59 = t58 + t58"
    assert len(lines) == 61


def test_definitions_that_fit_stand_on_the_line():
    value: Node = tanh(v)
    for _ in range(7):
        value = value * value
    assert repr(value) == (
        "t6*t6 where t1 = tanh(v)*tanh(v), t2 = t1*t1, t3 = t2*t2, t4 = t3*t3, t5 = t4*t4, t6 = t5*t5"
    )


def test_the_middle_of_a_long_list_of_definitions_is_left_out_and_counted():
    shown = repr(doubled(60))
    assert "… (19 more definitions) …" in shown
    assert shown.split("\n")[-1] == "    t59 = t58 + t58"
    assert r"\ldots\ (\text{19 more})" in latex(doubled(60))
    assert "(19 more)" in str(pretty(doubled(60)))
    assert r"(\text{19 more})" not in latex(doubled(60), full=True)
    assert "more" not in str(pretty(doubled(60), full=True))


def test_the_middle_of_a_very_wide_formula_is_left_out_and_counted():
    wide = elementwise("add", *(scalar(f"s{n}") for n in range(3000)))
    assert "more characters) …" in repr(wide)
    assert text(wide, full=True) == " + ".join(f"s{n}" for n in range(3000))


def test_bound_names_avoid_the_names_of_leaves():
    value: Node = scalar("t1") + scalar("s2")
    for _ in range(20):
        value = value * tanh(value)
    assert "u1 = " in text(value, full=True)
    assert "t1 = " not in text(value, full=True)


@pytest.mark.parametrize("notation", [text, latex, pretty])
@pytest.mark.parametrize(
    "build",
    [
        lambda: chain(10_000),
        lambda: chain(3_000, lambda n: n + 1),
        lambda: chain(3_000, lambda n: n * 2),
        lambda: chain(3_000, lambda n: -n),
        lambda: chain(3_000, lambda n: n.named("n")),
        lambda: chain(3_000, Barrier),
        lambda: chain(3_000, lambda n: sigmoid(n) * (1 - n) + a),
        lambda: doubled(2_000),
        lambda: elementwise("add", *(a * n for n in range(5_000))),
    ],
)
def test_deep_wide_and_shared_graphs_print_without_recursion(
    notation: Callable[[Node], Any], build: Callable[[], Node]
):
    assert len(str(notation(build()))) < 100_000


def test_a_long_chain_read_back_is_the_chain():
    node = chain(200)
    assert read_back(text(node, full=True), {"a": a}) is node


# --------------------------------------------------------------------------- completeness


def concrete_kinds() -> set[type[Node]]:
    found, waiting = set(), [Node]
    while waiting:
        cls = waiting.pop()
        waiting += cls.__subclasses__()
        if cls is not Node and cls.__module__.startswith("symnet."):
            found.add(cls)
    return found


def test_every_kind_of_node_has_a_reader():
    assert {cls.kind for cls in concrete_kinds()} <= set(READERS)


@pytest.mark.parametrize("table", [TEXT_WRITERS, LATEX_WRITERS, PRETTY_WRITERS])
def test_every_form_has_a_writer_in_every_notation(table: dict[str, Any]):
    assert set(table) == set(KINDS)


def test_every_kind_of_node_is_among_the_golden_texts():
    printed = {type(each) for node, _, _ in GOLDEN for each in sn.expr.graph.topological(node)}
    assert {cls for cls in concrete_kinds() if cls.kind not in NUMERIC} <= printed


def test_scans_of_the_numeric_form_read_as_functions():
    x, y, A = tensor("x", 3), tensor("y", 3), tensor("A", 2, 3)
    assert text(running_logsumexp(x, 0)) == "running_logsumexp(x)"
    assert text(running_logsumexp(A, 1, reverse=True)) == "running_logsumexp(A, axis=1, reverse=True)"
    assert text(scaled_sum(x, y, -x, 0, reverse=True)) == "scaled_sum(x, y, -x, reverse=True)"


@pytest.mark.parametrize("op", [op for op in PRIMITIVES if op != "function"])
def test_every_primitive_prints_in_every_notation(op: str):
    primitive = PRIMITIVES[op]
    operands = [a, b, scalar("c")][: primitive.arity or 2]
    if primitive.condition:
        operands = [a > n for n in range(len(operands))] if primitive.result == "bool" else [a > 0, *operands[1:]]
    node = elementwise(op, *operands)
    assert "a" in repr(node) and "a" in sympy.latex(node) and "a" in sympy.pretty(node)
    assert read_back(repr(node), names_of(node)).shape == ()


def test_a_kind_without_a_reader_prints_as_a_call_of_its_class():
    class Novel(Node):
        kind = "novel"

        @classmethod
        def _derive(cls, *args: Any) -> Any:
            return args[0].shape, args[0].dtype

    assert repr(2 * Novel(v + 1)) == "2*Novel(v + 1)"


@pytest.mark.parametrize("case", CASES, ids=repr)
def test_every_case_prints_in_latex_with_balanced_braces_and_in_two_dimensions(case: Case):
    for root in case.roots:
        written = sympy.latex(root)
        assert written.count("{") == written.count("}")
        assert written.count(r"\left") == written.count(r"\right")
        assert str(sympy.pretty(root))


def test_latex_is_understood_by_matplotlib():
    parse = pytest.importorskip("matplotlib.mathtext").MathTextParser("path").parse
    for node, _, written in GOLDEN:
        if r"\begin" not in written:
            assert parse(f"${written}$") is not None, node


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("x", "x"),
        ("W1", "W_{1}"),
        ("beta_2", r"\beta_{2}"),
        ("loss", r"\mathrm{loss}"),
        ("Gamma", r"\Gamma"),
        ("w_in", "w_{in}"),
    ],
)
def test_names_follow_mathematical_custom(name: str, written: str):
    assert name_latex(name) == written


def test_nodes_print_inside_containers_of_sympy():
    assert str(sympy.Tuple(a - b, v)) == "(a - b, v)"
    assert sympy.latex(sympy.Tuple(X.T @ y, a)) == r"\left( X^{\top} y, \  a\right)"


def test_printing_builds_are_registered_by_importing_the_package():
    assert {"text", "latex", "pretty"} <= set(node_module.BUILDERS)


LONG = {
    "a power of two": (2**600, "2**600", "2^{600}"),
    "its negative": (-(2**600), "-2**600", "- 2^{600}"),
    "a multiple": (3 * 2**600, "3*2**600", r"3 \cdot 2^{600}"),
    "a power of ten": (10**40, "10**40", "10^{40}"),
    "of seven": (5 * 7**2000, "5*7**2000", r"5 \cdot 7^{2000}"),
    "a fraction": (sympy.Rational(3, 2**600), "3/2**600", r"\frac{3}{2^{600}}"),
    "the negative of a fraction": (sympy.Rational(-1, 2**600), "-1/2**600", r"- \frac{1}{2^{600}}"),
    "both long": (
        sympy.Rational(5 * 7**600, 3 * 2**600), "5*7**600/(3*2**600)", r"\frac{5 \cdot 7^{600}}{3 \cdot 2^{600}}",
    ),
    "of 20 digits": (2**64, "18446744073709551616", "18446744073709551616"),
    "one more": (2**600 + 1, str(2**600 + 1), str(2**600 + 1)),
    "a fraction beyond floats": (sympy.Rational(10**400 + 1, 3 * 10**3), f"{10**400 + 1}/3000", None),
}  # fmt: skip


@pytest.mark.parametrize("name", LONG)
def test_long_numbers_are_written_as_powers(name: str) -> None:
    """In text, LaTeX, MathML and SymPy's pretty text; alone, as a coefficient, a term, a divisor and an exponent."""
    value, written, latex = LONG[name]
    number = sn.constant(sympy.sympify(value))
    assert str(number) == written and (latex is None or sympy.latex(number) == latex)
    v = sn.tensor("v", 3)
    for expr in (number * v, v + number, v / number, v**number, sn.sin(number * v) - number):
        texts = (str(expr), sympy.latex(expr), mathml(expr), sympy.pretty(expr))
        assert all(texts)
        if "**" in written:
            assert not any(re.search(r"\d{25}", each) for each in texts), texts
        if "/" not in written:  # Python divides its integers as floats
            again = eval(str(expr).replace("sin", "sn.sin"), {"v": v, "sn": sn})
            assert sn.simplify(again) is sn.simplify(expr)


def test_an_extent_may_be_called_as_a_keyword_of_python():
    n = sn.dim("for")
    assert str(sn.mean(sn.tensor("x", n)) + 2 * n) == "mean(x) + 2*for"

"""Broadcasting on paper: formulas whose shapes fit as they are written, with the value of the node."""

from __future__ import annotations

import random

import numpy as np
import pytest
import sympy

import symnet as sn
from symnet.expr.nodes.node import Node
from symnet.expr.printing.mathml import mathml
from symnet.reference.evaluation import evaluate
from tests.expr.paper_reading import DoesNotFit, read_on_paper

m, n, k = sn.dim("m"), sn.dim("n"), sn.dim("k")
A, X = sn.tensor("A", m, n), sn.tensor("X", m, n)
W, b = sn.tensor("W", n, k), sn.tensor("b", k)
x, s, p = sn.tensor("x", n), sn.tensor("s", m), sn.tensor("p", n)
c, r = sn.tensor("c", m, 1), sn.tensor("r", 1, n)
ONE, ROW = r"\mathbf{1}", r"\mathbf{1}^{\top}"

WRITTEN = [
    (A - A.T @ sn.softmax(A @ x), rf"A - {ONE} \operatorname{{softmax}}(A x)^{{\top}} A"),
    (X - sn.mean(X, axis=0), rf"X - \frac{{1}}{{m}} {ONE} {ROW} X"),
    (X - sn.mean(X, axis=1, keepdims=True), rf"X - \frac{{1}}{{n}} X {ONE} {ROW}"),
    (x - sn.mean(x), r"x - \frac{1}{n} \mathbf{1} \sum x"),
    (A * (A.T @ s), r"A \operatorname{diag}\left(A^{\top} s\right)"),
    (A / sn.sum(A, axis=0), rf"\frac{{A}}{{{ONE} {ROW} A}}"),
    (s[:, None] * A, r"\operatorname{diag}(s) A"),
    (s[:, None] * x, r"s x^{\top}"),
    (s[:, None] + x, rf"{ONE} x^{{\top}} + s {ROW}"),
    (X @ W + b, rf"X W + {ONE} b^{{\top}}"),
    (A + c, rf"A + c {ROW}"),
    (A + r, rf"A + {ONE} r"),
    (c * A * r, r"\operatorname{diag}(c) A \operatorname{diag}\left(r^{\top}\right)"),
    (A - 2 * x, rf"A - 2 {ONE} x^{{\top}}"),
    (A + 1, rf"A + {ONE} {ROW}"),
    (A.T @ (-s), r"-A^{\top} s"),
    (x - A.T @ (-s), r"x + A^{\top} s"),
    (sn.scalar("q") * (A.T @ (-s)), r"-q A^{\top} s"),
    (sn.maximum(A, x), rf"\max\left(A, {ONE} x^{{\top}}\right)"),
    (sn.sum(A * x, axis=1), "A x"),
    (sn.grad(sn.sum(sn.norm(A, axis=1)), A), rf"\frac{{A}}{{\sqrt{{A^{{\odot 2}} {ONE}}} {ROW}}}"),
    (sn.norm(A, axis=0), r"\sqrt{\left(A^{\odot 2}\right)^{\top} \mathbf{1}}"),
    (sn.derivative(x - sn.mean(x), x, layout="numerator"), rf"I_{{n}} - \frac{{1}}{{n}} {ONE} {ROW}"),
    (sn.hessian(sn.sum(sn.elu(x)), x), r"\operatorname{diag}(\exp(x) \odot \mathbf{1}[x < 0])"),
    (sn.where(x > 0, A, 2 * A), rf"A \operatorname{{diag}}({ONE}[x > 0]) + 2 A \operatorname{{diag}}({ONE}[x \leq 0])"),
    (s @ s * A, r"\left(s^{\top} s\right) A"),
    (sn.sum(x) - 1, r"\left(\sum x\right) - 1"),
    (sn.sum(x) - s @ s, r"\sum x - s^{\top} s"),
    (sn.broadcast_to(x, (m, n)) @ W, r"\mathbf{1}_{m} x^{\top} W"),
]


@pytest.mark.parametrize(("node", "written"), WRITTEN, ids=[w for _, w in WRITTEN])
def test_what_is_repeated_is_written_with_ones(node: Node, written: str):
    assert sympy.latex(node) == written


def test_a_reduction_that_keeps_an_axis_of_three_stays_one():
    """Its sign is not put before it, where the notation of its axes would be lost."""
    T = sn.tensor("T", 2, m, n)
    node = T - sn.sum(-T, axis=2, keepdims=True)
    assert "keepdims" in sympy.pretty(node, use_unicode=True)
    assert mathml(node) and sympy.latex(sn.sum(-s, axis=0, keepdims=True) + s)


def test_mathml_and_two_dimensional_text_have_the_ones_too():
    assert mathml(A - x).count('<mi class="bold">𝟏</mi>') == 1
    assert sympy.pretty(A - A.T @ s, use_unicode=True) == "A - 𝟏 sᵀ A"
    assert sympy.pretty(s[:, None] * A, use_unicode=False) == "diag(s) @ A"
    assert str(A - x) == "A - x", "NumPy broadcasts by itself"


DATA = {
    "A": (3, 4), "B": (3, 4), "S": (4, 4), "s": (3,), "t": (3,), "x": (4,), "y": (4,),
    "c": (3, 1), "r": (1, 4), "a": (),
}  # fmt: skip
_FUNCTIONS = (
    sn.exp, sn.tanh, sn.sigmoid, sn.softmax, lambda v: v**2, lambda v: -2 * v, lambda v: v.T,
    lambda v: v / sn.norm(v), lambda v: v / sn.norm(v, axis=0), lambda v: v - sn.sum(v), lambda v: sn.sum(v) * v - 1,
    lambda v: sn.softmax(v, axis=0), lambda v: sn.diag(v) - sn.mean(v) if v.rank == 1 else v,
)  # fmt: skip
_TWO = (
    lambda u, v: u + v, lambda u, v: u - v, lambda u, v: u * v, lambda u, v: u / (v**2 + 1), sn.maximum,
    lambda u, v: sn.where(u > v, u, v), lambda u, v: u - 3 * v + 1, lambda u, v: u @ v, lambda u, v: u.T @ v,
    lambda u, v: sn.where(u > v, sn.exp(u), 0), lambda u, v: sn.where(v > 0, u, -u), lambda u, v: (v @ v) * u,
    lambda u, v: -u * v / 2, lambda u, v: u / (1 + sn.exp(v)), lambda u, v: u * sn.indicator(v > 0),
)  # fmt: skip


def _reduced(v: Node, choice: random.Random) -> Node:
    reduce = choice.choice([sn.sum, sn.mean, sn.max, sn.norm, sn.logsumexp])
    return reduce(v, axis=choice.randrange(v.rank), keepdims=choice.random() < 0.5)


def grown(seed: int) -> Node:
    """A formula of broadcasts: any operation that NumPy's rules allow on values of two axes at most."""
    choice = random.Random(seed)
    values = [sn.tensor(name, *shape) for name, shape in DATA.items()]
    for _ in range(choice.randint(3, 9)):
        u, v = choice.choice(values[-6:]), choice.choice(values)
        try:
            made = choice.choice(
                [
                    lambda u=u, v=v: choice.choice(_TWO)(u, v),
                    lambda u=u, v=v: choice.choice(_TWO)(v, u),
                    lambda u=u: choice.choice(_FUNCTIONS)(u),
                    lambda u=u: _reduced(u, choice) if u.rank else u,
                    lambda u=u: u[:, None] if u.rank == 1 else u,
                ]
            )()
        except sn.SymnetError:
            continue
        if made.rank <= 2:
            values.append(made)
    return values[-1]


@pytest.mark.parametrize("seed", range(250))
def test_a_formula_of_broadcasts_fits_on_paper_and_has_the_value_of_the_node(seed: int):
    node = grown(seed)
    rng = np.random.default_rng(seed)
    data = {name: rng.uniform(-1.5, 1.5, shape) for name, shape in DATA.items()}
    wanted = np.asarray(evaluate(node, data))
    latex = sympy.latex(node)
    found = read_on_paper(latex, data, node.rank)
    assert np.shape(found) == wanted.shape or np.size(found) == wanted.size == 1, latex
    np.testing.assert_allclose(np.reshape(found, wanted.shape), wanted, rtol=1e-9, atol=1e-9, err_msg=latex)


@pytest.mark.parametrize("latex", ["A - x", "A x^{\\top}", r"A \odot s", r"\frac{A}{s}", r"A - \mathbf{1} x",
    r"A - 1", r"x - \sum x", r"(\sum x - 1) A", r"x^{\top} x A"])  # fmt: skip
def test_the_reader_refuses_what_does_not_fit(latex: str):
    data = {name: np.ones(shape) for name, shape in DATA.items()}
    with pytest.raises(DoesNotFit):
        read_on_paper(latex, data, 2)


@pytest.mark.parametrize(
    ("node", "written"),
    [
        (-(x - 2 * p) / sn.norm(x - 2 * p), "(2*p - x)/norm(2*p - x)"),
        (-(A - X) / sn.norm(A - X, axis=1, keepdims=True), "(X - A)/norm(X - A, axis=1, keepdims=True)"),
        (-(A - X) * sn.exp(-((A - X) ** 2)), "(X - A)*exp(-(X - A)**2)"),
        (-(A - X) * sn.exp(A - X), "-(A - X)*exp(A - X)"),
    ],
)
def test_a_sum_in_even_functions_is_turned_in_all_of_them(node: Node, written: str):
    assert str(node) == written

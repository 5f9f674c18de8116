"""Broadcasting on paper: formulas whose shapes fit as they are written, with the value of the node."""

from __future__ import annotations

import random
import re

import numpy as np
import pytest
import sympy

import symnet as sn
from symnet.expr.nodes.elementwise import elementwise
from symnet.expr.nodes.expansion import expand
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import leaves
from symnet.expr.printing.latex import latex, with_definitions
from symnet.expr.printing.mathml import mathml
from symnet.expr.printing.own_names import beside
from symnet.expr.printing.units import unit_vectors
from symnet.reference.evaluation import evaluate
from tests.expr.entry_reading import read_entries
from tests.expr.paper_reading import DoesNotFit, read_on_paper
from tests.expr.reading import names_of, read_back

m, n, k = sn.dim("m"), sn.dim("n"), sn.dim("k")
A, X = sn.tensor("A", m, n), sn.tensor("X", m, n)
W, bias = sn.tensor("W", n, k), sn.tensor("b", k)
x, s, p = sn.tensor("x", n), sn.tensor("s", m), sn.tensor("p", n)
c, r = sn.tensor("c", m, 1), sn.tensor("r", 1, n)
T3 = sn.tensor("T", 2, m, n)
a, b, d = sn.scalar("a"), sn.scalar("b"), sn.scalar("d", positive=True)
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
    (X @ W + bias, rf"X W + {ONE} b^{{\top}}"),
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


@pytest.mark.parametrize(
    ("node", "written"),
    [
        (T3 - sn.sum(-T3, axis=2, keepdims=True), r"\left[T_{ijk} - \sum_{l} (-T_{ijl})\right]_{ijk}"),
        (T3 * s[:, None], r"\left[T_{ijk} s_{j}\right]_{ijk}"),
        (T3 + 1, r"\left[T_{ijk} + 1\right]_{ijk}"),
        (-2 * sn.exp(T3), r"-2 \exp(T)"),
        (sn.softmax(-T3), r"\operatorname{softmax}(-T)"),
        (sn.max(T3, axis=1), r"\left[\max_{k}(T_{ikj})\right]_{ij}"),
        (sn.jacobian(A / sn.sum(A, axis=1, keepdims=True), A), r"\left[\delta_{ik} \left(\frac{\delta_{jl}}"
            r"{\left[A \mathbf{1}\right]_{k}} - \frac{A_{kj}}{\left[A \mathbf{1}\right]_{k}^{2}}\right)\right]_{ijkl}"),
        (sn.sum(T3 * c, axis=2), r"\left[\sum_{k} T_{ijk} c_{j}\right]_{ij}"),
        (sn.sum(T3, axis=2, keepdims=True) + c, r"\left[c_{jk} + \sum_{l} T_{ijl}\right]_{ijk}"),
        (sn.jacobian(X.T @ X, X), r"\left[\delta_{il} X_{kj} + \delta_{jl} X_{ki}\right]_{ijkl}"),
    ],
)  # fmt: skip
def test_arrays_of_three_axes_are_written_by_their_entries(node: Node, written: str):
    assert sympy.latex(node) == written
    assert mathml(node) and sympy.pretty(node, use_unicode=True)


NORMAL = (x - sn.mean(x)) / sn.std(x)
DEVIATION = r"\sigma = \sqrt{\frac{1}{n} \sum \left(x - \frac{1}{n} \mathbf{1} \sum x\right)^{2}}"
NORMALISED = r"h = \frac{1}{\sigma} \left(x - \frac{1}{n} \mathbf{1} \sum x\right)"


@pytest.mark.parametrize(
    ("node", "written", "where"),
    [
        (sn.jacobian(NORMAL, x), r"\frac{1}{\sigma} \left(I_{n} - \frac{1}{n} \mathbf{1} \mathbf{1}^{\top}"
            r" - \frac{1}{n} h h^{\top}\right)", [DEVIATION, NORMALISED]),
        (sn.grad(p @ NORMAL, x), r"\frac{1}{\sigma} \left(p - \frac{1}{n} \mathbf{1} \sum p"
            r" - \frac{p^{\top} h}{n} h\right)", [DEVIATION, NORMALISED]),
        (sn.simplify(x / sn.sqrt(sn.mean(x**2))), r"\frac{1}{\sqrt{\frac{1}{n} \sum x^{2}}} x", []),
        (sn.hessian(sn.logsumexp(A @ x + s), x), r"A^{\top} \left(\operatorname{diag}(p) - p p^{\top}\right) A",
            [r"p = \operatorname{softmax}(A x + s)"]),
        (sn.jacobian(sn.softmax(A @ x), x), r"\left(\operatorname{diag}(s) - s s^{\top}\right) A",
            [r"s = \operatorname{softmax}(A x)"]),
        (sn.hessian(sn.logsumexp(A @ x), A), r"\left[x_{j} s_{k} x_{l} (\delta_{ik} - s_{i})\right]_{ijkl}",
            [r"s = \operatorname{softmax}(A x)"]),
        (sn.hessian(sn.logsumexp(x), x), r"\operatorname{diag}(\operatorname{softmax}(x))"
            r" - \operatorname{softmax}(x) \operatorname{softmax}(x)^{\top}", []),
    ],
)  # fmt: skip
def test_what_a_textbook_names_has_a_name(node: Node, written: str, where: list[str]):
    assert with_definitions(node) == (written, where)
    assert "where" not in sympy.latex(node), "which may stand inside another formula"


def test_a_name_of_the_page_is_no_name_in_it_nor_a_function():
    h = sn.tensor("h", n)
    _, where = with_definitions(sn.grad((h * sn.sigmoid(p)) @ NORMAL, x))
    assert [line.split(" = ")[0] for line in where] == [r"\tau", "z"]
    with beside(["s", "p"]):
        assert with_definitions(sn.jacobian(sn.softmax(A @ x), x))[1] == [r"q = \operatorname{softmax}(A x)"]


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
    lambda v: (v - sn.mean(v)) / sn.std(v), lambda v: sn.softmax(v - 1) + sn.softmax(v - 1) ** 2,
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
    written = latex(node)
    found = read_on_paper(written, data, node.rank)
    assert np.shape(found) == wanted.shape or np.size(found) == wanted.size == 1, written
    np.testing.assert_allclose(np.reshape(found, wanted.shape), wanted, rtol=1e-9, atol=1e-9, err_msg=written)


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
        (-(2 * (a - b) * sn.softmax(x) / sn.exp((a - b) ** 2)), "2*(b - a)*softmax(x)/exp((b - a)**2)"),
        (sn.grad(-((a - b) ** 2) / (2 * d**2) - sn.log(d), d), "((b - a)**2/d**2 - 1)/d"),
        (-(1 - a) * b, "-b*(1 - a)"),
    ],
)
def test_a_sum_in_even_functions_is_turned_in_all_of_them(node: Node, written: str):
    assert str(node) == written


def negative(seed: int) -> Node:
    """Minus a product with a difference in it, that may stand in squares and norms as well."""
    choice = random.Random(seed)
    u, v = choice.choice([(a, b), (x, p), (A, X), (x, a)])
    gap = choice.choice([u - v, u - 2 * v, u**2 / d**2 - v, 1 - u / d, u / d - 1, u - v - d])
    even = choice.choice([1, sn.exp(-(gap**2)), 1 / sn.norm(gap) if gap.rank else 1 / abs(gap), gap**2 + 1])
    others = [d, 1 / d**2, sn.exp(v), sn.scalar("q"), 3, even]
    factors = choice.sample(others, choice.randint(1, 4))
    for factor in factors:
        gap = gap * factor
    return choice.choice([-gap, -gap / 2, -(gap / d), sn.sum(-gap), sn.sum(-gap) / d, sn.exp(-gap)])


@pytest.mark.parametrize("seed", range(150))
def test_a_minus_sign_stands_before_no_difference_that_can_take_it(seed: int):
    node = negative(seed)
    written = str(node)
    rng = np.random.default_rng(seed)
    data = {leaf.name: rng.uniform(0.5, 1.5, [{m: 3, n: 4}[e] for e in leaf.shape]) for leaf in leaves(node)}
    back = read_back(written, names_of(node))
    np.testing.assert_allclose(evaluate(back, data), evaluate(node, data), rtol=1e-12)
    signs = re.findall(r"-(?:\d\*)?\(([^()]*) - [^()]*\)(?!\*\*)", written)
    assert not [kept for kept in signs if not kept.startswith("1")], written


def _standardised(v: Node, axis: int | None, eps: float) -> Node:
    u = v - sn.mean(v, axis=axis, keepdims=axis is not None)
    return u / sn.sqrt(sn.mean(u**2, axis=axis, keepdims=axis is not None) + eps)


def differentiated(seed: int) -> Node:
    """A derivative whose page names what is standardised and softmaxes."""
    choice = random.Random(seed)
    A, s, x = (sn.tensor(name, *DATA[name]) for name in ("A", "s", "x"))
    eps = choice.choice([0, 0.5])
    v = choice.choice([x, A @ x, A @ x + s, x * x, sn.exp(x)])
    g = choice.choice([sn.tensor("y", 4), sn.tanh(x)]) if v.shape == (4,) else s
    B = choice.choice([A, A * x, s[:, None] + A])
    return choice.choice(
        [
            lambda: sn.jacobian(_standardised(v, None, eps), x),
            lambda: sn.grad(g @ _standardised(v, None, eps), x),
            lambda: sn.grad(sn.sum(sn.tensor("B", 3, 4) * _standardised(B, choice.choice([0, 1]), eps)), A),
            lambda: sn.hessian(sn.logsumexp(v), x),
            lambda: sn.jacobian(sn.softmax(v), x),
            lambda: sn.grad(g @ sn.softmax(v), x),
            lambda: sn.grad(sn.sum(sn.tensor("B", 3, 4) * sn.softmax(B * 2)), A),
        ]
    )()


@pytest.mark.parametrize("seed", range(60))
def test_a_formula_with_names_of_the_page_has_the_value_of_the_node(seed: int):
    node = differentiated(seed)
    rng = np.random.default_rng(seed)
    data = {name: rng.uniform(-1.5, 1.5, shape) for name, shape in DATA.items()}
    written = latex(node)
    found = read_on_paper(written, data, node.rank)
    np.testing.assert_allclose(found, np.asarray(evaluate(node, data)), rtol=1e-9, atol=1e-9, err_msg=written)


_ENTRY_DATA = {"A": (3, 4), "B": (4, 3), "s": (3,), "x": (4,), "T": (2, 3, 4), "a": ()}
_ON_THREE = (
    lambda u, v: u[..., None] * v, lambda u, v: u + v, lambda u, v: u * v, lambda u, v: u / (v**2 + 1),
    lambda u, v: u[None] - v[..., None], lambda u, v: sn.sum(u, axis=0), lambda u, v: sn.sum(u * v, axis=-1),
    lambda u, v: sn.max(u, axis=-1), lambda u, v: sn.transpose(u), lambda u, v: -u * 2, lambda u, v: sn.exp(u),
    lambda u, v: u - sn.mean(u, axis=-1, keepdims=True), lambda u, v: sn.softmax(u), lambda u, v: u @ v,
    lambda u, v: sn.sum(u), lambda u, v: sn.tanh(u - v), lambda u, v: u * sn.sum(v, axis=0),
)  # fmt: skip


def of_many_axes(seed: int) -> Node:
    """A formula with values of three axes and more in it; one in three a Jacobian or a Hessian by a matrix."""
    choice = random.Random(seed)
    leaves = [sn.tensor(name, *shape) for name, shape in _ENTRY_DATA.items()]
    A, x = leaves[0], leaves[3]
    if seed % 3 == 0:
        rows = A / sn.sum(A**2, axis=1, keepdims=True)
        made = choice.choice([rows, sn.softmax(A), sn.tanh(A @ x), A.T @ A, sn.exp(A) * x, A * sn.sum(A, axis=0)])
        return choice.choice(
            [
                lambda: sn.jacobian(made, A),
                lambda: sn.jacobian(made, x, absent="zero"),
                lambda: sn.hessian(sn.logsumexp(A @ x), A),
                lambda: sn.hessian(sn.sum(made), A),
            ]
        )()
    values = list(leaves)
    for _ in range(choice.randint(3, 7)):
        u, v = choice.choice(values[-4:]), choice.choice(values)
        try:
            made = choice.choice(_ON_THREE)(u, v)
        except (sn.SymnetError, IndexError):
            continue
        if made.rank <= 4:
            values.append(made)
    return values[-1]


@pytest.mark.parametrize("seed", range(180))
def test_an_array_by_its_entries_has_the_value_of_the_node(seed: int):
    node = of_many_axes(seed)
    rng = np.random.default_rng(seed)
    data = {name: rng.uniform(0.2, 1.5, shape) for name, shape in _ENTRY_DATA.items()}
    wanted = np.asarray(evaluate(node, data))
    written = latex(node)
    if any(word in written for word in _NOT_READ):
        return
    found = read_entries(written, data, wanted.shape)
    np.testing.assert_allclose(np.reshape(found, wanted.shape), wanted, rtol=1e-9, atol=1e-9, err_msg=written)


_NOT_READ = (
    "keepdims",
    r"}\left(\left[",
    r"\mathbf{0}",
    "broadcast",
    "transpose",
    "concat",
    "pad",
    "reshape",
    "_{0}",
    "_{1}",
    "_{2}",
)


I, J = sn.scalar("i", dtype="int64"), sn.scalar("j", dtype="int64")
V = sn.tensor("V", 3, 4)


@pytest.mark.parametrize(
    ("node", "text", "written"),
    [
        (sn.grad(A[1, 2] ** 2, A), "2*A[1, 2]*outer(eye(m)[1], eye(n)[2])", r"2 A[1,\, 2] e_{1} e_{2}^{\top}"),
        (sn.grad(sn.tanh(A @ x)[1], A), "outer(pad((1 - tanh(A @ x)**2)[1:2], ((1, m - 2),)), x)",
            r"\left(\mathbf{1} - \tanh(A x)^{2}\right)[1] e_{1} x^{\top}"),
        (sn.grad(A[I, J] ** 2, A), "2*A[i, j]*outer(one_hot(i, m), one_hot(j, n))", r"2 A[i,\, j] e_{i} e_{j}^{\top}"),
        (sn.grad(x[2] * x[3], x), "pad([x[3], x[2]], ((2, n - 4),))", r"x[2] e_{3} + x[3] e_{2}"),
        (sn.grad(A[1] @ A[2], A), "pad(stack([A[2], A[1]], axis=0), ((1, m - 3), (0, 0)))",
            r"e_{2} A[1]^{\top} + e_{1} A[2]^{\top}"),
        (sn.hessian(x[2] ** 3, x), "6*pad(x[2]*eye(n)[:, 2:3], ((0, 0), (2, n - 3)))", r"6 x[2] e_{2} e_{2}^{\top}"),
        (sn.hessian(x[2] * x[3], x), "pad(stack([eye(n)[:, 3], eye(n)[:, 2]], axis=1), ((0, 0), (2, n - 4)))",
            r"e_{3} e_{2}^{\top} + e_{2} e_{3}^{\top}"),
        (sn.grad(V[1] @ sn.tensor("z", 4), V), "pad(z[None, :], ((1, 1), (0, 0)))", r"e_{1} z^{\top}"),
        (sn.grad(sn.sum(sn.exp(V[:, 1])), V), "pad(exp(V[:, 1])[:, None], ((0, 0), (1, 2)))",
            r"\exp(V[{:},\, 1]) e_{1}^{\top}"),
    ],
)  # fmt: skip
def test_what_stands_alone_among_zeros_is_a_multiple_of_unit_vectors(node: Node, text: str, written: str):
    assert str(node) == text
    assert sympy.latex(node) == written
    assert "e₂" in sympy.pretty(sn.grad(x[2] ** 2, x), use_unicode=True)


_PARTS = (
    lambda v: v[1], lambda v: v[1:3], lambda v: v[0] + v[2], lambda v: sn.exp(v[1:2]), lambda v: v[2] * v[1],
    lambda v: v[:, 1] if v.rank == 2 else v[-1:], lambda v: v[1, 2] if v.rank == 2 else v[2], lambda v: v[2:0:-1],
    lambda v: v[1:4:2], lambda v: sn.stack([v[0], 2 * v[3]]), lambda v: v[1, 2:4] * 3 if v.rank == 2 else 3 * v[2],
)  # fmt: skip


@pytest.mark.parametrize("seed", range(60))
def test_parts_among_zeros_by_unit_vectors_have_their_value(seed: int):
    choice = random.Random(seed)
    shapes = {"A": choice.choice([(7, 9), (4, 5)]), "x": (9,)}
    shapes["x"] = shapes["A"][1:]
    B, y = (sn.tensor(name, *shape) for name, shape in shapes.items())
    v, by = choice.choice([(B, B), (y, y), (B @ y, y), (B @ y, B), (B.T, B), (B * y, y), (sn.tanh(B), B)])
    loss = sn.sum(sn.tanh(choice.choice(_PARTS)(v)))
    node = sn.hessian(loss, by) if by is y else sn.grad(loss, by)
    data = {name: np.random.default_rng(seed).uniform(-1.5, 1.5, shape) for name, shape in shapes.items()}
    for paper in (True, False):
        found = evaluate(unit_vectors(node, paper), data)
        np.testing.assert_allclose(found, evaluate(node, data), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("steps", [10, 70, 2000])
def test_a_deep_formula_of_three_axes_is_written_without_recursion(steps: int):
    """In pieces, each by its entries; one that nobody reads in NumPy's notation."""
    T, s3 = sn.tensor("T", 2, 3, 4), sn.tensor("s", 3)
    node = T
    for _ in range(steps):
        node = sn.tanh(node * s3[:, None]) + T
    written = latex(node)
    assert mathml(node)
    if steps < 20:
        rng = np.random.default_rng(steps)
        data = {"T": rng.uniform(0.2, 1.5, (2, 3, 4)), "s": rng.uniform(0.2, 1.5, 3)}
        found = read_entries(written, data, (2, 3, 4))
        np.testing.assert_allclose(found, evaluate(node, data), rtol=1e-9)


@pytest.mark.parametrize("times", [1, 2, 3])
def test_weights_that_stand_more_often_than_in_the_mean_are_no_covariance(times: int):
    rng = np.random.default_rng(0)
    data = {"A": rng.uniform(0.5, 1, (3, 4)), "w": rng.uniform(0.5, 1, 4)}
    A, w = sn.tensor("A", 3, 4), sn.tensor("w", 4)
    apart, weights = A - sn.sum(A * w, axis=1, keepdims=True), expand(w, A.shape, (1,))
    node = elementwise("mul", apart, *[weights] * times)
    found = read_on_paper(latex(node), data, node.rank)
    np.testing.assert_allclose(found, evaluate(node, data), rtol=1e-12, err_msg=latex(node))

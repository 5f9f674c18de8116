"""Matrix calculus: M1 to M8, each with the answer that the tables give, as a formula and as numbers.

The layouts, compact forms and Hessians are examined in `tests/calculus/test_jacobian.py`; a longer list of published
identities is in `tests/identities`.
"""

from __future__ import annotations

import numpy as np
import pytest
from numpy.linalg import det, inv

import symnet as sn
from symnet.expr.nodes.graph import topological
from symnet.reference import evaluate
from tests.mission.answers import Answer, check_formula, check_numbers

x, w, row = (sn.tensor(name, 4) for name in ("x", "w", "r"))
A, W, V = sn.tensor("A", 4, 4), sn.tensor("W", 3, 4), sn.tensor("V", 2, 3)
X, Y = sn.tensor("X", sn.dim("m"), 4), sn.tensor("Y", sn.dim("m"), 4)
U = sn.tensor("U", 4, 5)  # rows x U
LEAVES = [x, w, row, A, W, V, X, Y, U]
m = 5


@pytest.fixture
def data(rng):
    shapes = {"x": 4, "w": 4, "r": 4, "A": (4, 4), "W": (3, 4), "V": (2, 3), "X": (m, 4), "Y": (m, 4), "U": (4, 5)}
    return {name: rng.normal(size=shape) for name, shape in shapes.items()}


ROWS = [
    Answer("M1 sum", lambda: sn.derivative(x + w, x), "eye(4)", lambda d: np.eye(4)),
    Answer("M1 product", lambda: sn.derivative(x * w, x), "diag(w)", lambda d: np.diag(d["w"])),
    Answer("M1 square", lambda: sn.derivative(x * x, x), "2*diag(x)", lambda d: np.diag(2 * d["x"])),
    Answer("M1 linear", lambda: sn.derivative(A @ x, x), "A", lambda d: d["A"]),
    Answer("M2 sum", lambda: sn.derivative(x.sum(), x), "ones(1, 4)", lambda d: np.ones((1, 4))),
    Answer("M2 inner product", lambda: sn.derivative(x @ w, x), "w[None, :]", lambda d: d["w"][None]),
    Answer("M2 squared norm", lambda: sn.derivative(x @ x, x), "2*x[None, :]", lambda d: 2 * d["x"][None]),
    Answer(
        "M2 quadratic form",
        lambda: sn.derivative(x @ A @ x, x),
        "((A + A.T) @ x)[None, :]",
        lambda d: (d["x"] @ (d["A"] + d["A"].T))[None],
    ),
    Answer("M3 column", lambda: sn.derivative(W @ x, x), "W", lambda d: d["W"]),
    Answer("M3 row, numerator layout", lambda: sn.derivative(x @ U, x), "U.T", lambda d: d["U"].T),
    Answer("M3 row, denominator layout", lambda: sn.derivative(x @ U, x, layout="denominator"), "U", lambda d: d["U"]),
    Answer(
        "M3 rows of a batch",
        lambda: sn.jacobian(X @ U, X),
        'einsum("ik,lj->ijkl", eye(m), U)',
        lambda d: np.einsum("ik,lj->ijkl", np.eye(m), d["U"]),
    ),
    Answer(
        "M4 product by the matrix",
        lambda: sn.derivative(W @ x, W),
        'einsum("ik,j->ijk", eye(3), x)',
        lambda d: np.einsum("ik,j->ijk", np.eye(3), d["x"]),
    ),
    Answer("M5 two layers", lambda: sn.derivative(V @ W @ x, x), "V @ W", lambda d: d["V"] @ d["W"]),
    Answer(
        "M6 gradient by a matrix",
        lambda: sn.grad((W @ x).sum(), W),
        "broadcast_to(x, (3, 4))",
        lambda d: np.outer(np.ones(3), d["x"]),
    ),
    Answer("M7 Hessian", lambda: sn.hessian(x @ A @ x, x), "A + A.T", lambda d: d["A"] + d["A"].T),
    Answer("M7 JVP", lambda: sn.jvp(W @ (x * x), {x: w}), "2*W @ (w*x)", lambda d: 2 * d["W"] @ (d["x"] * d["w"])),
    Answer("M7 VJP", lambda: sn.vjp(A @ x, x, w), "A.T @ w", lambda d: d["A"].T @ d["w"]),
    Answer("M7 HVP", lambda: sn.hvp((x**3).sum(), x, w), "6*w*x", lambda d: 6 * d["w"] * d["x"]),
    Answer("M8 trace", lambda: sn.grad(sn.trace(A), A), "eye(4)", lambda d: np.eye(4)),
    Answer("M8 trace of a square", lambda: sn.grad(sn.trace(A @ A), A), "2*A.T", lambda d: 2 * d["A"].T),
    Answer("M8 determinant", lambda: sn.grad(sn.det(A), A), "det(A)*inv(A).T", lambda d: det(d["A"]) * inv(d["A"]).T),
    Answer("M8 log-determinant", lambda: sn.grad(sn.logdet(A), A), "inv(A).T", lambda d: inv(d["A"]).T),
    Answer(
        "M8 log-determinant of a Gram matrix",
        lambda: sn.grad(sn.logdet(W @ W.T), W),
        "2*inv(W @ W.T) @ W",
        lambda d: 2 * inv(d["W"] @ d["W"].T) @ d["W"],
    ),
    Answer(
        "M8 inverse, its Jacobian",
        lambda: sn.jacobian(sn.inv(A), A),
        '-einsum("ik,lj->ijkl", inv(A), inv(A))',
        lambda d: -np.einsum("ik,lj->ijkl", inv(d["A"]), inv(d["A"])),
    ),
    Answer(
        "M8 trace of the inverse",
        lambda: sn.grad(sn.trace(sn.inv(A)), A),
        "-inv(A).T @ inv(A).T",
        lambda d: -(inv(d["A"]) @ inv(d["A"])).T,
    ),
    Answer(
        "M8 bilinear form of the inverse",
        lambda: sn.grad(x @ sn.inv(A) @ w, A),
        "-outer(inv(A).T @ x, inv(A) @ w)",
        lambda d: -inv(d["A"]).T @ np.outer(d["x"], d["w"]) @ inv(d["A"]).T,
    ),
    Answer("M8 norm", lambda: sn.grad(sn.norm(x), x), "x/norm(x)", lambda d: d["x"] / np.linalg.norm(d["x"])),
    Answer("M8 Frobenius norm", lambda: sn.grad(sn.norm(W), W), "W/norm(W)", lambda d: d["W"] / np.linalg.norm(d["W"])),
    Answer("M8 sum of absolute values", lambda: sn.grad(sn.norm(x, 1), x), "sign(x)", lambda d: np.sign(d["x"])),
    Answer("M8 squared norm", lambda: sn.grad((W**2).sum(), W), "2*W", lambda d: 2 * d["W"]),
    Answer("M8 Hadamard product", lambda: sn.grad((X * Y).sum(), X), "Y", lambda d: d["Y"]),
    Answer("M8 power", lambda: sn.grad((x**3).sum(), x), "3*x**2", lambda d: 3 * d["x"] ** 2),
    Answer(
        "M8 matrix power",
        lambda: sn.grad(sn.trace(sn.matrix_power(A, 3)), A),
        "3*A.T @ A.T",
        lambda d: 3 * (d["A"] @ d["A"]).T,
    ),
    Answer(
        "M8 negative matrix power",
        lambda: sn.grad(sn.trace(sn.matrix_power(A, -2)), A),
        "-2*inv(A).T @ inv(A).T @ inv(A).T",
        lambda d: -2 * np.linalg.matrix_power(inv(d["A"]), 3).T,
    ),
    Answer("M8 elementwise function", lambda: sn.grad(sn.sin(x).sum(), x), "cos(x)", lambda d: np.cos(d["x"])),
    Answer("M8 broadcasting", lambda: sn.vjp(X + x, x, Y), "sum(Y, axis=0)", lambda d: d["Y"].sum(0)),
    Answer("M8 broadcast product", lambda: sn.vjp(X * x, x, Y), "sum(X*Y, axis=0)", lambda d: (d["X"] * d["Y"]).sum(0)),
]


@pytest.mark.parametrize("row", ROWS, ids=repr)
def test_the_answer_is_the_formula_of_the_table(row: Answer):
    check_formula(row, LEAVES)


@pytest.mark.parametrize("row", ROWS, ids=repr)
def test_the_answer_has_the_value_of_the_table(row: Answer, data):
    check_numbers(row, data, LEAVES)


def test_m3_different_rows_do_not_depend_on_one_another():
    J = sn.jacobian(X @ U, X)
    deltas = [node for node in topological(J) if node.kind == "delta"]
    assert len(deltas) == 1 and J.rank == 4


def test_m4_the_derivative_by_the_matrix_is_kept_compact():
    T = sn.derivative(W @ x, W)
    assert T.shape == (3, 4, 3)
    assert {node.kind for node in topological(T)} <= {"tensor", "delta", "einsum", "elementwise", "expand"}
    assert T is sn.simplify(sn.einsum("ik,j->ijk", sn.eye(3), x))
    found = sn.compressed(T)
    assert str(found).endswith("δ[i,k]·x[j]") and found.factors == (x,)


def test_m4_it_expands_to_the_dense_tensor_on_request(data):
    T = sn.derivative(W @ x, W)
    compact = sn.compile(T, compressed=True)(x=data["x"])
    assert compact.nbytes == 4 * 8 and np.array_equal(compact.factors[0], data["x"])
    for dense in (compact.dense(), sn.compile(T)(x=data["x"]), evaluate(sn.compressed(T).dense(), data, leaves=LEAVES)):
        assert all(dense[i, j, k] == (data["x"][j] if i == k else 0) for i, j, k in np.ndindex(3, 4, 3))


def test_m6_a_gradient_has_the_shape_of_the_matrix():
    assert sn.grad(sn.tanh(X @ W.T).sum(), W).shape == W.shape


COMPILED = {
    "Hessian": lambda: sn.hessian(sn.tanh(x @ A @ x), x),
    "Jacobian": lambda: sn.jacobian(sn.tanh(W @ x), x),
    "JVP": lambda: sn.jvp(sn.tanh(W @ x), {x: w}),
    "VJP": lambda: sn.vjp(sn.tanh(A @ x), x, w),
    "HVP": lambda: sn.hvp(sn.tanh(x @ A @ x), x, w),
}


@pytest.mark.parametrize("kind", COMPILED)
def test_m7_every_operator_is_also_compiled(kind, data):
    node = COMPILED[kind]()
    function = sn.compile(node)
    found = function(**{name: data[name] for name in function.inputs})
    assert found == pytest.approx(evaluate(node, data), rel=1e-12, abs=1e-13)

"""Jacobians, derivatives and Hessians: the tables of matrix calculus, layouts, compact forms, and refusals."""

import numpy as np
import pytest
import sympy

import symnet as sn
from symnet.errors import ArgumentError, ShapeError
from symnet.expr.nodes.graph import topological
from symnet.reference import evaluate

x, w = sn.tensor("x", 4), sn.tensor("w", 4)
A, W, V = sn.tensor("A", 4, 4), sn.tensor("W", 3, 4), sn.tensor("V", 2, 3)
X = sn.tensor("X", sn.dim("m"), 4)


@pytest.fixture
def data(rng):
    shapes = {"x": 4, "w": 4, "A": (4, 4), "W": (3, 4), "V": (2, 3), "X": (5, 4)}
    return {name: rng.normal(size=shape) for name, shape in shapes.items()}


def value(node, data):
    return evaluate(node, data, leaves=[x, w, A, W, V, X])


def test_simple_functions_of_a_vector_have_the_jacobians_of_the_tables(data):
    assert sn.jacobian(A @ x, x) is A
    assert sn.jacobian(V @ W @ x, x) is sn.simplify(V @ W)
    assert sn.jacobian(x + w, x) is sn.eye(4)
    assert np.array_equal(value(sn.jacobian(x * w, x), data), np.diag(data["w"]))
    assert np.array_equal(value(sn.jacobian(x * x, x), data), np.diag(2 * data["x"]))


def test_scalars_by_a_vector_give_row_vectors(data):
    expected = {
        x.sum(): np.ones(4),
        x @ w: data["w"],
        x @ x: 2 * data["x"],
        x @ A @ x: data["x"] @ (data["A"] + data["A"].T),
    }
    for y, row in expected.items():
        J = value(sn.derivative(y, x), data)
        assert J.shape == (1, 4) and J[0] == pytest.approx(row)
        column = value(sn.derivative(y, x, layout="denominator"), data)
        assert column.shape == (4, 1) and column[:, 0] == pytest.approx(row)


def test_a_row_times_a_matrix_has_the_transposed_matrix_in_numerator_layout():
    assert sn.derivative(x @ A, x) is sn.simplify(A.T)
    assert sn.derivative(x @ A, x, layout="denominator") is A


def test_a_matrix_vector_product_by_the_matrix_is_a_delta_times_the_vector(data):
    J, T = sn.jacobian(W @ x, W), sn.derivative(W @ x, W)
    assert J is sn.simplify(sn.einsum("ij,k->ijk", sn.eye(3), x))
    assert T is sn.simplify(sn.einsum("ik,j->ijk", sn.eye(3), x))
    dense = value(T, data)
    assert all(dense[i, j, k] == (data["x"][j] if i == k else 0) for i, j, k in np.ndindex(3, 4, 3))


def test_layouts_have_the_shapes_of_the_documentation():
    Y = X @ W.T
    assert sn.jacobian(Y, W).shape == (*Y.shape, 3, 4)
    assert sn.derivative(Y, W).shape == (*Y.shape, 4, 3)
    assert sn.derivative(Y, W, layout="denominator").shape == (3, 4, *reversed(Y.shape))
    assert sn.derivative((W @ x).sum(), W).shape == (4, 3)
    assert sn.derivative((W @ x).sum(), W, layout="denominator").shape == (3, 4)


def test_rows_of_a_batch_depend_on_their_own_row_alone(data):
    J = value(sn.jacobian(X @ W.T, X), data)
    for i, k in np.ndindex(5, 5):
        assert J[i, :, k] == pytest.approx(data["W"] if i == k else np.zeros((3, 4)))


def test_softmax_has_jacobian_diag_y_less_y_y(data):
    y = np.exp(data["x"]) / np.exp(data["x"]).sum()
    assert value(sn.jacobian(sn.softmax(x), x), data) == pytest.approx(np.diag(y) - np.outer(y, y))


def test_an_array_by_a_scalar_is_differentiated_forward(data):
    s = sn.scalar("s")
    J = sn.jacobian(sn.exp(s * A), s)
    assert J.shape == (4, 4) and not any(node.kind == "delta" for node in topological(J))
    arrays = {**data, "s": np.array(0.3)}
    assert evaluate(J, arrays) == pytest.approx(data["A"] * np.exp(0.3 * data["A"]))
    by_vector = sn.jacobian(A * x[:, None], x)
    dense = value(by_vector, data)
    assert dense.shape == (4, 4, 4) and all(
        dense[i, j, k] == (data["A"][i, j] if i == k else 0) for i, j, k in np.ndindex(4, 4, 4)
    )


def test_a_jacobian_by_an_intermediate_node_sees_it_as_a_variable(data):
    h = sn.tanh(W @ x)
    J = sn.jacobian(V @ h, h)
    assert J is V


def test_several_variables_give_the_structure_asked_for():
    found = sn.jacobian(W @ x, {"W": W, "x": x})
    assert found["x"] is W and found["W"].shape == (3, 3, 4)


def test_an_absent_route_gives_zeros(data):
    assert not value(sn.jacobian(sn.floor(x) * w, x), data).any()


# --------------------------------------------------------------------------- Hessians


def test_the_hessian_of_a_quadratic_form_is_a_plus_its_transpose(data):
    assert value(sn.hessian(x @ A @ x, x), data) == pytest.approx(data["A"] + data["A"].T)


def test_the_hessian_of_a_factorisation_is_a_delta_times_a_gram_matrix():
    T, U, F = sn.tensor("T", 5, 6), sn.tensor("U", 5, 2), sn.tensor("F", 6, 2)
    H = sn.hessian(((T - U @ F.T) ** 2).sum(), U)
    assert H is sn.simplify(2 * sn.einsum("ik,jl->ijkl", sn.eye(5), F.T @ F))


def test_the_hessian_of_logistic_regression_is_a_weighted_gram_matrix(data):
    d = sn.tensor("d", sn.dim("m"), unit=True)
    H = sn.hessian(sn.mean(sn.binary_cross_entropy(sn.sigmoid(X @ w), d)), w)
    s = 1 / (1 + np.exp(-data["X"] @ data["w"]))
    expected = data["X"].T @ (data["X"] * (s * (1 - s))[:, None]) / 5
    assert evaluate(H, data) == pytest.approx(expected)
    assert not any(node.kind == "delta" for node in topological(H))


def test_blocks_of_a_hessian_are_nested_as_the_variables(data):
    blocks = sn.hessian(x @ A @ w, [x, w])
    assert value(blocks[0][1], data) == pytest.approx(data["A"])
    assert value(blocks[1][0], data) == pytest.approx(data["A"].T)
    assert not value(blocks[0][0], data).any()
    named = sn.hessian(x @ A @ w, {"x": x, "w": w})
    assert named["x"]["w"] is blocks[0][1]


def test_the_hessian_of_a_polynomial_is_constant():
    f = sn.from_sympy(sympy.sympify("x1**2 + x1*(1 - x2) + x2**2 - x2*x3 + x3**2 + x3"))
    names = [sn.scalar(n) for n in ("x1", "x2", "x3")]
    H = np.array([[float(evaluate(e, {})) for e in row] for row in sn.hessian(f, names)])
    assert H.tolist() == [[2, -1, 0], [-1, 2, -1], [0, -1, 2]]


# --------------------------------------------------------------------------- products


def test_products_with_jacobians_and_hessians_follow_from_them(data):
    v = sn.tensor("v", 4)
    arrays = {**data, "v": np.arange(4.0)}
    y = sn.tanh(W @ x)
    J = value(sn.jacobian(y, x), data)
    assert evaluate(sn.jvp(y, {x: v}), arrays) == pytest.approx(J @ arrays["v"])
    assert evaluate(sn.jvp(y, x, v), arrays) == pytest.approx(J @ arrays["v"])
    u = sn.tensor("u", 3)
    assert evaluate(sn.vjp(y, x, u), {**data, "u": np.ones(3)}) == pytest.approx(np.ones(3) @ J)
    L = (y**2).sum()
    assert evaluate(sn.hvp(L, x, v), arrays) == pytest.approx(value(sn.hessian(L, x), data) @ arrays["v"])


def test_jvp_adds_over_variables_and_hvp_takes_structures(data):
    both = sn.jvp(x @ A @ w, {x: x, w: w})
    assert value(both, data) == pytest.approx(2 * value(x @ A @ w, data))
    assert both is sn.jvp(x @ A @ w, [x, w], [x, w]) is sn.jvp(x @ A @ w, {"a": x, "b": w}, {"a": x, "b": w})
    by_list = sn.hvp(x @ A @ w, [x, w], [x, w])
    by_dict = sn.hvp(x @ A @ w, {"x": x, "w": w}, {"w": w, "x": x})
    assert value(by_list[0], data) == pytest.approx(data["A"] @ data["w"])
    assert by_dict == {"x": by_list[0], "w": by_list[1]}
    assert sn.hvp(x @ A @ w, {x: x, w: w}) == {x: by_list[0], w: by_list[1]}
    assert sn.vjp(x @ A @ w, {"x": x}, 1)["x"] is sn.vjp(x @ A @ w, [x], 1)[0] is sn.vjp(x @ A @ w, x, 1)


# --------------------------------------------------------------------------- refusals


def test_unknown_layouts_are_refused():
    with pytest.raises(ArgumentError, match=r"expected \"numerator\" or \"denominator\"; got 'rows'"):
        sn.derivative(x.sum(), x, layout="rows")


def test_vectors_of_another_shape_are_refused():
    with pytest.raises(ShapeError, match=r"jvp\(y, x, v\): expected v of x's shape \(4,\); got shape \(3,\)"):
        sn.jvp(x.sum(), {x: sn.tensor("v", 3)})
    with pytest.raises(ShapeError, match=r"y_bar of y's shape \(3,\); got shape \(4,\)"):
        sn.vjp(W @ x, x, w)
    with pytest.raises(ShapeError, match=r"hvp\(L, x, v\): expected v of x's shape \(4,\); got shape \(\)"):
        sn.hvp(x.sum(), x, 1)


def test_tangents_without_variables_are_refused():
    with pytest.raises(ArgumentError, match=r"jvp\(y, x, v\): expected v, or a dict \{x: v\}; got x as a \w+ and no v"):
        sn.jvp(x.sum(), x)
    with pytest.raises(ArgumentError, match=r"hvp\(L, x, v\): .*; got x as a dict and no v"):
        sn.hvp(x @ w, {"x": x})
    with pytest.raises(ArgumentError, match=r"v as a list of 2, like x; got list of 1"):
        sn.hvp(x @ w, [x, w], [x])


def test_a_hessian_of_an_array_and_absent_variables_are_refused():
    with pytest.raises(ShapeError, match=r"hessian\(L, x\): expected a scalar L"):
        sn.hessian(x, x)
    with pytest.raises(ArgumentError, match=r"jacobian\(y, x\): expected an expression that contains w"):
        sn.jacobian(A @ x, w)

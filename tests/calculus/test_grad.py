"""Gradients: the formulas of the textbook, structures, intermediate targets, names, and refusals."""

import numpy as np
import pytest
import sympy

import symnet as sn
from symnet.errors import ArgumentError, AssumptionError, ShapeError
from symnet.expr.nodes.constants import size
from symnet.expr.nodes.graph import topological
from symnet.expr.nodes.names import strip
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import Barrier, Named
from symnet.reference import evaluate

m = sn.dim("m")
Z, U = sn.tensor("Z", m, 10), sn.tensor("U", m, 10)
D1, DS = sn.tensor("D", m, 10, one_hot=True), sn.tensor("D", m, 10, simplex=True)
x = sn.tensor("x", 4)


def same(result: Node, expected: Node) -> bool:
    """Whether two formulas are one node, names aside."""
    (plain,), _ = strip([result])
    return plain is sn.simplify(expected)


SOFTMAX = {
    "softmax": lambda z: sn.softmax(z),
    "exp over sum": lambda z: sn.exp(z) / sn.exp(z).sum(1, keepdims=True),
    "exp of log_softmax": lambda z: sn.exp(sn.log_softmax(z)),
}
LOSS = {
    "cross_entropy": sn.cross_entropy,
    "kl_div": sn.kl_div,
    "spelled out": lambda Y, D: -(D * sn.log(Y)).sum(1),
}


@pytest.mark.parametrize("loss", LOSS)
@pytest.mark.parametrize("softmax", SOFTMAX)
def test_softmax_with_cross_entropy_has_gradient_y_less_d(softmax, loss):
    Y = SOFTMAX[softmax](Z).named("Y")
    for D, expected in ((D1, "(Y - D)/m"), (DS, "(Y - D)/m")):
        assert str(sn.grad(sn.mean(LOSS[loss](Y, D)), Z)) == expected
    unknown = sn.grad(sn.mean(LOSS[loss](Y, U)), Z)
    assert same(unknown, (sn.softmax(Z) * U.sum(1, keepdims=True) - U) / size(m))


def test_logistic_regression_has_gradient_y_less_d():
    z, d = sn.scalar("z"), sn.scalar("d")
    loss = sn.binary_cross_entropy(sn.sigmoid(z).named("y"), d)
    assert str(sn.grad(loss, z)) == "y - d" and same(sn.grad(loss, z), sn.sigmoid(z) - d)
    w, b = sn.tensor("w", 4), sn.scalar("b")
    loss = sn.binary_cross_entropy(sn.sigmoid(x @ w + b), d)
    by_w, by_b = sn.grad(loss, [w, b])
    assert same(by_w, (sn.sigmoid(x @ w + b) - d) * x) and same(by_b, sn.sigmoid(x @ w + b) - d)


def test_binary_cross_entropy_by_the_probability_is_left_as_a_textbook_has_it():
    z, d = sn.scalar("z"), sn.scalar("d")
    y = sn.sigmoid(z)
    loss = sn.binary_cross_entropy(y, d)
    assert same(sn.grad(loss, y), -d / y + (1 - d) / (1 - y))


def test_half_squared_error_has_gradient_y_less_d():
    Y, T = sn.tensor("Y", m, 3), sn.tensor("T", m, 3)
    assert same(sn.grad(sn.l2(Y, T).sum(), Y), Y - T)


def test_the_graph_of_two_routes_gives_all_adjoints_from_one_pass():
    a, b = sn.scalar("a"), sn.scalar("b")
    c = (a + b).named("c")
    by = sn.grad(a * c, {"a": a, "b": b, "c": c})
    values = evaluate(list(by.values()), {"a": np.array(4.0), "b": np.array(3.0)})
    assert list(by) == ["a", "b", "c"] and [float(v) for v in values] == [11, 4, 4]
    assert sn.grad(c, a) is sn.constant(1) and sn.grad(a * c, a * c) is sn.constant(1)


def test_the_polynomial_of_three_variables_has_its_gradient():
    f = sympy.sympify("x1**2 + x1*(1 - x2) + x2**2 - x2*x3 + x3**2 + x3")
    found = sn.grad(sn.from_sympy(f), [sympy.Symbol(name) for name in ("x1", "x2", "x3")])
    expected = [sn.from_sympy(f.diff(name)) for name in ("x1", "x2", "x3")]
    assert all(same(g, e) for g, e in zip(found, expected, strict=True))


def test_rewrites_do_not_look_through_an_intermediate_variable():
    """exp(log c) would be c; by c = log x, ∂ exp(c)/∂c must be exp(c), and by x it is 1."""
    s = sn.scalar("s", positive=True)
    c = sn.log(s)
    assert same(sn.grad(sn.exp(c), s), sn.constant(1))
    assert evaluate(sn.grad(sn.exp(c), c), {"s": np.array(3.0)}) == pytest.approx(3.0)


def test_no_barrier_is_left_in_a_result():
    Y = sn.softmax(Z)
    assert not any(isinstance(node, Barrier) for node in topological(sn.grad(sn.mean(sn.cross_entropy(Y, D1)), Y)))


def test_names_come_back_on_the_values_that_had_them():
    H = sn.tanh(Z @ sn.tensor("W", 10, 10)).named("H")
    g = sn.grad((H**2).sum(), sn.tensor("W", 10, 10))
    assert any(isinstance(node, Named) and node.name == "H" for node in topological(g))
    assert "H" in str(g) and "tanh" not in str(g)


def test_a_name_on_a_leaf_or_number_is_not_spread():
    y = (x * 1).named("y")
    assert "y" not in str(sn.grad((y * y).sum(), x)).replace("eye", "")


def test_the_answer_has_the_structure_of_the_variable():
    y = sn.tensor("y", 4)
    L = (x * y).sum()
    assert sn.grad(L, x) is y and sn.grad(L, [y, x]) == [x, y] and sn.grad(L, (x,)) == [y]
    assert sn.grad(L, {"first": x}) == {"first": y}


def test_a_variable_that_cancels_or_has_slope_zero_gives_zeros():
    assert evaluate(sn.grad((x - x).sum(), x), {"x": np.ones(4)}, leaves=[x]).tolist() == [0] * 4
    assert sn.grad(sn.floor(x).sum(), x).shape == (4,)


def test_a_symmetric_variable_gets_the_symmetric_part():
    S, a, b = sn.tensor("S", 4, 4, symmetric=True), sn.tensor("a", 4), sn.tensor("b", 4)
    data = {"a": np.arange(4.0), "b": np.ones(4)}
    G = evaluate(sn.grad(a @ S @ b, S), data)
    plain = np.outer(data["a"], data["b"])
    assert pytest.approx((plain + plain.T) / 2) == G


@pytest.mark.parametrize("function", [sn.sin, lambda v: v + 1, lambda v: sn.sigmoid(v)], ids=["sin", "plus", "sigmoid"])
def test_a_chain_of_ten_thousand_nodes_is_differentiated_and_simplified(function):
    value: Node = x
    for _ in range(10_000 if function is sn.sin else 1000):
        value = function(value)
    assert sn.grad(value.sum(), x).shape == (4,)


def test_sixty_doublings_are_differentiated_at_once():
    value: Node = x
    for _ in range(60):
        value = value + value
    assert evaluate(sn.grad(value.sum(), x), {"x": np.zeros(4)}, leaves=[x]).tolist() == [2.0**60] * 4


# --------------------------------------------------------------------------- refusals


def test_a_loss_with_axes_is_refused():
    with pytest.raises(ShapeError, match=r"grad\(L, w\): expected a scalar L \(rank 0\); got shape \(4,\).*jacobian"):
        sn.grad(x * 2, x)


def test_a_variable_that_is_absent_is_refused():
    with pytest.raises(ArgumentError, match=r"an expression that contains y; got one of x"):
        sn.grad((x * x).sum(), sn.tensor("y", 4))


@pytest.mark.parametrize(("leaf", "text"), [(D1, "one_hot"), (DS, "simplex")])
def test_a_variable_under_an_equality_is_refused(leaf, text):
    with pytest.raises(AssumptionError, match=rf"D, which is {text}\. Drop {text}=True"):
        sn.grad((leaf * Z).sum(), leaf)


def test_an_integer_variable_is_refused():
    t = sn.tensor("t", 4, dtype="int64")
    with pytest.raises(AssumptionError, match=r"a real variable; got t of int64"):
        sn.grad((t * x).sum(), t)
    k = sn.tensor("k", 4, integer=True)
    with pytest.raises(AssumptionError, match=r"a real variable; got k of integers"):
        sn.grad((k * x).sum(), k)


@pytest.mark.parametrize("wrong", [3, "x", None, [np.ones(3)]])
def test_what_is_no_variable_is_refused(wrong):
    with pytest.raises(ArgumentError, match="a node to differentiate by, or a list or dict of nodes"):
        sn.grad((x * x).sum(), wrong)


def test_two_leaves_of_one_name_are_refused():
    with pytest.raises(ArgumentError, match=r"one tensor called 'x'; got two: float64\[4\] and float64\[4\] positive"):
        sn.grad((x * sn.tensor("x", 4, positive=True)).sum(), x)


def test_an_intermediate_variable_is_free_though_its_value_is_tied(rng):
    """Its rows sum to one, it is symmetric: true of the value, and nothing that a derivative by it may use."""
    Z, A = sn.tensor("Z", 4, 3), sn.tensor("A", 3, 3)
    Y, S = sn.softmax(Z), A + A.T
    data = {"Z": rng.normal(size=(4, 3)), "A": rng.normal(size=(3, 3))}
    y = np.exp(data["Z"]) / np.exp(data["Z"]).sum(1, keepdims=True)
    assert sn.grad(sn.sum(Y), Y) is sn.simplify(sn.broadcast_to(1, (4, 3)))
    ratio = sn.grad(sn.sum(Y[0] ** 2) / sn.sum(Y[0]), Y)
    assert evaluate(ratio, data)[0] == pytest.approx(2 * y[0] - (y[0] ** 2).sum(), rel=1e-12)
    assert sn.grad(sn.trace(S @ A), S) is sn.simplify(A.T)
    assert sn.grad(sn.trace(S.T @ A), S) is A


def test_the_gradient_by_a_leaf_does_not_grow_when_a_value_on_the_way_is_asked_for_too():
    Z, D = sn.tensor("Z", 4, 3), sn.tensor("D", 4, 3, one_hot=True)
    Y = sn.softmax(Z).named("Y")
    loss = sn.sum(sn.cross_entropy(Y, D))
    assert [str(g) for g in sn.grad(loss, [Y, Z])] == ["-D/Y", "Y - D"]
    assert sn.grad(loss, [Y, Z])[1] is sn.grad(loss, Z)
    assert sn.jacobian(loss, [Y, Z])[1] is sn.jacobian(loss, Z)


@pytest.mark.parametrize("scale", [1, 0.5, 3])
def test_a_gradient_through_a_sum_so_far_keeps_the_dtype(scale: float) -> None:
    """The slope of what follows is a constant, which takes the dtype of what it meets: also as a sum so far."""
    A = sn.tensor("A", 7, 4, dtype="float32")
    for L in (sn.mean(sn.cumsum(sn.tanh(A), axis=1)), sn.sum(scale * sn.cumsum(sn.exp(A), axis=0))):
        assert sn.grad(L, A).dtype == "float32"

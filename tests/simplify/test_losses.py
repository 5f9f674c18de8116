"""MISSION L1 to L7: the gradients of losses come out as the textbook's nodes, whatever spelling the user chose."""

from __future__ import annotations

import pytest
import sympy

from symnet.calculus.grad import grad
from symnet.expr.nodes.constants import size
from symnet.expr.nodes.contraction import matmul, mean, transpose
from symnet.expr.nodes.contraction import sum as total
from symnet.expr.nodes.elementwise import exp, log, sigmoid, tanh
from symnet.expr.nodes.extents import dim
from symnet.expr.nodes.graph import topological
from symnet.expr.nodes.indexing import labels
from symnet.expr.nodes.reduction import log_softmax, softmax
from symnet.expr.nodes.reduction import max as largest
from symnet.expr.nodes.symbols import tensor
from symnet.nn import binary_cross_entropy, cross_entropy, kl_div, l2, label_smoothing
from symnet.simplify.algebra import table as algebra
from symnet.simplify.algebra.table import simplify
from symnet.simplify.numeric import passes as numeric

m = dim("m")
Z = tensor("Z", m, 10)
z, d = tensor("z", m), tensor("d", m)

SOFTMAX = {
    "softmax": softmax,
    "exp over its sum": lambda Z: exp(Z) / total(exp(Z), 1, keepdims=True),
    "reciprocal of the sum": lambda Z: (1 / total(exp(Z), 1, keepdims=True)) * exp(Z),
    "exp of log-softmax": lambda Z: exp(log_softmax(Z)),
    "shifted by the maximum": lambda Z: SOFTMAX["exp over its sum"](Z - largest(Z, 1, keepdims=True)),
}
LOSS = {
    "cross_entropy": cross_entropy,
    "kl_div": kl_div,
    "written out": lambda Y, D: -total(D * log(Y), 1),
    "written out, other order": lambda Y, D: total(log(Y) * -D, 1),
}
TARGET = {
    "one-hot": tensor("D", m, 10, one_hot=True),
    "simplex": tensor("D", m, 10, simplex=True),
    "labels": labels("t", m, classes=10),
}


@pytest.mark.parametrize("target", TARGET)
@pytest.mark.parametrize("loss", LOSS)
@pytest.mark.parametrize("spelling", SOFTMAX)
def test_softmax_with_a_distribution_as_target_gives_y_minus_d_over_m(spelling, loss, target):
    D = TARGET[target]
    gradient = grad(mean(LOSS[loss](SOFTMAX[spelling](Z), D)), Z)
    assert gradient is simplify([(softmax(Z) - D) / size(m)])[0]


@pytest.mark.parametrize("loss", LOSS)
@pytest.mark.parametrize("spelling", SOFTMAX)
def test_with_nothing_known_of_the_target_its_row_sums_stay(spelling, loss):
    D = tensor("D", m, 10)
    gradient = grad(mean(LOSS[loss](SOFTMAX[spelling](Z), D)), Z)
    assert gradient is simplify([(softmax(Z) * total(D, 1, keepdims=True) - D) / size(m)])[0]


def test_one_sample_gives_y_minus_d():
    u, e = tensor("u", 10), tensor("e", 10, one_hot=True)
    assert grad(cross_entropy(softmax(u), e), u) is simplify([softmax(u) - e])[0]


@pytest.mark.parametrize(
    "logistic",
    [sigmoid, lambda z: 1 / (1 + exp(-z)), lambda z: exp(z) / (1 + exp(z)), lambda z: 1 - sigmoid(-z)],
    ids=["sigmoid", "1/(1 + exp(-z))", "exp(z)/(1 + exp(z))", "1 - sigmoid(-z)"],
)
def test_logistic_regression_gives_y_minus_d(logistic):
    y = logistic(z)
    loss = mean(-d * log(y) - (1 - d) * log(1 - y))
    assert grad(loss, z) is simplify([(sigmoid(z) - d) / size(m)])[0]


def test_binary_cross_entropy_gives_y_minus_d_by_logits_and_a_quotient_by_probabilities():
    assert grad(mean(binary_cross_entropy(sigmoid(z), d)), z) is simplify([(sigmoid(z) - d) / size(m)])[0]
    assert grad(mean(binary_cross_entropy(z, d, from_logits=True)), z) is simplify([(sigmoid(z) - d) / size(m)])[0]


def test_the_weights_of_logistic_regression():
    X, w, b = tensor("X", m, 3), tensor("w", 3), tensor("b")
    y = sigmoid(matmul(X, w) + b)
    gw, gb = grad(mean(binary_cross_entropy(y, d)), [w, b])
    want_w, want_b = simplify([matmul(transpose(X), y - d) / size(m), total(y - d) / size(m)])
    assert gw is want_w and gb is want_b


def test_squared_error_of_a_linear_output_gives_y_minus_d():
    D = tensor("D", m, 10)
    assert grad(mean(l2(Z, D)), Z) is simplify([(Z - D) / size(m)])[0]
    assert grad(total(l2(Z, D)), Z) is simplify([Z - D])[0]


def test_the_divergence_equals_the_cross_entropy_for_one_hot_targets():
    D = TARGET["one-hot"]
    assert simplify([kl_div(softmax(Z), D)]) == simplify([cross_entropy(softmax(Z), D)])
    P = tensor("P", m, 10, simplex=True)
    assert simplify([kl_div(softmax(Z), P)]) != simplify([cross_entropy(softmax(Z), P)])


def test_label_smoothing_stays_a_distribution():
    D, eps = TARGET["one-hot"], tensor("eps")
    S = label_smoothing(D, eps)
    assert grad(mean(cross_entropy(softmax(Z), S)), Z) is simplify([(softmax(Z) - S) / size(m)])[0]
    T = label_smoothing(D, sympy.Rational(1, 100))
    assert grad(mean(cross_entropy(softmax(Z), T)), Z) is simplify([(softmax(Z) - T) / size(m)])[0]


def test_a_network_gives_textbook_backpropagation_with_everything_shared():
    X, D = tensor("X", m, 64), tensor("D", m, 10, one_hot=True)
    W1, b1, W2, b2 = tensor("W1", 64, 128), tensor("b1", 128), tensor("W2", 128, 10), tensor("b2", 10)
    H = tanh(matmul(X, W1) + b1)
    Y = softmax(matmul(H, W2) + b2)
    gradients = grad(mean(cross_entropy(Y, D)), [W1, b1, W2, b2])
    delta = Y - D
    hidden = matmul(delta, transpose(W2)) * (1 - H**2)
    wanted = [
        matmul(transpose(X), hidden) / size(m),
        total(hidden, 0) / size(m),
        matmul(transpose(H), delta) / size(m),
        total(delta, 0) / size(m),
    ]
    assert gradients == simplify(wanted)
    nodes = topological(*gradients)
    assert len([n for n in nodes if n.kind == "elementwise" and n.op in ("exp", "tanh")]) == 2
    assert len([n for n in nodes if n.kind == "einsum" and len(n.operands) == 2]) == 5


def test_no_rewrite_names_the_pair():
    for rewrite in (*algebra.ALGEBRA, *(r for table in numeric.PASSES for r in table)):
        assert "cross" not in rewrite.name and "entropy" not in rewrite.meaning

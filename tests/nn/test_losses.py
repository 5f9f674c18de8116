"""Losses against their definitions, and every refusal."""

import numpy as np
import pytest

from symnet.errors import AssumptionError, ShapeError, ValueDomainError
from symnet.expr.nodes.contraction import mean
from symnet.expr.nodes.elementwise import sigmoid
from symnet.expr.nodes.extents import dim
from symnet.expr.nodes.indexing import labels, one_hot
from symnet.expr.nodes.reduction import softmax
from symnet.expr.nodes.symbols import tensor
from symnet.nn import binary_cross_entropy, cross_entropy, kl_div, l2, label_smoothing
from symnet.reference import evaluate

m = dim("m")
Z, D = tensor("Z", m, 3), tensor("D", m, 3)
z, d = tensor("z", m), tensor("d", m)


@pytest.fixture
def data(rng):
    target = rng.dirichlet(np.ones(3), 5)
    return {"Z": rng.normal(size=(5, 3)), "D": target, "z": rng.normal(size=5), "d": rng.uniform(size=5)}


def probabilities(logits):
    e = np.exp(logits)
    return e / e.sum(-1, keepdims=True)


def test_l2_is_half_the_squared_error(data):
    expected = 0.5 * ((data["Z"] - data["D"]) ** 2).sum(-1)
    assert evaluate(l2(Z, D), data) == pytest.approx(expected, rel=1e-14)
    assert l2(tensor("y"), tensor("t")).shape == ()


@pytest.mark.parametrize("from_logits", [False, True])
def test_cross_entropy_and_kl_follow_their_definitions(data, from_logits):
    Y = Z if from_logits else softmax(Z)
    p, t = probabilities(data["Z"]), data["D"]
    assert evaluate(cross_entropy(Y, D, from_logits), data) == pytest.approx(-(t * np.log(p)).sum(-1), rel=1e-13)
    assert evaluate(kl_div(Y, D, from_logits), data) == pytest.approx((t * np.log(t / p)).sum(-1), rel=1e-12)


def test_kl_equals_cross_entropy_for_one_hot_targets(data):
    t = labels("t", m, classes=3)
    arrays = {**data, "t": np.array([0, 2, 1, 1, 0])}
    both = evaluate([kl_div(softmax(Z), t), cross_entropy(softmax(Z), t)], arrays)
    assert both[0] == pytest.approx(both[1], rel=1e-14)


@pytest.mark.parametrize("from_logits", [False, True])
def test_binary_cross_entropy_follows_its_definition(data, from_logits):
    p, t = 1 / (1 + np.exp(-data["z"])), data["d"]
    loss = binary_cross_entropy(z if from_logits else sigmoid(z), d, from_logits)
    assert evaluate(loss, data) == pytest.approx(-t * np.log(p) - (1 - t) * np.log(1 - p), rel=1e-13)


def test_label_smoothing_puts_eps_elsewhere_and_the_rest_at_the_class():
    smooth = evaluate(label_smoothing(labels("t", m, classes=4), 0.1), {"t": np.array([2])})
    assert smooth[0] == pytest.approx([0.1, 0.1, 0.7, 0.1], rel=1e-14)


def test_label_smoothing_takes_symbolic_classes_and_eps():
    k, eps = dim("k"), tensor("eps")
    node = label_smoothing(one_hot(tensor("t", m, dtype="int64"), k) * tensor("one", k), eps)
    out = evaluate(node, {"t": np.array([0]), "one": np.ones(3), "eps": 0.2})
    assert out[0] == pytest.approx([0.6, 0.2, 0.2], rel=1e-14)


# --------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(("loss", "name"), [(cross_entropy, "cross_entropy"), (kl_div, "kl_div")])
def test_logits_are_refused_and_softmax_is_named(loss, name):
    with pytest.raises(AssumptionError, match=rf"{name}\(Y, D\).*positive; got Z, .*softmax\(Z\), or from_logits=True"):
        loss(Z, D)


def test_logits_are_refused_by_the_binary_loss_and_sigmoid_is_named():
    with pytest.raises(AssumptionError, match=r"\(0, 1\); got z, .*sigmoid\(Z\), or from_logits=True"):
        binary_cross_entropy(z, d)


def test_a_positive_tensor_is_taken_as_probabilities():
    assert cross_entropy(tensor("P", m, 3, positive=True), D).shape == (m,)


def test_integer_labels_are_refused_and_one_hot_is_named():
    with pytest.raises(ShapeError, match=r"\(m, 3\) and \(m,\)\. Pass sn\.one_hot\(t, 3\)"):
        cross_entropy(softmax(Z), tensor("t", m, dtype="int64"))


def test_shapes_that_differ_are_refused():
    with pytest.raises(ShapeError, match=r"l2\(Y, D\): expected Y and D of one shape; got \(m, 3\) and \(m,\)"):
        l2(Z, d)
    with pytest.raises(ShapeError, match=r"an axis of classes; got a scalar"):
        cross_entropy(tensor("y", positive=True), tensor("t"))


@pytest.mark.parametrize("eps", [-0.1, 0.6])
def test_an_eps_that_makes_a_negative_target_is_refused(eps):
    with pytest.raises(ValueDomainError, match=rf"eps from 0 to 1/\(K-1\) with K = 3; got {eps}"):
        label_smoothing(D, eps)


def test_label_smoothing_of_a_scalar_is_refused():
    with pytest.raises(ShapeError, match=r"label_smoothing\(D, 0\.1\): expected an axis of classes; got a scalar"):
        label_smoothing(tensor("y"), 0.1)


def test_the_mean_of_a_loss_is_the_empirical_risk(data):
    per_sample, risk = evaluate([l2(Z, D), mean(l2(Z, D))], data)
    assert risk == pytest.approx(per_sample.mean())

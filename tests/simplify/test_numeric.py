"""The numeric form: what goes wrong without it, and that each form has the value it stands for, to a few ulp."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

from symnet.calculus.grad import grad
from symnet.expr.nodes.contraction import mean
from symnet.expr.nodes.contraction import sum as total
from symnet.expr.nodes.elementwise import elementwise, exp, log, sigmoid, xlogy
from symnet.expr.nodes.extents import dim
from symnet.expr.nodes.graph import topological
from symnet.expr.nodes.reduction import log_softmax, logsumexp, softmax
from symnet.expr.nodes.symbols import tensor
from symnet.nn import binary_cross_entropy, cross_entropy, kl_div
from symnet.reference import evaluate
from symnet.simplify.algebra.table import simplify
from symnet.simplify.numeric.passes import numeric

mpmath.mp.dps = 60
m = dim("m")
Z, D = tensor("Z", m, 4), tensor("D", m, 4, one_hot=True)
x, d = tensor("x", m), tensor("d", m, unit=True)

# Logits of every size, a row that one class holds alone, ties.
LOGITS = np.array(
    [
        [0, 0, 0, 0],
        [1000, -1000, 999, 0],
        [30, 0, -3, 1],
        [1e-3, 0, 2e-3, -1e-3],
        [-1000, -1000, -1000, -1001],
        [80, 0, 0, 0],
    ],
    dtype="float32",
)
TARGETS = np.eye(4, dtype="float32")[[0, 0, 0, 1, 3, 0]]
POINTS = np.array([-1000, -90, -20, -1, -1e-3, 0, 1e-6, 0.5, 3, 17, 20, 100, 1000], dtype="float32")


def direct(node, **data):
    """The formula as it stands, in float32."""
    with np.errstate(all="ignore"):
        return evaluate(node, data, dtype="float32")


def stable(node, **data):
    with np.errstate(over="raise", invalid="raise"):
        return evaluate(numeric(simplify([node]))[0], data, dtype="float32")


def ulps(got, exact, scale=None):
    """The largest error in units in the last place of the exact value (or of `scale`)."""
    worst = 0.0
    for g, e in zip(np.ravel(got), np.ravel(exact), strict=True):
        unit = np.spacing(np.float32(abs(float(e)) if scale is None else scale))
        worst = max(worst, float(abs(mpmath.mpf(float(g)) - e) / mpmath.mpf(float(unit))))
    return worst


def exact_rows(function):
    return np.array([function([mpmath.mpf(float(v)) for v in row]) for row in LOGITS], dtype=object)


def exact_points(function):
    return np.array([function(mpmath.mpf(float(v))) for v in POINTS], dtype=object)


# --------------------------------------------------------------------------- without the second form


def plain_loss(Z):
    """Cross-entropy as the algebra form holds it, log-sum-exp spelled out."""
    return -total(D * (Z - log(total(exp(Z), 1, keepdims=True))), 1)


def test_without_the_numeric_form_losses_overflow_and_lose_their_digits():
    naive = direct(plain_loss(Z), Z=LOGITS, D=TARGETS)
    assert not np.isfinite(naive[1])  # exp(1000)
    assert not np.isfinite(naive[4])  # log of nothing
    assert naive[5] == 0  # the loss is 3·exp(-80), all of it rounded away
    good = stable(cross_entropy(softmax(Z), D), Z=LOGITS, D=TARGETS)
    assert np.all(np.isfinite(good)) and good[5] > 0


def test_without_the_numeric_form_logistic_losses_are_infinite():
    loss = -log(1 - sigmoid(x))
    assert np.isinf(direct(loss, x=np.float32([20])))
    assert stable(loss, x=np.float32([20])) == pytest.approx(20, rel=1e-6)
    assert direct(1 - sigmoid(x), x=np.float32([20])) == 0
    assert stable(1 - sigmoid(x), x=np.float32([20])) == pytest.approx(np.exp(-20), rel=1e-6)


def test_the_algebra_form_would_lose_the_loss_in_the_maximum():
    """max + log(1 + t) at 1000: what separate passes are for."""
    node = total(D * logsumexp(Z, 1)[:, None], 1) - total(D * Z, 1)
    rounded = stable(node, Z=LOGITS + np.float32(1000), D=TARGETS)
    kept = stable(cross_entropy(softmax(Z), D), Z=LOGITS + np.float32(1000), D=TARGETS)
    assert rounded[2] == 0 and kept[2] > 0


# --------------------------------------------------------------------------- against mpmath


def softmax_row(row):
    powers = [mpmath.exp(v) for v in row]
    return [p / mpmath.fsum(powers) for p in powers]


def log_softmax_row(row):
    return [mpmath.log(p) for p in softmax_row(row)]


def test_log_sum_exp():
    exact = exact_rows(lambda row: mpmath.log(mpmath.fsum(map(mpmath.exp, row))))
    assert ulps(stable(logsumexp(Z, 1), Z=LOGITS), exact, scale=1000) <= 2
    assert ulps(stable(logsumexp(Z, 1), Z=LOGITS)[2:4], exact[2:4]) <= 2


def test_softmax_and_its_logarithm():
    exact = exact_rows(softmax_row)
    assert ulps(stable(softmax(Z), Z=LOGITS), exact, scale=1) <= 2
    logs = exact_rows(log_softmax_row)
    got = stable(log_softmax(Z), Z=LOGITS)
    assert ulps(got, logs, scale=1000) <= 2
    for row in (2, 3, 5):  # where the largest stands alone its logarithm is tiny, and right
        top = int(np.argmax(LOGITS[row]))
        assert ulps(got[row, top], logs[row, top]) <= 4


def test_cross_entropy_and_its_gradient():
    exact = exact_rows(log_softmax_row)
    chosen = np.array([-exact[n, int(t)] for n, t in enumerate(TARGETS.argmax(1))], dtype=object)
    got = stable(cross_entropy(softmax(Z), D), Z=LOGITS, D=TARGETS)
    assert all(ulps(g, e) <= 4 for g, e in zip(got, chosen, strict=True) if float(e) > 1e-37)
    slope = stable(grad(total(cross_entropy(softmax(Z), D)), Z), Z=LOGITS, D=TARGETS)
    wanted = exact_rows(softmax_row) - TARGETS.astype(float)
    for row in range(len(LOGITS)):  # to a few ulp of the largest derivative of the row, however small it is
        largest = max(float(abs(v)) for v in wanted[row])
        if largest > 1e-37:
            assert ulps(slope[row], wanted[row], scale=largest) <= 8, row


@pytest.mark.parametrize("loss", [cross_entropy, kl_div])
def test_losses_and_gradients_are_finite_at_any_logits(loss):
    node = mean(loss(softmax(Z), D))
    extreme = np.float32([[1000, -1000, 1000, -1000], [-1000, 1000, 0, 0], [-1000] * 4])
    targets = np.eye(4, dtype="float32")[[1, 0, 2]]
    for each in (node, grad(node, Z)):
        assert np.all(np.isfinite(stable(each, Z=extreme, D=targets)))


@pytest.mark.parametrize(
    ("node", "function"),
    [
        (log(sigmoid(x)), lambda v: -mpmath.log1p(mpmath.exp(-v))),
        (log(1 - sigmoid(x)), lambda v: -mpmath.log1p(mpmath.exp(v))),
        (1 - sigmoid(x), lambda v: 1 / (1 + mpmath.exp(v))),
        (log(1 + exp(x)), lambda v: mpmath.log1p(mpmath.exp(v))),
        (sigmoid(x) * (1 - sigmoid(x)), lambda v: 1 / (1 + mpmath.exp(-v)) / (1 + mpmath.exp(v))),
    ],
    ids=["log σ", "log(1 - σ)", "1 - σ", "softplus", "σ(1 - σ)"],
)
def test_logistic_forms(node, function):
    exact = exact_points(function)
    got = stable(node, x=POINTS)
    assert all(ulps(g, e) <= 4 for g, e in zip(got, exact, strict=True) if abs(float(e)) > 1e-37)


@pytest.mark.parametrize("target", [0, 1])
def test_binary_cross_entropy_and_its_gradient(target):
    node = binary_cross_entropy(sigmoid(x), d)
    targets = np.full(len(POINTS), target, dtype="float32")
    sign = 1 if target == 0 else -1
    exact = exact_points(lambda v: mpmath.log1p(mpmath.exp(sign * v)))
    slope = exact_points(lambda v: sign / (1 + mpmath.exp(-sign * v)))
    got, gradient = stable(node, x=POINTS, d=targets), stable(grad(total(node), x), x=POINTS, d=targets)
    assert all(ulps(g, e) <= 4 for g, e in zip(got, exact, strict=True) if float(e) > 1e-37)
    assert all(ulps(g, e) <= 4 for g, e in zip(gradient, slope, strict=True) if abs(float(e)) > 1e-37)


def test_log1p_and_expm1_keep_small_numbers():
    small = np.float32([1e-20, 1e-9, 1e-3])
    assert stable(log(1 + x**2), x=small) == pytest.approx(np.log1p(small.astype("f8") ** 2), rel=1e-6)
    assert stable(exp(x) - 1, x=small) == pytest.approx(np.expm1(small.astype("f8")), rel=1e-6)
    assert direct(exp(x) - 1, x=small)[0] == 0


def test_nothing_times_the_logarithm_of_nothing_is_nothing():
    p = tensor("p", m, nonnegative=True)
    zero = np.float32([0, 1])
    assert np.isnan(direct(p * log(p), p=zero)[0])
    assert stable(p * log(p), p=zero).tolist() == [0, 0]
    assert stable(xlogy(p, p), p=zero).tolist() == [0, 0]


def test_rows_that_are_not_finite_keep_their_meaning():
    rows = np.float32([[np.inf, 0, 0, 0], [-np.inf] * 4, [np.nan, 0, 0, 0]])
    with np.errstate(all="ignore"):
        got = evaluate(numeric(simplify([logsumexp(Z, 1)]))[0], {"Z": rows}, dtype="float32")
    assert got[0] == np.inf and got[1] == -np.inf and np.isnan(got[2])


def test_a_loss_and_its_gradient_share_one_exponential_per_element():
    loss = mean(cross_entropy(softmax(Z), D))
    roots = numeric(simplify([loss, grad(loss, Z), softmax(Z)]))
    exponentials = [n for n in topological(*roots) if n.kind == "elementwise" and n.op == "exp"]
    assert len(exponentials) == 1 and exponentials[0].shape == Z.shape


def test_tanh_and_its_derivative_stay():
    h = elementwise("tanh", x)
    (node,) = simplify([1 - h**2])
    assert numeric([node]) == [node]

"""The oracle against plain NumPy, and every error it raises."""

import math

import numpy as np
import pytest

from symnet.errors import ArgumentError, DTypeError, ShapeError, ValueDomainError
from symnet.expr.nodes.constants import identity, iota, number, size
from symnet.expr.nodes.contraction import einsum, mean
from symnet.expr.nodes.elementwise import elementwise, indicator, maximum, sigmoid, softplus, where, xlogy
from symnet.expr.nodes.expansion import fill
from symnet.expr.nodes.extents import dim
from symnet.expr.nodes.indexing import labels, take
from symnet.expr.nodes.movement import broadcast_to, concat, pad
from symnet.expr.nodes.reduction import argmax, log_softmax, logsumexp, max, min, prod, softmax
from symnet.expr.nodes.symbols import Barrier, tensor
from symnet.reference import bind_dims, evaluate

m, n = dim("m"), dim("n")
X = tensor("X", m, 4)
x, y = tensor("x", m), tensor("y", m)
t = tensor("t", m, dtype="int64")


@pytest.fixture
def a(rng_seed=0):
    return np.random.default_rng(rng_seed).normal(size=(5, 4))


def value(node, dtype=None, **data):
    return evaluate(node, {k: np.asarray(v) for k, v in data.items()}, dtype)


def test_sigmoid_and_softplus_do_not_overflow():
    z = np.array([-1000.0, -30.0, 0.0, 30.0, 1000.0])
    assert np.array_equal(value(sigmoid(x), x=z)[[0, 2, 4]], [0.0, 0.5, 1.0])
    assert value(sigmoid(x), x=z)[1] == pytest.approx(math.exp(-30), rel=1e-12)
    assert value(softplus(x), x=z)[[0, 2, 4]] == pytest.approx([0.0, math.log(2), 1000.0])


def test_logsumexp_is_stable_and_knows_infinities():
    big = [[1000.0, 1000.0, -1000.0, 0.0], [-np.inf] * 4, [np.inf, 0.0, 0.0, 0.0]]
    assert value(logsumexp(X, -1), X=big).tolist() == [1000.0 + math.log(2), -np.inf, np.inf]


def test_softmax_rows_sum_to_one(a):
    assert value(softmax(X), X=a).sum(1) == pytest.approx(np.ones(5))
    assert value(softmax(X, axis=0), X=a).sum(0) == pytest.approx(np.ones(4))
    assert np.exp(value(log_softmax(X), X=a)) == pytest.approx(value(softmax(X), X=a))


def test_xlogy_is_zero_where_x_is_zero():
    assert value(xlogy(x, y), x=[0.0, 2.0], y=[0.0, 3.0]).tolist() == [0.0, 2 * math.log(3)]


def test_maximum_and_max_propagate_nan():
    assert np.isnan(value(maximum(x, 0), x=[np.nan])).all()
    assert np.isnan(value(max(x), x=[1.0, np.nan]))


def test_argmax_gives_the_first_index():
    assert value(argmax(X), X=[[1, 3, 3, 0], [2.0, 2, 2, 2]]).tolist() == [1, 0]


def test_where_and_indicator_choose_elements():
    assert value(where(x > 0, x, -1), x=[-3.0, 2.0]).tolist() == [-1.0, 2.0]
    assert value(indicator(x >= 0) * 3, x=[-3.0, 0.0]).tolist() == [0.0, 3.0]


def test_reductions_agree_with_numpy(a):
    for node, expected in (
        (max(X, 0), a.max(0)),
        (min(X, 1), a.min(1)),
        (prod(X), a.prod()),
        (X.mean(0, keepdims=True), a.mean(0, keepdims=True)),
        (logsumexp(X, (0, 1)), np.log(np.exp(a).sum())),
    ):
        assert value(node, X=a) == pytest.approx(expected, rel=1e-13)


def test_movement_agrees_with_numpy(a):
    for node, expected in (
        (X[1:, ::2], a[1:, ::2]),
        (X[::-1], a[::-1]),
        (X[2], a[2]),
        (X[:, None, -1], a[:, None, -1]),
        (X.T, a.T),
        (X.reshape(-1), a.reshape(-1)),
        (concat([X, X[:2]]), np.concatenate([a, a[:2]])),
        (pad(X, [(1, 0), (0, 2)]), np.pad(a, [(1, 0), (0, 2)])),
        (broadcast_to(X[:, :1], (m, 3)), np.repeat(a[:, :1], 3, 1)),
        (fill(2, (m, 2)) + X[:, :2], 2 + a[:, :2]),
        (Barrier(X.named("input")), a),
    ):
        assert np.array_equal(value(node, X=a), expected)


def test_einsum_does_traces_diagonals_and_products(a):
    square, q = tensor("Q", 4, 4), a[:4]
    assert value(einsum("ii", square), Q=q) == pytest.approx(np.trace(q))
    assert value(einsum("ii->i", square), Q=q) == pytest.approx(np.diag(q))
    assert value(einsum("ij,jk,kl->il", X, square, square), X=a, Q=q) == pytest.approx(a @ q @ q)


def test_constants_are_weak_and_sizes_follow_the_data(a):
    assert value(X * size(m), X=a) == pytest.approx(5 * a)
    assert np.array_equal(value(identity(m) @ X, X=a), a)
    assert value(iota(m) + t, t=np.arange(5)).dtype == np.int64
    assert value(number(1) / 3 + X, dtype="float32", X=a).dtype == np.float32
    assert value(number(2), dtype="float32").dtype == np.float32 and value(number(2)).dtype == np.float64


def test_take_and_one_hot_read_integer_arrays(a):
    assert np.array_equal(value(take(X, t), X=a, t=np.array([4, 0, 1, 1, 2])), a[[4, 0, 1, 1, 2]])
    assert value(labels("t", m, classes=3), t=np.array([2, 0])).tolist() == [[0, 0, 1], [1, 0, 0]]


def test_a_chain_of_ten_thousand_nodes_is_evaluated_without_recursion():
    node = x
    for _ in range(10_000):
        node = node + 1
    assert value(node, x=[0.0])[0] == 10_000


def test_dims_are_read_from_the_shapes_of_the_data():
    double = tensor("double", 2 * m + n)
    assert bind_dims([x, double], {"x": np.zeros(3), "double": np.zeros(8)}) == {m: 3, n: 2}


def test_leaves_that_were_simplified_away_still_tell_extents():
    ones = fill(1, (m,))
    assert evaluate(ones, {"x": np.zeros(3)}, leaves=[x]).tolist() == [1, 1, 1]
    with pytest.raises(ArgumentError, match=r"arrays that tell m; got an expression without such leaves"):
        value(ones, x=np.zeros(3))


# --------------------------------------------------------------------------- errors


def test_two_values_for_one_dim_are_an_error():
    with pytest.raises(ShapeError, match=r"extent m = 5 on axis 0 of y; got 4 with m = 5"):
        value(x + y, x=np.zeros(5), y=np.zeros(4))


def test_a_wrong_concrete_extent_is_an_error():
    with pytest.raises(ShapeError, match=r"extent 4 on axis 1 of X; got 3"):
        value(X, X=np.zeros((5, 3)))


def test_a_wrong_rank_is_an_error():
    with pytest.raises(ShapeError, match=r"X of rank 2, float64\[m, 4\]; got shape \(5,\)"):
        value(X, X=np.zeros(5))


def test_a_missing_array_is_an_error():
    with pytest.raises(ArgumentError, match=r"an array for 'y'; got x\. Add y=array"):
        value(x + y, x=np.zeros(5))


def test_an_array_of_another_kind_is_an_error():
    with pytest.raises(DTypeError, match=r"t as int64; got float64\. Convert it with t\.astype\('int64'\)"):
        value(t, t=np.zeros(3))


@pytest.mark.parametrize(
    ("node", "text"), [(labels("t", m, classes=3), "0 to 2; got 3"), (take(X, t), "-5 to 4; got -6")]
)
def test_an_index_out_of_range_is_an_error(node, text, a):
    with pytest.raises(ValueDomainError, match=f"indices from {text}"):
        evaluate(node, {"t": np.array([0, 3]) if "3" in text else np.array([-6, 0, 0, 0, 0]), "X": a})


@pytest.mark.parametrize("reduction", [max, min])
def test_the_extremes_of_nothing_are_an_error(reduction):
    with pytest.raises(
        ValueDomainError, match=rf"{reduction.__name__}\(…\): expected at least one element; got shape \(0,\)"
    ):
        value(reduction(x), x=np.zeros(0))


@pytest.mark.parametrize(("reduction", "identity"), [(max, -np.inf), (min, np.inf)])
def test_the_extremes_of_nothing_are_those_of_loops_if_asked_for(reduction, identity):
    columns = evaluate(reduction(X, 0), {"X": np.zeros((0, 4))}, identities=True)
    assert np.array_equal(columns, [identity] * 4)


def test_the_mean_of_nothing_is_an_error_and_its_sum_is_zero():
    with pytest.raises(ValueDomainError, match=r"mean\(…\): expected at least one element; got .* = 0"):
        value(mean(x), x=np.zeros(0))
    assert value(x.sum(), x=np.zeros(0)) == 0


def test_a_slice_beyond_the_data_is_an_error():
    with pytest.raises(ValueDomainError, match=r"positions from 0 to 0 on axis 0; got 2 to 2"):
        value(x[2], x=np.zeros(1))
    with pytest.raises(ValueDomainError, match=r"extent m - 3: expected a size of at least 0; got -1 with m = 2"):
        value(x[3:], x=np.zeros(2))


def test_a_kind_without_a_meaning_names_the_table(monkeypatch):
    from symnet.reference import evaluation

    monkeypatch.delitem(evaluation.MEANING, "reshape")
    with pytest.raises(
        NotImplementedError, match=r"a meaning for reshape nodes; got Reshape\. .*symnet/reference/evaluation\.py"
    ):
        value(X.reshape(-1), X=np.zeros((2, 4)))


def test_every_primitive_has_a_meaning():
    from symnet.expr.nodes.primitives import PRIMITIVES
    from symnet.expr.nodes.reduction import REDUCTIONS
    from symnet.reference import elementwise as table
    from symnet.reference import reduction

    assert set(table.MEANING) == set(PRIMITIVES) and set(reduction.MEANING) == set(REDUCTIONS)
    assert elementwise("erf", number(0)).op == "erf"

"""Layers and their starting values."""

import numpy as np
import pytest

from symnet.errors import ArgumentError, ShapeError
from symnet.expr.nodes.activations import relu
from symnet.expr.nodes.elementwise import tanh
from symnet.expr.nodes.extents import dim
from symnet.expr.nodes.reduction import softmax
from symnet.expr.nodes.symbols import tensor
from symnet.nn import dense, init, mlp
from symnet.reference import evaluate

X = tensor("X", dim("m"), 4)


def test_a_dense_layer_is_an_activation_of_an_affine_map(rng):
    Y, (W, b) = dense(X, 3, relu, name="hidden")
    assert (W.name, W.shape, b.name, b.shape) == ("W_hidden", (4, 3), "b_hidden", (3,))
    data = {"X": rng.normal(size=(5, 4)), "W_hidden": rng.normal(size=(4, 3)), "b_hidden": rng.normal(size=3)}
    expected = np.maximum(data["X"] @ data["W_hidden"] + data["b_hidden"], 0)
    assert evaluate(Y, data) == pytest.approx(expected, rel=1e-14)


def test_an_mlp_stacks_layers_and_lists_parameters_in_order(rng):
    Y, params = mlp(X, [8, 3], activation=tanh, output=softmax)
    assert [p.name for p in params] == ["W1", "b1", "W2", "b2"] and Y.shape == (X.shape[0], 3)
    data = {"X": rng.normal(size=(5, 4)), **init(params, seed=1)}
    assert evaluate(Y, data).sum(-1) == pytest.approx(np.ones(5))


def test_an_mlp_takes_one_sample_and_its_dtype():
    Y, params = mlp(tensor("x", 4, dtype="float32"), [8, 3])
    assert Y.shape == (3,) and {p.dtype for p in params} == {"float32"}


def test_initial_values_depend_on_seed_and_name_alone():
    A, B = tensor("A", 4, 3), tensor("B", 4, 3)
    first, second = init([A], seed=7), init({"b": B, "a": A}, seed=7)
    assert np.array_equal(first["A"], second["A"]) and list(second) == ["B", "A"]
    assert not np.array_equal(second["A"], second["B"]) and not np.array_equal(first["A"], init([A], seed=8)["A"])


def test_initial_values_have_the_dtype_of_their_leaf():
    assert init([tensor("A", 4, 3, dtype="float32")])["A"].dtype == np.float32


@pytest.mark.parametrize(
    ("scheme", "deviation"), [("glorot", np.sqrt(2 / 500)), ("he", np.sqrt(2 / 200)), ("lecun", np.sqrt(1 / 200))]
)
def test_schemes_have_their_variance(scheme, deviation):
    values = init([tensor("A", 200, 300), tensor("b", 300)], scheme=scheme)
    assert values["A"].std() == pytest.approx(deviation, rel=0.02) and not values["b"].any()


def test_a_scheme_can_be_given_by_name():
    values = init([tensor("A", 4, 3), tensor("b", 3)], scheme={"A": "zeros", "b": "normal"})
    assert not values["A"].any() and values["b"].all()


def test_fans_of_higher_ranks_count_the_window():
    assert np.abs(init([tensor("K", 3, 3, 16, 32)])["K"]).max() <= np.sqrt(6 / (9 * 48))


def test_what_cannot_be_initialised_is_refused():
    with pytest.raises(ShapeError, match=r"concrete extents for X; got float64\[m, 4\]"):
        init([X])
    with pytest.raises(ArgumentError, match=r"real tensors; got int64\[3\]"):
        init([tensor("t", 3, dtype="int64")])
    with pytest.raises(ArgumentError, match=r"one of glorot, he, .*; got 'xavier'"):
        init([tensor("A", 4, 3)], scheme="xavier")


def test_layers_refuse_scalars_and_empty_stacks():
    with pytest.raises(ShapeError, match=r"dense\(X, …\): expected X of shape \(m, d\) or \(d,\); got a scalar"):
        dense(tensor("x"), 3)
    with pytest.raises(ArgumentError, match=r"mlp\(X, \[\]\): expected at least one width; got none"):
        mlp(X, [])


def test_one_width_is_no_list_of_widths() -> None:
    with pytest.raises(ArgumentError, match=r"mlp\(X, 128\): expected a list of widths, one for each layer; got 128"):
        mlp(tensor("X", 5, 4), 128)


def test_starting_values_may_be_asked_for_in_another_dtype() -> None:
    W = tensor("W", 4, 3)
    narrow = init([W], seed=1, dtype="float32")["W"]
    assert narrow.dtype == np.float32
    np.testing.assert_array_equal(narrow, init([W], seed=1)["W"].astype("float32"))

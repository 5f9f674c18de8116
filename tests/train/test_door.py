"""The door: arrays are converted once, and what does not fit is refused with its values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.errors import ArgumentError, AssumptionError, DTypeError, ShapeError, SymnetError
from symnet.expr.nodes.symbols import LEAF_ASSUMPTIONS
from symnet.reference.declared import HOLDS
from symnet.train.door import admit
from tests.train import models

m = sn.dim("m")
GOOD: dict[str, Any] = {"X": np.ones((5, 3)), "d": np.ones(5)}
START: dict[str, Any] = {"w": np.zeros(3), "b": 0.0}


def line(params: Any = START, data: Any = GOOD, **options: Any) -> Any:
    return admit(models.LINE, params, data, **options)


# --------------------------------------------------------------------------- what passes


def test_everything_gets_the_dtype_of_the_parameters() -> None:
    admitted = line(
        {"w": np.zeros(3, "float32"), "b": np.float32(0)}, {"X": np.ones((5, 3), int), "d": [1, 2, 3, 4, 5]}
    )
    assert {array.dtype.name for array in (*admitted.params.values(), *admitted.data.values())} == {"float32"}
    assert admitted.dtype == "float32" and admitted.root.dtype == "float32"


def test_data_in_float32_make_the_run_float32() -> None:
    data = {name: array.astype("float32") for name, array in GOOD.items()}
    assert line(START, data).dtype == "float32"


def test_mixed_parameters_get_the_wider_dtype() -> None:
    assert line({"w": np.zeros(3, "float32"), "b": np.zeros(())}).dtype == "float64"


def test_a_dtype_can_be_asked_for() -> None:
    admitted = line(dtype="float32")
    assert admitted.params["w"].dtype == admitted.data["X"].dtype == np.float32


def test_leaves_stand_for_their_names() -> None:
    admitted = line({models.w: np.zeros(3), models.b: 0.0}, {models.X: GOOD["X"], models.d: GOOD["d"]})
    assert list(admitted.params) == ["w", "b"] and list(admitted.data) == ["X", "d"]


def test_data_that_fit_are_not_copied_and_parameters_are() -> None:
    start = {"w": np.zeros(3), "b": np.zeros(())}
    admitted = line(start)
    assert np.shares_memory(admitted.data["X"], GOOD["X"])
    assert not np.shares_memory(admitted.params["w"], start["w"])


def test_strided_data_become_contiguous() -> None:
    assert line(data={"X": np.ones((3, 5)).T, "d": np.ones(10)[::2]}).data["X"].flags.c_contiguous


def test_labels_may_come_as_whole_floats() -> None:
    t, Z = sn.labels("t", m, classes=3), sn.tensor("Z", m, 3)
    loss = sn.mean(sn.cross_entropy(Z, t, from_logits=True))
    admitted = admit(loss, {"Z": np.zeros((2, 3))}, {"t": np.array([0.0, 2.0])})
    assert admitted.data["t"].dtype == np.int64


# --------------------------------------------------------------------------- what does not


LEAVES = "the leaves X, w, b, d"
WRONG_NAMES: list[tuple[Any, Any, str]] = [
    (START, {**GOOD, "x": 1}, rf"expected data among {LEAVES}; got 'x'\. Drop 'x'"),
    ({**START, "ww": 1}, GOOD, rf"expected params among {LEAVES}; got 'ww'\. Did you mean 'w'"),
    (START, {"X": np.ones((5, 3))}, r"for each of X, w, b, d; got w, b, X, without d\. Add 'd', float64\[m\]"),
    (START, {**GOOD, "w": np.ones(3)}, r"expected 'w' once; got it in params and in data"),
    ({}, {**GOOD, **START}, r"expected at least one parameter among X, w, b, d; got none"),
    ([1], GOOD, r"expected params as a dict from names to arrays; got list\. Write params="),
    (START, "data.csv", r"expected data as a dict from names to arrays; got str\. Write data="),
    ({3: 1.0}, GOOD, r"expected names or leaves as the keys of params; got 3"),
]
WRONG_SHAPES: list[tuple[Any, Any, str]] = [
    (START, {**GOOD, "d": np.ones(4)}, r"m = 5, as X has on axis 0 of d \(m,\); got 4 in shape \(4,\)\. Give X and d"),
    (START, {**GOOD, "X": np.ones((5, 4))}, r"extent 3 on axis 1 of X \(m, 3\); got 4 in shape \(5, 4\)"),
    ({**START, "w": np.zeros(2)}, GOOD, r"extent 3 on axis 0 of w \(3,\); got 2 in shape \(2,\)"),
    (START, {**GOOD, "d": np.ones((5, 1))}, r"expected rank 1, float64\[m\]; got shape \(5, 1\)\. Drop the axis"),
    (START, {**GOOD, "X": np.ones(5)}, r"expected rank 2, float64\[m, 3\]; got shape \(5,\)\. Add an axis"),
    (START, {**GOOD, "X": np.ones((5, 3, 2, 2))}, r"got shape \(5, 3, 2, 2\)\. Reshape it to \(m, 3\)"),
]
WRONG_KINDS: list[tuple[Any, Any, str]] = [
    (START, {**GOOD, "d": np.array([1, None, 2, 3, 4])}, r"numbers for d \(float64\[m\]\); got dtype object"),
    (START, {**GOOD, "d": np.array(list("abcde"))}, r"expected numbers for d .*; got dtype <U1"),
    (START, {**GOOD, "d": np.ones(5, complex)}, r"expected numbers for d .*; got dtype complex128"),
]
REFUSED = [
    (*case, error)
    for error, cases in ((ArgumentError, WRONG_NAMES), (ShapeError, WRONG_SHAPES), (DTypeError, WRONG_KINDS))
    for case in cases
]


@pytest.mark.parametrize(("params", "data", "message", "error"), REFUSED, ids=range(len(REFUSED)))
def test_what_does_not_fit_is_refused(params: Any, data: Any, message: str, error: type[SymnetError]) -> None:
    with pytest.raises(error, match=message):
        line(params, data)


def test_an_integer_dtype_is_refused() -> None:
    with pytest.raises(ArgumentError, match=r"dtype='int64'\): expected float32 or float64; got int64"):
        line(dtype="int64")


def test_a_loss_with_axes_is_refused() -> None:
    with pytest.raises(ShapeError, match=r"fit\(L, params, data\): expected a scalar L \(rank 0\); got shape \(m,\)"):
        admit(models.X @ models.w, {"w": np.zeros(3)}, {"X": np.ones((5, 3))})


def test_fractions_are_no_labels() -> None:
    t, Z = sn.labels("t", m, classes=3), sn.tensor("Z", m, 3)
    loss = sn.mean(sn.cross_entropy(Z, t, from_logits=True))
    with pytest.raises(DTypeError, match=r"expected whole numbers for t \(int64\[m\]\); got 0\.5"):
        admit(loss, {"Z": np.zeros((2, 3))}, {"t": np.array([0.0, 0.5])})


def test_a_label_out_of_range_is_found_before_the_first_step() -> None:
    t, X = sn.labels("t", m, classes=3), sn.tensor("X", m, 2)
    Z, params = sn.nn.mlp(X, [3])
    loss = sn.mean(sn.cross_entropy(sn.softmax(Z), t))
    data = {"X": np.ones((4, 2)), "t": np.array([0, 1, 3, 2])}
    with pytest.raises(
        SymnetError, match=r"fit\(L, params, data\): expected every element of t in 0 … 2 .*; got 3 at t\[2\]"
    ):
        sn.fit(loss, sn.nn.init(params), data, batch_size=2)


def test_integers_for_a_one_hot_tensor_lead_to_labels() -> None:
    Z, D = sn.tensor("Z", m, 3), sn.tensor("D", m, 3, one_hot=True)
    loss = sn.mean(sn.cross_entropy(Z, D, from_logits=True))
    with pytest.raises(ShapeError, match=r'Declare D as sn\.labels\("D", m, classes=3\)'):
        admit(loss, {"Z": np.zeros((2, 3))}, {"D": np.array([0, 2])})


# --------------------------------------------------------------------------- assumptions

WRONG: dict[str, tuple[tuple[int, ...], Any, str]] = {
    "positive": ((2,), [1.0, 0.0], r"A\[1\] = 0\.0"),
    "nonnegative": ((2,), [1.0, -2.0], r"A\[1\] = -2\.0"),
    "nonzero": ((2,), [0.0, 1.0], r"A\[0\] = 0\.0"),
    "integer": ((2,), [1.0, 1.5], r"A\[1\] = 1\.5"),
    "unit": ((2,), [1.0, 1.5], r"A\[1\] = 1\.5"),
    "symmetric": ((2, 2), [[1.0, 2.0], [3.0, 1.0]], r"A\[0, 1\] = 2\.0"),
    "simplex": ((2, 2), [[0.5, 0.5], [0.5, 0.6]], r"A\[1, :\] = \[0\.5 0\.6\]"),
    "one_hot": ((2, 2), [[0.5, 0.5], [0.0, 1.0]], r"A\[0, :\] = \[0\.5 0\.5\]"),
}


@pytest.mark.parametrize("assumption", WRONG)
def test_data_against_an_assumption_are_refused(assumption: str) -> None:
    shape, values, place = WRONG[assumption]
    A, w = sn.tensor("A", *shape, **{assumption: True}), sn.scalar("w")
    with pytest.raises(
        AssumptionError, match=rf"expected A {assumption}: .*; got {place}\. Correct the data, or declare A"
    ):
        admit(sn.sum(A * w), {"w": 1.0}, {"A": np.array(values)})


def test_every_assumption_is_checked() -> None:
    assert set(HOLDS) == set(LEAF_ASSUMPTIONS) == set(WRONG)

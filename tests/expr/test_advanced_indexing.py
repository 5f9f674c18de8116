"""Every way to index with constants that NumPy has, against NumPy: shapes, values, gradients, native code."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.errors import SymnetError
from symnet.expr.nodes.node import Node
from symnet.reading.formula import formula, names_in
from symnet.reference import evaluate

SHAPE = (4, 3, 5)
m = sn.dim("m")
x = sn.tensor("x", *SHAPE)
DATA = np.arange(60.0).reshape(SHAPE) ** 2 % 97 - 20

# One key of every sort for each axis; {n} stands for what depends on the extent.
KEYS: tuple[Any, ...] = (
    1, -1, np.int32(0), slice(None), slice(1, None), slice(None, None, -1), slice(-2, None), slice(-1, 0, -2),
    slice(0, 0), None, [0, 2], [-1, 0, 0], np.array([2, 1], "int32"), np.array([], "int64"), [[1]],
    np.array([[0, 1], [-1, 2]]), (2, -3), np.array([1, 2], "uint8"), np.arange(3)[::-1],
)  # fmt: skip


j, k = sn.scalar("j", dtype="int64"), sn.scalar("k", dtype="int64")
SCALARS = [  # keys with several integer scalars, which are taken one after another
    (j, k), (j, slice(None), k), (j, 1, k), (j, k, 1), (j, None, k), (..., j, k), (slice(1, None), j, k),
    (j, [0, 2], k),
    (sn.tensor("v", 2, dtype="int64"), j), (j, sn.tensor("v", 2, dtype="int64")), (j, slice(None), [0, 1]), (k, j, k),
]  # fmt: skip


@pytest.mark.parametrize("key", SCALARS, ids=str)
def test_several_integer_scalars_select_as_in_numpy(key: tuple[Any, ...]) -> None:
    places = {"j": 1, "k": -1, "v": np.array([0, 2])}
    numbers = tuple(places[each.name] if isinstance(each, Node) else each for each in key)
    found = x[key]
    want = DATA[numbers]
    np.testing.assert_array_equal(evaluate(found, {"x": DATA, **places}), want)
    f = sn.compile(found)
    np.testing.assert_array_equal(f(**{name: {"x": DATA, **places}[name] for name in f.inputs}), want)
    read = formula(str(found), names_in(found)) if "array" not in str(found) else found
    np.testing.assert_array_equal(evaluate(read, {"x": DATA, **places}), want)


def masks(n: int) -> list[Any]:
    rng = np.random.default_rng(n)
    return [rng.random(n) < 0.5, [True] * n, np.zeros(n, bool)]


def random_keys(seed: int) -> tuple[Any, ...]:
    """Keys for some of the axes, an Ellipsis now and then, a mask of one axis or of two."""
    rng = np.random.default_rng(seed)
    axis, keys = 0, []
    while axis < len(SHAPE) and rng.random() < 0.85:
        kind = rng.integers(12)
        if kind == 0:
            keys.append(masks(SHAPE[axis])[rng.integers(3)])
        elif kind == 1 and axis + 1 < len(SHAPE):
            keys.append(rng.random(SHAPE[axis : axis + 2]) < 0.3)
            axis += 1
        elif kind == 2 and Ellipsis not in [k if k is Ellipsis else 0 for k in keys]:
            keys.append(Ellipsis)
            continue
        else:
            keys.append(KEYS[rng.integers(len(KEYS))])
        axis += keys[-1] is not None
    return tuple(keys)


def expected(keys: tuple[Any, ...]) -> Any:
    """NumPy's answer, or None where it has none."""
    try:
        return DATA[tuple(np.array(k) if isinstance(k, tuple) else k for k in keys)]
    except IndexError:
        return None


def check(node: Node, wanted: Any, data: dict[str, Any]) -> None:
    assert node.shape == wanted.shape
    np.testing.assert_array_equal(evaluate(node, data), wanted)


@pytest.mark.parametrize("key", [*KEYS, *masks(4), np.ones((4, 3), bool), np.ones(SHAPE, bool)], ids=str)
def test_one_key_selects_what_numpy_selects(key: Any) -> None:
    wanted = DATA[np.array(key) if isinstance(key, tuple) else key]
    check(x[[*key] if isinstance(key, tuple) else key], wanted, {"x": DATA})
    check(sn.constant(DATA)[[*key] if isinstance(key, tuple) else key], wanted, {})


@pytest.mark.parametrize("pair", list(itertools.product(range(len(KEYS)), repeat=2))[::5])
def test_two_keys_select_what_numpy_selects(pair: tuple[int, int]) -> None:
    keys = (KEYS[pair[0]], KEYS[pair[1]])
    wanted = expected(keys)
    if wanted is None:
        with pytest.raises(SymnetError):
            x[keys]
    else:
        check(x[keys], wanted, {"x": DATA})


@pytest.mark.parametrize("seed", range(300))
def test_random_keys_select_what_numpy_selects(seed: int) -> None:
    keys = random_keys(seed)
    wanted = expected(keys)
    if wanted is None:
        with pytest.raises(SymnetError):
            x[keys]
    else:
        check(x[keys], wanted, {"x": DATA})


@pytest.mark.parametrize("seed", range(0, 300, 12))
def test_native_code_and_gradients_agree(seed: int) -> None:
    wanted = expected(random_keys(seed))
    if wanted is None:
        return
    y = x[random_keys(seed)]
    weights = np.cos(np.arange(wanted.size)).reshape(wanted.shape)
    value, (by_x,) = sn.value_and_grad(sn.sum(y * weights), [x])(x=DATA)
    numbers = np.arange(60).reshape(SHAPE)[tuple(np.array(k) if isinstance(k, tuple) else k for k in random_keys(seed))]
    gradient = np.zeros(60)
    np.add.at(gradient, numbers.reshape(-1), weights.reshape(-1))
    assert value == pytest.approx(float((wanted * weights).sum()))
    np.testing.assert_allclose(by_x.reshape(-1), gradient, atol=1e-12)
    np.testing.assert_array_equal(sn.compile(y)(x=DATA), wanted)


X = sn.tensor("X", m, 3)
SYMBOLIC = {
    "list": ([0, 2], 3), "from the end": ([-1], 1), "both ends": ([0, -1, 1, -2], 2), "matrix": ([[0, -1], [-3, 2]], 3),
    "all from the end": (np.array([-1, -2, -2]), 2), "several arrays": (([0, 3], [2, -1]), 4),
    "array and slice": ((slice(1, None), [0, 2]), 1), "array behind a new axis": ((None, [1, 0]), 2),
    "last": (-1, 1), "backward": (slice(None, None, -1), 0), "backward from": (slice(-2, None, -1), 1),
    "backward between": (slice(3, 0, -1), 4), "nothing": ([], 0), "an array and a number": (([1, -1], 2), 2),
}  # fmt: skip


@pytest.mark.parametrize("name", SYMBOLIC)
def test_along_a_symbolic_extent_constants_are_checked_at_the_call(name: str) -> None:
    key, fewest = SYMBOLIC[name]
    y = X[key]
    f = sn.compile(y)
    for size in {fewest, fewest + 2, 9}:
        data = np.random.default_rng(size).normal(size=(size, 3))
        np.testing.assert_array_equal(f(X=data), data[key])
        np.testing.assert_array_equal(evaluate(y, {"X": data}), data[key])
    if fewest:
        with pytest.raises(sn.ValueDomainError, match=r">= \d+ for"):
            f(X=np.ones((fewest - 1, 3)))


@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("indices", [[0, 2], [-1], np.array([[1, 0]]), 2, -3, np.int64(1), [], (0, 1)], ids=str)
def test_take_is_numpys(indices: Any, axis: int) -> None:
    check(sn.take(x, indices, axis), np.take(DATA, np.array(indices, "int64"), axis), {"x": DATA})
    check(np.take(x, indices, axis=axis), np.take(DATA, np.array(indices, "int64"), axis), {"x": DATA})


@pytest.mark.parametrize("seed", range(0, 300, 7))
def test_a_printed_selection_reads_back(seed: int) -> None:
    wanted = expected(random_keys(seed))
    if wanted is not None and wanted.size:
        node = sn.simplify(x[random_keys(seed)])
        assert sn.simplify(formula(str(node), names_in(node))) is node

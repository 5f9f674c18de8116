"""Linear recurrences and cumulative products on every floor: values, derivatives, zeros, streaming, work."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.compare.tape import TapeProgram
from symnet.errors import ShapeError
from symnet.expr.nodes.graph import topological
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import leaves
from symnet.reference import evaluate
from tests.recurrence_by_hand import derivative_of_product, products, recurrence, without

m, n = sn.dim("m"), sn.dim("n")
X, Y, T, s = sn.tensor("X", m, 5), sn.tensor("Y", m, 5), sn.tensor("T", 2, 3, 4), sn.scalar("s")
x, y, z = sn.tensor("x", n), sn.tensor("y", n), sn.tensor("z", m)
i, k, c = (sn.tensor(name, 7, dtype=dtype) for name, dtype in (("i", "int64"), ("k", "int32"), ("c", "bool")))
WAYS = [{"reverse": r, "exclusive": e} for r, e in product((False, True), repeat=2)]
ids = ["", "exclusive", "reverse", "reverse exclusive"]


def draw(rng: np.random.Generator, rows: int) -> dict[str, Any]:
    shapes = {"X": (rows, 5), "Y": (rows, 5), "T": (2, 3, 4), "x": (rows,), "y": (rows,), "z": (rows,), "s": ()}
    return {name: rng.uniform(-1.3, 1.3, shape) for name, shape in shapes.items()}


# --------------------------------------------------------------------------- values

LIKE_NUMPY: list[tuple[Node, Any]] = [
    (sn.cumprod(X, 1), lambda d: d["X"].cumprod(1)),
    (sn.cumprod(X, 0), lambda d: d["X"].cumprod(0)),
    (X.T.cumprod(0), lambda d: d["X"].T.cumprod(0)),
    (sn.cumprod(x), lambda d: d["x"].cumprod()),
    (np.cumprod(T), lambda d: d["T"].cumprod()),
    (np.cumprod(T, axis=-2), lambda d: d["T"].cumprod(1)),
    (sn.cumprod(z[:, None], 1), lambda d: d["z"][:, None]),
    (sn.cumprod(x > 0), lambda d: (d["x"] > 0).cumprod()),
    (sn.cumprod(sn.arange(7) + 1), lambda d: (np.arange(7) + 1).cumprod()),
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("rows", [0, 1, 300])
@pytest.mark.parametrize(("made", "expected"), LIKE_NUMPY, ids=lambda v: str(v) if isinstance(v, Node) else "")
def test_products_so_far_are_numpys(made: Node, expected: Any, rows: int, dtype: str, rng: np.random.Generator) -> None:
    data = {name: value.astype(dtype) for name, value in draw(rng, rows).items()}
    f = sn.compile(made, dtype=dtype)
    found, wanted = f(**{name: data[name] for name in f.inputs}), expected(data)
    assert found.dtype == wanted.dtype and found.shape == wanted.shape
    np.testing.assert_allclose(found, wanted, rtol=1e-4 if dtype == "float32" else 1e-13)


@pytest.mark.parametrize("integers", ["i", "k", "c"])
def test_integers_are_multiplied_and_recur_as_numpys_int64(integers: str) -> None:
    data = {"i": np.arange(-3, 4) * 100, "k": np.full(7, 2**8, "int32"), "c": np.arange(7) < 5}
    node = {"i": i, "k": k, "c": c}[integers]
    f = sn.compile([sn.cumprod(node), sn.linear_recurrence(node, 3), sn.linear_recurrence(node, node, exclusive=True)])
    wide = data[integers].astype("int64")
    wanted = [np.cumprod(data[integers]), recurrence(wide, 3, 0), recurrence(wide, wide, 0, exclusive=True)]
    for found, each in zip(f(**{integers: data[integers]}), wanted, strict=True):
        assert found.dtype == each.dtype == np.int64
        np.testing.assert_array_equal(found, each)
    assert sn.linear_recurrence(node, sn.tensor("r", 7)).dtype == "float64"


@pytest.mark.parametrize("way", WAYS, ids=ids)
@pytest.mark.parametrize("rows", [0, 1, 2, 300])
def test_a_recurrence_is_its_loop_on_every_way(way: dict[str, bool], rows: int, rng: np.random.Generator) -> None:
    d = draw(rng, rows)
    cases = [
        (sn.linear_recurrence(x, y, **way), recurrence(d["x"], d["y"], 0, **way)),
        (sn.linear_recurrence(X, Y, **way), recurrence(d["X"], d["Y"], 1, **way)),
        (sn.linear_recurrence(X, Y, 0, **way), recurrence(d["X"], d["Y"], 0, **way)),
        (sn.linear_recurrence(X.T, Y.T, -2, **way), recurrence(d["X"].T, d["Y"].T, 0, **way)),
        (sn.linear_recurrence(X.T, Y.T, 1, **way), recurrence(d["X"].T, d["Y"].T, 1, **way)),
        (sn.linear_recurrence(s, Y, 0, **way), recurrence(d["s"], d["Y"], 0, **way)),
        (sn.linear_recurrence(X, 2, 1, **way), recurrence(d["X"], 2.0, 1, **way)),
        (sn.linear_recurrence(X, z[:, None], 1, **way), recurrence(d["X"], d["z"][:, None], 1, **way)),
        (sn.linear_recurrence(T, T[:, :1], 1, **way), recurrence(d["T"], d["T"][:, :1], 1, **way)),
        (sn.cumprod(X, 0, **way), products(d["X"], 0, **way)),
        (sn.cumprod(X, 1, **way), products(d["X"], 1, **way)),
        (sn.cumprod(T, 1, **way), products(d["T"], 1, **way)),
    ]
    f = sn.compile([made for made, _ in cases])
    for (made, wanted), found in zip(cases, f(**{name: d[name] for name in f.inputs}), strict=True):
        assert found.shape == wanted.shape, str(made)
        np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-12, err_msg=str(made))


def test_the_first_factor_is_not_used_and_infinities_stay_where_they_are() -> None:
    a, b = np.array([np.inf, 0.5, np.inf, 0.0, 2.0]), np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    f = sn.compile([sn.linear_recurrence(x, y), sn.linear_recurrence(x, y, exclusive=True), sn.cumprod(x)])
    after, before, multiplied = f(x=a, y=b)
    with np.errstate(invalid="ignore"):
        by_numpy = np.cumprod(a)
    np.testing.assert_array_equal(after, [1.0, 2.5, np.inf, np.nan, np.nan])
    np.testing.assert_array_equal(before, [0.0, 1.0, 2.5, np.inf, np.nan])
    np.testing.assert_array_equal(multiplied, by_numpy)
    slopes = sn.compile(sn.grad(sn.prod(x), x))
    np.testing.assert_array_equal(slopes(x=np.array([2.0, np.inf, 3.0])), [np.inf, 6.0, np.inf])
    np.testing.assert_array_equal(slopes(x=np.array([0.0, np.inf])), [np.inf, 0.0])
    last = sn.compile(sn.hvp(sn.prod(x), x, y))(x=np.array([2.0, 3.0, np.inf]), y=np.array([1.0, 0.0, 0.0]))
    np.testing.assert_array_equal(last[1:], [np.inf, 3.0])


def test_threads_do_not_change_a_bit(rng: np.random.Generator) -> None:
    d = draw(rng, 5000)
    L = sn.sum(sn.cumprod(X, 1) ** 2) + sn.sum(sn.tanh(sn.linear_recurrence(X, Y, 0))) + sn.prod(X[:9])
    once, twice = (sn.value_and_grad(L, [X, Y], threads=count)(X=d["X"], Y=d["Y"]) for count in (1, 2))
    assert once[0] == twice[0]
    for a, b in zip(once[1], twice[1], strict=True):
        np.testing.assert_array_equal(a, b)


# --------------------------------------------------------------------------- derivatives

LOSSES: dict[str, Node] = {
    "product": sn.prod(X),
    "products of rows": sn.sum(sn.prod(X, 1) * Y[:, 0]),
    "products of columns": sn.sum(sn.sin(sn.prod(X, 0, keepdims=True))),
    "products of two axes": sn.sum(sn.prod(T, (0, 2)) ** 2),
    "product of functions": sn.prod(sn.tanh(X) * Y),
    **{f"products so far {sorted(w.items())}": sn.sum(sn.sin(sn.cumprod(X, 1, **w))) for w in WAYS},
    **{f"of columns {sorted(w.items())}": sn.sum(sn.cumprod(X, 0, **w) * Y) for w in WAYS},
    **{f"recurrence {sorted(w.items())}": sn.sum(sn.sin(sn.linear_recurrence(X, Y, **w))) for w in WAYS},
    **{f"recurrence of columns {sorted(w.items())}": sn.sum(sn.linear_recurrence(X, Y, 0, **w) ** 2) for w in WAYS},
    "one factor": sn.sum(sn.linear_recurrence(s, X, 0, reverse=True) ** 2),
    "one term": sn.sum(sn.linear_recurrence(X, s, 1) ** 2),
    "nested": sn.sum(sn.linear_recurrence(sn.cumprod(X, 1), sn.linear_recurrence(s, Y, 0))),
}


@pytest.mark.parametrize("zeros", [0, 1, 2])
@pytest.mark.parametrize("name", LOSSES)
def test_both_orders_of_derivatives_are_right_at_zeros_too(name: str, zeros: int, rng: np.random.Generator) -> None:
    loss, d = LOSSES[name], draw(rng, 4)
    wrt = list(leaves(loss))
    data = {leaf.name: d[leaf.name] for leaf in wrt}
    for each in data.values():
        each.reshape(-1)[3 : 3 + zeros] = 0
    vectors = [sn.tensor(f"v{leaf.name}", *leaf.shape) for leaf in wrt]
    along = {v.name: rng.normal(size=data[leaf.name].shape) for v, leaf in zip(vectors, wrt, strict=True)}
    tape = TapeProgram(loss, wrt, {m: 4}, "float64")

    def slopes(step: float) -> list[np.ndarray]:
        return list(map(np.array, tape.value_and_grad({k: data[k] + step * along[f"v{k}"] for k in data})[1]))

    found = sn.value_and_grad(loss, wrt)(**data)[1]
    for ours, wanted in zip(found, slopes(0.0), strict=True):
        np.testing.assert_allclose(ours, wanted, rtol=1e-11, atol=1e-11)
    curved = sn.compile(sn.hvp(loss, wrt, vectors))(**data, **along)
    for ours, above, below in zip(curved, slopes(1e-5), slopes(-1e-5), strict=True):
        np.testing.assert_allclose(ours, (above - below) / 2e-5, rtol=1e-6, atol=1e-7)
    moved = sn.compile(sn.jvp(loss, dict(zip(wrt, vectors, strict=True))))(**data, **along)
    assert moved == pytest.approx(sum(np.sum(g * v) for g, v in zip(found, along.values(), strict=True)), rel=1e-10)


@pytest.mark.parametrize("zeros", [0, 1, 2, 3])
def test_every_order_of_derivatives_of_a_product_is_exact(zeros: int, rng: np.random.Generator) -> None:
    v = sn.tensor("v", 5)
    data = rng.uniform(0.5, 1.5, 5)
    data[1 : 1 + zeros] = 0
    slope = sn.grad(sn.prod(v), v)
    curvature = sn.jacobian(slope, v)
    third = sn.jacobian(curvature, v)
    for order, formula in enumerate((slope, curvature, third), 1):
        np.testing.assert_allclose(sn.compile(formula)(v=data), derivative_of_product(data, order), rtol=1e-13)


@pytest.mark.parametrize("way", WAYS, ids=ids)
def test_jacobians_are_those_of_the_loop(way: dict[str, bool], rng: np.random.Generator) -> None:
    a, b = sn.tensor("a", 4), sn.tensor("b", 4)
    data = {"a": rng.normal(size=4), "b": rng.normal(size=4)}
    matrices = sn.compile(sn.jacobian(sn.linear_recurrence(a, b, **way), [a, b]), inputs=[a, b])(**data)
    step = 1e-6 * np.eye(4)
    for found, name in zip(matrices, data, strict=True):
        above, below = (
            np.stack([recurrence(*{**data, name: data[name] + sign * e}.values(), 0, **way) for e in step], 1)
            for sign in (1, -1)
        )
        np.testing.assert_allclose(found, (above - below) / 2e-6, rtol=1e-7, atol=1e-8)


def test_what_a_branch_left_out_does_not_poison_the_others(rng: np.random.Generator) -> None:
    """x is infinite where its products are not taken: 0·∞ on the way back would be NaN."""
    v, first = sn.tensor("v", 6), np.arange(6) < 3
    data = np.array([2.0, 3.0, 0.5, np.inf, 2.0, np.inf])
    for way, wanted in ((False, [1 + 3 + 1.5, 2 + 1, 6.0, 0, 0, 0]), (True, [1 + 3, 2.0, 0, 0, 0, 0])):
        L = sn.sum(sn.where(first, sn.cumprod(v, exclusive=way), 0))
        np.testing.assert_allclose(sn.compile(sn.grad(L, v))(v=data), wanted)
        L = sn.sum(sn.where(first, sn.linear_recurrence(v, v, exclusive=way), 0))
        assert np.all(np.isfinite(sn.compile(sn.grad(L, v))(v=data)))


# --------------------------------------------------------------------------- work and memory

WORK: dict[str, Node] = {
    "product": sn.prod(x),
    "products so far": sn.sum(sn.cumprod(x) * y),
    "recurrence": sn.sum(sn.linear_recurrence(x, y) * y),
    "product of all": sn.prod(X),
    "products of columns": sn.sum(sn.prod(X, 0)),
}


@pytest.mark.parametrize("name", WORK)
def test_derivatives_over_a_symbolic_axis_take_work_in_its_length(name: str) -> None:
    """A gradient takes at most 5 times the operations of the value, a product with the Hessian at most 14 times."""
    loss = WORK[name]
    by = X if X in topological(loss) else x
    v = sn.tensor("v", *by.shape)

    def work(*formulas: Node) -> float:
        flops = sn.compile(list(formulas)).flops
        sizes = [float(flops.subs(flops.free_symbols.pop(), size)) for size in (1000, 10_000)]
        assert sizes[1] <= 10.1 * sizes[0], (str(formulas), sizes)
        return sizes[1]

    value = work(loss)
    assert work(loss, sn.grad(loss, by)) <= 5 * value
    assert work(sn.hvp(loss, by, v)) <= 14 * value


@pytest.mark.parametrize("size", [261, 10_000])
def test_derivatives_of_a_long_product_are_short_formulas(size: int, rng: np.random.Generator) -> None:
    """The algebra of 261 elements in pairs, to second order, took half a minute."""
    v, w = sn.tensor("v", size), sn.tensor("w", size)
    roots = [sn.grad(sn.prod(v), v), sn.hvp(sn.prod(v), v, w)]
    assert len(topological(*roots)) < 20
    data = rng.uniform(0.99, 1.01, size)
    data[7] = 0
    slopes, curved = sn.compile(roots)(v=data, w=np.eye(size)[3])
    assert slopes[7] == pytest.approx(without(data, [7]), rel=1e-11) and not np.any(np.delete(slopes, 7))
    assert curved[7] == pytest.approx(without(data, [7, 3]), rel=1e-11) and not np.any(np.delete(curved, 7))


def test_rows_stream_and_the_batch_is_stored() -> None:
    for along_rows in (sn.prod(X, 1), sn.cumprod(X, 1), sn.linear_recurrence(X, Y), sn.linear_recurrence(s, X)):
        f = sn.value_and_grad(sn.sum(sn.tanh(along_rows) ** 2), X)
        assert f.workspace_bytes(m=300) == f.workspace_bytes(m=300_000)
    for along_batch in (sn.prod(X, 0), sn.cumprod(X, 0), sn.linear_recurrence(X, Y, 0), sn.linear_recurrence(s, X, 0)):
        f = sn.value_and_grad(sn.sum(sn.tanh(along_batch) ** 2), X)
        assert f.workspace_bytes(m=3000) > f.workspace_bytes(m=300)
        assert "stored whole, as a scan goes from row to row: t" in str(f.report())


# --------------------------------------------------------------------------- doors


def test_what_has_no_axis_and_what_does_not_broadcast_is_refused() -> None:
    with pytest.raises(ShapeError, match=r"cumprod\(x\): expected rank 1 or more; got a scalar"):
        sn.cumprod(s)
    with pytest.raises(ShapeError, match=r"cumprod\(x, axis=2\): expected axes from -2 to 1; got axis 2"):
        sn.cumprod(X, 2)
    with pytest.raises(ShapeError, match=r"linear_recurrence\(a, b\): expected rank 1 or more; got two scalars"):
        sn.linear_recurrence(s, 1)
    with pytest.raises(ShapeError, match=r"linear_recurrence\(a, b, axis=3\): expected axes from -2 to 1; got axis 3"):
        sn.linear_recurrence(X, Y, 3)
    with pytest.raises(ShapeError, match=r"linear_recurrence\(a, b\): .* got \(m, 5\) and \(7,\), where 5 meets 7"):
        sn.linear_recurrence(X, i)
    with pytest.raises(sn.ArgumentError, match=r"cumprod\(x\): expected True or False for reverse; got reverse="):
        sn.cumprod(X, 0, reverse=np.ones(2))


def test_they_go_to_sympy_and_to_formulas() -> None:
    a, b, x1 = sn.scalar("a"), sn.scalar("b"), sn.tensor("x", 3)
    pair = sn.stack([a, b])
    assert [str(v) for v in sn.to_sympy(sn.cumprod(pair))] == ["a", "a*b"]
    assert [str(v) for v in sn.to_sympy(sn.cumprod(pair, reverse=True, exclusive=True))] == ["b", "1"]
    assert [str(v) for v in sn.to_sympy(sn.linear_recurrence(pair, pair))] == ["a", "a*b + b"]
    assert [str(v) for v in sn.to_sympy(sn.linear_recurrence(pair, pair, exclusive=True))] == ["0", "a"]
    counted = sn.to_sympy(sn.cumprod(pair > 1))
    assert [v.subs(dict.fromkeys(v.free_symbols, 2)) for v in counted] == [1, 1]
    assert sn.check("cumprod(x, exclusive=True)*cumprod(x, reverse=True, exclusive=True)", sn.prod(x1), x1).right
    assert not sn.check("cumprod(x, exclusive=True)*cumprod(x, reverse=True)", sn.prod(x1), x1).right


def test_nodes_evaluate_to_their_loops_in_the_reference(rng: np.random.Generator) -> None:
    d = draw(rng, 6)
    for way in WAYS:
        found = evaluate(sn.linear_recurrence(X, Y, 0, **way), d)
        np.testing.assert_allclose(found, recurrence(d["X"], d["Y"], 0, **way), rtol=1e-14)

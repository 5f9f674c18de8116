"""Cumulative sums on every floor: NumPy's values, derivatives, streaming."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.errors import ShapeError
from symnet.expr.nodes.cumulative import cumulate
from symnet.expr.nodes.node import Node
from symnet.reference import evaluate

m = sn.dim("m")
X, T, x, w = sn.tensor("X", m, 5), sn.tensor("T", 2, 3, 4), sn.tensor("x", 6), sn.tensor("w", 6)

LIKE_NUMPY: list[tuple[Node, Any]] = [
    (sn.cumsum(X, 1), lambda d: d["X"].cumsum(1)),
    (sn.cumsum(X, 0), lambda d: d["X"].cumsum(0)),
    (X.T.cumsum(0), lambda d: d["X"].T.cumsum(0)),
    (sn.cumsum(x), lambda d: d["x"].cumsum()),
    (np.cumsum(T), lambda d: d["T"].cumsum()),
    (np.cumsum(T, axis=1), lambda d: d["T"].cumsum(1)),
    (sn.cumsum(T.transpose(2, 1, 0), -2), lambda d: d["T"].transpose(2, 1, 0).cumsum(1)),
    (cumulate(T, 1, reverse=True), lambda d: d["T"][:, ::-1].cumsum(1)[:, ::-1]),
    (cumulate(X, 1, reverse=True), lambda d: d["X"][:, ::-1].cumsum(1)[:, ::-1]),
    (sn.cumsum(x > 0), lambda d: (d["x"] > 0).cumsum()),
    (sn.cumsum(sn.arange(7)), lambda d: np.arange(7).cumsum()),
]


def draw(rng: np.random.Generator, rows: int) -> dict[str, Any]:
    shapes = {"X": (rows, 5), "T": (2, 3, 4), "x": (6,), "w": (6,)}
    return {name: rng.normal(size=shape) for name, shape in shapes.items()}


@pytest.mark.parametrize("rows", [0, 1, 300])
@pytest.mark.parametrize(("y", "expected"), LIKE_NUMPY, ids=lambda v: str(v) if isinstance(v, Node) else "")
def test_values_are_numpys(y: Node, expected: Any, rows: int, rng: np.random.Generator) -> None:
    data = draw(rng, rows)
    f = sn.compile(y)
    found = f(**{name: data[name] for name in f.inputs})
    assert found.dtype == expected(data).dtype and found.shape == expected(data).shape
    np.testing.assert_allclose(found, expected(data), rtol=1e-12, atol=1e-12)


def test_the_derivative_sums_from_the_other_end(rng: np.random.Generator) -> None:
    assert str(sn.grad(w @ sn.cumsum(x), x)) == "cumsum(w[::-1])[::-1]"
    assert sn.grad(w @ sn.grad(w @ sn.cumsum(x), x), w) is sn.simplify(sn.cumsum(w) + cumulate(w, 0, True))
    triangle = evaluate(sn.jacobian(sn.cumsum(x), x), {"x": np.zeros(6)})
    np.testing.assert_array_equal(triangle, np.tril(np.ones((6, 6))))
    v = sn.tensor("v", 6)
    assert str(sn.jvp(sn.cumsum(x), {x: v})) == "cumsum(v)"


def test_rows_stream_and_the_batch_does_not() -> None:
    along_rows = sn.value_and_grad(sn.sum(sn.tanh(sn.cumsum(X, 1)) ** 2), X)
    assert along_rows.workspace_bytes(m=300) == along_rows.workspace_bytes(m=300_000)
    along_batch = sn.value_and_grad(sn.sum(sn.tanh(sn.cumsum(X, 0)) ** 2), X)
    assert along_batch.workspace_bytes(m=3000) > along_batch.workspace_bytes(m=300)
    assert "stored whole, as a scan goes from row to row: t1" in str(along_batch.report())


def test_what_has_no_axis_is_refused() -> None:
    with pytest.raises(ShapeError, match=r"cumsum\(x\): expected rank 1 or more; got a scalar"):
        sn.cumsum(sn.scalar("a"))
    with pytest.raises(ShapeError, match=r"cumsum\(x, axis=2\): expected axes from -2 to 1; got axis 2"):
        sn.cumsum(X, 2)


def test_it_goes_to_sympy_and_to_a_formula() -> None:
    a, b = sn.scalar("a"), sn.scalar("b")
    assert [str(v) for v in sn.to_sympy(sn.cumsum(sn.stack([a, b])))] == ["a", "a + b"]
    assert [str(v) for v in sn.to_sympy(cumulate(sn.stack([a, b]), 0, True))] == ["a + b", "b"]
    counted = sn.to_sympy(sn.cumsum(sn.stack([a, b]) > 0))
    assert [v.subs(dict.fromkeys(v.free_symbols, 2)) for v in counted] == [1, 2]
    with pytest.raises(sn.ArgumentError, match=r"expected reductions among max, .*; got argmax"):
        sn.to_sympy(sn.argmax(sn.stack([a, b])))
    assert sn.check("cumsum(w[::-1])[::-1]", w @ sn.cumsum(x), x).right

"""Compressed arrays: what native code gives for factors, expanded and multiplied in NumPy, against dense arrays."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import symnet as sn
from symnet.compiler import compile as sn_compile
from symnet.errors import ArgumentError, ShapeError
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import leaves
from symnet.runtime.cache import Cache
from symnet.runtime.compressed import CompressedArray

m = sn.dim("m")
x, w = sn.tensor("x", 4), sn.tensor("w", 4)
A, V = sn.tensor("A", 4, 4), sn.tensor("V", 4, 3)
X, W = sn.tensor("X", m, 4), sn.tensor("W", 4, 3)
T, U, F = sn.tensor("T", 10, 8), sn.tensor("U", 10, 5), sn.tensor("F", 8, 5)

FORMULAS: dict[str, Node] = {
    "delta and matrix": sn.hessian(((T - U @ F.T) ** 2).sum(), U),
    "mixed block": sn.hessian(((T - U @ F.T) ** 2).sum(), [U, F])[0][1],
    "diagonal and outer product": sn.hessian(sn.logsumexp(x), x),
    "rows of a batch": sn.jacobian(sn.softmax(X @ W), X),
    "Kronecker product": sn.jacobian(sn.inv(A), A),
    "band": sn.hessian((100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum(), x),
    "constant": sn.jacobian(V.T, V),
    "constant, of a symbolic extent": sn.hessian((X**2).sum() + ((X.sum(0)) ** 2).sum(), X),
    "third derivative": sn.jacobian(sn.hessian(sn.logsumexp(x), x), x),
    "zeros": sn.hessian(x @ w, [x, w])[0][0],
    "dense": sn.hessian(x @ A @ x, x),
    "a number": sn.grad(x @ A @ x, x)[0],
}


def data_for(node: Node, rng: np.random.Generator) -> dict[str, np.ndarray]:
    return {leaf.name: rng.uniform(0.5, 2, [6 if n is m else n for n in leaf.shape]) for leaf in leaves(node)}


def both(name: str, rng: np.random.Generator) -> tuple[np.ndarray, CompressedArray]:
    formula = FORMULAS[name]
    data: dict[str, object] = data_for(formula, rng) or ({"m": 6} if "symbolic" in name else {})
    return sn.compile(formula)(**data), sn.compile(formula, compressed=True)(**data)


@pytest.mark.parametrize("name", FORMULAS)
def test_expanded_it_is_the_dense_array(name: str, rng: np.random.Generator) -> None:
    dense, found = both(name, rng)
    assert found.shape == dense.shape and found.ndim == dense.ndim and found.dtype == dense.dtype
    assert found.dense() == pytest.approx(dense, rel=1e-12, abs=1e-12)
    assert np.array_equal(np.asarray(found), found.dense())
    assert np.array_equal(np.asarray(found, dtype=np.float32), found.dense().astype(np.float32))


@pytest.mark.parametrize("name", FORMULAS)
def test_contracted_with_an_array_of_any_rank_it_is_the_product(name: str, rng: np.random.Generator) -> None:
    dense, found = both(name, rng)
    for kept in range(dense.ndim + 1):
        v = rng.normal(size=dense.shape[kept:])
        assert found.matvec(v) == pytest.approx(np.tensordot(dense, v, dense.ndim - kept), rel=1e-11, abs=1e-11)


def test_a_matrix_multiplies_vectors_and_matrices(rng: np.random.Generator) -> None:
    dense, found = both("diagonal and outer product", rng)
    v, B = rng.normal(size=4), rng.normal(size=(4, 3))
    assert found @ v == pytest.approx(dense @ v) and found @ B == pytest.approx(dense @ B)
    assert (found @ B[:, :0]).shape == (4, 0)
    with pytest.raises(ShapeError, match=r"H @ v: expected a matrix H and .*; got shapes \(4, 4\) and \(3,\)"):
        found @ np.ones(3)
    with pytest.raises(ShapeError, match=r"expected v of the shape of the last axes of \(4, 4\); got shape \(3,\)"):
        found.matvec(np.ones(3))
    with pytest.raises(TypeError):
        v @ found  # type: ignore[operator]


def test_it_says_what_it_is_made_of(rng: np.random.Generator) -> None:
    _, found = both("delta and matrix", rng)
    assert repr(found) == (
        "CompressedArray of shape (10, 5, 10, 5), float64: 200 bytes, dense 20000\n  2·δ[i,k]·(F.T @ F)[j,l]"
    )
    assert found.nbytes == 200 and [f.shape for f in found.factors] == [(5, 5)]
    with pytest.raises(ArgumentError, match=r"for … in H: expected an array; got a compressed one"):
        list(found)
    with pytest.raises(ValueError, match="expected a copy; got copy=False"):
        np.asarray(found, copy=False)


def test_lists_and_dicts_of_derivatives_keep_their_structure(rng: np.random.Generator) -> None:
    first, second = FORMULAS["delta and matrix"], FORMULAS["diagonal and outer product"]
    data = data_for(first + sn.sum(second), rng)
    listed = sn.compile([first, second], compressed=True)
    named = sn.compile({"first": first, "second": second}, compressed=True)
    a, b = listed(**data)
    assert isinstance(a, CompressedArray) and (a.shape, b.shape) == (first.shape, second.shape)
    assert np.array_equal(named(**data)["second"].dense(), b.dense())
    assert listed.outputs == ("out0", "out1") and str(listed.formula[1]) == "softmax(x)"


def test_a_bound_step_overwrites_the_factors(rng: np.random.Generator) -> None:
    f = sn.compile(FORMULAS["delta and matrix"], compressed=True, dtype="float32")
    v = rng.normal(size=(8, 5)).astype(np.float32)
    step = f.bind(F=v)
    found = step()
    assert found.dtype == np.float32 and found.factors[0] == pytest.approx(v.T @ v, rel=1e-5)
    v *= 2
    step()
    assert found.dense()[3, :, 3, :] == pytest.approx(2 * v.T @ v, rel=1e-5)


def test_a_warm_start_gives_the_same_without_algebra(tmp_path, monkeypatch, rng: np.random.Generator) -> None:
    monkeypatch.setattr("symnet.compiler.default_cache", lambda: Cache(tmp_path))
    formula = FORMULAS["band"]
    data = data_for(formula, rng)
    cold = sn.compile(formula, compressed=True)
    plain = sn.compile(formula)
    monkeypatch.setattr("symnet.stages.run", None)
    warm = sn_compile(formula, compressed=True)
    assert (cold.from_cache, plain.from_cache, warm.from_cache) == (False, False, True)
    assert np.array_equal(warm(**data).dense(), cold(**data).dense()) and repr(warm(**data)) == repr(cold(**data))


def test_written_to_files_it_gives_its_factors(tmp_path, rng: np.random.Generator) -> None:
    formula = FORMULAS["diagonal and outer product"]
    f = sn.compile(formula, compressed=True, name="factors")
    f.export(str(tmp_path / "factors"))
    data = data_for(formula, rng)
    (s,) = sn.load(tmp_path / "factors")(**data)
    assert np.array_equal(s, f(**data).factors[0])
    assert "return" in f.source("numpy")


def test_extents_and_means_are_checked_as_ever() -> None:
    d = sn.tensor("d", m)
    H = sn.hessian(sn.mean(d**2), d)
    f = sn.compile(H, compressed=True)
    assert f(m=4).dense() == pytest.approx(np.eye(4) / 2)
    assert pickle.loads(pickle.dumps(f.template)) == f.template


def test_a_derivative_of_whole_numbers_stays_whole() -> None:
    """∂(B k)/∂B is a delta times k: integers, though a term's number is a float."""
    k, B = sn.tensor("k", 3, dtype="int64"), sn.tensor("B", 2, 3)
    J = sn.jacobian(B @ k, B)
    found, dense = sn.compile(J, compressed=True)(k=np.array([1, 2, 3])), sn.compile(J)(k=np.array([1, 2, 3]))
    assert found.dtype == dense.dtype and np.array_equal(found.dense(), dense)
    assert np.array_equal(found.matvec(np.ones((2, 3), int)), [6, 6])


@pytest.mark.parametrize(
    ("given", "wanted"),
    [("abc", "<U3"), ([1, [2, 3]], "what NumPy makes no array of"), (None, "object"), ([1j] * 3, "complex128")],
)
def test_what_is_no_array_of_numbers_is_refused(wanted: str, given: object) -> None:
    v = sn.tensor("v", 3)
    H = sn.compile(sn.jacobian(v * v, v), compressed=True)(v=np.ones(3))
    for multiply in (H.matvec, H.__matmul__):
        with pytest.raises((TypeError, ValueError), match=wanted):
            multiply(given)

"""Stacks of matrices, as in NumPy: values, derivatives, simplification, streaming, singular ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.diff import batch
from symnet.expr.nodes.node import Node
from symnet.reference import evaluate

m, k = sn.dim("m"), sn.dim("k")
A, B, Q = sn.tensor("A", m, 3, 3), sn.tensor("B", m, 3, 2), sn.tensor("Q", 3, 3)
C, T, v = sn.tensor("C", 2, m, 3, 4), sn.tensor("T", 4, 1, 3, 3), sn.tensor("v", 3)
S = sn.tensor("S", m, 3, 3, symmetric=True)

LIKE_NUMPY: list[tuple[Node, Callable[..., Any]]] = [
    (sn.inv(A), lambda d: np.linalg.inv(d["A"])),
    (sn.det(A), lambda d: np.linalg.det(d["A"])),
    (sn.logdet(T), lambda d: np.linalg.slogdet(d["T"])[1]),
    (sn.solve(A, B), lambda d: np.linalg.solve(d["A"], d["B"])),
    (sn.solve(A, v), lambda d: np.linalg.solve(d["A"], d["v"])),
    (sn.solve(A, C), lambda d: np.linalg.solve(d["A"], d["C"])),
    (sn.solve(T, B), lambda d: np.linalg.solve(d["T"], d["B"])),
    (sn.solve(Q, C), lambda d: np.linalg.solve(d["Q"], d["C"])),
    (sn.solve(A.transpose(0, 2, 1), B), lambda d: np.linalg.solve(d["A"].transpose(0, 2, 1), d["B"])),
    (sn.trace(T), lambda d: np.linalg.trace(d["T"])),
    (sn.matrix_power(A, 0), lambda d: np.linalg.matrix_power(d["A"], 0)),
    (sn.matrix_power(A, 3), lambda d: np.linalg.matrix_power(d["A"], 3)),
    (sn.matrix_power(T, -2), lambda d: np.linalg.matrix_power(d["T"], -2)),
    (sn.norm(A, "fro", (-2, -1)), lambda d: np.linalg.norm(d["A"], "fro", (-2, -1))),
]


def draw(rng: np.random.Generator, rows: int) -> dict[str, Any]:
    shapes = {"A": (rows, 3, 3), "B": (rows, 3, 2), "Q": (3, 3), "C": (2, rows, 3, 4), "T": (4, 1, 3, 3), "v": (3,)}
    return {name: rng.normal(size=shape) for name, shape in shapes.items()}


@pytest.mark.parametrize("rows", [0, 1, 7, 300])
@pytest.mark.parametrize(("y", "expected"), LIKE_NUMPY, ids=lambda v: str(v) if isinstance(v, Node) else "")
def test_values_and_shapes_are_numpys(y: Node, expected: Any, rows: int, rng: np.random.Generator) -> None:
    data = draw(rng, rows)
    f = sn.compile([y, A])
    found = f(**{name: data[name] for name in f.inputs})[0]
    assert found.shape == expected(data).shape
    np.testing.assert_allclose(found, expected(data), rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("place", [0, 5, 280])
def test_one_singular_matrix_anywhere_refuses_the_stack(place: int, threads: int, rng: np.random.Generator) -> None:
    data = rng.normal(size=(300, 3, 3))
    f = sn.compile(sn.inv(A), threads=threads)
    data[place] = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [1.0, 2.0, 3.0]]
    with pytest.raises(sn.SingularMatrixError, match="SINGULAR_MATRIX"):
        f(A=data)
    with pytest.raises(sn.SingularMatrixError, match=rf"a singular one of shape \(3, 3\) at \[{place}\] of the stack"):
        evaluate(sn.inv(A), {"A": data})
    det, logdet = sn.compile([sn.det(A), sn.logdet(A)], threads=threads)(A=data)
    assert det[place] == 0 and logdet[place] == -np.inf
    assert np.isfinite(np.delete(logdet, place)).all()
    data[place] = np.eye(3)
    assert np.isfinite(f(A=data)).all()


def test_nan_stays_in_its_matrix(rng: np.random.Generator) -> None:
    data = rng.normal(size=(20, 3, 3))
    data[7] = np.nan
    inverse, det = sn.compile([sn.inv(A), sn.det(A)])(A=data)
    assert np.isnan(inverse[7]).any() and np.isnan(det[7])
    assert np.isfinite(np.delete(inverse, 7, 0)).all() and np.isfinite(np.delete(det, 7)).all()


def test_a_stack_over_the_batch_streams() -> None:
    loss = sn.sum(sn.logdet(A)) + sn.sum(sn.solve(A, B) ** 2)
    f = sn.value_and_grad(loss, [A, B])
    assert f.workspace_bytes(m=300) == f.workspace_bytes(m=300_000)


def test_a_stack_of_known_extent_is_shared_among_threads(rng: np.random.Generator) -> None:
    for many in (sn.tensor("M", 20, 50, 50), sn.tensor("M", m, 50, 50), sn.tensor("M", m, k, k)):
        data = rng.normal(size=(20, 50, 50))
        found = [sn.compile([sn.inv(many), sn.det(many)], threads=threads)(M=data) for threads in (1, 2)]
        assert (found[0][0] == found[1][0]).all() and (found[0][1] == found[1][1]).all()
        np.testing.assert_allclose(found[0][0], np.linalg.inv(data), rtol=1e-6, atol=1e-8)
        np.testing.assert_allclose(found[0][1], np.linalg.det(data), rtol=1e-8)


@pytest.mark.parametrize("name", ["i", "j", "k", "c", "s0", "pivot", "entry", "x1", "best"])
def test_extents_may_have_the_names_of_loops(name: str, rng: np.random.Generator) -> None:
    n = sn.dim(name)
    M, R, b = sn.tensor("M", 2, n, n), sn.tensor("R", 2, n, 4), sn.tensor("b", n)
    data = {"M": rng.normal(size=(2, 5, 5)), "R": rng.normal(size=(2, 5, 4)), "b": rng.normal(size=5)}
    x, y, d = sn.compile([sn.solve(M, R), sn.solve(M.transpose(0, 2, 1), b), sn.det(M)])(**data)
    np.testing.assert_allclose(x, np.linalg.solve(data["M"], data["R"]), rtol=1e-8)
    np.testing.assert_allclose(y, np.linalg.solve(data["M"].transpose(0, 2, 1), data["b"]), rtol=1e-8)
    np.testing.assert_allclose(d, np.linalg.det(data["M"]), rtol=1e-8)


# --------------------------------------------------------------------------- formulas


def test_an_inverse_in_a_stack_becomes_equations() -> None:
    assert str(sn.compile(sn.inv(A) @ B, stop_after="numeric")) == "solve(A, B)"
    assert str(sn.compile(sn.inv(Q) @ B, stop_after="numeric")) == "inv(Q) @ B"  # one inverse, many rows
    product = sn.einsum("mij,mjk,mk->mi", sn.inv(A), A @ A + A, A[:, 0])
    assert "inv" not in str(sn.compile(product, stop_after="numeric"))


def test_inverses_cancel_within_a_stack_only() -> None:
    assert str(sn.simplify(sn.inv(A) @ A @ B)) == "B"
    other = sn.einsum("mij,njk->mnik", sn.inv(A), A)
    assert "inv" in str(sn.simplify(other))


def test_copies_of_one_matrix_are_eliminated_once() -> None:
    repeated = sn.broadcast_to(Q, (m, 3, 3))
    program = sn.compile(sn.det(repeated) + sn.logdet(repeated), stop_after="loops")
    (factors,) = [buffer for buffer in program.workspace if buffer.name.startswith("factors")]
    assert len(factors.shape) == 2


def test_the_gradient_by_a_symmetric_stack_is_symmetric(rng: np.random.Generator) -> None:
    half = rng.normal(size=(6, 3, 3))
    data = half @ half.transpose(0, 2, 1) + np.eye(3)
    gradient = sn.compile(sn.grad(sn.sum(sn.inv(S)[:, 0, 1]) + sn.sum(sn.logdet(S)), S))(S=data)
    np.testing.assert_allclose(gradient, gradient.transpose(0, 2, 1))
    inverse = np.linalg.inv(data)
    one = -np.einsum("mi,mj->mij", inverse[:, 0], inverse[:, 1])
    np.testing.assert_allclose(gradient, inverse + (one + one.transpose(0, 2, 1)) / 2, rtol=1e-9, atol=1e-12)


def test_more_matrices_may_be_carried_through_one(rng: np.random.Generator) -> None:
    many = sn.tensor("M", 2, 3, 3)
    data = {"M": rng.normal(size=(2, 3, 3)), "v": rng.normal(size=3)}
    roots = [sn.inv(Q), sn.solve(Q, v), sn.det(Q), sn.solve(Q, Q @ Q)]
    found = [evaluate(y, data) for y in batch(roots, {Q: many}, (2,))]
    for place, root in enumerate(roots):
        for row in range(2):
            one = evaluate(root, {"Q": data["M"][row], "v": data["v"]})
            np.testing.assert_allclose(found[place][row], one, rtol=1e-8, atol=1e-10)


def test_second_derivatives_of_a_stack(rng: np.random.Generator) -> None:
    small = sn.tensor("M", 2, 2, 2)
    data = rng.normal(size=(2, 2, 2)) + 2 * np.eye(2)
    f = sn.sum(sn.logdet(small) * sn.det(small))
    hessian = sn.compile(sn.hessian(f, small))(M=data)
    slope = sn.compile(sn.grad(f, small))
    step = rng.normal(size=data.shape)
    expected = (slope(M=data + 1e-6 * step) - slope(M=data - 1e-6 * step)) / 2e-6
    np.testing.assert_allclose(np.tensordot(hessian, step, 3), expected, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("library", ["numpy", "jax", "torch"])
def test_source_in_other_libraries(library: str, rng: np.random.Generator) -> None:
    pytest.importorskip(library)
    f = sn.compile([sn.solve(A, v), sn.solve(A, B), sn.logdet(A), sn.trace(A)], name="stacks")
    data = draw(rng, 5)
    names = {"A": data["A"], "v": data["v"], "B": data["B"]}
    space: dict[str, Any] = {}
    exec(f.source(library), space)
    given = {"numpy": lambda x: x, "jax": lambda x: np.asarray(x, "float32"), "torch": _tensor}[library]
    found = space["stacks"](**{name: given(value) for name, value in names.items()})
    for mine, theirs in zip(f(**names), found, strict=True):
        np.testing.assert_allclose(np.asarray(theirs), mine, rtol=2e-2 if library == "jax" else 1e-8, atol=1e-3)


def _tensor(x: Any) -> Any:
    import torch

    return torch.from_numpy(x)

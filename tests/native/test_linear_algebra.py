"""Linear algebra from the formula to native code: singular matrices by name, one elimination for all, streaming."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import symnet as sn
from symnet.expr.nodes.graph import topological
from symnet.expr.nodes.node import Node
from symnet.loops import interpreter
from symnet.loops.ir import Buffer, Fail, Group, Phase, Program, Store, as_int, walk
from symnet.loops.ir import Const as C
from symnet.loops.printer import stmt_line
from symnet.loops.verifier import verify
from symnet.reference import evaluate
from tests import chain

n, m = sn.dim("n"), sn.dim("m")
A, B, b = sn.tensor("A", n, n), sn.tensor("B", n, 3), sn.tensor("b", n)
SINGULAR = {
    "ones": np.ones((3, 3)),
    "zeros": np.zeros((3, 3)),
    "one row twice": np.array([[1.0, 2, 3], [4, 5, 6], [1, 2, 3]]),
    "a zero column": np.array([[1.0, 0, 3], [4, 0, 6], [1, 0, 2]]),
    "zero": np.zeros((1, 1)),
}


def data_for(matrix: np.ndarray) -> dict[str, np.ndarray]:
    size = len(matrix)
    return {"A": matrix, "B": np.ones((size, 3)), "b": np.ones(size)}


# --------------------------------------------------------------------------- singular matrices


@pytest.mark.parametrize("matrix", SINGULAR.values(), ids=SINGULAR)
@pytest.mark.parametrize("y", [sn.inv(A), sn.solve(A, B), sn.solve(A, b), sn.solve(A.T, B), sn.solve(A.T, b)], ids=str)
def test_a_singular_matrix_raises_by_name(y: Node, matrix: np.ndarray) -> None:
    data = data_for(matrix)
    f = sn.compile(y, name="solving")
    given = {name: data[name] for name in f.inputs}
    with pytest.raises(sn.SingularMatrixError, match=r"solving\(…\): .*code 6, SINGULAR_MATRIX"):
        f(**given)
    with pytest.raises(ValueError, match="SINGULAR_MATRIX"):
        f.bind(**given)()
    with pytest.raises(sn.SingularMatrixError, match=r"got a singular one of shape"):
        evaluate(y, given)
    with pytest.raises(sn.SingularMatrixError, match=r"program solving, phase .*SINGULAR_MATRIX"):
        interpreter.run(sn.compile(y, name="solving", stop_after="schedule"), given)
    given["A"] = np.eye(len(matrix))
    assert np.isfinite(f(**given)).all()  # the function is none the worse for it


@pytest.mark.parametrize("matrix", SINGULAR.values(), ids=SINGULAR)
def test_determinants_of_singular_matrices_are_values(matrix: np.ndarray) -> None:
    det, logdet = sn.compile([sn.det(A), sn.logdet(A)])(A=matrix)
    assert det == 0 and logdet == -np.inf


def test_several_threads_report_a_singular_matrix_too(rng: np.random.Generator) -> None:
    X = sn.tensor("X", m, 40)
    L = sn.sum((X @ sn.inv(X.T @ X)) ** 2)
    f = sn.value_and_grad(L, X, threads=2)
    good = rng.normal(size=(600, 40))
    wanted = evaluate(L, {"X": good})
    assert f(X=good)[0] == pytest.approx(float(wanted))
    with pytest.raises(sn.SingularMatrixError):
        f(X=np.zeros((600, 40)))
    assert f(X=good)[0] == pytest.approx(float(wanted))


def test_nan_comes_out_as_nan() -> None:
    f = sn.compile([sn.inv(A), sn.det(A), sn.logdet(A)])
    assert all(np.isnan(value).any() for value in f(A=np.full((3, 3), np.nan)))


def test_the_c_header_names_the_code(tmp_path: Path) -> None:
    sn.compile(sn.inv(A), name="inverse").export(tmp_path / "inverse")
    assert "inverse_SINGULAR_MATRIX = 6" in (tmp_path / "inverse.h").read_text()


# --------------------------------------------------------------------------- elimination


def test_one_elimination_serves_all() -> None:
    outputs = [sn.inv(A), sn.solve(A, B), sn.solve(A.T, b), sn.det(A), sn.logdet(A), sn.logdet(A.T)]
    program = sn.compile(outputs, stop_after="loops")
    factors = [buffer for buffer in program.workspace if buffer.name.startswith("factors")]
    assert len(factors) == 1
    copies = [
        stmt
        for _, phase in program.phases()
        for stmt in walk(phase.body)
        if isinstance(stmt, Store) and stmt.buffer == factors[0] and str(phase.name) == factors[0].name
    ]
    assert copies


def test_an_inverse_is_not_formed_where_equations_can_be_solved() -> None:
    y = b @ sn.inv(A) @ B
    assert str(sn.compile(y, stop_after="numeric")) == "B.T @ solve(A.T, b)"


@pytest.mark.parametrize(
    ("y", "solves"),
    [
        (sn.matrix_power(A, -2) @ b, 2),
        (sn.inv(A @ A.T) @ b, 2),
        (sn.inv(A) @ (A @ A + A) @ sn.inv(A) @ b, 2),
        (sn.trace(sn.inv(A) @ sn.outer(b, b) @ (A @ A)), 1),
        (sn.inv(A) @ sn.outer(b, b), 1),
    ],
    ids=lambda v: str(v),
)
def test_what_an_inverse_multiplies_is_contracted_first(y: Node, solves: int, rng: np.random.Generator) -> None:
    """Every system of equations has one column."""
    numeric = sn.compile(y, stop_after="numeric")
    assert [node.rank for node in topological(numeric) if node.kind == "solve"] == [1] * solves
    data = {"A": rng.normal(size=(4, 4)), "b": rng.normal(size=4)}
    np.testing.assert_allclose(evaluate(numeric, data), evaluate(y, data), rtol=1e-7)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 17, 40, 48, 55, 56, 57, 100])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_residuals_are_small(size: int, dtype: str, rng: np.random.Generator) -> None:
    matrix = (rng.normal(size=(size, size)) / np.sqrt(size)).astype(dtype)
    f = sn.compile([sn.solve(A, B), sn.solve(A.T, b), sn.det(A), sn.logdet(A)], dtype=dtype)
    right, vector = rng.normal(size=(size, 3)).astype(dtype), rng.normal(size=size).astype(dtype)
    columns, x, det, logdet = f(A=matrix, B=right, b=vector)
    bound = 20 * size * float(np.finfo(dtype).eps)
    assert np.abs(matrix @ columns - right).max() <= bound * np.abs(matrix).max() * (1 + np.abs(columns).max())
    assert np.abs(matrix.T @ x - vector).max() <= bound * np.abs(matrix).max() * (1 + np.abs(x).max())
    assert det == pytest.approx(np.linalg.det(matrix.astype(float)), rel=1e4 * bound)
    assert logdet == pytest.approx(np.linalg.slogdet(matrix.astype(float))[1], rel=1e3 * bound, abs=1e3 * bound)


def test_badly_scaled_pivots_are_no_trouble() -> None:
    f = sn.compile(sn.solve(A, b))
    matrix = np.array([[1e-20, 1.0], [1.0, 1.0]])
    assert np.allclose(f(A=matrix, b=np.array([1.0, 2.0])), [1.0, 1.0])
    tiny = np.diag([1.0, 1e-200, 1e-300])
    assert np.allclose(f(A=tiny, b=np.array([1.0, 1e-200, 1e-300])), 1.0)


@pytest.mark.parametrize("size", [1, 4, 9, 16, 19])
def test_panels_agree_on_every_floor(size: int, monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator) -> None:
    monkeypatch.setattr("symnet.lower.linalg.SMALLEST", 1)
    data = {"A": rng.normal(size=(size, size)), "B": rng.normal(size=(size, 3)), "b": rng.normal(size=size)}
    roots = [sn.det(A), sn.logdet(A), sn.solve(A, B), sn.solve(A.T, B), sn.solve(A.T, b)]
    chain.check(chain.floors(roots, data, {"n": size}, "float64"), chain.rounded(roots, data, "float64"))


@pytest.mark.parametrize("size", [50, 64])
def test_large_singular_matrices_and_nan_are_no_different(size: int, rng: np.random.Generator) -> None:
    f, g = sn.compile(sn.inv(A)), sn.compile([sn.det(A), sn.logdet(A)])
    for broken in (np.ones((size, size)), np.zeros((size, size)), np.diag([1.0] * (size - 1) + [0.0])):
        with pytest.raises(sn.SingularMatrixError, match="SINGULAR_MATRIX"):
            f(A=broken)
        assert g(A=broken) == (0.0, -np.inf)
    strange = rng.normal(size=(size, size))
    strange[7, 3] = np.nan
    assert np.isnan(f(A=strange)).any() and all(map(np.isnan, g(A=strange)))
    assert np.isfinite(f(A=rng.normal(size=(size, size)))).all()


def test_large_permutations_have_their_sign(rng: np.random.Generator) -> None:
    f = sn.compile([sn.det(A), sn.inv(A)])
    for size in (48, 51, 64):
        matrix = np.eye(size)[rng.permutation(size)]
        det, inverse = f(A=matrix)
        assert det == np.linalg.det(matrix) and (inverse == matrix.T).all()


def test_permutations_have_their_sign(rng: np.random.Generator) -> None:
    f = sn.compile(sn.det(A))
    for _ in range(10):
        matrix = np.eye(5)[rng.permutation(5)]
        assert f(A=matrix) == np.linalg.det(matrix)


def test_nothing_has_determinant_one() -> None:
    det, logdet, inverse = sn.compile([sn.det(A), sn.logdet(A), sn.inv(A)])(A=np.zeros((0, 0)))
    assert det == 1 and logdet == 0 and inverse.shape == (0, 0)


def test_integers_are_solved_with_as_reals() -> None:
    whole = sn.tensor("K", 2, 2, dtype="int64")
    found = sn.compile(sn.inv(whole))(K=np.array([[2, 1], [1, 1]]))
    assert found.dtype == np.float64 and np.allclose(found, [[1, -1], [-1, 2]])


# --------------------------------------------------------------------------- streaming


def test_rows_stream_past_one_inverse() -> None:
    """Mahalanobis: the workspace does not grow with the batch, though the rows meet an inverse."""
    X, S = sn.tensor("X", m, 8), sn.tensor("S", 8, 8)
    f = sn.compile(((X @ sn.inv(S)) * X).sum(1))
    assert f.workspace_bytes(m=300) == f.workspace_bytes(m=300_000)


def test_a_determinant_of_sums_over_the_batch_streams(rng: np.random.Generator) -> None:
    X = sn.tensor("X", m, 5)
    f = sn.value_and_grad(sn.logdet(X.T @ X / m), X)
    assert f.workspace_bytes(m=300) == f.workspace_bytes(m=300_000)
    data = rng.normal(size=(1000, 5))
    value, slope = f(X=data)
    gram = data.T @ data
    assert value == pytest.approx(np.linalg.slogdet(gram / 1000)[1])
    assert np.allclose(slope, 2 * data @ np.linalg.inv(gram))


# --------------------------------------------------------------------------- the statement `Fail`


def program_of(stmt: Fail) -> Program:
    out = Buffer("out", "float64", (), "output")
    body = (Store(out, (), C(1.0, "float64")), stmt)
    return Program("failing", (), (), (out,), (), (Group((Phase("only", body, as_int(1)),)),))


def test_a_program_fails_with_a_code_that_callers_know() -> None:
    verify(program_of(Fail("SINGULAR_MATRIX")))
    assert stmt_line(Fail("SINGULAR_MATRIX")) == "fail SINGULAR_MATRIX"
    with pytest.raises(
        sn.errors.CompileError, match="expected a code among SINGULAR_MATRIX, INDEX_OUT_OF_RANGE; got 'OUT_OF_LUCK'"
    ):
        verify(program_of(Fail("OUT_OF_LUCK")))

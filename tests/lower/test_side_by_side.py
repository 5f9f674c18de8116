"""Small matrices of a stack, several at once: the values of each alone, and nothing is read beside arrays."""

from __future__ import annotations

import numpy as np
import pytest

import symnet as sn
from symnet.errors import SingularMatrixError
from tests.fuzz.guarded import guarded

COUNTS = (2, 3, 7, 8, 9, 16, 17, 40)


def solved(dtype: str, count: object, n: object, columns: int = 1, transposed: bool = False):
    a, b = sn.tensor("a", count, n, n), sn.tensor("b", count, n, columns)
    return sn.compile(sn.solve(sn.einsum("sij->sji", a) if transposed else a, b), dtype=dtype)


def near(dtype: str, n: int) -> float:
    return (1e-3 if dtype == "float32" else 1e-11) * n


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("is_known", [False, True])
def test_each_of_several_matrices_is_solved_with_as_if_it_were_alone(rng, dtype, transposed, is_known):
    """A matrix has the same bits in every lane, beside any others, and pivots of its own."""
    symbolic = solved(dtype, sn.dim("s"), sn.dim("n"), 2, transposed)
    for number, count in enumerate(COUNTS):
        n = (1, 2, 5, 8, 16, 17, 3, 13)[number]
        compiled = solved(dtype, count, n, 2, transposed) if is_known else symbolic
        a, b = rng.normal(size=(count, n, n)).astype(dtype), rng.normal(size=(count, n, 2)).astype(dtype)
        a += 2 * np.eye(n, dtype=dtype)[rng.permutation(n)]
        found = compiled(a=guarded(a), b=guarded(b))
        m = a.astype(float).swapaxes(1, 2) if transposed else a.astype(float)
        np.testing.assert_allclose(m @ found, b, rtol=0, atol=near(dtype, n) * (1 + np.abs(found).max()))
        order = rng.permutation(count)
        np.testing.assert_array_equal(compiled(a=a[order], b=b[order]), found[order])


@pytest.mark.parametrize("n", [3, 8, 16])
def test_the_machine_code_takes_several_at_once(n):
    text = sn.compile(sn.inv(sn.tensor("a", sn.dim("s"), n, n)), dtype="float64", target="x86-64-v4").llvm_ir
    assert "fdiv <8 x double>" in text


@pytest.mark.parametrize("place", [0, 5, 7, 8, 16, 18])
def test_one_singular_matrix_is_refused_wherever_it_stands(rng, place):
    compiled = solved("float64", sn.dim("s"), 4)
    a, b = rng.normal(size=(19, 4, 4)), rng.normal(size=(19, 4, 1))
    compiled(a=a, b=b)
    a[place, :, 1] = 0.0
    with pytest.raises(SingularMatrixError):
        compiled(a=a, b=b)


def test_what_is_not_finite_stays_in_its_matrix(rng):
    compiled = solved("float64", sn.dim("s"), 4)
    a, b = rng.normal(size=(11, 4, 4)), rng.normal(size=(11, 4, 1))
    whole = compiled(a=a, b=b)
    a[9, 2, 2], b[3, 1, 0] = np.nan, np.inf
    found = compiled(a=a, b=b)
    others = [k for k in range(11) if k not in (3, 9)]
    np.testing.assert_array_equal(found[others], whole[others])
    assert np.isnan(found[9]).any() and not np.isfinite(found[3]).all()


def test_stacks_of_several_axes_and_of_none(rng):
    compiled = sn.compile(sn.inv(sn.tensor("a", sn.dim("p"), sn.dim("q"), 4, 4)), dtype="float64")
    for shape in ((2, 11), (3, 0), (0, 4), (1, 1)):
        a = rng.normal(size=(*shape, 4, 4)) + 3 * np.eye(4)
        np.testing.assert_allclose(compiled(a=guarded(a)), np.linalg.inv(a), rtol=1e-9, atol=1e-9)


def test_determinants_read_what_several_left(rng):
    a = rng.normal(size=(37, 6, 6))
    a[20, 3] = a[20, 1]
    a[21, :, 2] = 0.0
    found = sn.compile(sn.det(sn.tensor("a", sn.dim("s"), 6, 6)), dtype="float64")(a=a)
    np.testing.assert_allclose(found, np.linalg.det(a), rtol=1e-9, atol=1e-12)
    assert found[21] == 0.0


def test_gradients_of_a_stack_are_those_of_each(rng):
    a, b = sn.tensor("a", sn.dim("s"), 5, 5), sn.tensor("b", sn.dim("s"), 5, 1)
    made = sn.value_and_grad(sn.sum(sn.solve(a, b) ** 2), [a, b], dtype="float64")
    given = rng.normal(size=(21, 5, 5)) + 3 * np.eye(5), rng.normal(size=(21, 5, 1))
    value, (da, db) = made(a=given[0], b=given[1])
    parts = [made(a=given[0][k : k + 1], b=given[1][k : k + 1]) for k in range(21)]
    np.testing.assert_allclose(value, sum(part[0] for part in parts), rtol=1e-12)
    np.testing.assert_allclose(da, np.concatenate([part[1][0] for part in parts]), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(db, np.concatenate([part[1][1] for part in parts]), rtol=1e-12, atol=1e-12)

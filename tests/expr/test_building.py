"""Arrays built with NumPy's meaning: zeros, ones, diag, kron; and names that symnet lacks."""

from __future__ import annotations

import numpy as np
import pytest

import symnet as sn
from symnet.reading.formula import formula, names_in

n = sn.dim("n")
x, A, B = sn.tensor("x", n), sn.tensor("A", 2, 3), sn.tensor("B", 3, 2)
a, b = np.arange(6.0).reshape(2, 3), np.arange(6.0).reshape(3, 2) + 1


def test_what_formulas_print_can_be_pasted_back() -> None:
    assert sn.simplify(sn.diag(sn.exp(x))) is sn.jacobian(sn.exp(x), x)
    assert sn.ones(n) is sn.grad(sn.sum(x), x)
    assert formula("diag(exp(x)) + zeros(n, n)", names_in(x)) is sn.diag(sn.exp(x)) + sn.zeros((n, n))


def test_diag_makes_a_matrix_of_a_vector_and_takes_the_diagonal_of_a_matrix() -> None:
    v, M = sn.tensor("v", 3), sn.tensor("M", 3, 3)
    made, taken = sn.compile([sn.diag(v), sn.diag(M)])(v=np.arange(3.0), M=np.arange(9.0).reshape(3, 3))
    assert np.array_equal(made, np.diag(np.arange(3.0))) and np.array_equal(taken, [0, 4, 8])
    with pytest.raises(sn.ShapeError, match=r"diag\(x\): expected a vector or a matrix; got shape \(\)"):
        sn.diag(2)


def test_kron_is_that_of_numpy_for_equal_and_for_different_ranks() -> None:
    v = sn.tensor("v", 2)
    found, other = sn.compile([sn.kron(A, B), sn.kron(A, v)])(A=a, B=b, v=np.array([2.0, 3.0]))
    assert np.array_equal(found, np.kron(a, b)) and np.array_equal(other, np.kron(a, [2.0, 3.0]))
    assert sn.kron(x, A).shape == (2, 3 * n)


def test_extents_that_are_none_are_refused() -> None:
    with pytest.raises(sn.SymnetError, match=r"ones\(2, 1\.5\)"):
        sn.ones(2, 1.5)


def test_a_name_that_symnet_lacks_is_answered_with_the_nearest() -> None:
    with pytest.raises(AttributeError, match=r"no attribute 'sofmax'\. Did you mean sn\.softmax"):
        _ = sn.sofmax
    with pytest.raises(AttributeError, match=r"no attribute 'qqqq'$"):
        _ = sn.qqqq

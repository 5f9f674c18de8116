"""Derivatives in their compressed form: the deltas a table would write, and the same array when expanded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

import symnet as sn
from symnet.expr.nodes.contraction import contract
from symnet.expr.nodes.graph import topological
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import leaves
from symnet.reference import evaluate
from tests.cases import CASES, Case

m = sn.dim("m")
x, w = sn.tensor("x", 4), sn.tensor("w", 4)
A, B = sn.tensor("A", 4, 4), sn.tensor("B", 5, 4)
X, W, V, C = sn.tensor("X", m, 4), sn.tensor("W", 4, 3), sn.tensor("V", 4, 3), sn.tensor("C", 3, 5)
T, U, F = sn.tensor("T", 100, 80), sn.tensor("U", 100, 5), sn.tensor("F", 80, 5)
rosenbrock = (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


@dataclass(frozen=True)
class Example:
    """A derivative, how many numbers it is made of, and its terms as they print."""

    name: str
    formula: Callable[[], Node]
    size: str
    terms: tuple[str, ...]

    def __repr__(self) -> str:
        return self.name


EXAMPLES = [
    Example("factorisation", lambda: sn.hessian(((T - U @ F.T) ** 2).sum(), U), "25", ("2·δ[i,k]·(F.T @ F)[j,l]",)),
    Example(
        "factorisation, mixed",
        lambda: sn.hessian(((T - U @ F.T) ** 2).sum(), [U, F])[0][1],
        "8900",
        ("2·δ[j,l]·(U @ F.T - T)[i,k]", "+ 2·U[i,l]·F[k,j]"),
    ),
    Example(
        "log-sum-exp",
        lambda: sn.hessian(sn.logsumexp(x), x),
        "4",
        ("δ[i,j]·softmax(x)[i]", "- softmax(x)[i]·softmax(x)[j]"),
    ),
    Example("matrix times vector, by the matrix", lambda: sn.derivative(B @ x, B), "4", ("δ[i,k]·x[j]",)),
    Example("Kronecker product", lambda: sn.jacobian(A @ V @ C, V), "31", ("A[i,k]·C[l,j]",)),
    Example("inverse", lambda: sn.jacobian(sn.inv(A), A), "16", ("-inv(A)[i,k]·inv(A)[l,j]",)),
    Example("transposition", lambda: sn.jacobian(V.T, V), "0", ("δ[i,l]·δ[j,k]",)),
    Example(
        "trace of a quadratic form", lambda: sn.hessian(sn.trace(V.T @ A @ V), V), "16", ("δ[j,l]·(A + A.T)[i,k]",)
    ),
    Example(
        "rows of a batch",
        lambda: sn.jacobian(sn.tanh(X @ W), X),
        "3*m + 12",
        ("δ[i,k]·(1 - tanh(X @ W)**2)[i,j]·W[l,j]",),
    ),
    Example(
        "softmax of rows",
        lambda: sn.jacobian(sn.softmax(X), X),
        "4*m",
        ("δ[i,k]·δ[j,l]·softmax(X)[i,j]", "- δ[i,k]·softmax(X)[i,j]·softmax(X)[i,l]"),
    ),
    Example("elementwise, by a batch", lambda: sn.hessian(sn.exp(X).sum(), X), "4*m", ("δ[i,k]·δ[j,l]·exp(X)[i,j]",)),
    Example(
        "third derivative", lambda: sn.jacobian(sn.hessian(sn.exp(x).sum(), x), x), "4", ("δ[i,j]·δ[i,k]·exp(x)[i]",)
    ),
    Example(
        "norm",
        lambda: sn.hessian(sn.norm(x), x),
        "9",
        ("δ[i,j]·(1/norm(x))", "- x[i]·(x/norm(x)**3)[j]"),
    ),
    Example(
        "a band",
        lambda: sn.hessian(rosenbrock, x),
        "6",
        (
            "δ[i,j]·(1200*x[:3]**2 + 2 - 400*x[1:])[i]",
            "- 400·δ[i,j+1]·(x[:3])[i-1]",
            "+ 200·δ[i,j]",
            "- 400·δ[i,j-1]·(x[:3])[i]",
        ),
    ),
    Example("differences", lambda: sn.jacobian(x[1:] - x[:-1], x), "0", ("δ[i,j-1]", "- δ[i,j]")),
    Example("joined vectors", lambda: sn.jacobian(sn.concat([w, 2 * x]), x), "0", ("2·δ[i,j+4]",)),
    Example("no structure", lambda: sn.hessian(x @ A @ x, x), "16", ("(A + A.T)[i,j]",)),
    Example("one element", lambda: sn.grad(x @ w, x)[0], "1", ("(w[0])",)),
    Example("nothing but zeros", lambda: sn.hessian((x @ w), [x, w])[0][0], "0", ()),
]


@pytest.mark.parametrize("example", EXAMPLES, ids=repr)
def test_the_terms_are_those_of_the_tables(example: Example) -> None:
    found = sn.compressed(example.formula())
    assert tuple(line.strip() for line in str(found).splitlines()[1:]) == example.terms
    assert str(found.size) == example.size


def values(formula: Node, rng: np.random.Generator) -> dict[str, np.ndarray]:
    return {leaf.name: rng.uniform(0.5, 2, [5 if n is m else n for n in leaf.shape]) for leaf in leaves(formula)}


@pytest.mark.parametrize("example", EXAMPLES, ids=repr)
def test_expanded_again_it_is_the_same_array(example: Example, rng: np.random.Generator) -> None:
    formula = example.formula()
    whole = sn.compressed(formula).dense()
    data = values(formula, rng)
    wanted, found = evaluate([formula, whole], data, leaves=leaves(formula))
    assert found.shape == wanted.shape and found == pytest.approx(wanted, rel=1e-12, abs=1e-12)


SMALL = [
    case
    for case in CASES
    if case.wrt and len(topological(*case.roots)) < 30 and case.roots[0].dtype in ("float64", None)
]


@pytest.mark.parametrize("case", SMALL, ids=repr)
def test_jacobians_of_the_shared_cases_expand_to_themselves(case: Case, rng: np.random.Generator) -> None:
    root = case.roots[0]
    targets = [leaf for leaf in case.targets if leaf in leaves(root)]
    formulas = sn.jacobian(root, targets)
    whole = [sn.compressed(J).dense() for J in formulas]
    data = case.data(rng)
    for wanted, found in zip(
        evaluate(formulas, data, leaves=case.leaves), evaluate(whole, data, leaves=case.leaves), strict=True
    ):
        assert found.shape == wanted.shape and found == pytest.approx(wanted, rel=1e-9, abs=1e-9)


def test_like_terms_of_two_factors_are_counted_together(rng: np.random.Generator) -> None:
    """The Hessian of an entropy has s[i,j]·s[i,l] twice, which were once added up as if they were one factor."""
    s = sn.softmax(V)
    formula = sn.hessian(-sn.sum(sn.log_softmax(V) * s), V)
    found = sn.compressed(formula)
    data = values(formula, rng)
    wanted, whole = evaluate([formula, found.dense()], data)
    assert not found.is_dense and whole == pytest.approx(wanted, rel=1e-11, abs=1e-13)
    kinds = [(term.axes, term.factors) for term in found.terms]
    assert len(set(kinds)) == len(kinds)


@st.composite
def einsums_with_deltas(draw: st.DrawFn) -> Node:
    """Sums of contractions of vectors, matrices and deltas over one extent, shifted or not."""
    terms = []
    for _ in range(draw(st.integers(1, 3))):
        pool = [x, w, A, sn.eye(4), sn.eye(4), sn.simplify(sn.pad(sn.eye(3), [(1, 0), (0, 1)]))]
        chosen = draw(st.lists(st.sampled_from(pool), min_size=1, max_size=4))
        inputs = [draw(st.lists(st.integers(0, 3), min_size=n.rank, max_size=n.rank)) for n in chosen]
        present = sorted({i for indices in inputs for i in indices})
        output = [i for i in (0, 1, 2) if i in present]
        core = contract(inputs, output, *chosen)
        terms.append(draw(st.sampled_from([1, -2])) * sn.broadcast_to(_with_axes(core, output), (4, 4, 4)))
    return sum(terms[1:], start=terms[0])


def _with_axes(core: Node, present: list[int]) -> Node:
    shape = tuple(4 if axis in present else 1 for axis in range(3))
    return core.reshape(*shape)


@given(einsums_with_deltas())
def test_any_sum_of_contractions_with_deltas_expands_to_itself(formula: Node) -> None:
    data = {"x": np.arange(1.0, 5.0), "w": np.array([2.0, -1.0, 0.5, 3.0]), "A": np.arange(16.0).reshape(4, 4) - 7}
    wanted, found = evaluate([formula, sn.compressed(formula).dense()], data, leaves=[x, w, A])
    assert found == pytest.approx(wanted, rel=1e-12, abs=1e-9)


def test_factors_are_kept_once_and_names_stay() -> None:
    s = sn.softmax(x).named("s")
    found = sn.compressed(sn.hessian(-sn.log(s)[0], x))
    assert [factor.name for factor in found.factors] == ["s"]
    assert str(found).endswith("δ[i,j]·s[i]\n  - s[i]·s[j]")


def test_what_is_not_smaller_stays_the_array_itself() -> None:
    H = sn.hessian(sn.mean(sn.softmax(X @ W)[:, 0]), W)
    found = sn.compressed(H)
    assert found.is_dense and found.factors == (H,) and found.dense() is H
    assert not sn.compressed(sn.jacobian(V.T, V)).is_dense


def test_logistic_regression_is_a_gram_matrix_which_has_no_smaller_form() -> None:
    d = sn.tensor("d", m, unit=True)
    H = sn.hessian(sn.sum(sn.binary_cross_entropy(sn.sigmoid(X @ w), d)), w)
    assert str(H) == "X.T @ diag(sigmoid(X @ w)*(1 - sigmoid(X @ w))) @ X" and sn.compressed(H).factors == (H,)


# Branches: masks of one rank and another, and what they choose between: a column, a row of the batch, an outer product.
MASKS: dict[str, Callable[[], Node]] = {
    "by row": lambda: X[:, 0] > 0,
    "by element": lambda: X > 0,
    "by column": lambda: x > 0,
    "one": lambda: sn.sum(x) > 0,
    "kept axis": lambda: X[:, :1] > 0,
}
BRANCHES: dict[str, tuple[Callable[[], Node], Callable[[], Node]]] = {
    "powers": (lambda: X**2, lambda: sn.tanh(X)),
    "one alone": (lambda: sn.exp(X), lambda: X * 0),
    "singular": (lambda: sn.log(X), lambda: sn.sqrt(-X)),
    "of the whole row": (lambda: sn.softmax(X), lambda: X * sn.sum(X, axis=1, keepdims=True)),
    "a slice": (lambda: X[:, ::1], lambda: sn.concat([X[:, 1:], X[:, :1]], axis=1)),
}


@pytest.mark.parametrize(
    ("mask", "branches"),
    [(mask, name) for mask in MASKS for name in BRANCHES if name != "singular" or mask == "by element"],
)
def test_the_delta_of_a_batch_stands_through_where(mask: str, branches: str) -> None:
    condition = MASKS[mask]()
    if mask == "by row":
        condition = condition[:, None]
    y = sn.where(condition, *(branch() for branch in BRANCHES[branches]))
    J = sn.jacobian(y, X)
    H = sn.compressed(J)
    assert sympy.sympify(H.size).subs({m: 10**6}) < 10**8
    rng = np.random.default_rng(7)
    data = {"X": rng.normal(size=(3, 4)), "x": rng.normal(size=4)}
    values = [evaluate([formula], data, leaves=[X, x])[0] for formula in (J, H.dense())]
    assert np.isfinite(values[0]).all()
    np.testing.assert_allclose(values[1], values[0], rtol=1e-14)

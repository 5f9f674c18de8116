"""Cost reports: operations as polynomials in the extents, value by value, for a formula as it stands."""

from __future__ import annotations

import pytest
import sympy

import symnet as sn
from symnet.errors import ArgumentError
from symnet.expr.nodes.primitives import PRIMITIVES
from symnet.loops.weights import WEIGHTS, Operations
from symnet.lower.formula_operations import _BY_NAME

m, n = sn.dim("m"), sn.dim("n")
X, A = sn.tensor("X", m, n), sn.tensor("A", n, n)
v, w, y = sn.tensor("v", n), sn.tensor("w", n), sn.tensor("y", m)
t1 = sn.tensor("t1", n)


def test_operations_are_a_polynomial_in_the_extents():
    count = sn.flops(sn.grad(((X @ w - y) ** 2).sum() / 2, w))
    assert count == sympy.expand(4 * m * n + m)
    assert count.subs({m: 10, n: 3}) == 130


def test_a_form_is_counted_as_it_stands_in_the_cheapest_order():
    assert sn.flops(v + v) == sn.flops(2 * v) == n
    assert sn.flops(v + w + v + w) == 3 * n
    assert sn.flops((X.T @ X) @ v) == sn.flops(X.T @ (X @ v)) == 4 * m * n


def test_forms_can_be_compared():
    gathered, opened = (v + w) @ A, v @ A + w @ A
    assert sympy.expand(sn.flops(opened) - sn.flops(gathered)) == 2 * n**2


def test_what_several_forms_share_counts_once():
    h = sn.tanh(v)
    assert sn.flops(h * w, h * h) == 3 * n
    assert sn.flops(h * w) + sn.flops(h * h) == 4 * n
    assert sn.flops() == 0 and sn.flops(v) == 0


def test_the_report_has_a_line_for_every_value_that_is_computed():
    report = sn.cost(sn.logsumexp(X @ v) + sn.norm(v))
    assert [(s.name, s.formula, s.elements, s.operations) for s in report.steps] == [
        ("t1", "X @ v", m, 2 * m * n),
        ("t2", "logsumexp(t1)", 1, 4 * m + 2),
        ("t3", "v**2", n, n),
        ("t4", "sum(t3)", 1, n),
        ("t5", "sqrt(t4)", 1, 1),
        ("t6", "t2 + t5", 1, 1),
    ]
    assert sympy.expand(report.operations - sum(s.operations for s in report.steps)) == 0
    assert report.largest == m and report.transcendental == m + 1  # m exponentials and a logarithm


def test_names_given_by_the_user_stay_and_leaves_keep_theirs():
    report = sn.cost(sn.exp((A @ t1).named("h")) * t1)
    assert [(s.name, s.formula) for s in report.steps] == [("h", "A @ t1"), ("t2", "exp(h)"), ("t3", "t1*t2")]


def test_moves_cost_nothing_and_are_written_where_they_are_used():
    assert [s.formula for s in sn.cost(sn.exp(X.T[:2]) * 3).steps] == ["exp(X.T[:2])", "3*t1"]


def test_extents_can_be_numbers():
    report = sn.cost(sn.outer(y, v) @ w, at={"m": 100, "n": 30})
    assert (report.operations, report.largest) == (160, 1)  # y·(v @ w), not an outer product
    assert str(sn.cost(v, at={"n": 3})).endswith("0 operations; no intermediate value")


def test_an_extent_that_no_form_has_is_refused_by_name():
    with pytest.raises(ArgumentError, match=r"extents of the forms \(n\); got q\. Leave it out\."):
        sn.cost(v + w, at={"n": 3, "q": 4})
    with pytest.raises(ArgumentError, match=r"none: every extent is a number\); got n"):
        sn.cost(sn.tensor("z", 3) * 2, at={"n": 3})


def test_a_solve_eliminates_its_matrix_once():
    assert sn.flops(sn.solve(A, v), sn.solve(A, w)) == sympy.expand(sympy.Rational(2, 3) * n**3 + 4 * n**2)


def test_long_chains_are_counted_in_linear_time_and_without_recursion():
    x = v
    for _ in range(3000):
        x = sn.sin(x)
    assert sn.cost(x).operations == 3000 * n


def test_a_compiled_function_counts_what_it_computes():
    """Beside the sums of the formula those by blocks, which `tests/loops/test_operations.py` counts."""
    gradient = sn.grad(((X @ w - y) ** 2).sum() / 2, w)
    f = sn.compile(gradient)
    assert sn.flops(gradient) == 4 * m * n + m
    assert f.flops.coeff(m * n) == 4 and f.flops == f.operations.arithmetic and f.operations.transcendental == 0
    assert 1 < f.flops.subs({m: 5000, n: 300}) / sn.flops(f.formula).subs({m: 5000, n: 300}) < 1.03


def test_functions_stand_apart_from_arithmetic() -> None:
    h = sn.tanh(v) * sn.sigmoid(w)
    assert sn.operations(h) == sn.compile(h).operations == Operations(n, 2 * n)
    assert str(sn.cost(h)).endswith(
        "3*n operations, 2*n of them calls of functions; the largest intermediate value has n elements"
    )
    assert "calls" not in str(sn.cost(v + w)) and "2*n of them calls of functions" in sn.compile(h).report()


def test_every_primitive_has_a_count() -> None:
    assert PRIMITIVES.keys() <= WEIGHTS.keys() | _BY_NAME.keys()


def test_forms_may_stand_in_lists_and_dicts_and_share_their_parts() -> None:
    loss = sn.sum(sn.exp(X @ v) * y)
    grads = sn.grad(loss, [v, y])
    together = sn.flops(loss, *grads)
    assert sn.flops([loss, *grads]) == sn.flops({"loss": loss, "gradients": tuple(grads)}) == together
    assert sympy.expand(sn.flops(loss) + sum(map(sn.flops, grads)) - together) == 4 * m * n + 2 * m  # exp(X @ v)
    assert sn.cost([loss, *grads]).operations == together


@pytest.mark.parametrize(
    ("form", "count"),
    [
        (lambda: -v, Operations()),
        (lambda: v - w, Operations(n)),
        (lambda: v / w, Operations(n)),
        (lambda: 1 / (v * w), Operations(2 * n)),
        (lambda: v**3, Operations(2 * n)),
        (lambda: v**-1.5, Operations(3 * n)),
        (lambda: v**100, Operations(0, n)),
        (lambda: v**w, Operations(0, n)),
        (lambda: v**0.3, Operations(0, n)),
        (lambda: sn.abs(v), Operations()),
        (lambda: sn.where(v > 0, w, v), Operations(2 * n)),
        (lambda: sn.max(v), Operations(n)),
        (lambda: sn.argmax(v), Operations(n)),
        (lambda: sn.outer(v, w), Operations(n**2)),
        (lambda: sn.det(A), Operations(sympy.Rational(2, 3) * n**3 + n)),
        (lambda: sn.logdet(A), Operations(sympy.Rational(2, 3) * n**3 + n, n)),
        (lambda: sn.tensor("k", n, dtype="int64") * 3 + 1, Operations()),
    ],
    ids=range(17),
)
def test_operations_count_as_is_written_in_the_definition(form, count: Operations) -> None:
    assert sn.operations(form()) == count

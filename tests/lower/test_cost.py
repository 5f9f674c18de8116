"""Cost reports: operations as polynomials in the extents, value by value, for a formula as it stands."""

from __future__ import annotations

import pytest
import sympy

import symnet as sn
from symnet.errors import ArgumentError

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
        ("t2", "logsumexp(t1)", 1, 3 * m),
        ("t3", "v**2", n, n),
        ("t4", "sum(t3)", 1, n),
        ("t5", "sqrt(t4)", 1, 1),
        ("t6", "t2 + t5", 1, 1),
    ]
    assert sympy.expand(report.operations - sum(s.operations for s in report.steps)) == 0
    assert report.largest == m


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
    f = sn.compile(sn.grad(((X @ w - y) ** 2).sum() / 2, w))
    assert f.flops == sympy.expand(4 * m * n + m)

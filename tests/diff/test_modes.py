"""Reverse mode, forward mode and central differences agree on every differentiable case, to second order."""

import pytest

from symnet.diff import contraction, elementwise, linalg, reduction, tables
from symnet.expr.nodes.linalg import inv
from tests.cases import CASES, case_named
from tests.diff.checking import check

SMOOTH = [case for case in CASES if case.wrt]


@pytest.mark.parametrize("case", SMOOTH, ids=repr)
def test_both_modes_agree_with_central_differences(case, rng):
    check(case, rng)


WRONG = [
    ("tanh", elementwise.PARTIALS, "tanh", (lambda y, x: 1 - y,)),
    ("sigmoid", elementwise.PARTIALS, "sigmoid", (lambda y, x: y,)),
    ("power of two tensors", elementwise.PARTIALS, "pow", (elementwise.pow_by_base, lambda y, a, b: y)),
    ("sum and product of three", elementwise.VJP, "mul", lambda node, y_bar, support, k: y_bar),
    ("matrix product", tables.VJP, "einsum", lambda node, y_bar, k: contraction.einsum_vjp(node, y_bar * 2, k)),
    ("slice of a batch", tables.VJP, "slice", lambda node, y_bar, k: node.operands[0]),
    ("padding", tables.JVP, "place", lambda node, x_dots: node),
    ("logsumexp", reduction.PARTIALS, "logsumexp", lambda node: node.operands[0]),
    ("inverse", tables.VJP, "solve", lambda node, y_bar, k: linalg.solve_vjp(node, y_bar, k) * 2),
    ("solve with the transpose", tables.JVP, "solve", lambda node, x_dots: x_dots[1]),
    ("determinant", tables.VJP, "determinant", lambda node, y_bar, k: inv(node.operands[0])),
    ("product with a zero", reduction.PARTIALS, "prod", lambda node: node.operands[0]),
]


@pytest.mark.parametrize(("name", "table", "key", "rule"), WRONG, ids=[w[0] for w in WRONG])
def test_a_wrong_rule_put_in_a_table_is_caught(name, table, key, rule, rng, monkeypatch):
    monkeypatch.setitem(table, key, rule)
    with pytest.raises(AssertionError):
        check(case_named(name), rng)


def test_a_rule_for_the_wrong_operand_shape_is_caught(monkeypatch, rng):
    monkeypatch.setitem(tables.VJP, "reshape", lambda node, y_bar, k: y_bar)
    with pytest.raises(AssertionError):
        check(case_named("reshape"), rng)


def test_a_rule_wrong_at_second_order_only_is_caught(rng, monkeypatch):
    """The slope of the logarithm is 1/x: the rule of the power is used for the second derivative alone."""
    monkeypatch.setitem(elementwise.PARTIALS, "pow", (lambda y, a, b: y, elementwise.pow_by_exponent))
    with pytest.raises(AssertionError, match="log, second order"):
        check(case_named("log"), rng)

"""Every rewrite, on its own examples: it fires, keeps the values, and reads as its golden text says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from symnet.expr.nodes.elementwise import elementwise, exp, is_op, log
from symnet.simplify.algebra.table import ALGEBRA, TABLE, open_nested_sums_and_products, simplify
from symnet.simplify.engine import Table
from symnet.simplify.numeric.passes import PASSES, numeric
from tests.golden import check_golden
from tests.simplify.checking import disagreement, traced, wrong_steps
from tests.simplify.examples import EXAMPLES, NUMERIC, x

GOLDEN = Path(__file__).parent / "golden"
ALL_PASSES = [rewrite for table in PASSES for rewrite in table]


def test_every_rewrite_has_examples_and_a_meaning():
    assert set(EXAMPLES) == {r.name for r in ALGEBRA} | {open_nested_sums_and_products.__name__}
    assert set(NUMERIC) == {r.name for r in ALL_PASSES}
    for rewrite in (*ALGEBRA, *ALL_PASSES):
        assert "→" in rewrite.meaning, rewrite.name
        assert "Always" in rewrite.meaning or "Condition:" in rewrite.meaning, rewrite.name


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_algebra_rewrite_fires_and_no_step_changes_a_value(name):
    for node in EXAMPLES[name]:
        _, trace = traced(TABLE, node)
        assert name in {step.name for step in trace}, (node, trace)
        assert wrong_steps(trace) == []


@pytest.mark.parametrize("name", NUMERIC)
def test_a_numeric_rewrite_fires_and_no_step_changes_a_value(name):
    for node in NUMERIC[name]:
        (algebra,) = simplify([node])
        trace = []
        (result,) = numeric([algebra], trace)
        assert name in {step.name for step in trace}, (node, trace)
        assert wrong_steps(trace) == []
        assert disagreement(node, result, seed=3) == ""


def test_a_corrupted_rewrite_is_caught():
    def log_of_exponential(node):
        return elementwise("mul", -1, node.operands[0].operands[0]) if is_op(node.operands[0], "exp") else None

    broken = [replace(r, apply=log_of_exponential) if r.name == "log_of_exponential" else r for r in ALGEBRA]
    _, trace = traced(Table(broken), log(exp(x)))
    assert any(line.startswith("log_of_exponential: log(exp(x)) is") for line in wrong_steps(trace))


def test_a_rewrite_without_its_condition_is_caught():
    def drop_abs_of_nonnegative(node):
        return node.operands[0]

    broken = [replace(r, apply=drop_abs_of_nonnegative) if r.name == "drop_abs_of_nonnegative" else r for r in ALGEBRA]
    _, trace = traced(Table(broken), abs(x))
    assert any(line.startswith("drop_abs_of_nonnegative") for line in wrong_steps(trace))


def test_before_and_after_read_as_the_golden_text_says():
    lines = []
    for name, nodes in EXAMPLES.items():
        lines += [name, *(f"    {node}  →  {simplify([node])[0]}" for node in nodes)]
    check_golden(GOLDEN / "algebra.txt", "\n".join(lines) + "\n")


def test_the_numeric_forms_read_as_the_golden_text_says():
    lines = []
    for name, nodes in NUMERIC.items():
        lines += [name, *(f"    {node}  →  {numeric(simplify([node]))[0]}" for node in nodes)]
    check_golden(GOLDEN / "numeric.txt", "\n".join(lines) + "\n")

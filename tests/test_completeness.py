"""Every kind of node and every primitive stands in every table that must know of it, and has a case.

`docs/add-an-op.md` leans on this: a new operation makes these tests fail until the last table has it.
"""

import pytest

from symnet.compare.tape import elementwise as tape_elementwise
from symnet.compare.tape import program as tape_program
from symnet.diff import elementwise as diff_elementwise
from symnet.diff import tables as diff_tables
from symnet.expr.nodes.elementwise import Elementwise
from symnet.expr.nodes.graph import topological
from symnet.expr.nodes.primitives import PRIMITIVES
from symnet.expr.printing.layout import READERS
from symnet.lower import elementwise as lower_elementwise
from symnet.lower import point
from symnet.lower import program as lower_program
from symnet.reference import elementwise as reference_elementwise
from symnet.reference import evaluation
from symnet.simplify.algebra.elementwise import FUNCTIONS, repeat_after_computing
from tests.cases import CASES
from tests.kinds import KINDS

NODES = sorted({n for c in CASES for n in topological(*c.roots)}, key=lambda n: n.digest)
BY_ITS_BODY = {"function"}  # replaced by its body before these floors see it: expr/sympy/bodies.py
ARITHMETIC = {"add", "mul", "pow"}  # the algebra has files of its own for these: terms.py, factors.py

TABLES_OF_KINDS = {
    "expr/printing": set(READERS),
    "reference": {*evaluation.MEANING, "tensor"},
    "diff, VJP": set(diff_tables.VJP),
    "diff, JVP": set(diff_tables.JVP),
    "diff, BATCH": set(diff_tables.BATCH),
    "lower": {*point.INLINE, *lower_program._NESTS, "tensor", "array", "reshape"},
    "compare/tape": {*tape_program.OPERATIONS, *tape_program.CONSTANTS, "tensor"},
}
TABLES_OF_PRIMITIVES = {
    "reference": set(reference_elementwise.MEANING),
    "diff, reverse": {*diff_elementwise.PARTIALS, *diff_elementwise.VJP},
    "diff, forward": {*diff_elementwise.PARTIALS, *diff_elementwise.JVP},
    "simplify": ARITHMETIC.union(*(r.on for r in FUNCTIONS if r.apply is repeat_after_computing)),
    "lower": BY_ITS_BODY | set(lower_elementwise._EMIT),
    "compare/tape, forward": {*tape_elementwise.FORWARD, "indicator", *BY_ITS_BODY} & set(PRIMITIVES),
    "compare/tape, backward": {
        *tape_elementwise.PULLS,
        *tape_elementwise.FLAT,
        "add",
        "mul",
        "where",
        "indicator",
    }.union(BY_ITS_BODY)
    & set(PRIMITIVES),
}


@pytest.mark.parametrize("table", TABLES_OF_KINDS)
def test_every_kind_of_node_stands_in_the_table(table: str) -> None:
    assert TABLES_OF_KINDS[table] == KINDS


@pytest.mark.parametrize("table", TABLES_OF_PRIMITIVES)
def test_every_primitive_stands_in_the_table(table: str) -> None:
    assert TABLES_OF_PRIMITIVES[table] == set(PRIMITIVES)


def test_a_partial_stands_for_every_operand_of_a_primitive() -> None:
    counts = {name: len(entries) for name, entries in diff_elementwise.PARTIALS.items()}
    assert counts == {name: PRIMITIVES[name].arity for name in counts}


def test_every_kind_of_node_has_a_case() -> None:
    assert {n.kind for n in NODES} == KINDS


def test_every_primitive_has_a_case() -> None:
    assert {n.op for n in NODES if isinstance(n, Elementwise)} == set(PRIMITIVES)


def test_every_node_rebuilds_from_its_arguments() -> None:
    for node in NODES:
        assert node.func(*node.args) is node

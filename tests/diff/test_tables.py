"""The tables are complete, and a rule that is missing says what to do."""

import inspect

import pytest

from symnet.diff import elementwise, pullback, pushforward, reduction, tables
from symnet.diff.rules import LEAF, ZERO
from symnet.errors import MissingRuleError
from symnet.expr.nodes import constants, contraction, cumulative, indexing, movement, recurrence, symbols
from symnet.expr.nodes import elementwise as elementwise_nodes
from symnet.expr.nodes import linalg as linalg_nodes
from symnet.expr.nodes import reduction as reduction_nodes
from symnet.expr.nodes.constants import number
from symnet.expr.nodes.elementwise import Elementwise, sigmoid, tanh
from symnet.expr.nodes.graph import topological
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.primitives import PRIMITIVES
from symnet.expr.nodes.reduction import REDUCTIONS, Reduce
from symnet.expr.nodes.symbols import tensor
from symnet.reference.evaluation import MEANING
from tests.cases import CASES
from tests.kinds import NUMERIC, ON_PAPER

FILES = (
    constants,
    contraction,
    cumulative,
    elementwise_nodes,
    indexing,
    linalg_nodes,
    movement,
    recurrence,
    reduction_nodes,
    symbols,
)
KINDS = {
    thing.kind: thing
    for file in FILES
    for thing in vars(file).values()
    if inspect.isclass(thing) and issubclass(thing, Node) and thing is not Node
}
IN_CASES = {node for case in CASES for node in topological(*case.roots)}
x = tensor("x", 3)


def test_every_node_kind_is_defined_in_a_file_this_test_reads():
    ours = {cls.kind for cls in Node.__subclasses__() if cls.__module__.startswith("symnet")}
    assert ours == set(KINDS) | NUMERIC | ON_PAPER


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_node_kind_stands_in_every_table(kind):
    assert kind in tables.VJP and kind in tables.JVP and kind in tables.BATCH
    assert kind in MEANING or kind == "tensor"


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_node_kind_has_a_case(kind):
    assert any(node.kind == kind for node in IN_CASES)


def test_every_primitive_and_reduction_has_a_derivative_and_a_case():
    assert set(elementwise.PARTIALS) | set(elementwise.VJP) == set(PRIMITIVES)
    assert set(elementwise.PARTIALS) | set(elementwise.JVP) == set(PRIMITIVES)
    assert set(reduction.PARTIALS) == set(REDUCTIONS)
    assert {node.op for node in IN_CASES if isinstance(node, Elementwise)} == set(PRIMITIVES)
    assert {node.op for node in IN_CASES if isinstance(node, Reduce)} == set(REDUCTIONS)


def test_every_primitive_has_a_partial_for_each_operand():
    for name, partials in elementwise.PARTIALS.items():
        assert len(partials) == PRIMITIVES[name].arity, name


def test_every_node_of_the_cases_rebuilds_from_its_arguments():
    for node in IN_CASES:
        assert node.func(*node.args) is node


def test_a_missing_rule_names_the_node_the_table_and_the_file(monkeypatch):
    monkeypatch.delitem(elementwise.PARTIALS, "tanh")
    with pytest.raises(MissingRuleError, match=r"tanh \(Elementwise of shape \(3,\)\).*PARTIALS in symnet/diff/elem"):
        pullback(tanh(x).sum(), number(1), [x])
    monkeypatch.delitem(tables.JVP, "einsum")
    with pytest.raises(MissingRuleError, match=r"einsum \(Einsum of shape \(\)\).*JVP in symnet/diff/tables\.py"):
        pushforward([x.sum()], {x: x})


def test_a_rule_that_is_not_needed_may_be_missing(monkeypatch):
    y = tensor("y", 3)
    monkeypatch.delitem(elementwise.PARTIALS, "tanh")
    assert pullback((sigmoid(x) * tanh(y)).sum(), number(1), [x])[x] is not None


def test_zero_by_declaration_is_neither_present_nor_missing():
    assert tables.VJP["one_hot"] is ZERO and tables.VJP["tensor"] is LEAF
    assert pullback(elementwise_nodes.floor(x).sum(), number(1), [x]) == {x: None}
    assert pushforward([elementwise_nodes.sign(x)], {x: x}) == [None]

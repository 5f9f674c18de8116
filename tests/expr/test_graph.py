"""Walking graphs: every walk is linear in the number of nodes, and none recurses by depth."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sympy
from sympy.core.cache import clear_cache

from symnet.errors import ArgumentError, ShapeError
from symnet.expr.facts.assumptions import facts
from symnet.expr.nodes.constants import as_node, identity, number, size
from symnet.expr.nodes.elementwise import elementwise, exp, sigmoid, tanh
from symnet.expr.nodes.extents import dim
from symnet.expr.nodes.graph import (
    consumers,
    depends_on,
    flatten,
    rebuild,
    substitute,
    topological,
    unflatten,
    with_operands,
)
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import check_leaves, leaves, scalar, tensor
from symnet.expr.printing import latex, pretty, text
from tests.expr.examples import EXAMPLES, X, a, chain, doubled, m, n, v

b = scalar("b")
WALKS: dict[str, Callable[[Node], Any]] = {
    "topological": topological,
    "leaves": leaves,
    "check_leaves": lambda node: check_leaves("test", [node]),
    "rebuild": lambda node: rebuild([node], lambda each: each),
    "rebuild with a change": lambda node: rebuild([node], lambda each: b if each is a else each),
    "substitute": lambda node: substitute([node], {a: b}),
    "consumers": consumers,
    "depends_on": lambda node: depends_on([node], [a]),
    "xreplace": lambda node: node.xreplace({a: b}),
    "subs": lambda node: node.subs(sympy.Symbol("a"), 3),
    "free_symbols": lambda node: node.free_symbols,
    "has": lambda node: node.has(a),
    "flatten": lambda node: unflatten(flatten(node)),
    "facts": facts,
    "sort_key": lambda node: node.sort_key(),
    "text": text,
    "latex": latex,
    "pretty": pretty,
    "inside a container of SymPy": lambda node: sympy.Tuple(node, 1).xreplace({sympy.Integer(1): sympy.Integer(2)}),
}
LARGE: dict[str, Callable[[], Node]] = {
    "a chain of 10 000": lambda: chain(10_000),
    "y + y sixty times": lambda: doubled(60),
    "y + y a thousand times": lambda: doubled(1_000),
    "layers that share": lambda: chain(2_000, lambda y: sigmoid(y) * (1 - y)),
}


@pytest.mark.parametrize("build", LARGE.values(), ids=LARGE)
@pytest.mark.parametrize("walk", WALKS.values(), ids=WALKS)
def test_every_walk_takes_deep_and_shared_graphs(walk: Callable[[Node], Any], build: Callable[[], Node]):
    walk(build())


def test_operands_come_before_users_each_once_from_left_to_right():
    y = tanh(X @ v)
    order = topological(y * y + a, a)
    assert [repr(node) for node in order] == [
        "X",
        "v",
        "X @ v",
        "tanh(X @ v)",
        "tanh(X @ v)*tanh(X @ v)",
        "a",
        "tanh(X @ v)*tanh(X @ v) + a",
    ]
    assert order[-1] is y * y + a
    assert len(topological(doubled(60))) == 61


@pytest.mark.parametrize("node", EXAMPLES.values(), ids=EXAMPLES)
def test_a_node_is_rebuilt_over_its_own_operands(node: Node):
    assert with_operands(node, node.operands) is node
    assert rebuild([node], lambda each: each) == [node]
    assert unflatten(flatten(node)) is node


def test_rebuilding_sees_operands_that_are_already_changed():
    seen = []

    def change(node: Node) -> Node:
        seen.append(repr(node))
        return b if node is a else node

    assert rebuild([tanh(a) + v], change) == [tanh(b) + v]
    assert seen == ["a", "tanh(b)", "v", "v + tanh(b)"]


def test_a_replacement_is_not_searched_again():
    assert substitute([exp(a) + a], {a: a + 1}) == [exp(a + 1) + (a + 1)]
    assert (a * b).xreplace({a: b, b: a}) is b * a


def test_consumers_count_every_use():
    y = tanh(a)
    users = consumers(y * y + a)
    assert users[y] == [y * y, y * y]
    assert set(users[a]) == {y, y * y + a}
    assert users[y * y + a] == []


def test_what_depends_on_a_target_includes_the_target():
    y = tanh(a)
    root = y + exp(b)
    assert depends_on([root], [a]) == {a, y, root}
    assert depends_on([root], [y]) == {y, root}
    assert depends_on([root], [scalar("c")]) == set()


def test_free_symbols_are_leaves_dims_and_the_symbols_of_scalars():
    assert (X * a + size(n)).free_symbols == {X, a, m, n, sympy.Symbol("a")}
    assert tensor("P", m * n, 3).free_symbols == {tensor("P", m * n, 3), m, n}
    assert number(2).free_symbols == set()
    assert sympy.Tuple(X, 1).free_symbols == {X, m}


def test_has_finds_nodes_kinds_and_static_arguments():
    node = tanh(X @ v)
    assert node.has(v) and node.has(X, b) and node.has(type(v)) and not node.has(b)
    assert not node.has(type(identity(3)))


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({a: b}, tanh(X) * b + v),
        ({sympy.Symbol("a"): 2}, tanh(X) * 2 + v),
        ({"a": sympy.Symbol("b") + 1}, tanh(X) * as_node(sympy.Symbol("b") + 1) + v),
        ({sympy.Symbol("a", positive=True): 2}, tanh(X) * 2 + v),
        ({tanh(X): X}, X * a + v),
        ({v: tanh(v)}, tanh(X) * a + tanh(v)),
        ({m: 7}, tanh(tensor("X", 7, 4)) * a + v),
        ({m: n + 1}, tanh(tensor("X", n + 1, 4)) * a + v),
        ({sympy.Integer(4): 5, scalar("other"): 1}, tanh(X) * a + v),  # extents are not searched for numbers
    ],
)
def test_substitution_takes_nodes_symbols_names_and_dims(rule: dict[Any, Any], expected: Node):
    node = tanh(X) * a + v
    assert node.xreplace(rule) is expected
    assert node.subs(rule) is expected
    assert node.subs(list(rule.items())) is expected
    if len(rule) == 1:
        assert node.subs(*rule.items().__iter__().__next__()) is expected


def test_dims_are_replaced_wherever_a_shape_or_a_size_names_them():
    for node in EXAMPLES.values():
        new = node.xreplace({m: 5, n: 2})
        assert new.func(*new.args) is new
        assert not {m, n} & new.free_symbols
        assert all(isinstance(extent, int) for extent in new.shape)
    assert size(m * n + 1).xreplace({m: 5, n: 2}) is number(11)
    assert identity(m).xreplace({m: 5}) is identity(5)


def test_a_dim_is_replaced_by_an_extent_only():
    with pytest.raises(ShapeError, match=r"subs\(m, 2\.5\): expected an int or a dim for each extent; got 2\.5"):
        X.subs(m, 2.5)
    with pytest.raises(ShapeError, match=r"subs\(m, -1\): expected extents of at least 0; got -1"):
        X.subs(m, -1)


def test_substitution_checks_shapes_again():
    with pytest.raises(ShapeError, match=r"add: expected shapes that broadcast: .* where 4 meets 5"):
        (X + v).xreplace({v: tensor("w", 5)})


def test_a_replacement_must_be_an_expression():
    with pytest.raises(ArgumentError, match="expected an expression, a number, a SymPy scalar or an array; got list"):
        v.xreplace({v: [1, 2]})


def test_a_container_of_sympy_is_rewritten_around_a_node():
    assert sympy.Tuple(tanh(a), 1).xreplace({a: b}) == sympy.Tuple(tanh(b), 1)


def test_the_number_of_entries_of_a_flat_list_is_the_number_of_nodes():
    assert len(flatten(doubled(60))) == 61
    assert flatten(elementwise("add", a, a))[1][2:] == (0, 0)


def test_a_dim_outlives_the_caches_of_sympy():
    before = dim("m")
    clear_cache()
    assert dim("m") is before and dim("m") + 1 == before + 1


def test_two_dims_of_one_name_are_one():
    assert dim("m") is m

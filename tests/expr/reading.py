"""Reading printed formulas back: the names that their text uses, as symnet's functions."""

from __future__ import annotations

import ast
import re
from typing import Any

import numpy as np
import sympy

import symnet as sn
from symnet.expr.nodes.abstract import AbstractFunction, applications
from symnet.expr.nodes.constants import as_node
from symnet.expr.nodes.contraction import contract
from symnet.expr.nodes.elementwise import PUBLIC, elementwise
from symnet.expr.nodes.expansion import fill
from symnet.expr.nodes.extents import Dim, as_extent, ints_arg, shape_arg
from symnet.expr.nodes.graph import topological
from symnet.expr.nodes.indexing import labels_by_name
from symnet.expr.nodes.movement import Place
from symnet.expr.nodes.node import Node
from symnet.expr.printing.constants import named_constants
from symnet.expr.sympy.functions import function_of
from symnet.expr.sympy.scalars import caller

_PUBLIC = (
    " ".join(PUBLIC) + " sqrt sign floor_divide mod maximum minimum atan2 where xlogy equal not_equal relu einsum outer"
    " trace transpose sum mean max min prod argmax logsumexp softmax log_softmax det logdet inv solve norm cumsum"
    " cumprod linear_recurrence"
    " reshape concat stack pad broadcast_to eye arange one_hot abs"
)


class _Bracket:
    """`1[condition]`."""

    def __getitem__(self, condition: Node) -> Node:
        return sn.indicator(condition)


def _diag(x: Any) -> Node:
    x = as_node(x)
    return sn.einsum("ii->i", x) if x.rank == 2 else contract([[0], [0, 1]], [0, 1], x, sn.eye(x.shape[0]))


def _place(x: Any, shape: Any, starts: Any, steps: Any) -> Node:
    extents, first = (tuple(as_extent(n, "place") for n in each) for each in (shape, starts))
    return Place(x, shape_arg(extents), shape_arg(first), ints_arg(tuple(steps)))


NAMES: dict[str, Any] = {
    **{name: getattr(sn, name) for name in _PUBLIC.split()},
    "ones": lambda *shape: fill(1, shape),
    "zeros": lambda *shape: fill(0, shape),
    "diag": _diag,
    "place": _place,
    "bracket": _Bracket(),
    "constant": as_node,
    "array": lambda values, dtype=None: sn.constant(np.array(values), dtype),
    "logical_and": lambda a, b: elementwise("and", a, b),
    "logical_or": lambda a, b: elementwise("or", a, b),
    "logical_not": lambda a: elementwise("not", a),
    "pi": sympy.pi,
    "E": sympy.E,
    "inf": float("inf"),
    "nan": float("nan"),
}


def names_of(node: Node) -> dict[str, Any]:
    """What the names in a node's text stand for: leaves, named values, dims; labels by the name of their leaf."""
    found: dict[str, Any] = {s.name: s for s in node.free_symbols if isinstance(s, Dim)}
    order = topological(node)
    found |= {each.name: each for each in order if each.kind in ("tensor", "named")}  # type: ignore[attr-defined]
    found |= {f.title: caller(f) for each in order if (f := function_of(each)) is not None}
    found |= {
        f.name: AbstractFunction(f.name, None if f.is_elementwise else f.value_shape) for f in applications([node])
    }
    found |= {name: each for each, name in named_constants(order).items()}
    return found | {each.operands[0].name: each for each in labels_by_name(order)}  # type: ignore[attr-defined]


def read_back(text: str, names: dict[str, Any]) -> Node:
    """The node that a printed formula says, its `where` definitions first."""
    scope = {**NAMES, **names}
    text = text.partition("  # ")[0]
    body, *definitions = re.split(r"\nwhere\n    |\n    | where |, (?=t\d+ = )", text)
    for line in definitions:
        name, _, value = line.partition(" = ")
        scope[name] = _read(value, scope)
    return as_node(_read(body, scope))


class _Lift(ast.NodeTransformer):
    """Numbers in arithmetic become expressions, so that Python computes nothing itself; sizes and axes stay."""

    def _leave(self, node: Any) -> Any:
        return node

    def visit_List(self, node: ast.List) -> ast.AST:
        """A list that stands for an array: the entries of a vector, or the rows of a matrix."""
        entries = ast.List([self.visit(each) for each in node.elts], ast.Load())
        return ast.Call(ast.Name("stack", ast.Load()), [entries], [])

    visit_Tuple = visit_keyword = visit_Slice = _leave

    def visit_Call(self, node: ast.Call) -> ast.AST:
        sizes = isinstance(node.func, ast.Name) and node.func.id in (
            "ones",
            "zeros",
            "eye",
            "arange",
            "one_hot",
            "array",
        )
        if isinstance(node.func, ast.Name) and node.func.id in ("concat", "stack"):  # their list is one of arrays
            listed = node.args[0]
            assert isinstance(listed, ast.List)
            listed.elts = [self.visit(each) for each in listed.elts]
            return node
        return node if sizes else self.generic_visit(node)

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        node.value = self.visit(node.value)
        if isinstance(node.value, ast.Name) and node.value.id == "bracket":
            node.slice = self.visit(node.slice)
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        number = isinstance(node.value, (int, float)) and not isinstance(node.value, bool)
        return ast.Call(ast.Name("constant", ast.Load()), [node], []) if number else node


def _read(text: str, scope: dict[str, Any]) -> Any:
    tree = _Lift().visit(ast.parse(re.sub(r"(?<![\w.])1\[", "bracket[", text), mode="eval"))
    return eval(compile(ast.fix_missing_locations(tree), "formula", "eval"), {"__builtins__": {}}, scope)

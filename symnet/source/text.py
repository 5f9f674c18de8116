"""Pieces of source text, and what the writers ask about nodes.

In: nodes.  Out: `SourcePiece`, and facts: which values Python computes, which may stay small because others broadcast.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import sympy

from symnet import dtypes
from symnet.expr.nodes.extents import Dim, same_shape
from symnet.expr.nodes.graph import topological
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import Tensor

LONGEST = 90  # characters of a formula in a docstring
RELATION, SUM, PRODUCT, POWER, ATOM = range(1, 6)


class SourcePiece(NamedTuple):
    """A piece of source and how tightly it binds; `-x` binds like a sum."""

    text: str
    level: int = ATOM
    minus: bool = False  # the sign of a whole product, which a sum may take over

    def within(self, level: int) -> str:
        return self.text if self.level >= level else f"({self.text})"


def is_full(operand: Node, user: Node) -> bool:
    """Whether an operand has the whole shape by itself, so that others may broadcast against it."""
    return operand.kind != "expand" and same_shape(operand.shape, user.shape)


def may_stay_small(order: Sequence[Node], roots: Sequence[Node]) -> set[Node]:
    """Elementwise nodes of repeated values only, which may stay small: every user has an operand of full shape."""
    repeated: set[Node] = set()
    users: dict[Node, list[Node]] = {}
    for node in order:
        for operand in node.operands:
            users.setdefault(operand, []).append(node)
        if node.kind == "elementwise" and all(o.kind == "expand" or not o.rank or o in repeated for o in node.operands):
            repeated.add(node)
    small: set[Node] = set()
    for node in reversed(order):
        inside = node in repeated and node.rank and node not in roots and node in users
        if inside and all(_spreads(user, small, repeated) for user in users[node]):
            small.add(node)
    return small


def _spreads(user: Node, small: set[Node], repeated: set[Node]) -> bool:
    full = any(o not in repeated and is_full(o, user) for o in user.operands)
    return user.kind == "elementwise" and (user in small or full)


def is_python(node: Node) -> bool:
    """Whether a node is a number that Python computes: made of constants and extents."""
    if node.rank or node.dtype is not None:
        return False
    return all(n.kind in ("number", "size", "elementwise", "named") for n in topological(node))


def extents_named(node: Node) -> list[Any]:
    """The extents that a node's text names."""
    shapes = node.kind in ("expand", "reshape", "place", "delta", "iota", "one_hot", "slice")
    shapes = shapes or (node.kind in ("cumprod", "linear_recurrence") and node.exclusive)
    starts = list(node.starts) if node.kind in ("slice", "place") else []
    return [*(node.shape if shapes else ()), *starts, *([node.args[0]] if node.kind == "size" else [])]


def is_linear_in(extent: Any, dim: Dim) -> bool:
    """Whether an extent is a·dim + b with whole numbers a and b."""
    expr = sympy.sympify(extent)
    return bool(expr.free_symbols == {dim} and sympy.diff(expr, dim).is_Integer)


def about(written: Sequence[Node], outputs: Sequence[str], leaves: Sequence[Tensor]) -> list[str]:
    """The lines of a docstring: what each output is, where that is short, and the shapes of the arguments."""
    formulas = [f"{name} = {root}" for name, root in zip(outputs, written, strict=True)]
    short = [f for f in formulas if len(f) <= LONGEST and "\n" not in f]
    arguments = [f"{leaf.name}: {leaf.shape if leaf.rank else 'a scalar'}{_dtype(leaf)}" for leaf in leaves]
    blank = [""] if short and arguments else []
    if not formulas or not (short or arguments):
        return []
    return [f'"""{", ".join(outputs)}.', "", *short, *blank, *arguments, '"""']


def _dtype(leaf: Tensor) -> str:
    return f" {leaf.dtype}" if leaf.dtype not in dtypes.REAL else ""


def arranged(template: Any, results: Sequence[str]) -> str:
    if isinstance(template, int):
        return results[template]
    if isinstance(template, dict):
        return "{" + ", ".join(f"{key!r}: {arranged(v, results)}" for key, v in template.items()) + "}"
    inner = ", ".join(arranged(v, results) for v in template)
    if isinstance(template, list):
        return f"[{inner}]"
    return f"({inner},)" if len(template) == 1 else inner if "," in inner else f"({inner})"

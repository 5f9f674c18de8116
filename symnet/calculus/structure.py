"""What a derivative is taken by: a node, a list of nodes, or a dict of them; the answer has the same structure.

In: `w` as the user gave it.  Out: the nodes in order, and a function that puts results back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from symnet.errors import ArgumentError, explain
from symnet.expr.nodes.constants import as_node, is_scalar
from symnet.expr.nodes.node import Node

Restore = Callable[[Sequence[Any]], Any]
Structure = Node | Sequence[Node] | Mapping[Any, Node]


def flatten(call: str, given: Any) -> tuple[list[Node], Restore]:
    """The nodes, and how results for them are put together.

    Raises:
        ArgumentError: for anything but nodes (or SymPy symbols), alone or in a list, tuple or dict.
    """
    values, restore = _open(given)
    return [_variable(call, value) for value in values], restore


def flatten_values(given: Any) -> tuple[list[Node], Restore]:
    """As `flatten`, for expressions that are not variables: numbers are welcome."""
    values, restore = _open(given)
    return [as_node(value) for value in values], restore


def _open(given: Any) -> tuple[list[Any], Restore]:
    if isinstance(given, Mapping):
        keys = list(given)
        return list(given.values()), lambda results: dict(zip(keys, results, strict=True))
    if isinstance(given, (list, tuple)):
        return list(given), list
    return [given], lambda results: results[0]


def _variable(call: str, value: Any) -> Node:
    node = as_node(value) if isinstance(value, Node) or is_scalar(value) else None
    if node is None or node.kind in ("number", "size", "array"):
        raise ArgumentError(
            explain(
                call,
                "a node to differentiate by, or a list or dict of nodes",
                f"{value!r}",
                'Give a tensor, such as sn.tensor("w", 3), or an intermediate value.',
            )
        )
    return node

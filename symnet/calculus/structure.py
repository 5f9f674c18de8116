"""What a derivative is taken by: a node, a list of nodes, or a dict of them; the answer has the same structure.

In: `w` as the user gave it.  Out: the nodes in order, and a function that puts results back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from symnet.errors import ArgumentError, explain
from symnet.expr.constants import as_node, is_scalar
from symnet.expr.node import Node

Structure = Node | Sequence[Node] | Mapping[Any, Node]


def flatten(call: str, given: Any) -> tuple[list[Node], Callable[[Sequence[Any]], Any]]:
    """The nodes, and how results for them are put together.

    Raises:
        ArgumentError: for anything but nodes (or SymPy symbols), alone or in a list, tuple or dict.
    """
    if isinstance(given, Mapping):
        keys = list(given)
        return [_node(call, given[k]) for k in keys], lambda results: dict(zip(keys, results, strict=True))
    if isinstance(given, (list, tuple)):
        return [_node(call, x) for x in given], list
    return [_node(call, given)], lambda results: results[0]


def _node(call: str, value: Any) -> Node:
    node = as_node(value) if isinstance(value, Node) or is_scalar(value) else None
    if node is None or node.kind in ("number", "size"):
        raise ArgumentError(
            explain(
                call,
                "a node to differentiate by, or a list or dict of nodes",
                f"{value!r}",
                'Give a tensor, such as sn.tensor("w", 3), or an intermediate value.',
            )
        )
    return node

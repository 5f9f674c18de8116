"""A graph as Python text that builds it again: one line for each node, and its data.

In: roots, data, extents.  Out: source that defines `roots`, `data` and `dims` when it is run.
It is written from the nodes' own arguments, so that it needs to know no kind of node by name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import sympy

from symnet.expr.nodes.graph import topological
from symnet.expr.nodes.node import Node


def source(roots: Sequence[Node], data: Mapping[str, np.ndarray], dims: Mapping[str, int]) -> str:
    """Text whose execution gives the same nodes and arrays; a formula stands beside each node."""
    order = topological(*roots)
    names = {node: f"n{k}" for k, node in enumerate(order)}
    kinds = {type(part) for node in order for arg in (node, *node.args) for part in _parts(arg)}
    homes = sorted({(kind.__module__, kind.__name__) for kind in kinds if kind.__module__.startswith("symnet.")})
    return "\n".join(
        [
            "import numpy as np",
            "from sympy import *",
            "from sympy.core.symbol import Str",
            *(f"from {module} import {name}" for module, name in homes),
            "",
            *(_line(node, names) for node in order),
            "",
            f"roots = [{', '.join(names[root] for root in roots)}]",
            *_data_lines(data),
            f"dims = {dict(dims)!r}",
        ]
    )


def _parts(arg: sympy.Basic) -> Iterator[sympy.Basic]:
    """An argument and what stands in it: nodes within nodes have lines of their own."""
    return iter([arg]) if isinstance(arg, Node) else sympy.preorder_traversal(arg)


def _line(node: Node, names: Mapping[Node, str]) -> str:
    args = ", ".join(names[arg] if isinstance(arg, Node) else sympy.srepr(arg) for arg in node.args)
    formula = str(node)
    comment = formula if len(formula) < 100 else f"{formula[:96]} …"
    return f"{names[node]} = {type(node).__name__}({args})  # {node.shape} {comment}"


def _data_lines(data: Mapping[str, Any]) -> list[str]:
    arrays = {name: np.asarray(value) for name, value in data.items()}
    entries = [
        f"    {name!r}: np.array({a.tolist()!r}, {a.dtype.name!r}).reshape({a.shape}),"
        for name, a in sorted(arrays.items())
    ]
    return ["data = {", *entries, "}"]


def rebuilt(text: str) -> dict[str, Any]:
    """What a reproduction defines: `roots`, `data`, `dims`."""
    namespace: dict[str, Any] = {}
    exec(text, namespace)
    return namespace

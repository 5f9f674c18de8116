"""The kinds of node there are: what tables and generators must cover."""

from __future__ import annotations

from collections.abc import Iterable

import symnet.stages  # noqa: F401  every module that defines a kind of node is imported
from symnet.expr.nodes.node import Node


def concrete(kind: type[Node]) -> Iterable[type[Node]]:
    """The kinds of node that the floor `expr` defines."""
    for child in kind.__subclasses__():
        if child.__module__.startswith("symnet.expr."):
            yield child
        yield from concrete(child)


NUMERIC = {"running_logsumexp", "scaled_sum"}  # made after all derivatives are taken: expr/nodes/running.py
ON_PAPER = {"abstract"}  # differentiated and printed, refused wherever there must be a value: expr/nodes/abstract.py
KINDS = {cls.kind for cls in concrete(Node)} - NUMERIC - ON_PAPER

"""Rewriting comes to rest: whether two rewrites of the algebra form undo each other.

In: nothing.  Out: contexts in which a node that is rewritten again and again is an error, or is counted.  Outside of
tests such a node is left as it stands: its value is right, its form is not normal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from symnet.expr.nodes.node import Node
from symnet.simplify.algebra.table import TABLE
from symnet.simplify.engine import Normalizer

SETTLE = Normalizer._settle


@contextmanager
def algebra_comes_to_rest() -> Iterator[None]:
    """An AssertionError names the node where it does not."""

    def refuse(node: Node) -> None:
        raise AssertionError(f"rewrites undo each other at {node}")

    with _met(refuse):
        yield


@contextmanager
def counting_unrest() -> Iterator[list[Node]]:
    """The nodes where it does not."""
    found: list[Node] = []
    with _met(found.append):
        yield found


@contextmanager
def _met(say: Callable[[Node], None]) -> Iterator[None]:
    def settle(self: Normalizer, node: Node) -> None:
        if self.table is TABLE:
            say(node)
        SETTLE(self, node)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Normalizer, "_settle", settle)
        yield

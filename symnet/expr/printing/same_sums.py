"""Sums that keep their signs on a page, because they stand there with these already.

In: the formulas that a page shows first.  Out: `with keeping(formulas):`, in which x - m is never written as m - x
because a minus sign before it would go.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from symnet.expr.nodes.elementwise import is_op
from symnet.expr.nodes.graph import topological
from symnet.expr.nodes.node import Node

_KEPT: ContextVar[frozenset[frozenset[Node]]] = ContextVar("sums that keep their signs", default=frozenset())


@contextmanager
def keeping(formulas: Iterable[Node]) -> Iterator[None]:
    """While formulas are written that stand beside these."""
    sums = (node for node in topological(*formulas) if is_op(node, "add"))
    token = _KEPT.set(frozenset(frozenset(node.operands) for node in sums))
    try:
        yield
    finally:
        _KEPT.reset(token)


def is_kept(node: Node) -> bool:
    """Whether a sum stands on the page as it is."""
    kept = _KEPT.get()
    return bool(kept) and frozenset(node.operands) in kept

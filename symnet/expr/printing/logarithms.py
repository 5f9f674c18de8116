"""x log y for what is computed as xlogy(x, y): 0 where x is 0, and nothing else.

In: a root.  Out: a graph in which products of logarithms are written out, as mathematics has no other word for them.
Not for text that is read back as an expression, which would no longer be defined where x and y are 0: on paper, and
`for_reading()`, as in derivations on a terminal.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from symnet.expr.nodes.elementwise import elementwise, is_op
from symnet.expr.nodes.graph import rebuild
from symnet.expr.nodes.node import Node
from symnet.expr.printing.view import visible

_READ: ContextVar[bool] = ContextVar("text that is not read back as an expression", default=False)


@contextmanager
def for_reading() -> Iterator[None]:
    """While text is written for people only."""
    token = _READ.set(True)
    try:
        yield
    finally:
        _READ.reset(token)


def logarithms(root: Node, paper: bool) -> Node:
    """The root with x*log(y) for xlogy(x, y), where it is for people only."""
    if not (paper or _READ.get()) or not any(is_op(node, "xlogy") for node in visible(root)):
        return root
    (result,) = rebuild([root], _written_out)
    return result


def _written_out(node: Node) -> Node:
    if not is_op(node, "xlogy"):
        return node
    x, y = node.operands
    return elementwise("mul", x, elementwise("log", y))

"""What computing a node takes: a loop of its own, a sum by index, or nothing, where it only re-indexes.

In: a node of the numeric form.  Out: the answer, which arrangement and storage ask for alike.
"""

from __future__ import annotations

from symnet.expr.nodes.contraction import Einsum
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import TRANSPARENT

MOVED = TRANSPARENT | {"expand", "slice"}
FEWEST_CLASSES = 16  # of single numbers: fewer are counted in the lanes of a register


def is_reduction(node: Node) -> bool:
    """Whether computing one element takes a loop."""
    return node.kind == "reduce" or (isinstance(node, Einsum) and bool(node.contracted))


def is_moved(node: Node) -> bool:
    """Whether a node only re-indexes its operand."""
    return node.kind in MOVED or (isinstance(node, Einsum) and not node.contracted and len(node.operands) == 1)


def source(node: Node) -> Node:
    """The array that a chain of re-indexings reads."""
    while is_moved(node):
        node = node.operands[0]
    return node


def scattered(node: Node) -> int | None:
    """The place of the one-hot rows by which a contraction is computed as a sum by index, None where it is not."""
    place = node.by_index if isinstance(node, Einsum) else None
    if place is None:
        return None
    classes = node.operands[place].shape[-1]
    return None if node.rank == 1 and isinstance(classes, int) and classes < FEWEST_CLASSES else place

"""What computing a node takes: a loop of its own, a sum by index, or nothing, where it only re-indexes.

In: a node of the numeric form.  Out: the answer, which arrangement and storage ask for alike.
"""

from __future__ import annotations

from symnet.expr.nodes.contraction import Einsum
from symnet.expr.nodes.extents import product
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import TRANSPARENT

MOVED = TRANSPARENT | {"expand", "slice"}
FEWEST_CLASSES = 16  # of single numbers: fewer are counted in the lanes of a register
MOST_PAIRS = 64  # of a row and a class: so many are compared, rather than elements sent to their rows


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
    """The place of the one-hot rows by which a contraction is computed as a sum by index, None where it is not.

    Of few rows and classes, behind another axis, each element is a sum over the rows of those that are its: so it is
    computed beside the rest of its row of that axis, and the elements of a row of the sum would stand apart.
    """
    place = node.by_index if isinstance(node, Einsum) else None
    if place is None:
        return None
    assert isinstance(node, Einsum)
    rows, classes = node.operands[place].shape, node.inputs[place][-1]
    if node.rank == 1:
        return None if isinstance(rows[-1], int) and rows[-1] < FEWEST_CLASSES else place
    pairs = product(rows)
    return None if node.output[0] != classes and isinstance(pairs, int) and pairs <= MOST_PAIRS else place

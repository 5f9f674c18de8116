"""Which cotangents and tangents a derivative keeps as values of their own.

In: roots and the variables.  Out: the nodes whose cotangent (tangent) is sealed (`expr/nodes/symbols.py`).

The algebra form opens products and sums into what uses them.  A cotangent that is used twice is then computed twice,
and what reverse mode shares is pulled apart: the work of a derivative grows with the square of the depth.  So the
cotangent of a node that passes it on to several operands is kept, and so is the tangent of a node that several others
use, where `far` such nodes or more lie between it and the root: the last of them, and with them losses and the formulas
of textbooks, are opened as ever.  0 keeps all of them, None keeps none.
What belongs to a function stays open up to the next such value, for that is where terms cancel: the argument of a
logarithm, the sum of squares under a root.  Without such a value in between, one is kept after a few nodes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from symnet.expr.nodes.constants import number_of
from symnet.expr.nodes.elementwise import Elementwise, is_op
from symnet.expr.nodes.graph import consumers, depends_on, topological
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import Sealed

DEEP = 6  # a graph with fewer such values in a row is opened as a whole
FAR = 8  # values, counted from the root, that are opened where people read
NEAR = 4  # the same where that takes too many operations
LONG, LONGEST = 3, 6  # nodes in a row without one, after which an argument of a function is kept, and anything


def depth(roots: Sequence[Node], targets: Iterable[Node]) -> int:
    """The most values in a row whose cotangent is used several times, parts of a function's argument and functions of
    functions among them.
    """
    active = depends_on(roots, targets)
    return max(_behind(roots, active, _cotangent_uses, _makes_deep).values(), default=0)


def kept_cotangents(root: Node, targets: Iterable[Node], far: int | None) -> set[Node]:
    """The nodes whose cotangent is used several times, with `far` or more of them between each and the root; of None
    there are none.
    """
    if far is None:
        return set()
    active = depends_on([root], targets)
    return {node for node, above in _behind([root], active, _cotangent_uses, _is_kept).items() if above > far}


def kept_tangents(roots: Sequence[Node], targets: Iterable[Node], far: int | None) -> set[Node]:
    """The nodes whose tangent is used several times, with `far` or more of them between each and the roots."""
    if far is None:
        return set()
    active = depends_on(roots, targets)
    found = _behind(roots, active, lambda node, users, _: len(users), _is_kept)
    return {node for node, above in found.items() if above > far}


def _cotangent_uses(node: Node, users: list[Node], active: set[Node]) -> int:
    return sum(operand in active for operand in node.operands)


def _behind(
    roots: Sequence[Node],
    active: set[Node],
    uses: Callable[[Node, list[Node], set[Node]], int],
    counts: Callable[[Node, list[Node], int, int], bool],
) -> dict[Node, int]:
    """Values of a sort, each with their greatest number on a way to it from a root, itself included.

    counts: whether a node with these users, used so many times, after so many nodes without one, is one of them.
    """
    users = consumers(*roots)
    behind: dict[Node, int] = {}
    run: dict[Node, int] = {}  # the most nodes in a row without one
    found: dict[Node, int] = {}
    for node in reversed(topological(*roots)):
        if node not in active or not node.operands:
            continue
        above, length = behind.get(node, 0), run.get(node, 0)
        if node.kind == Sealed.kind:
            length = 0
        elif users[node] and counts(node, users[node], uses(node, users[node], active), length):
            above, length = above + 1, 0
            found[node] = above
        for operand in node.operands:
            behind[operand] = max(behind.get(operand, 0), above)
            run[operand] = max(run.get(operand, 0), length + 1)
    return found


def _is_kept(node: Node, users: list[Node], uses: int, length: int) -> bool:
    """Whether a value is used several times and no part of a function's argument, or comes after a long row."""
    if length >= LONGEST:
        return True
    return uses > 1 and not _is_function(node) and (length >= LONG or not all(map(_is_function, users)))


def _makes_deep(node: Node, users: list[Node], uses: int, length: int) -> bool:
    return all(map(_is_function, users)) if _is_function(node) else uses > 1


def _is_function(node: Node) -> bool:
    """Whether a node is a function of one value: a power by a number is one."""
    if is_op(node, "pow"):
        return number_of(node.operands[1]) is not None
    return isinstance(node, Elementwise) and len(node.operands) == 1

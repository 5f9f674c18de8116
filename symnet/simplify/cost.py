"""What a graph costs after sharing.

In: roots.  Out: `operation_count`, an exact polynomial in the extents; `operations`, the same node by node; and
`saves`, which guards rewrites by the count per element.

A contraction of k operands counts k per element of its whole index space (k - 1 products and one sum; where nothing is
summed the products alone), a sum by index k - 1 per element that it adds; an elementwise operation of k operands counts
k - 1 per element of its result, at least 1, whatever function it is;
multiplication by -1 inside a sum is a subtraction and counts nothing, a reciprocal inside a product is a division and
counts nothing; reductions count one per element of their operand, log-sum-exp three.
Solving counts 2 n² for every right-hand side, and each matrix that is eliminated 2/3 n³, once.
Movement, leaves and constants count nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import sympy
from sympy import Expr

from symnet.expr.nodes.constants import number_of
from symnet.expr.nodes.contraction import Einsum
from symnet.expr.nodes.elementwise import is_op
from symnet.expr.nodes.extents import product, typical
from symnet.expr.nodes.graph import topological
from symnet.expr.nodes.node import Node, Shape
from symnet.expr.nodes.reduction import Reduce

_ARITHMETIC = frozenset({"add", "mul", "pow", "expand"})
_LEVELS = 6
_PER_ELEMENT = {
    "solve": 2,
    "cumsum": 1,
    "cumprod": 1,
    "linear_recurrence": 2,
    "running_logsumexp": 3,
    "scaled_sum": 4,
}


def operation_count(roots: Iterable[Node]) -> Expr:
    """Arithmetic operations of the roots together, each distinct node once: a polynomial in the extents."""
    return sympy.expand(sympy.Add(*operations(roots).values()))


def typical_operations(roots: Iterable[Node]) -> int:
    """`operation_count` as a number, every symbolic extent taken as typical."""
    nodes = topological(*roots)
    free = _folded(nodes)
    total = sum(_count(node, free) * math.prod(map(typical, space(node))) for node in nodes)
    matrices = {node.operands[0] for node in nodes if node.kind in ("solve", "determinant")}
    return total + sum(2 * math.prod(map(typical, (*m.shape, m.shape[-1]))) // 3 for m in matrices)


def operations(roots: Iterable[Node]) -> dict[Node, Expr]:
    """The operations of each distinct node that has any, operands first; a matrix is eliminated for its first user."""
    nodes = topological(*roots)
    free = _folded(nodes)
    found: dict[Node, Expr] = {}
    eliminated: set[Node] = set()
    for node in nodes:
        count = sympy.expand(_count(node, free) * sympy.sympify(product(space(node))))
        if node.kind in ("solve", "determinant") and node.operands[0] not in eliminated:
            eliminated.add(node.operands[0])
            count += elimination(node.operands[0])
        if count != 0:
            found[node] = count
    return found


def elimination(matrix: Node) -> Expr:
    """2/3 n³ for a matrix of n rows, and so for each of a stack."""
    return sympy.Rational(2, 3) * sympy.sympify(product((*matrix.shape, matrix.shape[-1])))


def saves(new: Node, old: Node) -> bool:
    """Whether `new` has fewer operations per element than `old`, near the top, where a rewrite changes them.

    Parts that both have do not count: they are computed anyway.
    """
    ours, theirs = _region(new), _region(old)
    return _per_element(ours, ours - theirs) < _per_element(theirs, theirs - ours)


def _per_element(region: set[Node], counted: set[Node]) -> int:
    free = _folded(list(region))
    return sum(_count(node, free) for node in counted)


def _region(root: Node) -> set[Node]:
    """The arithmetic at the top of a graph, a few levels deep."""
    region, level = {root}, [root]
    for _ in range(_LEVELS):
        level = [o for n in level if topic_of(n) in _ARITHMETIC for o in n.operands if o not in region]
        region.update(level)
    return region


def topic_of(node: Node) -> str:
    return str(node.args[0]) if node.kind == "elementwise" else node.kind


def space(node: Node) -> Shape:
    """The extents of what a node's operation runs over."""
    if isinstance(node, Einsum):
        classes = None if node.by_index is None else node.inputs[node.by_index][-1]
        return tuple(extent for index, extent in node.extents.items() if index != classes)
    if isinstance(node, Reduce):
        return node.operands[0].shape
    if node.kind == "solve":
        return (*node.shape, node.operands[0].shape[-1])
    return node.shape


def _folded(nodes: list[Node]) -> set[Node]:
    """Negations that only sums take, and reciprocals that only products take: they make a subtraction, a division."""
    users: dict[Node, set[str]] = {}
    for node in nodes:
        role = topic_of(node)
        for operand in node.operands:
            users.setdefault(operand, set()).add(role)
    return {
        n
        for n, roles in users.items()
        if (roles == {"add"} and _is_negation(n)) or (roles == {"mul"} and is_reciprocal(n))
    }


def _is_negation(node: Node) -> bool:
    return is_op(node, "mul") and number_of(node.operands[0]) == -1


def is_reciprocal(node: Node) -> bool:
    return is_op(node, "pow") and number_of(node.operands[1]) == -1


def _count(node: Node, free: set[Node]) -> int:
    if node.kind == "elementwise":
        many = max(len(node.operands) - 1, 1)
        return many - 1 if node in free else many
    if isinstance(node, Einsum):
        return len(node.operands) - (not node.contracted) - (node.by_index is not None and len(node.operands) > 1)
    if isinstance(node, Reduce):
        return 3 if node.op == "logsumexp" else 1
    return _PER_ELEMENT.get(node.kind, 0)

"""Vectors of weights between matrices, on paper: `w*(B - sum(B*w, axis=1))` is B (diag(w) - w wᵀ).

In: a root.  Out: a graph of the same value, in which rows (or columns) that are taken about their weighted mean and
weighted are a product of matrices, as the Hessian of log-sum-exp of an affine map is printed: Aᵀ(diag(s) - s sᵀ)A.
Only for printing: the product takes more operations, and may cancel.
"""

from __future__ import annotations

from collections import Counter

from symnet.expr.nodes.constants import identity, number_of
from symnet.expr.nodes.contraction import Einsum, contract
from symnet.expr.nodes.elementwise import elementwise, is_op, operands_of
from symnet.expr.nodes.expansion import Expand
from symnet.expr.nodes.graph import rebuild
from symnet.expr.nodes.node import Node
from symnet.expr.printing.view import visible


def covariances(root: Node) -> Node:
    """The root with weighted rows and columns about their weighted mean as products with diag(w) - w wᵀ."""
    if not any(map(_may_be, visible(root))):
        return root
    (result,) = rebuild([root], lambda node: _as_product(node) if _may_be(node) else node)
    return result


def _may_be(node: Node) -> bool:
    return node.rank == 2 and is_op(node, "mul") and any(is_op(f, "add") for f in node.operands)


def _as_product(node: Node) -> Node:
    """The product of matrices that a weighted difference is; any other node itself."""
    for difference in (f for f in node.operands if is_op(f, "add") and len(f.operands) == 2):
        weights = list(node.operands)
        weights.remove(difference)
        for axis in (0, 1):
            vectors = [v for w in weights if (v := _vector(w, axis)) is not None]
            matrix = _about_its_mean(difference, vectors, axis) if len(vectors) == len(weights) else None
            if matrix is not None:
                return _product(matrix, vectors, axis)
    return node


def _vector(factor: Node, axis: int) -> Node | None:
    """The vector that is repeated in a factor of a matrix and lies along an axis of it."""
    if isinstance(factor, Expand):
        return factor.operands[0] if factor.axes == (axis,) else None
    return factor if factor.rank == 1 and axis == 1 else None


def _about_its_mean(difference: Node, vectors: list[Node], axis: int) -> Node | None:
    """B where a difference is B minus the sum along an axis of B times these weights."""
    for matrix, other in (difference.operands, difference.operands[::-1]):
        factors = other.operands if is_op(other, "mul") else ()
        repeated = factors[1] if len(factors) == 2 and number_of(factors[0]) == -1 else None
        if isinstance(repeated, Expand) and repeated.axes != (1 - axis,):
            continue
        total = repeated.operands[0] if isinstance(repeated, Expand) else repeated
        if matrix.rank == 2 and isinstance(total, Einsum) and _weighted(total, axis) == Counter([matrix, *vectors]):
            return matrix
    return None


def _weighted(total: Einsum, axis: int) -> Counter[Node]:
    """The factors of a matrix that is summed along an axis: matrices, and vectors along that axis."""
    if total.rank != 1 or len(total.contracted) != 1:
        return Counter()
    whole = next((i for i in total.inputs if len(i) == 2), None)
    if whole is None or whole[axis] != total.contracted[0]:
        return Counter()
    if total.is_sum:
        factors = ((_vector(f, axis), f) for f in operands_of("mul", total.operands[0]))
        return Counter(f if vector is None else vector for vector, f in factors)
    fits = all(indices in (whole, total.contracted) for indices in total.inputs)
    return Counter(total.operands if fits else ())


def _product(matrix: Node, vectors: list[Node], axis: int) -> Node:
    """B (diag(w) - w wᵀ), or of weighted rows (diag(w) - w wᵀ) B."""
    w = vectors[0] if len(vectors) == 1 else elementwise("mul", *vectors)
    diagonal = elementwise("mul", identity(w.shape[0]), w)
    middle = elementwise("add", diagonal, elementwise("mul", -1, contract([[0], [1]], [0, 1], w, w)))
    return contract([[0, 1], [1, 2]], [0, 2], *((matrix, middle) if axis else (middle, matrix)))

"""Arrays built with NumPy's meaning from extents and smaller arrays, as printed formulas write them.

In: extents, vectors, matrices.  Out: `zeros`, `ones`, `diag`, `kron`; made of fills, contractions and reshapes, no
node of its own.
Not handled: diagonals beside the main one.
"""

from __future__ import annotations

from typing import Any

from symnet.errors import ShapeError, explain
from symnet.expr.nodes.constants import as_node, identity
from symnet.expr.nodes.contraction import contract
from symnet.expr.nodes.expansion import fill, keep_axes
from symnet.expr.nodes.extents import as_extent
from symnet.expr.nodes.movement import reshape
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.operators import of_truth_values


def zeros(*shape: Any) -> Node:
    """An array of zeros; the extents are ints or dims, one by one or in a tuple.

    Example:
        >>> import symnet as sn
        >>> sn.zeros(sn.dim("m"), 3).shape
        (m, 3)
    """
    return _filled("zeros", 0, shape)


def ones(*shape: Any) -> Node:
    """An array of ones; the extents are ints or dims, one by one or in a tuple.

    Example:
        >>> import symnet as sn
        >>> sn.grad(sn.sum(sn.tensor("x", 3)), sn.tensor("x", 3)) is sn.ones(3)
        True
    """
    return _filled("ones", 1, shape)


def _filled(name: str, value: int, shape: tuple[Any, ...]) -> Node:
    extents = shape[0] if len(shape) == 1 and isinstance(shape[0], (tuple, list)) else shape
    call = f"{name}({', '.join(map(str, extents))})"
    return fill(value, tuple(as_extent(n, call) for n in extents))


def diag(x: Any) -> Node:
    """The diagonal of a matrix, or the diagonal matrix of a vector.

    Raises:
        ShapeError: neither a vector nor a square matrix.

    Example:
        >>> import symnet as sn
        >>> x = sn.tensor("x", 3)
        >>> sn.jacobian(sn.exp(x), x), sn.diag(x).shape
        (diag(exp(x)), (3, 3))
    """
    x = as_node(x)
    if x.rank == 1:
        return of_truth_values(lambda v: contract([[0], [0, 1]], [0, 1], v, identity(v.shape[0])), x)
    if x.rank != 2:
        raise ShapeError(explain("diag(x)", "a vector or a matrix", f"shape {x.shape}", "Slice it first."))
    return contract([[0, 0]], [0], x)


def kron(a: Any, b: Any) -> Node:
    """The Kronecker product: every element of `a` times all of `b`, in blocks.

    Example:
        >>> import symnet as sn
        >>> sn.kron(sn.tensor("A", 2, 3), sn.tensor("B", 4, 5)).shape
        (8, 15)
    """
    a, b = as_node(a), as_node(b)
    rank = max(a.rank, b.rank)
    a, b = (keep_axes(x, tuple(range(rank - x.rank))) if x.rank < rank else x for x in (a, b))
    inputs = [range(0, 2 * rank, 2), range(1, 2 * rank, 2)]
    blocks = of_truth_values(lambda *xs: contract(inputs, range(2 * rank), *xs), a, b)
    return reshape(blocks, tuple(m * n for m, n in zip(a.shape, b.shape, strict=True)))

"""Operations of a random graph that multiply: contractions of every sort, and the algebra of square matrices.

In: a grower.  Out: a new node, or None where no value of the pool fits.
Matrices that are solved with or whose logarithm is taken dominate on their diagonal, or are symmetric and definite.
"""

from __future__ import annotations

from collections.abc import Callable

import symnet as sn
from symnet.expr.nodes.contraction import contract
from symnet.expr.nodes.node import Node
from tests.fuzz.growing import Grower


def product(g: Grower) -> Node | None:
    """A matrix product, perhaps of a value with itself or its transpose."""
    a = g.real(lambda v: v.rank in (1, 2, 3))
    if a is None:
        return None
    if a.rank == 2 and g.choose(3) == 2:
        return a @ a.T if g.choose(2) == 0 else a.T @ a
    b = g.real(lambda v: v.rank in (1, 2) and v.shape[max(v.rank - 2, 0)] == a.shape[-1])
    return None if b is None else a @ b


def contraction(g: Grower) -> Node | None:
    """One to three operands, the same one perhaps twice, over indices that may repeat within one of them."""
    first = g.real(lambda v: 1 <= v.rank <= 3)
    if first is None:
        return None
    operands = [first]
    for _ in range(g.choose(3)):
        other = None if g.choose(4) == 3 else g.real(lambda v: v.rank <= 3)
        operands.append(first if other is None else other)
    extents: list[object] = []
    inputs = []
    for operand in operands:
        indices = []
        for extent in operand.shape:
            known = [i for i, n in enumerate(extents) if n == extent]
            chosen = g.among([*known, None] if known else [None]) if len(extents) < 5 or known else None
            if chosen is None:
                chosen = len(extents)
                extents.append(extent)
            indices.append(chosen)
        inputs.append(indices)
    output = []
    for index in range(len(extents)):
        if len(output) < 3 and g.choose(2) == 0:
            output.insert(g.choose(len(output) + 1), index)
    return contract(inputs, output, *operands)


def is_square(x: Node) -> bool:
    """A matrix, or a stack of them."""
    return 2 <= x.rank <= 3 and x.shape[-1] == x.shape[-2]


def turned(x: Node) -> Node:
    """The transpose of each matrix."""
    return sn.transpose(x, *range(x.rank - 2), x.rank - 1, x.rank - 2)


def regular(g: Grower) -> Node | None:
    """Square matrices that are far from singular, of a square value."""
    x = g.real(lambda v: is_square(v) and g.extent(v.shape[-1]) <= 5)
    if x is None:
        return None
    n, kind = x.shape[-1], g.choose(5)
    if kind == 0:
        return sn.tanh(x) + (1 + g.extent(n)) * sn.eye(n)
    if kind == 1:
        return x @ turned(x) + sn.eye(n)
    if kind == 2:  # elimination has to swap rows
        return (sn.tanh(x) + (1 + g.extent(n)) * sn.eye(n))[..., ::-1, :]
    return x if kind == 3 else 2 * x


def solved(g: Grower) -> Node | None:
    """Equations, inverses and products with them."""
    A = regular(g)
    if A is None:
        return None
    b = g.real(lambda v: 1 <= v.rank <= A.rank and v.shape[0 if v.rank == 1 else -2] == A.shape[-1] and _stacks(A, v))
    kind = g.choose(5) if b is not None else 0
    if b is None or kind == 0:
        return sn.inv(A)
    if kind == 1:
        return sn.solve(A, b)
    if kind == 2:
        return sn.solve(turned(A), b)
    return sn.inv(A) @ b if kind == 3 or b.rank > 2 else b.T @ sn.inv(A)


def _stacks(A: Node, b: Node) -> bool:
    """Whether the axes in front of the matrices broadcast."""
    return all(m == n or 1 in (m, n) for m, n in zip(reversed(A.shape[:-2]), reversed(b.shape[:-2]), strict=False))


def determined(g: Grower) -> Node | None:
    A = regular(g)
    return None if A is None else (sn.logdet if g.choose(2) == 0 else sn.det)(A)


def raised(g: Grower) -> Node | None:
    A = regular(g)
    return None if A is None else sn.matrix_power(A, g.among((2, -1, 3, 0, -2, 1)))


def traced(g: Grower) -> Node | None:
    """A trace, a diagonal, a matrix with a diagonal put on."""
    x = g.real(is_square)
    if x is None:
        return None
    kind = g.choose(4)
    if kind == 0:
        return sn.trace(x)
    if kind == 1:
        return sn.einsum("ii->i", x) if x.rank == 2 else sn.einsum("kii->ki", x)
    return x * sn.eye(x.shape[-1]) if kind == 2 else sn.trace(x @ turned(x))


def normed(g: Grower) -> Node | None:
    x = g.real(lambda v: v.rank in (1, 2))
    if x is None:
        return None
    axis = g.choose(x.rank) if x.rank == 2 and g.choose(2) == 0 else None
    length = g.count(x, range(x.rank) if axis is None else [axis])
    orders = [None, 1, float("inf")] if axis is None and x.rank == 2 else [None, 1, 2, 3, float("inf"), float("-inf")]
    ord = g.among(orders)
    if not length and ord is not None:
        return None
    return sn.norm(x, ord, axis=axis, keepdims=g.choose(3) == 2)


MATRICES: tuple[Callable[[Grower], Node | None], ...] = (
    product, contraction, solved, determined, raised, traced, normed, product, contraction,
)  # fmt: skip

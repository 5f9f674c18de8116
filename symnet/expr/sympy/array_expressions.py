"""SymPy's array expressions at the door: products, contractions, diagonals, permutations of symbolic arrays.

In: a part of `sympy.tensor.array.expressions` and the nodes of its own parts.  Out: a node; each is an einsum, a sum, a
fill, a reshape, or a function of elements.
Not handled: elements at symbolic positions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sympy.tensor.array import expressions as arrays

from symnet.expr.nodes.contraction import contract, transpose
from symnet.expr.nodes.elementwise import elementwise
from symnet.expr.nodes.expansion import fill
from symnet.expr.nodes.movement import reshape
from symnet.expr.nodes.node import Node
from symnet.expr.sympy.conversion import Build, Conversion
from symnet.expr.sympy.indexed_sums import element

Parts = Callable[[Any], Sequence[Any]]


def _symbol(c: Conversion, part: Any, ranges: Any) -> Node:
    return c.leaf(str(part.name), c.shape(part.shape))


def _element(c: Conversion, part: Any, ranges: Any, x: Any) -> Any:
    return element(c, part, x, part.indices, ranges)


def _product(c: Conversion, part: Any, ranges: Any, *values: Any) -> Node:
    """The outer product: the axes of all operands, one after the other."""
    operands = [c.plain(a, v) for a, v in zip(part.args, values, strict=True)]
    first, inputs = 0, []
    for operand in operands:
        inputs.append(range(first, first + operand.rank))
        first += operand.rank
    return contract(inputs, range(first), *operands)


def _merged(rank: int, groups: Sequence[Sequence[Any]]) -> tuple[list[int], list[int], list[int]]:
    """(the index of every axis, the indices that stay alone, those of the groups)."""
    indices = list(range(rank))
    for group in groups:
        for axis in group:
            indices[int(axis)] = int(group[0])
    merged = [int(group[0]) for group in groups]
    return indices, [i for i in range(rank) if indices[i] == i and i not in merged], merged


def _contraction(c: Conversion, part: Any, ranges: Any, x: Any) -> Node:
    """Σ over axes that share an index."""
    x = c.plain(part, x)
    indices, alone, _ = _merged(x.rank, part.contraction_indices)
    return contract([indices], alone, x)


def _diagonal(c: Conversion, part: Any, ranges: Any, x: Any) -> Node:
    """Axes that share an index become one, behind the others."""
    x = c.plain(part, x)
    indices, alone, merged = _merged(x.rank, part.diagonal_indices)
    return contract([indices], [*alone, *merged], x)


def _permuted(c: Conversion, part: Any, ranges: Any, x: Any) -> Node:
    return transpose(c.plain(part, x), *part.permutation.array_form)


def _sum(c: Conversion, part: Any, ranges: Any, *values: Any) -> Node:
    return elementwise("add", *(c.plain(a, v) for a, v in zip(part.args, values, strict=True)))


def _reshaped(c: Conversion, part: Any, ranges: Any, x: Any) -> Node:
    return reshape(c.plain(part, x), *c.shape(part.shape))


def _filled(value: int) -> Build:
    return lambda c, part, ranges: fill(value, c.shape(part.shape))


def _none(part: Any) -> Sequence[Any]:
    return ()


def _inner(part: Any) -> Sequence[Any]:
    return (part.expr,)


ARRAYS: dict[type, tuple[Parts, Build]] = {
    arrays.ArraySymbol: (_none, _symbol),
    arrays.ArrayElement: (lambda part: (part.name,), _element),
    arrays.ArrayTensorProduct: (lambda part: part.args, _product),
    arrays.ArrayContraction: (_inner, _contraction),
    arrays.ArrayDiagonal: (_inner, _diagonal),
    arrays.PermuteDims: (_inner, _permuted),
    arrays.ArrayAdd: (lambda part: part.args, _sum),
    arrays.Reshape: (_inner, _reshaped),
    arrays.OneArray: (_none, _filled(1)),
    arrays.ZeroArray: (_none, _filled(0)),
}

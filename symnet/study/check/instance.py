"""Random data for the leaves of an expression, as their assumptions ask.

In: nodes, a generator, a kind of draw.  Out: arrays by name.  Every dim gets a size of its own, so that what differs
by an extent shows.
Not handled: indices that are computed from other leaves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import sympy

from symnet import dtypes
from symnet.arrays import Array
from symnet.expr.nodes.extents import Dim
from symnet.expr.nodes.graph import dims_of, topological
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import Tensor, leaves

DrawLeaf = Callable[[np.random.Generator, tuple[int, ...]], Any]

SIZES = ((3, 4, 5, 6, 7, 8), (5, 3, 7, 4, 6, 9), (4, 7, 3, 5, 9, 6))  # of the first, second, … dim in each instance

# How free elements are drawn; the first kind where an expression is finite is taken.
FREE: dict[str, DrawLeaf] = {
    "normal": lambda rng, shape: rng.normal(size=shape),
    "positive": lambda rng, shape: rng.uniform(0.5, 2.0, shape),
    "unit": lambda rng, shape: rng.uniform(0.1, 0.9, shape),
}


def _symmetric(rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
    a = rng.normal(size=shape)
    return a + np.swapaxes(a, -1, -2)


# assumption → draw, the first that a leaf carries
_ASSUMED: dict[str, DrawLeaf] = {
    "one_hot": lambda rng, shape: np.eye(shape[-1])[rng.integers(0, shape[-1], shape[:-1])],
    "simplex": lambda rng, shape: rng.dirichlet(np.ones(shape[-1]), shape[:-1]),
    "symmetric": _symmetric,
    "integer": lambda rng, shape: rng.integers(1, 5, shape),
    "unit": FREE["unit"],
    "positive": FREE["positive"],
    "nonnegative": FREE["positive"],
    "nonzero": FREE["positive"],
}


def sizes(nodes: Sequence[Node], instance: int) -> dict[Dim, int]:
    """A size for every dim, different ones in different instances."""
    found = sorted(dims_of(*nodes), key=str)
    row = SIZES[instance % len(SIZES)]
    return {d: row[k % len(row)] + k // len(row) for k, d in enumerate(found)}


def random_instance(
    nodes: Sequence[Node], rng: np.random.Generator, dims: Mapping[Dim, int], free: str = "normal", scale: float = 1.0
) -> dict[str, Array]:
    """Arrays for every leaf under the nodes.

    Args:
        nodes: the expressions.
        rng: where randomness comes from.
        dims: the size of every dim.
        free: how elements are drawn of which nothing is assumed: a key of `FREE`.
        scale: what real elements are multiplied by, unless an assumption bounds them.
    """
    bounds = _index_bounds(nodes, dims)
    drawn = {leaf: _draw(leaf, rng, _shape(leaf.shape, dims), bounds, FREE[free]) for leaf in leaves(*nodes)}
    return {leaf.name: array * scale if _is_unbounded(leaf) else array for leaf, array in drawn.items()}


def mirrored(nodes: Sequence[Node], data: Mapping[str, Array], which: int) -> dict[str, Array]:
    """An instance with the other signs, where nothing is assumed of them: what holds for x > 0 alone is seen there.

    Args:
        nodes: the expressions.
        data: an instance of them.
        which: 0 turns every leaf; 1 and 2 every other one, so that products change their sign too.
    """
    free = [leaf.name for leaf in leaves(*nodes) if _is_unbounded(leaf) and not leaf.assumptions & _SIGNED]
    turned = set(free[which - 1 :: 2] if which else free)
    return {name: -array if name in turned else array for name, array in data.items()}


_SIGNED = frozenset({"positive", "nonnegative"})


def _is_unbounded(leaf: Tensor) -> bool:
    return leaf.dtype in dtypes.REAL and not leaf.assumptions & {"one_hot", "simplex", "integer", "unit"}


def _shape(shape: Sequence[Any], dims: Mapping[Dim, int]) -> tuple[int, ...]:
    return tuple(int(sympy.sympify(n).xreplace(dict(dims))) for n in shape)


def _draw(
    leaf: Tensor, rng: np.random.Generator, shape: tuple[int, ...], bounds: Mapping[Node, int], free: DrawLeaf
) -> Array:
    if leaf.dtype in (*dtypes.INTEGER, "bool"):
        top = 2 if leaf.dtype == "bool" else bounds.get(leaf, 5)
        return rng.integers(0, top, shape).astype(leaf.dtype)
    draw = next((draw for name, draw in _ASSUMED.items() if name in leaf.assumptions), free)
    return np.asarray(draw(rng, shape), leaf.dtype)


def _index_bounds(nodes: Sequence[Node], dims: Mapping[Dim, int]) -> dict[Node, int]:
    """The extent that the values of an integer leaf must stay below."""
    bounds: dict[Node, int] = {}
    for node in topological(*nodes):
        if node.kind == "one_hot":
            index, extent = node.operands[0], node.shape[-1]
        elif node.kind == "take":
            index, extent = node.operands[1], node.operands[0].shape[node.axis]
        else:
            continue
        (bound,) = _shape((extent,), dims)
        bounds[index] = min(bound, bounds.get(index, bound))
    return bounds

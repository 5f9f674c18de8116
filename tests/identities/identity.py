"""What an identity is, and how symnet's result is compared with the published one.

In: a row of a table.  Out: the largest difference on random data that satisfy the leaves' assumptions, and the
operations of both forms after sharing, each contraction in its cheapest order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from symnet.expr.nodes.extents import dim
from symnet.expr.nodes.graph import topological
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import tensor
from symnet.reference import evaluate
from symnet.simplify.cost import operation_count
from symnet.simplify.engine import Normalizer, Table
from symnet.simplify.machine.arrangement import arrange
from symnet.simplify.numeric.repeats import REPEATS
from symnet.simplify.sharing import share

m, n, p, q = map(dim, "mnpq")
SAMPLE = {m: 64, n: 24, p: 10, q: 7}  # extents at which operations are counted
SMALL = {m: 5, n: 4, p: 3, q: 2}  # extents at which values are compared
ANCHORS = tuple(tensor(f"anchor_{d}", d) for d in SMALL)  # every extent is known, also where a graph has lost it

LAST = Normalizer(Table(REPEATS))  # of the numeric form only what changes no function


@dataclass(frozen=True)
class Identity:
    """One published identity.

    ours: builds symnet's result.  published: the form in print, of the same shape.
    longer_by: why symnet's result costs more; empty where it does not.
    prints: how symnet's result reads, where it is to read as the one in print does; empty where that is left open.
    """

    name: str
    source: str
    ours: Callable[[], Node]
    published: Callable[[], Node]
    longer_by: str = ""
    prints: str = ""

    def __repr__(self) -> str:
        return self.name


def operations(node: Node) -> int:
    """Arithmetic operations at the sample extents: shared parts once, contractions in their cheapest order."""
    return int(operation_count(arrange(LAST(share([node])))).subs(SAMPLE))


def largest_difference(row: Identity, seed: int) -> float:
    """Between the two forms, relative to the largest element of the published one."""
    ours, published = row.ours(), row.published()
    assert ours.shape == published.shape, (ours.shape, published.shape)
    data = arrays(ours, published, rng=np.random.default_rng(seed))
    a, b = evaluate([ours, published], data, leaves=ANCHORS)
    return float(np.abs(a - b).max() / max(np.abs(b).max(), 1e-300))


def arrays(*roots: Node, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Random float64 arrays that satisfy the leaves' assumptions."""
    found = {node for node in topological(*roots, *ANCHORS) if node.kind == "tensor"}
    return {leaf.name: _draw(leaf, rng) for leaf in sorted(found, key=lambda leaf: leaf.name)}  # type: ignore[attr-defined]


def _draw(leaf: Any, rng: np.random.Generator) -> np.ndarray:
    shape = tuple(SMALL.get(extent, extent) for extent in leaf.shape)
    x = rng.normal(size=shape)
    for assumption in sorted(leaf.assumptions):
        x = _SATISFY.get(assumption, lambda x, rng: x)(x, rng)
    return x


def _spread_out(x: np.ndarray) -> np.ndarray:
    return np.exp(x) / np.exp(x).sum(-1, keepdims=True)


_SATISFY: dict[str, Callable[[np.ndarray, np.random.Generator], np.ndarray]] = {
    "one_hot": lambda x, rng: np.eye(x.shape[-1])[rng.integers(0, x.shape[-1], x.shape[:-1])],
    "simplex": lambda x, rng: x if set(np.unique(x)) <= {0, 1} else _spread_out(x),
    "positive": lambda x, rng: np.exp(x),
    "unit": lambda x, rng: x if set(np.unique(x)) <= {0, 1} else 1 / (1 + np.exp(-x)),
    "symmetric": lambda x, rng: x + np.swapaxes(x, -1, -2),
}

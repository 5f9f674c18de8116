"""Random well-typed graphs over the node kinds: shared values, broadcasting, repeated variables, extents of 1.

`random_graph(seed)` gives roots and data; the same seed gives the same graph in every process.  Values stay moderate
(what grows is squashed), so that comparisons with tolerances mean something.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import symnet as sn
from symnet.expr.contraction import contract
from symnet.expr.node import Node
from symnet.expr.symbols import leaves

m = sn.dim("m")


@dataclass(frozen=True)
class RandomGraph:
    """Roots, and data for their leaves."""

    roots: list[Node]
    data: dict[str, np.ndarray]
    rows: int


class Grower:
    """Draws operations at random from values made before."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.rows = int(self.rng.choice([1, 2, 3, 5, 17]))
        k = int(self.rng.choice([1, 2, 3, 4]))
        self.values: list[Node] = [
            sn.tensor("X", m, k), sn.tensor("Y", m, k), sn.tensor("W", k, 3), sn.tensor("v", k), sn.tensor("u", m),
            sn.tensor("s"), sn.tensor("C", m, 1), sn.tensor("Q", 3, 3), sn.tensor("P", 2, k, 3),
            sn.softmax(sn.tensor("Z", m, 3)), sn.labels("t", m, classes=3),
        ]  # fmt: skip

    def pick(self, wanted: Callable[[Node], bool] = lambda node: True) -> Node | None:
        found = [v for v in self.values if wanted(v)]
        return found[int(self.rng.integers(len(found)))] if found else None

    def grow(self, steps: int) -> list[Node]:
        for _ in range(steps):
            made = OPERATIONS[int(self.rng.integers(len(OPERATIONS)))](self)
            if made is not None and made.rank <= 4:
                self.values.append(made)
        return self.values[11:]

    def axis(self, x: Node) -> int:
        return int(self.rng.integers(x.rank))


def unary(g: Grower) -> Node | None:
    functions = [
        sn.tanh,
        sn.sin,
        sn.sigmoid,
        sn.relu,
        sn.softplus,
        sn.abs,
        lambda x: sn.exp(sn.tanh(x)),
        lambda x: x**2,
        lambda x: sn.sqrt(1 + x * x),
        lambda x: sn.log(1 + x * x),
        sn.erf,
        sn.silu,
        sn.cos,
        sn.atan,
    ]
    x = g.pick()
    assert x is not None
    return functions[int(g.rng.integers(len(functions)))](x)


def binary(g: Grower) -> Node | None:
    x = g.pick()
    assert x is not None
    y = g.pick(lambda other: _broadcasts(x, other))
    assert y is not None
    functions = [
        lambda a, b: a + b,
        lambda a, b: a - b,
        lambda a, b: sn.tanh(a) * b,
        lambda a, b: a / (1 + b * b),
        sn.maximum,
        sn.minimum,
        lambda a, b: sn.where(a > b, a, 2 * b),
        lambda a, b: 3 * a - b / 2,
    ]
    return functions[int(g.rng.integers(len(functions)))](x, y)


def _broadcasts(x: Node, y: Node) -> bool:
    pairs = zip(reversed(x.shape), reversed(y.shape), strict=False)
    return all(a == b or a == 1 or b == 1 for a, b in pairs)


def product(g: Grower) -> Node | None:
    a = g.pick(lambda x: x.rank in (1, 2))
    if a is None:
        return None
    b = g.pick(lambda y: y.rank in (1, 2) and y.shape[max(y.rank - 2, 0)] == a.shape[-1])
    return None if b is None else sn.tanh(a @ b / 2)


def contraction(g: Grower) -> Node | None:
    """Two operands over random indices of equal extents."""
    a, b = g.pick(lambda x: 1 <= x.rank <= 3), g.pick(lambda x: 1 <= x.rank <= 3)
    if a is None or b is None:
        return None
    left = list(range(a.rank))
    right = []
    for extent in b.shape:
        same = [i for i, n in enumerate(a.shape) if n == extent and i not in right]
        right.append(same[int(g.rng.integers(len(same)))] if same and g.rng.random() < 0.7 else 10 + len(right))
    everything = list(dict.fromkeys(left + right))
    output = [i for i in everything if g.rng.random() < 0.5][:3]
    return sn.tanh(contract([left, right], output, a, b) / 3)


def reduction(g: Grower) -> Node | None:
    x = g.pick(lambda v: v.rank > 0)
    if x is None:
        return None
    functions = [sn.sum, sn.mean, sn.max, sn.min, sn.logsumexp]
    keep = bool(g.rng.random() < 0.5)
    axis = None if g.rng.random() < 0.2 else g.axis(x)
    return functions[int(g.rng.integers(len(functions)))](x, axis=axis, keepdims=keep)


def movement(g: Grower) -> Node | None:
    x = g.pick(lambda v: v.rank > 0)
    if x is None:
        return None
    axis = g.axis(x)
    everything: tuple[Any, ...] = (slice(None),) * axis
    moves: list[Callable[[], Node]] = [
        lambda: x.T,
        lambda: x[(*everything, slice(None, None, -1))],
        lambda: x[(*everything, None)],
        lambda: x[(*everything, 0)],
        lambda: sn.concat([x, 2 * x], axis=axis),
        lambda: x.reshape(-1),
        lambda: sn.softmax(x, axis=axis),
        lambda: sn.stack([x, x * x], axis=0),
        lambda: sn.pad(x, [(1, 0) if a == axis else (0, 0) for a in range(x.rank)]),
    ]
    return moves[int(g.rng.integers(len(moves)))]()


def table(g: Grower) -> Node | None:
    x = g.pick(lambda v: v.rank > 0 and v.shape[0] == 3)
    return None if x is None else sn.take(x, sn.tensor("t", m, dtype="int64"), axis=0)


OPERATIONS: list[Callable[[Grower], Node | None]] = [
    unary, unary, binary, binary, binary, product, product, contraction, reduction, reduction, movement, table,
]  # fmt: skip


def random_graph(seed: int, steps: int = 12) -> RandomGraph:
    """Roots that use the last values made, and data for their leaves."""
    grower = Grower(seed)
    made = grower.grow(steps)
    roots = made[-2:] if made else [grower.values[0] * 2]
    data = {leaf.name: _data(leaf, grower) for leaf in leaves(*roots)}
    return RandomGraph(list(roots), data, grower.rows)


def _data(leaf: Any, g: Grower) -> np.ndarray:
    shape = tuple(g.rows if n == m else int(n) for n in leaf.shape)
    if leaf.dtype == "int64":
        return g.rng.integers(0, 3, shape)
    return np.asarray(g.rng.normal(size=shape))

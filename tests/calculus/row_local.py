"""Random functions of each row of a matrix by itself: (m, p) → (m, q) or (m,).

Composed of elementwise functions, choices, joins, slices, pads, reshapes, sums and products along columns; every one
keeps the first axis.  Their Jacobians by the matrix are batches of blocks, so that what holds them must grow as m.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

import symnet as sn
from symnet.expr.nodes.node import Node

m = sn.dim("m")
Z = sn.tensor("Z", m, 3)
per_row = sn.tensor("r", m)
per_column = sn.tensor("c", 4)
weights = {n: sn.tensor(f"W{n}", n, 4) for n in range(1, 9)}
LEAVES = [Z, per_row, per_column, *weights.values()]
WIDEST = 8

Rng = np.random.Generator
Rows = Callable[[Rng, Node], Node]  # from (m, n) to (m, k), with n and k at most WIDEST


def _column(rng: Rng, x: Node) -> Node:
    return x[:, int(rng.integers(x.shape[1]))]


def elementwise(rng: Rng, x: Node) -> Node:
    functions = [sn.tanh, sn.exp, sn.sin, lambda y: y**2, lambda y: 1 / (1 + y**2), sn.softplus, lambda y: 2 * y - 1]
    return functions[int(rng.integers(len(functions)))](sn.tanh(x))


def choose_rows(rng: Rng, x: Node) -> Node:
    return sn.where((_column(rng, x) > 0)[:, None], sn.tanh(x), x**2)


def choose_elements(rng: Rng, x: Node) -> Node:
    return sn.where(x > 0.1, sn.sin(x), -x)


def choose_by_given_rows(rng: Rng, x: Node) -> Node:
    return sn.where((per_row > 0)[:, None], x, 0)


def join(rng: Rng, x: Node) -> Node:
    if x.shape[1] > WIDEST // 2:
        return sn.concat([x[:, 2:], x[:, :1]], axis=1)
    return sn.concat([x, sn.cos(x)], axis=1)


def stacked(rng: Rng, x: Node) -> Node:
    return sn.stack([_column(rng, x), _column(rng, x) * _column(rng, x), sn.where(per_row > 0, _column(rng, x), 1)], 1)


def slices(rng: Rng, x: Node) -> Node:
    start, step = int(rng.integers(x.shape[1])), int(rng.choice([1, 2, -1]))
    return x[:, start::step]


def padded(rng: Rng, x: Node) -> Node:
    return sn.pad(x[:, :5], [(0, 0), (1, 2)])


def reshaped(rng: Rng, x: Node) -> Node:
    n = int(x.shape[1])
    if n % 2:
        return x.reshape(m, 1, n).sum(axis=1) * sn.exp(-(x**2)).reshape(m, n, 1)[:, :, 0]
    halves = x.reshape(m, 2, n // 2)
    return (sn.tanh(halves) * halves[:, ::-1]).reshape(m, n)


def product_with_weights(rng: Rng, x: Node) -> Node:
    return x @ weights[int(x.shape[1])] + per_column


def by_row_vectors(rng: Rng, x: Node) -> Node:
    return x * per_row[:, None] + _column(rng, x)[:, None]


def by_their_sum(rng: Rng, x: Node) -> Node:
    return x / (1 + (x**2).sum(axis=1, keepdims=True))


def softmax(rng: Rng, x: Node) -> Node:
    return sn.softmax(x)


def running(rng: Rng, x: Node) -> Node:
    return sn.cumsum(sn.tanh(x), axis=1)


def products_so_far(rng: Rng, x: Node) -> Node:
    return sn.cumprod(sn.tanh(x), axis=1, reverse=bool(rng.integers(2)), exclusive=bool(rng.integers(2)))


def recurrence(rng: Rng, x: Node) -> Node:
    return sn.linear_recurrence(sn.tanh(x), x, exclusive=bool(rng.integers(2)))


def by_their_product(rng: Rng, x: Node) -> Node:
    return x * sn.prod(sn.tanh(x), axis=1, keepdims=True)


def taken_columns(rng: Rng, x: Node) -> Node:
    return sn.take(x, rng.integers(x.shape[1], size=3), axis=1)


STEPS: dict[str, Rows] = {
    step.__name__: step
    for step in (
        elementwise, choose_rows, choose_elements, choose_by_given_rows, join, stacked, slices, padded, reshaped,
        product_with_weights, by_row_vectors, by_their_sum, softmax, running, taken_columns,
        products_so_far, recurrence, by_their_product,
    )
}  # fmt: skip


def row_local(seed: int, depth: int) -> tuple[str, Node]:
    """(the names of the steps, a function of the rows of Z) of `depth` steps; every third one has one number a row."""
    rng = np.random.default_rng(seed)
    names = [str(rng.choice(list(STEPS))) for _ in range(depth)]
    x: Node = Z
    for name in names:
        x = STEPS[name](rng, x)
    if seed % 3 == 0:
        names.append("a number a row")
        x = sn.sum(x * sn.tanh(x), axis=1) if seed % 2 else _column(rng, x)
    return " ".join(names), x


def values(rows: int, rng: Rng) -> dict[str, np.ndarray]:
    return {leaf.name: rng.normal(size=[rows if n is m else int(n) for n in leaf.shape]) for leaf in LEAVES}

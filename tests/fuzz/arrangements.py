"""Movements of samples, written once for NumPy arrays and for expressions.

In: an array or a node.  Out: the same with its elements elsewhere.  A move is a function of (`Arrays` or `Nodes`, a).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import symnet as sn

Array = np.ndarray


class Arrays:
    """What moves are written in, for NumPy arrays (`Nodes` for expressions)."""

    reshape = staticmethod(lambda a, *shape: np.reshape(a, shape))
    stack = staticmethod(lambda xs, axis=0: np.stack(xs, axis))
    concat = staticmethod(lambda xs, axis=0: np.concatenate(xs, axis))
    where = staticmethod(np.where)
    largest = staticmethod(lambda a: np.max(a, 0))
    smallest = staticmethod(lambda a: np.min(a, 0))
    product = staticmethod(lambda a: np.prod(a, 0))
    total = staticmethod(lambda a: np.sum(a, 0))
    ones = staticmethod(lambda a: np.ones_like(a))
    broadcast = staticmethod(lambda a, count: np.broadcast_to(a[None], (count, *a.shape)))
    pad = staticmethod(lambda a: np.pad(a, [(1, 1), *[(0, 0)] * (a.ndim - 1)]))
    maximum = staticmethod(np.maximum)
    take = staticmethod(lambda a, name: a[INDICES[name](len(a))])
    rank = staticmethod(lambda a: a.ndim)


class Nodes(Arrays):
    """What moves are written in, for expressions."""

    reshape = staticmethod(sn.reshape)
    stack = staticmethod(sn.stack)
    concat = staticmethod(sn.concat)
    where = staticmethod(sn.where)
    largest = staticmethod(lambda a: sn.max(a, axis=0))
    smallest = staticmethod(lambda a: sn.min(a, axis=0))
    product = staticmethod(lambda a: sn.prod(a, axis=0))
    total = staticmethod(lambda a: sn.sum(a, axis=0))
    ones = staticmethod(lambda a: sn.ones(*a.shape))
    broadcast = staticmethod(lambda a, count: sn.broadcast_to(a[None], (count, *a.shape)))
    pad = staticmethod(lambda a: sn.pad(a, [(1, 1), *[(0, 0)] * (a.rank - 1)]))
    maximum = staticmethod(sn.maximum)
    take = staticmethod(lambda a, name: sn.take(a, sn.tensor(name, a.shape[0], dtype="int64")))
    rank = staticmethod(lambda a: a.rank)


INDICES: dict[str, Callable[[int], Array]] = {
    "shifted": lambda n: np.roll(np.arange(n), 3),
}
Move = Callable[[Any, Any], Any]  # (Arrays or Nodes, array or node) → the same

ROWS: dict[str, Move] = {  # the leading axis stays, of the same extent; other axes are left alone
    "as it is": lambda xp, a: a,
    "backwards": lambda xp, a: a[::-1],
    "taken": lambda xp, a: xp.take(a, "shifted"),
    "joined and cut": lambda xp, a: xp.concat([a[2:], a[:2]]),
    "of a stack": lambda xp, a: xp.stack([a[::-1], a])[1],
    "largest of two": lambda xp, a: xp.largest(xp.stack([a, a])),
    "smallest of two": lambda xp, a: xp.smallest(xp.stack([a, a])),
    "product with ones": lambda xp, a: xp.product(xp.stack([a, xp.ones(a)])),
    "sum of one": lambda xp, a: xp.total(a[None]),
    "padded and cut": lambda xp, a: xp.pad(a)[1:-1],
    "maximum with itself": lambda xp, a: xp.maximum(a, a),
}
FREE: dict[str, Move] = {  # any shape may come of it
    "an element": lambda xp, a: a[3],
    "a slice": lambda xp, a: a[2:],
    "a column": lambda xp, a: a[..., None],
    "transposed": lambda xp, a: a[None].T,
    "both ways": lambda xp, a: xp.stack([a, a[::-1]], axis=-1 if xp.rank(a) == 1 else 1),
    "joined with a part": lambda xp, a: xp.concat([a, a[:2]]),
    "repeated": lambda xp, a: xp.broadcast(a, 3),
    "of a stack, last": lambda xp, a: xp.stack([a, a[::-1]])[-1],
    "rows of a stack": lambda xp, a: xp.stack([a[::-1], a])[0:1],
}
FIXED: dict[str, Move] = {  # extents must be known
    "folded": lambda xp, a: xp.reshape(a, 2, -1, *a.shape[1:]),
    "folded, transposed": lambda xp, a: xp.reshape(a, 2, -1, *a.shape[1:]).T,
    "every other": lambda xp, a: a[::2],
}
ELEMENTS: dict[str, Move] = {  # of rows, where only elementwise functions follow
    "one column": lambda xp, a: a[:, 1],
    "turned": lambda xp, a: a.T,
    "one element": lambda xp, a: a[2, 1],
    "some columns": lambda xp, a: a[:, 1:4],
    "columns backwards": lambda xp, a: a[:, ::-1],
}
ARRIVALS: dict[str, tuple[Callable[[Array], Array], Callable[[Any], Any]]] = {
    # how a leaf arrives: (data of the leaf as declared from the data of x, the node or array x of the leaf)
    "as it is": (lambda x: x, lambda a: a),
    "second of two": (lambda x: np.stack([x[::-1], x]), lambda a: a[1]),
    "transposed": (lambda x: x.T.copy() if x.ndim > 1 else x[None], lambda a: a[0] if a.shape[0] == 1 else a.T),
    "a slice": (lambda x: np.concatenate([x[:2], x, x[:1]]), lambda a: a[2:-1]),
    "a column": (lambda x: np.stack([x, x[::-1]], axis=-1), lambda a: a[..., 0]),
    "backwards": (lambda x: x[::-1].copy(), lambda a: a[::-1]),
}  # fmt: skip
MOVES: dict[str, Move] = {**ROWS, **FREE, **FIXED, **ELEMENTS}

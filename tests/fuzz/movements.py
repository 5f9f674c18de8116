"""Operations of a random graph that move elements: views, joins, repetitions, and lookups by integers.

In: a grower.  Out: a new node, or None where no value of the pool fits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import symnet as sn
from symnet.expr.nodes.expansion import fill
from symnet.expr.nodes.extents import as_extent, ints_arg, shape_arg
from symnet.expr.nodes.movement import Place, broadcast_to
from symnet.expr.nodes.node import Node
from tests.fuzz.growing import Grower


def view(g: Grower) -> Node | None:
    """The same elements, or some of them, in another order."""
    x = g.real(lambda v: v.rank > 0)
    if x is None:
        return None
    axis = g.choose(x.rank)
    front: tuple[Any, ...] = (slice(None),) * axis
    extent = g.extent(x.shape[axis])
    keys: list[Any] = [slice(None, None, -1), None]
    if extent >= 1:
        keys += [0, -1, slice(1, None), slice(None, -1)]
    if extent >= 2:
        keys += [slice(1, -1), 1]
    if isinstance(x.shape[axis], int):
        keys += [slice(None, None, 2), slice(None, None, -2), slice(0, 0)]
    kind = g.choose(4)
    if kind == 0:
        return x.T
    return x.reshape(-1) if kind == 1 else x[(*front, g.among(keys))]


def reshaped(g: Grower) -> Node | None:
    """Axes split off or joined."""
    x = g.real(lambda v: v.rank > 1)
    if x is None:
        return None
    joined = (x.shape[0] * x.shape[1], *x.shape[2:])
    return x.reshape(*joined) if g.choose(2) == 0 else x.reshape(*reversed(x.shape))


def placed(g: Grower) -> Node | None:
    """Zeros around x, or between its elements."""
    x = g.real(lambda v: v.rank > 0)
    if x is None:
        return None
    axis = g.choose(x.rank)
    if g.choose(2) == 0:
        return sn.pad(x, [(1, g.choose(2)) if a == axis else (0, 0) for a in range(x.rank)])
    if not isinstance(x.shape[axis], int):
        return None
    step = g.among((2, -1, -2))
    span = abs(step) * max(x.shape[axis] - 1, 0) + 1
    shape = tuple(span + 1 if a == axis else n for a, n in enumerate(x.shape))
    starts = tuple((0 if step > 0 else span) if a == axis else 0 for a in range(x.rank))
    steps = tuple(step if a == axis else 1 for a in range(x.rank))
    return Place(x, shape_arg(shape), shape_arg(starts), ints_arg(steps))


def joined(g: Grower) -> Node | None:
    """Concatenation and stacking, of a value with itself too."""
    x = g.real(lambda v: v.rank > 0)
    if x is None:
        return None
    axis = g.choose(x.rank)

    def fits(y: Node) -> bool:
        rest = [(a, b) for k, (a, b) in enumerate(zip(x.shape, y.shape, strict=False)) if k != axis]
        return y.rank == x.rank and all(a == b for a, b in rest)

    y = g.real(fits)
    if y is not None and y.shape == x.shape and g.choose(2) == 1:
        return sn.stack([x, y], axis=g.choose(x.rank + 1))
    return None if y is None else sn.concat([x, y] if g.choose(3) else [y, x, y], axis=axis)


def repeated(g: Grower) -> Node | None:
    """Broadcasting made explicit: new axes, kept axes, fills."""
    x = g.real(lambda v: v.rank < 3)
    if x is None:
        return None
    extent = g.among((2, *g.dims, 1, g.k))
    if g.choose(2) == 0:
        return broadcast_to(x, (as_extent(extent, "repeated"), *x.shape))
    if x.rank == 0:
        return fill(x, (as_extent(extent, "repeated"), 2))
    return broadcast_to(x[..., None], (*x.shape, as_extent(extent, "repeated")))


def running(g: Grower) -> Node | None:
    """Sums so far, from either end."""
    x = g.real(lambda v: v.rank > 0)
    if x is None:
        return None
    axis = g.choose(x.rank + 1)
    if axis == x.rank:
        return sn.cumsum(x)
    made = sn.cumsum(x, axis)
    return made if g.choose(2) == 0 else made[(*[slice(None)] * axis, slice(None, None, -1))]


def recurrence(g: Grower) -> Node | None:
    """Products so far, or a linear recurrence, from either end; factors are below 1 in size, or near it."""
    x = g.real(lambda v: v.rank > 0)
    if x is None:
        return None
    axis, reverse, exclusive = g.choose(x.rank), g.choose(2) == 1, g.choose(3) == 2
    small = sn.tanh(x) if g.choose(2) == 0 else 1 + sn.tanh(x) / 4
    if g.choose(2) == 0:
        return sn.cumprod(x if g.choose(3) == 2 else small, axis, reverse=reverse, exclusive=exclusive)
    y = g.real(lambda v: v.shape == x.shape)
    return sn.linear_recurrence(small, x if y is None else y, axis, reverse=reverse, exclusive=exclusive)


def lookup(g: Grower) -> Node | None:
    """Rows by number: of a leaf of labels, a ramp, or the place of a maximum."""
    indices = g.pick(lambda v: v in g.below and v.rank < 3)
    if indices is None:
        return None
    limit = g.below[indices]
    places = [(v, a) for v in (*g.leaves, *g.made) for a in range(v.rank)
              if v.rank + indices.rank <= 4 and limit <= g.extent(v.shape[a])]  # fmt: skip
    if not places or g.choose(3) == 2:
        return sn.one_hot(indices, max(limit, 1) + g.choose(2))
    x, axis = g.among(places)
    return sn.take(x, indices, axis=axis)


MOVEMENTS: tuple[Callable[[Grower], Node | None], ...] = (
    view,
    reshaped,
    placed,
    joined,
    repeated,
    lookup,
    running,
    recurrence,
    view,
)

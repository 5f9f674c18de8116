"""Indexing: ints and slices, `Take` by integer arrays, and one-hot rows.

In: an int or a slice for each axis, or an integer array along one; `x[…]`, which takes all of them, is
`advanced_indexing.py`.  Constant indices are checked when the expression is built, where the extent is known.
Out: `Slice`, `Take(x, indices, axis)`, `OneHot(indices, classes)`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import sympy
from sympy import Expr, Integer
from sympy.core.symbol import Str

from symnet import dtypes
from symnet.errors import ArgumentError, DTypeError, ShapeError, explain
from symnet.expr.nodes.constants import ConstantArray, as_node, constant, number_of
from symnet.expr.nodes.expansion import keep_axes
from symnet.expr.nodes.extents import Dim, as_extent, ints_arg, shape_arg, shape_of, whole_number
from symnet.expr.nodes.graph import substitute, topological
from symnet.expr.nodes.index_arrays import in_range, index_array
from symnet.expr.nodes.movement import Slice, concat, drop_axes
from symnet.expr.nodes.node import Extent, Node, Shape, name_of, static_name
from symnet.expr.nodes.symbols import tensor


class Take(Node):
    """args are (x, indices, axis): out = x with that axis replaced by the axes of the integer array."""

    __slots__ = ()
    kind = "take"

    @classmethod
    def _derive(cls, x: Node, indices: Node, axis: Integer) -> tuple[Shape, str | None]:
        a = int(axis)
        _check_integer("take(x, indices)", indices)
        return (*x.shape[:a], *indices.shape, *x.shape[a + 1 :]), x.dtype

    @property
    def axis(self) -> int:
        return int(self.args[2])


class OneHot(Node):
    """args are (indices, classes), of some also a mark: 1 at the index, 0 elsewhere, along a new last axis.  Weak.

    Attributes:
        is_labels: whether the user knows the array itself by the leaf's name, which formulas then print.
        wraps: whether negative indices count from the end, as those of the `Take` whose derivative this is.
    """

    __slots__ = ("is_labels", "wraps")
    kind = "one_hot"
    is_labels: bool
    wraps: bool

    @classmethod
    def _derive(cls, indices: Node, classes: Expr, *mark: Str) -> tuple[Shape, str | None]:
        _check_integer("one_hot(indices, classes)", indices)
        return (*indices.shape, *shape_of(sympy.Tuple(classes))), None

    def _read(self) -> None:
        mark = self.args[2].name if len(self.args) > 2 else ""
        self.is_labels, self.wraps = mark == "labels", mark == "taken"

    @property
    def classes(self) -> Extent:
        return self.shape[-1]


def _check_integer(call: str, indices: Node) -> None:
    if indices.dtype not in dtypes.INTEGER:
        raise DTypeError(
            explain(call, "an integer array of indices", f"dtype {indices.dtype}", 'Declare it with dtype="int64".')
        )


def take(x: Any, indices: Any, axis: int = 0) -> Node:
    """x at integer positions along an axis; negative ones count from the end, one outside is an error at the call.

    Example:
        >>> import symnet as sn
        >>> E, t = sn.tensor("E", 7, 3), sn.tensor("t", sn.dim("m"), dtype="int64")
        >>> sn.take(E, t).shape
        (m, 3)
    """
    x = as_node(x)
    place = None if isinstance(axis, bool) else whole_number(axis)
    if place is None:
        raise ArgumentError(explain("take(x, indices, axis)", "an int as axis", f"axis={axis!r}", "Write axis=0."))
    if not -x.rank <= place < x.rank:
        raise ShapeError(explain(f"take(…, axis={axis})", f"an axis of shape {x.shape}", str(axis), "Check the rank."))
    axis = place % x.rank
    call = f"take(x, indices, axis={axis}) of shape {x.shape}"
    position = whole_number(number_of(indices)) if isinstance(indices, Node) else indices
    if position is not None and _is_index(position):
        return sliced(x, _along(x, axis, int(position)))
    index = index_array(call, indices)
    if index.dtype == "bool":
        raise DTypeError(explain(call, "integers", "a mask", f"Write x[{':, ' * axis}mask]."))
    index = in_range(call, index, x.shape[axis])
    if _has_negative(index):
        return _from_both_ends(x, index.contents.array, axis)
    return Take(x, index, Integer(axis))


def _has_negative(index: Node) -> bool:
    """Whether a constant index has places that count from the end of a symbolic extent."""
    return isinstance(index, ConstantArray) and bool((index.contents.array < 0).any())


def _from_both_ends(x: Node, places: Any, axis: int) -> Node:
    """Places of a symbolic axis, the negative ones from its end: from x turned around, then in their order."""
    turned = sliced(x, _along(x, axis, slice(None, None, -1)))
    back = places < 0
    if back.all():
        return take(turned, constant(-1 - places), axis)
    parts = concat([take(x, constant(places[~back]), axis), take(turned, constant(-1 - places[back]), axis)], axis)
    position = back.reshape(-1).cumsum() - 1 + (~back).sum()
    order = (~back).reshape(-1).cumsum() - 1
    order[back.reshape(-1)] = position[back.reshape(-1)]
    return take(parts, constant(order.reshape(places.shape)), axis)


def one_hot(indices: Any, classes: Any) -> Node:
    """Rows with a single 1: shape indices.shape + (classes,).

    Example:
        >>> import symnet as sn
        >>> sn.one_hot(sn.tensor("t", 5, dtype="int64"), 3).shape
        (5, 3)
    """
    return OneHot(as_node(indices), sympy.sympify(as_extent(classes, f"one_hot(…, {classes})")))


def taken_rows(indices: Node, extent: Extent) -> Node:
    """The one-hot rows that select what `take` takes from an axis of that extent."""
    return OneHot(indices, sympy.sympify(extent), static_name("taken"))


def labels(name: str, *shape: Any, classes: Any, dtype: str = "int64") -> Node:
    """Integer class labels, in formulas the one-hot (…, classes) array.

    Args:
        name: the keyword of the integer array at the call.
        *shape: the shape of that array, such as `m`.
        classes: the number of classes K; labels run from 0 to K - 1, others are an error at the call.
        dtype: int64 or int32, of the array.

    Returns:
        a node of shape (*shape, classes), one-hot along the last axis.  The one-hot array is never built.

    Example:
        >>> import numpy as np, symnet as sn
        >>> D = sn.labels("t", sn.dim("m"), classes=3)
        >>> D.shape
        (m, 3)
        >>> sn.compile(sn.sum(D, axis=0))(t=np.array([0, 2, 2, 2]))
        array([1., 0., 3.])
    """
    return OneHot(*one_hot(tensor(name, *shape, dtype=dtype), classes).args, static_name("labels"))


def labels_by_name(order: Iterable[Node]) -> set[Node]:
    """The labels whose leaf's name means nothing else among the nodes: neither the integers nor other classes."""
    users: dict[Node, set[Node]] = {}
    for node in order:
        for operand in node.operands if node.kind != "named" else ():
            if operand.kind == "tensor":
                users.setdefault(operand, set()).add(node)
    alone = (next(iter(found)) for found in users.values() if len(found) == 1)
    return {node for node in alone if isinstance(node, OneHot) and node.is_labels}


def with_plain_labels(roots: list[Node]) -> list[Node]:
    """The roots with ordinary one-hot arrays for labels whose name stands for something else among them too.

    So there is one spelling of equal arrays: D of `labels` beside the one-hot rows that the derivative of a `take` at
    the same labels brings.  (Where rows that must not wrap stand beside rows that may, no index is negative.)
    """
    order = topological(*roots)
    hot = {node for node in order if isinstance(node, OneHot)}
    strict = {node.args[:2] for node in hot if not node.wraps}
    plain = {node for node in hot if node.is_labels} - labels_by_name(order) if hot else set()
    plain |= {node for node in hot if node.wraps and node.args[:2] in strict}
    return substitute(roots, {node: OneHot(*node.args[:2]) for node in plain}) if plain else roots


# --------------------------------------------------------------------------- ints and slices


def _along(x: Node, axis: int, key: Any) -> list[Any]:
    """Keys for all axes of x: `key` at one of them, and all of the others."""
    return [key if a == axis else slice(None) for a in range(x.rank)]


def sliced(x: Node, keys: Sequence[Any]) -> Node:
    """x at ints and slices, one for each axis, with None for new axes and ... where it stands for none."""
    starts: list[Extent] = []
    sizes: list[Extent] = []
    steps: list[int] = []
    dropped: list[int] = []
    new: list[int] = []
    axis = position = 0
    for k in keys:
        if k is Ellipsis:
            continue
        if k is None:
            new.append(position)
            position += 1
            continue
        start, count, step, drop = _axis_range(x, axis, k)
        starts.append(start)
        sizes.append(count)
        steps.append(step)
        if drop:
            dropped.append(axis)
        else:
            position += 1
        axis += 1
    result = _slice(x, starts, sizes, steps)
    if dropped:
        result = drop_axes(result, dropped)
    return keep_axes(result, tuple(new)) if new else result


def _slice(x: Node, starts: list[Extent], sizes: list[Extent], steps: list[int]) -> Node:
    whole = all(s == 0 and t == 1 for s, t in zip(starts, steps, strict=True)) and tuple(sizes) == x.shape
    return x if whole else Slice(x, shape_arg(tuple(starts)), shape_arg(tuple(sizes)), ints_arg(tuple(steps)))


def _axis_range(x: Node, axis: int, key: Any) -> tuple[Extent, Extent, int, bool]:
    """(start, size, step, whether the axis is dropped)."""
    extent, call = x.shape[axis], f"{name_of(x, 'x')}[{shown((key,))}] on axis {axis} of shape {x.shape}"
    if isinstance(key, slice):
        step = _step(call, key)
        if isinstance(extent, int) and all(_is_index(b) for b in (key.start, key.stop) if b is not None):
            start, stop, step = key.indices(extent)
            return max(start, 0), len(range(start, stop, step)), step, False
        return (*_symbolic_range(call, extent, key, step), step, False)
    if not _is_index(key):
        raise ArgumentError(
            explain(
                call,
                "an int, a slice, None, ... or an array of integers",
                type(key).__name__ if not isinstance(key, Expr) else str(key),
                "An index is as in [0], [1:] or [[0, 2]].",
            )
        )
    position = int(key)
    if isinstance(extent, int) and not -extent <= position < extent:
        raise ShapeError(explain(call, f"an index from {-extent} to {extent - 1}", str(position), "Check the extent."))
    return (position if position >= 0 else as_extent_expr(extent + position)), 1, 1, True


def _is_index(key: Any) -> bool:
    """Whether the key is one whole number: no truth value, no array."""
    return hasattr(key, "__index__") and not isinstance(key, bool) and getattr(key, "shape", ()) == ()


def _step(call: str, key: slice) -> int:
    if key.step is None:
        return 1
    if not _is_index(key.step) or int(key.step) == 0:
        raise ShapeError(explain(call, "a step that is a whole number other than 0", str(key.step), "Write x[::2]."))
    return int(key.step)


def _symbolic_range(call: str, extent: Expr, key: slice, step: int) -> tuple[Extent, Extent]:
    """Slices of a symbolic axis: a:b, a:, :-b, and the same backward, as ::-1."""
    if step == -1:
        first = _bound(call, extent, key.start, extent - 1)
        size = as_extent_expr(first - _bound(call, extent, key.stop, -1))
        return (0, 0) if isinstance(size, int) and size <= 0 else (as_extent_expr(first), size)
    if step != 1:
        raise ShapeError(
            explain(call, "step 1 or -1 along a symbolic extent", f"step {step}", "Make the extent concrete.")
        )
    low = _bound(call, extent, key.start, 0)
    size = as_extent_expr(_bound(call, extent, key.stop, extent) - low)
    return (0, 0) if isinstance(size, int) and size <= 0 else (as_extent_expr(low), size)


def _bound(call: str, extent: Extent, bound: Any, default: Extent) -> Any:
    """A bound of a slice: an int (negative ones count from the end) or an expression over dims."""
    if bound is None:
        return default
    if isinstance(bound, Expr) and all(isinstance(s, Dim) for s in bound.free_symbols):
        return bound
    if not _is_index(bound):
        raise ArgumentError(explain(call, "ints or dims as the bounds of a slice", repr(bound), "Write x[1:m]."))
    return extent + int(bound) if bound < 0 else int(bound)


def as_extent_expr(value: Any) -> Extent:
    """An extent expression that may contain a subtraction (m - 1): its sign is checked at the call."""
    return shape_of(sympy.Tuple(sympy.sympify(value)))[0]


def shown(key: tuple[Any, ...]) -> str:
    """Keys as Python writes them."""

    def one(k: Any) -> str:
        if isinstance(k, slice):
            parts = [k.start, k.stop] + ([k.step] if k.step is not None else [])
            return ":".join("" if p is None else str(p) for p in parts)
        return "..." if k is Ellipsis else str(k)

    return ", ".join(map(one, key))

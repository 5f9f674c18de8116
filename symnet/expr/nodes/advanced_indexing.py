"""`x[…]` as NumPy has it; with arrays among the keys it is made of slices, one `Take` and transpositions.

In: a node and what stands in the brackets.  Out: a node.
Arrays (and ints beside them) are broadcast to one shape; its axes stand where the arrays stood, or first, where slices
or None separate them.  Several constant arrays select from one flat axis.
Not handled: several arrays of which one is no constant (single indices are taken one after another); several along
symbolic extents, but for the first.
Source: NumPy's reference, "Advanced indexing".
"""

from __future__ import annotations

from typing import Any

from symnet.errors import ArgumentError, ShapeError, explain
from symnet.expr.nodes.constants import ConstantArray, constant, number_of
from symnet.expr.nodes.contraction import transpose
from symnet.expr.nodes.expansion import keep_axes
from symnet.expr.nodes.index_arrays import in_range, index_array, is_index_array, places_of_mask
from symnet.expr.nodes.indexing import shown, sliced, take
from symnet.expr.nodes.movement import reshape
from symnet.expr.nodes.node import Node, name_of


def getitem(x: Node, key: Any) -> Node:
    """NumPy's indexing: ints, slices, None, ..., integer arrays and constant masks."""
    given = key if isinstance(key, tuple) else (key,)
    call = f"{name_of(x, 'x')}[{shown(given)}] of shape {x.shape}"
    keys = _full_key(x, [_key(call, k) for k in given])
    if any(isinstance(k, Node) for k in keys):
        return by_arrays(call, x, _without_masks(call, x, keys))
    return sliced(x, keys)


def _key(call: str, key: Any) -> Any:
    """A key with arrays as nodes, and numbers as ints."""
    value = number_of(key) if isinstance(key, Node) else None
    if value is not None and value.is_Integer:
        return int(value)
    return index_array(call, key) if is_index_array(key) else key


def _axes_of(key: Any) -> int:
    """How many axes a key is for."""
    if key is None or key is Ellipsis:
        return 0
    return key.rank if isinstance(key, Node) and key.dtype == "bool" else 1


def _full_key(x: Node, keys: list[Any]) -> list[Any]:
    used = sum(map(_axes_of, keys))
    if used > x.rank or len([k for k in keys if k is Ellipsis]) > 1:
        raise ShapeError(
            explain(
                f"{name_of(x, 'x')}[{shown(tuple(keys))}]",
                f"at most {x.rank} indices and one ...",
                f"{used} indices",
                f"The array has shape {x.shape}.",
            )
        )
    rest = [slice(None)] * (x.rank - used)
    where = next((n for n, k in enumerate(keys) if k is Ellipsis), len(keys))
    separator = [] if rest else keys[where : where + 1]  # NumPy's ... parts arrays even where it stands for no axis
    return [*keys[:where], *rest, *separator, *keys[where + 1 :]]


def _without_masks(call: str, x: Node, keys: list[Any]) -> list[Any]:
    """The keys, with arrays of integers in the place of each mask: [False, True, True] becomes [1, 2]."""
    found: list[Any] = []
    axis = 0
    for key in keys:
        extents = x.shape[axis : axis + _axes_of(key)]
        is_mask = isinstance(key, Node) and key.dtype == "bool"
        found += places_of_mask(call, key.contents.array, extents) if is_mask else [key]
        axis += _axes_of(key)
    return found


# --------------------------------------------------------------------------- arrays among the keys


def by_arrays(call: str, x: Node, keys: list[Any]) -> Node:
    """x[keys], where at least one key is an integer array.

    Args:
        call: as the user wrote it.
        x: any shape.
        keys: one for each axis of x (an int, a slice, an integer node), None for new axes, ... where it
            stands for none.
    """
    places = [k for k, key in enumerate(keys) if key is not None and key is not ... and not isinstance(key, slice)]
    together = places == list(range(places[0], places[-1] + 1))
    arrays = [key for key in keys if isinstance(key, Node)]
    x = sliced(x, [slice(None) if isinstance(k, Node) else k for k in keys if k is not None and k is not ...])
    layout: list[Any] = []  # of the result: "new", an axis of x, or the arrays
    axes: list[int] = []  # of x that the arrays select from
    axis = 0
    for k, key in enumerate(keys):
        if k == places[0] and together:
            layout.append("arrays")
        if key is None:
            layout.append("new")
        elif isinstance(key, Node):
            axes.append(axis)
            axis += 1
        elif isinstance(key, slice):
            layout.append(axis)
            axis += 1
    layout = layout if together else ["arrays", *layout]
    x, kept = _at_scalars(x, axes, arrays) if len(arrays) > 1 else (x, list(range(x.rank)))
    several = [(kept.index(a), index) for a, index in zip(axes, arrays, strict=True) if a in kept]
    if not several:
        return _laid_out(x, [*kept], layout)
    select = _one if len(several) == 1 else _several
    taken, names = select(call, x, [a for a, _ in several], [index for _, index in several])
    return _laid_out(taken, [kept[n] if isinstance(n, int) else n for n in names], layout)


def _at_scalars(x: Node, axes: list[int], arrays: list[Node]) -> tuple[Node, list[int]]:
    """x at those indices that are single ones and no constants, one axis after another, and which axes are left."""
    kept = list(range(x.rank))
    for axis, index in zip(axes, arrays, strict=True):
        if not index.rank and not isinstance(index, ConstantArray):
            x = take(x, index, kept.index(axis))
            kept.remove(axis)
    return x, kept


AxisName = int | str  # of an axis of the result: the number of x's axis, or "a0", "a1", … for those of the arrays


def _one(call: str, x: Node, axes: list[int], arrays: list[Node]) -> tuple[Node, list[AxisName]]:
    """x taken by one array of indices: (the selection, the name of each of its axes)."""
    (axis,), (index,) = axes, arrays
    return take(x, index, axis), [*range(axis), *_names(index.rank), *range(axis + 1, x.rank)]


def _names(rank: int) -> list[AxisName]:
    return [f"a{k}" for k in range(rank)]


def _several(call: str, x: Node, axes: list[int], arrays: list[Node]) -> tuple[Node, list[AxisName]]:
    """The same for several constant arrays, which select from one flat axis made of all that they index."""
    import numpy as np

    if not all(isinstance(index, ConstantArray) for index in arrays):
        mend = "Take one axis at a time, or sum x*sn.one_hot(i, n) over the axis."
        raise ArgumentError(explain(call, "one integer array, or constant ones", "several, not all constant", mend))
    extents = [x.shape[a] for a in axes]
    symbolic = [n for n in extents[1:] if not isinstance(n, int)]
    if symbolic:
        mend = "Take one axis at a time, or make the extent concrete."
        raise ShapeError(explain(call, "concrete extents behind the first array", f"extent {symbolic[0]}", mend))
    places = [in_range(call, i, n).contents.array for i, n in zip(arrays, extents, strict=True)]
    if not isinstance(extents[0], int) and places[0].size and places[0].min() < 0:
        mend = "Count from the start, or take one axis at a time."
        raise ShapeError(explain(call, f"no negative index along {extents[0]}", str(places[0].min()), mend))
    try:
        places = list(np.broadcast_arrays(*places))
    except ValueError as error:
        shapes = " and ".join(str(p.shape) for p in places)
        raise ShapeError(explain(call, "index arrays that broadcast", shapes, "Make their shapes equal.")) from error
    flat = places[0].astype("int64")
    for place, extent in zip(places[1:], extents[1:], strict=True):
        flat = flat * extent + place
    rest = [a for a in range(x.rank) if a not in axes]
    joined = _transposed(x, [*axes, *rest])
    count = extents[0]
    for extent in extents[1:]:
        count = count * extent
    flattened = reshape(joined, (count, *joined.shape[len(axes) :]))
    return take(flattened, constant(flat), 0), [*_names(flat.ndim), *rest]


def _laid_out(found: Node, names: list[AxisName], layout: list[Any]) -> Node:
    """The selection with its axes in the order of the keys, and new axes."""
    order: list[int] = []
    new: list[int] = []
    for item in layout:
        if item == "new":
            new.append(len(order) + len(new))
        elif item == "arrays":
            order += [k for k, name in enumerate(names) if isinstance(name, str)]
        else:
            order.append(names.index(item))
    moved = _transposed(found, order)
    return keep_axes(moved, tuple(new)) if new else moved


def _transposed(x: Node, order: list[int]) -> Node:
    return x if order == list(range(x.rank)) else transpose(x, *order)

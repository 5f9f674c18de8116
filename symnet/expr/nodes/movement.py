"""Movement: affine maps of indices.  No arithmetic happens here.

`Reshape(x, shape)`        the same elements in row-major order
`Slice(x, starts, sizes, steps)`   out[i] = x[start + i·step]
`Place(x, shape, starts, steps)`   out = 0 but out[start + i·step] = x[i]: the adjoint of Slice, and padding
`Concat(axis, *xs)`        operands one after another

Axes that repeat are `Expand` (`expr/nodes/expansion.py`); transposition is a contraction (`expr/nodes/contraction.py`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import sympy
from sympy import Expr, Integer, Tuple

from symnet.errors import ArgumentError, ShapeError, explain
from symnet.expr.nodes.constants import as_node
from symnet.expr.nodes.contraction import contract
from symnet.expr.nodes.expansion import expand, keep_axes
from symnet.expr.nodes.extents import (
    as_extent,
    broadcast_shapes,
    ints_arg,
    ints_of,
    product,
    same_extent,
    same_shape,
    shape_arg,
    shape_of,
    total_extent,
    whole_number,
)
from symnet.expr.nodes.node import Node, Shape
from symnet.expr.nodes.operand_dtypes import check_one_real
from symnet.expr.nodes.result_dtypes import common_dtype


class Reshape(Node):
    """args are (x, shape)."""

    __slots__ = ()
    kind = "reshape"

    @classmethod
    def _derive(cls, x: Node, shape: Tuple) -> tuple[Shape, str | None]:
        out = shape_of(shape)
        assert same_extent(product(out), product(x.shape)), (x.shape, out)
        return out, x.dtype


class Slice(Node):
    """args are (x, starts, sizes, steps), one of each per axis; a step may be negative."""

    __slots__ = ()
    kind = "slice"

    @classmethod
    def _derive(cls, x: Node, starts: Tuple, sizes: Tuple, steps: Tuple) -> tuple[Shape, str | None]:
        assert len(starts) == len(sizes) == len(steps) == x.rank
        return shape_of(sizes), x.dtype

    @property
    def starts(self) -> Shape:
        return shape_of(self.args[1])

    @property
    def steps(self) -> tuple[int, ...]:
        return ints_of(self.args[3])


class Place(Node):
    """args are (x, shape, starts, steps): zeros with x laid into them."""

    __slots__ = ()
    kind = "place"

    @classmethod
    def _derive(cls, x: Node, shape: Tuple, starts: Tuple, steps: Tuple) -> tuple[Shape, str | None]:
        assert len(starts) == len(shape) == len(steps) == x.rank
        return shape_of(shape), x.dtype

    @property
    def starts(self) -> Shape:
        return shape_of(self.args[2])

    @property
    def steps(self) -> tuple[int, ...]:
        return ints_of(self.args[3])


class Concat(Node):
    """args are (axis, *xs)."""

    __slots__ = ()
    kind = "concat"

    @classmethod
    def _derive(cls, axis: Integer, *xs: Node) -> tuple[Shape, str | None]:
        a = int(axis)
        first = xs[0].shape
        for x in xs[1:]:
            if x.rank != len(first) or not same_shape(x.shape[:a] + x.shape[a + 1 :], first[:a] + first[a + 1 :]):
                raise ShapeError(
                    explain(
                        f"concat(…, axis={a})",
                        "shapes equal but for that axis",
                        " and ".join(str(x.shape) for x in xs),
                        "Correct a shape or the axis.",
                    )
                )
        check_one_real(f"concat(…, axis={a})", xs)
        total = total_extent(x.shape[a] for x in xs)
        return (*first[:a], total, *first[a + 1 :]), common_dtype(*xs)

    @property
    def axis(self) -> int:
        return int(self.args[0])

    @property
    def offsets(self) -> tuple[Any, ...]:
        """Where each operand starts along the axis."""
        offsets, total = [], sympy.Integer(0)
        for x in self.operands:
            offsets.append(as_extent(total, "concat"))
            total = total + x.shape[self.axis]
        return tuple(offsets)


# --------------------------------------------------------------------------- building


def drop_axes(x: Node, axes: Collection[int]) -> Node:
    """Axes of extent 1 taken away: as a contraction, which the algebra sees through; of truth values as a reshape, for
    a sum would count them.
    """
    kept = [a for a in range(x.rank) if a not in axes]
    return reshape(x, tuple(x.shape[a] for a in kept)) if x.dtype == "bool" else contract([range(x.rank)], kept, x)


def broadcast_to(x: Any, shape: Shape) -> Node:
    """x under NumPy's broadcasting to exactly `shape`.

    Example:
        >>> import symnet as sn
        >>> sn.broadcast_to(sn.tensor("b", 3), (5, 3)).shape
        (5, 3)
    """
    x = as_node(x)
    if not isinstance(shape, tuple) or not all(isinstance(n, (int, Expr)) for n in shape):
        call = "broadcast_to(x, shape)"
        shape = tuple(as_extent(n, call) for n in _several(call, shape, "extents"))
    if same_shape(x.shape, shape):
        return x
    if not _stretches(x.shape, shape):
        broadcast_shapes(f"broadcast_to({shape})", x.shape, tuple(shape))
        raise ShapeError(
            explain(
                f"broadcast_to({shape})",
                "a shape that x broadcasts to",
                f"x of shape {x.shape}",
                "Correct the target shape.",
            )
        )
    first = len(shape) - x.rank
    stretched = [a for a, n in enumerate(x.shape) if n == 1 and not same_extent(shape[first + a], 1)]
    kept = [a for a in range(x.rank) if a not in stretched]
    core = drop_axes(x, stretched) if stretched else x
    return expand(core, tuple(shape), tuple(first + a for a in kept))


def _several(call: str, given: Any, of: str) -> list[Any]:
    """What was given as a tuple or list."""
    if not isinstance(given, Iterable) or isinstance(given, str):
        got = f"{type(given).__name__} {given}"
        raise ArgumentError(explain(call, f"a tuple or list of {of}", got, "Put it in brackets."))
    return list(given)


def _position(call: str, axis: Any) -> int:
    """An axis as an int."""
    place = None if isinstance(axis, bool) else whole_number(axis)
    if place is None:
        raise ArgumentError(explain(call, "an int as axis", f"axis={axis!r}", "Write axis=0."))
    return place


def _stretches(x: Shape, shape: Shape) -> bool:
    """Whether NumPy's broadcasting brings x to this shape."""
    first = len(shape) - len(x)
    return first >= 0 and all(n == 1 or same_extent(n, shape[first + a]) for a, n in enumerate(x))


def reshape(x: Any, *shape: Any) -> Node:
    """The same elements in row-major order under another shape; one extent may be -1.

    Raises:
        ShapeError: when the numbers of elements differ.

    Example:
        >>> import symnet as sn
        >>> sn.tensor("X", sn.dim("m"), 8, 8).reshape(-1, 64).shape
        (m, 64)
    """
    x = as_node(x)
    if len(shape) == 1 and isinstance(shape[0], (tuple, list, Tuple)):
        shape = tuple(shape[0])
    call = f"reshape({', '.join(map(str, shape))})"
    total = product(x.shape)
    unknown = [k for k, n in enumerate(shape) if isinstance(n, int) and n == -1]
    extents: list[Any] = [1 if k in unknown else as_extent(n, call) for k, n in enumerate(shape)]
    if len(unknown) == 1:
        quotient = sympy.cancel(sympy.sympify(total) / product(extents)) if product(extents) != 0 else sympy.S.Half
        if quotient.is_integer:
            extents[unknown[0]] = as_extent(quotient, call)
    if len(unknown) > 1 or not same_extent(product(extents), total):
        raise ShapeError(
            explain(
                call,
                f"{total} elements",
                f"a target of {product(extents)}",
                f"The array has shape {x.shape}; make the products equal.",
            )
        )
    if same_shape(extents, x.shape):
        return x
    return Reshape(x, shape_arg(tuple(extents)))


def concat(xs: Any, axis: int = 0) -> Node:
    """Arrays joined along an existing axis (`numpy.concatenate`).

    Example:
        >>> import symnet as sn
        >>> sn.concat([sn.tensor("a", 2, 3), sn.tensor("b", 2, 4)], axis=1).shape
        (2, 7)
    """
    nodes = [as_node(x) for x in _several("concat(xs)", xs, "arrays")]
    axis = _position("concat(xs, axis)", axis)
    rank = nodes[0].rank if nodes else 0
    if not nodes or not -rank <= axis < rank:
        raise ShapeError(
            explain(
                f"concat(…, axis={axis})",
                "at least one array, and an axis it has",
                f"{len(nodes)} arrays of rank {rank}",
                "Use stack for a new axis.",
            )
        )
    return nodes[0] if len(nodes) == 1 else Concat(Integer(axis % rank), *nodes)


def stack(xs: Any, axis: int = 0) -> Node:
    """Arrays of one shape joined along a new axis (`numpy.stack`).

    Example:
        >>> import symnet as sn
        >>> sn.stack([sn.tensor("a", 3), sn.tensor("b", 3)], axis=1).shape
        (3, 2)
    """
    nodes = [as_node(x) for x in _several("stack(xs)", xs, "arrays")]
    axis = _position("stack(xs, axis)", axis)
    if not nodes or not all(same_shape(n.shape, nodes[0].shape) for n in nodes):
        raise ShapeError(
            explain(
                "stack(…)",
                "arrays of one shape",
                " and ".join(str(n.shape) for n in nodes) or "none",
                "Make the shapes equal.",
            )
        )
    rank = nodes[0].rank + 1
    if not -rank <= axis < rank:
        raise ShapeError(
            explain(f"stack(…, axis={axis})", f"an axis from {-rank} to {rank - 1}", str(axis), "Check the rank.")
        )
    position = axis % rank
    return concat([keep_axes(n, (position,)) for n in nodes], position)


def pad(x: Any, widths: Any) -> Node:
    """Zeros around x.

    Args:
        x: any shape.
        widths: as NumPy's: a pair (before, after) for each axis, one pair for all of them, or one number for all sides.

    Example:
        >>> import symnet as sn
        >>> sn.pad(sn.tensor("a", 2, 3), [(1, 1), (0, 2)]).shape
        (4, 5)
        >>> sn.pad(sn.tensor("a", 2, 3), 1).shape
        (4, 5)
    """
    x = as_node(x)
    pairs = _pairs(x.rank, widths)
    before = [as_extent(b, "pad") for b, _ in pairs]
    shape = tuple(
        as_extent(sympy.sympify(n) + b + as_extent(a, "pad"), "pad") for n, (b, a) in zip(x.shape, pairs, strict=True)
    )
    return Place(x, shape_arg(shape), shape_arg(tuple(before)), ints_arg((1,) * x.rank))


def _pairs(rank: int, widths: Any) -> list[tuple[Any, Any]]:
    """A pair (before, after) for each axis, of `widths` that broadcast to that."""
    rows = _listed(widths)
    if not isinstance(rows, list):
        return [(rows, rows)] * rank
    lengths = {len(row) if isinstance(row, list) else 0 for row in rows}
    if lengths == {0} and len(rows) <= 2:
        return [(rows[0], rows[-1])] * rank
    if lengths not in ({1}, {2}) or len(rows) not in (1, rank):
        how = "Give one pair per axis, one pair for all of them, or one number."
        raise ShapeError(explain("pad(x, widths)", f"{rank} pairs (before, after)", str(widths), how))
    pairs = [(row[0], row[-1]) for row in rows]
    return pairs * rank if len(pairs) == 1 else pairs


def _listed(given: Any) -> Any:
    """Lists in the place of tuples and arrays."""
    given = given.tolist() if hasattr(given, "tolist") else given
    return [_listed(each) for each in given] if isinstance(given, list | tuple) else given

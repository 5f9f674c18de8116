"""Single elements, rows and columns among zeros by unit vectors: w eᵢ eⱼᵀ, e₁ zᵀ, x₃ e₂ + x₂ e₃.

In: a root.  Out: a graph of the same value: an element that is placed into a matrix is a multiple of
outer(eye(m)[1], eye(n)[2]) and, on paper, a few rows, columns or elements are sums of such products, a column of the
identity matrix is a unit vector, and so is `one_hot` of one index.
Only for printing.  Small arrays that read by their entries stay as they are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from symnet.expr.nodes.constants import number_of
from symnet.expr.nodes.contraction import Einsum, contract
from symnet.expr.nodes.elementwise import elementwise, is_op
from symnet.expr.nodes.expansion import Expand, expand, fill
from symnet.expr.nodes.extents import ints_arg, same_extent, shape_arg
from symnet.expr.nodes.graph import rebuild, with_operands
from symnet.expr.nodes.indexing import OneHot
from symnet.expr.nodes.movement import Place, Slice, drop_axes
from symnet.expr.nodes.node import Extent, Node
from symnet.expr.nodes.symbols import Named, Tensor, named
from symnet.expr.printing.entries import reads_as_entries
from symnet.expr.printing.view import visible

_MOST = 3  # rows, columns or elements that are written as a sum


def unit_vectors(root: Node, paper: bool) -> Node:
    """The root with unit vectors for what stands alone among zeros."""
    change = _on_paper if paper else _in_text
    if all(change(node) is node for node in visible(root)):
        return root
    (result,) = rebuild([root], change)
    return result


def _in_text(node: Node) -> Node:
    if not isinstance(node, Place) or node.rank != 2 or reads_as_entries(node):
        return node
    found = _element(node)
    return node if any(o.kind == "named" for o in visible(found)) else found


def _on_paper(node: Node) -> Node:
    if isinstance(node, Place):
        return node if reads_as_entries(node) else _placed(node)
    if isinstance(node, OneHot):
        index = node.operands[0]
        return named(node, f"e_{index.name}") if isinstance(index, Tensor) and not index.rank else node
    if isinstance(node, Einsum) and node.is_sum and node.rank == 1:
        unit = _of_identity(node.operands[0], node.inputs[0].index(node.contracted[0]), 0)
        return node if unit is None else unit
    return _numbers_first(node) if isinstance(node, Einsum) else node


def _numbers_first(node: Einsum) -> Node:
    """(w e₂) xᵀ as w e₂ xᵀ."""
    numbers, operands = list[Node](), list[Node]()
    for operand in node.operands:
        factors = operand.operands if is_op(operand, "mul") else ()
        vectors = [f for f in factors if f.rank]
        if len(vectors) == 1 and _is_unit(vectors[0]):
            numbers += [f for f in factors if not f.rank]
            operand = vectors[0]
        operands.append(operand)
    return elementwise("mul", *numbers, with_operands(node, operands)) if numbers else node


def _is_unit(node: Node) -> bool:
    inner = node.operands[0] if isinstance(node, Named) else node
    return isinstance(inner, OneHot) or (isinstance(inner, Place) and _is_scaled_unit(inner))


def _element(node: Place) -> Node:
    """One element of a matrix of zeros; any other node itself."""
    x = node.operands[0]
    if not all(n == 1 for n in x.shape):
        return node
    units = [_unit(n, start) for n, start in zip(node.shape, node.starts, strict=True)]
    return _times(part_of(part_of(x, 0, 0), 0, 0), contract([[0], [1]], [0, 1], *units))


def _placed(node: Place) -> Node:
    """A few rows, columns or elements among zeros; any other node itself."""
    x = node.operands[0]
    axes = [a for a, (n, k) in enumerate(zip(node.shape, x.shape, strict=True)) if not same_extent(n, k)]
    if node.rank == 2 and len(axes) == 2:
        return _element(node)
    if node.rank > 2 or len(axes) != 1 or node.steps[axes[0]] != 1:
        return node
    (axis,) = axes
    count = x.shape[axis]
    if not isinstance(count, int) or count > (_MOST if _has_parts(x) else 1) or _is_scaled_unit(node):
        return node
    terms = [_term(part_of(x, axis, k), _unit(node.shape[axis], node.starts[axis] + k), axis) for k in range(count)]
    return terms[0] if len(terms) == 1 else elementwise("add", *terms)


def _has_parts(x: Node) -> bool:
    """Whether the rows, columns or elements of an array are values by themselves, as those of a leaf are not."""
    if x.kind == "elementwise":
        return all(_has_parts(o) for o in x.operands if o.rank)
    return x.kind in ("concat", "slice", "expand", "delta")


def _is_scaled_unit(node: Place) -> bool:
    """Whether a vector reads as a number times a unit vector as it is."""
    x = node.operands[0]
    return node.rank == 1 and isinstance(x, Expand) and not x.operands[0].rank


def _term(part: Node, unit: Node, axis: int) -> Node:
    if not part.rank:
        return _times(part, unit)
    return _numbers_first(contract([[0], [1]], [0, 1], *((part, unit) if axis else (unit, part))))


def _times(scalar: Node, array: Node) -> Node:
    return array if number_of(scalar) == 1 else elementwise("mul", scalar, array)


def _unit(extent: Extent, place: Any) -> Node:
    """The unit vector that is 1 at a place; a small one, which would read by its entries, under its name."""
    unit = Place(fill(1, (1,)), shape_arg((extent,)), shape_arg((place,)), ints_arg((1,)))
    return named(unit, f"e_{place}") if reads_as_entries(unit) else unit


def _of_identity(x: Node, axis: int, k: int) -> Node | None:
    """The unit vector that a row or a column of the identity matrix is."""
    if not isinstance(x, Slice) or x.operands[0].kind != "delta" or x.steps[1 - axis] != 1:
        return None
    extent = x.operands[0].shape[0]
    whole = same_extent(x.shape[1 - axis], extent)
    return _unit(extent, x.starts[axis] + k * x.steps[axis]) if whole else None


def part_of(x: Node, axis: int, k: int) -> Node:
    """x[k] along an axis of a vector or a matrix, taken from what x is made of."""
    step = _PART.get(x.kind)
    found = step(x, axis, k) if step else None
    return _cut(x, axis, k) if found is None else found


def _cut(x: Node, axis: int, k: int) -> Node:
    if x.shape[axis] == 1:
        return drop_axes(x, (axis,))
    starts = [k if a == axis else 0 for a in range(x.rank)]
    sizes = tuple(1 if a == axis else n for a, n in enumerate(x.shape))
    return drop_axes(Slice(x, shape_arg(tuple(starts)), shape_arg(sizes), ints_arg((1,) * x.rank)), (axis,))


def _of_expand(x: Any, axis: int, k: int) -> Node | None:
    if axis in x.axes:
        return None
    shape = tuple(n for a, n in enumerate(x.shape) if a != axis)
    return expand(x.operands[0], shape, tuple(a - (a > axis) for a in x.axes))


def _of_concat(x: Any, axis: int, k: int) -> Node | None:
    if axis != x.axis:
        return None
    for offset, operand in zip(x.offsets, x.operands, strict=True):
        size = operand.shape[axis]
        if not isinstance(offset, int) or not isinstance(size, int):
            return None
        if k < offset + size:
            return part_of(operand, axis, k - offset)
    return None


def _of_slice(x: Any, axis: int, k: int) -> Node | None:
    unit = _of_identity(x, axis, k) if x.rank == 2 else None
    if unit is not None:
        return unit
    starts = tuple(s + k * x.steps[axis] if a == axis else s for a, s in enumerate(x.starts))
    sizes = tuple(1 if a == axis else n for a, n in enumerate(x.shape))
    return drop_axes(Slice(x.operands[0], shape_arg(starts), shape_arg(sizes), ints_arg(x.steps)), (axis,))


def _of_elementwise(x: Any, axis: int, k: int) -> Node | None:
    if any(o.rank not in (0, x.rank) or (o.rank and not same_extent(o.shape[axis], x.shape[axis])) for o in x.operands):
        return None
    return with_operands(x, [part_of(o, axis, k) if o.rank else o for o in x.operands])


def _of_transposition(x: Any, axis: int, k: int) -> Node | None:
    return part_of(x.operands[0], 1 - axis, k) if x.is_transpose and x.rank == 2 else None


def _of_delta(x: Any, axis: int, k: int) -> Node:
    return _unit(x.extent, k)


_PART: dict[str, Callable[[Any, int, int], Node | None]] = {
    "expand": _of_expand,
    "concat": _of_concat,
    "slice": _of_slice,
    "elementwise": _of_elementwise,
    "einsum": _of_transposition,
    "delta": _of_delta,
}
